"""The segments of one log: what is known of their files, without a file being open.

Only the last segment of a log is active: it alone has an index and the boundaries of its recent batches
in memory. `docs/storage-format.md`, "Segments", says when the next one begins.
"""

import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fluvio_local_cluster.storage import layout
from fluvio_local_cluster.storage.errors import DamagedRangeError
from fluvio_local_cluster.storage.index import OffsetIndex
from fluvio_local_cluster.storage.markers import Hole
from fluvio_local_cluster.storage.open_files import OpenFiles
from fluvio_local_cluster.storage.retention import SegmentFacts, newest_record_ms

PIECE_BYTES = 4 * 1024 * 1024  # of a segment: what is checked at a time


def flags_for(size_bytes: int) -> bytearray | None:
    """For `Segment.unchecked`: none of so many bytes, from a segment's first on, were checked."""
    return bytearray(b"\1") * -(-size_bytes // PIECE_BYTES) or None


@dataclass(slots=True)
class Extent:
    """Whole batches that lie behind each other in one segment file."""

    position: int  # bytes
    size_bytes: int
    first_offset: int  # base offset of the first batch
    next_offset: int  # offset after the last batch


class RecentBatches:
    """Boundaries of the batches last appended, so that readers at the end of the log touch no file.

    Entry i is where batch i begins and batch i-1 ends; the last entry is the end of the segment.
    """

    __slots__ = ("_offsets", "_positions")
    LIMIT = 1024  # entries; half of them go when there are more

    def __init__(self, offset: int, position: int) -> None:
        self._offsets = array("q", (offset,))
        self._positions = array("q", (position,))

    @property
    def first_offset(self) -> int:
        """Offsets from here on can be located."""
        return self._offsets[0]

    def add(self, next_offset: int, end: int) -> None:
        """Take notice of an appended batch by where it ends."""
        self._positions.append(end)
        self._offsets.append(next_offset)
        if len(self._offsets) > self.LIMIT:
            del self._offsets[: self.LIMIT // 2]
            del self._positions[: self.LIMIT // 2]

    def locate(self, start: int, upper: int, max_bytes: int) -> Extent | None:
        """As `reading.locate`, for `first_offset` <= `start` < the end."""
        offsets, positions = self._offsets, self._positions
        i = bisect_right(offsets, start) - 1
        position = positions[i]
        end = max(bisect_right(positions, position + max_bytes) - 1, i + 1)
        if offsets[end] > upper:
            end = bisect_right(offsets, upper) - 1
            if end <= i:
                return None
        return Extent(position, positions[end] - position, offsets[i], offsets[end])


@dataclass(slots=True)
class Segment:
    """A segment. Sizes in bytes; `index` and `recent` are None when it is closed."""

    base_offset: int
    path: str
    index_path: str
    size_bytes: int
    next_offset: int  # of a closed segment: the base offset of the one that follows
    first_append_ms: int = 0  # times of appends and of records: ms since 1970, 0 when there is none
    last_append_ms: int = 0
    max_timestamp_ms: int = 0
    index: OffsetIndex | None = None
    recent: RecentBatches | None = None
    # next_offset -> position of slices read lately: a reader that goes on from there needs no lookup
    resume_at: dict[int, int] = field(default_factory=dict)
    unchecked: bytearray | None = None  # see `checking`; None: all of it was checked

    def has_unchecked(self, position: int, size_bytes: int) -> bool:
        """Whether any of these bytes is in a piece that was not checked."""
        flags = self.unchecked
        if flags is None:
            return False
        return flags.find(1, position // PIECE_BYTES, (position + size_bytes - 1) // PIECE_BYTES + 1) >= 0

    @property
    def newest_ms(self) -> int:
        """The time from which the segment's age counts."""
        return newest_record_ms(self.max_timestamp_ms, self.last_append_ms)

    @property
    def facts(self) -> SegmentFacts:
        """As retention sees it."""
        return SegmentFacts(
            self.base_offset, self.next_offset, self.size_bytes, self.newest_ms, self.first_append_ms
        )

    def remember(self, extent: Extent) -> None:
        """Note where a reader of `extent` will go on."""
        if len(self.resume_at) >= 64:
            self.resume_at.clear()
        self.resume_at[extent.next_offset] = extent.position + extent.size_bytes


def segment_at(directory: Path, base_offset: int, size_bytes: int, next_offset: int) -> Segment:
    """A closed segment of a directory."""
    return Segment(
        base_offset,
        str(directory / layout.log_name(base_offset)),
        str(directory / layout.index_name(base_offset)),
        size_bytes,
        next_offset,
    )


class SegmentSet:
    """All segments of a log, ascending; the last is the active one.

    `lock` guards what an append changes and a read looks at. It is never held over a call that may wait.
    `index_lock` is for who writes the active segment's index file, `examine_lock` for who looks for damage
    and notes it; they are taken before `lock`. `has_unchecked`: of any segment; true too long rather than
    false too early.
    """

    __slots__ = (
        "_bases",
        "_segments",
        "directory",
        "examine_lock",
        "has_unchecked",
        "holes",
        "index_lock",
        "lock",
        "open_files",
    )

    def __init__(
        self, directory: Path, segments: list[Segment], holes: list[Hole], open_files: OpenFiles
    ) -> None:
        self.directory = directory
        self.open_files = open_files
        self.lock = threading.Lock()
        self.index_lock = threading.Lock()
        self.examine_lock = threading.Lock()
        self.holes = holes  # damaged ranges, ascending; replaced as a whole
        self._segments = segments
        self._bases = [segment.base_offset for segment in segments]
        self.has_unchecked = any(segment.unchecked is not None for segment in segments)

    def __len__(self) -> int:
        return len(self._segments)

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._segments)

    @property
    def first_offset(self) -> int:
        """Where the log begins."""
        return self._bases[0]

    @property
    def active(self) -> Segment:
        """The segment that takes appends."""
        return self._segments[-1]

    def with_offset(self, offset: int) -> Segment:
        """The segment that has `offset`, which must not lie before `first_offset`."""
        return self._segments[bisect_right(self._bases, offset) - 1]

    def has(self, segment: Segment) -> bool:
        """Whether it is still one of them."""
        return self.with_offset(segment.base_offset) is segment

    def first_unchecked(self) -> tuple[Segment, int] | None:
        """The first piece that was not checked: its segment, and its number there."""
        for segment in self._segments:
            if segment.unchecked is not None and (number := segment.unchecked.find(1)) >= 0:
                return segment, number
        return None

    def note_checked(self, segment: Segment, number: int | None = None) -> None:
        """A piece of a segment was checked; None: all of it was."""
        if segment.unchecked is not None:
            if number is not None and number < len(segment.unchecked):
                segment.unchecked[number] = 0
            if number is None or not any(segment.unchecked):
                segment.unchecked = None
        self.has_unchecked = any(segment.unchecked is not None for segment in self._segments)

    def doubt(self, segment: Segment) -> None:
        """Have all of a segment checked (again)."""
        segment.unchecked = flags_for(segment.size_bytes)
        self.has_unchecked = True

    def add(self, segment: Segment) -> None:
        """Make `segment` the active one."""
        self._segments.append(segment)
        self._bases.append(segment.base_offset)

    def from_base(self, base_offset: int) -> list[Segment]:
        """The segment with that base offset and all after it."""
        return self._segments[bisect_left(self._bases, base_offset) :]

    def up_to(self, base_offset: int) -> list[Segment]:
        """All segments up to and with the one that has that base offset."""
        return self._segments[: bisect_right(self._bases, base_offset)]

    def drop_after(self, base_offset: int) -> list[Segment]:
        """Forget the segments behind the one with that base offset; returns those forgotten."""
        count = bisect_right(self._bases, base_offset)
        dropped = self._segments[count:]
        del self._segments[count:], self._bases[count:]
        return dropped

    def drop_first(self) -> Segment:
        """Forget the oldest segment, which must not be the active one: the log begins later."""
        del self._bases[0]
        return self._segments.pop(0)

    def put_back(self, segment: Segment) -> None:
        """Undo `drop_first`."""
        self._segments.insert(0, segment)
        self._bases.insert(0, segment.base_offset)

    def upper_bound_from(self, start: int, upper: int) -> int:
        """Up to where a read from `start` may go without touching damage; raises `DamagedRangeError`."""
        for hole in self.holes:
            if hole.start <= start < hole.stop:
                raise DamagedRangeError(start, hole.start, hole.stop)
            if start < hole.start:
                return min(upper, hole.start)
        return upper
