"""When appended records must be on the disk, and who waits for that. Decides only; the caller runs the fsync.

`SyncPolicy` is what `--fsync` says. With `always`, `GroupCommit` lets one fsync answer for all appends that
were made before it began: with many producers the disk is asked far less often than they are answered.
"""

import heapq
import re
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from fluvio_local_cluster.storage.errors import InvalidSyncPolicyError

_INTERVAL = re.compile(r"interval:([0-9]{1,9})")

Waiter = TypeVar("Waiter")


class SyncMode(Enum):
    """The three kinds of policy."""

    NEVER = "never"  # only at roll and at an orderly stop: a crash of the machine may cost the end of the log
    INTERVAL = "interval"  # it costs at most what came in the last interval
    ALWAYS = "always"  # an answer to a producer waits for the disk: it costs nothing that was acknowledged


@dataclass(frozen=True, slots=True)
class SyncPolicy:
    """`never`, `interval:MS` or `always`. `interval_ms` is 0 unless the mode is `INTERVAL`."""

    mode: SyncMode = SyncMode.NEVER
    interval_ms: int = 0

    @classmethod
    def parse(cls, text: str) -> "SyncPolicy":
        """The policy that a user wrote. Raises `InvalidSyncPolicyError`."""
        if text in (SyncMode.NEVER.value, SyncMode.ALWAYS.value):
            return cls(SyncMode(text))
        match = _INTERVAL.fullmatch(text)
        if match is None or int(match[1]) == 0:
            raise InvalidSyncPolicyError(text)
        return cls(SyncMode.INTERVAL, int(match[1]))

    def __str__(self) -> str:
        return f"interval:{self.interval_ms}" if self.mode is SyncMode.INTERVAL else self.mode.value

    @property
    def acknowledges_synced(self) -> bool:
        """Whether a producer gets its answer only when its records are on the disk."""
        return self.mode is SyncMode.ALWAYS


class GroupCommit(Generic[Waiter]):
    """Which appends wait for the disk, and whether an fsync must be begun for them. One for each log.

    A waiter is whatever the caller wants back, such as a future. For one thread only: the caller's loop.
    The cycle is: `wait`; as long as `begin` says so, run `ReplicaLog.sync` in a worker thread, then answer
    what `complete` (or `fail`) returns.
    """

    __slots__ = ("_count", "_is_running", "_waiting", "synced_leo")

    def __init__(self, synced_leo: int) -> None:
        """`synced_leo`: records below are on the disk."""
        self.synced_leo = synced_leo
        self._waiting: list[tuple[int, int, Waiter]] = []  # heap of (leo, count, waiter)
        self._count = 0  # so that waiters for the same offset are never compared
        self._is_running = False

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self, leo: int, waiter: Waiter) -> bool:
        """Whether everything below `leo` is on the disk already; if not, `waiter` is kept until it is."""
        if leo <= self.synced_leo:
            return True
        self._count += 1
        heapq.heappush(self._waiting, (leo, self._count, waiter))
        return False

    def begin(self) -> bool:
        """Whether the caller must start an fsync now: someone waits and none is running."""
        if self._is_running or not self._waiting:
            return False
        self._is_running = True
        return True

    def complete(self, synced_leo: int) -> list[Waiter]:
        """The fsync that `begin` asked for has covered everything below `synced_leo`: who may be answered."""
        self._is_running = False
        return self.note(synced_leo)

    def note(self, synced_leo: int) -> list[Waiter]:
        """As `complete`, for records that came to the disk another way (a roll, an orderly stop)."""
        self.synced_leo = max(self.synced_leo, synced_leo)
        satisfied: list[Waiter] = []
        while self._waiting and self._waiting[0][0] <= self.synced_leo:
            satisfied.append(heapq.heappop(self._waiting)[2])
        return satisfied

    def fail(self) -> list[Waiter]:
        """The fsync failed, or the log is closed: all who wait must be told so. None of them is kept."""
        self._is_running = False
        waiters = [waiter for _, _, waiter in self._waiting]
        self._waiting.clear()
        return waiters
