"""Record batches: the unit that is produced, stored and fetched. Layout: docs/protocol.md, "Batch".

Servers look at headers only: `split` walks a record set, `crc_matches` checks one batch, `stamp` writes
the base offset and leader epoch that a leader gives (the CRC does not cover them). Single records are
made by `BatchBuilder` and read by `Batch.records`, at the client's two ends.
"""

import functools
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fluvio_protocol.checksum import crc32c
from fluvio_protocol.compression import Codec, compress, decompress
from fluvio_protocol.record_shapes import (
    CHUNK,
    LEAST_RECORD_BYTES,
    NO_KEY,
    SMALL,
    delta_pairs,
    fitting,
    keyless_shapes,
    middles,
    small_varints,
    varint_of,
)
from fluvio_protocol.wire import DecodeError

# base_offset, batch_len, leader_epoch, magic, crc, attributes, last_offset_delta, first_timestamp,
# max_timestamp, producer_id, producer_epoch, first_sequence
HEADER = struct.Struct(">qiibIhiqqqhi")
HEADER_BYTES = HEADER.size  # 57
LENGTH_PREFIX_BYTES = 12  # base_offset and batch_len: a batch takes 12 + batch_len bytes
MIN_BATCH_LEN = HEADER_BYTES - LENGTH_PREFIX_BYTES  # 45
CRC_START = 21  # the CRC covers everything from the attributes on
MAGIC = 2
CODEC_MASK = 0x07
SCHEMA_FLAG = 0x10
NO_TIMESTAMP = -1
MAX_UNPACKED_BYTES = 256 * 1024 * 1024  # a records area never becomes larger than this

_SPAN = struct.Struct(">qi4xbI2xi")  # of the header what `spans` looks at
_STAMP_OFFSET = struct.Struct(">q")
_STAMP_EPOCH = struct.Struct(">i")
_COUNT = struct.Struct(">i")
_CRC = struct.Struct(">I")
_LENGTH = struct.Struct(">i")


class BatchError(DecodeError):
    """Bytes that should be a batch are not one (bad magic, length, count or CRC)."""


@dataclass(slots=True)
class BatchHeader:
    """The 57 bytes in front of a batch, and where it lies. `size_bytes` is that of the whole batch."""

    position: int  # of the batch's first byte in the buffer it was read from
    base_offset: int
    size_bytes: int
    leader_epoch: int
    crc: int
    attributes: int
    last_offset_delta: int  # offset of the last record minus base_offset; -1: no record
    first_timestamp: int  # ms since 1970; 0 or -1: none
    max_timestamp: int

    @property
    def next_offset(self) -> int:
        """The offset after this batch's last record."""
        return self.base_offset + self.last_offset_delta + 1

    @property
    def record_count(self) -> int:
        """How many offsets the batch takes."""
        return self.last_offset_delta + 1

    @property
    def codec_number(self) -> int:
        """The codec as a number; above 4 no codec is known."""
        return self.attributes & CODEC_MASK


def read_header(data: bytes | bytearray | memoryview, position: int = 0) -> BatchHeader:
    """The header at `position`, which must have 57 bytes there. Raises `BatchError` if none is."""
    if len(data) - position < HEADER_BYTES:
        raise BatchError(f"a batch header needs {HEADER_BYTES} bytes, {len(data) - position} are left")
    base, length, epoch, magic, crc, attributes, delta, first, last, _, _, _ = HEADER.unpack_from(
        data, position
    )
    if magic != MAGIC:
        raise BatchError(f"batch magic is {magic}, not {MAGIC}")
    if length < MIN_BATCH_LEN:
        raise BatchError(f"batch length {length} is less than {MIN_BATCH_LEN}")
    if delta < -1:
        raise BatchError(f"last offset delta is {delta}")
    return BatchHeader(
        position, base, LENGTH_PREFIX_BYTES + length, epoch, crc, attributes, delta, first, last
    )


def split(data: bytes | bytearray | memoryview) -> list[BatchHeader]:
    """Headers of the complete batches from the start of `data`.

    Stops before a batch that does not fit in the bytes that are there, however much of it there is
    (servers that cut a slice at a byte count send such tails). Raises `BatchError` for a complete header
    that is no batch's.
    """
    headers: list[BatchHeader] = []
    position, end = 0, len(data)
    while end - position >= HEADER_BYTES:
        header = read_header(data, position)
        if header.size_bytes > end - position:
            break
        headers.append(header)
        position += header.size_bytes
    return headers


def spans(data: bytes | bytearray | memoryview) -> Iterator[tuple[int, int, int, int, int]]:
    """The batches that `split` finds, at a third of its price, one after the other.

    Each as (position of its first byte, of the byte after its last, its base offset, the offset after its
    last record, CRC). Raises `BatchError` where a complete header is no batch's.
    """
    unpack_from, size = _SPAN.unpack_from, len(data)
    last = size - HEADER_BYTES
    start = 0
    while start <= last:
        base, length, magic, crc, delta = unpack_from(data, start)
        if magic != MAGIC or length < MIN_BATCH_LEN or delta < -1:
            read_header(data, start)  # says what is wrong
        stop = start + LENGTH_PREFIX_BYTES + length
        if stop > size:
            return
        yield start, stop, base, base + delta + 1, crc
        start = stop


def announced_size(data: bytes | bytearray | memoryview, position: int = 0) -> int | None:
    """Size in bytes that the batch at `position` claims, or None when its length is not there yet."""
    if len(data) - position < LENGTH_PREFIX_BYTES:
        return None
    length: int = _LENGTH.unpack_from(data, position + 8)[0]
    return LENGTH_PREFIX_BYTES + length


def crc_matches(data: bytes | bytearray | memoryview, header: BatchHeader) -> bool:
    """Whether the CRC-32C in `header` is that of the batch's bytes in `data`."""
    covered = memoryview(data)[header.position + CRC_START : header.position + header.size_bytes]
    return bool(crc32c(covered) == header.crc)


def stamp(buffer: bytearray | memoryview, position: int, base_offset: int, leader_epoch: int) -> None:
    """Write the leader's base offset and epoch into the batch at `position`; its CRC stays right."""
    _STAMP_OFFSET.pack_into(buffer, position, base_offset)
    _STAMP_EPOCH.pack_into(buffer, position + 12, leader_epoch)


# --- records: only the client's two ends come here --------------------------------------------------------


class Record(NamedTuple):
    """One record as it lies in a batch; `timestamp` in ms since 1970, -1 when there is none."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes


class BatchBuilder:
    """Collects records for one batch of one partition, then turns them into bytes once.

    Not safe for use by two tasks at a time.
    """

    __slots__ = ("_parts", "count", "first_timestamp", "last_timestamp", "size_bytes")

    def __init__(self, first_timestamp: int) -> None:
        """`first_timestamp`: creation time of the batch, ms since 1970."""
        self.first_timestamp = first_timestamp
        self.last_timestamp = first_timestamp
        self.count = 0
        # Each record's parts begin with the byte that ends the one before (its number of headers, 0).
        self._parts: list[bytes] = []
        self.size_bytes = HEADER_BYTES + _COUNT.size  # of the batch as it stands, not compressed

    def size_with(self, key: bytes | None, value: bytes, timestamp: int) -> int:
        """`size_bytes` as it would be after `append` of the same."""
        body = len(varint_of(timestamp - self.first_timestamp)) + len(varint_of(self.count)) + 3
        if key is not None:
            body += len(varint_of(len(key))) + len(key)
        body += len(varint_of(len(value))) + len(value)
        return self.size_bytes + len(varint_of(body)) + body

    def append(self, key: bytes | None, value: bytes, timestamp: int) -> int:
        """Add one record; returns its index in the batch. `timestamp` in ms since 1970."""
        count = self.count
        deltas = varint_of(timestamp - self.first_timestamp) + varint_of(count)
        if key is None:
            start, middle, size = keyless_shapes[len(deltas)][len(value)]
            self._parts += (start, deltas, middle, value)
            self.size_bytes += size
        else:
            head = b"%b\1%b%b%b" % (deltas, varint_of(len(key)), key, varint_of(len(value)))
            body = len(head) + len(value) + 2  # attributes in front, number of headers behind
            length = varint_of(body)
            self._parts += (b"\0%b\0" % length, head, value)
            self.size_bytes += len(length) + body
        self.last_timestamp = timestamp
        self.count = count + 1
        return count

    def extend(self, values: Sequence[bytes], start: int, max_bytes: int, timestamp: int) -> int:
        """Add `values[start:]`, without keys, as long as the batch stays within `max_bytes` uncompressed.

        Returns the index of the first value that was left out (`len(values)`: none was). The same bytes as
        by `append`, at a fraction of the time per record.
        """
        time_delta = varint_of(timestamp - self.first_timestamp)
        count = self.count
        room = max_bytes - self.size_bytes
        first, stop = start, len(values)
        while start < stop and room > 0:
            index_bytes = len(varint_of(count))
            shapes = keyless_shapes[len(time_delta) + index_bytes]
            likely = room // (len(values[start]) + LEAST_RECORD_BYTES) + 1
            same_width = (1 << (7 * index_bytes - 1)) - count
            chunk = values[start : start + min(likely, same_width, CHUNK)]
            sizes = list(map(len, chunk))
            if len(sizes) > 1 and sizes.count(sizes[0]) == len(sizes):
                head, _, size = shapes[sizes[0]]
                added = min(room // size, len(sizes))
                rows = [b""] * (3 * added)
                rows[0::3] = [head + time_delta] * added
                rows[1::3] = middles(sizes[0], count, added)
                rows[2::3] = chunk[:added]
                used = size * added
            else:
                heads, mids, used = fitting(shapes, sizes, room)
                added = len(heads)
                # Part by part for all records: a loop over records takes several times as long.
                rows = [b""] * (4 * added)
                rows[0::4] = heads
                rows[1::4] = delta_pairs(time_delta, count, added)
                rows[2::4] = mids
                rows[3::4] = chunk[:added]
            if not added:
                break
            self._parts += rows
            room -= used
            count += added
            start += added
            if added < len(chunk):
                break
        if start > first:
            self.last_timestamp = timestamp
        self.size_bytes = max_bytes - room
        self.count = count
        return start

    def build(self, codec: Codec = Codec.NONE) -> bytearray:
        """The finished batch with its CRC; base offset is count - 1 and the epoch -1, as clients send."""
        if codec is Codec.NONE:
            head = HEADER.pack(
                *_header_fields(
                    self.count, 0, self.first_timestamp, self.last_timestamp, self.size_bytes - HEADER_BYTES
                )
            )
            return _sealed(self._joined(head))
        return assemble(
            compress(codec, self._joined(b"")),
            count=self.count,
            attributes=int(codec),
            first_timestamp=self.first_timestamp,
            max_timestamp=self.last_timestamp,
        )

    def release(self) -> None:
        """Let go of the records after `build`; nothing can be added or built any more."""
        self._parts = []

    def _joined(self, head: bytes) -> bytearray:
        """`head` and the records area, copied once."""
        head += _COUNT.pack(self.count)
        parts = self._parts
        if not parts:
            return bytearray(head)
        first = parts[0]
        parts[0] = head + first[1:]  # no record ends before the first
        parts.append(b"\0")
        try:
            return bytearray().join(parts)
        finally:
            parts[0] = first
            parts.pop()


def _header_fields(
    count: int, attributes: int, first_timestamp: int, max_timestamp: int, area_bytes: int
) -> tuple[int, ...]:
    """What clients send in `HEADER`: base offset count - 1, no leader epoch; the CRC is put in later."""
    length = MIN_BATCH_LEN + area_bytes
    return count - 1, length, -1, MAGIC, 0, attributes, count - 1, first_timestamp, max_timestamp, -1, -1, -1


def _sealed(out: bytearray) -> bytearray:
    with memoryview(out) as view:
        _CRC.pack_into(out, 17, crc32c(view[CRC_START:]))
    return out


def assemble(
    area: bytes | bytearray | memoryview,
    *,
    count: int,
    attributes: int,
    first_timestamp: int,
    max_timestamp: int,
    base_offset: int | None = None,
) -> bytearray:
    """A batch around a (packed) records area: header, CRC, area."""
    out = bytearray(HEADER_BYTES)
    HEADER.pack_into(out, 0, *_header_fields(count, attributes, first_timestamp, max_timestamp, len(area)))
    if base_offset is not None:
        _STAMP_OFFSET.pack_into(out, 0, base_offset)
    out += area
    return _sealed(out)


def estimated_record_bytes(key: bytes | None, value: bytes) -> int:
    """An upper bound of what one record adds to a batch, not compressed."""
    return len(value) + (len(key) if key is not None else 0) + 32


def records_area(data: memoryview, header: BatchHeader, max_bytes: int = MAX_UNPACKED_BYTES) -> memoryview:
    """The unpacked records area (count included) of one batch. Raises `DecodeError`."""
    start = header.position + HEADER_BYTES + (4 if header.attributes & SCHEMA_FLAG else 0)
    stop = header.position + header.size_bytes
    if start > stop:
        raise BatchError("a batch with a schema id is too short for it")
    try:
        codec = Codec(header.codec_number)
    except ValueError:
        raise BatchError(f"unknown codec {header.codec_number}") from None
    return decompress(codec, data[start:stop], max_bytes)


class RecordColumns(NamedTuple):
    """The records of one batch, one list per field; record i has offset `base_offset + i`."""

    base_offset: int
    timestamps: list[int]  # ms since 1970, -1: none
    keys: list[bytes | None]
    values: list[bytes]

    def records(self) -> list[Record]:
        """The same as a list of records."""
        base = self.base_offset
        rows = zip(range(base, base + len(self.values)), self.timestamps, self.keys, self.values, strict=True)
        return list(map(_new_record, rows))


_new_record: Callable[[tuple[int, int, bytes | None, bytes]], Record] = functools.partial(
    tuple.__new__, Record
)


def decode_records(
    data: memoryview, header: BatchHeader, max_bytes: int = MAX_UNPACKED_BYTES
) -> list[Record]:
    """Every record of one batch, in order; offsets are base offset + index. Raises `DecodeError`."""
    return decode_columns(data, header, max_bytes).records()


def decode_columns(
    data: memoryview, header: BatchHeader, max_bytes: int = MAX_UNPACKED_BYTES
) -> RecordColumns:
    """Every record of one batch, in order, as columns. Raises `DecodeError`."""
    area = bytes(records_area(data, header, max_bytes))
    if len(area) < _COUNT.size:
        raise BatchError("a records area has no count")
    (count,) = _COUNT.unpack_from(area)
    if count < 0 or count * 7 > len(area):
        raise BatchError(f"{count} records announced in {len(area)} bytes")
    walker = _RecordWalker(area, count)
    try:
        walker.walk()
    except IndexError:
        raise BatchError("a record runs past the end of its batch") from None
    first, deltas = header.first_timestamp, walker.deltas
    if first <= 0:
        timestamps = [NO_TIMESTAMP] * count
    elif any(deltas):
        timestamps = [first + delta for delta in deltas]
    else:
        timestamps = [first] * count
    return RecordColumns(header.base_offset, timestamps, walker.keys, walker.values)


def _varint_at(area: bytes, position: int) -> tuple[int, int]:
    byte = area[position]
    position += 1
    result, shift = byte & 0x7F, 7
    while byte >= 0x80:
        if shift > 63:
            raise BatchError("a varint has too many bytes")
        byte = area[position]
        position += 1
        result |= (byte & 0x7F) << shift
        shift += 7
    return (result >> 1) ^ -(result & 1), position


class _RecordWalker:
    """The loop of the consuming client: most records are recognised by the bytes that they must have.

    The first two bytes of a record (its length, and the attributes or the rest of the length) tell where its
    parts are, if it has no key, a one-byte timestamp delta, and the offset delta that its index demands; then
    the bytes between are compared in one go. Whatever differs goes through `_read_record`.
    """

    __slots__ = ("area", "count", "deltas", "keys", "values")

    def __init__(self, area: bytes, count: int) -> None:
        self.area, self.count = area, count
        self.deltas: list[int] = []  # to the first timestamp
        self.keys: list[bytes | None] = [None] * count
        self.values: list[bytes] = []

    def walk(self) -> None:
        """Fill the columns. Raises `BatchError`, or `IndexError` at the end of the bytes."""
        position, index = _COUNT.size, 0
        while index < self.count:
            width = len(varint_of(index))
            stop = min(1 << (7 * width - 1), self.count)
            position = self._walk_width(position, index, stop, width)
            index = stop
        if position > len(self.area):
            raise BatchError("a record runs past the end of its batch")

    def _walk_width(self, position: int, start: int, stop: int, width: int) -> int:
        # Records whose offset delta takes `width` bytes: one table of shapes is right for all of them.
        area, keys, varints = self.area, self.keys, small_varints()
        starts_with = area.startswith
        add_delta, add_value = self.deltas.append, self.values.append
        shape_of = _shapes.setdefault(width, {}).get
        for index in range(start, min(stop, SMALL)):
            shape = shape_of(area[position : position + 2]) or _shape_at(area, position, width)
            deltas_at, value_at, size, tail = shape
            delta = area[position + deltas_at - 1]
            deltas_at += position
            if delta < 0x80 and starts_with(varints[index] + tail, deltas_at):
                add_delta((delta >> 1) ^ -(delta & 1) if delta else 0)
                stop_at = position + size
                add_value(area[position + value_at : stop_at - 1])
                position = stop_at
                continue
            if delta < 0x80 and size and starts_with(varints[index] + b"\1", deltas_at):
                key_at = deltas_at + width + 2
                key_end = key_at + (area[key_at - 1] >> 1)
                stop_at = position + size
                rest = stop_at - 1 - key_end  # value with its length
                value_size = rest - 1 if rest <= 64 else rest - 2
                if (
                    area[key_at - 1] & 0x81 == 0
                    and 0 <= value_size < SMALL
                    and rest != 65
                    and starts_with(varints[value_size], key_end)
                ):
                    add_delta((delta >> 1) ^ -(delta & 1) if delta else 0)
                    keys[index] = area[key_at:key_end]
                    add_value(area[stop_at - 1 - value_size : stop_at - 1])
                    position = stop_at
                    continue
            delta, keys[index], value, position = _read_record(area, position)
            add_delta(delta)
            add_value(value)
        for index in range(max(start, SMALL), stop):
            delta, keys[index], value, position = _read_record(area, position)
            add_delta(delta)
            add_value(value)
        return position


# By bytes of the offset delta, then by the first two bytes of a record; at most 17,000 entries each.
_shapes: dict[int, dict[bytes, tuple[int, int, int, bytes]]] = {}
_NO_SHAPE = (1, 0, 0, b"\xff" * 12)  # of a record that must be read step by step: no bytes match this


def _shape_at(area: bytes, position: int, width: int) -> tuple[int, int, int, bytes]:
    """Where things are in the record at `position`, if it has no key and is like most.

    Returns, counted from the record's first byte, where the offset delta (of `width` bytes) and the value
    begin, the record's size, and the bytes between offset delta and value.
    """
    lead = area[position : position + 2]
    if len(lead) < 2 or (lead[1] != 0 if lead[0] < 0x80 else lead[1] >= 0x80):
        return _NO_SHAPE
    length, length_bytes = _varint_at(lead, 0)
    deltas_at = length_bytes + 2  # behind attributes and timestamp delta
    rest = length - 2 - width - 2  # value with its length, between the key's mark and the number of headers
    size = rest - 1 if rest <= 64 else rest - 2
    if size < 0 or len(varint_of(size)) + size != rest:
        return _NO_SHAPE
    tail = NO_KEY + varint_of(size)
    shape = deltas_at, deltas_at + width + len(tail), length_bytes + length, tail
    _shapes[width][lead] = shape
    return shape


def _read_record(area: bytes, position: int) -> tuple[int, bytes | None, bytes, int]:
    """Timestamp delta, key, value of the record at `position`, and where the next one begins."""
    length = area[position]
    if length < 0x80:
        length, position = (length >> 1) ^ -(length & 1), position + 1
    else:
        length, position = _varint_at(area, position)
    stop = position + length
    if length < 6 or stop > len(area):
        raise BatchError("a record runs past the end of its batch")
    delta = area[position + 1]
    if delta < 0x80:
        delta, position = (delta >> 1) ^ -(delta & 1), position + 2
    else:
        delta, position = _varint_at(area, position + 1)
    if area[position] < 0x80:  # offset delta: the index says the same
        position += 1
    else:
        _, position = _varint_at(area, position)
    key = None
    has_key = area[position]
    position += 1
    if has_key:
        size = area[position]
        if size < 0x80:
            size, position = (size >> 1) ^ -(size & 1), position + 1
        else:
            size, position = _varint_at(area, position)
        if has_key != 1 or size < 0 or position + size > stop:
            raise BatchError("a record's key runs past its end")
        key = area[position : position + size]
        position += size
    size = area[position]
    if size < 0x80:
        size, position = (size >> 1) ^ -(size & 1), position + 1
    else:
        size, position = _varint_at(area, position)
    if size < 0 or position + size > stop:
        raise BatchError("a record's value runs past its end")
    return delta, key, area[position : position + size], stop
