"""Collects records into batches and says which batches may be sent. Pure: no clock, no tasks.

Source: docs/protocol.md, "Produce". Per partition there is a queue of batches, in the order in which their
records came; the last one may be open. A batch is due when it is full, `linger_s` old, or flushed. Batches
that were taken are in flight: until they come back (`finish`, `put_back`), nothing more of their partition
is handed out, so the order of a partition holds through every retry.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fluvio_client.errors import RecordTooLargeError
from fluvio_protocol.batch import BatchBuilder
from fluvio_protocol.compression import Codec

_MOST_FRAMING_BYTES = 48  # of one record: what it takes beside key and value is less


@dataclass(slots=True, eq=False)
class PendingBatch:
    """One batch on its way. `outcome` belongs to whoever set it: the accumulator never looks at it."""

    partition: int
    builder: BatchBuilder
    opened_at: float  # s, monotonic
    outcome: Any
    is_closed: bool = False  # takes no more records
    is_observed: bool = False  # somebody waits for one of its records, so a failure will be noticed
    counted_bytes: int = 0  # what it takes from the memory limit
    packed: bytearray | None = None  # what is sent, once it was made
    waiters: list[Any] = field(default_factory=list)  # futures that whoever settles the outcome wakes

    def pack(self, codec: Codec) -> bytearray:
        """The finished batch: made once, whoever needs it first; it takes no more records then."""
        if self.packed is None:
            self.packed = self.builder.build(codec)
            self.builder.release()
        return self.packed


@dataclass(slots=True)
class _Queue:
    batches: deque[PendingBatch] = field(default_factory=deque)
    in_flight: int = 0
    not_before: float = 0.0  # s, monotonic: pause after a failed attempt
    attempts: int = 0  # that failed since the last success


class Accumulator:
    """Batches of one topic. Sizes in bytes before compression; times in seconds, monotonic."""

    __slots__ = (
        "_batch_bytes",
        "_make_outcome",
        "_open",
        "_queues",
        "linger_s",
        "max_record_bytes",
        "packs_full_batches",
        "pending_bytes",
    )

    def __init__(
        self, *, batch_bytes: int, max_record_bytes: int, linger_s: float, make_outcome: Any
    ) -> None:
        """`max_record_bytes`: limit of a batch with one record; `make_outcome()` gives each batch its own."""
        self._batch_bytes = min(batch_bytes, max_record_bytes)
        self.max_record_bytes = max_record_bytes
        self.linger_s = linger_s
        self.packs_full_batches = False  # at once, so that requests need not wait for it; without a codec
        self.pending_bytes = 0  # of all batches, in flight ones included
        self._make_outcome = make_outcome
        self._queues: dict[int, _Queue] = {}
        self._open: dict[int, PendingBatch] = {}  # the last batch of each partition; its queue is its owner

    def append(
        self, partition: int, key: bytes | None, value: bytes, timestamp: int, now: float
    ) -> tuple[PendingBatch, int]:
        """Add one record; returns its batch and its index there. `timestamp` in ms since 1970.

        Raises `RecordTooLargeError`; nothing is added then.
        """
        batch = self._open.get(partition)
        if batch is None or batch.is_closed:
            batch = self._new_batch(partition, timestamp, now)
        builder, counted = batch.builder, batch.counted_bytes
        likely = builder.size_bytes + len(value) + (0 if key is None else len(key)) + _MOST_FRAMING_BYTES
        if likely > self._batch_bytes:
            batch = self._batch_with_room(batch, key, value, timestamp, now)
            builder, counted = batch.builder, batch.counted_bytes
        index = builder.append(key, value, timestamp)
        size = batch.counted_bytes = builder.size_bytes
        self.pending_bytes += size - counted
        return batch, index

    def _batch_with_room(
        self, batch: PendingBatch, key: bytes | None, value: bytes, timestamp: int, now: float
    ) -> PendingBatch:
        """`batch` if the record fits there, else a new one; raises if it fits nowhere."""
        size = batch.builder.size_with(key, value, timestamp)
        if size > self._batch_bytes and batch.builder.count:
            batch = self._new_batch(batch.partition, timestamp, now)
            size = batch.builder.size_with(key, value, timestamp)
        if size > self.max_record_bytes:
            self._queues[batch.partition].batches.pop().is_closed = True  # it is new and empty
            raise RecordTooLargeError(size, self.max_record_bytes)
        return batch

    def append_packed(self, partition: int, packed: bytearray, count: int, now: float) -> PendingBatch:
        """Add a finished batch of `count` records. Raises `RecordTooLargeError` for its size."""
        if len(packed) > self.max_record_bytes:
            raise RecordTooLargeError(len(packed), self.max_record_bytes)
        batch = self._new_batch(partition, 0, now)
        batch.is_closed, batch.packed = True, packed
        batch.builder.count, batch.counted_bytes = count, len(packed)
        self.pending_bytes += len(packed)
        return batch

    def extend(
        self,
        partition: int,
        values: Sequence[bytes],
        start: int,
        timestamp: int,
        now: float,
        max_pending: int,
    ) -> int:
        """Add `values[start:]` without keys, until `pending_bytes` reaches `max_pending`.

        Returns the index of the first value that was not added. Raises like `append`, for one value.
        """
        stop = len(values)
        while start < stop and self.pending_bytes < max_pending:
            batch = self._open_batch(partition, timestamp, now)
            added = batch.builder.extend(values, start, self._batch_bytes, timestamp)
            self._count(batch)
            if added == start:  # it does not fit: full, or larger than any batch
                if batch.builder.count:
                    self._close_full(batch)
                else:
                    self.append(partition, None, values[start], timestamp, now)
                    start += 1
            start = max(start, added)
        return start

    def _open_batch(self, partition: int, timestamp: int, now: float) -> PendingBatch:
        batch = self._open.get(partition)
        if batch is None or batch.is_closed:
            return self._new_batch(partition, timestamp, now)
        return batch

    def _new_batch(self, partition: int, timestamp: int, now: float) -> PendingBatch:
        queue = self._queues.setdefault(partition, _Queue())
        if queue.batches and not queue.batches[-1].is_closed:
            self._close_full(queue.batches[-1])
        batch = PendingBatch(partition, BatchBuilder(timestamp), now, self._make_outcome())
        queue.batches.append(batch)
        self._open[partition] = batch
        return batch

    def _close_full(self, batch: PendingBatch) -> None:
        batch.is_closed = True
        if self.packs_full_batches:
            batch.pack(Codec.NONE)

    def _count(self, batch: PendingBatch) -> None:
        size = batch.builder.size_bytes
        self.pending_bytes += size - batch.counted_bytes
        batch.counted_bytes = size

    def flush(self) -> list[PendingBatch]:
        """Make every batch due; returns those in the queues (not those in flight), in no order."""
        found = [batch for queue in self._queues.values() for batch in queue.batches]
        for batch in found:
            batch.is_closed = True
        return found

    def due_partitions(self, now: float) -> list[int]:
        """Partitions that have a due batch, none in flight and no pause; ascending."""
        return sorted(
            number
            for number, queue in self._queues.items()
            if queue.batches and not queue.in_flight and self._due_at(queue) <= now
        )

    def next_due(self, now: float) -> float | None:
        """When (s, monotonic) another partition will be due if nothing else happens; None: never."""
        times = [
            due
            for queue in self._queues.values()
            if queue.batches and not queue.in_flight and (due := self._due_at(queue)) > now
        ]
        return min(times, default=None)

    def _due_at(self, queue: _Queue) -> float:
        first = queue.batches[0]
        due = first.opened_at if first.is_closed else first.opened_at + self.linger_s
        return max(due, queue.not_before)

    def take(self, partitions: Iterable[int], now: float, max_bytes: int) -> list[PendingBatch]:
        """Due batches of due `partitions`, in order per partition, together about `max_bytes` (one at least).

        They are in flight afterwards, each until `finish` or `put_back`.
        """
        taken: list[PendingBatch] = []
        room = max_bytes
        for number in partitions:
            queue = self._queues[number]
            while queue.batches and (room > 0 or not taken):
                batch = queue.batches[0]
                if not batch.is_closed and batch.opened_at + self.linger_s > now:
                    break
                if taken and batch.counted_bytes > room:
                    room = 0
                    break
                queue.batches.popleft()
                batch.is_closed = True
                queue.in_flight += 1
                room -= batch.counted_bytes
                taken.append(batch)
        return taken

    def finish(self, batch: PendingBatch) -> None:
        """A batch in flight is done, for better or worse: forget it."""
        queue = self._queues[batch.partition]
        queue.in_flight -= 1
        queue.attempts = 0
        self.pending_bytes -= batch.counted_bytes

    def put_back(self, batches: Sequence[PendingBatch], not_before: float) -> None:
        """Batches in flight, in order per partition, shall be sent again, not before that time."""
        for batch in reversed(batches):
            queue = self._queues[batch.partition]
            queue.in_flight -= 1
            queue.batches.appendleft(batch)
            queue.not_before = not_before
        for number in {batch.partition for batch in batches}:
            self._queues[number].attempts += 1

    def attempts(self, partition: int) -> int:
        """Attempts that failed since the partition's last success."""
        return self._queues[partition].attempts

    def postpone(self, partition: int, not_before: float) -> None:
        """Do not hand out this partition's batches before that time, or before `resume`."""
        queue = self._queues[partition]
        queue.not_before = not_before
        queue.attempts += 1

    def resume(self, partition: int) -> None:
        """End the pause of a partition."""
        self._queues[partition].not_before = 0.0

    def drop(self, partition: int) -> list[PendingBatch]:
        """Take all batches out of a partition's queue, not those in flight; they are forgotten here."""
        queue = self._queues[partition]
        dropped = list(queue.batches)
        queue.batches.clear()
        for batch in dropped:
            batch.is_closed = True
            self.pending_bytes -= batch.counted_bytes
        return dropped

    def drop_older(self, partition: int, opened_before: float) -> list[PendingBatch]:
        """Like `drop`, for the batches at the front that were opened before that time."""
        queue = self._queues[partition]
        dropped: list[PendingBatch] = []
        while queue.batches and queue.batches[0].opened_at < opened_before:
            batch = queue.batches.popleft()
            batch.is_closed = True
            self.pending_bytes -= batch.counted_bytes
            dropped.append(batch)
        return dropped

    def partitions(self) -> list[int]:
        """Partitions that have batches waiting in their queues."""
        return [number for number, queue in self._queues.items() if queue.batches]
