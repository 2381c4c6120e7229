"""The log of one replica: append, read, roll, checkpoint. Synchronous; methods wait for nothing but the disk.

Files: docs/storage-format.md. The caller decides which thread runs what: an append that does not roll
(`will_roll`) and a read at the end of the log take microseconds; rolling, `sync`, `open`, `close` and reads
far back wait for the disk and belong into a worker thread. One append runs at a time, reads may run beside.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fluvio_local_cluster.storage import checkpoint, markers
from fluvio_local_cluster.storage.appending import Appender, check_batches
from fluvio_local_cluster.storage.errors import (
    LogClosedError,
    OffsetEvictedError,
    OffsetOutOfRangeError,
    write_failure,
)
from fluvio_local_cluster.storage.index import LARGEST
from fluvio_local_cluster.storage.markers import CleanMarker, Hole, ReplicaIdentity
from fluvio_local_cluster.storage.open_files import OpenFiles
from fluvio_local_cluster.storage.opening import Opened, open_directory
from fluvio_local_cluster.storage.segment import SegmentSet
from fluvio_local_cluster.storage.slices import Slice, Slicer
from fluvio_protocol.batch import BatchHeader
from fluvio_types.defaults import INDEX_INTERVAL_BYTES, MAX_REQUEST_BYTES, SEGMENT_BYTES


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What a log needs to know from outside.

    Replacing `ReplicaLog.settings` takes effect at once for `segment_bytes` and `max_batch_bytes`, the sizes
    that bound appends; for the rest at the next open.
    """

    segment_bytes: int = SEGMENT_BYTES  # no segment and no batch becomes larger
    index_interval_bytes: int = INDEX_INTERVAL_BYTES
    max_batch_bytes: int = MAX_REQUEST_BYTES
    identity: ReplicaIdentity | None = None  # None: whatever the directory holds is ours
    boot_id: str | None = None  # `markers.read_boot_id()`

    def __post_init__(self) -> None:
        if not 0 < self.segment_bytes <= LARGEST:
            raise ValueError(f"a segment has 1 to {LARGEST} bytes, not {self.segment_bytes}")


@dataclass(slots=True)
class AppendResult:
    """Where the appended records are: `base_offset` up to, not including, `leo`."""

    base_offset: int
    leo: int


class ReplicaLog:
    """See the module. Made by `ReplicaLog.open`; `report` says what opening found."""

    def __init__(
        self, directory: Path, settings: LogSettings, open_files: OpenFiles, opened: Opened, hw: int
    ) -> None:
        self.directory = directory
        self.settings = settings
        self.report = opened.report
        self._open_files = open_files
        self._files = open_files.files
        self._segments = SegmentSet(directory, opened.segments, list(opened.report.holes), open_files)
        self._appender = Appender(self._segments, settings.index_interval_bytes)
        self._slicer = Slicer(self._segments, settings.index_interval_bytes)
        self._append_lock = threading.Lock()
        self._leo = self._segments.active.next_offset
        self._hw = hw
        self._checkpointed_hw = opened.checkpointed_hw
        self._size_bytes = sum(segment.size_bytes for segment in self._segments)
        self._is_closed = False

    @classmethod
    def open(
        cls,
        directory: Path,
        settings: LogSettings,
        *,
        open_files: OpenFiles | None = None,
        clock: Callable[[], float] = time.time,
        single_replica: bool = False,
    ) -> "ReplicaLog":
        """Create the directory, or recover what it holds (may read a whole segment or two).

        `open_files` is shared by the logs of a process. `clock`: seconds since 1970. `single_replica`: nobody
        else has the data, so all of it is committed and HW := LEO. Raises `StorageError`; when it does, a
        directory that holds another replica is as it was.
        """
        if open_files is None:
            open_files = OpenFiles()
        opened = open_directory(
            directory,
            identity=settings.identity,
            boot_id=settings.boot_id,
            interval_bytes=settings.index_interval_bytes,
            files=open_files.files,
            clock=clock,
        )
        hw = opened.segments[-1].next_offset if single_replica else opened.hw
        return cls(directory, settings, open_files, opened, hw)

    @property
    def log_start(self) -> int:
        """The first offset that is there."""
        return self._segments.first_offset

    @property
    def leo(self) -> int:
        """Log end offset: the next record gets it."""
        return self._leo

    @property
    def hw(self) -> int:
        """High watermark: where the committed part ends."""
        return self._hw

    @property
    def size_bytes(self) -> int:
        """Bytes of all batches."""
        return self._size_bytes

    @property
    def holes(self) -> list[Hole]:
        """Damaged ranges that cannot be read, ascending; empty when all is well."""
        return list(self._segments.holes)

    def will_roll(self, size_bytes: int) -> bool:
        """Whether appending so many bytes closes a segment, which waits for an fsync."""
        active = self._segments.active
        return active.size_bytes > 0 and active.size_bytes + size_bytes > self.settings.segment_bytes

    def append(
        self, records: bytearray | memoryview, headers: Sequence[BatchHeader], leader_epoch: int
    ) -> AppendResult:
        """Append all batches of a record set, or none.

        `headers` are those of `batch.split(records)` and must cover `records` wholly. Base offsets and epoch
        are written into `records`, which stays the caller's. Raises `InvalidBatchError`,
        `MessageTooLargeError`, `PartitionFullError`, `StorageWriteError`, `LogClosedError`.
        """
        segment_bytes = self.settings.segment_bytes
        check_batches(records, headers, min(self.settings.max_batch_bytes, segment_bytes))
        with self._append_lock:
            self._check_open()
            base = self._leo
            leo = self._appender.append(records, headers, base, leader_epoch, segment_bytes)
            with self._segments.lock:
                self._leo = leo
                self._size_bytes += len(records)
        return AppendResult(base, leo)

    def read(self, start: int, max_bytes: int, upper_bound: int) -> Slice | None:
        """Whole batches from the one that contains `start` on, all below `upper_bound`, from one segment.

        At most `max_bytes`, but one batch at least. `upper_bound` is HW or LEO. None when there is nothing
        (yet). The caller releases the slice. Raises `OffsetOutOfRangeError`, `OffsetEvictedError`,
        `DamagedRangeError`, `StorageReadError`, `LogClosedError`.
        """
        self._check_open()
        leo = self._leo
        if start > leo:
            raise OffsetOutOfRangeError(start, leo)
        if start < self._segments.first_offset:
            raise OffsetEvictedError(start, self._segments.first_offset)
        upper = min(upper_bound, leo)
        return self._slicer.cut(start, upper, max_bytes) if start < upper else None

    def set_hw(self, hw: int) -> int:
        """Raise the HW, at most to the LEO; it never goes back. Returns the HW."""
        with self._segments.lock:
            self._hw = max(self._hw, min(hw, self._leo))
            return self._hw

    def checkpoint_hw(self) -> bool:
        """Write the HW to `replication.chk` if it changed since the last time. Raises `StorageError`."""
        hw = self._hw
        if hw == self._checkpointed_hw or self._is_closed:
            return False
        try:
            checkpoint.write_hw(self.directory, hw, self._files, durable=False)
        except OSError as exc:
            raise write_failure(exc, f"checkpointing {self.directory}") from exc
        self._checkpointed_hw = hw
        return True

    def sync(self) -> int:
        """Wait until all records are on the disk; returns the LEO up to which they are.

        Where a durability policy takes hold: without one, a segment is synced when it is closed, and the
        active one by `close`. Raises `StorageSyncError`, after which the log takes no appends.
        """
        with self._append_lock:
            self._check_open()
            self._appender.sync()
            return self._leo

    def close(self) -> None:
        """Make everything durable and leave the `clean` marker, so that the next `open` need not verify.

        Slices in use stay readable. Raises `StorageError` when the disk refuses; the log is closed all the
        same, and the next `open` verifies. Does nothing when closed already.
        """
        with self._append_lock:
            if self._is_closed:
                return
            try:
                if self._appender.is_sound:
                    self._leave_clean()
            except OSError as exc:
                raise write_failure(exc, f"closing {self.directory}") from exc
            finally:
                self._let_go()

    def abandon(self) -> None:
        """Close without making anything durable, as before a deletion; the next `open` verifies."""
        with self._append_lock:
            if not self._is_closed:
                self._let_go()

    def _leave_clean(self) -> None:
        active = self._segments.active
        assert active.index is not None
        self._appender.sync()
        self._files.write_atomically(active.index_path, active.index.to_bytes(), durable=True)
        checkpoint.write_hw(self.directory, self._hw, self._files, durable=True)
        sizes = tuple((segment.base_offset, segment.size_bytes) for segment in self._segments)
        markers.write_clean(self.directory, CleanMarker(self._leo, self._hw, sizes), self._files)

    def _let_go(self) -> None:
        with self._segments.lock:
            self._is_closed = True
            for segment in self._segments:
                self._open_files.forget(segment.path)
                self._open_files.forget(segment.index_path)

    def _check_open(self) -> None:
        if self._is_closed:
            raise LogClosedError(f"{self.directory} is closed")
