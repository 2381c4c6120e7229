"""Every captured frame decodes to the values that came with it, and encodes back to the same bytes."""

import json

import crc32c
import pytest

from fluvio_protocol.api import admin
from fluvio_protocol.api.fetch import StreamFetchRequest
from fluvio_protocol.api.topic import Duration
from fluvio_protocol.error_code import ErrorCode
from fluvio_protocol.wire import DecodeError, decode, encode, i16, i32, i64, varint
from tests.support.captured_frames import (
    DATA,
    CapturedFrame,
    all_frames,
    decode_frame,
    encode_frame,
    engine_frames,
    golden_file,
    golden_frames,
    internal_frames,
)
from tests.support.decoded_values import differences

# Frames that do not make the round trip, and why. A listed frame that starts to pass fails its test.
NO_ROUND_TRIP = {
    "engine-probe-list-unknown-label-1": "asks for an object type that does not exist, to see it refused",
}


def frames(listed: list[CapturedFrame]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("captured", listed, ids=[each.id for each in listed])


def expected_values(captured: CapturedFrame) -> object:
    if captured.decoded.get("label") == "MirroringConnect":
        return {"remote_id": captured.decoded["remote_id"]}
    return captured.decoded.get("body", captured.decoded)


@frames([each for each in all_frames() if each.id not in NO_ROUND_TRIP])
def test_frame_decodes_to_its_values_and_encodes_to_its_bytes(captured):
    decoded = decode_frame(captured)
    assert decoded.left_over == 0
    assert differences(decoded.object, expected_values(captured), captured.version) == []
    assert encode_frame(captured, decoded) == captured.payload


@frames([each for each in all_frames() if each.id in NO_ROUND_TRIP])
def test_listed_frame_is_still_refused(captured):
    with pytest.raises(DecodeError):
        decode_frame(captured)


@frames([each for each in golden_frames() + engine_frames() if each.id not in NO_ROUND_TRIP])
def test_header_and_label_of_a_public_frame_are_read(captured):
    decoded = decode_frame(captured)
    header = captured.decoded.get("header")
    if header is None:
        assert decoded.correlation_id == captured.decoded["correlation_id"]
    else:
        assert {name: getattr(decoded.header, name) for name in header} == header
    assert getattr(decoded.body, "type", None) == captured.decoded.get("type")


@pytest.mark.parametrize("name", ["golden-vectors.json", "engine-frames.json", "engine-internal-frames.json"])
def test_the_comparison_sees_every_single_change(name):
    captured = {
        "golden-vectors.json": next(each for each in golden_frames() if each.id == "stream-fetch-response"),
        "engine-frames.json": next(each for each in engine_frames() if each.id == "engine-py-connect-7"),
        "engine-internal-frames.json": next(each for each in internal_frames() if each.id == "042-sync"),
    }[name]
    decoded, listed = decode_frame(captured), expected_values(captured)
    changed = 0
    for altered in one_leaf_changed(listed):
        assert differences(decoded.object, altered, captured.version) != [], altered
        changed += 1
    assert changed > 8


def one_leaf_changed(values):
    """Copies of a JSON value, each with another leaf made wrong."""
    if isinstance(values, dict):
        for key, inner in values.items():
            if key == "crc_covers":  # a remark for people
                continue
            yield from ({**values, key: altered} for altered in one_leaf_changed(inner))
    elif isinstance(values, list):
        for index, inner in enumerate(values):
            yield from (
                [*values[:index], altered, *values[index + 1 :]] for altered in one_leaf_changed(inner)
            )
    elif isinstance(values, bool) or values is None:
        yield not values
    else:
        yield values + (1 if isinstance(values, int) else "00")  # a number, a word, or bytes in hex


def test_every_answer_of_the_engine_belongs_to_a_request_of_its_connection():
    entries = json.loads((DATA / "engine-frames.json").read_text())["frames"]
    asked = {}
    for entry, captured in zip(entries, engine_frames(), strict=True):
        key = (entry["connection"], entry["side"], entry["correlation_id"], entry["api_key"])
        if not captured.is_answer:
            asked[key] = captured
        elif key in asked:  # the file is a selection: some requests were left out
            request = asked[key]
            assert request.version == captured.version
            if captured.answers is not None:
                assert decode_frame(request).body.type == decode_frame(captured).body.type
    assert len(asked) > 100


def test_the_files_are_whole():
    assert (len(golden_frames()), len(engine_frames()), len(internal_frames())) == (95, 311, 264)
    assert set(NO_ROUND_TRIP) < {each.id for each in all_frames()}


PRIMITIVES = {
    "varint": varint,
    "bool": bool,
    "i16": i16,
    "i32": i32,
    "i64": i64,
    "string": str,
    "option_string": str | None,
    "bytes": bytes,
    "vec_string": list[str],
    "map_string_string": dict[str, str],
    "duration": Duration,
    "error_code": ErrorCode,
}


@pytest.mark.parametrize("name", golden_file()["primitives"])
def test_primitive_vectors_hold_in_both_directions(name):
    wire_type = PRIMITIVES[name]
    for case in golden_file()["primitives"][name]:
        value = decode(wire_type, bytes.fromhex(case["hex"]), 0)
        assert encode(value, 0, wire_type).hex() == case["hex"]
        if name == "bytes":
            assert value.hex() == case["value_hex"]
        elif name == "duration":
            assert (value.seconds, value.nanos) == (case["secs"], case["nanos"])
        else:
            assert differences(value, case["value"], 0) == []


@pytest.mark.parametrize("case", golden_file()["crc32c"], ids=lambda case: case["source"][:40])
def test_checksum_is_castagnoli(case):
    assert crc32c.crc32c(bytes.fromhex(case["covered_hex"])) == case["crc32c"]


@pytest.mark.parametrize(
    "case", golden_file()["upstream_unit_test_bodies"], ids=lambda case: f"v{case['version']}"
)
def test_bodies_asserted_upstream_hold_in_both_directions(case):
    assert case["type"] == "StreamFetchRequest"
    data = bytes.fromhex(case["body_hex"])
    value = decode(StreamFetchRequest, data, case["version"])
    assert encode(value, case["version"]) == data
    wanted = case["decoded"]
    if case["version"] < 19:  # the file leaves out the fields that only those versions have
        wanted |= {"wasm_module": {"hex": ""}, "smartmodule": None, "derivedstream": None}
    assert differences(value, wanted, case["version"]) == []


def test_a_label_that_no_object_type_has_is_refused_and_kept_as_it_is():
    envelope = admin.ListEnvelope(type="Nope", payload=b"")
    with pytest.raises(DecodeError, match="unknown object type `Nope`"):
        admin.unwrap(envelope, 19)
    assert decode(admin.ListEnvelope, encode(envelope, 19), 19).type == "Nope"
