"""The log of one replica: append, read, roll, checkpoint. Synchronous; methods wait for nothing but the disk.

Files: docs/storage-format.md. The caller decides which thread runs what: an append that does not roll
(`will_roll`) and a read at the end of the log take microseconds; rolling, `sync`, `open`, `close` and reads
far back wait for the disk and belong into a worker thread. One append runs at a time, reads may run beside.
"""

import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fluvio_local_cluster.storage import checkpoint, layout, markers
from fluvio_local_cluster.storage.errors import (
    DamagedRangeError,
    InvalidBatchError,
    LogClosedError,
    MessageTooLargeError,
    OffsetEvictedError,
    OffsetOutOfRangeError,
    StorageError,
    StorageReadError,
    StorageSyncError,
    StorageWriteError,
    write_failure,
)
from fluvio_local_cluster.storage.index import LARGEST
from fluvio_local_cluster.storage.markers import CleanMarker, ReplicaIdentity
from fluvio_local_cluster.storage.open_files import OpenFiles
from fluvio_local_cluster.storage.opening import (
    create_segment,
    examine_segment,
    open_directory,
    replace_holes,
)
from fluvio_local_cluster.storage.reading import (
    DisagreementError,
    IndexFile,
    IndexLookup,
    Read,
    Slice,
    locate,
)
from fluvio_local_cluster.storage.recovery import RecoveryReport
from fluvio_local_cluster.storage.segment import Extent, RecentBatches, Segment
from fluvio_protocol.batch import BatchHeader, crc_matches, stamp
from fluvio_protocol.compression import Codec
from fluvio_types.defaults import INDEX_INTERVAL_BYTES, MAX_REQUEST_BYTES, SEGMENT_BYTES

_logger = logging.getLogger(__name__)
_LAST_CODEC = max(Codec)


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What a log needs to know from outside. `ReplicaLog.settings` may be replaced while it is in use."""

    segment_bytes: int = SEGMENT_BYTES  # a segment becomes larger only by a batch that is
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


@dataclass(slots=True)
class _Mark:
    """The end of the log before an append, to go back to."""

    segments: int
    size_bytes: int
    next_offset: int
    index_entries: int
    index_pending_bytes: int


class ReplicaLog:
    """See the module. Made by `ReplicaLog.open`; `report` says what opening found."""

    def __init__(
        self,
        directory: Path,
        settings: LogSettings,
        open_files: OpenFiles,
        segments: list[Segment],
        hw: int,
        report: RecoveryReport,
    ) -> None:
        self.directory = directory
        self.settings = settings
        self.report = report
        self._open_files = open_files
        self._files = open_files.files
        self._segments = segments
        self._bases = [segment.base_offset for segment in segments]
        self._holes = list(report.holes)
        self._leo = segments[-1].next_offset
        self._hw = hw
        self._checkpointed_hw = -1
        self._size_bytes = sum(segment.size_bytes for segment in segments)
        self._append_lock = threading.Lock()
        self._state_lock = (
            threading.Lock()
        )  # guards what appends change and reads look at; never held over I/O
        self._unfinished: _Mark | None = None  # a failed append whose undoing failed, too
        self._failure: StorageSyncError | None = None  # an fsync failed: no append may succeed any more
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
        """Create the directory, or recover what it holds (may read a whole segment).

        `open_files` is shared by the logs of a process. `clock`: seconds since 1970. `single_replica`: nobody
        else has the data, so all of it is committed and HW := LEO. Raises `StorageError`.
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
        return cls(directory, settings, open_files, opened.segments, hw, opened.report)

    @property
    def log_start(self) -> int:
        """The first offset that is there."""
        return self._bases[0]

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

    # --- append -------------------------------------------------------------------------------------------

    def will_roll(self, size_bytes: int) -> bool:
        """Whether appending so many bytes closes a segment, which waits for an fsync."""
        active = self._segments[-1]
        return active.size_bytes > 0 and active.size_bytes + size_bytes > self.settings.segment_bytes

    def append(
        self, records: bytearray | memoryview, headers: Sequence[BatchHeader], leader_epoch: int
    ) -> AppendResult:
        """Append all batches of a record set, or none.

        `headers` are those of `batch.split(records)` and must cover `records` wholly. Base offsets and epoch
        are written into `records`, which stays the caller's. Raises `InvalidBatchError`,
        `MessageTooLargeError`, `PartitionFullError`, `StorageWriteError`, `LogClosedError`.
        """
        with self._append_lock:
            self._check_batches(records, headers)
            self._check_writable()
            offset = self._leo
            for header in headers:
                stamp(records, header.position, offset, leader_epoch)
                offset += header.last_offset_delta + 1
            mark = self._mark()
            try:
                self._write(records, headers)
            except BaseException as exc:
                self._undo(mark)
                if isinstance(exc, OSError):
                    raise write_failure(exc, f"appending to {self.directory}") from exc
                raise
            with self._state_lock:
                for segment in self._segments[mark.segments - 1 : -1]:
                    segment.index = segment.recent = None  # closed
                base, self._leo = self._leo, offset
                self._size_bytes += len(records)
            return AppendResult(base, offset)

    def _check_batches(self, records: bytearray | memoryview, headers: Sequence[BatchHeader]) -> None:
        limit = min(self.settings.max_batch_bytes, self.settings.segment_bytes)
        position = 0
        for header in headers:
            if header.size_bytes > limit:
                raise MessageTooLargeError(header.size_bytes, limit)
            if header.last_offset_delta < 0:
                raise InvalidBatchError("a batch has no records")
            if header.codec_number > _LAST_CODEC:
                raise InvalidBatchError(f"a batch has the unknown codec {header.codec_number}")
            if header.position != position:
                raise InvalidBatchError("the headers are not those of the record set")
            if not crc_matches(records, header):
                raise InvalidBatchError("the CRC of a batch does not match its bytes")
            position += header.size_bytes
        if position != len(records) or not position:
            raise InvalidBatchError("the record set does not consist of whole batches")

    def _check_writable(self) -> None:
        self._check_open()
        if self._failure is not None:
            raise StorageSyncError(str(self._failure), self._failure.errno)
        if self._unfinished is not None:
            self._undo(self._unfinished)
            if self._unfinished is not None:
                raise StorageWriteError(f"{self.directory}: a failed append could not be undone", None)

    def _write(self, records: bytearray | memoryview, headers: Sequence[BatchHeader]) -> None:
        """Write runs of batches, one per segment they go to."""
        segment_bytes = self.settings.segment_bytes
        first, offset = 0, self._leo
        size = self._segments[-1].size_bytes
        for i, header in enumerate(headers):
            if size and size + header.size_bytes > segment_bytes:
                if i > first:
                    offset = self._write_run(records, headers[first:i], offset)
                self._roll(offset)
                first, size = i, 0
            size += header.size_bytes
        self._write_run(records, headers[first:] if first else headers, offset)

    def _write_run(self, records: bytearray | memoryview, headers: Sequence[BatchHeader], offset: int) -> int:
        """Write batches to the active segment with one system call; returns the offset after them."""
        segment = self._segments[-1]
        index, recent = segment.index, segment.recent
        assert index is not None
        assert recent is not None
        start = headers[0].position
        stop = headers[-1].position + headers[-1].size_bytes
        position = segment.size_bytes
        file = self._open_files.acquire(segment.path)
        try:
            if stop - start == len(records):
                self._files.write_all(file.fd, records, position)
            else:
                self._files.write_all(file.fd, memoryview(records)[start:stop], position)
        finally:
            file.release()
        with self._state_lock:
            for header in headers:
                index.note(offset, position, header.size_bytes)
                position += header.size_bytes
                offset += header.last_offset_delta + 1
                recent.add(offset, position)
            segment.size_bytes = position
            segment.next_offset = offset
        return offset

    def _roll(self, base_offset: int) -> None:
        """Close the active segment, durably, and begin the next one: never a hole before newer data."""
        closing = self._segments[-1]
        assert closing.index is not None
        self._fsync(closing)
        self._files.write_new(closing.index_path, closing.index.to_bytes(), durable=True)
        segment = create_segment(self.directory, base_offset, self.settings.index_interval_bytes, self._files)
        with self._state_lock:
            self._segments.append(segment)
            self._bases.append(base_offset)

    def _fsync(self, segment: Segment) -> None:
        try:
            file = self._open_files.acquire(segment.path)
            try:
                self._files.fsync(file.fd)
            finally:
                file.release()
        except OSError as exc:
            # the system may have dropped the pages: a later fsync that succeeds would prove nothing
            self._failure = StorageSyncError(
                f"{self.directory}: fsync failed ({exc.strerror or exc}), the replica must be reopened",
                exc.errno,
            )
            raise self._failure from exc

    def _mark(self) -> _Mark:
        active = self._segments[-1]
        assert active.index is not None
        return _Mark(
            len(self._segments),
            active.size_bytes,
            active.next_offset,
            len(active.index),
            active.index.pending_bytes,
        )

    def _undo(self, mark: _Mark) -> None:
        """Go back to `mark`; when the disk refuses, remember to try again before the next append."""
        self._unfinished = mark
        with self._state_lock:
            active = self._segments[mark.segments - 1]
            assert active.index is not None
            for segment in self._segments[mark.segments :]:
                self._open_files.forget(segment.path)
            del self._segments[mark.segments :], self._bases[mark.segments :]
            active.size_bytes, active.next_offset = mark.size_bytes, mark.next_offset
            active.index.cut(mark.index_entries, mark.index_pending_bytes)
            active.recent = RecentBatches(mark.next_offset, mark.size_bytes)
        try:
            for name in self._files.listdir(str(self.directory)):
                base = layout.base_offset_of(name, layout.LOG_SUFFIX)
                if base is not None and base > active.base_offset:
                    self._files.unlink(str(self.directory / name))
            file = self._open_files.acquire(active.path)
            try:
                self._files.truncate(file.fd, mark.size_bytes)
            finally:
                file.release()
        except OSError:
            return  # `_unfinished` stays: `_check_writable` undoes again and refuses appends until it works
        self._unfinished = None

    # --- offsets and durability ---------------------------------------------------------------------------

    def set_hw(self, hw: int) -> int:
        """Raise the HW, at most to the LEO; it never goes back. Returns the HW."""
        with self._state_lock:
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
            self._fsync(self._segments[-1])
            return self._leo

    # --- read ---------------------------------------------------------------------------------------------

    def read(self, start: int, max_bytes: int, upper_bound: int) -> Slice | None:
        """Whole batches from the one that contains `start` on, all below `upper_bound`, from one segment.

        At most `max_bytes`, but one batch at least. `upper_bound` is HW or LEO. None when there is nothing
        (yet). The caller releases the slice. Raises `OffsetOutOfRangeError`, `OffsetEvictedError`,
        `DamagedRangeError`, `StorageReadError`, `LogClosedError`.
        """
        with self._state_lock:
            self._check_open()
            if start > self._leo:
                raise OffsetOutOfRangeError(start, self._leo)
            if start < self._bases[0]:
                raise OffsetEvictedError(start, self._bases[0])
            upper = min(upper_bound, self._leo)
            if start >= upper:
                return None
            segment = self._segments[bisect_right(self._bases, start) - 1]
            if self._holes:
                upper = self._below_hole(start, upper)
            recent, extent = segment.recent, None
            is_recent = recent is not None and start >= recent.first_offset
            if recent is not None and is_recent:
                extent = recent.locate(start, upper, max_bytes)
                if extent is None:
                    return None
        try:
            file = self._open_files.acquire(segment.path)
        except OSError as exc:
            raise self._vanished_or_unreadable(segment, start, exc) from exc
        try:
            if extent is None:
                extent = self._locate(segment, self._reader(file.fd), start, upper, max_bytes)
            if extent is not None:
                return Slice(file, extent, self._files)
        except BaseException:
            file.release()
            raise
        file.release()
        return None

    def _below_hole(self, start: int, upper: int) -> int:
        for hole in self._holes:
            if hole.start <= start < hole.stop:
                raise DamagedRangeError(start, hole.start, hole.stop)
            if start < hole.start < upper:
                return hole.start
        return upper

    def _locate(self, segment: Segment, read: Read, start: int, upper: int, max_bytes: int) -> Extent | None:
        try:
            extent = self._search(segment, read, start, upper, max_bytes)
        except DisagreementError as exc:
            if segment is self._segments[-1]:
                raise DamagedRangeError(start, start, self._leo) from exc
            self._examine(segment, read)
            upper = self._below_hole(start, upper)
            try:
                extent = self._search(segment, read, start, upper, max_bytes)
            except DisagreementError as again:
                raise DamagedRangeError(start, start, segment.next_offset) from again
        if extent is not None:
            segment.remember(extent)
        return extent

    def _search(self, segment: Segment, read: Read, start: int, upper: int, max_bytes: int) -> Extent | None:
        index: IndexLookup | None = segment.index
        if index is not None:
            return locate(segment, read, index, start, upper, max_bytes)
        try:
            file = self._open_files.acquire(segment.index_path)
        except OSError as exc:
            raise DisagreementError(f"{segment.index_path}: {exc}") from exc
        try:
            size_bytes = self._files.size(segment.index_path) or 0
            index = IndexFile(self._reader(file.fd), size_bytes, segment.base_offset)
            return locate(segment, read, index, start, upper, max_bytes)
        finally:
            file.release()

    def _examine(self, segment: Segment, read: Read) -> None:
        """Index and log of a closed segment disagree: verify it, rebuild the index, note the damage."""
        _logger.warning("index and log disagree, examining the segment path=%s", segment.path)
        segment.resume_at.clear()
        self._open_files.forget(segment.index_path)
        try:
            found = examine_segment(segment, read, self.settings.index_interval_bytes, self._files)
            with self._state_lock:
                holes = self._holes = replace_holes(self._holes, segment, found)
            markers.write_holes(self.directory, holes, self._files)
        except OSError as exc:
            raise write_failure(exc, f"repairing {segment.index_path}") from exc

    def _reader(self, fd: int) -> Read:
        pread = self._files.pread

        def read(size_bytes: int, position: int) -> bytes:
            try:
                return pread(fd, size_bytes, position)
            except OSError as exc:
                raise StorageReadError(f"reading {self.directory}: {exc.strerror or exc}", exc.errno) from exc

        return read

    def _vanished_or_unreadable(self, segment: Segment, start: int, exc: OSError) -> StorageError:
        if isinstance(exc, FileNotFoundError) and segment is not self._segments[-1]:
            return DamagedRangeError(start, segment.base_offset, segment.next_offset)
        return StorageReadError(f"opening {segment.path}: {exc.strerror or exc}", exc.errno)

    # --- end ----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Make everything durable and leave the `clean` marker, so that the next `open` need not verify.

        Slices in use stay readable. Raises `StorageError` when the disk refuses; the log is closed all the
        same, and the next `open` verifies. Does nothing when closed already.
        """
        with self._append_lock:
            if self._is_closed:
                return
            try:
                if self._failure is None and self._unfinished is None:
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
        active = self._segments[-1]
        assert active.index is not None
        self._fsync(active)
        self._files.write_atomically(active.index_path, active.index.to_bytes(), durable=True)
        checkpoint.write_hw(self.directory, self._hw, self._files, durable=True)
        sizes = tuple((segment.base_offset, segment.size_bytes) for segment in self._segments)
        markers.write_clean(self.directory, CleanMarker(self._leo, self._hw, sizes), self._files)

    def _let_go(self) -> None:
        with self._state_lock:
            self._is_closed = True
            for segment in self._segments:
                self._open_files.forget(segment.path)
                self._open_files.forget(segment.index_path)

    def _check_open(self) -> None:
        if self._is_closed:
            raise LogClosedError(f"{self.directory} is closed")
