"""Finding whole batches in a segment: index lookup, then a short walk over headers. Opens no file."""

from collections.abc import Callable
from typing import Protocol

from fluvio_local_cluster.storage.index import ENTRY_BYTES, OFFSET_COLUMN, POSITION_COLUMN, floor_in_file
from fluvio_local_cluster.storage.recovery import HEADER_CHUNK_BYTES
from fluvio_local_cluster.storage.segment import Extent, Segment
from fluvio_protocol.batch import HEADER_BYTES, BatchError, BatchHeader, read_header

Read = Callable[[int, int], bytes]


class DisagreementError(Exception):
    """Index and log disagree, or a header is damaged: the segment must be examined. Never leaves storage."""


class IndexLookup(Protocol):
    """What `locate` needs of an index; entries are (offset, position)."""

    def at_offset(self, offset: int) -> tuple[int, int] | None:
        """The last entry at or before `offset`."""

    def at_position(self, position: int) -> tuple[int, int] | None:
        """The last entry at or before `position`."""


class IndexFile:
    """The index of a closed segment, searched in its file."""

    __slots__ = ("_base_offset", "_entries", "_read")

    def __init__(self, read: Read, size_bytes: int, base_offset: int) -> None:
        self._read = read
        self._entries = size_bytes // ENTRY_BYTES
        self._base_offset = base_offset

    def at_offset(self, offset: int) -> tuple[int, int] | None:
        """The last entry at or before `offset`."""
        return self._find(OFFSET_COLUMN, offset - self._base_offset)

    def at_position(self, position: int) -> tuple[int, int] | None:
        """The last entry at or before `position`."""
        return self._find(POSITION_COLUMN, position)

    def _find(self, column: int, wanted: int) -> tuple[int, int] | None:
        found = floor_in_file(self._read, self._entries, column, wanted) if self._entries else None
        return None if found is None else (self._base_offset + found[0], found[1])


class _Headers:
    """Reads headers of one segment, several per system call when batches are small."""

    __slots__ = ("_chunk", "_read", "_size_bytes", "_start")

    def __init__(self, read: Read, size_bytes: int) -> None:
        self._read = read
        self._size_bytes = size_bytes
        self._chunk, self._start = b"", 0

    def at(self, position: int, offset: int) -> BatchHeader:
        """The header at `position`, which must have base `offset`; raises `DisagreementError`."""
        at = position - self._start
        if at < 0 or len(self._chunk) - at < HEADER_BYTES:
            self._chunk = self._read(min(HEADER_CHUNK_BYTES, self._size_bytes - position), position)
            self._start, at = position, 0
        try:
            header = read_header(self._chunk, at)
        except BatchError as exc:
            raise DisagreementError(f"position {position}: {exc}") from exc
        if header.base_offset != offset or header.last_offset_delta < 0:
            raise DisagreementError(f"position {position}: base offset {header.base_offset}, not {offset}")
        if position + header.size_bytes > self._size_bytes:
            raise DisagreementError(f"position {position}: the batch is incomplete")
        return header


def locate(
    segment: Segment, read: Read, index: IndexLookup, start: int, upper: int, max_bytes: int
) -> Extent | None:
    """Whole batches from the one that contains `start`, all below `upper`, at most `max_bytes` or one batch.

    None when the batch with `start` is not wholly below `upper`. `start` must lie in the segment. Raises
    `DisagreementError`.
    """
    size_bytes = segment.size_bytes
    headers = _Headers(read, size_bytes)
    resume = segment.resume_at.get(start)
    if resume is not None:
        offset, position = start, resume
    else:
        offset, position = index.at_offset(start) or (segment.base_offset, 0)
    while True:
        if position >= size_bytes:
            raise DisagreementError(f"no batch contains offset {start}")
        first = headers.at(position, offset)
        if first.next_offset > start:
            break
        position += first.size_bytes
        offset = first.next_offset
    if first.next_offset > upper:
        if first.next_offset > segment.next_offset:
            raise DisagreementError(f"position {position}: the batch reaches beyond its segment")
        return None
    limit = position + max_bytes
    if size_bytes <= limit and segment.next_offset <= upper:
        return Extent(position, size_bytes - position, offset, segment.next_offset)
    end, next_offset = position + first.size_bytes, first.next_offset
    jump = index.at_position(limit)
    if jump is not None and jump[0] >= upper:
        jump = index.at_offset(upper - 1)
    if jump is not None and end < jump[1] < size_bytes:
        next_offset, end = jump
    while end < size_bytes and next_offset < upper:  # the first round checks the place jumped to
        header = headers.at(end, next_offset)
        if end + header.size_bytes > limit or header.next_offset > upper:
            break
        end += header.size_bytes
        next_offset = header.next_offset
    return Extent(position, end - position, offset, next_offset)
