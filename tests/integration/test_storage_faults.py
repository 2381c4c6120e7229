"""F-06 and F-07: a disk that is full, a disk that fails once at any call, a disk that is slow."""

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from fluvio_local_cluster.storage import (
    LogSettings,
    OpenFiles,
    ReplicaLog,
    RetentionRules,
    StorageError,
)
from tests.support.faulty_files import IO_ERROR, NO_SPACE, FaultyFiles
from tests.support.record_sets import append, values_of

REPOSITORY = Path(__file__).parents[2]
T = TypeVar("T")

# --- a disk that is really full --------------------------------------------------------------------------

FILL = """
import sys
from pathlib import Path
from fluvio_local_cluster.storage import (
    DiskSpace, LogSettings, PartitionFullError, ReplicaLog, RetentionRules, SpaceReserve, StorageError,
)
from tests.support.record_sets import append, values_of

KIB = 1024
base = Path(sys.argv[1])
settings = LogSettings(segment_bytes=256 * KIB, boot_id="boot")
count = 0

def fill(log):
    global count
    refused = 0
    while refused < 20:
        try:
            append(log, b"%d." % count + b"x" * (count * 37 % 20_000))
            count += 1
        except PartitionFullError:
            refused += 1

def check(log):
    values = values_of(log)
    assert [int(value.split(b".")[0]) for value in values] == list(range(log.log_start, count)), "order"
    assert log.leo == count
    on_disk = sum(path.stat().st_size for path in log.directory.glob("*.log"))
    assert on_disk == log.size_bytes, (on_disk, log.size_bytes)

def free_some(log):
    rules = RetentionRules(max_bytes=log.size_bytes // 2)
    log.settings = LogSettings(segment_bytes=256 * KIB, retention=rules)
    before = log.log_start
    assert log.clean(0, 0).removed
    assert log.log_start > before

def reopened(log, space, orderly):
    try:
        log.close() if orderly else log.abandon()
    except StorageError as exc:
        print("closing:", exc)
    return ReplicaLog.open(log.directory, settings, single_replica=True, space=space)

# the disk fills to its last byte
log = ReplicaLog.open(base / "t-0", settings, single_replica=True)
fill(log)
check(log)
log = reopened(log, None, orderly=False)
check(log)
fill(log)
free_some(log)
append(log, b"%d." % count)
count += 1
check(log)
fill(log)
log = reopened(log, None, orderly=True)
check(log)

# a reserve is kept, and records are taken again by themselves once there is space
now = [0.0]
space = DiskSpace(base, SpaceReserve(512 * KIB, 0.0), clock=lambda: now[0])
log = reopened(log, space, orderly=False)
fill(log)
assert space.is_full
free_some(log)
now[0] += 1
fill(log)
free, _ = log._files.disk_space(base)
assert 400 * KIB < free < 600 * KIB, free
check(log)
log.close()
log = ReplicaLog.open(log.directory, settings, single_replica=True, space=space)
assert log.report.was_clean
check(log)
print("held", count)
"""


def in_small_tmpfs(directory: Path, size: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a mount namespace of its own where `directory` is a small disk."""
    mount = f'mount -t tmpfs -o size={size} tmpfs "$0" || exit 77; exec "$@"'
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(directory), *command],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("size", ["2m", "3000k"])
def test_a_small_disk_is_filled_freed_and_filled_again_without_a_loss(tmp_path: Path, size: str) -> None:
    if shutil.which("unshare") is None or in_small_tmpfs(tmp_path, size, "true").returncode != 0:
        pytest.skip("this system lets no one mount: test_appending.py has the same with a faulty file layer")
    result = in_small_tmpfs(tmp_path, size, sys.executable, "-c", FILL, str(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1].startswith("held ")
    assert list(tmp_path.iterdir()) == []


# --- a call that fails -----------------------------------------------------------------------------------

CALLS = ("open", "pwrite", "fsync", "truncate", "utime", "unlink", "replace")
SETTINGS = LogSettings(
    segment_bytes=600,
    index_interval_bytes=150,
    mark_step_bytes=300,
    boot_id="boot",
    retention=RetentionRules(max_bytes=2000),
)


@pytest.fixture
def place() -> Iterator[Path]:
    memory = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="fluvio-faults-", dir=memory if memory.is_dir() else None))
    yield directory
    shutil.rmtree(directory)


class Life:
    """A replica that does all it can do; what fails is tried again, as clients and the SPU do."""

    def __init__(self, directory: Path) -> None:
        self.files = FaultyFiles()
        self.open_files = OpenFiles(limit=2, files=self.files)
        self.directory = directory
        self.failures: list[StorageError] = []
        self.log: ReplicaLog

    def again(self, work: Callable[[], T]) -> T:
        for _ in range(3):
            try:
                return work()
            except StorageError as exc:
                self.failures.append(exc)
                self.log_stays_whole()
        raise AssertionError(f"three failures: {self.failures}")

    def log_stays_whole(self) -> None:
        """After a failure: what was there is there, and a log that must be reopened is."""
        if not hasattr(self, "log"):
            return
        if self.log.must_reopen:
            try:
                self.log.close()
            except StorageError as exc:
                self.failures.append(exc)
            self.again(self.open)

    def open(self) -> None:
        self.log = ReplicaLog.open(self.directory, SETTINGS, open_files=self.open_files, single_replica=True)

    def append(self, value: bytes) -> None:
        append(self.log, value)
        self.log.set_hw(self.log.leo)

    def run(self) -> list[bytes]:
        model: list[bytes] = []
        self.again(self.open)
        for life in range(3):
            for i in range(12):
                value = b"%d.%d" % (life, i) + b"x" * (i * 13 % 90)
                self.again(lambda value=value: self.append(value))
                model.append(value)
                assert self.log.leo == len(model)
                if i % 3 == 0:
                    self.again(self.log.checkpoint_hw)
                if i % 5 == 4:
                    self.again(lambda: self.log.sync())
                    self.again(lambda: self.log.checkpoint_hw())
            self.again(lambda: self.log.clean(0, 0))
            try:
                if life != 1:
                    self.log.close()
            except StorageError as exc:
                self.failures.append(exc)
            finally:
                self.log.abandon()
            self.again(self.open)
        self.files.faults.clear()
        assert self.log.leo == len(model)
        assert self.log.holes == []
        assert values_of(self.log) == model[self.log.log_start :]
        self.log.close()
        self.open()
        assert self.log.report.was_clean
        assert values_of(self.log) == model[self.log.log_start :]
        self.log.abandon()
        self.open_files.close()
        return model


def calls_of_a_life(directory: Path) -> Counter[str]:
    life = Life(directory)
    life.run()
    assert life.failures == []
    return Counter(name for name, _ in life.files.calls)


@pytest.mark.parametrize("fault", [IO_ERROR, NO_SPACE], ids=["EIO", "ENOSPC"])
@pytest.mark.parametrize("call", CALLS)
def test_whichever_call_fails_once_nothing_is_lost_or_doubled(
    place: Path, call: str, fault: Callable[[], None]
) -> None:
    total = calls_of_a_life(place / "dry")[call]
    for nth in range(total):
        life = Life(place / f"{call}-{nth}")
        seen = iter(range(1_000_000))

        def fail_on_the_nth(nth: int = nth, seen: Iterator[int] = seen) -> None:
            if next(seen) == nth:
                fault()

        life.files.faults[call] = fail_on_the_nth
        print(f"{call} number {nth} of {total}")
        life.run()


@pytest.mark.parametrize("call", ["pwrite", "fsync"])
def test_a_disk_that_fails_now_and_then_loses_nothing(place: Path, call: str) -> None:
    life = Life(place / call)
    seen = iter(range(1_000_000))

    def fail_now_and_then() -> None:
        if next(seen) % 11 == 10:
            IO_ERROR()

    life.files.faults[call] = fail_now_and_then
    life.run()
    assert len(life.failures) > 2


def test_a_truncation_that_fails_keeps_appends_away_until_it_works(place: Path) -> None:
    life = Life(place / "t-0")
    life.open()
    life.append(b"before")
    life.files.space = 10
    life.files.faults["truncate"] = IO_ERROR
    for _ in range(3):
        with pytest.raises(StorageError):
            life.append(b"lost")
        life.files.space = None
    life.files.faults.clear()
    life.append(b"after")
    assert values_of(life.log) == [b"before", b"after"]
    life.log.settings = replace(SETTINGS)
    life.log.close()
