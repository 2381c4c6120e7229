"""The producer: records in, offsets out.

Flow: `send` picks the partition and appends to its open batch (`accumulator`) -> the dispatcher task takes
the batches that are due, puts those of partitions with the same leader into one request, and gives each
request a task of its own -> that task sends it and settles or returns its batches. At most one request per
partition is under way, so records of a partition are stored in the order in which they were sent, also
when an attempt has to be repeated; requests for different partitions overlap.
"""

import asyncio
import logging
import time
from collections.abc import Generator, Iterable
from itertools import islice
from typing import NamedTuple, Self

from fluvio_client.cluster import ClusterConnections
from fluvio_client.connection import Connection
from fluvio_client.errors import (
    ClientClosedError,
    ConnectionFailedError,
    ConnectionLostError,
    HandshakeError,
    LeaderUnavailableError,
    PartitionNotFoundError,
    ProducerError,
    ResponseTimeoutError,
)
from fluvio_client.metadata import Leader, NotReadyYetError
from fluvio_client.producer.accumulator import Accumulator, PendingBatch
from fluvio_client.producer.settings import Delivery, ProducerSettings, choose_codec
from fluvio_protocol.api.fetch import Isolation
from fluvio_protocol.api.produce import (
    READ_COMMITTED,
    READ_UNCOMMITTED,
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
)
from fluvio_protocol.compression import Codec
from fluvio_protocol.error_code import NotLeaderError, exception_for
from fluvio_types.errors import FluvioError

log = logging.getLogger(__name__)

UNKNOWN_OFFSET = -1  # of a record sent at most once
_PACK_BYTES = 1024 * 1024  # of one request, before compression
_OFF_LOOP_BYTES = 128 * 1024  # so much is compressed in a thread: it takes longer than the hop there
_CHUNK = 4096  # records appended in bulk before others get their turn
_TRANSIENT = (ConnectionLostError, ConnectionFailedError, HandshakeError, ResponseTimeoutError)


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
        self._batch.is_observed = True
        # Shielded: giving up on one record must not cancel the outcome that its neighbours share.
        base_offset: int = await asyncio.shield(self._batch.outcome)
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
        self._cluster, self._metadata, self._tasks = cluster, cluster.metadata, tasks
        loop = asyncio.get_running_loop()
        self._accumulator = Accumulator(
            batch_bytes=settings.batch_bytes,
            max_record_bytes=settings.max_request_bytes,
            linger_s=settings.linger_ms / 1000,
            make_outcome=loop.create_future,
        )
        self._codec = Codec.NONE
        self._dispatcher: asyncio.Task[None] | None = None
        self._deliveries: set[asyncio.Task[None]] = set()
        self._in_flight: dict[int, int] = {}  # requests, by SPU
        self._unsettled: set[PendingBatch] = set()  # taken by a delivery
        self._wake = asyncio.Event()
        self._room: set[asyncio.Future[None]] = set()  # senders that wait for memory
        self._failure: FluvioError | None = None  # the first that nobody was told yet
        self._last_reason: FluvioError | None = None  # of a failed attempt
        self._paused: dict[int, Leader | None] = {}  # partition -> the leader that could not be used
        self._targets: tuple[int, tuple[int, ...]] | None = None  # what `_partitions` found, until it changes
        self._is_closed = True

    async def open(self) -> Self:
        """Look the topic up and start.

        Raises `TopicNotFoundError`, `MetadataTimeoutError` (it has no partition in time), and
        `ProducerConfigError` (the topic demands another compression).
        """
        view = await self._metadata.topic(self.topic)
        self._codec = choose_codec(self.settings.compression, view.spec.compression_type)
        self._is_closed = False
        self._metadata.listeners.add(self._metadata_changed)
        self._dispatcher = self._tasks.create_task(self._dispatch_forever(), name=f"producer {self.topic}")
        return self

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await self.close()
        else:
            self.abort()

    # --- records in

    async def send(self, key: bytes | None, value: bytes) -> RecordDelivery:
        """Give one record, and return at once unless `max_pending_bytes` are waiting already.

        `key` None and b"" differ: the empty key is a key. Raises `RecordTooLargeError`,
        `PartitionNotFoundError`, `TopicNotFoundError` (deleted meanwhile), `ClientClosedError`. Cancelled
        while it waits, it has not taken the record.
        """
        await self._wait_for_room()
        partition = self._partition_of(key)
        batch, index = self._accumulator.append(partition, key, value, _now_ms(), time.monotonic())
        self._wake.set()
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
            timestamp, now = _now_ms(), time.monotonic()
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
                    start = self._accumulator.extend(
                        partition,
                        part,
                        start,
                        _now_ms(),
                        time.monotonic(),
                        self.settings.max_pending_bytes,
                    )
                    self._wake.set()
            count += len(chunk)
            await self._yield_to_dispatcher()
        return count

    async def flush(self) -> None:
        """Send what was given so far, linger or not, and wait until each record is stored or has failed.

        Raises the first error of a record that nobody awaited since the last `flush`. Waits at most about
        `delivery_timeout_s`. Cancelling it leaves the records on their way.
        """
        waiting = [batch.outcome for batch in self._accumulator.flush()]
        waiting += [batch.outcome for batch in self._unsettled]
        self._wake.set()
        if waiting:
            await asyncio.wait(waiting)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

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
        if self._dispatcher is not None:
            self._dispatcher.cancel()
        for task in self._deliveries:
            task.cancel()
        reason = ClientClosedError("the producer was closed")
        for partition in self._accumulator.partitions():
            for batch in self._accumulator.drop(partition):
                _settle(batch, reason)
        for batch in self._unsettled:
            _settle(batch, reason)
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

    def _partition_of(self, key: bytes | None) -> int:
        count, online = self._partitions()
        return self._checked(self.settings.partitioner.partition_of(key, count, online), count)

    def _checked(self, partition: int, count: int) -> int:
        if not 0 <= partition < count:
            raise PartitionNotFoundError(self.topic, partition)
        return partition

    async def _wait_for_room(self) -> None:
        while not self._is_closed and self._accumulator.pending_bytes >= self.settings.max_pending_bytes:
            self._wake.set()
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
        self._wake.set()
        await asyncio.sleep(0)  # one turn of the loop: requests go out while the next records are made

    # --- batches out

    def _metadata_changed(self) -> None:
        self._targets = None
        for partition, used in list(self._paused.items()):
            if self._leader_of(partition) != used:  # another leader, or one at last: do not wait any longer
                del self._paused[partition]
                self._accumulator.resume(partition)
                self._wake.set()

    def _leader_of(self, partition: int) -> Leader | None:
        try:
            return self._metadata.store.leader_of(self.topic, partition)
        except FluvioError:
            return None  # the dispatcher asks again and tells the reason

    def _pause_s(self, partition: int, used: Leader | None) -> float:
        """How long to pause after `used` (None: no leader was known) was of no use."""
        if self._leader_of(partition) != used:
            return 0.0  # the metadata have moved on meanwhile
        self._paused[partition] = used
        return self.settings.pause_s(self._accumulator.attempts(partition) + 1)

    async def _dispatch_forever(self) -> None:
        while True:
            self._wake.clear()
            now = time.monotonic()
            self._expire(now)
            self._dispatch(now)
            due = self._accumulator.next_due(now)
            try:
                async with asyncio.timeout(None if due is None else max(due - now, 0.001)):
                    await self._wake.wait()
            except TimeoutError:
                pass  # a batch has become due

    def _dispatch(self, now: float) -> None:
        groups: dict[int, tuple[Leader, list[int]]] = {}
        for partition in self._accumulator.due_partitions(now):
            try:
                leader = self._metadata.store.leader_of(self.topic, partition)
            except NotReadyYetError as exc:
                log.debug("no leader yet partition=%s-%s reason=%s", self.topic, partition, exc)
                self._last_reason = LeaderUnavailableError(self.topic, partition, str(exc))
                self._accumulator.postpone(partition, now + self._pause_s(partition, None))
            except FluvioError as exc:
                for batch in self._accumulator.drop(partition):
                    self._fail(batch, exc)
                self._free_room()
            else:
                groups.setdefault(leader.spu_id, (leader, []))[1].append(partition)
        for spu_id, (leader, partitions) in groups.items():
            while partitions and self._in_flight.get(spu_id, 0) < self.settings.max_in_flight:
                batches = self._accumulator.take(partitions, now, _PACK_BYTES)
                if not batches:
                    break
                taken = {batch.partition for batch in batches}
                partitions = [number for number in partitions if number not in taken]
                self._start_delivery(leader, batches)

    def _start_delivery(self, leader: Leader, batches: list[PendingBatch]) -> None:
        self._unsettled.update(batches)
        self._in_flight[leader.spu_id] = self._in_flight.get(leader.spu_id, 0) + 1
        task = self._tasks.create_task(
            self._deliver(leader, batches), name=f"produce {self.topic} to SPU {leader.spu_id}"
        )
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, leader: Leader, batches: list[PendingBatch]) -> None:
        try:
            connection = await self._cluster.spu(leader)
            request = await self._build(batches)
            if self.settings.delivery is Delivery.AT_MOST_ONCE:
                connection.send(request)
                await connection.drained()
                for batch in batches:
                    self._finish(batch, UNKNOWN_OFFSET)
            else:
                await self._send_and_settle(connection, leader, request, batches)
        except _TRANSIENT as exc:
            self._retry(batches, leader, exc)
        except FluvioError as exc:  # the server speaks another protocol, or the request cannot be encoded
            for batch in batches:
                self._finish(batch, exc)
        finally:
            self._in_flight[leader.spu_id] -= 1
            self._wake.set()
            self._free_room()

    async def _build(self, batches: list[PendingBatch]) -> ProduceRequest:
        def build() -> list[PartitionProduceData]:
            codec = self._codec
            return [
                PartitionProduceData(
                    partition_index=batch.partition, records=memoryview(batch.builder.build(codec))
                )
                for batch in batches
            ]

        size = sum(batch.counted_bytes for batch in batches)
        if self._codec is not Codec.NONE and size >= _OFF_LOOP_BYTES:
            partitions = await asyncio.to_thread(build)
        else:
            partitions = build()
        is_committed = self.settings.isolation is Isolation.READ_COMMITTED
        return ProduceRequest(
            isolation=READ_COMMITTED if is_committed else READ_UNCOMMITTED,
            timeout_ms=self.settings.timeout_ms,
            topics=[TopicProduceData(name=self.topic, partitions=partitions)],
        )

    async def _send_and_settle(
        self, connection: Connection, leader: Leader, request: ProduceRequest, batches: list[PendingBatch]
    ) -> None:
        try:
            answer: ProduceResponse = await connection.call(request)
        except ResponseTimeoutError:
            # What was sent may still arrive. Only a new connection is sure not to overtake it.
            self._cluster.drop_spu(connection)
            raise
        entries = [entry for topic in answer.responses for entry in topic.partitions]
        if [entry.partition_index for entry in entries] != [batch.partition for batch in batches]:
            raise ProducerError("Producer error: the SPU's answer does not fit the request")
        again: list[PendingBatch] = []
        again_because: FluvioError | None = None
        for batch, entry in zip(batches, entries, strict=True):
            error = _error_of(entry)
            if error is None:
                self._finish(batch, entry.base_offset)
            elif isinstance(error.__cause__, NotLeaderError):
                again.append(batch)
                again_because = error
            else:
                self._finish(batch, error)
        if again_because is not None:
            self._retry(again, leader, again_because)

    def _retry(self, batches: list[PendingBatch], used: Leader, reason: FluvioError) -> None:
        if self._is_closed:
            return
        if self.settings.delivery is Delivery.AT_MOST_ONCE:
            for batch in batches:
                self._finish(batch, reason)
            return
        now = time.monotonic()
        self._unsettled.difference_update(batches)
        by_partition: dict[int, list[PendingBatch]] = {}
        for batch in batches:
            by_partition.setdefault(batch.partition, []).append(batch)
        for partition, group in by_partition.items():
            pause_s = self._pause_s(partition, used)
            log.debug(
                "produce again partition=%s-%s pause_s=%s reason=%s", self.topic, partition, pause_s, reason
            )
            self._accumulator.put_back(group, now + pause_s)
        self._last_reason = reason

    def _expire(self, now: float) -> None:
        """Fail what could not be stored in time."""
        for partition in self._accumulator.partitions():
            if not self._accumulator.attempts(partition):
                continue
            for batch in self._accumulator.drop_older(partition, now - self.settings.delivery_timeout_s):
                error = ProducerError("Producer error: the produce request retry timeout limit reached")
                error.__cause__ = self._last_reason
                if self._last_reason is not None:
                    error.hint = f"the last attempt failed: {self._last_reason}"
                self._fail(batch, error)
            self._free_room()

    def _finish(self, batch: PendingBatch, result: int | FluvioError) -> None:
        self._unsettled.discard(batch)
        self._accumulator.finish(batch)
        if isinstance(result, FluvioError):
            self._fail(batch, result)
        else:
            _settle(batch, result)

    def _fail(self, batch: PendingBatch, reason: FluvioError) -> None:
        if not batch.is_observed and self._failure is None:
            self._failure = reason
        _settle(batch, reason)


def _settle(batch: PendingBatch, result: int | FluvioError) -> None:
    outcome: asyncio.Future[int] = batch.outcome
    if outcome.done():
        return
    if isinstance(result, FluvioError):
        outcome.set_exception(result)
        outcome.exception()  # `flush` tells it to whoever does not await the record
    else:
        outcome.set_result(result)


def _error_of(entry: PartitionProduceResponse) -> ProducerError | None:
    if entry.error_code.is_ok:
        return None
    cause = exception_for(entry.error_code)
    error = ProducerError(f"Producer error: Producer received an error code: {cause}", hint=cause.hint)
    error.__cause__ = cause
    return error


def _now_ms() -> int:
    return int(time.time() * 1000)
