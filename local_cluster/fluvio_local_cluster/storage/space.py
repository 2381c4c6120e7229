"""A reserve of disk space: logs stop taking records before the disk is really full, and resume by themselves.

What is left is for what must be written all the same: checkpoints, indexes, metadata, whatever else shares
the disk. `SpaceGuard` decides, with free space and time handed in; `DiskSpace` looks at the disk for it,
seldom.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fluvio_local_cluster.storage.errors import PartitionFullError, write_failure
from fluvio_local_cluster.storage.files import Files

_MIB = 1024 * 1024
_LOOK_EACH_BYTES = 16 * _MIB  # appended between two looks, less when the reserve is near
_LOOK_EACH_S = 1.0
_LOOK_EACH_S_WHEN_FULL = 0.1


@dataclass(frozen=True, slots=True)
class SpaceReserve:
    """Records are refused while less than `minimum_bytes`, or than `share` of the disk, is free."""

    minimum_bytes: int = 64 * _MIB
    share: float = 0.01  # of the disk's size

    def __post_init__(self) -> None:
        if self.minimum_bytes < 0 or not 0 <= self.share <= 0.5:
            raise ValueError("a reserve is not negative, and at most half of the disk")

    def stop_below(self, total_bytes: int) -> int:
        """With less free bytes than these, records are refused; with twice as many they are taken again."""
        return max(self.minimum_bytes, int(total_bytes * self.share))


class SpaceGuard:
    """Whether records are taken. Times in seconds, of any clock that never jumps."""

    __slots__ = (
        "_budget_bytes",
        "_looked_at_s",
        "_reserve",
        "_spent_bytes",
        "free_bytes",
        "is_full",
        "needed_bytes",
    )

    def __init__(self, reserve: SpaceReserve) -> None:
        self._reserve = reserve
        self._looked_at_s: float | None = None
        self._spent_bytes = 0  # appended since the last look
        self._budget_bytes = 0  # may be appended before the next look
        self.free_bytes = 0  # at the last look
        self.needed_bytes = 0  # free bytes from which records are taken again; 0 while they are
        self.is_full = False

    def must_look(self, size_bytes: int, now_s: float) -> bool:
        """Whether the disk has to be looked at before `size_bytes` more are appended; counts them."""
        self._spent_bytes += size_bytes
        if self._looked_at_s is None:
            return True
        waited_s = now_s - self._looked_at_s
        if self.is_full:
            return waited_s >= _LOOK_EACH_S_WHEN_FULL
        return self._spent_bytes > self._budget_bytes or waited_s >= _LOOK_EACH_S

    def look(self, free_bytes: int, total_bytes: int, now_s: float) -> None:
        """Take notice of what is free of a disk."""
        stop_below = self._reserve.stop_below(total_bytes)
        self.is_full = free_bytes < (2 * stop_below if self.is_full else stop_below)
        self.needed_bytes = 2 * stop_below if self.is_full else 0
        self.free_bytes = free_bytes
        self._looked_at_s = now_s
        self._spent_bytes = 0
        # others write to the disk, too: come back when a half of what may be taken is
        self._budget_bytes = min(_LOOK_EACH_BYTES, max(0, free_bytes - stop_below) // 2)


class DiskSpace:
    """The guard of one file system, shared by all logs on it.

    Several threads may ask at once: a count may then be a little wrong, which a reserve is there for.
    """

    __slots__ = ("_clock", "_files", "_guard", "path")

    def __init__(
        self,
        path: Path,
        reserve: SpaceReserve | None = None,
        *,
        files: Files | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`path`: a directory that exists on the file system."""
        self.path = path
        self._guard = SpaceGuard(reserve if reserve is not None else SpaceReserve())
        self._files = files if files is not None else Files()
        self._clock = clock

    @property
    def is_full(self) -> bool:
        """Whether records were refused at the last look: the replicas here are out of storage."""
        return self._guard.is_full

    def check(self) -> bool:
        """Look at the disk now; returns `is_full`. Raises `StorageError`."""
        try:
            free_bytes, total_bytes = self._files.disk_space(self.path)
        except OSError as exc:
            raise write_failure(exc, f"looking for free space at {self.path}") from exc
        self._guard.look(free_bytes, total_bytes, self._clock())
        return self._guard.is_full

    def admit(self, size_bytes: int) -> None:
        """Let `size_bytes` be appended, or raise `PartitionFullError`. Costs a microsecond or less."""
        guard = self._guard
        if guard.must_look(size_bytes, self._clock()):
            self.check()
        if guard.is_full:
            raise PartitionFullError(
                f"{self.path} has {guard.free_bytes // _MIB} MiB of free space, the reserve is being kept",
                hint=f"free disk space; records are taken again from {guard.needed_bytes // _MIB} MiB on",
            )
