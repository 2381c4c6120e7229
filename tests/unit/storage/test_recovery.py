"""What bytes are worth: walking batches, finding where reading may go on."""

import pytest

from fluvio_local_cluster.storage.index import OffsetIndex
from fluvio_local_cluster.storage.markers import Hole
from fluvio_local_cluster.storage.recovery import VERIFY_CHUNK_BYTES, Scan, examine_closed, scan
from fluvio_protocol.batch import stamp
from tests.support.record_sets import one_batch


def segment(*sizes: int, base: int = 0) -> tuple[bytearray, list[int]]:
    """Batches of one record with values of these sizes, and where they begin (and the last one ends)."""
    data, places = bytearray(), [0]
    for i, size in enumerate(sizes):
        batch = one_batch(bytes([65 + i % 26]) * size)
        stamp(batch, 0, base + i, -1)
        data += batch
        places.append(len(data))
    return data, places


def scan_bytes(data: bytes | bytearray, *, check_crc: bool = True, end_offset: int | None = None) -> Scan:
    return scan(
        lambda size, position: bytes(data[position : position + size]),
        position=0,
        stop=len(data),
        offset=0,
        check_crc=check_crc,
        end_offset=end_offset,
    )


@pytest.mark.parametrize("check_crc", [True, False])
@pytest.mark.parametrize("sizes", [(1,), (10, 20, 30), (20_000, 5, 20_000), (5, VERIFY_CHUNK_BYTES * 3, 5)])
def test_good_batches_of_any_size_are_walked_to_the_end(sizes: tuple[int, ...], check_crc: bool) -> None:
    data, _ = segment(*sizes)
    assert scan_bytes(data, check_crc=check_crc) == Scan(len(data), len(sizes), None)


def test_every_cut_ends_the_walk_at_the_batch_before_it() -> None:
    data, places = segment(10, 20, 30)
    for cut in range(len(data)):
        whole = sum(1 for place in places[1:] if place <= cut)
        seen = scan_bytes(data[:cut])
        assert (seen.position, seen.next_offset) == (places[whole], whole)
        assert (seen.problem is None) == (cut in places)


def test_every_flipped_byte_that_matters_ends_the_walk_before_its_batch() -> None:
    data, places = segment(10, 20, 30)
    for position in range(places[1], places[2]):
        if places[1] + 12 <= position < places[1] + 16:
            continue  # the leader epoch: any is right
        broken = bytearray(data)
        broken[position] ^= 0x10
        seen = scan_bytes(broken)
        assert (seen.position, seen.next_offset) == (places[1], 1), position
        assert seen.problem is not None


def test_a_tail_of_zeros_is_no_batch() -> None:
    data, _ = segment(10, 20)
    seen = scan_bytes(data + bytes(5000))
    assert (seen.position, seen.next_offset) == (len(data), 2)
    assert "magic" in str(seen.problem)


def test_a_large_batch_with_a_flipped_bit_at_its_end_is_found_though_read_in_parts() -> None:
    data, places = segment(5, VERIFY_CHUNK_BYTES * 2, 5)
    data[places[2] - 1] ^= 1
    assert scan_bytes(data).position == places[1]


def test_a_batch_beyond_the_next_segments_base_is_not_taken() -> None:
    data, places = segment(10, 20, 30)
    seen = scan_bytes(data, end_offset=2)
    assert (seen.position, seen.next_offset) == (places[2], 2)


def examine(
    data: bytearray, end_offset: int, places: list[tuple[int, int]]
) -> tuple[OffsetIndex, list[Hole], int]:
    return examine_closed(
        lambda size, position: bytes(data[position : position + size]),
        base_offset=0,
        end_offset=end_offset,
        size_bytes=len(data),
        interval_bytes=4096,
        known_places=places,
    )


def test_a_flipped_record_costs_only_its_own_batch() -> None:
    data, places = segment(10, 20, 30, 40)
    data[places[2] - 1] ^= 1
    index, holes, _ = examine(data, 4, [])
    assert holes == [Hole(1, 2)]
    assert index.entries() == [(2, places[2])]


def test_behind_a_destroyed_header_reading_goes_on_at_the_next_place_that_the_index_knows() -> None:
    data, places = segment(*[50] * 10)
    data[places[3] : places[3] + 30] = bytes(30)
    index, holes, _ = examine(data, 10, [(6, places[6])])
    assert holes == [Hole(3, 6)]
    assert index.entries() == [(6, places[6])]


def test_without_a_known_place_everything_behind_a_destroyed_header_is_lost() -> None:
    data, places = segment(*[50] * 10)
    data[places[3] : places[3] + 30] = bytes(30)
    assert examine(data, 10, [])[1] == [Hole(3, 10)]


def test_an_index_that_lies_is_not_believed_behind_damage() -> None:
    data, places = segment(*[50] * 10)
    data[places[3] : places[3] + 30] = bytes(30)
    assert examine(data, 10, [(6, places[5]), (7, places[6] + 1), (8, places[8])])[1] == [Hole(3, 8)]


def test_a_closed_segment_that_ends_early_has_its_end_as_a_hole() -> None:
    data, places = segment(10, 20, 30)
    assert examine(data[: places[2]], 3, [])[1] == [Hole(2, 3)]


@pytest.mark.parametrize("rest", [b"x", bytes(100), bytes(segment(10)[0])])
def test_what_lies_behind_the_end_of_a_closed_segment_is_no_part_of_it(rest: bytes) -> None:
    data, _ = segment(10, 20, 30)
    index, holes, size_bytes = examine(data + rest, 3, [])
    assert (holes, size_bytes) == ([], len(data))
    assert index.entries() == []


def test_two_damages_are_two_holes() -> None:
    data, places = segment(*[50] * 8)
    data[places[2] - 1] ^= 1
    data[places[6] - 1] ^= 1
    assert examine(data, 8, [])[1] == [Hole(1, 2), Hole(5, 6)]


def test_a_damaged_delta_in_the_last_batch_does_not_stretch_the_hole_beyond_the_segment() -> None:
    data, places = segment(*[50] * 8)
    data[places[7] + 25] ^= 1  # the delta is now 256
    assert examine(data, 8, [])[1] == [Hole(7, 8)]
