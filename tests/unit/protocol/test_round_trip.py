"""Every declared type makes the round trip at every version, and none of its cuts is taken for a whole."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluvio_protocol.wire import DecodeError, Reader, decode, encode
from tests.support.captured_frames import all_frames, decode_frame
from tests.support.wire_strategies import declared_types, differing_versions, values_of

TYPES = declared_types()


def cuts_that_decode(data: bytes | memoryview, decode_cut: Callable[[Any], object]) -> list[int]:
    """Lengths at which a beginning of `data` is taken for all of it."""
    taken = []
    for cut in range(len(data)):
        try:
            decode_cut(data[:cut])
        except DecodeError:
            continue
        taken.append(cut)
    return taken


@pytest.mark.parametrize("name", TYPES)
def test_any_value_of_a_type_makes_the_round_trip_and_no_cut_of_it_decodes(name):
    wire_type = TYPES[name]

    @settings(max_examples=4, deadline=None, database=None)
    @given(st.data())
    def check(data):
        for version in differing_versions(wire_type):
            value = data.draw(values_of(wire_type, version))
            encoded = encode(value, version, wire_type)
            reader = Reader(encoded)
            assert decode(wire_type, reader, version) == value
            assert reader.remaining == 0
        assert cuts_that_decode(encoded, lambda cut: decode(wire_type, cut, version)) == []

    check()


def test_every_type_is_covered():
    assert len(TYPES) > 140
    assert differing_versions(TYPES["StreamFetchRequest"]) == [0, 11, 16, 18, 19, 20, 21, 23, 25, 26]


def test_no_cut_of_a_captured_frame_decodes():
    for captured in all_frames():
        data = memoryview(captured.payload)
        assert cuts_that_decode(data, lambda cut, frame=captured: decode_frame(frame, cut)) == []
