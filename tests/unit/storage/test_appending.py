"""A disk that refuses: whatever fails, an append is whole or not there, and the next one works."""

import errno
from pathlib import Path

import pytest

from fluvio_local_cluster.storage import (
    LogSettings,
    OpenFiles,
    PartitionFullError,
    ReplicaLog,
    StorageReadError,
    StorageSyncError,
    StorageWriteError,
)
from fluvio_protocol.batch import split
from tests.support.faulty_files import IO_ERROR, NO_SPACE, FaultyFiles, failing
from tests.support.record_sets import append, append_each, one_batch, read_all, values_of

SMALL = LogSettings(segment_bytes=1000, index_interval_bytes=200)
FIRST = "00000000000000000000.log"


@pytest.fixture
def files() -> FaultyFiles:
    return FaultyFiles()


@pytest.fixture
def log(tmp_path: Path, files: FaultyFiles) -> ReplicaLog:
    log = ReplicaLog.open(tmp_path / "t-0", SMALL, open_files=OpenFiles(files=files))
    append_each(log, 5)
    return log


def expect_unchanged(log: ReplicaLog, files: FaultyFiles, count: int = 5) -> None:
    """The log has its `count` records, on disk as in memory, and takes the next append."""
    files.faults.clear()
    files.space = None
    assert log.leo == count
    assert len(values_of(log)) == count
    append(log, b"next")
    assert values_of(log)[count:] == [b"next"]
    assert len(read_all(log, max_bytes=1)) == count + 1
    assert sum(path.stat().st_size for path in log.directory.glob("*.log")) == log.size_bytes
    log.abandon()
    again = ReplicaLog.open(log.directory, SMALL)
    assert again.report.torn_tail is None
    assert again.report.holes == []
    assert values_of(again)[count:] == [b"next"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_a_full_partition_and_heals_by_itself(log, files, number: int) -> None:
    files.faults["pwrite"] = failing(number)
    with pytest.raises(PartitionFullError):
        append(log, b"lost")
    assert len(values_of(log)) == 5
    expect_unchanged(log, files)


def test_an_io_error_is_a_write_error_with_its_number(log, files) -> None:
    files.faults["pwrite"] = IO_ERROR
    with pytest.raises(StorageWriteError) as caught:
        append(log, b"lost")
    assert caught.value.errno == errno.EIO
    expect_unchanged(log, files)


@pytest.mark.parametrize("space", [1, 30, 57, 74, 100, 147])
def test_a_short_write_leaves_nothing_behind(log, files, space: int) -> None:
    files.space = space
    records = one_batch(b"lost 1") + one_batch(b"lost 2")
    with pytest.raises(PartitionFullError):
        log.append(records, split(records), -1)
    assert (log.directory / FIRST).stat().st_size == log.size_bytes
    expect_unchanged(log, files)


def test_a_write_that_is_short_but_not_refused_is_continued(log, files) -> None:
    pieces = iter([10, 1, 5, None])

    def pwrite(fd: int, data: memoryview, position: int) -> int:
        return FaultyFiles.pwrite(files, fd, memoryview(data)[: next(pieces)], position)

    files.pwrite = pwrite
    append(log, b"whole")
    assert values_of(log)[5:] == [b"whole"]


ROLL_FAULTS = [
    ("fsync", 0),  # of the segment that closes
    ("fsync", 1),  # of its index
    ("fsync", 2),  # of the directory
    ("pwrite", 0),  # first run
    ("pwrite", 1),  # index
    ("pwrite", 2),  # second run
    ("open", 0),  # index
    ("open", 1),  # new segment
    ("open", 2),  # directory
]


@pytest.mark.parametrize(("call", "nth"), ROLL_FAULTS)
def test_a_failure_anywhere_in_a_roll_undoes_the_whole_record_set(log, files, call: str, nth: int) -> None:
    seen = iter(range(100))

    def fail_on_the_nth() -> None:
        if next(seen) == nth:
            NO_SPACE()

    records = bytearray().join(one_batch(b"x" * 300) for _ in range(3))
    files.faults[call] = fail_on_the_nth
    with pytest.raises((PartitionFullError, StorageSyncError)) as caught:
        log.append(records, split(records), -1)
    assert log.leo == 5
    assert [path.name for path in log.directory.glob("*.log")] == [FIRST]
    if isinstance(caught.value, StorageSyncError):
        files.faults.clear()
        log.abandon()
        log = ReplicaLog.open(log.directory, SMALL, open_files=OpenFiles(files=files))
    expect_unchanged(log, files)


def test_an_append_that_was_undone_leaves_no_trace_in_the_index(tmp_path: Path, files: FaultyFiles) -> None:
    every = LogSettings(segment_bytes=1000, index_interval_bytes=1)
    logs = [
        ReplicaLog.open(tmp_path / name, every, open_files=OpenFiles(files=layer))
        for name, layer in (("failed", files), ("fine", FaultyFiles()))
    ]
    for log in logs:
        append_each(log, 5)
    files.space = 500  # enough for the first run and not for the second
    records = bytearray().join(one_batch(b"x" * 300) for _ in range(3))
    with pytest.raises(PartitionFullError):
        logs[0].append(records, split(records), -1)
    files.space = None
    for log in logs:
        append_each(log, 5, 5)
        log.close()
    indexes = [(log.directory / FIRST.replace("log", "index")).read_bytes() for log in logs]
    assert indexes[0] == indexes[1]
    assert len(indexes[0]) > 8


def test_after_a_failed_fsync_no_append_succeeds_until_the_log_is_reopened(log, files) -> None:
    files.faults["fsync"] = IO_ERROR
    with pytest.raises(StorageSyncError):
        log.sync()
    files.faults.clear()
    for _ in range(2):
        with pytest.raises(StorageSyncError):
            append(log, b"lost")
    with pytest.raises(StorageSyncError):
        log.sync()
    assert len(values_of(log)) == 5
    log.close()
    assert not (log.directory / "clean").exists()
    expect_unchanged(ReplicaLog.open(log.directory, SMALL, open_files=OpenFiles(files=files)), files)


def test_when_not_even_truncating_works_appends_are_refused_until_it_does(log, files) -> None:
    files.space = 100  # the first batch of the two is written whole: it must never come to life
    files.faults["truncate"] = IO_ERROR
    records = one_batch(b"dead 1") + one_batch(b"dead 2")
    with pytest.raises(PartitionFullError):
        log.append(records, split(records), -1)
    files.space = None
    with pytest.raises(StorageWriteError, match="could not be undone"):
        append(log, b"too early")
    assert len(values_of(log)) == 5
    expect_unchanged(log, files)


def test_a_log_that_could_not_be_undone_is_not_left_as_clean(log, files) -> None:
    files.space = 10
    files.faults["truncate"] = IO_ERROR
    with pytest.raises(PartitionFullError):
        append(log, b"dead")
    files.faults.clear()
    files.space = None
    log.close()
    assert not (log.directory / "clean").exists()
    again = ReplicaLog.open(log.directory, SMALL)
    assert again.report.torn_tail is not None
    assert len(values_of(again)) == 5


def test_a_read_error_is_typed_and_frees_the_file(log, files) -> None:
    piece = log.read(0, 100, 5)
    assert piece is not None
    files.faults["pread"] = IO_ERROR
    with piece, pytest.raises(StorageReadError) as caught:
        piece.read_bytes()
    assert caught.value.errno == errno.EIO
    log.abandon()
    files.faults.clear()
    log = ReplicaLog.open(log.directory, SMALL, open_files=OpenFiles(files=files))
    files.faults["pread"] = IO_ERROR
    with pytest.raises(StorageReadError):
        log.read(0, 100, 5)
    expect_unchanged(log, files)


def test_a_segment_is_on_the_disk_before_the_next_one_has_a_name(log, files) -> None:
    files.calls.clear()
    append(log, bytes(700))
    steps = [(name, Path(str(subject)).name) for name, subject in files.calls if name in ("fsync", "open")]
    second = "00000000000000000005.log"
    assert steps.index(("fsync", FIRST)) < steps.index(("fsync", FIRST.replace("log", "index")))
    assert steps.index(("fsync", FIRST.replace("log", "index"))) < steps.index(("open", second))
    assert steps.index(("open", second)) < steps.index(("fsync", "t-0"))


def test_an_append_that_does_not_roll_makes_one_call_to_the_system(log, files) -> None:
    append(log, b"warm")
    files.calls.clear()
    records = one_batch(b"a") + one_batch(b"b")
    log.append(records, split(records), -1)
    assert [name for name, _ in files.calls] == ["pwrite"]


def test_reading_the_recent_end_makes_no_call_to_the_system(log, files) -> None:
    append(log, b"warm")
    files.calls.clear()
    piece = log.read(3, 1 << 20, log.leo)
    assert piece is not None
    piece.release()
    assert files.calls == []


def test_closing_syncs_what_the_clean_marker_speaks_of_before_writing_it(log, files) -> None:
    append(log, b"last")
    files.calls.clear()
    log.close()
    synced = [Path(str(subject)).name for name, subject in files.calls if name == "fsync"]
    assert synced == [FIRST, "00000000000000000000.index.tmp", "replication.chk.tmp", "clean.tmp", "t-0"]


def test_a_torn_tail_that_cannot_be_copied_to_a_full_disk_is_cut_and_said_so(tmp_path: Path, files) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", SMALL)
    append_each(log, 5)
    log.abandon()
    path = log.directory / FIRST
    path.write_bytes(path.read_bytes()[:-3])
    files.faults["pwrite"] = NO_SPACE
    again = ReplicaLog.open(log.directory, SMALL, open_files=OpenFiles(files=files))
    assert again.report.torn_tail is not None
    assert again.report.torn_tail.saved_as is None
    assert "not kept, the disk is full" in again.report.lines()[0]
    assert list(log.directory.glob("*.bad")) == []
    expect_unchanged(again, files, 4)
