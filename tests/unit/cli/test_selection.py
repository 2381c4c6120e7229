"""What `consume` prints of a batch, and what of it counts as consumed afterwards."""

import pytest

from fluvio_cli.output.queries import Query
from fluvio_cli.streaming.selection import TOLERANCE_MS, Selection
from fluvio_client.consumer.positions import RecordBatch
from fluvio_protocol.batch import BatchBuilder, stamp

NOW = 1_700_000_000_000


def batch(
    values: list[bytes], times: list[int] | None = None, *, base: int = 10, partition: int = 0
) -> RecordBatch:
    times = times or [0] * len(values)
    builder = BatchBuilder(NOW + times[0])
    for value, time in zip(values, times, strict=True):
        builder.append(None, value, NOW + time)
    data = builder.build()
    stamp(data, 0, base, 0)
    return RecordBatch("t", partition, memoryview(bytes(data)), 0, base, base + len(values))


def chosen(selection: Selection, given: RecordBatch) -> list[bytes]:
    return [record.value for record in selection.choose(given)]


def test_without_wishes_everything_is_printed() -> None:
    selection = Selection()
    assert selection.is_everything
    assert not selection.is_done
    assert selection.narrow(batch([b"a"]))


def test_a_count_ends_in_the_middle_of_a_batch_and_the_rest_does_not_count_as_consumed() -> None:
    selection = Selection(count=3)
    first, second = batch([b"a", b"b"]), batch([b"c", b"d"], base=12)
    assert selection.narrow(first)
    assert (first.stop_offset, selection.is_done) == (12, False)
    assert selection.narrow(second)
    assert (second.stop_offset, selection.is_done) == (13, True)
    assert second.values() == [b"c"]


def test_a_count_counts_what_is_printed_only() -> None:
    selection = Selection(count=2, where=Query("a"))
    first = batch([b'{"a":1}', b"{}", b"x", b'{"a":2}', b'{"a":3}'])
    assert not selection.narrow(first)
    assert chosen(selection, first) == [b'{"a":1}', b'{"a":2}']
    assert (first.stop_offset, selection.is_done, selection.not_json) == (14, True, 1)


def test_records_that_show_nothing_do_not_count() -> None:
    selection = Selection(count=1)
    given = batch([b"x", b"1", b"2"])
    records = selection.choose(given, lambda record: record.value.isdigit())
    assert [record.value for record in records] == [b"1"]
    assert given.stop_offset == 12


def test_since_leaves_out_what_is_older_and_counts_it_as_consumed() -> None:
    selection = Selection(since_ms=NOW + 5)
    old, mixed = batch([b"a", b"b"], [0, 4]), batch([b"c", b"d", b"e"], [4, 5, 6], base=12)
    assert chosen(selection, old) == []
    assert chosen(selection, mixed) == [b"d", b"e"]
    assert (old.stop_offset, mixed.stop_offset) == (12, 15)


def test_until_leaves_out_what_is_not_before_it_and_does_not_count_what_is_behind() -> None:
    selection = Selection(until_ms=NOW + 5, partitions=1)
    mixed = batch([b"a", b"b", b"c", b"d"], [0, 5, 4, 6])
    assert chosen(selection, mixed) == [b"a", b"c"]
    assert mixed.stop_offset == 13
    young = batch([b"e"], [5], base=14)
    assert chosen(selection, young) == []
    assert young.stop_offset == young.first_offset
    assert not selection.is_done


def test_until_ends_when_every_partition_has_a_batch_that_begins_well_after_it() -> None:
    selection = Selection(until_ms=NOW, partitions=2)
    assert chosen(selection, batch([b"a"], [TOLERANCE_MS - 1])) == []
    assert chosen(selection, batch([b"late"], [-1], base=11)) == [b"late"]
    end = batch([b"b", b"c"], [TOLERANCE_MS, -1], base=12)
    assert chosen(selection, end) == []
    assert (end.stop_offset, selection.is_done) == (12, False)
    assert chosen(selection, batch([b"d"], [-1], base=14)) == []  # behind the end
    assert chosen(selection, batch([b"e"], [TOLERANCE_MS], partition=1)) == []
    assert selection.is_done


@pytest.mark.parametrize("wish", [{"since_ms": NOW - 5}, {"until_ms": NOW + 5}])
def test_a_record_without_a_time_is_neither_before_nor_after(wish: dict[str, int]) -> None:
    builder = BatchBuilder(0)
    builder.append(None, b"timeless", 0)
    given = RecordBatch("t", 0, memoryview(bytes(builder.build())), 0, 0, 1)
    assert chosen(Selection(**wish), given) == []  # type: ignore[arg-type]
