"""A log from outside: what is appended is read back, whatever the sizes, bounds and reopenings."""

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluvio_local_cluster.storage import (
    DamagedRangeError,
    InvalidBatchError,
    LogClosedError,
    LogSettings,
    MessageTooLargeError,
    OffsetEvictedError,
    OffsetOutOfRangeError,
    OpenFiles,
    ReplicaLog,
)
from fluvio_local_cluster.storage.segment import RecentBatches
from fluvio_protocol.batch import split
from fluvio_protocol.compression import Codec
from tests.support.record_sets import append, append_each, one_batch, read_all, values_of

SMALL = LogSettings(segment_bytes=1000, index_interval_bytes=200)


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x10
    path.write_bytes(data)


# --- offsets and files -----------------------------------------------------------------------------------


def test_a_new_log_is_empty_and_durable_files_are_there(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "base" / "spu-logs-1" / "t-0", SMALL)
    assert (log.log_start, log.leo, log.hw, log.size_bytes) == (0, 0, 0, 0)
    assert log.report.is_new
    assert log.report.lines() == []
    assert sorted(os.listdir(log.directory)) == ["00000000000000000000.log"]
    assert log.read(0, 100, 0) is None


def test_base_offset_and_epoch_are_stamped_and_nothing_else_changes(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append(log, b"a", b"b")
    sent = one_batch(b"c", b"d", b"e", codec=Codec.ZSTD)
    records = bytearray(sent)
    result = log.append(records, split(records), 7)
    assert (result.base_offset, result.leo, log.leo) == (2, 5, 5)
    piece = log.read(2, 1 << 20, log.leo)
    assert piece is not None
    with piece:
        stored = piece.read_bytes()
    assert struct.unpack_from(">q4xi", stored) == (2, 7)
    assert stored[8:12] + stored[16:] == bytes(sent[8:12] + sent[16:])


def test_a_record_set_given_as_a_memoryview_of_a_larger_frame_is_appended(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    frame = bytearray(b"head") + one_batch(b"a") + one_batch(b"b", b"c") + b"tail"
    records = memoryview(frame)[4:-4]
    log.append(records, split(records), -1)
    assert values_of(log) == [b"a", b"b", b"c"]


def test_segments_roll_before_the_batch_that_would_not_fit(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", SMALL)
    size = len(one_batch(b"record 000"))
    per_segment = 1000 // size
    assert not log.will_roll(size)
    append_each(log, per_segment)
    assert log.will_roll(size)
    append_each(log, 1, per_segment)
    names = sorted(name for name in os.listdir(log.directory) if name.endswith(".log"))
    assert names == ["00000000000000000000.log", f"{per_segment:020d}.log"]
    assert (log.directory / "00000000000000000000.index").stat().st_size % 8 == 0
    assert log.size_bytes == size * (per_segment + 1)


def test_one_record_set_may_span_several_segments(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", SMALL)
    records = bytearray().join(one_batch(b"%d" % i * 100) for i in range(50))
    log.append(records, split(records), -1)
    assert values_of(log) == [b"%d" % i * 100 for i in range(50)]
    log.abandon()
    again = ReplicaLog.open(log.directory, SMALL)
    assert again.report.lines() == []
    assert again.leo == 50


# --- refused batches -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "error", "text"),
    [
        (lambda b: b.__setitem__(60, b[60] ^ 1), InvalidBatchError, "CRC"),
        (lambda b: struct.pack_into(">i", b, 23, -1), InvalidBatchError, "no records"),
        (lambda b: struct.pack_into(">h", b, 21, 6), InvalidBatchError, "codec"),
        (lambda b: b.extend(b"x"), InvalidBatchError, "whole batches"),
    ],
)
def test_one_bad_batch_keeps_the_whole_record_set_out(tmp_path, spoil, error, text) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append(log, b"before")
    bad = one_batch(b"bad")
    spoil(bad)
    records = one_batch(b"good") + bad
    with pytest.raises(error, match=text):
        log.append(records, split(records), -1)
    assert values_of(log) == [b"before"]
    assert (log.directory / "00000000000000000000.log").stat().st_size == log.size_bytes


def test_an_empty_record_set_and_foreign_headers_are_refused(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    with pytest.raises(InvalidBatchError):
        log.append(bytearray(), [], -1)
    records = one_batch(b"a") + one_batch(b"b")
    with pytest.raises(InvalidBatchError):
        log.append(records, split(records)[1:], -1)


def test_a_batch_larger_than_a_segment_or_a_request_is_too_large(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", SMALL)
    with pytest.raises(MessageTooLargeError) as caught:
        append(log, bytes(1500))
    assert caught.value.limit_bytes == 1000
    log.settings = LogSettings(max_batch_bytes=500)
    with pytest.raises(MessageTooLargeError):
        append(log, bytes(600))
    assert log.leo == 0


# --- reading ---------------------------------------------------------------------------------------------


def test_a_first_batch_larger_than_max_bytes_is_given_whole(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append(log, bytes(1_000_000))
    append(log, b"small")
    assert len(read_all(log, max_bytes=1)) == 2
    log.close()
    cold = ReplicaLog.open(log.directory, LogSettings())
    assert len(read_all(cold, max_bytes=1)) == 2


def test_a_slice_begins_at_the_batch_that_contains_the_offset(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append(log, b"a", b"b", b"c")
    append(log, b"d", b"e", b"f")
    piece = log.read(4, 1 << 20, log.leo)
    assert piece is not None
    with piece:
        assert (piece.first_offset, piece.next_offset) == (3, 6)


def test_only_batches_wholly_below_the_upper_bound_are_read(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append(log, b"a", b"b", b"c")
    append(log, b"d", b"e", b"f")
    for cold in (False, True):
        if cold:
            log.abandon()
            log = ReplicaLog.open(log.directory, LogSettings())
        assert [len(read_all(log, 0, upper=upper)) for upper in range(7)] == [0, 0, 0, 3, 3, 3, 6]
        assert log.read(3, 100, 5) is None
        assert log.read(5, 100, 3) is None
        assert log.read(6, 100, 6) is None


def test_reading_beyond_either_end_says_where_the_end_is(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", SMALL)
    append_each(log, 40)
    with pytest.raises(OffsetOutOfRangeError, match=r"^start offset: 41 is greater than leo: 40$"):
        log.read(41, 100, 40)
    log.close()
    (log.directory / "00000000000000000000.log").unlink()
    (log.directory / "00000000000000000000.index").unlink()
    shorter = ReplicaLog.open(log.directory, SMALL)
    assert shorter.log_start > 0
    with pytest.raises(OffsetEvictedError) as caught:
        shorter.read(0, 100, 40)
    assert (caught.value.offset, caught.value.next_available) == (0, shorter.log_start)


def test_a_slice_stays_readable_after_its_file_is_gone_and_other_files_came(tmp_path: Path) -> None:
    files = OpenFiles(limit=1)
    log = ReplicaLog.open(tmp_path / "t-0", SMALL, open_files=files)
    append_each(log, 40)
    piece = log.read(0, 500, 40)
    assert piece is not None
    before = piece.read_bytes()
    for name in os.listdir(log.directory):
        os.unlink(log.directory / name)
    log.abandon()
    other = ReplicaLog.open(tmp_path / "t-1", SMALL, open_files=files)
    append_each(other, 40)
    read_all(other)
    assert piece.read_bytes() == before
    descriptor = piece.fileno()
    piece.release()
    piece.release()
    with pytest.raises(OSError):
        os.fstat(descriptor)


def test_readers_far_behind_the_recent_batches_use_the_index(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    count = RecentBatches.LIMIT * 2
    append_each(log, count)
    for start in (0, 1, count // 3, count - RecentBatches.LIMIT - 5, count - 2):
        assert len(read_all(log, start, max_bytes=3000)) == count - start


def test_a_closed_log_says_so_and_closing_twice_is_fine(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append(log, b"a")
    log.close()
    log.close()
    log.abandon()
    with pytest.raises(LogClosedError):
        append(log, b"b")
    with pytest.raises(LogClosedError):
        log.read(0, 10, 1)
    with pytest.raises(LogClosedError):
        log.sync()


# --- high watermark --------------------------------------------------------------------------------------


def test_the_hw_rises_up_to_the_leo_and_never_falls(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append_each(log, 5)
    assert [log.set_hw(hw) for hw in (3, 2, 9)] == [3, 3, 5]


def test_the_hw_is_checkpointed_only_when_it_changed(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append_each(log, 5)
    log.set_hw(3)
    assert log.checkpoint_hw()
    assert not log.checkpoint_hw()
    assert (log.directory / "replication.chk").read_bytes() == bytes.fromhex("0000000000000003")
    log.abandon()
    assert ReplicaLog.open(log.directory, LogSettings()).hw == 3
    assert ReplicaLog.open(log.directory, LogSettings(), single_replica=True).hw == 5


@pytest.mark.parametrize(
    ("content", "hw"), [(b"", 0), (b"\0" * 7 + b"\x09", 5), (b"xx", 0), (b"\xff" * 8, 0)]
)
def test_a_checkpoint_that_is_empty_ahead_or_damaged_is_only_a_hint(
    tmp_path, content: bytes, hw: int
) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append_each(log, 5)
    log.abandon()
    (log.directory / "replication.chk").write_bytes(content)
    assert ReplicaLog.open(log.directory, LogSettings()).hw == hw


# --- indexes that disagree -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [None, b"", b"1234567", bytes(8), struct.pack(">IIII", 3, 300, 2, 400), struct.pack(">II", 1, 1 << 20)],
)
def test_an_index_that_is_missing_short_unsorted_or_outside_is_rebuilt_at_open(tmp_path, content) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", SMALL)
    append_each(log, 60)
    log.close()
    first = log.directory / "00000000000000000000.index"
    right = first.read_bytes()
    assert len(right) > 8
    if content is None:
        first.unlink()
    else:
        first.write_bytes(content)
    (log.directory / "clean").unlink()
    again = ReplicaLog.open(log.directory, SMALL)
    assert again.report.rebuilt_indexes == [0]
    assert first.read_bytes() == right
    assert values_of(again) == values_of(ReplicaLog.open(log.directory, SMALL))


@pytest.mark.parametrize("shift", [1, 76], ids=["into a batch", "to another batch"])
def test_an_index_that_points_elsewhere_is_rebuilt_when_a_reader_meets_it(tmp_path, caplog, shift) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", SMALL)
    append_each(log, 60)
    log.close()
    first = log.directory / "00000000000000000000.index"
    right = first.read_bytes()
    (offset, position) = struct.unpack_from(">II", right)
    first.write_bytes(struct.pack(">II", offset, position + shift) + right[8:])
    again = ReplicaLog.open(log.directory, SMALL)
    assert again.report.was_clean
    assert len(read_all(again, offset, max_bytes=300)) == 60 - offset
    assert first.read_bytes() == right
    assert "index and log disagree" in caplog.text
    assert again.holes == []


# --- damage ----------------------------------------------------------------------------------------------


def damaged_log(tmp_path: Path, *, header: bool) -> tuple[ReplicaLog, int]:
    """A log of several segments whose last closed one has a damaged batch; returns the offset of that."""
    log = ReplicaLog.open(tmp_path / "t-0", SMALL)
    append_each(log, 60)
    log.abandon()
    closed = sorted(name for name in os.listdir(log.directory) if name.endswith(".log"))[-2]
    path = log.directory / closed
    second = split(path.read_bytes())[2]
    flip(path, second.position + (16 if header else second.size_bytes - 3))
    return ReplicaLog.open(log.directory, SMALL), second.base_offset


@pytest.mark.parametrize("header", [False, True])
def test_damage_in_a_closed_segment_leaves_the_intact_ranges_and_appends_alone(
    tmp_path, header: bool
) -> None:
    log, lost = damaged_log(tmp_path, header=header)
    (hole,) = log.holes
    assert hole.start == lost
    assert header or hole.stop == lost + 1
    assert log.leo == 60
    assert [record.offset for record in read_all(log, 0, upper=lost)] == list(range(lost))
    for offset in range(hole.start, hole.stop):
        with pytest.raises(DamagedRangeError) as caught:
            log.read(offset, 1 << 20, log.leo)
        assert (caught.value.start, caught.value.stop) == (hole.start, hole.stop)
    piece = log.read(lost - 1, 1 << 20, log.leo)
    assert piece is not None
    with piece:
        assert piece.next_offset == lost
    append(log, b"after")
    assert [record.offset for record in read_all(log, hole.stop)] == list(range(hole.stop, 61))
    assert any("damaged" in line for line in log.report.lines())


def test_damage_is_remembered_over_a_clean_restart(tmp_path: Path) -> None:
    log, lost = damaged_log(tmp_path, header=False)
    log.close()
    again = ReplicaLog.open(log.directory, SMALL)
    assert again.report.was_clean
    assert again.holes == log.holes
    with pytest.raises(DamagedRangeError):
        again.read(lost, 100, 60)


def test_a_header_that_is_damaged_later_is_noticed_by_its_reader(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", SMALL)
    append_each(log, 60)
    path = log.directory / "00000000000000000000.log"
    third = split(path.read_bytes())[3]
    flip(path, third.position + 16)
    with pytest.raises(DamagedRangeError):
        log.read(3, 100, 60)
    assert log.holes[0].start == 3
    assert [record.offset for record in read_all(log, 0, upper=3)] == [0, 1, 2]


def test_a_missing_segment_is_a_hole(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", SMALL)
    append_each(log, 60)
    log.close()
    bases = sorted(int(name[:20]) for name in os.listdir(log.directory) if name.endswith(".log"))
    (log.directory / f"{bases[1]:020d}.log").unlink()
    again = ReplicaLog.open(log.directory, SMALL)
    assert [(hole.start, hole.stop) for hole in again.holes] == [(bases[1], bases[2])]
    assert not (log.directory / f"{bases[1]:020d}.index").exists()
    with pytest.raises(DamagedRangeError):
        again.read(bases[1], 100, 60)


def test_when_every_segment_is_lost_no_committed_offset_is_given_again(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings())
    append_each(log, 9)
    log.set_hw(9)
    log.close()
    (log.directory / "00000000000000000000.log").unlink()
    again = ReplicaLog.open(log.directory, LogSettings())
    assert (again.log_start, again.leo, again.hw) == (9, 9, 9)
    assert again.report.lines()


# --- two ways to the same slice --------------------------------------------------------------------------


@given(sizes=st.lists(st.integers(0, 300), min_size=1, max_size=60), max_bytes=st.integers(1, 2000))
@settings(deadline=None, max_examples=40)
def test_recent_batches_and_index_give_the_same_slices(
    tmp_path_factory, sizes: list[int], max_bytes: int
) -> None:
    directory = tmp_path_factory.mktemp("log") / "t-0"
    warm = ReplicaLog.open(directory, LogSettings(index_interval_bytes=500))
    for size in sizes:
        append(warm, bytes(size))
    warm.sync()
    other = directory.with_name("t-1")
    other.mkdir()
    (other / "00000000000000000000.log").write_bytes((directory / "00000000000000000000.log").read_bytes())
    cold = ReplicaLog.open(other, LogSettings(index_interval_bytes=500))
    for start in range(len(sizes)):
        for upper in {start, start + 1, (start + len(sizes)) // 2, len(sizes)}:
            ends = []
            for log in (warm, cold):
                piece = log.read(start, max_bytes, upper)
                if piece is None:
                    ends.append(None)
                else:
                    with piece:
                        ends.append((piece.position, piece.size_bytes, piece.first_offset, piece.next_offset))
            assert ends[0] == ends[1], (start, upper)
    warm.abandon()
    cold.abandon()
