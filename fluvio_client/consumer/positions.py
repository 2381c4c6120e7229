"""What a slice of a stream brings, and what to acknowledge. Pure.

Source: docs/protocol.md, "StreamFetch". The official SPU cuts a slice at a number of bytes, in the
middle of a batch. Only complete batches count: they are delivered, and only the end of the last of them is
acknowledged; the server then sends the batch that was cut again, from its start. When a slice has no
complete batch, the stream must be opened anew with room for more bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from typing import NamedTuple

from fluvio_client.errors import ConsumerError, CorruptBatchError
from fluvio_protocol.batch import (
    CODEC_MASK,
    CRC_START,
    HEADER_BYTES,
    BatchError,
    BatchHeader,
    RecordColumns,
    announced_size,
    decode_columns,
    read_header,
    spans,
)
from fluvio_protocol.checksum import crc32c
from fluvio_protocol.compression import UnpackedSizeError
from fluvio_protocol.wire import DecodeError

_MOST_BYTES = 0x7FFF_FFFF  # max_bytes travels as an i32
_CODEC_BYTE = CRC_START + 1  # of the attributes, which the CRC begins with, the lower byte
_SMALL_PACKED_BYTES, _SMALL_BYTES = 16 * 1024, 128 * 1024  # packed, unpacked; more: in a thread


class OffsetGapError(ConsumerError):
    """The server skipped records: the next batch begins above the offset that must come next."""

    def __init__(self, topic: str, partition: int, expected: int, found: int) -> None:
        super().__init__(f"records {expected} to {found - 1} of {topic}-{partition} were not sent")
        self.topic, self.partition, self.expected, self.found = topic, partition, expected, found


class ConsumerRecord(NamedTuple):
    """One record; `timestamp` in ms since 1970, -1 when it has none; `key` None when it has none."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes


_new_record: Callable[[tuple[int, int, int, bytes | None, bytes]], ConsumerRecord]
_new_record = partial(tuple.__new__, ConsumerRecord)


@dataclass(slots=True)
class RecordBatch:
    """A complete batch whose CRC is right, and which records of it are wanted.

    Those are `first_offset` to `stop_offset` - 1.
    """

    topic: str
    partition: int
    data: memoryview  # the slice in which the batch lies; kept alive as long as this object
    position: int  # of the batch's first byte there
    first_offset: int
    stop_offset: int
    _ahead: RecordColumns | DecodeError | None = None  # what decoding it gave, until that is used

    @property
    def is_packed(self) -> bool:
        """Whether a codec was used, and nothing of it was decoded yet."""
        return bool(self.data[self.position + _CODEC_BYTE] & CODEC_MASK) and self._ahead is None

    @property
    def header(self) -> BatchHeader:
        """The batch's header, read anew each time."""
        return read_header(self.data, self.position)

    @property
    def count(self) -> int:
        """How many records are wanted."""
        return self.stop_offset - self.first_offset

    def decode_small(self) -> bool:
        """Decode ahead if that is sure to take no more than a millisecond or so; whether it was done.

        How large a packed batch is cannot be known before, so the codec is stopped when it becomes too much.
        """
        header = self.header
        if header.size_bytes > _SMALL_PACKED_BYTES:
            return False
        try:
            self._ahead = decode_columns(self.data, header, _SMALL_BYTES)
        except UnpackedSizeError:
            return False
        except DecodeError as exc:
            self._ahead = exc
        return True

    def decode_ahead(self) -> None:
        """Decompress and decode now, so that `values` or `records` need not; may run in a thread.

        Damage is for them to raise.
        """
        try:
            self._ahead = decode_columns(self.data, self.header)
        except DecodeError as exc:
            self._ahead = exc

    def _columns(self) -> RecordColumns:
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return decode_columns(self.data, self.header)
        if isinstance(ahead, DecodeError):
            raise ahead
        return ahead

    def values(self) -> list[bytes]:
        """The wanted records' values. Decompresses and decodes. Raises `DecodeError` for damaged data."""
        columns = self._columns()
        base = columns.base_offset
        if self.first_offset <= base and len(columns.values) <= self.count:
            return columns.values
        return columns.values[self.first_offset - base : self.stop_offset - base]

    def columns(self) -> RecordColumns:
        """The wanted records, one list per field; `base_offset` is that of the first. Raises the same."""
        base, timestamps, keys, values = self._columns()
        if len(values) > self.stop_offset - base or self.first_offset > base:
            wanted = slice(self.first_offset - base, self.stop_offset - base)
            timestamps, keys, values = timestamps[wanted], keys[wanted], values[wanted]
        return RecordColumns(self.first_offset, timestamps, keys, values)

    def records(self) -> list[ConsumerRecord]:
        """The wanted records. Decompresses and decodes. Raises `DecodeError` for damaged data."""
        _, timestamps, keys, values = self.columns()
        offsets = range(self.first_offset, self.first_offset + len(values))
        rows = zip(repeat(self.partition), offsets, timestamps, keys, values, strict=False)
        return list(map(_new_record, rows))


# Where a wanted batch lies in its slice (start, stop), its CRC, and its wanted records (first, stop).
_Span = tuple[int, int, int, int, int]


@dataclass(slots=True)
class Sighted:
    """What the headers of one slice say. `PartitionPosition.take` checks and delivers the batches."""

    acknowledge: int | None = None  # the offset to acknowledge, at once; None: nothing
    reopen_max_bytes: int | None = None  # open a new stream with this `max_bytes`; None: this one goes on
    view: memoryview = field(default_factory=lambda: memoryview(b""))  # the slice
    spans: list[_Span] = field(default_factory=list)


@dataclass(slots=True)
class Taken:
    """What one slice brought."""

    batches: list[RecordBatch] = field(default_factory=list)  # their CRCs are right
    damage: CorruptBatchError | None = None  # of the batch behind them: raise it once they are delivered


@dataclass(slots=True)
class PartitionPosition:
    """How far one partition has been read.

    For each slice: `sight` reads the headers, which is enough to acknowledge it, so that the next is on its
    way while `take` checks the batches and moves on.
    """

    topic: str
    partition: int
    next_offset: int  # absolute, of the next record to deliver
    max_bytes: int  # of one slice, as the stream was opened
    stop_offset: int | None = None  # records from here on are not delivered; None: no end

    @property
    def is_done(self) -> bool:
        """Whether everything up to `stop_offset` was delivered."""
        return self.ends_before(self.next_offset)

    def ends_before(self, offset: int) -> bool:
        """Whether nothing from `offset` on is wanted."""
        return self.stop_offset is not None and offset >= self.stop_offset

    def sight(self, records: bytes | memoryview) -> Sighted:
        """Look at the headers of one slice. The position does not move.

        Raises `OffsetGapError` or `BatchError` for what the next wanted batch is; good ones before it are
        taken first: the error comes with the slice that begins there.
        """
        sighted = Sighted(view=memoryview(records))
        view = sighted.view
        if not view:
            return sighted
        wanted_stop = self.stop_offset
        add = sighted.spans.append
        expected, complete = self.next_offset, 0
        try:
            for start, end, base, following, crc in spans(view):
                if following > expected:  # else sent before: a slice begins where a batch begins
                    if base > expected:
                        raise OffsetGapError(self.topic, self.partition, expected, base)
                    stop = following if wanted_stop is None else min(following, wanted_stop)
                    add((start, end, crc, expected, stop))
                    expected = following
                complete = end
        except (BatchError, OffsetGapError):
            if not sighted.spans:
                raise
        if expected == self.next_offset and complete < len(view):  # nothing new is complete
            sighted.reopen_max_bytes = self._larger(view[complete:])
        else:
            sighted.acknowledge = expected
        return sighted

    def take(self, sighted: Sighted) -> Taken:
        """Check what was sighted last, and move on behind it, or behind its last good batch."""
        taken = Taken()
        view, topic, partition = sighted.view, self.topic, self.partition
        add = taken.batches.append
        for start, end, crc, first, stop in sighted.spans:
            if first >= stop:
                break  # behind what is wanted
            if crc32c(view[start + CRC_START : end]) != crc:
                self.next_offset = first
                following = read_header(view, start).next_offset
                taken.damage = CorruptBatchError(topic, partition, first, following)
                return taken
            add(RecordBatch(topic, partition, view, start, first, stop))
        if sighted.acknowledge is not None:
            self.next_offset = sighted.acknowledge
        return taken

    def _larger(self, cut: memoryview) -> int:
        """`max_bytes` for a new stream: room for the batch of which only `cut` came, as far as is known."""
        announced = announced_size(cut) or 0
        if announced > _MOST_BYTES or (0 < announced < HEADER_BYTES):
            raise DecodeError(f"a batch of {self.topic}-{self.partition} announces {announced} bytes")
        if self.max_bytes >= _MOST_BYTES:
            raise ConsumerError(f"no batch of {self.topic}-{self.partition} fits into a slice")
        return min(max(2 * self.max_bytes, announced), _MOST_BYTES)
