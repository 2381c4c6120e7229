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
    HEADER_BYTES,
    BatchHeader,
    announced_size,
    crc_matches,
    decode_columns,
    split,
)
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
    header: BatchHeader
    data: memoryview  # the slice in which the batch lies; kept alive as long as this object
    first_offset: int
    stop_offset: int

    @property
    def count(self) -> int:
        """How many records are wanted."""
        return self.stop_offset - self.first_offset

    def values(self) -> list[bytes]:
        """The wanted records' values. Decompresses and decodes. Raises `DecodeError` for damaged data."""
        columns = decode_columns(self.data, self.header)
        if self._is_whole(len(columns.values)):
            return columns.values
        base = self.header.base_offset
        return columns.values[self.first_offset - base : self.stop_offset - base]

    def records(self) -> list[ConsumerRecord]:
        """The wanted records. Decompresses and decodes. Raises `DecodeError` for damaged data."""
        base = self.header.base_offset
        _, timestamps, keys, values = decode_columns(self.data, self.header)
        if len(values) > self.stop_offset - base or self.first_offset > base:
            wanted = slice(self.first_offset - base, self.stop_offset - base)
            timestamps, keys, values = timestamps[wanted], keys[wanted], values[wanted]
        offsets = range(self.first_offset, self.first_offset + len(values))
        rows = zip(repeat(self.partition), offsets, timestamps, keys, values, strict=False)
        return list(map(_new_record, rows))

    def _is_whole(self, decoded: int) -> bool:
        return self.first_offset <= self.header.base_offset and decoded <= self.count


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
        headers = split(view)
        expected = self.next_offset
        for header in headers:
            if header.next_offset <= expected:
                continue  # sent before: a slice begins where a batch begins
            problem = self._problem(view, header, expected)
            if problem is not None:
                if not taken.batches:
                    raise problem
                break
            stop = header.next_offset
            if self.stop_offset is not None:
                stop = min(stop, self.stop_offset)
            if expected < stop:
                taken.batches.append(RecordBatch(self.topic, self.partition, header, view, expected, stop))
            expected = header.next_offset
        if expected == self.next_offset:  # nothing new is complete
            complete = headers[-1].position + headers[-1].size_bytes if headers else 0
            if complete < len(view):
                taken.reopen_max_bytes = self._larger(view[complete:])
                return taken
        self.next_offset = taken.acknowledge = expected
        return taken

    def _problem(self, view: memoryview, header: BatchHeader, expected: int) -> ConsumerError | None:
        if header.base_offset > expected:
            return OffsetGapError(self.topic, self.partition, expected, header.base_offset)
        if not crc_matches(view, header):
            return CorruptBatchError(self.topic, self.partition, header.base_offset)
        return None

    def _larger(self, cut: memoryview) -> int:
        """`max_bytes` for a new stream: room for the batch of which only `cut` came, as far as is known."""
        announced = announced_size(cut) or 0
        if announced > _MOST_BYTES or (0 < announced < HEADER_BYTES):
            raise DecodeError(f"a batch of {self.topic}-{self.partition} announces {announced} bytes")
        if self.max_bytes >= _MOST_BYTES:
            raise ConsumerError(f"no batch of {self.topic}-{self.partition} fits into a slice")
        return min(max(2 * self.max_bytes, announced), _MOST_BYTES)
