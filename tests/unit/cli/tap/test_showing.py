"""How events look as text and as JSON, and that a recording keeps all of it."""

import json
from typing import Any

import pytest

from fluvio_cli.tap.addresses import SpuAddresses
from fluvio_cli.tap.catalogue import SC, SPU, api_at
from fluvio_cli.tap.conversation import Call
from fluvio_cli.tap.documents import document_of, record_set
from fluvio_cli.tap.events import Closed, Event, Frame, Listening, Lost, Opened
from fluvio_cli.tap.lines import MOST_LINE_CHARACTERS, json_line, text_lines
from fluvio_cli.tap.observing import Observer
from fluvio_cli.tap.recording import RecordingError, events_of, first_line, line_of
from fluvio_protocol.api.admin import (
    ListEnvelope,
    ListResponse,
    Metadata,
    MetadataMessage,
    MetadataUpdate,
    MsgType,
    TypedPayload,
    WatchEnvelope,
    unwrap,
    wrap,
)
from fluvio_protocol.api.produce import (
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
    TopicProduceResponse,
)
from fluvio_protocol.api.spu import Endpoint, IngressAddr, IngressPort, SpuSpec, SpuStatus
from fluvio_protocol.compression import Codec
from fluvio_protocol.frame import encode_request, encode_response
from fluvio_protocol.wire import DecodeError, decode
from tests.support.record_sets import one_batch

AT_NS = 1_769_846_400_123_456_000  # 2026-01-31T08:00:00.123456Z
RECORDS = bytes(one_batch(b"one", b'{"a":\n1}', codec=Codec.LZ4))


def produce_request(records: bytes) -> bytes:
    partition = PartitionProduceData(partition_index=3, records=records)
    request = ProduceRequest(topics=[TopicProduceData(name="orders", partitions=[partition])])
    return bytes(encode_request(request, 25, 9, "writer"))[4:]


def produce_answer() -> bytes:
    partition = PartitionProduceResponse(partition_index=3, base_offset=40)
    answer = ProduceResponse(responses=[TopicProduceResponse(name="orders", partitions=[partition])])
    return bytes(encode_response(answer, 25, 9))[4:]


def frame(direction: Any, payload: bytes, after_us: int = 0, **options: Any) -> Frame:
    return Frame(AT_NS + after_us * 1000, 1, direction, payload, len(payload), **options)


def session() -> list[Event]:
    """A connection on which a batch is produced, and something that is no frame follows."""
    return [
        Listening(AT_NS, "SPU 5001", "127.0.0.1:9110", "127.0.0.1:9010"),
        Opened(AT_NS, 1, SPU, "SPU 5001", "127.0.0.1:40000", "127.0.0.1:9010"),
        frame("request", produce_request(RECORDS)),
        frame("answer", produce_answer(), 1500),
        Lost(3, 2000),
        Frame(AT_NS, 1, "request", b"GET /", 0, reason="no frame: its length would be 1195725856"),
        Frame(AT_NS, 1, "request", b" HTTP", 0, reason="no frame: its length would be 1195725856"),
        Closed(AT_NS, 1, "closed by the client"),
    ]


def shown(events: list[Event], *, with_records: bool = False, names: frozenset[str] | None = None) -> str:
    observer = Observer(names)
    found = [observer.take(event) for event in events]
    return "".join(text_lines(each, with_records=with_records) for each in found if each is not None)


def test_text_has_a_line_for_each_event_and_one_for_each_record() -> None:
    size = len(RECORDS)
    assert shown(session(), with_records=True).splitlines() == [
        "08:00:00.123456 SPU 5001 at 127.0.0.1:9010 is reached at 127.0.0.1:9110",
        "08:00:00.123456 #1 127.0.0.1:40000 connects to SPU 5001 at 127.0.0.1:9010",
        f"08:00:00.123456 #1 SPU 5001 > Produce v25 id=9 {len(produce_request(RECORDS))} B "
        "transactional_id: null, isolation: 1, timeout_ms: 1500, topics: [{name: orders, partitions: "
        f'[{{partition_index: 3, records: ["1..2 2 records lz4 {size} B"]'
        "}]}], smartmodules: []",
        "                  1 2023-11-14T22:13:20.000Z one",
        '                  2 2023-11-14T22:13:20.001Z {"a":\\n1}',
        f"08:00:00.124956 #1 SPU 5001 < Produce v25 id=9 {len(produce_answer())} B 1.5 ms "
        "responses: [{name: orders, partitions: [{partition_index: 3, error_code: NONE, base_offset: 40, "
        "log_append_time_ms: 0, log_start_offset: 0}]}], throttle_time_ms: 0",
        "                3 events are missing here: whoever reads this is too slow",
        "08:00:00.123456 #1 SPU 5001 > 5 B: no frame: its length would be 1195725856: 47 4554202f",
        "08:00:00.123456 #1 is over: closed by the client",
    ]


def test_names_leave_only_the_frames_of_these_apis() -> None:
    lines = shown(session(), names=frozenset({"Produce"})).splitlines()
    assert [line.split(" ", 1)[1][:14] for line in lines] == [
        "SPU 5001 at 12",
        "#1 SPU 5001 > ",
        "#1 SPU 5001 < ",
        "               3"[1:15],
    ]
    assert "Produce" not in shown(session(), names=frozenset({"Fetch"}))


def test_json_has_the_same_for_programs() -> None:
    observer = Observer()
    seen = [observer.take(event) for event in session()[1:4]]
    opened, asked, answered = (json.loads(json_line(each, with_records=True)) for each in seen if each)
    assert opened == {
        "at": "2026-01-31T08:00:00.123456Z",
        "event": "open",
        "connection": 1,
        "side": "spu",
        "server": "SPU 5001",
        "client": "127.0.0.1:40000",
        "address": "127.0.0.1:9010",
    }
    body = asked.pop("body")
    assert asked == {
        "at": "2026-01-31T08:00:00.123456Z",
        "event": "request",
        "connection": 1,
        "server": "SPU 5001",
        "api": "Produce",
        "key": 0,
        "object": None,
        "version": 25,
        "id": 9,
        "client": "writer",
        "bytes": len(produce_request(RECORDS)),
    }
    assert body["topics"][0]["partitions"][0]["records"]["batches"] == [
        {
            "base_offset": 1,
            "last_offset": 2,
            "count": 2,
            "codec": "lz4",
            "bytes": len(RECORDS),
            "leader_epoch": -1,
            "first_timestamp": 1_700_000_000_000,
            "max_timestamp": 1_700_000_000_001,
            "crc_ok": True,
            "records": [
                {"offset": 1, "timestamp": 1_700_000_000_000, "key": None, "value": "one"},
                {"offset": 2, "timestamp": 1_700_000_000_001, "key": None, "value": '{"a":\n1}'},
            ],
        }
    ]
    assert answered["latency_ms"] == 1.5
    assert answered["rewritten"] is False


def test_a_wrong_checksum_is_what_a_writer_of_clients_wants_to_see() -> None:
    broken = bytearray(RECORDS)
    broken[-1] ^= 1
    events = session()
    events[2] = frame("request", produce_request(bytes(broken)))
    assert "WRONG CRC" in shown(events)


@pytest.mark.parametrize("kept", range(len(RECORDS)))
def test_a_record_set_that_was_cut_says_how_much_is_left(kept: int) -> None:
    found = record_set(memoryview(RECORDS + RECORDS[:kept]), with_records=True)
    assert len(found["batches"]) == 1
    assert found.get("cut_off_bytes", 0) == kept


def test_what_is_no_batch_is_shown_with_the_reason() -> None:
    found = record_set(memoryview(RECORDS + bytes(100)), with_records=False)
    assert len(found["batches"]) == 1
    assert "magic" in found["reason"]
    assert found["hex"].startswith("0000")


def test_times_that_no_calendar_has_are_shown_as_none() -> None:
    batch = bytearray(one_batch(b"one"))
    batch[27:35] = (2**62).to_bytes(8, "big")  # the first timestamp
    events = session()
    events[2] = frame("request", produce_request(bytes(batch)))
    assert " NA one" in shown(events, with_records=True)


def test_a_codec_that_nobody_knows_is_its_number() -> None:
    batch = bytearray(RECORDS)
    batch[22] = 7
    (found,) = record_set(memoryview(batch), with_records=True)["batches"]
    assert found["codec"] == 7
    assert found["reason"] == "unknown codec 7"


def test_long_bodies_are_cut_in_text() -> None:
    many = Frame(AT_NS, 1, "request", produce_request(RECORDS * 200), 1)
    observer = Observer()
    observer.take(session()[1])
    seen = observer.take(many)
    assert seen is not None
    line = text_lines(seen, with_records=False)
    assert len(line) < MOST_LINE_CHARACTERS + 200
    assert line.endswith("characters)\n")
    assert len(document_of(seen)["body"]["topics"][0]["partitions"][0]["records"]["batches"]) == 200


# --- recordings ---------------------------------------------------------------------------------------------


def recorded(events: list[Event]) -> list[bytes]:
    text = first_line("1.2.3") + "".join(map(line_of, events))
    return text.encode().splitlines(keepends=True)


def test_a_recording_gives_back_what_happened() -> None:
    assert list(events_of(recorded(session()), "a.tap")) == session()
    part = [Frame(AT_NS, 1, "answer", b"part", 10**8, 3, "more than 8388608 bytes", "a remark", True)]
    assert list(events_of(recorded(part), "a.tap")) == part  # type: ignore[arg-type]


def test_a_recording_that_is_being_written_ends_with_its_last_whole_line() -> None:
    *lines, last = recorded(session())
    assert list(events_of([*lines, last[:-5]], "a.tap")) == session()[:-1]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "a.tap is empty"),
        ([b"hello\n"], "line 1 is none of a recording"),
        ([b"{}\n"], "no recording of `fluvio tap`"),
        ([b'{"fluvio_tap":2}\n'], "of format 2, this program reads 1"),
        ([b'{"fluvio_tap":1}\n', b'{"event":"frame"}\n'], "line 2"),
        ([b'{"fluvio_tap":1}\n', b'{"event":"other"}\n'], "line 2"),
        ([b'{"fluvio_tap":1}\n', b"[]\n"], "line 2"),
        (
            [
                b'{"fluvio_tap":1}\n',
                b'{"at":1,"event":"frame","connection":1,"direction":"up","payload":"","size":1}\n',
            ],
            "direction `up`",
        ),
        (
            [
                b'{"fluvio_tap":1}\n',
                b'{"at":"1","event":"close","connection":1,"reason":""}\n',
            ],
            "line 2 .* at `1`",
        ),
    ],
)
def test_what_is_no_recording_is_refused_with_the_place(lines: list[bytes], told: str) -> None:
    with pytest.raises(RecordingError, match=told):
        list(events_of(lines, "a.tap"))


# --- addresses ----------------------------------------------------------------------------------------------


def spu(number: int, *, local: bool = False, host: str = "spu.example.com") -> Metadata[SpuSpec, SpuStatus]:
    spec = SpuSpec(
        id=number,
        public_endpoint=IngressPort(port=9010, ingress=[IngressAddr(hostname=host)]),
        private_endpoint=Endpoint(port=9011, host="inside"),
        rack="r",
        public_endpoint_local=Endpoint(port=30010, host="near") if local else None,
    )
    return Metadata(name=f"spu-{number}", spec=spec, status=SpuStatus())


def call(envelope_key: int) -> Call:
    return Call(api_at(SC, envelope_key), envelope_key, 19, "SPU", 0)


def answer(payload: Any, tail: bytes = b"") -> bytes:
    return bytes(encode_response(wrap(TypedPayload, "SPU", payload, 19), 19, 5))[4:] + tail


def test_addresses_of_a_list_are_replaced_and_nothing_else() -> None:
    payload = answer(ListResponse(inner=[spu(1), spu(2, local=True), spu(3, host="")]), tail=b"later field")
    found = SpuAddresses(payload, call(1003), use_local_address=False)
    assert {number: str(place) for number, place in found.endpoints().items()} == {
        1: "spu.example.com:9010",
        2: "spu.example.com:9010",
    }
    changed = found.with_addresses({1: ("127.0.0.1", 1111), 2: ("127.0.0.1", 2222)})
    assert changed.startswith(payload[:4])
    assert changed.endswith(b"later field")
    first, second, third = unwrap(decode(TypedPayload, changed[4:], 19), 19, answer_to=ListEnvelope).inner
    assert (first.spec.public_endpoint.host, first.spec.public_endpoint.port) == ("127.0.0.1", 1111)
    assert first.spec.private_endpoint == spu(1).spec.private_endpoint
    assert (second.spec.public_endpoint_local.host, second.spec.public_endpoint_local.port) == (
        "127.0.0.1",
        2222,
    )
    assert third == spu(3, host="")


def test_addresses_of_changes_are_replaced_unless_the_spu_is_gone() -> None:
    changes = [
        MetadataMessage(header=MsgType.UPDATE, content=spu(1, local=True)),
        MetadataMessage(header=MsgType.DELETE, content=spu(2)),
    ]
    update = MetadataUpdate(epoch=1, changes=changes, all=[spu(3)])
    found = SpuAddresses(answer(update), call(1004), use_local_address=True)
    assert {number: str(place) for number, place in found.endpoints().items()} == {
        1: "near:30010",
        3: "spu.example.com:9010",
    }
    changed = found.with_addresses({1: ("::1", 1)})
    body = unwrap(decode(TypedPayload, changed[4:], 19), 19, answer_to=WatchEnvelope)
    assert body.changes[0].content.spec.public_endpoint.host == "::1"
    assert body.changes[1].content == spu(2)


@pytest.mark.parametrize("cut", range(5, 40, 7))
def test_an_answer_that_breaks_off_is_no_place_for_addresses(cut: int) -> None:
    with pytest.raises(DecodeError):
        SpuAddresses(answer(ListResponse(inner=[spu(1)]))[:cut], call(1003), use_local_address=False)


# --- totals -------------------------------------------------------------------------------------------------


def test_totals_count_by_api_and_tell_how_long_answers_took() -> None:
    observer = Observer(frozenset())  # what is not shown counts as well
    assert observer.totals.table() == ""
    for event in session():
        observer.take(event)
    lines = [line.split() for line in observer.totals.table().splitlines()]
    assert lines[0][:3] == ["API", "REQUESTS", "ANSWERS"]
    sizes = [str(len(produce_request(RECORDS))), str(len(produce_answer()))]
    assert lines[1] == ["Produce", "1", "1", *sizes, "1.5", "ms", "1.5", "ms", "1.5", "ms"]
    assert lines[2] == ["no", "frames", "2", "0", "10", "0", "-", "-", "-"]
