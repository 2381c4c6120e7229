"""Record batches: the unit that is produced, stored and fetched. Layout: docs/protocol.md, "Batch".

Servers look at headers only: `split` walks a record set, `crc_matches` checks one batch, `stamp` writes
the base offset and leader epoch that a leader gives (the CRC does not cover them). Single records are
made by `BatchBuilder` and read by `Batch.records`, at the client's two ends.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import crc32c

from fluvio_protocol.compression import Codec, compress, decompress
from fluvio_protocol.wire import DecodeError, encode_varint

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


def announced_size(data: bytes | bytearray | memoryview, position: int = 0) -> int | None:
    """Size in bytes that the batch at `position` claims, or None when its length is not there yet."""
    if len(data) - position < LENGTH_PREFIX_BYTES:
        return None
    length: int = _LENGTH.unpack_from(data, position + 8)[0]
    return LENGTH_PREFIX_BYTES + length


def crc_matches(data: bytes | bytearray | memoryview, header: BatchHeader) -> bool:
    """Whether the CRC-32C in `header` is that of the batch's bytes in `data`."""
    covered = memoryview(data)[header.position + CRC_START : header.position + header.size_bytes]
    return bool(crc32c.crc32c(covered) == header.crc)


def stamp(buffer: bytearray | memoryview, position: int, base_offset: int, leader_epoch: int) -> None:
    """Write the leader's base offset and epoch into the batch at `position`; its CRC stays right."""
    _STAMP_OFFSET.pack_into(buffer, position, base_offset)
    _STAMP_EPOCH.pack_into(buffer, position + 12, leader_epoch)


# --- records: only the client's two ends come here --------------------------------------------------------

_SMALL = 1 << 13
_small_varints: list[bytes] = []  # varint of 0 .. _SMALL-1, filled at first use


def _varints() -> list[bytes]:
    if not _small_varints:
        _small_varints.extend(bytes((n << 1,)) if n < 64 else encode_varint(n) for n in range(_SMALL))
    return _small_varints


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

    __slots__ = ("_parts", "_record_bytes", "count", "first_timestamp", "last_timestamp")

    def __init__(self, first_timestamp: int) -> None:
        """`first_timestamp`: creation time of the batch, ms since 1970."""
        self.first_timestamp = first_timestamp
        self.last_timestamp = first_timestamp
        self.count = 0
        self._parts: list[bytes] = []
        self._record_bytes = 0

    @property
    def size_bytes(self) -> int:
        """Bytes of the batch as it stands, not compressed."""
        return HEADER_BYTES + _COUNT.size + self._record_bytes

    def append(self, key: bytes | None, value: bytes, timestamp: int) -> int:
        """Add one record; returns its index in the batch. `timestamp` in ms since 1970."""
        varints = _small_varints or _varints()
        delta = timestamp - self.first_timestamp
        count, size = self.count, len(value)
        head = (varints[delta] if 0 <= delta < _SMALL else encode_varint(delta)) + (
            varints[count] if count < _SMALL else encode_varint(count)
        )
        value_length = varints[size] if size < _SMALL else encode_varint(size)
        if key is None:
            head = b"\0" + head + b"\0" + value_length
        else:
            head = b"\0" + head + b"\1" + encode_varint(len(key)) + key + value_length
        body = len(head) + size + 1
        length = varints[body] if body < _SMALL else encode_varint(body)
        self._parts += (length, head, value, b"\0")
        self._record_bytes += len(length) + body
        self.last_timestamp = timestamp
        self.count = count + 1
        return count

    def build(self, codec: Codec = Codec.NONE) -> bytearray:
        """The finished batch with its CRC; base offset is count - 1 and the epoch -1, as clients send."""
        area = b"".join((_COUNT.pack(self.count), *self._parts))
        packed = compress(codec, area)
        return assemble(
            packed,
            count=self.count,
            attributes=int(codec),
            first_timestamp=self.first_timestamp,
            max_timestamp=self.last_timestamp,
        )


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
    base = count - 1 if base_offset is None else base_offset
    length = MIN_BATCH_LEN + len(area)
    out = bytearray(HEADER_BYTES)
    HEADER.pack_into(
        out, 0, base, length, -1, MAGIC, 0, attributes, count - 1, first_timestamp, max_timestamp, -1, -1, -1
    )
    out += area
    _CRC.pack_into(out, 17, crc32c.crc32c(memoryview(out)[CRC_START:]))
    return out


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


def decode_records(
    data: memoryview, header: BatchHeader, max_bytes: int = MAX_UNPACKED_BYTES
) -> list[Record]:
    """Every record of one batch, in order; offsets are base offset + index. Raises `DecodeError`."""
    area = bytes(records_area(data, header, max_bytes))
    if len(area) < _COUNT.size:
        raise BatchError("a records area has no count")
    (count,) = _COUNT.unpack_from(area)
    if count < 0 or count * 7 > len(area):
        raise BatchError(f"{count} records announced in {len(area)} bytes")
    first = header.first_timestamp
    try:
        return list(_walk_records(area, count, header.base_offset, first if first > 0 else None))
    except IndexError:
        raise BatchError("a record runs past the end of its batch") from None


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


def _walk_records(area: bytes, count: int, base_offset: int, first_timestamp: int | None) -> Iterator[Record]:
    # The loop of the consuming client: one-byte varints, by far the most common, are read in place.
    position, end = _COUNT.size, len(area)
    make = Record._make
    for offset in range(base_offset, base_offset + count):
        length = area[position]
        if length < 0x80:
            length, position = (length >> 1) ^ -(length & 1), position + 1
        else:
            length, position = _varint_at(area, position)
        stop = position + length
        if length < 6 or stop > end:
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
        timestamp = NO_TIMESTAMP if first_timestamp is None else first_timestamp + delta
        yield make((offset, timestamp, key, area[position : position + size]))
        position = stop
