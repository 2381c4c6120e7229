"""Batches fill, become due, go and come back in order; memory is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_client.errors import RecordTooLargeError
from fluvio_client.producer.accumulator import Accumulator, PendingBatch
from fluvio_protocol.batch import decode_columns, read_header
from fluvio_protocol.compression import Codec

NOW_MS = 1_700_000_000_000


def accumulator(*, batch: int = 200, most: int = 1000, linger: float = 0.0) -> Accumulator:
    return Accumulator(batch_bytes=batch, max_record_bytes=most, linger_s=linger, make_outcome=object)


def values_of(batch: PendingBatch) -> list[bytes]:
    data = batch.builder.build()
    return decode_columns(memoryview(data), read_header(data)).values


def test_records_share_a_batch_until_the_next_would_not_fit() -> None:
    acc = accumulator(batch=61 + 3 * 17)  # 57 + 4, and three records of 10 bytes
    places = [acc.append(0, None, b"0123456789", NOW_MS, 0.0) for _ in range(4)]
    assert [index for _, index in places] == [0, 1, 2, 0]
    assert places[0][0] is places[2][0] is not places[3][0]
    assert places[0][0].builder.size_bytes == 61 + 3 * 17


def test_a_record_larger_than_a_batch_gets_one_of_its_own_and_order_stays() -> None:
    acc = accumulator(batch=200)
    for value in (b"a", b"B" * 500, b"c"):
        acc.append(0, None, value, NOW_MS, 0.0)
    taken = acc.take(acc.due_partitions(0.0), 0.0, 1 << 20)
    assert [values_of(batch) for batch in taken] == [[b"a"], [b"B" * 500], [b"c"]]


def test_a_record_above_the_request_limit_is_refused_and_leaves_nothing_behind() -> None:
    acc = accumulator(batch=200, most=300)
    acc.append(0, None, b"a", NOW_MS, 0.0)
    before = acc.pending_bytes
    with pytest.raises(RecordTooLargeError) as caught:
        acc.append(0, b"key", b"x" * 300, NOW_MS, 0.0)
    assert "exceeded maximum request size (300 bytes)" in str(caught.value)
    assert caught.value.size_bytes > 300
    assert acc.pending_bytes == before
    taken = acc.take(acc.due_partitions(0.0), 0.0, 1 << 20)
    assert [values_of(batch) for batch in taken] == [[b"a"]]


def test_the_largest_record_that_fits_is_taken() -> None:
    acc = accumulator(batch=200, most=300)
    batch, _ = acc.append(0, None, b"x" * 230, NOW_MS, 0.0)
    assert batch.builder.size_bytes == 300
    with pytest.raises(RecordTooLargeError):
        acc.append(0, None, b"x" * 231, NOW_MS, 0.0)


def test_a_finished_batch_stands_between_those_of_records() -> None:
    acc = accumulator(batch=200, most=300)
    acc.append(0, None, b"a", NOW_MS, 0.0)
    packed = bytearray(b"finished")
    given = acc.append_packed(0, packed, 3, 0.0)
    acc.append(0, None, b"b", NOW_MS, 0.0)
    with pytest.raises(RecordTooLargeError):
        acc.append_packed(0, bytearray(301), 1, 0.0)
    first, second, third = acc.take(acc.due_partitions(0.0), 0.0, 1 << 20)
    assert second is given
    assert second.builder.count == 3
    assert second.pack(Codec.ZSTD) is packed
    assert (values_of(first), values_of(third)) == ([b"a"], [b"b"])
    for batch in (first, second, third):
        acc.finish(batch)
    assert acc.pending_bytes == 0


def test_an_open_batch_is_due_when_it_has_lingered() -> None:
    acc = accumulator(linger=0.5)
    acc.append(0, None, b"a", NOW_MS, 10.0)
    assert acc.due_partitions(10.4) == []
    assert acc.next_due(10.4) == 10.5
    assert acc.due_partitions(10.5) == [0]
    assert acc.next_due(10.5) is None


def test_a_full_batch_is_due_at_once_and_the_open_one_behind_it_stays() -> None:
    acc = accumulator(batch=100, linger=5.0)
    for _ in range(3):
        acc.append(0, None, b"x" * 20, NOW_MS, 0.0)
    assert acc.due_partitions(0.0) == [0]
    assert [len(values_of(batch)) for batch in acc.take([0], 0.0, 1 << 20)] == [1, 1]
    assert acc.due_partitions(1.0) == []  # one is in flight


def test_flush_makes_everything_due() -> None:
    acc = accumulator(linger=5.0)
    for partition in (0, 3):
        acc.append(partition, None, b"x", NOW_MS, 0.0)
    assert {batch.partition for batch in acc.flush()} == {0, 3}
    assert acc.due_partitions(0.0) == [0, 3]


def test_nothing_of_a_partition_is_due_while_one_of_its_batches_is_in_flight() -> None:
    acc = accumulator()
    acc.append(0, None, b"a", NOW_MS, 0.0)
    acc.append(1, None, b"b", NOW_MS, 0.0)
    (first,) = acc.take([0], 0.0, 1 << 20)
    acc.append(0, None, b"c", NOW_MS, 0.0)
    assert acc.due_partitions(0.0) == [1]
    acc.finish(first)
    assert acc.due_partitions(0.0) == [0, 1]


def test_batches_that_come_back_go_first_after_their_pause() -> None:
    acc = accumulator(batch=70)
    for value in (b"a", b"b"):
        acc.append(0, None, value, NOW_MS, 0.0)
    taken = acc.take([0], 0.0, 1 << 20)
    acc.append(0, None, b"c", NOW_MS, 0.0)
    acc.put_back(taken, not_before=2.0)
    assert acc.attempts(0) == 1
    assert acc.due_partitions(1.9) == []
    assert acc.next_due(1.9) == 2.0
    again = acc.take(acc.due_partitions(2.0), 2.0, 1 << 20)
    assert [values_of(batch) for batch in again] == [[b"a"], [b"b"], [b"c"]]
    for batch in again:
        acc.finish(batch)
    assert acc.attempts(0) == 0


def test_resume_ends_a_pause() -> None:
    acc = accumulator()
    acc.append(0, None, b"a", NOW_MS, 0.0)
    acc.postpone(0, 9.0)
    assert acc.due_partitions(1.0) == []
    acc.resume(0)
    assert acc.due_partitions(1.0) == [0]


def test_one_request_takes_several_partitions_up_to_its_size_and_one_batch_at_least() -> None:
    acc = accumulator(batch=400, most=5000)
    for partition in range(4):
        acc.append(partition, None, b"x" * 230, NOW_MS, 0.0)
    assert [batch.partition for batch in acc.take(acc.due_partitions(0.0), 0.0, 700)] == [0, 1]
    assert [batch.partition for batch in acc.take(acc.due_partitions(0.0), 0.0, 1)] == [2]


def test_pending_bytes_count_every_batch_until_it_is_finished_or_dropped() -> None:
    acc = accumulator()
    acc.append(0, None, b"a", NOW_MS, 0.0)
    acc.append(1, None, b"b", NOW_MS, 5.0)
    (batch,) = acc.take([0], 0.0, 1 << 20)
    assert acc.pending_bytes == 2 * batch.counted_bytes
    acc.finish(batch)
    assert acc.pending_bytes == batch.counted_bytes
    assert acc.drop_older(1, opened_before=5.0) == []
    assert len(acc.drop_older(1, opened_before=5.1)) == 1
    assert acc.pending_bytes == 0
    assert acc.partitions() == []


def test_bulk_stops_at_the_memory_limit_and_goes_on_where_it_stopped() -> None:
    acc = accumulator(batch=1000, most=2000)
    values = [b"%04d" % i for i in range(1000)]
    start, rounds, seen = 0, 0, list[bytes]()
    while start < len(values):
        start = acc.extend(0, values, start, NOW_MS, 0.0, max_pending=3000)
        assert acc.pending_bytes < 3000 + 1000
        rounds += 1
        for batch in acc.take(acc.due_partitions(0.0), 0.0, 1 << 20):
            seen += values_of(batch)
            acc.finish(batch)
    assert seen == values
    assert rounds > 2
    assert acc.pending_bytes == 0


@given(st.lists(st.binary(max_size=300), max_size=60), st.integers(70, 400))
def test_bulk_makes_the_batches_that_single_records_make(values: list[bytes], batch_bytes: int) -> None:
    bulk, single = (accumulator(batch=batch_bytes, most=2000) for _ in range(2))
    assert bulk.extend(0, values, 0, NOW_MS, 0.0, max_pending=1 << 30) == len(values)
    for value in values:
        single.append(0, None, value, NOW_MS, 0.0)
    made = [[batch.builder.build() for batch in acc.flush()] for acc in (bulk, single)]
    assert made[0] == made[1]
    assert bulk.pending_bytes == single.pending_bytes
