"""The table of consumers' offsets, and its records as the official engine writes them."""

from pathlib import Path

from fluvio_local_cluster.spu.replica.consumer_offsets import (
    CHANGES_PER_CHECKPOINT,
    OffsetTable,
    StoredOffset,
    batch_of,
    encode_delete,
    encode_update,
    is_checkpoint,
    replay_all,
)
from fluvio_protocol.api.consumer_offsets import FilterOpts
from fluvio_protocol.batch import decode_records, split
from fluvio_protocol.error_code import ReplicaKey

OFFICIAL = (
    Path(__file__).parents[2] / "data/engine-replica/spu-logs-5001/consumer-offset-0/00000000000000000000.log"
)


def values_in(data: bytes | bytearray) -> list[bytes]:
    view = memoryview(data)
    return [record.value for header in split(view) for record in decode_records(view, header)]


def test_official_records_make_the_table_that_their_commands_made() -> None:
    values = values_in(OFFICIAL.read_bytes())
    table, unreadable = replay_all(values[:6])
    assert {key: stored.offset for key, stored in table.entries.items()} == {
        ("r2", 0, "c1"): 5,
        ("r2", 1, "c1"): 4,
        ("t1", 0, "c2"): 2,
    }
    assert unreadable == 0
    assert replay_all(values)[0].entries == {}


def test_records_are_written_as_the_official_engine_writes_them() -> None:
    values = values_in(OFFICIAL.read_bytes())
    stored = replay_all(values[:2])[0].entries["r2", 0, "c1"]
    assert encode_update(("r2", 0, "c1"), stored) == values[1]
    assert encode_delete(("t1", 0, "c2")) == values[6]


def test_what_stands_before_a_checkpoint_is_forgotten() -> None:
    table = OffsetTable()
    for i in range(5):
        table.update(("t", i, "c"), StoredOffset(i, 1))
    old = encode_update(("gone", 0, "c"), StoredOffset(1, 1))
    checkpoint = table.checkpoint_values()
    assert is_checkpoint(checkpoint[0])
    again, _ = replay_all(values_in(batch_of([old, *checkpoint], 1_700_000_000_000)))
    assert again.entries == table.entries


def test_a_checkpoint_is_due_after_more_than_a_hundred_changes_and_replay_counts_them() -> None:
    table = OffsetTable()
    for i in range(CHANGES_PER_CHECKPOINT):
        table.update(("t", 0, "c"), StoredOffset(i, 1))
    assert not table.needs_checkpoint
    table.delete(("t", 0, "c"))
    assert table.needs_checkpoint
    table.checkpoint_written()
    assert not table.needs_checkpoint
    replayed, _ = replay_all([encode_update(("t", 0, "c"), StoredOffset(i, 1)) for i in range(101)])
    assert replayed.needs_checkpoint


def test_an_unreadable_record_hides_no_other() -> None:
    good = encode_update(("t", 0, "c"), StoredOffset(3, 9))
    table, unreadable = replay_all([b"\x09", good, good[:-1], b""])
    assert table.entries == {("t", 0, "c"): StoredOffset(3, 9)}
    assert unreadable == 3


def test_listing_leaves_out_partitions_that_are_gone_and_what_does_not_match() -> None:
    table = OffsetTable()
    for key in (("t", 1, "b"), ("t", 0, "a"), ("gone", 0, "a"), ("t", 0, "b")):
        table.update(key, StoredOffset(1, 1))
    existing = [("t", 0), ("t", 1)]

    def names(filter_opts: FilterOpts | None) -> list[tuple[int, str]]:
        return [(c.replica_id.partition, c.consumer_id) for c in table.listed(filter_opts, existing)]

    assert names(None) == names(FilterOpts()) == [(0, "a"), (0, "b"), (1, "b")]
    assert names(FilterOpts(consumer_id="b")) == [(0, "b"), (1, "b")]
    assert names(FilterOpts(replica_id=ReplicaKey(topic="t", partition=1))) == [(1, "b")]
    assert table.of_partitions([("gone", 0)]) == [("gone", 0, "a")]
