"""Appending to the active segment: all batches of a record set or none, whatever the disk does.

Nothing is visible to readers before the log's LEO moves, which only `ReplicaLog.append` does: until then
an append can be undone by forgetting it in memory and truncating the file.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from fluvio_local_cluster.storage import layout, markers
from fluvio_local_cluster.storage.errors import (
    InvalidBatchError,
    MessageTooLargeError,
    StorageSyncError,
    StorageWriteError,
    write_failure,
)
from fluvio_local_cluster.storage.opening import create_segment
from fluvio_local_cluster.storage.segment import RecentBatches, Segment, SegmentSet
from fluvio_protocol.batch import BatchHeader, crc_matches, stamp
from fluvio_protocol.compression import Codec

_logger = logging.getLogger(__name__)
_LAST_CODEC = max(Codec)


def check_batches(records: bytearray | memoryview, headers: Sequence[BatchHeader], limit_bytes: int) -> None:
    """Raise `MessageTooLargeError` or `InvalidBatchError` unless every batch may be stored.

    `headers` must be those of `records`, without a gap and to its last byte; `limit_bytes` is for one batch.
    """
    position = 0
    for header in headers:
        if header.size_bytes > limit_bytes:
            raise MessageTooLargeError(header.size_bytes, limit_bytes)
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


@dataclass(slots=True)
class _Mark:
    """The end of the log before an append, to go back to."""

    base_offset: int  # of the active segment
    size_bytes: int
    next_offset: int
    index_entries: int
    index_pending_bytes: int
    times: tuple[int, int, int]


class Appender:
    """Writes to the segments of one log; its caller lets one append in at a time."""

    __slots__ = ("_failure", "_files", "_interval_bytes", "_open_files", "_segments", "_unfinished")

    def __init__(self, segments: SegmentSet, interval_bytes: int) -> None:
        self._segments = segments
        self._interval_bytes = interval_bytes
        self._open_files = segments.open_files
        self._files = segments.open_files.files
        self._unfinished: _Mark | None = None  # a failed append whose undoing failed, too
        self._failure: StorageSyncError | None = None  # an fsync failed: no append may succeed any more

    @property
    def has_failed(self) -> bool:
        """Whether an fsync failed, which is final."""
        return self._failure is not None

    @property
    def is_sound(self) -> bool:
        """Whether the files are exactly what memory says."""
        return self._failure is None and self._unfinished is None

    def append(
        self,
        records: bytearray | memoryview,
        headers: Sequence[BatchHeader],
        base_offset: int,
        leader_epoch: int,
        segment_bytes: int,
        now_ms: int,
    ) -> int:
        """Stamp and write checked batches; returns the LEO after them, which the caller publishes.

        `now_ms`: the time, ms since 1970. Raises `PartitionFullError`, `StorageWriteError`; the log then ends
        where it did.
        """
        self._make_sound()
        leo = base_offset
        for header in headers:
            stamp(records, header.position, leo, leader_epoch)
            leo += header.last_offset_delta + 1
        mark = self._mark()
        try:
            self._write(records, headers, base_offset, segment_bytes, now_ms)
        except BaseException as exc:
            self._undo(mark)
            if isinstance(exc, OSError):
                raise write_failure(exc, f"appending to {self._segments.directory}") from exc
            raise
        self._close_from(mark.base_offset)
        return leo

    def roll(self, base_offset: int) -> None:
        """Close the active segment, which must not be empty, and begin one at the LEO. Raises as `append`."""
        self._make_sound()
        mark = self._mark()
        try:
            self._roll(base_offset)
        except BaseException as exc:
            self._undo(mark)
            if isinstance(exc, OSError):
                raise write_failure(exc, f"closing a segment of {self._segments.directory}") from exc
            raise
        self._close_from(mark.base_offset)

    def sync(self, segment: Segment) -> None:
        """Wait until a segment is on the disk; may run beside an append.

        Raises `StorageSyncError`, then and ever after, and `OSError` when the file could not be opened.
        """
        self.raise_failure()
        self._fsync(segment)

    def raise_failure(self) -> None:
        """Raise the `StorageSyncError` that an earlier fsync ended with, if one did."""
        if self._failure is not None:
            raise StorageSyncError(str(self._failure), self._failure.errno)

    def _make_sound(self) -> None:
        self.raise_failure()
        if self._unfinished is not None:
            self._undo(self._unfinished)
            if self._unfinished is not None:
                raise StorageWriteError(
                    f"{self._segments.directory}: an append that failed could not be undone", None
                )

    def _write(
        self,
        records: bytearray | memoryview,
        headers: Sequence[BatchHeader],
        offset: int,
        segment_bytes: int,
        now_ms: int,
    ) -> None:
        """Write runs of batches, one per segment they go to."""
        first, size = 0, self._segments.active.size_bytes
        for i, header in enumerate(headers):
            if size and size + header.size_bytes > segment_bytes:
                if i > first:
                    offset = self._write_run(records, headers[first:i], offset, now_ms)
                self._roll(offset)
                first, size = i, 0
            size += header.size_bytes
        self._write_run(records, headers[first:] if first else headers, offset, now_ms)

    def _write_run(
        self, records: bytearray | memoryview, headers: Sequence[BatchHeader], offset: int, now_ms: int
    ) -> int:
        """Write batches to the active segment with one system call; returns the offset after them."""
        segment = self._segments.active
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
        newest_ms = segment.max_timestamp_ms
        with self._segments.lock:
            for header in headers:
                index.note(offset, position, header.size_bytes)
                position += header.size_bytes
                offset += header.last_offset_delta + 1
                recent.add(offset, position)
                if header.max_timestamp > newest_ms:
                    newest_ms = header.max_timestamp
            segment.max_timestamp_ms = newest_ms
            if not segment.size_bytes:
                segment.first_append_ms = now_ms
            segment.last_append_ms = max(now_ms, segment.last_append_ms)
            segment.size_bytes = position
            segment.next_offset = offset
        return offset

    def _roll(self, base_offset: int) -> None:
        """Close the active segment, durably, and begin the next one: never newer data behind a hole."""
        segments = self._segments
        closing = segments.active
        assert closing.index is not None
        self._fsync(closing, closing.last_append_ms)
        with segments.index_lock:
            self._files.write_new(
                closing.index_path, closing.index.to_bytes(), durable=True, changed_ms=closing.newest_ms
            )
            segment = create_segment(segments.directory, base_offset, self._interval_bytes, self._files)
            with segments.lock:
                segments.add(segment)

    def _close_from(self, base_offset: int) -> None:
        """Drop what only active segments have in memory, from the one at `base_offset` on."""
        if self._segments.active.base_offset > base_offset:
            with self._segments.lock:
                for segment in self._segments.from_base(base_offset)[:-1]:
                    segment.index = segment.recent = None

    def _fsync(self, segment: Segment, changed_ms: int | None = None) -> None:
        """Sync a segment file; `changed_ms` is given to it as the time of its last change before."""
        file = self._open_files.acquire(segment.path)
        try:
            if changed_ms is not None:
                self._files.utime(file.fd, ns=(changed_ms * 1_000_000, changed_ms * 1_000_000))
            self._sync_descriptor(segment, file.fd)
        finally:
            file.release()

    def _sync_descriptor(self, segment: Segment, fd: int) -> None:
        try:
            self._files.fsync(fd)
        except OSError as exc:
            # the system may have dropped the pages: a later fsync that succeeds would prove nothing
            failure = StorageSyncError(
                f"{segment.path}: fsync failed ({exc.strerror or exc}), the replica must be reopened",
                exc.errno,
            )
            self._failure = failure
            self._distrust(segment)
            raise failure from exc

    def _distrust(self, segment: Segment) -> None:
        """Leave word for the next opening: bytes that can be read may not be on the disk."""
        try:
            markers.write_suspect(self._segments.directory, segment.base_offset, self._files)
        except OSError as exc:
            _logger.error("cannot note that an fsync failed path=%s cause=%s", segment.path, exc)

    def _mark(self) -> _Mark:
        active = self._segments.active
        assert active.index is not None
        return _Mark(
            active.base_offset,
            active.size_bytes,
            active.next_offset,
            len(active.index),
            active.index.pending_bytes,
            (active.first_append_ms, active.last_append_ms, active.max_timestamp_ms),
        )

    def _undo(self, mark: _Mark) -> None:
        """Go back to `mark`; when the disk refuses, remember to try again before the next append."""
        self._unfinished = mark
        with self._segments.lock:
            dropped = self._segments.drop_after(mark.base_offset)
            active = self._segments.active
            assert active.index is not None
            active.size_bytes, active.next_offset = mark.size_bytes, mark.next_offset
            active.first_append_ms, active.last_append_ms, active.max_timestamp_ms = mark.times
            active.index = active.index.as_of(mark.index_entries, mark.index_pending_bytes)
            active.recent = RecentBatches(mark.next_offset, mark.size_bytes)
        for segment in dropped:
            self._open_files.forget(segment.path)
        directory = self._segments.directory
        try:
            is_removed = False
            for name in self._files.listdir(str(directory)):
                base = layout.base_offset_of(name, layout.LOG_SUFFIX)
                if base is not None and base > active.base_offset:
                    self._files.unlink(str(directory / name))
                    is_removed = True
            if is_removed:  # a name that came back would cut off what is appended here from now on
                self._files.sync_directory(directory)
            file = self._open_files.acquire(active.path)
            try:
                self._files.truncate(file.fd, mark.size_bytes)
            finally:
                file.release()
        except OSError:
            return  # `_unfinished` stays: the next append tries again, and is refused until it works
        self._unfinished = None
