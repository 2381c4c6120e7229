"""Sparse index of one segment: from a record offset to a place in its .log file, and back.

Format: docs/storage-format.md, "Offset index". There is one entry per few KiB of log, so a lookup
ends in a short scan over batch headers. The index is a hint: it is rebuilt from the log when the two
disagree. The active segment's index lives in memory (`OffsetIndex`); that of a closed one is searched
in its file (`floor_in_file`), so that it costs no memory. No file is touched here.
"""

import struct
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

ENTRY = struct.Struct(">II")  # offset relative to base_offset (records), position (bytes)
ENTRY_BYTES = ENTRY.size
NO_ENTRY = bytes(ENTRY_BYTES)  # the whole index file of a closed segment that has no entry
LARGEST = 0xFFFF_FFFF
OFFSET_COLUMN, POSITION_COLUMN = 0, 1
_WINDOW_ENTRIES = 512

if array("I").itemsize != 4:  # pragma: no cover - no platform of ours
    raise ImportError("this platform's unsigned int does not have 4 bytes")


def _numbers() -> "array[int]":
    return array("I")


@dataclass(slots=True)
class OffsetIndex:
    """Entries of one segment; offsets are absolute in every call and relative inside."""

    base_offset: int  # offset of the segment's first record
    interval_bytes: int
    offsets: "array[int]" = field(default_factory=_numbers)  # relative, strictly increasing
    positions: "array[int]" = field(default_factory=_numbers)  # bytes, strictly increasing, parallel
    pending_bytes: int = 0  # of the batches since the last entry, the entry's own batch not counted

    def __len__(self) -> int:
        return len(self.offsets)

    def note(self, offset: int, position: int, size_bytes: int) -> None:
        """Take notice of a batch that follows the ones noted before; it may become an entry.

        A batch beyond what four bytes can say gets no entry: the index is then only less dense.
        """
        if self.pending_bytes < self.interval_bytes or not position:
            self.pending_bytes += size_bytes
            return
        self.add(offset, position)
        self.pending_bytes = 0

    def add(self, offset: int, position: int) -> None:
        """Make an entry whatever the interval."""
        relative = offset - self.base_offset
        if relative <= LARGEST and position <= LARGEST:
            self.offsets.append(relative)
            self.positions.append(position)

    def as_of(self, entries: int, pending_bytes: int) -> "OffsetIndex":
        """A copy of an earlier state, given by its `len` and `pending_bytes`; readers keep this one."""
        return OffsetIndex(
            self.base_offset,
            self.interval_bytes,
            self.offsets[:entries],
            self.positions[:entries],
            pending_bytes,
        )

    def last(self) -> tuple[int, int] | None:
        """Offset and position of the last entry."""
        if not self.offsets:
            return None
        return self.base_offset + self.offsets[-1], self.positions[-1]

    def entries(self) -> list[tuple[int, int]]:
        """Every (offset, position), in order."""
        return [(self.base_offset + o, p) for o, p in zip(self.offsets, self.positions, strict=True)]

    def at_offset(self, offset: int) -> tuple[int, int] | None:
        """The last entry at or before `offset`, as (offset, position)."""
        i = bisect_right(self.offsets, offset - self.base_offset)
        return (self.base_offset + self.offsets[i - 1], self.positions[i - 1]) if i else None

    def at_position(self, position: int) -> tuple[int, int] | None:
        """The last entry at or before `position`, as (offset, position)."""
        i = bisect_right(self.positions, position)
        return (self.base_offset + self.offsets[i - 1], self.positions[i - 1]) if i else None

    def to_bytes(self) -> bytes:
        """The file of a closed segment."""
        return self.bytes_of(len(self.offsets)) or NO_ENTRY

    def bytes_of(self, entries: int) -> bytes:
        """The first `entries` entries as they lie in the file."""
        both = array("I", bytes(ENTRY_BYTES * entries))
        both[0::2], both[1::2] = self.offsets[:entries], self.positions[:entries]
        if sys.byteorder == "little":
            both.byteswap()
        return both.tobytes()

    def entries_before(self, position: int) -> int:
        """How many entries are of batches that begin before `position`."""
        return bisect_left(self.positions, position)


def index_from_bytes(
    data: bytes, base_offset: int, interval_bytes: int, log_bytes: int
) -> OffsetIndex | None:
    """The index in a file, or None when it cannot be the one of a log of `log_bytes`.

    Zeros after the used part, as the official engine's active index has, are taken for its end.
    Whether the entries agree with the log is for the caller to find out.
    """
    if not data or len(data) % ENTRY_BYTES:
        return None
    both = array("I", data)
    if sys.byteorder == "little":
        both.byteswap()
    offsets, positions = both[0::2], both[1::2]
    used = len(positions)
    if not positions[-1]:
        try:
            used = positions.index(0)
        except ValueError:  # pragma: no cover - the last one is 0
            return None
        if any(both[2 * used :]):
            return None
        offsets, positions = offsets[:used], positions[:used]
    if used and not 0 < positions[0] <= positions[-1] < log_bytes:
        return None
    if not (_strictly_increasing(offsets) and _strictly_increasing(positions)):
        return None
    return OffsetIndex(base_offset, interval_bytes, offsets, positions)


def _strictly_increasing(numbers: "array[int]") -> bool:
    as_list = numbers.tolist()
    return len(set(as_list)) == len(as_list) and as_list == sorted(as_list)


def floor_in_file(
    read: Callable[[int, int], bytes], entries: int, column: int, wanted: int
) -> tuple[int, int] | None:
    """The last entry of an index file whose `column` is at most `wanted`, as (relative offset, position).

    `read(size_bytes, position)` reads the file. Takes about log2(entries / 512) small reads and one of 4 KiB.
    """
    low, high = 0, (entries - 1) // _WINDOW_ENTRIES  # windows; the one sought is in [low, high]
    while low < high:
        middle = (low + high + 1) // 2
        head = read(ENTRY_BYTES, middle * _WINDOW_ENTRIES * ENTRY_BYTES)
        if len(head) < ENTRY_BYTES:
            return None
        if ENTRY.unpack(head)[column] <= wanted:
            low = middle
        else:
            high = middle - 1
    first = low * _WINDOW_ENTRIES
    window = read(min(_WINDOW_ENTRIES, entries - first) * ENTRY_BYTES, first * ENTRY_BYTES)
    numbers = array("I", window[: len(window) // ENTRY_BYTES * ENTRY_BYTES])
    if sys.byteorder == "little":
        numbers.byteswap()
    i = bisect_right(numbers[column::2], wanted)
    if not i or not numbers[2 * i - 1]:
        return None
    return numbers[2 * i - 2], numbers[2 * i - 1]
