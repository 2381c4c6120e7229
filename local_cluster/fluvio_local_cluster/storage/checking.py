"""Finding rot before a reader meets it: CRCs of what lies on the disk, piece by piece.

What this process appended itself was checked when it came, what opening verified was checked then. Of
everything else each piece is checked before it is first read, or when its turn comes (`Checker.check_next`).
What fails leads to an examination of the whole segment, which tells exactly which batches are lost. Rules:
docs/durability.md, "Rot".
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from fluvio_local_cluster.storage import markers, recovery
from fluvio_local_cluster.storage.errors import StorageReadError, write_failure
from fluvio_local_cluster.storage.markers import Hole
from fluvio_local_cluster.storage.open_files import OpenFile
from fluvio_local_cluster.storage.progress import End
from fluvio_local_cluster.storage.reading import DisagreementError, IndexFile, IndexLookup, Read
from fluvio_local_cluster.storage.segment import PIECE_BYTES, Extent, Segment, SegmentSet
from fluvio_local_cluster.storage.verifying import examine_segment, replace_holes

_logger = logging.getLogger(__name__)

T = TypeVar("T")
_CHUNK_BYTES = 64 * 1024  # while they are read other threads get their turn: at least each millisecond


class Checker:
    """Checks segments of one log. All methods may wait for the disk; several threads may call them."""

    __slots__ = ("_end", "_files", "_interval_bytes", "_open_files", "_segments")

    def __init__(self, segments: SegmentSet, interval_bytes: int, end: Callable[[], End]) -> None:
        """`end`: up to where the log is published; what lies behind it may be taken back."""
        self._end = end
        self._segments = segments
        self._interval_bytes = interval_bytes
        self._open_files = segments.open_files
        self._files = segments.open_files.files

    def check_extent(self, segment: Segment, read: Read, extent: Extent) -> None:
        """Check the pieces that `extent` touches, those that were not. Raises `DisagreementError`."""
        for number in range(
            extent.position // PIECE_BYTES, (extent.position + extent.size_bytes - 1) // PIECE_BYTES + 1
        ):
            if segment.has_unchecked(number * PIECE_BYTES, 1):
                self._check_piece(segment, read, number)

    def check_next(self) -> int:
        """Check the first piece that was not; returns how many bytes that were, 0 when there is none left.

        Raises `OSError`, `StorageError`.
        """
        with self._segments.lock:
            found = self._segments.first_unchecked()
            if found is None:
                self._segments.has_unchecked = False
                return 0
            segment, number = found
        size_bytes = min(segment.size_bytes - number * PIECE_BYTES, PIECE_BYTES)
        file = None
        try:
            file = self._open_files.acquire(segment.path)
            read = self.reader(file, segment.path)
            try:
                self._check_piece(segment, read, number)
            except DisagreementError as exc:
                self.examine(segment, read, str(exc))
        except FileNotFoundError:
            if self._segments.has(segment):  # reading it answers that all of it is damaged
                _logger.error("a segment is gone path=%s", segment.path)
            self._set_checked(segment)
        finally:
            if file is not None:
                file.release()
        return max(size_bytes, 1)

    def doubt_all(self) -> None:
        """Have everything that is there checked again."""
        with self._segments.lock:
            for segment in self._segments:
                self._segments.doubt(segment)

    def _check_piece(self, segment: Segment, read: Read, number: int) -> None:
        """Every batch that has a byte of the piece. Raises `DisagreementError`."""
        start, stop = number * PIECE_BYTES, (number + 1) * PIECE_BYTES
        with self._segments.lock:
            size_bytes, next_offset = self._bounds(segment)
        if start >= size_bytes:
            self._set_checked(segment, number)
            return
        offset, position = self.with_index(segment, lambda index: index.at_position(start)) or (
            segment.base_offset,
            0,
        )
        seen = recovery.scan(
            read,
            position=position,
            stop=size_bytes,
            offset=offset,
            check_crc=True,
            end_offset=next_offset,
            until=stop,
            chunk_bytes=_CHUNK_BYTES,
        )
        if seen.problem is not None:
            raise DisagreementError(f"position {seen.position}: {seen.problem}")
        if seen.position >= size_bytes and seen.next_offset != next_offset:
            raise DisagreementError(f"the last batch ends at offset {seen.next_offset}, not {next_offset}")
        self._set_checked(segment, number)

    def examine(self, segment: Segment, read: Read, cause: str) -> None:
        """Verify a whole segment that is damaged or whose index is; note the damage, mend the index."""
        segments = self._segments
        _logger.warning(
            "index and log disagree or a batch is damaged, examining the segment path=%s cause=%s",
            segment.path,
            cause,
        )
        with segments.examine_lock:
            try:
                with segments.lock:
                    size_bytes, stop = self._bounds(segment)
                    entries = None if segment.index is None else segment.index.entries()
                if entries is None:
                    found, _ = examine_segment(segment, read, self._interval_bytes, self._files)
                else:  # its index stays: each hole ends at an entry, or at a batch that a header leads to
                    _, found, _ = recovery.examine_closed(
                        read,
                        base_offset=segment.base_offset,
                        end_offset=stop,
                        size_bytes=size_bytes,
                        interval_bytes=self._interval_bytes,
                        known_places=entries,
                    )
                with segments.lock:
                    if not segments.has(segment):
                        return  # retention was faster
                    known = segments.holes
                    segments.holes = replace_holes(known, Hole(segment.base_offset, stop), found)
                    segments.note_checked(segment)
                markers.write_holes(segments.directory, segments.holes, self._files)
            except OSError as exc:
                raise write_failure(exc, f"repairing {segment.index_path}") from exc
            finally:
                self._open_files.forget(segment.index_path)
        for hole in found:
            if hole not in known:
                _logger.error(
                    "records are damaged on the disk and cannot be read offsets=%d-%d path=%s",
                    hole.start,
                    hole.stop - 1,
                    segment.path,
                )

    def _bounds(self, segment: Segment) -> tuple[int, int]:
        """Size and end of what is published of a segment."""
        end = self._end()
        if end.segment is segment:
            return end.position, end.leo
        return segment.size_bytes, segment.next_offset

    def _set_checked(self, segment: Segment, number: int | None = None) -> None:
        with self._segments.lock:
            self._segments.note_checked(segment, number)

    def with_index(self, segment: Segment, work: Callable[[IndexLookup], T]) -> T:
        """`work` with the index of a segment. Raises `DisagreementError` when there is none."""
        in_memory = segment.index  # an append in another thread may close the segment at any time
        if in_memory is not None:
            return work(in_memory)
        try:
            file = self._open_files.acquire(segment.index_path)
        except OSError as exc:
            raise DisagreementError(f"{segment.index_path}: {exc}") from exc
        try:
            return work(
                IndexFile(
                    self.reader(file, segment.index_path),
                    self._files.size(segment.index_path) or 0,
                    segment.base_offset,
                )
            )
        finally:
            file.release()

    def reader(self, file: OpenFile, path: str) -> Read:
        """Reads of an open file, which raise `StorageReadError`."""
        fd, pread = file.fd, self._files.pread

        def read(size_bytes: int, position: int) -> bytes:
            try:
                return pread(fd, size_bytes, position)
            except OSError as exc:
                raise StorageReadError(f"reading {path}: {exc.strerror or exc}", exc.errno) from exc

        return read
