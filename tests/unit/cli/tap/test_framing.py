"""What a tap passes on is what it was given, however it was cut, and every frame is seen once."""

import struct
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_cli.tap.framing import (
    HELD_BYTES,
    PART_BYTES,
    SANE_BYTES,
    WHOLE_BYTES,
    Fate,
    FrameFollower,
    Loose,
    Part,
    Pass,
    Room,
    Whole,
)

PLENTY = 10**9


def framed(*payloads: bytes) -> bytes:
    return b"".join(struct.pack(">i", len(payload)) + payload for payload in payloads)


class Direction:
    """A follower, and what came of it. Held frames are passed on unchanged."""

    def __init__(self, fate: Fate = Fate.PASS, room: int = PLENTY, held_room: int = PLENTY) -> None:
        self.room, self.held_room = Room(room), Room(held_room)
        self.begins: list[bytes] = []
        self.follower = FrameFollower(self.room, self.held_room, self._fate_of)
        self._fate = fate
        self.passed = bytearray()
        self.frames: list[Whole | Part | Loose] = []

    def _fate_of(self, begin: bytes) -> Fate:
        self.begins.append(begin)
        return self._fate

    def feed(self, *pieces: bytes) -> "Direction":
        for piece in pieces:
            for step in self.follower.feed(piece):
                if isinstance(step, Pass):
                    self.passed += step.data
                    continue
                self.frames.append(step)
                if isinstance(step, Loose):
                    self.passed += step.data
                elif isinstance(step, Whole) and step.is_held:
                    self.passed += framed(step.payload)
        return self

    def end(self) -> "Direction":
        rest = self.follower.end()
        if rest is not None:
            self.frames.append(rest)
            if isinstance(rest, Loose):
                self.passed += rest.data
        return self

    @property
    def payloads(self) -> list[bytes]:
        return [step.payload for step in self.frames if isinstance(step, Whole)]


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:stop] for start, stop in pairwise(bounds)]


@given(
    st.lists(st.binary(min_size=1, max_size=30), max_size=6),
    st.lists(st.integers(0, 300)),
    st.sampled_from(Fate),
)
def test_frames_are_found_and_passed_on_however_they_are_cut(
    payloads: list[bytes], places: list[int], fate: Fate
) -> None:
    data = framed(*payloads)
    way = Direction(fate).feed(*cut(data, places)).end()
    assert bytes(way.passed) == data
    assert way.payloads == payloads
    assert way.begins == [payload[:4] for payload in payloads]
    assert way.room.used_bytes == way.held_room.used_bytes == 0


@given(st.binary(max_size=60), st.lists(st.integers(0, 60)), st.sampled_from(Fate))
def test_bytes_of_any_kind_pass(data: bytes, places: list[int], fate: Fate) -> None:
    way = Direction(fate).feed(*cut(data, places)).end()
    assert bytes(way.passed) == data
    assert way.room.used_bytes == way.held_room.used_bytes == 0


def test_a_frame_that_is_not_held_leaves_before_it_is_complete() -> None:
    data = framed(b"0123456789")
    way = Direction().feed(data[:9])
    assert bytes(way.passed) == data[:9]
    assert way.frames == []


def test_a_held_frame_leaves_when_it_is_complete() -> None:
    data = framed(b"0123456789")
    way = Direction(Fate.HOLD).feed(data[:-1])
    assert way.passed == b""
    assert way.feed(data[-1:]).frames == [Whole(b"0123456789", is_held=True)]


def test_a_large_frame_goes_by_in_parts_and_takes_no_room() -> None:
    size = WHOLE_BYTES + PART_BYTES // 2
    way = Direction()
    way.feed(struct.pack(">i", size), bytes(PART_BYTES))
    assert way.room.used_bytes == 0
    way.feed(bytes(size - PART_BYTES), framed(b"next"))
    parts = way.frames[:-1]
    assert len(way.passed) == size + 4 + 8
    assert [part.number for part in parts if isinstance(part, Part)] == list(range(len(parts)))
    assert sum(len(part.payload) for part in parts if isinstance(part, Part)) == size
    assert max(len(part.payload) for part in parts if isinstance(part, Part)) == PART_BYTES
    assert "more than" in parts[0].reason  # type: ignore[union-attr]
    assert way.frames[-1] == Whole(b"next", is_held=False)


def test_what_there_is_no_room_for_goes_by_in_parts() -> None:
    way = Direction(room=15)
    other = FrameFollower(way.room, way.held_room, lambda begin: Fate.PASS)
    assert list(other.feed(struct.pack(">i", 10) + b"begin"))
    way.feed(framed(b"0123456789"))
    assert way.frames == [Part(b"0123456789", 10, 0, "10 bytes of other frames are being looked at")]
    other.end()
    assert way.feed(framed(b"0123456789")).payloads == [b"0123456789"]


@pytest.mark.parametrize(("size", "held_room"), [(HELD_BYTES + 1, PLENTY), (1000, 999)])
def test_an_answer_that_cannot_be_held_is_passed_on(size: int, held_room: int) -> None:
    way = Direction(Fate.HOLD, held_room=held_room).feed(framed(bytes(size)))
    assert len(way.passed) == size + 4
    assert not [step for step in way.frames if isinstance(step, Whole) and step.is_held]
    assert way.held_room.used_bytes == 0


@pytest.mark.parametrize("begin", [b"\x16\x03\x01\x02", b"GET ", b"\0\0\0\0", b"\xff\xff\xff\xff"])
def test_after_a_length_that_makes_no_sense_everything_is_loose(begin: bytes) -> None:
    way = Direction().feed(framed(b"first") + begin + b"more", framed(b"second")).end()
    assert way.payloads == [b"first"]
    assert bytes(way.passed) == framed(b"first") + begin + b"more" + framed(b"second")
    loose = [step for step in way.frames if isinstance(step, Loose)]
    assert b"".join(step.data for step in loose) == begin + b"more" + framed(b"second")
    assert "its length would be" in loose[0].reason


def test_what_was_begun_when_the_connection_ended_is_told() -> None:
    way = Direction().feed(b"\0\0").end()
    assert way.frames == [Loose(b"\0\0", "the connection ended within it")]
    begun = Direction().feed(struct.pack(">i", 10) + b"begun").end()
    assert begun.frames == [Part(b"begun", 10, 0, "the connection ended within it")]
    held = Direction(Fate.HOLD).feed(struct.pack(">i", 10) + b"held").end()
    assert bytes(held.passed) == struct.pack(">i", 10) + b"held"


def test_the_largest_frame_that_makes_sense_is_a_frame() -> None:
    way = Direction().feed(struct.pack(">i", SANE_BYTES) + b"begin")
    assert len(way.passed) == 9
    assert way.frames == []
