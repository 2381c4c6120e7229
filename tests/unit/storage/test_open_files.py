"""The bounded set of descriptors that all replicas share."""

import errno
import os
from pathlib import Path

import pytest

from fluvio_local_cluster.storage import LogSettings, OpenFiles, ReplicaLog
from tests.support.faulty_files import FaultyFiles, failing
from tests.support.record_sets import append, values_of


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    made = [tmp_path / f"f{i}" for i in range(5)]
    for path in made:
        path.write_bytes(path.name.encode())
    return [str(path) for path in made]


def test_a_file_is_opened_once_and_kept(paths: list[str]) -> None:
    files = OpenFiles(limit=2)
    first, second = files.acquire(paths[0]), files.acquire(paths[0])
    assert first is second
    first.release()
    second.release()
    assert is_open(first.fd)
    files.close()
    assert not is_open(first.fd)


def test_the_file_not_used_for_longest_goes_first(paths: list[str]) -> None:
    files = OpenFiles(limit=2)
    kept = [files.acquire(path) for path in paths[:2]]
    for file in kept:
        file.release()
    files.acquire(paths[0]).release()
    files.acquire(paths[2]).release()
    assert is_open(kept[0].fd)
    assert not is_open(kept[1].fd) or kept[1].fd == files.acquire(paths[2]).fd
    files.close()


def test_a_file_in_use_survives_eviction_and_closes_with_its_last_user(paths: list[str]) -> None:
    files = OpenFiles(limit=1)
    used = files.acquire(paths[0])
    also = files.acquire(paths[0])
    others = [files.acquire(path) for path in paths[1:]]
    assert os.pread(used.fd, 10, 0) == b"f0"
    used.release()
    assert os.pread(also.fd, 10, 0) == b"f0"
    also.release()
    assert not is_open(also.fd)
    for other in others:
        other.release()
    assert len(files) == 1
    files.close()


def test_a_forgotten_file_is_opened_anew(paths: list[str]) -> None:
    files = OpenFiles()
    old = files.acquire(paths[0])
    os.unlink(paths[0])
    Path(paths[0]).write_bytes(b"new")
    files.forget(paths[0])
    new = files.acquire(paths[0])
    assert (os.pread(old.fd, 10, 0), os.pread(new.fd, 10, 0)) == (b"f0", b"new")
    old.release()
    new.release()
    files.forget("never opened")
    files.close()


def test_when_the_process_has_no_descriptor_left_kept_ones_are_given_back(paths: list[str]) -> None:
    layer = FaultyFiles()
    files = OpenFiles(limit=4, files=layer)
    for path in paths[:4]:
        files.acquire(path).release()

    def no_descriptor_once() -> None:
        layer.faults.clear()
        failing(errno.EMFILE)()

    layer.faults["open"] = no_descriptor_once
    files.acquire(paths[4]).release()
    assert len(files) == 3
    layer.faults["open"] = failing(errno.EACCES)
    with pytest.raises(PermissionError):
        files.acquire(paths[0])
    files.close()


def test_many_logs_share_few_descriptors(tmp_path: Path) -> None:
    files = OpenFiles(limit=3)
    logs = [ReplicaLog.open(tmp_path / f"t-{i}", LogSettings(), open_files=files) for i in range(20)]
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for round_ in range(3):
        for log in logs:
            append(log, b"round %d" % round_)
    for log in logs:
        assert values_of(log) == [b"round 0", b"round 1", b"round 2"]
    assert len(files) == 3
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before + 3
    for log in logs:
        log.close()
    assert len(files) == 0
