"""Slices: what a reader gets of a log, and the shell around `reading.locate` that opens files for it."""

import logging

from fluvio_local_cluster.storage import markers
from fluvio_local_cluster.storage.errors import (
    DamagedRangeError,
    OffsetEvictedError,
    StorageError,
    StorageReadError,
    write_failure,
)
from fluvio_local_cluster.storage.files import Files
from fluvio_local_cluster.storage.open_files import OpenFile
from fluvio_local_cluster.storage.reading import DisagreementError, IndexFile, Read, locate
from fluvio_local_cluster.storage.segment import Extent, Segment, SegmentSet
from fluvio_local_cluster.storage.verifying import examine_segment, replace_holes

_logger = logging.getLogger(__name__)


class Slice:
    """Whole batches in one open segment file: `loop.sendfile(transport, slice.file, position, size_bytes)`.

    The bytes stay readable, even when the file is removed meanwhile, until `release` is called (once; more
    calls do nothing).
    """

    __slots__ = ("_files", "_is_released", "file", "first_offset", "next_offset", "position", "size_bytes")

    def __init__(self, file: OpenFile, extent: Extent, files: Files) -> None:
        self.file = file
        self.position = extent.position  # bytes
        self.size_bytes = extent.size_bytes
        self.first_offset = extent.first_offset  # base offset of the first batch: at or before the one asked
        self.next_offset = extent.next_offset  # where to read on
        self._files = files
        self._is_released = False

    def fileno(self) -> int:
        """The descriptor of the segment file."""
        return self.file.fd

    def read_bytes(self) -> bytes:
        """The batches themselves, for transports that cannot send files. Raises `StorageReadError`."""
        parts: list[bytes] = []
        position, stop = self.position, self.position + self.size_bytes
        while position < stop:
            try:
                part = self._files.pread(self.file.fd, stop - position, position)
            except OSError as exc:
                raise StorageReadError(f"reading a slice: {exc.strerror or exc}", exc.errno) from exc
            if not part:
                raise StorageReadError("a segment file is shorter than it was", None)
            parts.append(part)
            position += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def release(self) -> None:
        """Let go of the file."""
        if not self._is_released:
            self._is_released = True
            self.file.release()

    def __enter__(self) -> "Slice":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Slicer:
    """Cuts slices out of the segments of one log."""

    __slots__ = ("_files", "_interval_bytes", "_open_files", "_segments")

    def __init__(self, segments: SegmentSet, interval_bytes: int) -> None:
        self._segments = segments
        self._interval_bytes = interval_bytes
        self._open_files = segments.open_files
        self._files = segments.open_files.files

    def cut(self, start: int, upper: int, max_bytes: int) -> Slice | None:
        """As `ReplicaLog.read`, for a `start` that the log has and `start` < `upper` <= LEO."""
        segments = self._segments
        extent = None
        with segments.lock:
            if start < segments.first_offset:
                raise OffsetEvictedError(start, segments.first_offset)
            segment = segments.with_offset(start)
            if segments.holes:
                upper = segments.upper_bound_from(start, upper)
            recent = segment.recent
            if recent is not None and start >= recent.first_offset:
                extent = recent.locate(start, upper, max_bytes)
                if extent is None:
                    return None
        try:
            file = self._open_files.acquire(segment.path)
        except OSError as exc:
            raise self._cannot_open(segment, start, exc) from exc
        try:
            if extent is None:
                extent = self._search(segment, file, start, upper, max_bytes)
            if extent is not None:
                return Slice(file, extent, self._files)
        except BaseException:
            file.release()
            raise
        file.release()
        return None

    def _search(
        self, segment: Segment, file: OpenFile, start: int, upper: int, max_bytes: int
    ) -> Extent | None:
        read = self._reader(file, segment.path)
        try:
            extent = self._locate(segment, read, start, upper, max_bytes)
        except DisagreementError as exc:
            if segment is self._segments.active:
                raise DamagedRangeError(start, start, segment.next_offset) from exc
            self._check_not_evicted(start, exc)
            _logger.warning(
                "index and log disagree, examining the segment path=%s cause=%s", segment.path, exc
            )
            self._examine(segment, read)
            upper = self._segments.upper_bound_from(start, upper)
            try:
                extent = self._locate(segment, read, start, upper, max_bytes)
            except DisagreementError as again:
                raise DamagedRangeError(start, start, segment.next_offset) from again
        if extent is not None:
            segment.remember(extent)
        return extent

    def _locate(self, segment: Segment, read: Read, start: int, upper: int, max_bytes: int) -> Extent | None:
        in_memory = segment.index  # an append in another thread may close the segment at any time
        if in_memory is not None:
            return locate(segment, read, in_memory, start, upper, max_bytes)
        try:
            file = self._open_files.acquire(segment.index_path)
        except OSError as exc:
            raise DisagreementError(f"{segment.index_path}: {exc}") from exc
        try:
            index = IndexFile(
                self._reader(file, segment.index_path),
                self._files.size(segment.index_path) or 0,
                segment.base_offset,
            )
            return locate(segment, read, index, start, upper, max_bytes)
        finally:
            file.release()

    def _examine(self, segment: Segment, read: Read) -> None:
        """Verify a closed segment whose index and log disagree, rebuild its index, note the damage."""
        try:
            found, _ = examine_segment(segment, read, self._interval_bytes, self._files)
            with self._segments.lock:
                holes = self._segments.holes = replace_holes(self._segments.holes, segment, found)
            markers.write_holes(self._segments.directory, holes, self._files)
        except OSError as exc:
            raise write_failure(exc, f"repairing {segment.index_path}") from exc
        finally:
            self._open_files.forget(segment.index_path)

    def _reader(self, file: OpenFile, path: str) -> Read:
        fd, pread = file.fd, self._files.pread

        def read(size_bytes: int, position: int) -> bytes:
            try:
                return pread(fd, size_bytes, position)
            except OSError as exc:
                raise StorageReadError(f"reading {path}: {exc.strerror or exc}", exc.errno) from exc

        return read

    def _check_not_evicted(self, start: int, exc: Exception) -> None:
        """What went wrong is no wonder when retention has just removed the segment."""
        first = self._segments.first_offset
        if start < first:
            raise OffsetEvictedError(start, first) from exc

    def _cannot_open(self, segment: Segment, start: int, exc: OSError) -> StorageError:
        self._check_not_evicted(start, exc)
        if isinstance(exc, FileNotFoundError) and segment is not self._segments.active:
            return DamagedRangeError(start, segment.base_offset, segment.next_offset)
        return StorageReadError(f"opening {segment.path}: {exc.strerror or exc}", exc.errno)
