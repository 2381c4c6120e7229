"""`progress`: how far an active segment has been written or synced, so that a crash costs no whole scan.

Format: docs/storage-format.md, "Progress". A mark says: up to `position`, the segment holds whole batches up
to `next_offset`, and the first `index_entries` of its index file are theirs. A *durable* mark was made after
an fsync and holds whatever happens; a *volatile* one holds as long as the machine runs, whose page cache has
the bytes. A record that cannot be read counts as absent: it only saves work.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from fluvio_local_cluster.storage import layout
from fluvio_local_cluster.storage.files import Files
from fluvio_local_cluster.storage.index import NO_ENTRY
from fluvio_local_cluster.storage.segment import Segment, SegmentSet
from fluvio_protocol.checksum import crc32c

FORMAT = 1
STEP_BYTES = 4 * 1024 * 1024  # a segment grows by so much before it gets another mark, if not told otherwise


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the active segment; see the module."""

    base_offset: int  # of the segment
    position: int  # bytes
    next_offset: int
    index_entries: int
    index_crc: int  # CRC-32C of the bytes of those entries
    first_append_ms: int
    max_timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What the file says; `boot_id` belongs to `volatile`."""

    boot_id: str | None = None
    durable: Mark | None = None
    volatile: Mark | None = None

    @property
    def newest_segment(self) -> int:
        """Base offset of the latest segment that was active when a mark was made; -1 without any."""
        return max(
            (mark.base_offset for mark in (self.durable, self.volatile) if mark is not None), default=-1
        )

    def valid_mark(self, base_offset: int, boot_id: str | None) -> Mark | None:
        """The mark of a segment that reaches furthest, of those that hold on the machine as it runs now."""
        marks = [self.durable]
        if boot_id is not None and boot_id == self.boot_id:
            marks.append(self.volatile)
        fitting = [mark for mark in marks if mark is not None and mark.base_offset == base_offset]
        return max(fitting, key=lambda mark: mark.position, default=None)


def read_progress(directory: Path, files: Files) -> Progress:
    """What is recorded; nothing when the file is absent, damaged or of another format."""
    data = files.read(directory / layout.PROGRESS_FILE)
    if data is None:
        return Progress()
    checksum, _, body = data.rstrip(b"\n").partition(b" ")
    if checksum != b"%08x" % crc32c(body):
        return Progress()
    try:
        fields = json.loads(body)
        if fields["format"] != FORMAT:
            return Progress()
        durable, volatile = (
            None if fields[name] is None else Mark(**fields[name]) for name in ("durable", "volatile")
        )
        return Progress(fields["boot"], durable, volatile)
    except (ValueError, TypeError, KeyError):
        return Progress()


def write_progress(directory: Path, progress: Progress, files: Files, *, durable: bool) -> None:
    """Replace the record atomically; the index entries that it speaks of must be written (synced) before."""
    fields = {
        "format": FORMAT,
        "boot": progress.boot_id,
        "durable": None if progress.durable is None else asdict(progress.durable),
        "volatile": None if progress.volatile is None else asdict(progress.volatile),
    }
    body = json.dumps(fields).encode()
    files.write_atomically(
        directory / layout.PROGRESS_FILE, b"%08x %s\n" % (crc32c(body), body), durable=durable
    )


def forget_progress(directory: Path, files: Files) -> None:
    """Remove the record durably: what it says does not hold any more."""
    if files.remove_if_there(directory / layout.PROGRESS_FILE):
        files.sync_directory(directory)


class End(NamedTuple):
    """Where a log ends, or is on the disk up to: a place in a segment that was active then."""

    leo: int
    segment: Segment
    position: int  # bytes


class ProgressKeeper:
    """Makes marks of one log's active segment while it grows."""

    __slots__ = ("_files", "_progress", "_segments", "_step_bytes")

    def __init__(self, segments: SegmentSet, progress: Progress, step_bytes: int) -> None:
        self._step_bytes = step_bytes
        self._segments = segments
        self._progress = progress
        self._files = segments.open_files.files

    def advance(self, end: End, synced: End) -> bool:
        """Make a mark if the log grew enough since the last one; returns whether it did. Raises `OSError`.

        `end`: what is written and published; `synced`: what is on the disk. Waits for the disk only where the
        log itself was synced lately.
        """
        segment = end.segment
        with self._segments.index_lock:
            index = segment.index
            if index is None or segment is not self._segments.active:
                return False  # being closed, or closed: its index is written as a whole
            old = self._progress
            durable, volatile = (
                mark if mark is not None and mark.base_offset == segment.base_offset else None
                for mark in (old.durable, old.volatile)
            )
            reached = 0 if durable is None else durable.position
            is_durable = synced.segment is segment and synced.position - reached >= self._step_bytes
            if is_durable:
                durable = self._mark(synced)
                reached = durable.position
            if volatile is not None:
                reached = max(reached, volatile.position)
            is_volatile = old.boot_id is not None and end.position - reached >= self._step_bytes
            if is_volatile:
                volatile = self._mark(end)
            if not is_durable and not is_volatile:
                return False
            entries = max(mark.index_entries for mark in (durable, volatile) if mark is not None)
            data = index.bytes_of(entries) or NO_ENTRY
            self._files.write_atomically(segment.index_path, data, durable=is_durable)
            self._progress = replace(old, durable=durable, volatile=volatile)
            write_progress(self._segments.directory, self._progress, self._files, durable=is_durable)
            return True

    def _mark(self, end: End) -> Mark:
        segment = end.segment
        assert segment.index is not None
        entries = segment.index.entries_before(end.position)
        return Mark(
            segment.base_offset,
            end.position,
            end.leo,
            entries,
            crc32c(segment.index.bytes_of(entries)),
            segment.first_append_ms,
            segment.max_timestamp_ms,
        )
