"""Guarantees G3 and G4 of one replica: what kill -9, a power loss and a failed fsync may take, and what not.

Each case runs a random history on a disk that remembers what was synced, cuts it at a random call, and opens
what is left. Policy and seed are printed, and make the same case again: change `SEEDS`.
"""

import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fluvio_local_cluster.storage import (
    LogSettings,
    OpenFiles,
    PartitionFullError,
    ReplicaLog,
    RetentionRules,
    StorageSyncError,
)
from fluvio_protocol.batch import split
from tests.support.power_loss import PowerLossError, RecordedDisk
from tests.support.record_sets import append, one_batch, values_of

SEEDS = 75  # for each policy
GROUP = 25


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory in memory, where there is such a one: no byte here needs a real disk."""
    memory = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="fluvio-power-", dir=memory if memory.is_dir() else None))
    yield directory
    shutil.rmtree(directory)


@dataclass
class History:
    """One replica through several lives; `model` has every value whose append returned, from offset 0 on."""

    policy: str
    rng: random.Random
    place: Path
    model: list[bytes] = field(default_factory=list)
    in_flight: list[bytes] = field(default_factory=list)
    promised: int = 0  # records below survive a power loss
    start: int = 0  # the log begins here
    boot: int = 0
    life: int = 0
    count: int = 0

    def __post_init__(self) -> None:
        self.settings = LogSettings(
            segment_bytes=self.rng.choice([400, 900, 3000]),
            index_interval_bytes=self.rng.choice([1, 150, 800]),
            mark_step_bytes=self.rng.choice([1, 300, 10_000]),
            verified_tail_bytes=self.rng.choice([0, 150, 64 * 1024]),
            retention=RetentionRules(max_bytes=self.rng.choice([None, None, 2500])),
        )
        self.root = self.place / "life-0"
        self.root.mkdir()
        self.disk = RecordedDisk(self.root)
        self.log: ReplicaLog | None = None

    def open(self) -> None:
        settings = replace(self.settings, boot_id=f"boot-{self.boot}")
        self.files = OpenFiles(limit=self.rng.choice([1, 50]), files=self.disk)
        self.log = ReplicaLog.open(self.root / "t-0", settings, open_files=self.files, single_replica=True)

    def append(self) -> None:
        assert self.log is not None
        batches = []
        for _ in range(self.rng.choice([1, 1, 1, 2, 5])):
            values = []
            for _ in range(self.rng.randint(1, 2)):
                values.append(b"%d." % self.count + self.rng.randbytes(self.rng.randint(0, 120)))
                self.count += 1
            batches.append(values)
        records = bytearray().join(one_batch(*values) for values in batches)
        self.in_flight = [value for values in batches for value in values]
        self.log.append(records, split(records), -1)
        self.log.set_hw(self.log.leo)
        self.model += self.in_flight
        self.in_flight = []
        if self.policy == "always":
            self.sync()

    def find_the_disk_full(self) -> None:
        """A write fails somewhere in an append, perhaps in the middle of a roll; the append is undone.

        Before the next sync a power loss may bring it back, as it may bring any append that was not answered.
        """
        self.disk.refused_write = self.rng.randint(0, 3)
        try:
            self.append()
        except PartitionFullError:
            assert self.log is not None
            self.log.sync()
            self.in_flight = []
        self.disk.refused_write = None

    def sync(self) -> None:
        assert self.log is not None
        assert self.log.sync() == self.log.leo == self.log.synced_leo

    def step(self) -> None:
        assert self.log is not None
        kind = self.rng.random()
        if kind < 0.65:
            self.append()
        elif kind < 0.7:
            self.find_the_disk_full()
        elif kind < 0.85:
            self.log.checkpoint_hw()
        elif kind < 0.9:
            if self.policy != "never":
                self.sync()
        elif kind < 0.95:
            self.start = self.log.clean(0, 0).log_start
        elif kind < 0.98:
            self.log.close()
            self.promised = len(self.model)
            self.open()
            assert self.log.report.was_clean
        else:
            self.log.abandon()  # as kill -9 between two calls
            self.open()
            assert self.log.leo == len(self.model)
        self.promised = max(self.promised, self.log.synced_leo)

    def fail_a_sync(self) -> None:
        """An fsync fails; the replica is reopened, as the SPU does.

        What is not promised: that the process dies between that and its note of it (docs/durability.md).
        """
        assert self.log is not None
        if not self.log.unsynced_bytes:
            return
        calls_left, self.disk.calls_left = self.disk.calls_left, None
        self.disk.failing_syncs = 1
        with pytest.raises(StorageSyncError):
            self.log.sync()
        assert self.log.must_reopen
        self.log.close()
        self.open()
        assert self.log.leo == len(self.model)
        self.disk.calls_left = calls_left

    def live(self) -> None:
        """Run until the power goes, or the process dies in the middle of something."""
        self.disk.calls_left = self.rng.randint(0, 150)
        try:
            self.open()
            for i in range(60):
                self.step()
                if i == 20 and self.rng.random() < 0.3:
                    self.fail_a_sync()
            self.disk.is_off = True
        except PowerLossError:
            pass
        self.life += 1
        self.files.close()
        self.disk.failing_syncs, self.disk.refused_write = 0, None
        if self.rng.random() < 0.3:
            self.come_back_from_kill()
        else:
            self.come_back_from_power_loss()

    def come_back_from_kill(self) -> None:
        self.disk.is_off, self.disk.calls_left = False, None
        self.open()
        self.check(at_least=len(self.model))

    def come_back_from_power_loss(self) -> None:
        root = self.place / f"life-{self.life}"
        self.disk.leave_as_after_power_loss(self.rng, root)
        self.root, self.disk = root, RecordedDisk(root)
        self.boot += 1
        self.open()
        self.check(at_least=self.promised)

    def check(self, at_least: int) -> None:
        log = self.log
        assert log is not None
        written = self.model + self.in_flight
        assert log.holes == []
        assert at_least <= log.leo <= len(written), log.report.lines()
        assert values_of(log) == written[log.log_start : log.leo]
        self.model, self.in_flight = written[: log.leo], []
        self.start = log.log_start
        self.append()
        assert values_of(log) == self.model[log.log_start :]
        assert log.leo == len(self.model)
        self.promised = max(min(self.promised, log.leo), log.synced_leo)
        log.abandon()


@pytest.mark.parametrize("first", range(0, SEEDS, GROUP))
@pytest.mark.parametrize("policy", ["never", "interval", "always"])
def test_what_was_promised_is_there_after_any_crash_and_the_log_is_a_prefix(
    place: Path, policy: str, first: int
) -> None:
    for seed in range(first, first + GROUP):
        directory = place / str(seed)
        directory.mkdir()
        print(f"policy {policy}, seed {seed}")
        history = History(policy, random.Random(f"{policy}-{seed}"), directory)
        for _ in range(4):
            history.live()
        shutil.rmtree(directory)


def test_wherever_a_process_dies_what_the_next_one_syncs_survives(place: Path) -> None:
    """Names and bytes that the first did not come to sync are the second one's to sync."""
    settings = LogSettings(segment_bytes=300, index_interval_bytes=100, boot_id="boot")
    calls, is_complete = 0, False
    while not is_complete:
        root = place / f"{calls}"
        root.mkdir()
        disk = RecordedDisk(root)
        disk.calls_left = calls
        files = OpenFiles(files=disk)
        written = 0
        try:
            log = ReplicaLog.open(root / "t-0", settings, open_files=files, single_replica=True)
            for i in range(8):
                append(log, b"%d" % i + b"x" * 70)
                written = log.leo
            log.close()
            is_complete = True
        except PowerLossError:
            pass
        files.close()
        disk.is_off, disk.calls_left = False, None
        log = ReplicaLog.open(root / "t-0", settings, open_files=files, single_replica=True)
        assert log.leo >= written
        append(log, b"last")
        values = values_of(log)
        assert log.sync() == len(values)
        log.abandon()
        files.close()
        disk.leave_as_after_power_loss(None, place / f"{calls}-after")
        again = ReplicaLog.open(place / f"{calls}-after" / "t-0", settings)
        assert values_of(again) == values, f"died at call {calls}"
        again.abandon()
        calls += 1
    assert calls > 20
