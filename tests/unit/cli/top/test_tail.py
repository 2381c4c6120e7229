"""What is fetched of a partition that is followed, and what is shown of it."""

from fluvio_cli.top.tail import MOST_BYTES, MOST_RECORDS, Tail, Wanted
from fluvio_protocol.batch import stamp
from tests.support.record_sets import one_batch


def batch(base: int, *values: bytes) -> bytes:
    data = one_batch(*values)
    stamp(data, 0, base, 0)
    return bytes(data)


def offsets(tail: Tail) -> list[int]:
    return [record.offset for record in tail.records]


def test_it_begins_with_the_last_records_and_goes_on_behind_them() -> None:
    tail = Tail("t", 0)
    wanted = tail.wanted(0, 1000)
    assert wanted is not None
    assert wanted.offset == 1000 - MOST_RECORDS
    base = 1000 - MOST_RECORDS - 5  # the batch began before
    assert tail.take(batch(base, *[b"v"] * (MOST_RECORDS + 5)), 1000)
    assert offsets(tail) == list(range(1000 - MOST_RECORDS, 1000))
    assert tail.wanted(0, 1000) is None
    assert tail.wanted(0, 1002) == Wanted(1000, wanted.max_bytes)
    tail.take(batch(1000, b"x", b"y"), 1002)
    assert (len(tail.records), tail.records[-1].value) == (MOST_RECORDS, "y")


def test_records_that_are_gone_or_too_many_are_left_out() -> None:
    tail = Tail("t", 0)
    assert (tail.wanted(40, 50) or Wanted(0, 0)).offset == 40
    tail.take(batch(40, *[b"v"] * 10), 50)
    assert (tail.wanted(0, 9000) or Wanted(0, 0)).offset == 9000 - MOST_RECORDS


def test_a_topic_made_anew_is_shown_from_its_start() -> None:
    tail = Tail("t", 0)
    tail.wanted(0, 2)
    tail.take(batch(0, b"old", b"older"), 2)
    assert tail.wanted(0, 1) is not None
    tail.take(batch(0, b"new"), 1)
    assert [record.value for record in tail.records] == ["new"]


def test_an_empty_answer_asks_for_no_more() -> None:
    tail = Tail("t", 0)
    assert tail.wanted(0, 5) is not None
    assert not tail.take(b"", 5)
    assert (tail.wanted(0, 5) or Wanted(9, 0)).offset == 0


def test_a_batch_that_was_cut_is_asked_for_again_with_more_room() -> None:
    whole = batch(0, bytes(MOST_BYTES // 16))
    tail = Tail("t", 0)
    first = tail.wanted(0, 1)
    assert first is not None
    assert tail.take(whole[: first.max_bytes], 1)
    second = tail.wanted(0, 1)
    assert second is not None
    assert second.max_bytes >= len(whole)
    assert tail.take(whole, 1)
    assert offsets(tail) == [0]


def test_a_batch_that_is_too_large_is_left_out_and_told() -> None:
    huge = batch(0, bytes(MOST_BYTES + 1))
    tail = Tail("t", 0)
    rounds = 0
    while (wanted := tail.wanted(0, 1)) is not None:
        tail.take(huge[: wanted.max_bytes], 1)
        rounds += 1
    assert rounds < 10
    assert (offsets(tail), tail.remark) == ([], f"a batch of more than {MOST_BYTES} bytes is not shown")


def test_damage_is_told_and_left_behind() -> None:
    damaged = bytearray(batch(0, b"abc"))
    damaged[-2] ^= 1
    tail = Tail("t", 0)
    tail.wanted(0, 1)
    assert not tail.take(bytes(damaged), 1)
    assert "wrong CRC" in tail.remark
    assert tail.wanted(0, 1) is None
    tail.wanted(0, 2)
    assert not tail.take(b"\xff" * 100, 2)
    assert tail.wanted(0, 2) is None


def test_values_are_harmless_and_short() -> None:
    tail = Tail("t", 0)
    tail.wanted(0, 3)
    tail.take(batch(0, b"\x1b[2J\xff", "é".encode() * 5000, b""), 3)
    escape, long, empty = [record.value for record in tail.records]
    assert escape == "\\u001b[2J\ufffd"
    assert (len(long), empty) == (256, "")
    assert tail.records[0].key is None
