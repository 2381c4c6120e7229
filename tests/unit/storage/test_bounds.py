"""How far a log reaches, told without touching it."""

from pathlib import Path

import pytest

from fluvio_local_cluster.storage import Files, LogSettings, ReplicaLog
from fluvio_local_cluster.storage.bounds import Bounds, read_bounds
from fluvio_local_cluster.storage.markers import read_boot_id
from tests.support.record_sets import append_each

SETTINGS = LogSettings(
    segment_bytes=4_000, index_interval_bytes=500, boot_id=read_boot_id(), mark_step_bytes=500
)


@pytest.fixture
def log(tmp_path: Path) -> ReplicaLog:
    log = ReplicaLog.open(tmp_path / "t-0", SETTINGS)
    append_each(log, 100)
    return log


def files_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_log_in_use_reaches_to_its_last_batch_and_is_not_touched(log: ReplicaLog) -> None:
    log.checkpoint_hw()
    append_each(log, 7)
    before = files_of(log.directory)
    assert read_bounds(log.directory, Files()) == Bounds(0, 0, 107, was_closed=False)
    assert files_of(log.directory) == before


def test_after_an_orderly_close_the_marker_tells(log: ReplicaLog) -> None:
    log.set_hw(60)
    log.close()
    assert read_bounds(log.directory, Files()) == Bounds(0, 60, 100, was_closed=True)


def test_a_torn_tail_does_not_count_and_is_told_of(log: ReplicaLog) -> None:
    log.abandon()
    last = max(log.directory.glob("*.log"))
    last.write_bytes(last.read_bytes() + bytes(20))
    found = read_bounds(log.directory, Files())
    assert found is not None
    assert (found.leo, found.problem) == (100, "the header of a batch is incomplete")


def test_segments_that_are_gone_move_the_start(log: ReplicaLog) -> None:
    log.abandon()
    names = sorted(log.directory.glob("*.log"))
    assert len(names) == 2
    names[0].unlink()
    found = read_bounds(log.directory, Files())
    assert found is not None
    assert (found.start, found.leo) == (int(names[1].stem), 100)


def test_a_directory_without_segments_has_no_bounds(tmp_path: Path) -> None:
    assert read_bounds(tmp_path, Files()) is None
