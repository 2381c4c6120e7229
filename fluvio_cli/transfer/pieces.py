"""Records of one partition, in order, on their way: as a batch of the wire, as columns, or as both.

`Packer` makes batches of what comes: a batch that is large enough goes through as it is, its neighbours
that are small, or are no batches, become larger ones. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fluvio_protocol.batch import (
    CODEC_MASK,
    NO_TIMESTAMP,
    BatchBuilder,
    BatchError,
    BatchHeader,
    crc_matches,
    decode_columns,
    read_header,
)
from fluvio_protocol.compression import Codec

if TYPE_CHECKING:
    from fluvio_client.consumer.positions import RecordBatch

BATCH_BYTES = 256 * 1024  # of a batch that is made here, before compression
_WHOLE_BYTES, _WHOLE_PACKED_BYTES = 4096, 1024  # a batch of so many bytes is passed on as it is
_OPEN_BYTES = 16 * 1024 * 1024  # of all batches under way


class Columns(NamedTuple):
    """Records, one list per field; timestamps in ms since 1970, -1: none."""

    timestamps: list[int]
    keys: list[bytes | None]
    values: list[bytes]

    def part(self, start: int, stop: int) -> "Columns":
        """The records `start` to `stop - 1`."""
        if start <= 0 and stop >= len(self.values):
            return self
        return Columns(self.timestamps[start:stop], self.keys[start:stop], self.values[start:stop])


@dataclass(slots=True)
class Piece:
    """Records of one partition. `offsets` is a `range` where they follow each other without a gap."""

    partition: int
    offsets: Sequence[int]
    made: Columns | None = None
    batch: memoryview | bytearray | None = None  # a batch that holds these records and no others

    @property
    def count(self) -> int:
        """How many records."""
        return len(self.offsets)

    def header(self) -> BatchHeader | None:
        """That of the batch; None without one."""
        return None if self.batch is None else read_header(self.batch)

    def columns(self) -> Columns:
        """The records. Raises `DecodeError` when the batch is damaged inside."""
        if self.made is None:
            assert self.batch is not None
            view = memoryview(self.batch)
            found = decode_columns(view, read_header(view))
            if len(found.values) != len(self.offsets):
                raise BatchError(f"a batch of {len(self.offsets)} records has {len(found.values)}")
            self.made = Columns(found.timestamps, found.keys, found.values)
        return self.made

    def part(self, start: int, stop: int) -> "Piece":
        """The records `start` to `stop - 1` of it."""
        if start <= 0 and stop >= self.count:
            return self
        return Piece(self.partition, self.offsets[start:stop], self.columns().part(start, stop))


def piece_of(batch: "RecordBatch") -> Piece:
    """The wanted records of a consumer's batch, which must not be used any more."""
    offsets = range(batch.first_offset, batch.stop_offset)
    header = batch.header
    if header.base_offset == batch.first_offset and header.next_offset == batch.stop_offset:
        stop = batch.position + header.size_bytes
        return Piece(batch.partition, offsets, None, batch.data[batch.position : stop])
    found = batch.columns()
    return Piece(batch.partition, offsets, Columns(found.timestamps, found.keys, found.values))


def checked_batch(data: memoryview) -> BatchHeader:
    """The header of the one batch that `data` is. Raises `BatchError` for anything else."""
    header = read_header(data)
    if header.size_bytes != len(data):
        raise BatchError(f"a batch of {header.size_bytes} bytes stands in {len(data)}")
    if not crc_matches(data, header):
        raise BatchError("the CRC of a batch does not match its bytes")
    return header


def joined(first: Sequence[int], second: Sequence[int]) -> Sequence[int]:
    """Offsets one after the other."""
    if not first:
        return second
    if isinstance(first, range) and isinstance(second, range) and first.stop == second.start:
        return range(first.start, second.stop)
    return [*first, *second]


class _Open:
    """A batch under way, of one partition."""

    __slots__ = ("builder", "codec", "newest", "offsets")

    def __init__(self, first_timestamp: int, codec: Codec) -> None:
        self.builder = BatchBuilder(first_timestamp)
        self.codec = codec
        self.newest = first_timestamp
        self.offsets: Sequence[int] = range(0)


class Packer:
    """`add` pieces, take those that are finished, and `flush` in the end. The order of a partition stays."""

    def __init__(
        self, *, codec: Codec | None = None, batch_bytes: int = BATCH_BYTES, span_ms: int | None = None
    ) -> None:
        """`codec`: the only one that batches may have; None: they keep theirs, new ones are not packed.

        `span_ms`: of the time between the records under way, so that partitions stay together.
        """
        self._codec, self._batch_bytes, self._span_ms = codec, batch_bytes, span_ms
        self._oldest_ms: int | None = None  # of the records under way
        self._open: dict[int, _Open] = {}
        self._done: list[Piece] = []
        self._open_bytes = 0

    def add(self, piece: Piece, now_ms: int | None = None) -> list[Piece]:
        """Pieces, each with a batch, that are finished by this one; `now_ms`: the time that its records get.

        Raises `DecodeError` where a batch must be opened, and is damaged inside.
        """
        if not piece.count:
            return []
        if self._is_too_late(piece):
            self._done = self.flush()
        if now_ms is None and self._passes(piece):
            self._close(piece.partition)
            self._done.append(piece)
        else:
            self._pack(piece, now_ms)
        if self._open_bytes > _OPEN_BYTES:
            return self.flush()
        done, self._done = self._done, []
        return done

    def flush(self) -> list[Piece]:
        """All that is under way."""
        for partition in list(self._open):
            self._close(partition)
        self._oldest_ms = None
        done, self._done = self._done, []
        return done

    def _is_too_late(self, piece: Piece) -> bool:
        """Whether what is under way must be finished before this piece, because it is too much later."""
        if self._span_ms is None:
            return False
        header = piece.header()
        first = piece.columns().timestamps[0] if header is None else header.first_timestamp
        if first > 0 and self._oldest_ms is None:
            self._oldest_ms = first
        return self._oldest_ms is not None and first - self._oldest_ms > self._span_ms

    def _passes(self, piece: Piece) -> bool:
        if piece.batch is None:
            return False
        number = read_header(piece.batch).codec_number
        if self._codec is not None and number != self._codec:
            return False
        return len(piece.batch) >= (_WHOLE_PACKED_BYTES if number else _WHOLE_BYTES)

    def _pack(self, piece: Piece, now_ms: int | None) -> None:
        timestamps, keys, values = piece.columns()
        partition, offsets, codec = piece.partition, piece.offsets, self._codec_for(piece)
        if now_ms is not None:
            timestamps = [now_ms] * len(values)
        is_plain = timestamps.count(timestamps[0]) == len(timestamps) and keys.count(None) == len(keys)
        start = 0
        while start < len(values):
            under_way = self._batch_for(partition, timestamps[start], codec)
            builder = under_way.builder
            before = builder.size_bytes
            if is_plain:
                stop = builder.extend(values, start, self._batch_bytes, max(timestamps[start], NO_TIMESTAMP))
            else:
                stop = _append(builder, timestamps, keys, values, start, self._batch_bytes)
            if stop == start and not builder.count:  # larger than a batch: alone
                builder.append(keys[start], values[start], max(timestamps[start], NO_TIMESTAMP))
                stop += 1
            self._open_bytes += builder.size_bytes - before
            under_way.offsets = joined(under_way.offsets, offsets[start:stop])
            under_way.newest = max([under_way.newest, *timestamps[start:stop]])
            if stop < len(values):
                self._close(partition)
            start = stop

    def _codec_for(self, piece: Piece) -> Codec:
        if self._codec is not None:
            return self._codec
        number = 0 if piece.batch is None else read_header(piece.batch).attributes & CODEC_MASK
        return Codec(number)

    def _batch_for(self, partition: int, timestamp: int, codec: Codec) -> _Open:
        """The batch under way that takes records of this time: all records of a batch have times, or none."""
        found = self._open.get(partition)
        if found is not None:
            is_timed = found.builder.first_timestamp > 0
            if found.codec is codec and is_timed == (timestamp > 0):
                return found
            self._close(partition)
        found = self._open[partition] = _Open(timestamp if timestamp > 0 else NO_TIMESTAMP, codec)
        return found

    def _close(self, partition: int) -> None:
        found = self._open.pop(partition, None)
        if found is None:
            return
        self._open_bytes -= found.builder.size_bytes
        found.builder.last_timestamp = found.newest
        self._done.append(Piece(partition, found.offsets, None, found.builder.build(found.codec)))


def _append(
    builder: BatchBuilder,
    timestamps: list[int],
    keys: list[bytes | None],
    values: list[bytes],
    start: int,
    max_bytes: int,
) -> int:
    """Add records from `start` on while they fit and have times as the batch has; where that ends."""
    is_timed = builder.first_timestamp > 0
    append = builder.append
    for index in range(start, len(values)):
        key, value, timestamp = keys[index], values[index], timestamps[index]
        if (timestamp > 0) != is_timed:
            return index
        likely = builder.size_bytes + len(value) + (0 if key is None else len(key)) + 48
        if likely > max_bytes:
            return index
        append(key, value, timestamp if is_timed else NO_TIMESTAMP)
    return len(values)
