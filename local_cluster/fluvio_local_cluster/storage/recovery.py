"""What a segment's bytes are worth, decided without touching a file (docs/storage-format.md, "Recovery").

A caller hands in `read(size_bytes, position)`. `scan` walks batches and stops at the first that cannot be
one; `examine_closed` finds the holes of a closed segment that must not be cut.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fluvio_local_cluster.storage.index import OffsetIndex
from fluvio_local_cluster.storage.markers import Hole
from fluvio_protocol.batch import CRC_START, HEADER_BYTES, LENGTH_PREFIX_BYTES, MAGIC, MIN_BATCH_LEN
from fluvio_protocol.checksum import crc32c

Read = Callable[[int, int], bytes]

VERIFY_CHUNK_BYTES = 1 << 20
HEADER_CHUNK_BYTES = 8192
_NO_LIMIT = 1 << 63

# base_offset, batch_len, leader_epoch (skipped), magic, crc, attributes (skipped), last_offset_delta:
# the part of batch.HEADER that this loop needs, read once per batch of a log that may have millions
_HEAD = struct.Struct(">qi4xbI2xi")


@dataclass(slots=True)
class Scan:
    """How far a walk over batches came."""

    position: int  # where the last good batch ends, bytes
    next_offset: int  # offset after the last good batch
    problem: str | None  # why the walk ended before the last byte


@dataclass(slots=True)
class TornTail:
    """What was cut off the end of the active segment."""

    offset: int  # the log ends here now
    position: int  # in the segment file, bytes
    size_bytes: int
    problem: str
    saved_as: str | None  # file name; None when there was no space to keep a copy


@dataclass(slots=True)
class RecoveryReport:
    """What opening a replica found and did. The caller logs `lines()`."""

    is_new: bool = False
    was_clean: bool = False  # the last user shut down in order
    is_same_boot: bool | None = None  # whether the machine ran through since; None: not known
    verified_bytes: int = 0  # read and checked against CRCs
    torn_tail: TornTail | None = None
    holes: list[Hole] = field(default_factory=list)  # damage in closed segments, ascending
    rebuilt_indexes: list[int] = field(default_factory=list)  # base offsets
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """One sentence for each finding that a person should know of; empty when all was well."""
        lines = list(self.notes)
        if self.torn_tail is not None:
            tail = self.torn_tail
            kept = f"kept as {tail.saved_as}" if tail.saved_as else "not kept, the disk is full"
            lines.append(
                f"cut a torn tail of {tail.size_bytes} bytes at offset {tail.offset} ({tail.problem}), {kept}"
            )
        lines += [f"offsets {h.start} to {h.stop - 1} are damaged and cannot be read" for h in self.holes]
        if self.rebuilt_indexes:
            lines.append(f"rebuilt the index of segments {self.rebuilt_indexes}")
        return lines


def scan(
    read: Read,
    *,
    position: int,
    stop: int,
    offset: int,
    index: OffsetIndex | None = None,
    check_crc: bool,
    end_offset: int | None = None,
    max_batches: int | None = None,
    until: int | None = None,
    chunk_bytes: int | None = None,
) -> Scan:
    """Walk batches from `position` (where one with base `offset` must begin) up to `stop`.

    With `until` (bytes) the walk ends earlier: behind the batch that has the byte before it. So many
    `chunk_bytes` are read at a time.

    A batch is good when magic, length, base offset and delta are sane, it lies wholly before `stop`, does
    not reach beyond `end_offset`, and, with `check_crc`, its CRC matches. Good ones are noted in `index`.
    """
    if chunk_bytes is None:
        chunk_bytes = VERIFY_CHUNK_BYTES if check_crc else HEADER_CHUNK_BYTES
    unpack, crc_of = _HEAD.unpack_from, crc32c
    chunk, view, start = b"", memoryview(b""), position
    batches = 0
    last_offset = end_offset if end_offset is not None else _NO_LIMIT
    goal = stop if until is None else min(until, stop)
    while position < goal and batches != max_batches:
        at = position - start
        if len(chunk) - at < HEADER_BYTES:
            chunk, start, at = read(min(chunk_bytes, stop - position), position), position, 0
            view = memoryview(chunk)
            if len(chunk) < HEADER_BYTES:
                return Scan(position, offset, "the header of a batch is incomplete")
        base, length, magic, crc, delta = unpack(chunk, at)
        size = LENGTH_PREFIX_BYTES + length
        next_offset = base + delta + 1
        if (
            magic != MAGIC
            or base != offset
            or delta < 0
            or length < MIN_BATCH_LEN
            or position + size > stop
            or next_offset > last_offset
        ):
            why = _header_problem(base, length, magic, delta, offset, stop - position, end_offset)
            return Scan(position, offset, why)
        if check_crc:
            if len(chunk) - at >= size:
                computed = crc_of(view[at + CRC_START : at + size])
            else:
                begun = crc_of(view[at + CRC_START :])
                computed = _crc_in_parts(read, start + len(chunk), position + size, begun)
            if computed != crc:
                return Scan(position, offset, "the CRC of a batch does not match")
        if index is not None:
            index.note(base, position, size)
        position += size
        offset = next_offset
        batches += 1
    return Scan(position, offset, None)


def _header_problem(
    base: int, length: int, magic: int, delta: int, offset: int, left: int, end_offset: int | None
) -> str:
    if magic != MAGIC:
        return f"the magic of a batch is {magic}, not {MAGIC}"
    if base != offset:
        return f"a batch has base offset {base}, not {offset}"
    if delta < 0:
        return f"a batch has last offset delta {delta}"
    if length < MIN_BATCH_LEN:
        return f"a batch has length {length}"
    if length + LENGTH_PREFIX_BYTES > left:
        return "a batch is incomplete"
    return f"a batch reaches beyond offset {end_offset}, where the next segment begins"


def _crc_in_parts(read: Read, position: int, stop: int, crc: int) -> int:
    while position < stop:
        part = read(min(VERIFY_CHUNK_BYTES, stop - position), position)
        if not part:
            break
        crc = crc32c(part, crc)
        position += len(part)
    return crc


def complete_index(read: Read, index: OffsetIndex, size_bytes: int, end_offset: int | None = None) -> Scan:
    """Check the end of a segment by its headers from the index's last entry on, and note what lies behind it.

    Leaves `index.pending_bytes` as if every batch had been noted. A problem says that index and log disagree
    or that the log is damaged: a scan of the whole segment tells which.
    """
    last = index.last()
    index.pending_bytes = 0
    if last is None:
        return scan(
            read,
            position=0,
            stop=size_bytes,
            offset=index.base_offset,
            index=index,
            check_crc=False,
            end_offset=end_offset,
        )
    offset, position = last
    own = scan(read, position=position, stop=size_bytes, offset=offset, check_crc=False, max_batches=1)
    if own.problem is not None:
        return own
    return scan(
        read,
        position=own.position,
        stop=size_bytes,
        offset=own.next_offset,
        index=index,
        check_crc=False,
        end_offset=end_offset,
    )


def examine_closed(
    read: Read,
    *,
    base_offset: int,
    end_offset: int,
    size_bytes: int,
    interval_bytes: int,
    known_places: Iterable[tuple[int, int]],
) -> tuple[OffsetIndex, list[Hole], int]:
    """Verify a closed segment wholly: a new index of its good batches, the ranges that are lost, its size.

    The size is less than `size_bytes` where something lies behind the last batch that belongs there.

    `known_places` are (offset, position) pairs from the old index: where reading may go on behind damage.
    `end_offset` is where the next segment begins.
    """
    index = OffsetIndex(base_offset, interval_bytes)
    places = sorted(known_places, key=lambda place: place[1])
    holes: list[Hole] = []
    position, offset = 0, base_offset
    while True:
        seen = scan(
            read,
            position=position,
            stop=size_bytes,
            offset=offset,
            index=index,
            check_crc=True,
            end_offset=end_offset,
        )
        if seen.next_offset == end_offset:
            return index, holes, seen.position
        resume = (
            _resume_after(read, seen, places, size_bytes, end_offset) if seen.problem is not None else None
        )
        if resume is None:
            holes.append(Hole(seen.next_offset, end_offset))
            return index, holes, size_bytes
        offset, position = resume
        holes.append(Hole(seen.next_offset, offset))
        index.add(offset, position)  # so that no lookup has to walk through the hole
        index.pending_bytes = 0


def _resume_after(
    read: Read, seen: Scan, places: list[tuple[int, int]], size_bytes: int, end_offset: int
) -> tuple[int, int] | None:
    """Offset and position of the first batch behind the damage at `seen.position` that is sure to be one."""
    candidates = [place for place in places if place[1] > seen.position]
    head = read(HEADER_BYTES, seen.position)
    if len(head) == HEADER_BYTES:
        base, length, magic, _, delta = _HEAD.unpack(head[: _HEAD.size])
        if magic == MAGIC and base == seen.next_offset and length >= MIN_BATCH_LEN and delta >= 0:
            candidates.insert(0, (base + delta + 1, seen.position + LENGTH_PREFIX_BYTES + length))
    for offset, position in candidates:
        if not (seen.next_offset < offset < end_offset and position < size_bytes):
            continue
        one = scan(
            read,
            position=position,
            stop=size_bytes,
            offset=offset,
            check_crc=True,
            end_offset=end_offset,
            max_batches=1,
        )
        if one.problem is None:
            return offset, position
    return None
