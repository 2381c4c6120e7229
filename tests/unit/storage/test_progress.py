"""Marks: how little is verified after a crash, and when a mark does not count."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fluvio_local_cluster.storage import Files, LogSettings, OpenFiles, ReplicaLog, StorageSyncError
from fluvio_local_cluster.storage.progress import Mark, Progress, read_progress, write_progress
from tests.support.faulty_files import IO_ERROR, FaultyFiles
from tests.support.record_sets import append, append_each, one_batch, values_of

STEP = 5_000
SETTINGS = LogSettings(
    segment_bytes=1 << 20,
    index_interval_bytes=500,
    boot_id="boot-1",
    mark_step_bytes=STEP,
    verified_tail_bytes=1_000,
)
REBOOTED = replace(SETTINGS, boot_id="boot-2")
MARK = Mark(5, 1000, 17, 2, 99, 1, 2)


@pytest.fixture
def log(tmp_path: Path) -> ReplicaLog:
    log = ReplicaLog.open(tmp_path / "t-0", SETTINGS)
    append_each(log, 500)
    return log


def crashed(log: ReplicaLog, settings: LogSettings = SETTINGS) -> ReplicaLog:
    """The log opened again after its process was killed."""
    log.abandon()
    return ReplicaLog.open(log.directory, settings)


def marks(log: ReplicaLog) -> Progress:
    return read_progress(log.directory, Files())


# --- the record ------------------------------------------------------------------------------------------


def test_a_record_reads_back_as_it_was_written(tmp_path: Path) -> None:
    for progress in (Progress(), Progress("boot", MARK, replace(MARK, position=2000)), Progress(None, MARK)):
        write_progress(tmp_path, progress, Files(), durable=False)
        assert read_progress(tmp_path, Files()) == progress


def test_no_change_of_a_byte_goes_unnoticed(tmp_path: Path) -> None:
    write_progress(tmp_path, Progress("boot", MARK), Files(), durable=False)
    path = tmp_path / "progress"
    good = path.read_bytes()
    for i in range(len(good) - 1):
        path.write_bytes(good[:i] + bytes([good[i] ^ 1]) + good[i + 1 :])
        assert read_progress(tmp_path, Files()) == Progress(), i
        path.write_bytes(good[:i])
        assert read_progress(tmp_path, Files()) == Progress(), i


@pytest.mark.parametrize(("boot_id", "position"), [("boot", 2000), ("other", 1000), (None, 1000)])
def test_a_volatile_mark_holds_only_while_the_machine_runs(boot_id: str | None, position: int) -> None:
    progress = Progress("boot", MARK, replace(MARK, position=2000))
    mark = progress.valid_mark(5, boot_id)
    assert mark is not None
    assert mark.position == position
    assert progress.valid_mark(6, boot_id) is None


# --- making marks ----------------------------------------------------------------------------------------


def test_a_log_that_grew_gets_a_mark_and_one_that_did_not_gets_none(log: ReplicaLog) -> None:
    log.checkpoint_hw()
    mark = marks(log).volatile
    assert mark is not None
    assert (mark.position, mark.next_offset) == (log.size_bytes, 500)
    assert marks(log).durable is None
    before = (log.directory / "progress").stat().st_ino
    append(log, b"little")
    log.checkpoint_hw()
    assert (log.directory / "progress").stat().st_ino == before
    append(log, bytes(STEP))
    log.checkpoint_hw()
    again = marks(log).volatile
    assert again is not None
    assert again.next_offset == 502


def test_after_a_sync_the_mark_is_durable_and_so_are_the_index_entries_it_speaks_of(tmp_path: Path) -> None:
    files = FaultyFiles()
    log = ReplicaLog.open(tmp_path / "t-0", SETTINGS, open_files=OpenFiles(files=files))
    append_each(log, 500)
    log.sync()
    files.calls.clear()
    log.checkpoint_hw()
    mark = marks(log).durable
    assert mark is not None
    assert mark.position == log.size_bytes
    synced = [Path(str(what)).name for name, what in files.calls if name == "fsync"]
    assert synced == ["00000000000000000000.index.tmp", "progress.tmp"]


def test_a_durable_mark_does_not_reach_beyond_what_was_synced(log: ReplicaLog) -> None:
    log.sync()
    synced_bytes = log.size_bytes
    append(log, bytes(2 * STEP))
    log.checkpoint_hw()
    durable, volatile = marks(log).durable, marks(log).volatile
    assert durable is not None
    assert volatile is not None
    assert (durable.position, durable.next_offset) == (synced_bytes, 500)
    assert (volatile.position, volatile.next_offset) == (log.size_bytes, 501)


def test_without_a_boot_id_only_durable_marks_are_made(tmp_path: Path) -> None:
    log = ReplicaLog.open(tmp_path / "t-0", replace(SETTINGS, boot_id=None))
    append_each(log, 500)
    log.checkpoint_hw()
    assert not (log.directory / "progress").exists()
    log.sync()
    log.checkpoint_hw()
    assert marks(log).durable is not None


# --- using marks -----------------------------------------------------------------------------------------


def expect_whole(log: ReplicaLog, count: int) -> None:
    assert log.report.lines() == []
    assert log.leo == count
    assert len(values_of(log)) == count


def test_after_a_crash_only_what_follows_the_mark_is_verified(log: ReplicaLog) -> None:
    log.checkpoint_hw()
    append_each(log, 20, 500)
    again = crashed(log)
    expect_whole(again, 520)
    after_mark = 20 * len(one_batch(b"record 000"))
    assert after_mark + 1000 <= again.report.verified_bytes < after_mark + 2000 < again.size_bytes / 5


@pytest.mark.parametrize(("is_synced", "is_marked"), [(False, False), (True, True)])
def test_after_a_power_loss_only_what_was_synced_need_not_be_verified(
    log: ReplicaLog, is_synced: bool, is_marked: bool
) -> None:
    if is_synced:
        log.sync()
    log.checkpoint_hw()
    append_each(log, 20, 500)
    again = crashed(log, REBOOTED)
    expect_whole(again, 520)
    assert (again.report.verified_bytes < again.size_bytes / 5) == is_marked
    assert again.synced_leo == (500 if is_synced else 0)


def test_what_was_verified_once_is_not_verified_again_at_the_next_crash(log: ReplicaLog) -> None:
    again = crashed(crashed(log, REBOOTED), REBOOTED)
    expect_whole(again, 500)
    assert again.report.verified_bytes < again.size_bytes / 5


def test_a_torn_tail_behind_a_mark_is_cut_and_the_mark_stays_true(log: ReplicaLog) -> None:
    log.checkpoint_hw()
    append_each(log, 20, 500)
    log.abandon()
    path = log.directory / f"{0:020d}.log"
    path.write_bytes(path.read_bytes()[:-3])
    again = ReplicaLog.open(log.directory, SETTINGS)
    assert again.report.torn_tail is not None
    assert again.leo == 519
    append(again, b"other")
    expect_whole(crashed(again), 520)


@pytest.mark.parametrize("damaged", ["log", "index", "progress", "shorter log", "shorter index"])
def test_a_mark_that_does_not_fit_the_files_costs_a_whole_scan_and_nothing_else(
    log: ReplicaLog, damaged: str
) -> None:
    log.checkpoint_hw()
    size_bytes = log.size_bytes
    log.abandon()
    name = {"log": f"{0:020d}.log", "index": f"{0:020d}.index", "progress": "progress"}[damaged.split()[-1]]
    path = log.directory / name
    data = bytearray(path.read_bytes())
    if damaged.startswith("shorter"):
        del data[-20:]
    else:
        data[-20] ^= 4
    path.write_bytes(data)
    again = ReplicaLog.open(log.directory, SETTINGS)
    is_torn = damaged.endswith("log")
    assert again.leo == (499 if is_torn else 500)
    assert (again.report.torn_tail is not None) == is_torn
    assert again.report.verified_bytes >= size_bytes - 20
    assert len(values_of(again)) == again.leo


def test_a_mark_that_did_not_fit_is_gone_before_other_records_lie_there(log: ReplicaLog) -> None:
    log.sync()
    log.checkpoint_hw()
    log.abandon()
    path = log.directory / f"{0:020d}.log"
    path.write_bytes(path.read_bytes()[:2_000])
    again = ReplicaLog.open(log.directory, replace(SETTINGS, mark_step_bytes=1 << 20))
    assert not (log.directory / "progress").exists()
    while again.size_bytes < 60_000:
        append(again, b"another record, of another size")
    count = again.leo
    expect_whole(crashed(again, REBOOTED), count)


@pytest.mark.parametrize("rolled", [1, 3])
def test_segments_closed_since_the_mark_are_verified_and_earlier_ones_are_not(
    tmp_path: Path, rolled: int
) -> None:
    settings = replace(SETTINGS, segment_bytes=30_000)
    log = ReplicaLog.open(tmp_path / "t-0", settings)
    while log.leo < 1 or not log.will_roll(200):
        append(log, b"x" * 100)
    log.checkpoint_hw()
    for _ in range(rolled):
        append(log, b"y" * 100)
        while not log.will_roll(200):
            append(log, b"y" * 100)
    count = log.leo
    again = crashed(log, settings)
    expect_whole(again, count)
    active = again.size_bytes - rolled * (again.size_bytes // (rolled + 1))
    closed = 30_000 if rolled > 1 else 2_000  # with one roll the mark is in the segment that was closed
    assert again.report.verified_bytes < active + closed + 1_000
    again.checkpoint_hw()  # a mark in the active segment: now all closed ones are known to be durable
    last = crashed(again, settings)
    expect_whole(last, count)
    assert last.report.verified_bytes < 5_000


def test_after_a_failed_sync_a_volatile_mark_proves_nothing(tmp_path: Path) -> None:
    files = FaultyFiles()
    log = ReplicaLog.open(tmp_path / "t-0", SETTINGS, open_files=OpenFiles(files=files))
    append_each(log, 500)
    log.checkpoint_hw()
    files.faults["fsync"] = IO_ERROR
    with pytest.raises(StorageSyncError):
        log.sync()
    files.faults.clear()
    again = crashed(log)
    assert again.leo == 500
    assert again.report.verified_bytes == again.size_bytes


def test_a_clean_stop_leaves_times_and_the_checksum_of_the_index(log: ReplicaLog) -> None:
    log.close()
    marker = json.loads((log.directory / "clean").read_text())
    assert marker["index_crc"]
    again = ReplicaLog.open(log.directory, SETTINGS)
    assert again.report.was_clean
    assert again.report.verified_bytes < 2_000
    again.close()
    index = log.directory / f"{0:020d}.index"
    data = bytearray(index.read_bytes())
    data[9] ^= 1  # well-formed still, and wrong
    index.write_bytes(data)
    again = ReplicaLog.open(log.directory, SETTINGS)
    assert not again.report.was_clean
    expect_whole(again, 500)
