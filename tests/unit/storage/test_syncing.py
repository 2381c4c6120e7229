"""When records are on the disk, who waits for it, and what a failed fsync means."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_local_cluster.storage import (
    GroupCommit,
    InvalidSyncPolicyError,
    LogSettings,
    OpenFiles,
    ReplicaLog,
    StorageSyncError,
    StorageWriteError,
    SyncMode,
    SyncPolicy,
)
from tests.support.faulty_files import IO_ERROR, FaultyFiles, failing
from tests.support.record_sets import append, append_each, one_batch, values_of

SMALL = LogSettings(segment_bytes=1000, index_interval_bytes=200)

# --- policy ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("never", SyncPolicy()),
        ("always", SyncPolicy(SyncMode.ALWAYS)),
        ("interval:1", SyncPolicy(SyncMode.INTERVAL, 1)),
        ("interval:60000", SyncPolicy(SyncMode.INTERVAL, 60_000)),
    ],
)
def test_a_policy_is_read_as_it_is_printed(text: str, policy: SyncPolicy) -> None:
    assert SyncPolicy.parse(text) == policy
    assert str(policy) == text
    assert policy.acknowledges_synced == (text == "always")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Never",
        "interval",
        "interval:",
        "interval:0",
        "interval:-5",
        "interval:1s",
        "interval:٣",
        " always",
    ],
)
def test_what_is_no_policy_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(InvalidSyncPolicyError) as caught:
        SyncPolicy.parse(text)
    assert f"`{text}`" in str(caught.value)
    assert "interval:MS" in (caught.value.hint or "")


# --- group commit ----------------------------------------------------------------------------------------


def test_what_is_on_the_disk_already_waits_for_nothing() -> None:
    commits: GroupCommit[str] = GroupCommit(5)
    assert commits.wait(5, "a")
    assert not commits.begin()


def test_one_sync_answers_for_all_that_came_before_it_began_and_none_that_came_after() -> None:
    commits: GroupCommit[str] = GroupCommit(0)
    assert not commits.wait(1, "a")
    assert commits.begin()
    for leo, waiter in ((3, "c"), (2, "b"), (3, "d")):
        assert not commits.wait(leo, waiter)
        assert not commits.begin()  # one is running
    assert commits.complete(1) == ["a"]
    assert commits.begin()
    assert not commits.wait(4, "e")
    assert commits.complete(3) == ["b", "c", "d"]
    assert commits.begin()
    assert commits.complete(4) == ["e"]
    assert not commits.begin()
    assert len(commits) == 0


def test_a_roll_answers_too_without_ending_the_sync_that_runs() -> None:
    commits: GroupCommit[str] = GroupCommit(0)
    commits.wait(1, "a")
    assert commits.begin()
    commits.wait(2, "b")
    assert commits.note(2) == ["a", "b"]
    commits.wait(3, "c")
    assert not commits.begin()
    assert commits.complete(1) == []
    assert commits.synced_leo == 2


def test_a_failed_sync_fails_everyone() -> None:
    commits: GroupCommit[str] = GroupCommit(0)
    commits.wait(1, "a")
    commits.begin()
    commits.wait(2, "b")
    assert commits.fail() == ["a", "b"]
    assert not commits.begin()
    assert commits.synced_leo == 0


@given(st.lists(st.sampled_from(["append", "begin", "complete", "roll"]), max_size=60))
def test_every_waiter_is_answered_once_and_not_before_its_records_are_synced(steps: list[str]) -> None:
    commits: GroupCommit[int] = GroupCommit(0)
    leo = 0
    running: int | None = None
    answered: list[int] = []
    for step in [*steps, "begin", "complete", "begin", "complete"]:
        if step == "append":
            leo += 1
            assert not commits.wait(leo, leo)
        elif step == "begin":
            if commits.begin():
                assert running is None
                running = leo
        elif step == "roll":
            answered += commits.note(leo)
        elif running is not None:
            answered += commits.complete(running)
            running = None
        assert all(waiter <= commits.synced_leo for waiter in answered)
    assert answered == list(range(1, leo + 1))


# --- the log ---------------------------------------------------------------------------------------------


@pytest.fixture
def files() -> FaultyFiles:
    return FaultyFiles()


@pytest.fixture
def log(tmp_path: Path, files: FaultyFiles) -> ReplicaLog:
    log = ReplicaLog.open(tmp_path / "t-0", SMALL, open_files=OpenFiles(files=files))
    append_each(log, 5)
    return log


def syncs(files: FaultyFiles) -> int:
    return sum(name == "fsync" for name, _ in files.calls)


def test_the_log_knows_up_to_where_it_is_on_the_disk(log: ReplicaLog) -> None:
    assert (log.synced_leo, log.unsynced_bytes) == (0, log.size_bytes)
    assert log.sync() == log.synced_leo == 5
    assert log.unsynced_bytes == 0
    append(log, b"more")
    assert log.synced_leo == 5
    assert log.unsynced_bytes == len(one_batch(b"more"))


def test_syncing_what_is_synced_asks_the_disk_for_nothing(log: ReplicaLog, files: FaultyFiles) -> None:
    log.sync()
    files.calls.clear()
    assert log.sync() == 5
    assert files.calls == []


def test_closing_a_segment_puts_what_is_in_it_on_the_disk(log: ReplicaLog) -> None:
    append(log, bytes(700))
    assert log.synced_leo == 5
    assert log.leo == 6


def test_without_a_policy_appends_that_do_not_roll_sync_nothing(log: ReplicaLog, files: FaultyFiles) -> None:
    files.calls.clear()
    append_each(log, 5, 5)
    log.checkpoint_hw()
    assert syncs(files) == 0


def test_after_an_orderly_stop_all_is_on_the_disk_and_after_a_crash_not_known_to_be(log: ReplicaLog) -> None:
    log.close()
    again = ReplicaLog.open(log.directory, SMALL)
    assert again.synced_leo == 5
    append(again, b"more")
    again.abandon()
    again = ReplicaLog.open(log.directory, SMALL)
    assert (again.leo, again.synced_leo) == (6, 0)
    assert again.sync() == 6


class SlowDisk(FaultyFiles):
    """An fsync begins, tells so, and ends when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def fsync(self, fd):
        self.has_begun.set()
        assert self.may_end.wait(30)
        return super().fsync(fd)


def test_appends_and_reads_go_on_while_the_disk_is_busy_syncing(tmp_path: Path) -> None:
    disk = SlowDisk()
    disk.may_end.set()
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings(), open_files=OpenFiles(files=disk))
    append_each(log, 5)
    disk.has_begun.clear()
    disk.may_end.clear()
    results: list[int] = []
    syncing = threading.Thread(target=lambda: results.append(log.sync()))
    syncing.start()
    try:
        assert disk.has_begun.wait(30)
        append_each(log, 5, 5)
        assert len(values_of(log)) == log.leo == 10
        assert log.synced_leo == 0
        log.checkpoint_hw()
    finally:
        disk.may_end.set()
        syncing.join(30)
    assert results == [log.synced_leo] == [5]  # what came meanwhile is not covered


def test_a_failed_sync_is_final_until_the_log_was_reopened_and_written_again(
    log: ReplicaLog, files: FaultyFiles
) -> None:
    files.faults["fsync"] = IO_ERROR
    with pytest.raises(StorageSyncError):
        log.sync()
    files.faults.clear()
    assert log.must_reopen
    assert log.synced_leo == 0
    with pytest.raises(StorageSyncError):
        log.sync()
    log.close()
    files.calls.clear()
    again = ReplicaLog.open(log.directory, SMALL, open_files=OpenFiles(files=files))
    assert not again.must_reopen
    assert again.synced_leo == 5
    assert "pwrite" in [name for name, _ in files.calls]  # pages that the system took for clean
    assert any("again, of which an fsync had failed" in line for line in again.report.lines())
    assert not (log.directory / "suspect").exists()
    append(again, b"next")
    assert len(values_of(again)) == 6


def test_a_file_that_cannot_be_opened_for_a_sync_is_not_a_failed_sync(
    log: ReplicaLog, files: FaultyFiles
) -> None:
    log._open_files.close()
    files.faults["open"] = failing(24)
    with pytest.raises(StorageWriteError) as caught:
        log.sync()
    assert not isinstance(caught.value, StorageSyncError)
    files.faults.clear()
    assert not log.must_reopen
    assert log.sync() == 5
