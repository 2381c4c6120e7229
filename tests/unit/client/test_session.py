"""The conversation: handshake, versions, correlation ids, which answer belongs to which request."""

import struct

import pytest

from fluvio_client.session import Session
from fluvio_protocol.api.api_versions import ApiVersionKey, ApiVersionsResponse
from fluvio_protocol.api.fetch import StreamFetchRequest
from fluvio_protocol.api.offsets import FetchOffsetsRequest, FetchOffsetsResponse
from fluvio_protocol.api.produce import ProduceRequest, ProduceResponse
from fluvio_protocol.error_code import ApiError, ErrorCode, ErrorKind
from fluvio_protocol.frame import encode_response, read_request_header
from fluvio_protocol.negotiation import IncompatibleServerError
from fluvio_protocol.wire import DecodeError, Reader
from tests.support.scripted_peer import engine_frame


def session(*, is_controller: bool = False, handshake: str = "engine-py-produce-single-2") -> Session:
    made = Session(is_controller=is_controller)
    made.handshake()
    made.handshake_done(engine_frame(handshake)[4:])
    return made


def answer(body: object, number: int, version: int = 25) -> bytes:
    return bytes(encode_response(body, version, number)[4:])


def test_the_handshake_has_a_semantic_version_and_the_first_id() -> None:
    reader = Reader(bytes(Session(is_controller=True, client_id="me").handshake()[4:]))
    header = read_request_header(reader)
    assert (header.api_key, header.api_version, header.correlation_id, header.client_id) == (18, 2, 1, "me")
    version = bytes(reader.take(reader.remaining)).decode("latin-1")[2:8]
    assert [part.isdigit() for part in version.split(".")] == [True] * 3


def test_ids_start_again_at_one_after_the_handshake_and_go_up() -> None:
    made = session()
    sent = [made.request(ProduceRequest(topics=[])) for _ in range(3)]
    assert [request.correlation_id for request in sent] == [1, 2, 3]
    assert {request.version for request in sent} == {25}


def test_answers_find_their_requests_in_any_order() -> None:
    made = session()
    produce = made.request(ProduceRequest(topics=[]))
    offsets = made.request(FetchOffsetsRequest(topics=[]))
    second = made.receive(answer(FetchOffsetsResponse(topics=[]), offsets.correlation_id))
    first = made.receive(answer(ProduceResponse(responses=[]), produce.correlation_id))
    assert second is not None
    assert first is not None
    assert (first.request, second.request) == (produce, offsets)
    assert isinstance(second.body, FetchOffsetsResponse)
    assert made.pending_count == 0


def test_an_answer_that_nobody_waits_for_is_dropped() -> None:
    made = session()
    sent = made.request(ProduceRequest(topics=[]))
    made.forget(sent.correlation_id)
    assert made.receive(answer(ProduceResponse(responses=[]), sent.correlation_id)) is None
    assert made.receive(b"\0\0\0\x63whatever") is None


def test_a_stream_takes_any_number_of_answers_until_it_is_forgotten() -> None:
    made = session(handshake="engine-py-produce-single-2")
    sent = made.request(StreamFetchRequest(topic="t-plain", fetch_offset=0), is_stream=True)
    payload = struct.pack(">i", sent.correlation_id) + engine_frame("engine-py-consume-beginning-4")[8:]
    for _ in range(3):
        got = made.receive(payload)
        assert got is not None
        assert got.body.topic == "t-plain"
    made.forget(sent.correlation_id)
    assert made.receive(payload) is None


def test_ids_go_round_and_leave_out_those_in_use() -> None:
    made = session()
    first = made.request(ProduceRequest(topics=[]))
    made._next_id = 0x7FFF_FFFF
    assert made.request(ProduceRequest(topics=[])).correlation_id == 0x7FFF_FFFF
    assert made.request(ProduceRequest(topics=[])).correlation_id == first.correlation_id + 1


def test_a_damaged_answer_is_a_decode_error() -> None:
    made = session()
    sent = made.request(ProduceRequest(topics=[]))
    with pytest.raises(DecodeError, match="ProduceResponse"):
        made.receive(struct.pack(">i", sent.correlation_id) + b"\0\0\0\x09")


def test_the_platform_of_controllers_is_checked_and_that_of_spus_is_not() -> None:
    old = ApiVersionsResponse(
        api_keys=[ApiVersionKey(api_key=0, min_version=0, max_version=25)], platform_version="0.0.0"
    )
    Session(is_controller=False).handshake_done(answer(old, 1, 2))
    with pytest.raises(IncompatibleServerError):
        Session(is_controller=True).handshake_done(answer(old, 1, 2))


def test_a_refused_handshake_raises_the_servers_error() -> None:
    refusal = ApiVersionsResponse(
        error_code=ErrorCode(ErrorKind.PERMISSION_DENIED), api_keys=[], platform_version="0.18.2"
    )
    with pytest.raises(ApiError, match="permission denied"):
        Session(is_controller=True).handshake_done(answer(refusal, 1, 2))


def test_a_first_answer_under_another_id_is_refused() -> None:
    with pytest.raises(DecodeError):
        Session(is_controller=True).handshake_done(b"\0\0\0\x02" + engine_frame("engine-py-connect-2")[8:])
