"""What slices bring: only complete batches, nothing twice, nothing lost, whatever the cut."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_client.consumer.positions import OffsetGapError, PartitionPosition, RecordBatch
from fluvio_client.errors import CorruptBatchError
from fluvio_protocol.batch import BatchBuilder, stamp
from fluvio_protocol.compression import Codec
from fluvio_protocol.wire import DecodeError

NOW = 1_700_000_000_000


def batch(base_offset: int, values: list[bytes], codec: Codec = Codec.NONE) -> bytes:
    builder = BatchBuilder(NOW)
    for value in values:
        builder.append(b"k" if len(value) % 2 else None, value, NOW)
    built = builder.build(codec)
    stamp(built, 0, base_offset, 0)
    return bytes(built)


def position(next_offset: int = 0, *, stop: int | None = None, max_bytes: int = 1000) -> PartitionPosition:
    return PartitionPosition("t", 0, next_offset, max_bytes, stop)


def values_of(batches: list[RecordBatch]) -> list[bytes]:
    return [value for item in batches for value in item.values()]


class Slice(NamedTuple):
    """What a slice brought, from its headers and from its batches."""

    acknowledge: int | None
    reopen_max_bytes: int | None
    batches: list[RecordBatch]
    damage: CorruptBatchError | None


def take(place: PartitionPosition, records: bytes) -> Slice:
    sighted = place.sight(records)
    taken = place.take(sighted)
    return Slice(sighted.acknowledge, sighted.reopen_max_bytes, taken.batches, taken.damage)


FIRST, SECOND = batch(0, [b"a", b"bb", b"c"]), batch(3, [b"d", b"ee"])


def test_whole_batches_are_delivered_and_acknowledged() -> None:
    place = position()
    taken = take(place, FIRST + SECOND)
    assert values_of(taken.batches) == [b"a", b"bb", b"c", b"d", b"ee"]
    assert (taken.acknowledge, taken.reopen_max_bytes, place.next_offset) == (5, None, 5)


@pytest.mark.parametrize("cut", range(1, len(SECOND)))
def test_a_cut_batch_is_neither_delivered_nor_acknowledged(cut: int) -> None:
    place = position()
    taken = take(place, FIRST + SECOND[:cut])
    assert values_of(taken.batches) == [b"a", b"bb", b"c"]
    assert (taken.acknowledge, taken.reopen_max_bytes, place.next_offset) == (3, None, 3)


@pytest.mark.parametrize("cut", range(1, len(FIRST)))
def test_a_slice_without_a_complete_batch_asks_for_a_stream_with_more_room(cut: int) -> None:
    place = position(max_bytes=30)
    taken = take(place, FIRST[:cut])
    assert (taken.batches, taken.acknowledge, place.next_offset) == ([], None, 0)
    assert taken.reopen_max_bytes == (max(60, len(FIRST)) if cut >= 12 else 60)


def test_records_before_the_wanted_one_are_dropped() -> None:
    place = position(1)
    taken = take(place, FIRST)
    assert values_of(taken.batches) == [b"bb", b"c"]
    assert [record.offset for record in taken.batches[0].records()] == [1, 2]
    assert taken.batches[0].count == 2


def test_batches_before_the_wanted_one_do_not_count() -> None:
    place = position(3)
    taken = take(place, FIRST + SECOND)
    assert values_of(taken.batches) == [b"d", b"ee"]
    assert taken.acknowledge == 5


def test_only_old_batches_and_a_cut_one_ask_for_more_room_without_acknowledging() -> None:
    place = position(3, max_bytes=10)
    taken = take(place, FIRST + SECOND[:20])
    assert (taken.batches, taken.acknowledge, taken.reopen_max_bytes) == ([], None, len(SECOND))


def test_records_from_the_stop_offset_on_are_not_delivered() -> None:
    place = position(stop=4)
    taken = take(place, FIRST + SECOND)
    assert values_of(taken.batches) == [b"a", b"bb", b"c", b"d"]
    assert place.is_done
    assert [record.offset for record in taken.batches[-1].records()] == [3]


def test_an_empty_slice_changes_nothing() -> None:
    place = position(2)
    taken = take(place, b"")
    assert (taken.batches, taken.acknowledge, taken.reopen_max_bytes, place.next_offset) == (
        [],
        None,
        None,
        2,
    )


def test_a_jump_in_offsets_is_an_error_and_what_was_before_it_is_delivered_first() -> None:
    place = position()
    jump = batch(7, [b"later"])
    taken = take(place, FIRST + jump)
    assert values_of(taken.batches) == [b"a", b"bb", b"c"]
    assert taken.acknowledge == 3
    with pytest.raises(OffsetGapError, match="records 3 to 6 of t-0 were not sent"):
        take(place, jump)
    assert place.next_offset == 3


def test_a_damaged_batch_is_told_once_what_was_before_it_is_delivered() -> None:
    place = position()
    damaged = bytearray(SECOND)
    damaged[-3] ^= 1
    taken = take(place, bytes(FIRST + damaged) + batch(5, [b"f"]))
    assert values_of(taken.batches) == [b"a", b"bb", b"c"]
    assert taken.damage is not None
    assert "batch at offset 3 of t-0" in str(taken.damage)
    assert place.next_offset == 3


def test_damage_behind_the_last_wanted_record_does_not_matter() -> None:
    place = position(stop=3)
    damaged = bytearray(SECOND)
    damaged[-3] ^= 1
    taken = take(place, bytes(FIRST + damaged))
    assert (values_of(taken.batches), taken.damage, place.is_done) == ([b"a", b"bb", b"c"], None, True)


def test_bytes_that_are_no_batch_are_refused() -> None:
    with pytest.raises(DecodeError):
        take(position(), b"\xff" * 100)


def test_records_carry_partition_offset_timestamp_key_and_value() -> None:
    (item,) = take(position(), batch(0, [b"a", b"bb"])).batches
    assert [tuple(record) for record in item.records()] == [(0, 0, NOW, b"k", b"a"), (0, 1, NOW, None, b"bb")]


@given(
    st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=5), min_size=1, max_size=6),
    st.integers(1, 400),
    st.sampled_from(list(Codec)),
    st.data(),
)
def test_a_server_that_cuts_anywhere_loses_and_repeats_nothing(
    batches: list[list[bytes]], max_bytes: int, codec: Codec, data: st.DataObject
) -> None:
    """Plays the official SPU: slices of exactly `max_bytes` from the batch that holds the wanted offset."""
    encoded, base = [], 0
    for values in batches:
        encoded.append((base, batch(base, values, codec)))
        base += len(values)
    start = data.draw(st.integers(0, base - 1))
    place = position(start, max_bytes=max_bytes)
    got: list[bytes] = []
    for _ in range(500):
        if place.next_offset == base:
            break
        first = max(i for i, (offset, _) in enumerate(encoded) if offset <= place.next_offset)
        log = b"".join(raw for _, raw in encoded[first:])
        taken = take(place, log[: place.max_bytes])
        got += values_of(taken.batches)
        assert (taken.acknowledge is None) != (taken.reopen_max_bytes is None)
        place.max_bytes = taken.reopen_max_bytes or place.max_bytes
    assert got == [value for values in batches for value in values][start:]
