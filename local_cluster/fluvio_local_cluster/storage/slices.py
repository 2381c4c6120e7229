"""Slices: what a reader gets of a log, and the shell around `reading.locate` that opens files for it."""

from fluvio_local_cluster.storage.checking import Checker
from fluvio_local_cluster.storage.errors import (
    DamagedRangeError,
    OffsetEvictedError,
    StorageError,
    StorageReadError,
    UncheckedError,
    cause_of,
)
from fluvio_local_cluster.storage.files import Files
from fluvio_local_cluster.storage.open_files import OpenFile
from fluvio_local_cluster.storage.reading import DisagreementError, Read, locate
from fluvio_local_cluster.storage.segment import Extent, Segment, SegmentSet


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

    __slots__ = ("_checker", "_files", "_open_files", "_segments")

    def __init__(self, segments: SegmentSet, checker: Checker) -> None:
        self._segments = segments
        self._checker = checker
        self._open_files = segments.open_files
        self._files = segments.open_files.files

    def needs_check(self, start: int, max_bytes: int) -> bool:
        """Whether `cut` may have to check something first, for `first_offset` <= `start` < LEO."""
        segments = self._segments
        if not segments.has_unchecked:
            return False
        with segments.lock:
            if start < segments.first_offset:
                return False
            segment = segments.with_offset(start)
            if segment.unchecked is None:
                return False
            recent = segment.recent
            if recent is not None and start >= recent.first_offset:
                return False
            position = segment.resume_at.get(start)
            return position is None or segment.has_unchecked(position, max_bytes)

    def cut(self, start: int, upper: int, max_bytes: int, *, wait: bool) -> Slice | None:
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
                extent = self._search(segment, file, start, upper, max_bytes, wait)
            if extent is not None:
                return Slice(file, extent, self._files)
        except BaseException:
            file.release()
            raise
        file.release()
        return None

    def _search(
        self, segment: Segment, file: OpenFile, start: int, upper: int, max_bytes: int, wait: bool
    ) -> Extent | None:
        read = self._checker.reader(file, segment.path)
        try:
            extent = self._locate(segment, read, start, upper, max_bytes)
            if extent is not None and segment.has_unchecked(extent.position, extent.size_bytes):
                if not wait:
                    raise UncheckedError(f"offset {start} was not checked yet")
                self._checker.check_extent(segment, read, extent)
        except DisagreementError as exc:
            self._check_not_evicted(start, exc)
            if not wait:
                with self._segments.lock:
                    self._segments.doubt(segment)
                raise UncheckedError(f"offset {start} is not where it should be") from exc
            self._checker.examine(segment, read, str(exc))
            self._check_not_evicted(start, exc)
            with self._segments.lock:
                upper = self._segments.upper_bound_from(start, upper)
            try:
                extent = self._locate(segment, read, start, upper, max_bytes)
            except DisagreementError as again:
                raise DamagedRangeError(start, start, segment.next_offset) from again
        if extent is not None:
            segment.remember(extent)
        return extent

    def _locate(self, segment: Segment, read: Read, start: int, upper: int, max_bytes: int) -> Extent | None:
        return self._checker.with_index(
            segment, lambda index: locate(segment, read, index, start, upper, max_bytes)
        )

    def _check_not_evicted(self, start: int, exc: Exception) -> None:
        """What went wrong is no wonder when retention has just removed the segment."""
        first = self._segments.first_offset
        if start < first:
            raise OffsetEvictedError(start, first) from exc

    def _cannot_open(self, segment: Segment, start: int, exc: OSError) -> StorageError:
        self._check_not_evicted(start, exc)
        if isinstance(exc, FileNotFoundError) and segment is not self._segments.active:
            return DamagedRangeError(start, segment.base_offset, segment.next_offset)
        return StorageReadError(f"opening {segment.path}: {cause_of(exc)}", exc.errno)
