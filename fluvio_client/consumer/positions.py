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
    CRC_START,
    HEADER_BYTES,
    BatchError,
    BatchHeader,
    announced_size,
    decode_columns,
    read_header,
    spans,
)
from fluvio_protocol.checksum import crc32c
from fluvio_protocol.wire import DecodeError

_MOST_BYTES = 0x7FFF_FFFF  # max_bytes travels as an i32


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

    @property
    def header(self) -> BatchHeader:
        """The batch's header, read anew each time."""
        return read_header(self.data, self.position)

    @property
    def count(self) -> int:
        """How many records are wanted."""
        return self.stop_offset - self.first_offset

    def values(self) -> list[bytes]:
        """The wanted records' values. Decompresses and decodes. Raises `DecodeError` for damaged data."""
        columns = decode_columns(self.data, self.header)
        base = columns.base_offset
        if self.first_offset <= base and len(columns.values) <= self.count:
            return columns.values
        return columns.values[self.first_offset - base : self.stop_offset - base]

    def records(self) -> list[ConsumerRecord]:
        """The wanted records. Decompresses and decodes. Raises `DecodeError` for damaged data."""
        base, timestamps, keys, values = decode_columns(self.data, self.header)
        if len(values) > self.stop_offset - base or self.first_offset > base:
            wanted = slice(self.first_offset - base, self.stop_offset - base)
            timestamps, keys, values = timestamps[wanted], keys[wanted], values[wanted]
        offsets = range(self.first_offset, self.first_offset + len(values))
        rows = zip(repeat(self.partition), offsets, timestamps, keys, values, strict=False)
        return list(map(_new_record, rows))


@dataclass(slots=True)
class Taken:
    """What to do about one slice."""

    batches: list[RecordBatch] = field(default_factory=list)
    acknowledge: int | None = None  # the offset to acknowledge; None: nothing
    reopen_max_bytes: int | None = None  # open a new stream with this `max_bytes`; None: this one goes on


@dataclass(slots=True)
class PartitionPosition:
    """How far one partition has been read. `take` moves it on."""

    topic: str
    partition: int
    next_offset: int  # absolute, of the next record to deliver
    max_bytes: int  # of one slice, as the stream was opened
    stop_offset: int | None = None  # records from here on are not delivered; None: no end

    @property
    def is_done(self) -> bool:
        """Whether everything up to `stop_offset` was delivered."""
        return self.stop_offset is not None and self.next_offset >= self.stop_offset

    def take(self, records: bytes | memoryview) -> Taken:
        """Look at the record set of one slice, and move on behind its last complete batch.

        Raises `CorruptBatchError`, `OffsetGapError` or `BatchError` for what the next wanted batch is; good
        batches before it are delivered first: the error comes with the slice that begins there. When it
        raises, the position has not moved.
        """
        taken = Taken()
        view = memoryview(records)
        if not view:
            return taken
        topic, partition, wanted_stop = self.topic, self.partition, self.stop_offset
        add = taken.batches.append
        expected, complete = self.next_offset, 0
        try:
            for position, end, base, next_offset, crc in spans(view):
                if next_offset > expected:  # else sent before: a slice begins where a batch begins
                    if base > expected:
                        raise OffsetGapError(topic, partition, expected, base)
                    if crc32c(view[position + CRC_START : end]) != crc:
                        raise CorruptBatchError(topic, partition, base)
                    stop = next_offset if wanted_stop is None else min(next_offset, wanted_stop)
                    if expected < stop:
                        add(RecordBatch(topic, partition, view, position, expected, stop))
                    expected = next_offset
                complete = end
        except (BatchError, OffsetGapError, CorruptBatchError):
            if not taken.batches:
                raise
        if expected == self.next_offset and complete < len(view):  # nothing new is complete
            taken.reopen_max_bytes = self._larger(view[complete:])
            return taken
        self.next_offset = taken.acknowledge = expected
        return taken

    def _larger(self, cut: memoryview) -> int:
        """`max_bytes` for a new stream: room for the batch of which only `cut` came, as far as is known."""
        announced = announced_size(cut) or 0
        if announced > _MOST_BYTES or (0 < announced < HEADER_BYTES):
            raise DecodeError(f"a batch of {self.topic}-{self.partition} announces {announced} bytes")
        if self.max_bytes >= _MOST_BYTES:
            raise ConsumerError(f"no batch of {self.topic}-{self.partition} fits into a slice")
        return min(max(2 * self.max_bytes, announced), _MOST_BYTES)
