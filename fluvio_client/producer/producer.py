"""The producer: records in, offsets out.

`send` picks the partition and appends to its open batch (`accumulator`); `sending` takes the batches from
there to their leaders. What became of a record is told by the `RecordDelivery` that `send` returned.
"""

import asyncio
from collections.abc import Generator, Iterable
from itertools import islice
from time import monotonic, time
from typing import NamedTuple, Self

from fluvio_client.cluster import ClusterConnections
from fluvio_client.errors import ClientClosedError, LeaderUnavailableError, PartitionNotFoundError
from fluvio_client.metadata import NotReadyYetError
from fluvio_client.producer.accumulator import Accumulator, PendingBatch
from fluvio_client.producer.sending import UNKNOWN_OFFSET, BatchSender
from fluvio_client.producer.settings import ProducerSettings, choose_codec
from fluvio_protocol.batch import read_header

_CHUNK = 4096  # records appended in bulk before others get their turn
_CHUNK_BYTES = 1024 * 1024  # the same, in bytes: as much as one request takes


class RecordMetadata(NamedTuple):
    """Where a record was stored; the offset is UNKNOWN_OFFSET under at-most-once delivery."""

    partition: int
    offset: int


class RecordDelivery:
    """What becomes of one record: `await` it for its `RecordMetadata`, or for the error it failed with."""

    __slots__ = ("_batch", "_index")

    def __init__(self, batch: PendingBatch, index: int) -> None:
        self._batch, self._index = batch, index

    @property
    def is_settled(self) -> bool:
        """Whether awaiting would return or raise at once."""
        return bool(self._batch.outcome.done())

    def __await__(self) -> Generator[object, None, RecordMetadata]:
        return self._wait().__await__()

    async def _wait(self) -> RecordMetadata:
        batch = self._batch
        batch.is_observed = True
        if not batch.outcome.done():
            # Not the outcome itself: giving up on one record must not cancel what its neighbours share.
            settled = asyncio.get_running_loop().create_future()
            batch.waiters.append(settled)
            await settled
        base_offset: int = batch.outcome.result()
        offset = base_offset if base_offset == UNKNOWN_OFFSET else base_offset + self._index
        return RecordMetadata(self._batch.partition, offset)


class Producer:
    """Sends records to one topic: `async with client.producer("topic") as producer`.

    Leaving the block normally flushes; leaving it by an exception drops what was not sent yet. Errors of
    records that nobody awaits are raised by the next `flush` or `close`: the first of them.
    """

    def __init__(
        self, cluster: ClusterConnections, tasks: asyncio.TaskGroup, topic: str, settings: ProducerSettings
    ):
        """Use `Fluvio.producer`. `tasks` runs the producer's tasks and outlives it."""
        self.topic, self.settings = topic, settings
        self._metadata = cluster.metadata
        loop = asyncio.get_running_loop()
        self._accumulator = Accumulator(
            batch_bytes=settings.batch_bytes,
            max_record_bytes=settings.max_request_bytes,
            linger_s=settings.linger_ms / 1000,
            make_outcome=loop.create_future,
        )
        self._sender = BatchSender(cluster, tasks, topic, settings, self._accumulator, self._free_room)
        self._partition_of, self._wake = settings.partitioner.partition_of, self._sender.wake
        self._unsent_bytes = 0  # given by `send` since the loop had its turn
        self._room: set[asyncio.Future[None]] = set()  # senders that wait for memory
        self._targets: tuple[int, tuple[int, ...]] | None = None  # what `_partitions` found, until it changes
        self._is_closed = True

    async def open(self) -> Self:
        """Look the topic up and start.

        Raises `TopicNotFoundError`, `MetadataTimeoutError` (it has no partition in time), and
        `ProducerConfigError` (the topic demands another compression).
        """
        view = await self._metadata.topic(self.topic)
        codec = choose_codec(self.settings.compression, view.spec.compression_type)
        self._is_closed = False
        self._metadata.listeners.add(self._metadata_changed)
        self._sender.start(codec)
        return self

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await self.close()
        else:
            self.abort()

    @property
    def stored_count(self) -> int:
        """How many records the cluster has acknowledged so far; those that left, under at-most-once delivery.

        Of others that were given it is not known whether they are stored.
        """
        return self._sender.stored_count

    # --- records in

    async def send(self, key: bytes | None, value: bytes) -> RecordDelivery:
        """Give one record. Returns at once, unless `max_pending_bytes` are waiting already.

        Now and then the event loop has its turn, so that records leave while more are given.

        `key` None and b"" differ: the empty key is a key. Raises `RecordTooLargeError`,
        `PartitionNotFoundError`, `TopicNotFoundError` (deleted meanwhile), `ClientClosedError`. Cancelled
        while it waits, it has not taken the record.
        """
        if self._is_closed or self._accumulator.pending_bytes >= self.settings.max_pending_bytes:
            await self._wait_for_room()
        if self._unsent_bytes > _CHUNK_BYTES:
            self._unsent_bytes = 0
            await self._yield_to_dispatcher()
        self._unsent_bytes += len(value)
        count, online = self._targets or self._partitions()
        partition = self._partition_of(key, count, online)
        if not 0 <= partition < count:
            raise PartitionNotFoundError(self.topic, partition)
        batch, index = self._accumulator.append(partition, key, value, int(time() * 1000), monotonic())
        self._wake()
        return RecordDelivery(batch, index)

    async def send_all(self, records: Iterable[tuple[bytes | None, bytes]]) -> list[RecordDelivery]:
        """Give (key, value) pairs in this order; like `send` for each. Records before an error stay given."""
        return [await self.send(key, value) for key, value in records]

    async def send_pairs(self, pairs: Iterable[tuple[bytes | None, bytes]]) -> int:
        """Give (key, value) pairs in bulk and return how many; failures are raised by `flush`.

        `pairs` is read as memory allows, a few thousand at a time. Raises like `send`.
        """
        source, count = iter(pairs), 0
        while chunk := list(islice(source, _CHUNK)):
            await self._wait_for_room()
            view_count, online = self._partitions()
            partition_of, append = self.settings.partitioner.partition_of, self._accumulator.append
            timestamp, now = _now_ms(), monotonic()
            for key, value in chunk:
                partition = self._checked(partition_of(key, view_count, online), view_count)
                append(partition, key, value, timestamp, now)
                count += 1
                if self._accumulator.pending_bytes >= self.settings.max_pending_bytes:
                    await self._wait_for_room()
            await self._yield_to_dispatcher()
        return count

    async def send_many(self, values: Iterable[bytes], *, key: bytes | None = None) -> int:
        """Give values in bulk, all with the same `key` or none, and return how many: the fastest way in.

        Partitions are those that `send` would pick. Failures are raised by `flush`. `values` is read as
        memory allows, a few thousand at a time. Raises like `send`.
        """
        if key is not None:
            return await self.send_pairs((key, value) for value in values)
        source, count = iter(values), 0
        while chunk := list(islice(source, _CHUNK)):
            view_count, online = self._partitions()
            for partition, first, step in self.settings.partitioner.spread(online, len(chunk)):
                self._checked(partition, view_count)
                part = chunk if step == 1 else chunk[first::step]
                start = 0
                while start < len(part):
                    await self._wait_for_room()
                    most = self._accumulator.pending_bytes + _CHUNK_BYTES
                    start = self._accumulator.extend(
                        partition,
                        part,
                        start,
                        _now_ms(),
                        monotonic(),
                        min(most, self.settings.max_pending_bytes),
                    )
                    await self._yield_to_dispatcher()
            count += len(chunk)
        return count

    async def send_batch(self, partition: int, batch: bytearray) -> RecordDelivery:
        """Give a finished batch (layout: docs/protocol.md, "Batch"), which is stored as it is.

        Its timestamps, keys and codec stay; the leader gives it its offsets. The delivery is that of its
        first record. The topic must take the batch's codec, else the delivery fails. Waits like `send`;
        cancelled there, it has not taken the batch. Raises `RecordTooLargeError` (above `max_request_bytes`),
        `BatchError` (it is none), `PartitionNotFoundError`, `ClientClosedError`.
        """
        await self._wait_for_room()
        await self._yield_to_dispatcher()
        count, _ = self._partitions()
        pending = self._accumulator.append_packed(
            self._checked(partition, count), batch, read_header(batch).record_count, monotonic()
        )
        self._wake()
        return RecordDelivery(pending, 0)

    async def flush(self) -> None:
        """Send what was given so far, linger or not, and wait until each record is stored or has failed.

        Raises the first error of a record that nobody awaited since the last `flush`. Waits at most about
        `delivery_timeout_s`. Cancelling it leaves the records on their way.
        """
        await self._sender.flush()

    async def close(self) -> None:
        """Flush, then stop; raises like `flush`. If cancelled, what was not sent yet is dropped."""
        try:
            if not self._is_closed:
                await self.flush()
        finally:
            self.abort()

    def abort(self) -> None:
        """Stop now: what is not stored yet fails with `ClientClosedError`."""
        if self._is_closed:
            return
        self._is_closed = True
        self._metadata.listeners.discard(self._metadata_changed)
        self._sender.stop(ClientClosedError("the producer was closed"))
        self._free_room()

    # --- picking the partition, waiting for memory

    def _partitions(self) -> tuple[int, tuple[int, ...]]:
        """How many partitions the topic has, and which of them take records."""
        if self._targets is not None:
            return self._targets
        store = self._metadata.store
        try:
            count = store.topic(self.topic).partitions[-1] + 1
            self._targets = count, store.online_partitions(self.topic)
            return self._targets
        except NotReadyYetError as exc:
            raise LeaderUnavailableError(self.topic, 0, str(exc)) from exc

    def _checked(self, partition: int, count: int) -> int:
        if not 0 <= partition < count:
            raise PartitionNotFoundError(self.topic, partition)
        return partition

    async def _wait_for_room(self) -> None:
        while not self._is_closed and self._accumulator.pending_bytes >= self.settings.max_pending_bytes:
            self._sender.wake()
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._room.add(waiter)
            try:
                await waiter
            finally:
                self._room.discard(waiter)
        if self._is_closed:
            raise ClientClosedError("the producer is closed")

    def _free_room(self) -> None:
        for waiter in self._room:
            if not waiter.done():
                waiter.set_result(None)

    async def _yield_to_dispatcher(self) -> None:
        self._sender.wake()
        await asyncio.sleep(0)  # one turn of the loop: requests go out while the next records are made

    def _metadata_changed(self) -> None:
        self._targets = None
        self._sender.metadata_changed()


def _now_ms() -> int:
    return int(time() * 1000)
