"""Removing the oldest segments of a log, so that whatever happens what is left is a whole log.

One segment after the other, from the oldest on, each removal durable before the next: after a power loss the
log begins at one of the segments that were to go, or behind them, and has no gap.
"""

from dataclasses import dataclass, field

from fluvio_local_cluster.storage import markers
from fluvio_local_cluster.storage.retention import RetentionPlan
from fluvio_local_cluster.storage.segment import Segment, SegmentSet


@dataclass(frozen=True, slots=True)
class RemovedSegment:
    """A segment that is gone: its offsets, half-open, and bytes."""

    base_offset: int
    next_offset: int
    size_bytes: int


@dataclass(slots=True)
class Cleaning:
    """What a cleaning did. `distrust`: why nothing was removed because of its age, None when age counted."""

    log_start: int
    removed: list[RemovedSegment] = field(default_factory=list)
    plan: RetentionPlan = field(default_factory=RetentionPlan)
    distrust: str | None = None

    @property
    def freed_bytes(self) -> int:
        """Bytes of the segments that are gone."""
        return sum(segment.size_bytes for segment in self.removed)


def remove_first(segments: SegmentSet) -> Segment:
    """Remove the oldest segment, which must be closed: first for readers, then its files, durably.

    Readers that hold its file read on. Raises `OSError`; the segment is then still there, unless only the
    fsync of the directory failed.
    """
    files, open_files = segments.open_files.files, segments.open_files
    with segments.lock:
        segment = segments.drop_first()
    try:
        files.remove_if_there(segment.path)
    except OSError:
        with segments.lock:
            segments.put_back(segment)
        raise
    finally:
        open_files.forget(segment.path)
    try:
        files.remove_if_there(segment.index_path)
    finally:
        open_files.forget(segment.index_path)
    files.sync_directory(segments.directory)
    return segment


def forget_holes(segments: SegmentSet) -> None:
    """Forget damage before the start of the log. Raises `OSError`."""
    first = segments.first_offset
    holes = [hole for hole in segments.holes if hole.stop > first]
    if len(holes) != len(segments.holes):
        with segments.lock:
            segments.holes = holes
        markers.write_holes(segments.directory, holes, segments.open_files.files)
