"""The reserve of a disk: when records are refused, when they are taken again, and how seldom it is looked."""

from pathlib import Path

import pytest

from fluvio_local_cluster.storage import (
    DiskSpace,
    LogSettings,
    OpenFiles,
    PartitionFullError,
    ReplicaLog,
    SpaceReserve,
    StorageError,
)
from fluvio_local_cluster.storage.space import SpaceGuard
from tests.support.faulty_files import FaultyFiles, failing
from tests.support.record_sets import append, values_of

MIB = 1024 * 1024
GIB = 1024 * MIB


@pytest.mark.parametrize(
    ("total_bytes", "stop_below"),
    [(1 * GIB, 64 * MIB), (6400 * MIB, 64 * MIB), (100 * GIB, 1 * GIB), (0, 64 * MIB)],
)
def test_the_default_reserve_is_64_mib_or_one_percent_whichever_is_more(
    total_bytes: int, stop_below: int
) -> None:
    assert SpaceReserve().stop_below(total_bytes) == pytest.approx(stop_below, abs=1)


@pytest.mark.parametrize(("minimum", "share"), [(-1, 0.0), (0, -0.1), (0, 0.6)])
def test_a_reserve_that_makes_no_sense_is_refused(minimum: int, share: float) -> None:
    with pytest.raises(ValueError):
        SpaceReserve(minimum, share)


@pytest.mark.parametrize(
    ("free_mib", "is_full"),
    [
        ([100, 64, 63], [False, False, True]),
        ([63, 64, 100, 127, 128, 127, 64, 63], [True, True, True, True, False, False, False, True]),
    ],
)
def test_records_are_refused_below_the_reserve_and_taken_again_from_twice_of_it(
    free_mib: list[int], is_full: list[bool]
) -> None:
    guard = SpaceGuard(SpaceReserve(64 * MIB, 0.0))
    seen = []
    for i, free in enumerate(free_mib):
        guard.look(free * MIB, GIB, float(i))
        seen.append(guard.is_full)
    assert seen == is_full


def test_the_disk_is_looked_at_once_a_second_or_after_many_bytes() -> None:
    guard = SpaceGuard(SpaceReserve(64 * MIB, 0.0))
    assert guard.must_look(100, 0.0)
    guard.look(10 * GIB, 100 * GIB, 0.0)
    assert not guard.must_look(8 * MIB, 0.9)
    assert not guard.must_look(8 * MIB, 0.9)
    assert guard.must_look(1, 0.9)
    guard.look(10 * GIB, 100 * GIB, 0.9)
    assert not guard.must_look(1, 1.8)
    assert guard.must_look(1, 2.0)


def test_the_nearer_the_reserve_the_oftener_it_is_looked() -> None:
    guard = SpaceGuard(SpaceReserve(64 * MIB, 0.0))
    guard.look(65 * MIB, GIB, 0.0)
    assert not guard.must_look(MIB // 2, 0.0)
    assert guard.must_look(1, 0.0)


def test_a_full_disk_is_looked_at_ten_times_a_second() -> None:
    guard = SpaceGuard(SpaceReserve(64 * MIB, 0.0))
    guard.look(1 * MIB, GIB, 5.0)
    assert not guard.must_look(1, 5.05)
    assert guard.must_look(1, 5.2)


class MeasuredDisk(FaultyFiles):
    """A disk of one GiB whose free space the test sets."""

    def __init__(self) -> None:
        super().__init__()
        self.free = 900 * MIB
        self.looks = 0

    def disk_space(self, path):
        self._enter("disk_space", path)
        self.looks += 1
        return self.free, GIB


def test_a_log_refuses_records_while_the_reserve_is_touched_and_heals_by_itself(tmp_path: Path) -> None:
    disk, now = MeasuredDisk(), [0.0]
    space = DiskSpace(tmp_path, SpaceReserve(64 * MIB, 0.0), files=disk, clock=lambda: now[0])
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings(), open_files=OpenFiles(files=disk), space=space)
    append(log, b"before")
    disk.free = 10 * MIB
    append(log, b"not looked at yet")
    now[0] += 1
    for _ in range(3):
        with pytest.raises(PartitionFullError, match="10 MiB of free space") as caught:
            append(log, b"lost")
        assert "128 MiB" in (caught.value.hint or "")
    assert space.is_full
    assert disk.looks == 2
    assert values_of(log) == [b"before", b"not looked at yet"]  # reads go on
    disk.free = 127 * MIB
    now[0] += 1
    with pytest.raises(PartitionFullError):
        append(log, b"lost")
    disk.free = 128 * MIB
    now[0] += 1
    append(log, b"after")
    assert not space.is_full
    assert values_of(log)[2:] == [b"after"]


def test_many_appends_look_at_the_disk_once(tmp_path: Path) -> None:
    disk = MeasuredDisk()
    space = DiskSpace(tmp_path, files=disk, clock=lambda: 0.0)
    log = ReplicaLog.open(tmp_path / "t-0", LogSettings(), space=space)
    for _ in range(100):
        append(log, b"x")
    assert disk.looks == 1


def test_a_disk_that_cannot_be_looked_at_is_a_storage_error(tmp_path: Path) -> None:
    disk = MeasuredDisk()
    disk.faults["disk_space"] = failing(5)
    with pytest.raises(StorageError, match="looking for free space"):
        DiskSpace(tmp_path, files=disk).check()


def test_the_real_disk_has_free_space(tmp_path: Path) -> None:
    assert not DiskSpace(tmp_path, SpaceReserve(0, 0.0)).check()
