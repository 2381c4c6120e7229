"""Opening a replica's directory: reads what is there, lets `recovery` judge it, and repairs.

Rules: docs/storage-format.md, "Recovery". The order matters: nothing is cut before a copy was kept,
and the `clean` marker is gone before anything else changes.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fluvio_local_cluster.storage import checkpoint, layout, markers, recovery
from fluvio_local_cluster.storage.errors import StorageReadError, is_no_space, write_failure
from fluvio_local_cluster.storage.files import TEMPORARY_SUFFIX, Files
from fluvio_local_cluster.storage.index import ENTRY_BYTES, OffsetIndex, index_from_bytes
from fluvio_local_cluster.storage.markers import CleanMarker, Hole, ReplicaIdentity
from fluvio_local_cluster.storage.recovery import Read, RecoveryReport, TornTail
from fluvio_local_cluster.storage.segment import RecentBatches, Segment, segment_at

_COPY_BYTES = 1 << 20


@dataclass(slots=True)
class Opened:
    """A directory that is fit for use. The last segment is the active one."""

    segments: list[Segment]
    hw: int  # the checkpoint, within the log's bounds
    checkpointed_hw: int | None  # what the checkpoint really holds
    report: RecoveryReport


def open_directory(
    directory: Path,
    *,
    identity: ReplicaIdentity | None,
    boot_id: str | None,
    interval_bytes: int,
    files: Files,
    clock: Callable[[], float],
) -> Opened:
    """Create the directory or recover what it holds. Raises `StorageError`; nothing stays open."""
    try:
        return _Opening(directory, interval_bytes, files, clock).run(identity, boot_id)
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


def examine_segment(
    segment: Segment, read: Read, interval_bytes: int, files: Files
) -> tuple[list[Hole], bool]:
    """Verify a closed segment wholly; returns its holes, and whether its index had to be written anew.

    Raises `OSError`, `StorageReadError`.
    """
    stored = files.read(segment.index_path)
    old = index_from_bytes(stored or b"", segment.base_offset, interval_bytes, segment.size_bytes)
    index, holes = recovery.examine_closed(
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


class _Opening:
    """State of one `open_directory` call."""

    def __init__(
        self, directory: Path, interval_bytes: int, files: Files, clock: Callable[[], float]
    ) -> None:
        self.directory = directory
        self.interval_bytes = interval_bytes
        self.files = files
        self.clock = clock
        self.report = RecoveryReport()
        self.holes: list[Hole] = []

    def run(self, identity: ReplicaIdentity | None, boot_id: str | None) -> Opened:
        self.report.is_new = self.files.make_directories(self.directory)
        has_meta = identity is not None and markers.check_identity(self.directory, identity, self.files)
        names = self.files.listdir(str(self.directory))
        marker = markers.take_clean(self.directory, self.files)
        if identity is not None and not has_meta:
            markers.write_identity(self.directory, identity, self.files)
        self._note_boot(boot_id)
        bases = self._tidy(names)
        self.holes = markers.read_holes(self.directory, self.files) if layout.DAMAGE_FILE in names else []
        known_holes = list(self.holes)
        checkpointed = checkpoint.read_hw(self.directory, self.files)
        segments = self._open_segments(bases, marker) if bases else [self._begin(checkpointed or 0)]
        if self.holes != known_holes:
            markers.write_holes(self.directory, self.holes, self.files)
        self.report.holes = list(self.holes)
        leo = segments[-1].next_offset
        hw = min(max(checkpointed or 0, segments[0].base_offset), leo)
        return Opened(segments, hw, checkpointed, self.report)

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
        ends = [*bases[1:], bases[-1]]
        segments = [
            segment_at(
                self.directory, base, self.files.size(self.directory / layout.log_name(base)) or 0, end
            )
            for base, end in zip(bases, ends, strict=True)
        ]
        found = tuple((segment.base_offset, segment.size_bytes) for segment in segments)
        if marker is not None and marker.segments == found and self._trust(segments, marker):
            self.report.was_clean = True
            return segments
        *closed, active = segments
        for segment in closed[:-1]:
            self._check_closed(segment)
        if closed:
            self._verify_closed(closed[-1])
        self._verify_active(active)
        return segments

    def _trust(self, segments: list[Segment], marker: CleanMarker) -> bool:
        """Take sizes and ends from the marker; False when the active segment's end is not as it says."""
        *closed, active = segments
        for segment in closed:
            size = self.files.size(segment.index_path)
            if not size or size % ENTRY_BYTES:
                self._check_closed(segment)
        index = self._stored_index(active) or OffsetIndex(active.base_offset, self.interval_bytes)
        with _Reader(active.path, self.files) as read:
            end = recovery.complete_index(read, index, active.size_bytes)
            if end.problem is not None:
                index = OffsetIndex(active.base_offset, self.interval_bytes)
                end = recovery.complete_index(read, index, active.size_bytes)
        if end.problem is not None or end.next_offset != marker.leo:
            return False
        self._activate(active, index, marker.leo)
        return True

    def _check_closed(self, segment: Segment) -> None:
        """Headers from the index's last entry on must lead to the next segment; else look at every byte."""
        index = self._stored_index(segment)
        if index is not None:
            entries = len(index)
            with _Reader(segment.path, self.files) as read:
                end = recovery.complete_index(read, index, segment.size_bytes, segment.next_offset)
            if end.problem is None and end.next_offset == segment.next_offset and len(index) == entries:
                return
        self._verify_closed(segment)

    def _verify_closed(self, segment: Segment) -> None:
        with _Reader(segment.path, self.files) as read:
            holes, is_rebuilt = examine_segment(segment, read, self.interval_bytes, self.files)
        self.report.verified_bytes += segment.size_bytes
        if is_rebuilt:
            self.report.rebuilt_indexes.append(segment.base_offset)
        self.holes = replace_holes(self.holes, segment, holes)

    def _verify_active(self, segment: Segment) -> None:
        index = OffsetIndex(segment.base_offset, self.interval_bytes)
        with _Reader(segment.path, self.files) as read:
            end = recovery.scan(
                read,
                position=0,
                stop=segment.size_bytes,
                offset=segment.base_offset,
                index=index,
                check_crc=True,
            )
        self.report.verified_bytes += segment.size_bytes
        if end.problem is not None:
            self._cut(segment, end.position, end.next_offset, end.problem)
        self._activate(segment, index, end.next_offset)

    def _activate(self, segment: Segment, index: OffsetIndex, leo: int) -> None:
        segment.next_offset = leo
        segment.index = index
        segment.recent = RecentBatches(leo, segment.size_bytes)

    def _stored_index(self, segment: Segment) -> OffsetIndex | None:
        data = self.files.read(segment.index_path)
        if data is None:
            return None
        return index_from_bytes(data, segment.base_offset, self.interval_bytes, segment.size_bytes)

    def _cut(self, segment: Segment, position: int, offset: int, problem: str) -> None:
        """Keep a copy of the torn tail, then truncate, durably in that order."""
        tail_bytes = segment.size_bytes - position
        name = layout.saved_tail_name(offset, int(self.clock() * 1000))
        saved: str | None = name
        with _Reader(segment.path, self.files) as read:
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


def replace_holes(holes: list[Hole], segment: Segment, found: list[Hole]) -> list[Hole]:
    """`holes` with those of a closed segment replaced by the ones that an examination found."""
    kept = [h for h in holes if h.stop <= segment.base_offset or h.start >= segment.next_offset]
    return sorted([*kept, *found])


class _Reader:
    """A segment file that is read while the block runs: `with _Reader(...) as read`."""

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
