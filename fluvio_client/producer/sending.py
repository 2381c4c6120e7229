"""Sends what the accumulator holds: which batches go into which request, and what their answers mean.

The dispatcher task takes the batches that are due, puts those of partitions with the same leader into one
request, and gives each request a task of its own, which settles its batches or puts them back. At most one
request per partition is under way, so the order of a partition holds also when an attempt is repeated;
requests for different partitions overlap.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from fluvio_client.cluster import ClusterConnections
from fluvio_client.connection import Connection
from fluvio_client.errors import (
    NOT_SERVED_HINT,
    ConnectionFailedError,
    ConnectionLostError,
    HandshakeError,
    LeaderUnavailableError,
    ProducerError,
    ResponseTimeoutError,
)
from fluvio_client.metadata import Leader, NotReadyYetError
from fluvio_client.producer.accumulator import Accumulator, PendingBatch
from fluvio_client.producer.settings import Delivery, ProducerSettings
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
_TRANSIENT = (ConnectionLostError, ConnectionFailedError, HandshakeError, ResponseTimeoutError)


class BatchSender:
    """The sending half of one producer. Each batch's `outcome` is a future of its base offset."""

    def __init__(
        self,
        cluster: ClusterConnections,
        tasks: asyncio.TaskGroup,
        topic: str,
        settings: ProducerSettings,
        accumulator: Accumulator,
        on_room: Callable[[], None],
    ) -> None:
        """`on_room` is called when batches have left the accumulator; `tasks` outlives the sender."""
        self.topic, self.settings = topic, settings
        self._cluster, self._metadata, self._tasks = cluster, cluster.metadata, tasks
        self._accumulator, self._on_room = accumulator, on_room
        self._codec = Codec.NONE
        self._dispatcher: asyncio.Task[None] | None = None
        self._deliveries: set[asyncio.Task[None]] = set()
        self._in_flight: dict[int, int] = {}  # requests, by SPU
        self._unsettled: set[PendingBatch] = set()  # in the hands of a delivery
        self._wake = asyncio.Event()
        self._failure: FluvioError | None = None  # the first that nobody was told yet
        self._last_reason: FluvioError | None = None  # of a failed attempt
        self._paused: dict[int, Leader | None] = {}  # partition -> the leader that could not be used
        self._is_stopped = False

    def start(self, codec: Codec) -> None:
        """Begin to send, with batches compressed by `codec`."""
        self._codec = codec
        self._accumulator.packs_full_batches = codec is Codec.NONE
        self._dispatcher = self._tasks.create_task(self._dispatch_forever(), name=f"producer {self.topic}")

    def wake(self) -> None:
        """Something was added to the accumulator."""
        self._wake.set()

    def stop(self, reason: FluvioError) -> None:
        """Stop now; every batch that is not settled fails with `reason`."""
        self._is_stopped = True
        if self._dispatcher is not None:
            self._dispatcher.cancel()
        for task in self._deliveries:
            task.cancel()
        for partition in self._accumulator.partitions():
            for batch in self._accumulator.drop(partition):
                _settle(batch, reason)
        for batch in self._unsettled:
            _settle(batch, reason)

    async def flush(self) -> None:
        """Send everything, linger or not, and wait until it is settled.

        Raises the first error, since the last `flush`, of a batch of which nobody awaits a record.
        """
        waiting = [batch.outcome for batch in self._accumulator.flush()]
        waiting += [batch.outcome for batch in self._unsettled]
        self._wake.set()
        if waiting:
            await asyncio.wait(waiting)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def metadata_changed(self) -> None:
        """Do not wait any longer for a partition whose leader is another one now, or is there at last."""
        for partition, used in list(self._paused.items()):
            if self._leader_of(partition) != used:
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
                self._on_room()
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
            if not self._is_stopped:
                self._dispatch(time.monotonic())  # before senders use the room: the SPU waits for it
            self._wake.set()
            self._on_room()

    async def _build(self, batches: list[PendingBatch]) -> ProduceRequest:
        def build() -> list[PartitionProduceData]:
            codec = self._codec
            return [
                PartitionProduceData(partition_index=batch.partition, records=memoryview(batch.pack(codec)))
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
        if self._is_stopped:
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
                    said = (str(self._last_reason), self._last_reason.hint)
                    error.hint = f"the last attempt failed: {': '.join(filter(None, said))}"
                self._fail(batch, error)
            self._on_room()

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
    hint = NOT_SERVED_HINT if isinstance(cause, NotLeaderError) else cause.hint
    error = ProducerError(f"Producer error: Producer received an error code: {cause}", hint=hint)
    error.__cause__ = cause
    return error
