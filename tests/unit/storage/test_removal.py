"""Deleting replicas."""

from pathlib import Path

import pytest

from fluvio_local_cluster.storage import (
    LogSettings,
    OpenFiles,
    ReplicaLog,
    StorageWriteError,
    purge_trash,
    remove,
    replica_directory,
)
from tests.support.faulty_files import IO_ERROR, FaultyFiles
from tests.support.record_sets import append, values_of


def removed(base: Path, at_s: float, files: FaultyFiles | None = None) -> Path | None:
    return remove(replica_directory(base, 5001, "t", 0), clock=lambda: at_s, files=files)


def filled(base: Path, value: bytes = b"old") -> ReplicaLog:
    log = ReplicaLog.open(replica_directory(base, 5001, "t", 0), LogSettings(), open_files=OpenFiles())
    append(log, value)
    return log


def test_a_removed_replica_is_out_of_sight_at_once_and_never_comes_back(tmp_path: Path) -> None:
    log = filled(tmp_path)
    piece = log.read(0, 100, 1)
    assert piece is not None
    log.abandon()
    place = removed(tmp_path, 100.0)
    assert place == tmp_path / "trash" / "t-0.100000000000"
    assert not log.directory.exists()
    assert values_of(filled(tmp_path, b"new")) == [b"new"]
    with piece:
        assert b"old" in piece.read_bytes()


def test_two_removals_in_the_same_instant_do_not_collide(tmp_path: Path) -> None:
    places = set()
    for _ in range(2):
        filled(tmp_path).abandon()
        places.add(removed(tmp_path, 100.0))
    assert len(places) == 2


def test_removing_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    assert removed(tmp_path, 1.0) is None


def test_the_trash_is_purged_by_age_and_only_of_our_own(tmp_path: Path) -> None:
    assert purge_trash(tmp_path, 0) == 0
    for at_s in (100.0, 200.0):
        filled(tmp_path).abandon()
        removed(tmp_path, at_s)
    (tmp_path / "trash" / "notes").write_text("a stranger's")
    assert purge_trash(tmp_path, 150, clock=lambda: 300.0) == 1
    assert sorted(path.name for path in (tmp_path / "trash").iterdir()) == ["notes", "t-0.200000000000"]
    assert purge_trash(tmp_path, 0, clock=lambda: 300.0) == 1


def test_removal_is_durable_and_its_failure_typed(tmp_path: Path) -> None:
    filled(tmp_path).abandon()
    files = FaultyFiles()
    files.faults["replace"] = IO_ERROR
    with pytest.raises(StorageWriteError):
        removed(tmp_path, 1.0, files)
    files.faults.clear()
    files.calls.clear()
    removed(tmp_path, 1.0, files)
    synced = [Path(str(subject)).name for name, subject in files.calls if name == "fsync"]
    assert synced == ["spu-logs-5001", "trash"]
