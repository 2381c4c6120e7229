"""Sparse index: the official engine's rule, its file, and lookups."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_local_cluster.storage.index import (
    LARGEST,
    OFFSET_COLUMN,
    POSITION_COLUMN,
    OffsetIndex,
    floor_in_file,
    index_from_bytes,
)


def index_of(*entries: tuple[int, int], base: int = 0) -> OffsetIndex:
    index = OffsetIndex(base, 4096)
    for offset, position in entries:
        index.add(offset, position)
    return index


def test_batches_of_121_bytes_get_the_entries_that_the_official_engine_writes() -> None:
    index = OffsetIndex(0, 4096)
    for i in range(165):
        index.note(i, i * 121, 121)
    assert index.entries() == [(34, 4114), (69, 8349), (104, 12584), (139, 16819)]


@pytest.mark.parametrize(
    ("size_bytes", "first_entry"), [(4095, 2), (4096, 1), (4097, 1), (2048, 2), (1, 4096)]
)
def test_an_entry_is_made_once_at_least_4096_bytes_lie_before_it(size_bytes: int, first_entry: int) -> None:
    index = OffsetIndex(0, 4096)
    for i in range(first_entry + 1):
        index.note(i, i * size_bytes, size_bytes)
    assert index.entries() == [(first_entry, first_entry * size_bytes)]


def test_offsets_are_relative_to_the_segment_in_the_file() -> None:
    index = index_of((1005, 5000), base=1000)
    assert index.to_bytes() == bytes.fromhex("0000000500001388")
    again = index_from_bytes(index.to_bytes(), 1000, 4096, 6000)
    assert again is not None
    assert again.entries() == [(1005, 5000)]


def test_the_first_batch_never_gets_an_entry_whatever_the_interval() -> None:
    index = OffsetIndex(0, 0)
    for i in range(3):
        index.note(i, i * 100, 100)
    assert [position for _, position in index.entries()] == [100, 200]


def test_an_index_without_entry_is_eight_zero_bytes() -> None:
    assert index_of().to_bytes() == bytes(8)
    empty = index_from_bytes(bytes(8), 0, 4096, 100)
    assert empty is not None
    assert not len(empty)


def test_the_official_engines_padded_active_index_is_read_up_to_its_padding() -> None:
    data = index_of((34, 4114), (69, 8349)).to_bytes()
    index = index_from_bytes(data + bytes(10_485_760 - len(data)), 0, 4096, 10_000)
    assert index is not None
    assert index.entries() == [(34, 4114), (69, 8349)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no bytes"),
        (bytes(7), "not whole entries"),
        (index_of((5, 5000), (4, 6000)).to_bytes(), "offsets fall"),
        (index_of((5, 5000), (6, 5000)).to_bytes(), "positions stand still"),
        (index_of((5, 9999)).to_bytes(), "points behind the log"),
        (bytes(8) + index_of((5, 5000)).to_bytes(), "an entry behind an empty one"),
        (index_of((5, 5000)).to_bytes() + bytes(8) + index_of((6, 6000)).to_bytes() + bytes(8), "a gap"),
    ],
)
def test_an_index_that_cannot_be_right_is_refused(data: bytes, why: str) -> None:
    assert index_from_bytes(data, 0, 4096, 9999) is None, why


def test_offsets_too_far_for_four_bytes_get_no_entry_and_harm_nothing() -> None:
    index = OffsetIndex(0, 0)
    index.note(1, 100, 10)
    index.note(LARGEST + 1, 200, 10)
    assert index.entries() == [(1, 100)]


def test_an_earlier_state_can_be_had_again() -> None:
    index = OffsetIndex(0, 100)
    for i in range(10):
        index.note(i, i * 60, 60)
    before = (len(index), index.pending_bytes, index.to_bytes())
    for i in range(10, 30):
        index.note(i, i * 60, 60)
    earlier = index.as_of(before[0], before[1])
    assert (len(earlier), earlier.pending_bytes, earlier.to_bytes()) == before
    assert len(index) > len(earlier)


@given(
    steps=st.lists(st.tuples(st.integers(1, 50), st.integers(1, 9000)), max_size=30),
    repeat=st.integers(1, 60),
    wanted=st.integers(0, 3_000_000),
)
def test_a_lookup_in_the_file_finds_what_a_lookup_in_memory_finds(
    steps: list[tuple[int, int]], repeat: int, wanted: int
) -> None:
    index = OffsetIndex(0, 0)
    offset = position = 0
    for more_offsets, more_bytes in steps * repeat:
        offset, position = offset + more_offsets, position + more_bytes
        index.add(offset, position)
    data = index.to_bytes()

    def read(size: int, at: int) -> bytes:
        return data[at : at + size]

    entries = len(data) // 8
    assert floor_in_file(read, entries, OFFSET_COLUMN, wanted) == index.at_offset(wanted)
    assert floor_in_file(read, entries, POSITION_COLUMN, wanted) == index.at_position(wanted)


def test_memory_per_entry_is_eight_bytes() -> None:
    index = index_of((34, 4114))
    assert isinstance(index.offsets, array)
    assert index.offsets.itemsize + index.positions.itemsize == 8
