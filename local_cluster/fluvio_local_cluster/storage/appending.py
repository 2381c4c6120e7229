"""Appending to the active segment: all batches of a record set or none, whatever the disk does.

Nothing is visible to readers before the log's LEO moves, which only `ReplicaLog.append` does: until then
an append can be undone by forgetting it in memory and truncating the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fluvio_local_cluster.storage import layout
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

    segments: int
    size_bytes: int
    next_offset: int
    index_entries: int
    index_pending_bytes: int


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
    ) -> int:
        """Stamp and write checked batches; returns the LEO after them, which the caller publishes.

        Raises `PartitionFullError`, `StorageWriteError`; the log then ends where it did.
        """
        self._make_sound()
        leo = base_offset
        for header in headers:
            stamp(records, header.position, leo, leader_epoch)
            leo += header.last_offset_delta + 1
        mark = self._mark()
        try:
            self._write(records, headers, base_offset, segment_bytes)
        except BaseException as exc:
            self._undo(mark)
            if isinstance(exc, OSError):
                raise write_failure(exc, f"appending to {self._segments.directory}") from exc
            raise
        if len(self._segments) > mark.segments:
            with self._segments.lock:
                for segment in list(self._segments)[mark.segments - 1 : -1]:
                    segment.index = segment.recent = None  # closed
        return leo

    def sync(self) -> None:
        """Wait until the active segment is on the disk; raises `StorageSyncError`, then and ever after."""
        self._raise_failure()
        self._fsync(self._segments.active)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise StorageSyncError(str(self._failure), self._failure.errno)

    def _make_sound(self) -> None:
        self._raise_failure()
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
    ) -> None:
        """Write runs of batches, one per segment they go to."""
        first, size = 0, self._segments.active.size_bytes
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
        with self._segments.lock:
            for header in headers:
                index.note(offset, position, header.size_bytes)
                position += header.size_bytes
                offset += header.last_offset_delta + 1
                recent.add(offset, position)
            segment.size_bytes = position
            segment.next_offset = offset
        return offset

    def _roll(self, base_offset: int) -> None:
        """Close the active segment, durably, and begin the next one: never newer data behind a hole."""
        closing = self._segments.active
        assert closing.index is not None
        self._fsync(closing)
        self._files.write_new(closing.index_path, closing.index.to_bytes(), durable=True)
        segment = create_segment(self._segments.directory, base_offset, self._interval_bytes, self._files)
        with self._segments.lock:
            self._segments.add(segment)

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
                f"{segment.path}: fsync failed ({exc.strerror or exc}), the replica must be reopened",
                exc.errno,
            )
            raise self._failure from exc

    def _mark(self) -> _Mark:
        active = self._segments.active
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
        with self._segments.lock:
            dropped = self._segments.drop_after(mark.segments)
            active = self._segments.active
            assert active.index is not None
            active.size_bytes, active.next_offset = mark.size_bytes, mark.next_offset
            active.index = active.index.as_of(mark.index_entries, mark.index_pending_bytes)
            active.recent = RecentBatches(mark.next_offset, mark.size_bytes)
        for segment in dropped:
            self._open_files.forget(segment.path)
        directory = self._segments.directory
        try:
            for name in self._files.listdir(str(directory)):
                base = layout.base_offset_of(name, layout.LOG_SUFFIX)
                if base is not None and base > active.base_offset:
                    self._files.unlink(str(directory / name))
            file = self._open_files.acquire(active.path)
            try:
                self._files.truncate(file.fd, mark.size_bytes)
            finally:
                file.release()
        except OSError:
            return  # `_unfinished` stays: the next append tries again, and is refused until it works
        self._unfinished = None
