"""Keys land where official clients put them; records without key take turns."""

import json
from pathlib import Path

from fluvio_client.producer.partitioner import DefaultPartitioner, FixedPartitioner, siphash_2_4

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "golden-vectors.json").read_text())["partitioner"]


def test_hashes_and_partitions_are_those_of_the_official_client() -> None:
    count = VECTORS["partition_count"]
    partitioner = DefaultPartitioner()
    for case in VECTORS["cases"]:
        key = bytes.fromhex(case["key_hex"])
        assert siphash_2_4(key) == int(case["siphash_u64"])
        for _ in range(2):  # the second comes from the cache
            assert partitioner.partition_of(key, count, range(count)) == case["partition"]


def test_keys_of_two_partitions_lie_as_the_official_command_line_showed() -> None:
    partitioner = DefaultPartitioner()
    placed = {key: partitioner.partition_of(key, 2, (0, 1)) for key in (b"1", b"2", b"4", b"8")}
    assert placed == {b"1": 0, b"2": 0, b"4": 1, b"8": 1}


def test_a_key_goes_by_the_number_of_partitions_also_when_that_changes() -> None:
    partitioner = DefaultPartitioner()
    for count in (7, 2, 7, 3):
        assert partitioner.partition_of(b"abc", count, range(count)) == siphash_2_4(b"abc") % count


def test_the_empty_key_is_a_key_and_no_key_takes_turns() -> None:
    partitioner = DefaultPartitioner()
    assert {partitioner.partition_of(b"", 7, range(7)) for _ in range(5)} == {3}
    assert [partitioner.partition_of(None, 3, (0, 1, 2)) for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]


def test_turns_leave_out_partitions_that_are_not_online() -> None:
    partitioner = DefaultPartitioner()
    assert [partitioner.partition_of(None, 4, (1, 3)) for _ in range(4)] == [1, 3, 1, 3]


def test_spreading_in_bulk_gives_the_same_partitions_as_one_by_one() -> None:
    bulk, single = DefaultPartitioner(), DefaultPartitioner()
    online = (0, 2, 5)
    for size in (1, 2, 3, 10, 4, 0, 7):
        wanted = [single.partition_of(None, 6, online) for _ in range(size)]
        got = [-1] * size
        for partition, first, step in bulk.spread(online, size):
            for place in range(first, size, step):
                got[place] = partition
        assert got == wanted


def test_a_fixed_partitioner_takes_everything_to_one_place() -> None:
    partitioner = FixedPartitioner(4)
    assert partitioner.partition_of(b"k", 2, (0, 1)) == 4
    assert partitioner.spread((0, 1), 3) == [(4, 0, 1)]
    assert partitioner.spread((0, 1), 0) == []


def test_the_cache_of_keys_is_bounded() -> None:
    partitioner = DefaultPartitioner()
    for i in range(70_000):
        partitioner.partition_of(b"%d" % i, 2, (0, 1))
    assert len(partitioner._cached) <= 65_536
