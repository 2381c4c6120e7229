"""Copies of replica directories: what they share, what they do not, and that no side ever feels the other."""

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fluvio_local_cluster.storage import (
    Files,
    LogSettings,
    OpenFiles,
    ReplicaIdentity,
    ReplicaLog,
    RetentionRules,
    layout,
    markers,
)
from fluvio_local_cluster.storage.copying import CopySettings, CopyTotals, copy_file, copy_replica
from tests.support.record_sets import append, append_each, one_batch, values_of

BOOT = "this boot"
SETTINGS = LogSettings(segment_bytes=1024, boot_id=BOOT, mark_step_bytes=256, verified_tail_bytes=64)
RUNNING = CopySettings(boot_id=BOOT, is_at_rest=False, is_durable=False)
SNAPSHOT = CopySettings(boot_id=BOOT, is_at_rest=True, is_durable=True)


class NoSharedWrites(Files):
    """The real file system, but for writes into a file that has several names: those are errors."""

    def open(self, path, flags, mode=0o777):
        if flags & os.O_TRUNC and os.path.exists(path):
            assert os.stat(path).st_nlink == 1, f"{path} is emptied"
        return os.open(path, flags, mode)

    def pwrite(self, fd, data, position):
        assert os.fstat(fd).st_nlink == 1, "a shared file is written to"
        return os.pwrite(fd, data, position)

    def truncate(self, fd, size):
        assert os.fstat(fd).st_nlink == 1, "a shared file is cut"
        return os.ftruncate(fd, size)

    def utime(self, target, *, ns):
        assert os.stat(target).st_nlink == 1, "a shared file gets another time"
        return os.utime(target, ns=ns)


def opened(directory: Path, settings: LogSettings = SETTINGS, files: Files | None = None) -> ReplicaLog:
    log = ReplicaLog.open(directory, settings, open_files=OpenFiles(files=files), single_replica=True)
    log.set_hw(log.leo)
    return log


def filled(directory: Path, count: int = 40) -> ReplicaLog:
    """A log of several segments, all committed and checkpointed, still open."""
    log = opened(directory)
    append_each(log, count)
    checkpoint(log)
    return log


def checkpoint(log: ReplicaLog) -> None:
    log.set_hw(log.leo)
    log.checkpoint_hw()


def logs_of(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.log"))


def shared(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.stat().st_nlink > 1)


def fingerprint(directory: Path, names: list[str]) -> dict[str, tuple[str, int]]:
    """Bytes and times of files."""
    return {
        name: (
            hashlib.sha256((directory / name).read_bytes()).hexdigest(),
            (directory / name).stat().st_mtime_ns,
        )
        for name in names
    }


# --- what is shared ---------------------------------------------------------------------------------------


def test_closed_committed_segments_are_linked_and_all_else_is_copied(tmp_path: Path) -> None:
    log = filled(tmp_path / "source")
    totals = CopyTotals()
    assert copy_replica(tmp_path / "source", tmp_path / "copy", RUNNING, totals)
    closed = logs_of(tmp_path / "source")[:-1]
    assert len(closed) >= 3
    expected = [path.name for path in closed] + [path.with_suffix(".index").name for path in closed]
    assert shared(tmp_path / "copy") == sorted(expected)
    assert totals.linked_bytes == sum((tmp_path / "copy" / name).stat().st_size for name in expected)
    assert totals.copied_bytes > 0
    log.close()
    assert values_of(opened(tmp_path / "copy")) == [b"record %03d" % i for i in range(40)]


def test_what_the_checkpoint_does_not_cover_is_copied_with_its_times(tmp_path: Path) -> None:
    log = filled(tmp_path / "source", 12)
    append_each(log, 20, 12)  # committed, but the checkpoint does not know
    bases = [layout.base_offset_of(path.name, ".log") for path in logs_of(tmp_path / "source")]
    assert copy_replica(tmp_path / "source", tmp_path / "copy", RUNNING, CopyTotals())
    for path, end in zip(logs_of(tmp_path / "source"), [*bases[1:], None], strict=True):
        twin = tmp_path / "copy" / path.name
        assert twin.samefile(path) == (end is not None and end <= 12)
        assert twin.stat().st_mtime_ns == path.stat().st_mtime_ns
    assert len(values_of(opened(tmp_path / "copy"))) == 32


def test_nothing_is_linked_where_a_sync_has_failed(tmp_path: Path) -> None:
    filled(tmp_path / "source")
    markers.write_suspect(tmp_path / "source", 0, Files())
    assert copy_replica(tmp_path / "source", tmp_path / "copy", RUNNING, CopyTotals())
    assert shared(tmp_path / "copy") == []
    assert not (tmp_path / "copy" / layout.SUSPECT_FILE).exists()
    assert len(values_of(opened(tmp_path / "copy"))) == 40


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A directory on another file system."""
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="fluvio-test-") as name:
        yield Path(name)


def test_on_another_file_system_all_is_copied(tmp_path: Path, elsewhere: Path) -> None:
    filled(tmp_path / "source")
    assert os.stat(elsewhere).st_dev != os.stat(tmp_path).st_dev
    totals = CopyTotals()
    assert copy_replica(tmp_path / "source", elsewhere / "copy", RUNNING, totals)
    assert totals.linked_bytes == 0
    assert len(values_of(opened(elsewhere / "copy"))) == 40
    times = [path.stat().st_mtime_ns for path in logs_of(tmp_path / "source")]
    assert [path.stat().st_mtime_ns for path in logs_of(elsewhere / "copy")] == times


def test_a_file_is_copied_whole_and_its_pieces_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(os.urandom(100_000))
    told: list[int] = []
    assert copy_file(tmp_path / "a", tmp_path / "b", told.append) == sum(told) == 100_000
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()
    with pytest.raises(FileExistsError):
        copy_file(tmp_path / "a", tmp_path / "b", told.append)


# --- nobody writes into what is shared --------------------------------------------------------------------


def live(log: ReplicaLog, name: bytes) -> None:
    """Everything that a log does: appends, rolls, a failed append, commits, retention, a roll for its age."""
    for number in range(30):
        append(log, b"%s %03d" % (name, number))
    checkpoint(log)
    log.close_segment(1)
    append(log, name)
    log.clean(2_000_000_000.0, 1.0)


@pytest.mark.parametrize("damage", ["none", "torn tail", "lost index", "wrong index", "killed"])
def test_neither_side_ever_writes_into_a_shared_file(tmp_path: Path, damage: str) -> None:
    filled(tmp_path / "source").abandon()
    assert copy_replica(tmp_path / "source", tmp_path / "copy", RUNNING, CopyTotals())
    names = shared(tmp_path / "source")
    assert len(names) >= 6
    (tmp_path / "kept").mkdir()
    for name in names:
        os.link(tmp_path / "copy" / name, tmp_path / "kept" / name)  # a name that nobody removes
    before = fingerprint(tmp_path / "kept", names)
    for side in ("source", "copy", "source"):
        directory = tmp_path / side
        if damage == "torn tail":
            with logs_of(directory)[-1].open("ab") as file:
                file.write(bytes(one_batch(b"torn"))[:-3])
        elif damage == "lost index":
            for path in directory.glob("*.index"):
                path.unlink()
        elif damage == "wrong index":
            for path in directory.glob("*.index"):
                path.unlink()
                path.write_bytes(b"\1" * 16)
        settings = replace(SETTINGS, retention=RetentionRules(max_bytes=3000))
        log = opened(directory, settings, NoSharedWrites())
        live(log, side.encode())
        log.abandon() if damage == "killed" else log.close()
    assert fingerprint(tmp_path / "kept", names) == before


def test_what_one_side_appends_the_other_never_has(tmp_path: Path) -> None:
    log = filled(tmp_path / "source")
    assert copy_replica(tmp_path / "source", tmp_path / "copy", RUNNING, CopyTotals())
    copy = opened(tmp_path / "copy")
    append(log, b"of the source")
    append(copy, b"of the copy")
    assert values_of(log)[40:] == [b"of the source"]
    assert values_of(copy)[40:] == [b"of the copy"]


def test_retention_of_one_side_leaves_the_other_its_records(tmp_path: Path) -> None:
    filled(tmp_path / "source").close()
    assert copy_replica(tmp_path / "source", tmp_path / "copy", SNAPSHOT, CopyTotals())
    log = opened(tmp_path / "source", replace(SETTINGS, retention=RetentionRules(max_bytes=1)))
    assert log.clean(2_000_000_000.0, 1.0).removed
    assert len(values_of(opened(tmp_path / "copy"))) == 40


# --- while the source is in use ---------------------------------------------------------------------------


def test_copies_of_a_log_that_grows_are_whole_and_have_all_that_was_there(tmp_path: Path) -> None:
    log = filled(tmp_path / "source", 5)
    is_enough = threading.Event()

    def grow() -> None:
        number = 5
        while not is_enough.is_set():
            append(log, b"record %03d" % number)
            checkpoint(log)
            number += 1

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        for number in range(30):
            least = log.leo
            target = tmp_path / f"copy-{number}"
            assert copy_replica(tmp_path / "source", target, RUNNING, CopyTotals())
            copy = opened(target, files=NoSharedWrites())
            values = values_of(copy)
            assert len(values) >= least
            assert values == [b"record %03d" % i for i in range(len(values))]
            assert copy.report.lines() == []
            copy.close()
    finally:
        is_enough.set()
        thread.join()


def test_a_batch_that_is_half_written_is_not_in_the_copy(tmp_path: Path) -> None:
    filled(tmp_path / "source")
    with logs_of(tmp_path / "source")[-1].open("ab") as file:
        file.write(bytes(one_batch(b"half"))[:50])
    assert copy_replica(tmp_path / "source", tmp_path / "copy", RUNNING, CopyTotals())
    copy = opened(tmp_path / "copy")
    assert copy.report.torn_tail is None
    assert copy.leo == 40


def test_of_a_crashed_log_the_torn_tail_is_left_to_recovery(tmp_path: Path) -> None:
    filled(tmp_path / "source").abandon()
    with logs_of(tmp_path / "source")[-1].open("ab") as file:
        file.write(bytes(one_batch(b"half"))[:50])
    assert copy_replica(tmp_path / "source", tmp_path / "copy", SNAPSHOT, CopyTotals())
    copy = opened(tmp_path / "copy")
    assert copy.report.torn_tail is not None
    assert copy.leo == 40


def ending(count: int, act: Callable[[], object]) -> Callable[[int], None]:
    """Do something when `count` pieces were told."""
    left = [count]

    def advance(_: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            act()

    return advance


@pytest.mark.parametrize("moment", range(1, 9))
def test_retention_meanwhile_leaves_no_gap(tmp_path: Path, moment: int) -> None:
    log = filled(tmp_path / "source")
    log.settings = replace(log.settings, retention=RetentionRules(max_bytes=2500))
    settings = replace(RUNNING, advance=ending(moment, lambda: log.clean(2_000_000_000.0, 1.0)))
    assert copy_replica(tmp_path / "source", tmp_path / "copy", settings, CopyTotals())
    copy = opened(tmp_path / "copy")
    assert log.log_start > 0
    assert copy.log_start <= log.log_start
    assert copy.report.holes == []
    assert values_of(copy) == [b"record %03d" % i for i in range(copy.log_start, 40)]


def test_a_source_that_goes_away_leaves_nothing(tmp_path: Path) -> None:
    filled(tmp_path / "source")
    settings = replace(RUNNING, advance=ending(3, lambda: shutil.rmtree(tmp_path / "source")))
    assert not copy_replica(tmp_path / "source", tmp_path / "copy", settings, CopyTotals())
    assert not (tmp_path / "copy").exists()


def test_a_source_that_is_replaced_leaves_nothing(tmp_path: Path) -> None:
    filled(tmp_path / "source")

    def replace_it() -> None:
        (tmp_path / "source").rename(tmp_path / "trash")
        filled(tmp_path / "source")

    settings = replace(RUNNING, advance=ending(3, replace_it))
    assert not copy_replica(tmp_path / "source", tmp_path / "copy", settings, CopyTotals())
    assert not (tmp_path / "copy").exists()


# --- what opening the copy verifies -----------------------------------------------------------------------


def large(directory: Path) -> ReplicaLog:
    log = opened(directory, replace(SETTINGS, segment_bytes=1 << 20))
    for number in range(400):
        append(log, b"%0200d" % number)
        checkpoint(log)
    return log


def test_a_copy_of_a_running_log_is_verified_from_its_mark_as_long_as_the_machine_runs(
    tmp_path: Path,
) -> None:
    large(tmp_path / "source")
    assert copy_replica(tmp_path / "source", tmp_path / "copy", RUNNING, CopyTotals())
    shutil.copytree(tmp_path / "copy", tmp_path / "later")
    assert 0 < opened(tmp_path / "copy").report.verified_bytes < 5_000
    later = opened(tmp_path / "later", replace(SETTINGS, boot_id="another boot"))
    assert later.report.verified_bytes > 80_000
    assert later.leo == 400


def test_a_copy_that_is_on_the_disk_keeps_its_mark_over_a_boot(tmp_path: Path) -> None:
    large(tmp_path / "source").close()
    assert copy_replica(tmp_path / "source", tmp_path / "copy", SNAPSHOT, CopyTotals())
    assert not (tmp_path / "copy" / layout.CLEAN_FILE).exists()
    assert (tmp_path / "source" / layout.CLEAN_FILE).exists()
    later = opened(tmp_path / "copy", replace(SETTINGS, boot_id="another boot"))
    assert 0 < later.report.verified_bytes < 5_000
    assert not later.report.was_clean
    assert later.leo == 400


def test_rot_behind_the_mark_of_a_copy_is_found(tmp_path: Path) -> None:
    log = large(tmp_path / "source")
    append(log, b"behind the mark")
    assert copy_replica(tmp_path / "source", tmp_path / "copy", RUNNING, CopyTotals())
    path = logs_of(tmp_path / "copy")[-1]
    with path.open("r+b") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b"XYZ")
    copy = opened(tmp_path / "copy")
    assert copy.report.torn_tail is not None
    assert copy.leo == 400


# --- whose it is ------------------------------------------------------------------------------------------


def test_a_copy_belongs_to_the_cluster_that_was_named(tmp_path: Path) -> None:
    identity = ReplicaIdentity("old", "incarnation", "t-0")
    log = opened(tmp_path / "source", replace(SETTINGS, identity=identity))
    append_each(log, 3)
    settings = replace(RUNNING, cluster_id="new")
    assert copy_replica(tmp_path / "source", tmp_path / "copy", settings, CopyTotals())
    assert markers.read_identity(tmp_path / "copy", Files()) == replace(identity, cluster="new")
    assert markers.read_identity(tmp_path / "source", Files()) == identity
    assert copy_replica(tmp_path / "source", tmp_path / "same", RUNNING, CopyTotals())
    assert markers.read_identity(tmp_path / "same", Files()) == identity


# --- closing a segment --------------------------------------------------------------------------------------


def test_a_segment_is_closed_when_it_is_large_enough(tmp_path: Path) -> None:
    log = opened(tmp_path / "source")
    assert not log.close_segment(0)  # there is nothing in it
    append_each(log, 3)
    log.set_hw(log.leo)
    size = log.size_bytes
    assert not log.close_segment(size + 1)
    assert log.close_segment(size)
    assert log.active_base_offset == 3
    assert copy_replica(tmp_path / "source", tmp_path / "copy", RUNNING, CopyTotals())
    assert len(shared(tmp_path / "copy")) == 2
    append_each(log, 2, 3)
    assert values_of(log) == [b"record %03d" % i for i in range(5)]
