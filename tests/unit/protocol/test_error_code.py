"""The table of error codes: numbers, payloads, texts and exceptions agree."""

import pytest

from fluvio_protocol.error_code import (
    OK,
    ApiError,
    ErrorCode,
    ErrorKind,
    NotLeaderError,
    OffsetEvictedError,
    ReplicaKey,
    RequestKind,
    RuntimeErrorSmartModuleKind,
    SmartModuleInitRuntimeError,
    SmartModuleTransformRuntimeError,
    TopicNotFoundError,
    exception_for,
    other,
)
from fluvio_protocol.wire import DecodeError, decode, encode, i64, type_name, u64

SAMPLES = {
    str: "text",
    u64: 3,
    i64: 4,
    str | None: None,
    RequestKind: RequestKind.PRODUCE,
    ReplicaKey: ReplicaKey(topic="t", partition=1),
    SmartModuleInitRuntimeError: SmartModuleInitRuntimeError(hint="h"),
    SmartModuleTransformRuntimeError: SmartModuleTransformRuntimeError(
        hint="h", offset=5, kind=RuntimeErrorSmartModuleKind.MAP, record_key=b"k", record_value=b"v"
    ),
}


def sample(kind: ErrorKind) -> ErrorCode:
    return ErrorCode(kind, *(SAMPLES[part] for part in ErrorCode.payload_types.get(kind, ())))


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_code_travels_has_a_text_and_an_exception(kind):
    code = sample(kind)
    data = encode(code, 25)
    assert int.from_bytes(data[:2], "big", signed=True) == kind
    assert decode(ErrorCode, data, 25) == code
    assert code.text
    assert "{" not in code.text
    error = exception_for(code)
    assert (error.code, str(error)) == (code, code.text)
    assert str(exception_for(code, "the peer's own words")) == "the peer's own words"


def test_numbers_that_fluvio_does_not_define_are_refused():
    for number in (3, 5, 14, 999, 3006, 6009, -2):
        with pytest.raises(DecodeError, match=f"{number} is not a ErrorKind"):
            decode(ErrorCode, number.to_bytes(2, "big", signed=True), 25)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (ErrorCode(ErrorKind.OFFSET_EVICTED, 0, 7), "Offset 0 is evicted. The next available is 7"),
        (other("boom"), "boom"),
        (other("{0} braces stay {x}"), "{0} braces stay {x}"),
        (ErrorCode(ErrorKind.PARTITION_FULL, ReplicaKey(topic="t", partition=1)), "partition t-1 is full"),
        (
            ErrorCode(ErrorKind.NOT_LEADER_FOR_PARTITION),
            "the given SPU is not the leader for the partition",
        ),
    ],
)
def test_texts_say_what_official_clients_say(code, text):
    assert code.text.startswith(text)


def test_exceptions_carry_what_programs_need():
    evicted = exception_for(ErrorCode(ErrorKind.OFFSET_EVICTED, 3, 9))
    assert isinstance(evicted, OffsetEvictedError)
    assert (evicted.offset, evicted.next_available) == (3, 9)
    assert evicted.hint == "start at offset 9, or use `--beginning`"
    assert isinstance(exception_for(ErrorCode(ErrorKind.TOPIC_NOT_FOUND)), TopicNotFoundError)
    for kind in (ErrorKind.NOT_LEADER_FOR_PARTITION, ErrorKind.PARTITION_NOT_LEADER):
        assert isinstance(exception_for(ErrorCode(kind)), NotLeaderError)
    assert type(exception_for(other("x"))) is ApiError


def test_only_success_is_ok():
    assert OK.is_ok
    assert not any(sample(kind).is_ok for kind in ErrorKind if kind is not ErrorKind.NONE)


def test_every_payload_type_has_a_sample_here():
    used = {part for payload in ErrorCode.payload_types.values() for part in payload}
    assert {type_name(part) for part in used} == {type_name(part) for part in SAMPLES}
