"""The table of consumers' offsets, and its records as the official engine writes them."""

from pathlib import Path

from fluvio_local_cluster.spu.replica.consumer_offsets import (
    CHANGES_PER_CHECKPOINT,
    CHECKPOINT_ENTRY,
    LogEntry,
    OffsetTable,
    StoredOffset,
    batches_of,
    delete_entry,
    is_checkpoint,
    replay_all,
    update_entry,
)
from fluvio_protocol.api.consumer_offsets import FilterOpts
from fluvio_protocol.batch import decode_records, split
from fluvio_protocol.error_code import ReplicaKey

OFFICIAL = (
    Path(__file__).parents[2] / "data/engine-replica/spu-logs-5001/consumer-offset-0/00000000000000000000.log"
)
NOW_MS = 1_700_000_000_000


def entries_in(data: bytes | bytearray) -> list[LogEntry]:
    view = memoryview(data)
    records = [record for header in split(view) for record in decode_records(view, header)]
    return [LogEntry(record.value, record.key) for record in records]


def test_official_records_make_the_table_that_their_commands_made() -> None:
    entries = entries_in(OFFICIAL.read_bytes())
    table, unreadable = replay_all(entries[:6])
    assert {key: stored.offset for key, stored in table.entries.items()} == {
        ("r2", 0, "c1"): 5,
        ("r2", 1, "c1"): 4,
        ("t1", 0, "c2"): 2,
    }
    assert unreadable == 0
    assert replay_all(entries)[0].entries == {}


def test_records_are_written_as_the_official_engine_writes_them() -> None:
    entries = entries_in(OFFICIAL.read_bytes())
    stored = replay_all(entries[:2])[0].entries["r2", 0, "c1"]
    assert update_entry(("r2", 0, "c1"), stored) == entries[1]
    assert delete_entry(("t1", 0, "c2")) == entries[6]


def test_what_stands_before_a_checkpoint_is_forgotten() -> None:
    table = OffsetTable()
    for i in range(5):
        table.update(("t", i, "c"), StoredOffset(i, 1, f"life {i}"))
    old = update_entry(("gone", 0, "c"), StoredOffset(1, 1))
    living = [update_entry(key, stored) for key, stored in table.entries.items()]
    assert is_checkpoint(CHECKPOINT_ENTRY.value)
    [batch] = batches_of([old, CHECKPOINT_ENTRY, *living], NOW_MS, 1 << 20)
    again, _ = replay_all(entries_in(batch))
    assert again.entries == table.entries


def test_entries_are_split_into_batches_that_fit() -> None:
    entries = [update_entry(("t", i, "c" * i), StoredOffset(i, 1)) for i in range(200)]
    batches = list(batches_of(entries, NOW_MS, 1000))
    assert [entry for batch in batches for entry in entries_in(batch)] == entries
    assert 10 < len(batches) < 100
    assert all(len(batch) <= 1000 for batch in batches)


def test_a_checkpoint_is_due_after_more_than_a_hundred_changes_and_replay_counts_them() -> None:
    table = OffsetTable()
    for i in range(CHANGES_PER_CHECKPOINT):
        table.update(("t", 0, "c"), StoredOffset(i, 1))
    assert not table.needs_checkpoint
    table.delete(("t", 0, "c"))
    assert table.needs_checkpoint
    table.checkpoint_written(table.entries)
    assert not table.needs_checkpoint
    replayed, _ = replay_all([update_entry(("t", 0, "c"), StoredOffset(i, 1)) for i in range(101)])
    assert replayed.needs_checkpoint
    for i in range(300):  # a large table is not written for a few changes
        table.update(("t", i, "c"), StoredOffset(i, 1))
    assert not table.needs_checkpoint
    table.update(("t", 0, "c"), StoredOffset(1, 1))
    assert table.needs_checkpoint


def test_an_unreadable_record_hides_no_other() -> None:
    good = update_entry(("t", 0, "c"), StoredOffset(3, 9))
    table, unreadable = replay_all([LogEntry(b"\x09"), good, LogEntry(good.value[:-1]), LogEntry(b"")])
    assert table.entries == {("t", 0, "c"): StoredOffset(3, 9)}
    assert unreadable == 3


def test_listing_leaves_out_partitions_that_are_gone_and_what_does_not_match() -> None:
    table = OffsetTable()
    for key in (("t", 1, "b"), ("t", 0, "a"), ("gone", 0, "a"), ("t", 0, "b")):
        table.update(key, StoredOffset(1, 1))
    existing = [("t", 0), ("t", 1)]

    def names(filter_opts: FilterOpts | None) -> list[tuple[int, str]]:
        return [(c.replica_id.partition, c.consumer_id) for c in table.listed(filter_opts, existing, {})]

    assert names(None) == names(FilterOpts()) == [(0, "a"), (0, "b"), (1, "b")]
    assert names(FilterOpts(consumer_id="b")) == [(0, "b"), (1, "b")]
    assert names(FilterOpts(replica_id=ReplicaKey(topic="t", partition=1))) == [(1, "b")]
    assert table.of_partitions([("gone", 0)]) == [("gone", 0, "a")]


def test_an_offset_counts_for_the_life_of_the_topic_that_it_was_stored_for() -> None:
    table = OffsetTable()
    table.update(("t", 0, "old"), StoredOffset(1, 1, "life 1"))
    table.update(("t", 0, "new"), StoredOffset(2, 1, "life 2"))
    table.update(("t", 0, "official"), StoredOffset(3, 1))
    for incarnations, strangers in (({}, []), ({("t", 0): "life 2"}, [("t", 0, "old")])):
        assert table.strangers(incarnations) == strangers
        listed = [entry.consumer_id for entry in table.listed(None, [("t", 0)], incarnations)]
        assert listed == sorted({"new", "official", "old"} - {name for _, _, name in strangers})
    assert table.adopt({("t", 0): "life 2"})
    assert not table.adopt({("t", 0): "life 2"})
    assert table.strangers({("t", 0): "life 3"}) == [("t", 0, name) for name in ("old", "new", "official")]


def test_what_was_stored_too_long_ago_does_not_live() -> None:
    table = OffsetTable()
    for i in range(4):
        table.update(("t", 0, f"c{i}"), StoredOffset(i, 1000 + i))
    assert list(table.living(1002)) == [("t", 0, "c2"), ("t", 0, "c3")]
