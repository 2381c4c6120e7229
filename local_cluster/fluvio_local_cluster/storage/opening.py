"""Opening a replica's directory: reads what is there, lets `verifying` judge it, and repairs.

Rules: docs/storage-format.md, "Recovery". The order matters: nothing is cut before a copy was kept,
and the `clean` marker is gone before anything else changes.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fluvio_local_cluster.storage import checkpoint, layout, markers, progress
from fluvio_local_cluster.storage.errors import is_no_space, write_failure
from fluvio_local_cluster.storage.files import TEMPORARY_SUFFIX, Files
from fluvio_local_cluster.storage.index import ENTRY_BYTES, OffsetIndex
from fluvio_local_cluster.storage.markers import CleanMarker, Hole, ReplicaIdentity
from fluvio_local_cluster.storage.progress import Progress
from fluvio_local_cluster.storage.recovery import Read, RecoveryReport, TornTail
from fluvio_local_cluster.storage.segment import RecentBatches, Segment, flags_for, segment_at
from fluvio_local_cluster.storage.verifying import (
    Active,
    SegmentReader,
    Verifier,
    examine_segment,
    first_time_ms,
    replace_holes,
)

_COPY_BYTES = 1 << 20


@dataclass(slots=True)
class Opened:
    """A directory that is fit for use. The last segment is the active one."""

    segments: list[Segment]
    hw: int  # the checkpoint, within the log's bounds
    checkpointed_hw: int | None  # what the checkpoint really holds
    report: RecoveryReport
    progress: Progress = field(default_factory=Progress)  # marks of the active segment that hold
    synced_position: int = 0  # of the active segment: so many bytes are on the disk for sure
    synced_leo: int = 0


def open_directory(
    directory: Path,
    *,
    identity: ReplicaIdentity | None,
    boot_id: str | None,
    interval_bytes: int,
    tail_bytes: int,
    files: Files,
    clock: Callable[[], float],
) -> Opened:
    """Create the directory or recover what it holds. Raises `StorageError`; nothing stays open."""
    try:
        return _Opening(directory, interval_bytes, tail_bytes, files, clock).run(identity, boot_id)
    except OSError as exc:
        raise write_failure(exc, f"opening {directory}") from exc


def create_segment(directory: Path, base_offset: int, interval_bytes: int, files: Files) -> Segment:
    """An empty active segment, its name durable. Raises `OSError`."""
    segment = segment_at(directory, base_offset, 0, base_offset)
    files.write_new(segment.path, b"", durable=False)
    files.sync_directory(directory)
    segment.index = OffsetIndex(base_offset, interval_bytes)
    segment.recent = RecentBatches(base_offset, 0)
    return segment


class _Opening:
    """State of one `open_directory` call."""

    def __init__(
        self,
        directory: Path,
        interval_bytes: int,
        tail_bytes: int,
        files: Files,
        clock: Callable[[], float],
    ) -> None:
        self.directory = directory
        self.interval_bytes = interval_bytes
        self.files = files
        self.clock = clock
        self.report = RecoveryReport()
        self.holes: list[Hole] = []
        self.tail_bytes = tail_bytes
        self.verifier = Verifier(interval_bytes, tail_bytes, files)
        self.progress = Progress()
        self.boot_id: str | None = None

    def run(self, identity: ReplicaIdentity | None, boot_id: str | None) -> Opened:
        self.report.is_new = self.files.make_directories(self.directory)
        has_meta = identity is not None and markers.check_identity(self.directory, identity, self.files)
        names = self.files.listdir(str(self.directory))
        marker = markers.take_clean(self.directory, self.files)
        if identity is not None and not has_meta:
            markers.write_identity(self.directory, identity, self.files)
        self._note_boot(boot_id)
        self.boot_id = boot_id
        bases = self._tidy(names)
        self.holes = markers.read_holes(self.directory, self.files) if layout.DAMAGE_FILE in names else []
        known_holes = list(self.holes)
        checkpointed = checkpoint.read_hw(self.directory, self.files)
        if layout.PROGRESS_FILE in names:
            self.progress = progress.read_progress(self.directory, self.files)
        suspect = self._suspect(bases) if layout.SUSPECT_FILE in names else None
        segments = self._open_segments(bases, marker) if bases else [self._begin(checkpointed or 0)]
        leo = segments[-1].next_offset  # a torn tail was cut: its offsets are given to other records
        self.holes = [Hole(hole.start, min(hole.stop, leo)) for hole in self.holes if hole.start < leo]
        if self.holes != known_holes:
            markers.write_holes(self.directory, self.holes, self.files)
        self.report.holes = list(self.holes)
        active = segments[-1]
        if bases and not active.size_bytes and not self.report.was_clean:
            # a process that died while it made the segment may not have synced these names
            for directory in (self.directory, *self.directory.parents[:2]):
                self.files.sync_directory(directory)
        if suspect is not None and bases:
            self._rewrite(next((s for s in segments if s.base_offset == suspect), active))
        hw = min(max(checkpointed or 0, segments[0].base_offset), active.next_offset)
        opened = Opened(segments, hw, checkpointed, self.report)
        self._tell_progress(opened, active, is_synced=self.report.was_clean or suspect == active.base_offset)
        return opened

    def _tell_progress(self, opened: Opened, active: Segment, *, is_synced: bool) -> None:
        """What of the record holds from here on, and what is on the disk for sure."""
        durable = self.progress.durable
        if durable is not None and durable.base_offset != active.base_offset:
            durable = None
        volatile = self.progress.volatile
        if volatile is not None and (
            volatile.base_offset != active.base_offset
            or self.boot_id is None
            or self.progress.boot_id != self.boot_id
        ):
            volatile = None
        opened.progress = Progress(self.boot_id, durable, volatile)
        if is_synced:
            opened.synced_position, opened.synced_leo = active.size_bytes, active.next_offset
        elif durable is not None:
            opened.synced_position, opened.synced_leo = durable.position, durable.next_offset
        else:
            opened.synced_position, opened.synced_leo = 0, active.base_offset

    def _note_boot(self, boot_id: str | None) -> None:
        if boot_id is None:
            return
        before = markers.read_boot(self.directory, self.files)
        self.report.is_same_boot = None if before is None else before == boot_id
        if before != boot_id:
            markers.write_boot(self.directory, boot_id, self.files)

    def _tidy(self, names: Sequence[str]) -> list[int]:
        """Remove what an interrupted write left; returns the base offsets of the segments, ascending."""
        logs = {
            base for name in names if (base := layout.base_offset_of(name, layout.LOG_SUFFIX)) is not None
        }
        for name in names:
            index_of = layout.base_offset_of(name, layout.INDEX_SUFFIX)
            if name.endswith(TEMPORARY_SUFFIX) or (index_of is not None and index_of not in logs):
                self.files.remove_if_there(self.directory / name)
        return sorted(logs)

    def _begin(self, offset: int) -> Segment:
        if offset:
            # never give an offset to a second record, even when every segment is lost
            self.report.notes.append(
                f"no segment is left, the log goes on at the checkpointed offset {offset}"
            )
        return create_segment(self.directory, offset, self.interval_bytes, self.files)

    def _open_segments(self, bases: list[int], marker: CleanMarker | None) -> list[Segment]:
        segments = [self._find(base, end) for base, end in zip(bases, [*bases[1:], bases[-1]], strict=True)]
        found = tuple((segment.base_offset, segment.size_bytes) for segment in segments)
        if marker is not None and marker.segments == found and self._trust(segments, marker):
            self.report.was_clean = True
            return segments
        *closed, active = segments
        for segment in closed[:-1]:
            self._check_closed(segment, segment.size_bytes)
        if closed:
            self._check_closed(closed[-1], self._trusted_part(closed[-1]))
        self._verify_active(active)
        return segments

    def _find(self, base_offset: int, next_offset: int) -> Segment:
        """A segment with the times of its files: see docs/storage-format.md, "Retention"."""
        segment = segment_at(self.directory, base_offset, 0, next_offset)
        segment.size_bytes, segment.last_append_ms = self.files.facts(segment.path) or (0, 0)
        segment.max_timestamp_ms = (self.files.facts(segment.index_path) or (0, 0))[1]
        return segment

    def _trust(self, segments: list[Segment], marker: CleanMarker) -> bool:
        """Take sizes and ends from the marker; False when the active segment's end is not as it says."""
        *closed, active = segments
        good = self.verifier.active_as_left(active, marker)
        if good is None:
            return False
        for segment in closed:
            segment.unchecked = flags_for(segment.size_bytes)
            size = self.files.size(segment.index_path)
            if not size or size % ENTRY_BYTES:
                segment.unchecked = None
                self._check_closed(segment, segment.size_bytes)
        self._activate(active, good, marker.first_append_ms, marker.max_timestamp_ms)
        return True

    def _trusted_part(self, last_closed: Segment) -> int:
        """How many bytes of the last closed segment need not be verified."""
        if self.progress.newest_segment > last_closed.base_offset:  # it was closed by this program, durably
            return max(0, last_closed.size_bytes - self.tail_bytes)
        mark = self.progress.valid_mark(last_closed.base_offset, self.boot_id)
        return 0 if mark is None else max(0, min(mark.position, last_closed.size_bytes) - self.tail_bytes)

    def _check_closed(self, segment: Segment, verify_from: int) -> None:
        """Headers from the index's last entry on must lead to the next segment; else look at every byte."""
        if verify_from or not segment.size_bytes:
            verified = self.verifier.ends_well(segment, verify_from)
            if verified is not None:
                self.report.verified_bytes += verified
                segment.unchecked = flags_for(segment.size_bytes - verified)
                return
        with SegmentReader(segment.path, self.files) as read:
            holes, is_rebuilt = examine_segment(segment, read, self.interval_bytes, self.files)
        self.report.verified_bytes += segment.size_bytes
        if is_rebuilt:
            self.report.rebuilt_indexes.append(segment.base_offset)
        self.holes = replace_holes(self.holes, Hole(segment.base_offset, segment.next_offset), holes)

    def _verify_active(self, segment: Segment) -> None:
        mark = self.progress.valid_mark(segment.base_offset, self.boot_id)
        good = None if mark is None else self.verifier.active_from(segment, mark)
        first_ms = newest_ms = None
        if good is None:
            mark = None
            if self.progress.newest_segment >= segment.base_offset:
                # a mark that does not hold must be gone before other bytes may lie where it points to
                progress.forget_progress(self.directory, self.files)
                self.progress = Progress()
            good = self.verifier.active_wholly(segment)
        if mark is not None:
            first_ms = mark.first_append_ms
            if good.end.position == mark.position:
                newest_ms = mark.max_timestamp_ms
        if good.end.problem is not None:
            self._cut(segment, good.end.position, good.end.next_offset, good.end.problem)
        self._activate(segment, good, first_ms, newest_ms)

    def _activate(
        self, segment: Segment, good: Active, first_append_ms: int | None, max_timestamp_ms: int | None
    ) -> None:
        """Make `segment` the active one; None for times that are not known: they are judged cautiously."""
        self.report.verified_bytes += good.verified_bytes
        segment.unchecked = flags_for(segment.size_bytes - good.verified_bytes)
        leo = good.end.next_offset
        segment.next_offset = leo
        segment.index = good.index
        segment.recent = RecentBatches(leo, segment.size_bytes)
        if not segment.size_bytes:
            segment.last_append_ms = segment.max_timestamp_ms = 0
            return
        if first_append_ms is None:
            first_append_ms = first_time_ms(segment.path, segment.last_append_ms, self.files)
        segment.first_append_ms = first_append_ms
        segment.max_timestamp_ms = segment.last_append_ms if max_timestamp_ms is None else max_timestamp_ms

    def _suspect(self, bases: Sequence[int]) -> int | None:
        """The segment of which an fsync failed: what only the page cache has of it proves nothing."""
        self.progress = replace(self.progress, boot_id=None, volatile=None)
        base_offset = markers.read_suspect(self.directory, self.files)
        return base_offset if base_offset is not None else max(bases, default=None)

    def _rewrite(self, segment: Segment) -> None:
        """Write again what an fsync may have lost, so that the next one covers it."""
        durable = self.progress.valid_mark(segment.base_offset, None)
        position = 0 if durable is None else durable.position
        fd = self.files.open(segment.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            while part := self.files.pread(fd, _COPY_BYTES, position):
                self.files.write_all(fd, part, position)
                position += len(part)
            self.files.fsync(fd)
        finally:
            self.files.close(fd)
        markers.forget_suspect(self.directory, self.files)
        self.report.notes.append(f"wrote segment {segment.base_offset} again, of which an fsync had failed")

    def _cut(self, segment: Segment, position: int, offset: int, problem: str) -> None:
        """Keep a copy of the torn tail, then truncate, durably in that order."""
        tail_bytes = segment.size_bytes - position
        name = layout.saved_tail_name(offset, int(self.clock() * 1000))
        saved: str | None = name
        with SegmentReader(segment.path, self.files) as read:
            try:
                self._copy(read, position, segment.size_bytes, self.directory / name)
            except OSError as exc:
                if not is_no_space(exc):
                    raise
                # a full disk is a usual cause of torn tails: the log must open, or nobody can free space
                self.files.remove_if_there(self.directory / name)
                saved = None
        fd = self.files.open(segment.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self.files.truncate(fd, position)
            self.files.fsync(fd)
        finally:
            self.files.close(fd)
        self.files.sync_directory(self.directory)
        segment.size_bytes = position
        self.report.torn_tail = TornTail(offset, position, tail_bytes, problem, saved)

    def _copy(self, read: Read, position: int, stop: int, target: Path) -> None:
        fd = self.files.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            start = position
            while position < stop:
                part = read(min(_COPY_BYTES, stop - position), position)
                if not part:
                    break
                self.files.write_all(fd, part, position - start)
                position += len(part)
            self.files.fsync(fd)
        finally:
            self.files.close(fd)
