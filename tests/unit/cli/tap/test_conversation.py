"""Answers find their requests; what official clients and servers said is decoded to the end."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluvio_cli.tap.catalogue import SC, SPU, UnknownApiNameError, chosen, names
from fluvio_cli.tap.conversation import MOST_OPEN, Conversation
from fluvio_cli.tap.documents import document_of
from fluvio_cli.tap.events import Direction, Frame, Seen
from fluvio_cli.tap.lines import json_line, text_lines
from fluvio_protocol.api.admin import (
    ListEnvelope,
    ListRequest,
    MetadataUpdate,
    TypedPayload,
    WatchEnvelope,
    WatchRequest,
    wrap,
)
from fluvio_protocol.api.api_versions import ApiVersionKey, ApiVersionsRequest, ApiVersionsResponse
from fluvio_protocol.api.offsets import FetchOffsetsRequest, FetchOffsetsResponse
from fluvio_protocol.frame import encode_request, encode_response
from fluvio_protocol.wire import request_info
from tests.support.captured_frames import CapturedFrame, engine_frames, golden_frames

US = 1000


class Talk:
    """One connection; a step of the clock is 1 ms."""

    def __init__(self, side: str = SC) -> None:
        self.conversation = Conversation(side, "SC" if side == SC else "SPU 5001")
        self.at_ns = 10**18

    def take(self, direction: Direction, payload: bytes, **options: object) -> Seen:
        self.at_ns += 1000 * US
        return self.conversation.take(
            Frame(self.at_ns, 1, direction, payload, len(payload), **options)  # type: ignore[arg-type]
        )

    def ask(self, body: object, version: int, correlation_id: int) -> Seen:
        return self.take("request", bytes(encode_request(body, version, correlation_id))[4:])

    def answer(self, body: object, version: int, correlation_id: int) -> Seen:
        return self.take("answer", bytes(encode_response(body, version, correlation_id))[4:])


OFFERED = ApiVersionsResponse(
    api_keys=[ApiVersionKey(api_key=0, min_version=0, max_version=25)], platform_version="0.0.0"
)


def test_answers_in_another_order_find_their_requests_by_id() -> None:
    talk = Talk(SPU)
    talk.ask(FetchOffsetsRequest(topics=[]), 25, 7)
    talk.ask(FetchOffsetsRequest(topics=[]), 24, 8)
    second = talk.answer(FetchOffsetsResponse(topics=[]), 24, 8)
    first = talk.answer(FetchOffsetsResponse(topics=[]), 25, 7)
    assert (second.name, second.version, second.latency_us) == ("FetchOffsets", 24, 1000)
    assert (first.version, first.latency_us, first.push) == (25, 3000, None)


def test_an_answer_comes_once_unless_its_request_opened_a_stream() -> None:
    talk = Talk()
    talk.ask(wrap(WatchEnvelope, "Topic", WatchRequest(), 19), 19, 1)
    talk.ask(wrap(ListEnvelope, "Topic", ListRequest(), 19), 19, 2)
    update = TypedPayload(type="Topic", payload=b"")
    pushes = [talk.answer(update, 19, 1) for _ in range(3)]
    assert [(seen.name, seen.object_type, seen.push) for seen in pushes] == [
        ("Watch", "Topic", number) for number in (1, 2, 3)
    ]
    assert [seen.latency_us for seen in pushes] == [2000, None, None]
    assert talk.answer(update, 19, 2).name == "List"
    assert "answers no request" in talk.answer(update, 19, 2).reason


def test_an_id_that_is_used_again_belongs_to_the_later_request() -> None:
    talk = Talk(SPU)
    talk.ask(ApiVersionsRequest(client_version="0.1.0"), 2, 1)
    assert talk.answer(OFFERED, 2, 1).name == "ApiVersions"
    talk.ask(FetchOffsetsRequest(topics=[]), 25, 1)
    assert talk.answer(FetchOffsetsResponse(topics=[]), 25, 1).name == "FetchOffsets"


def test_what_a_server_offers_says_which_kind_it_is_and_which_versions_are_odd() -> None:
    talk = Talk(SC)  # the tap was told that this is a controller
    talk.ask(ApiVersionsRequest(client_version="0.1.0"), 2, 1)
    seen = talk.answer(OFFERED, 2, 1)
    assert document_of(seen)["body"]["platform_version"] == "0.0.0"
    asked = talk.take("request", b"\0\0\0\x1a\0\0\0\x05\0\0")
    assert (asked.name, asked.server, asked.version) == ("Produce", "SPU", 26)
    assert asked.remark == "the server offers versions 0 to 25"
    assert asked.reason == "version 26 is not known here, the highest is 25"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\0\x4d\0\0\0\0\0\x05\0\0rest", "key 77 is not declared for an SPU"),
        (b"\0\0\0", "no request header"),
        (b"\0\0\0\x19\0\0\0\x05\0\x02\xff\xfe", "no request header"),
    ],
)
def test_what_is_no_known_request_is_shown_as_it_is(payload: bytes, reason: str) -> None:
    document = document_of(Talk(SPU).take("request", payload))
    assert reason in document["reason"]
    assert document["hex"].replace(" ", "") == payload.hex()
    assert "body" not in document


def test_an_answer_to_an_unknown_request_is_told_to_be_one() -> None:
    talk = Talk(SPU)
    talk.take("request", b"\0\x4d\0\0\0\0\0\x05\0\0")
    seen = talk.take("answer", b"\0\0\0\x05what")
    assert (seen.key, seen.latency_us) == (77, 1000)
    assert "key 77" in document_of(seen)["reason"]
    assert "too short" in talk.take("answer", b"\0\0").reason


def test_a_body_that_breaks_off_is_shown_with_the_place() -> None:
    talk = Talk(SPU)
    whole = bytes(encode_request(FetchOffsetsRequest(topics=[], consumer_id="c"), 23, 1))[4:]
    document = document_of(talk.take("request", whole[:-1]))
    assert "FetchOffsetsRequest v23" in document["reason"]


def test_requests_that_nobody_answers_do_not_pile_up() -> None:
    talk = Talk(SPU)
    for number in range(MOST_OPEN + 5):
        talk.ask(FetchOffsetsRequest(topics=[]), 25, number)
    assert "answers no request" in talk.answer(FetchOffsetsResponse(topics=[]), 25, 4).reason
    assert talk.answer(FetchOffsetsResponse(topics=[]), 25, 5).name == "FetchOffsets"


# --- what official programs said ----------------------------------------------------------------------------


def captured() -> Iterator[tuple[CapturedFrame, type]]:
    """Frames with the request that they are or answer."""
    by_answer = {
        info.response: request
        for request in (each.body_type for each in (*golden_frames(), *engine_frames()) if not each.is_answer)
        for info in (request_info(request),)
        if info.response is not TypedPayload
    }
    for each in (*golden_frames(), *engine_frames()):
        request = each.body_type if not each.is_answer else each.answers or by_answer.get(each.body_type)
        if request is not None:
            yield each, request


def test_captured_frames_are_decoded_to_the_last_field() -> None:
    count, undecoded = 0, {}
    for each, request in captured():
        info = request_info(request)
        talk = Talk(info.side)
        frame = each.payload
        if each.is_answer:
            label = b""
            if each.answers is not None:  # its request, made up: the answer does not say what it answers
                size = int.from_bytes(frame[4:6], "big")
                label = frame[4 : 6 + size]
            asked = (
                info.key.to_bytes(2, "big") + each.version.to_bytes(2, "big") + frame[:4] + b"\0\0" + label
            )
            talk.take("request", asked)
        document = document_of(talk.take("answer" if each.is_answer else "request", frame))
        if "reason" in document:
            undecoded[each.id] = document["reason"]
        else:
            assert document["body"] is not None
            count += 1
    assert undecoded == {"engine-probe-list-unknown-label-1": "unknown object type `Nope`"}
    assert count > 100


CAPTURED = list(captured())


@given(
    st.sampled_from(CAPTURED),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=4),
    st.integers(0, 4000),
)
@settings(max_examples=500)
def test_damaged_frames_are_shown_somehow(
    chosen: tuple[CapturedFrame, type], changes: list[tuple[int, int]], cut: int
) -> None:
    each, request = chosen
    info = request_info(request)
    damaged = bytearray(each.payload)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    frame = bytes(damaged[: cut or None])
    talk = Talk(info.side)
    if each.is_answer:
        head = info.key.to_bytes(2, "big") + each.version.to_bytes(2, "big")
        label = each.payload[4 : 6 + int.from_bytes(each.payload[4:6], "big")] if each.answers else b""
        talk.take("request", head + each.payload[:4] + b"\0\0" + label)
    seen = talk.take("answer" if each.is_answer else "request", frame)
    assert json.loads(json_line(seen, with_records=True))["bytes"] == len(frame)
    assert text_lines(seen, with_records=True).endswith("\n")


def test_streams_of_full_lists_show_what_is_in_them() -> None:
    talk = Talk()
    talk.ask(wrap(WatchEnvelope, "SPU", WatchRequest(), 19), 19, 1)
    update = wrap(TypedPayload, "SPU", MetadataUpdate(epoch=3), 19)
    assert document_of(talk.answer(update, 19, 1))["body"] == {"epoch": 3, "changes": [], "all": []}


# --- names --------------------------------------------------------------------------------------------------


def test_apis_are_chosen_by_name_in_any_spelling() -> None:
    assert chosen("produce, stream-fetch,API_VERSIONS,unknown") == {
        "Produce",
        "StreamFetch",
        "ApiVersions",
        "unknown",
    }
    assert "UpdateConsumerOffset" in names()
    with pytest.raises(UnknownApiNameError, match="no API `prodce`: one of ApiVersions"):
        chosen("prodce")
