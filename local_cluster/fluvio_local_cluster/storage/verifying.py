"""Judging the segments of a directory: reads what `recovery` (pure) wants to see, cuts nothing.

How much is looked at depends on what is known: everything, from a mark on, or the last bytes only.
Rules: docs/storage-format.md, "Recovery".
"""

import os
from dataclasses import dataclass
from pathlib import Path

from fluvio_local_cluster.storage import recovery
from fluvio_local_cluster.storage.errors import StorageReadError
from fluvio_local_cluster.storage.files import Files
from fluvio_local_cluster.storage.index import ENTRY, ENTRY_BYTES, OffsetIndex, index_from_bytes
from fluvio_local_cluster.storage.markers import CleanMarker, Hole
from fluvio_local_cluster.storage.progress import Mark
from fluvio_local_cluster.storage.reading import IndexFile
from fluvio_local_cluster.storage.recovery import Read, Scan
from fluvio_local_cluster.storage.segment import Segment
from fluvio_protocol.batch import HEADER_BYTES, BatchError, read_header
from fluvio_protocol.checksum import crc32c


@dataclass(slots=True)
class Active:
    """An active segment as far as it is good."""

    index: OffsetIndex
    end: Scan
    verified_bytes: int  # checked against CRCs


class SegmentReader:
    """A file that is read while the block runs: `with SegmentReader(...) as read`."""

    def __init__(self, path: str, files: Files) -> None:
        self._path = path
        self._files = files
        self._fd = -1

    def __enter__(self) -> Read:
        self._fd = self._files.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        fd, pread = self._fd, self._files.pread

        def read(size_bytes: int, position: int) -> bytes:
            try:
                return pread(fd, size_bytes, position)
            except OSError as exc:
                raise StorageReadError(f"reading {self._path}: {exc.strerror or exc}", exc.errno) from exc

        return read

    def __exit__(self, *_: object) -> None:
        self._files.close(self._fd)


def examine_segment(
    segment: Segment, read: Read, interval_bytes: int, files: Files
) -> tuple[list[Hole], bool]:
    """Verify a closed segment wholly; returns its holes, and whether its index had to be written anew.

    Makes `segment.size_bytes` less when something else lies behind its last batch. Raises `OSError`,
    `StorageReadError`.
    """
    stored = files.read(segment.index_path)
    old = index_from_bytes(stored or b"", segment.base_offset, interval_bytes, segment.size_bytes)
    index, holes, segment.size_bytes = recovery.examine_closed(
        read,
        base_offset=segment.base_offset,
        end_offset=segment.next_offset,
        size_bytes=segment.size_bytes,
        interval_bytes=interval_bytes,
        known_places=old.entries() if old is not None else (),
    )
    data = index.to_bytes()
    if data != stored:
        files.write_atomically(segment.index_path, data, durable=True)
    return holes, data != stored


def replace_holes(holes: list[Hole], examined: Hole, found: list[Hole]) -> list[Hole]:
    """`holes` with those in a range of offsets replaced by the ones that an examination of it found."""
    kept = [h for h in holes if h.stop <= examined.start or h.start >= examined.stop]
    return sorted([*kept, *found])


class Verifier:
    """Judges segments; each method says which."""

    def __init__(self, interval_bytes: int, tail_bytes: int, files: Files) -> None:
        """`tail_bytes`: so much before an end is looked at whatever markers say."""
        self._interval_bytes = interval_bytes
        self._tail_bytes = tail_bytes
        self._files = files

    def ends_well(self, segment: Segment, verify_from: int) -> int | None:
        """Whether a closed segment ends at the next one's base offset, by its index's last entry.

        CRCs are checked from the batch at or before `verify_from` (bytes; the size: none are). Returns how
        many bytes were; None when the segment must be examined.
        """
        index_bytes = self._files.size(segment.index_path) or 0
        if not index_bytes or index_bytes % ENTRY_BYTES:
            return None
        with SegmentReader(segment.index_path, self._files) as read_index:
            last = read_index(ENTRY_BYTES, index_bytes - ENTRY_BYTES)
            lookup = IndexFile(read_index, index_bytes, segment.base_offset)
            place = lookup.at_position(verify_from) if verify_from < segment.size_bytes else None
        if len(last) < ENTRY_BYTES:
            return None
        relative, position = ENTRY.unpack(last)
        index = OffsetIndex(segment.base_offset, self._interval_bytes)
        if position:
            index.add(segment.base_offset + relative, position)
        elif index_bytes != ENTRY_BYTES:
            return None
        entries = len(index)
        with SegmentReader(segment.path, self._files) as read:
            end = recovery.complete_index(read, index, segment.size_bytes, segment.next_offset)
            if end.problem is not None or end.next_offset != segment.next_offset or len(index) != entries:
                return None
            if verify_from >= segment.size_bytes:
                return 0
            offset, start = place or (segment.base_offset, 0)
            end = recovery.scan(
                read,
                position=start,
                stop=segment.size_bytes,
                offset=offset,
                check_crc=True,
                end_offset=segment.next_offset,
            )
        is_whole = end.problem is None and end.next_offset == segment.next_offset
        return segment.size_bytes - start if is_whole else None

    def active_wholly(self, segment: Segment) -> Active:
        """Look at every byte of the active segment."""
        index = OffsetIndex(segment.base_offset, self._interval_bytes)
        with SegmentReader(segment.path, self._files) as read:
            end = recovery.scan(
                read,
                position=0,
                stop=segment.size_bytes,
                offset=segment.base_offset,
                index=index,
                check_crc=True,
            )
        return Active(index, end, segment.size_bytes)

    def active_from(self, segment: Segment, mark: Mark) -> Active | None:
        """Look at what follows a mark, and a little before it; None when the mark does not fit the files."""
        if mark.position > segment.size_bytes:
            return None
        index = self._index_of(segment, mark.index_entries, mark.index_crc, mark.position)
        if index is None:
            return None
        with SegmentReader(segment.path, self._files) as read:
            start = self._good_tail(read, index, mark.position, mark.next_offset)
            if start is None:
                return None
            end = recovery.scan(
                read,
                position=mark.position,
                stop=segment.size_bytes,
                offset=mark.next_offset,
                index=index,
                check_crc=True,
            )
        return Active(index, end, segment.size_bytes - start)

    def active_as_left(self, segment: Segment, marker: CleanMarker) -> Active | None:
        """Look at the end only, after an orderly shutdown; None when it is not as the marker says."""
        size_bytes = self._files.size(segment.index_path) or 0
        index = self._index_of(segment, size_bytes // ENTRY_BYTES, marker.index_crc, segment.size_bytes)
        if index is None:
            return None
        with SegmentReader(segment.path, self._files) as read:
            start = self._good_tail(read, index, segment.size_bytes, marker.leo)
        if start is None:
            return None
        return Active(index, Scan(segment.size_bytes, marker.leo, None), segment.size_bytes - start)

    def _index_of(
        self, segment: Segment, entries: int, crc: int | None, log_bytes: int
    ) -> OffsetIndex | None:
        """The first `entries` of an index file, if they have this CRC (None: whatever they have)."""
        data = (self._files.read(segment.index_path) or b"")[: entries * ENTRY_BYTES]
        if len(data) != entries * ENTRY_BYTES or (crc is not None and crc32c(data) != crc):
            return None
        if not data:
            return OffsetIndex(segment.base_offset, self._interval_bytes)
        return index_from_bytes(data, segment.base_offset, self._interval_bytes, log_bytes)

    def _good_tail(self, read: Read, index: OffsetIndex, stop: int, next_offset: int) -> int | None:
        """From where on CRCs were checked before `stop`; None when batches do not lead to `next_offset`."""
        end = recovery.complete_index(read, index, stop)
        if end.problem is not None or end.next_offset != next_offset:
            return None
        offset, start = index.at_position(max(0, stop - self._tail_bytes)) or (index.base_offset, 0)
        end = recovery.scan(read, position=start, stop=stop, offset=offset, check_crc=True)
        return start if end.problem is None and end.next_offset == next_offset else None


def first_time_ms(path: str | Path, last_append_ms: int, files: Files) -> int:
    """When the first batch of a segment was appended, as near as its header tells: ms since 1970."""
    with SegmentReader(str(path), files) as read:
        data = read(HEADER_BYTES, 0)
    try:
        stamp = read_header(data).first_timestamp
    except BatchError:
        return last_append_ms
    return stamp if 0 < stamp <= last_append_ms else last_append_ms
