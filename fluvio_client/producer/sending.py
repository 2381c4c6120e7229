"""Sends what the accumulator holds: which batches go into which request, and what their answers mean.

Each turn takes the batches that are due and puts those of partitions with the same leader into one request;
its answer settles them or puts them back. At most one request per partition is under way, so the order of a
partition holds also when an attempt is repeated; requests for different partitions overlap.

Turns and answers are calls by the event loop, so that a record costs two of its rounds. Only what must wait
first, for a connection or for a thread that compresses, is a task.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial

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
from fluvio_client.session import SentRequest
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


class _Flight:
    """A request under way."""

    __slots__ = ("batches", "connection", "leader", "request", "timer")

    def __init__(self, leader: Leader, batches: list[PendingBatch], connection: Connection) -> None:
        self.leader, self.batches, self.connection = leader, batches, connection
        self.request: SentRequest | None = None
        self.timer: asyncio.TimerHandle | None = None


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
        self._loop = asyncio.get_running_loop()
        self._turn_is_set = False
        self._timer: asyncio.TimerHandle | None = None  # of the next batch that will be due
        self._preparing: set[asyncio.Task[None]] = set()
        self._flights: set[_Flight] = set()
        self._in_flight: dict[int, int] = {}  # requests, by SPU
        self._unsettled: set[PendingBatch] = set()  # in the hands of a delivery
        self._failure: FluvioError | None = None  # the first that nobody was told yet
        self._last_reason: FluvioError | None = None  # of a failed attempt
        self._paused: dict[int, Leader | None] = {}  # partition -> the leader that could not be used
        self._is_stopped = True
        self.stored_count = 0  # records

    def start(self, codec: Codec) -> None:
        """Begin to send, with batches compressed by `codec`."""
        self._codec = codec
        self._accumulator.packs_full_batches = codec is Codec.NONE
        self._is_stopped = False

    def wake(self) -> None:
        """Something was added to the accumulator: look at it once whoever runs now waits for something."""
        if not self._turn_is_set:
            self._turn_is_set = True
            self._loop.call_soon(self._turn)

    def stop(self, reason: FluvioError) -> None:
        """Stop now; every batch that is not settled fails with `reason`."""
        self._is_stopped = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._preparing:
            task.cancel()
        for flight in self._flights:
            self._forget(flight)
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
        self.wake()
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
                self.wake()

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

    def _turn(self) -> None:
        self._turn_is_set = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_stopped:
            return
        now = time.monotonic()
        try:
            self._expire(now)
            self._dispatch(now)
        except Exception as exc:
            self._break_off(exc)
            raise
        due = self._accumulator.next_due(now)
        if due is not None:
            self._timer = self._loop.call_later(max(due - now, 0.001), self._turn)

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
        connection = self._cluster.open_spu(leader)
        if (
            connection is not None
            and not self._packs_off_loop(batches)
            and self.settings.delivery is not Delivery.AT_MOST_ONCE
        ):
            self._send(connection, leader, batches)
            return
        name = f"produce {self.topic} to SPU {leader.spu_id}"
        task = self._tasks.create_task(self._prepare(leader, batches), name=name)
        self._preparing.add(task)
        task.add_done_callback(self._preparing.discard)

    async def _prepare(self, leader: Leader, batches: list[PendingBatch]) -> None:
        """Connect, or compress in a thread, then send."""
        try:
            connection = await self._cluster.spu(leader)
            if self._packs_off_loop(batches):
                await asyncio.to_thread(self._pack, batches)
            if self.settings.delivery is Delivery.AT_MOST_ONCE:
                connection.send(self._request(batches))
                await connection.drained()
                for batch in batches:
                    self._finish(batch, UNKNOWN_OFFSET)
                self._landed(leader)
                return
        except FluvioError as exc:
            self._failed(leader, batches, exc)
            return
        except BaseException:  # stopped: the batches are settled with the reason
            self._in_flight[leader.spu_id] -= 1
            raise
        self._send(connection, leader, batches)

    def _packs_off_loop(self, batches: list[PendingBatch]) -> bool:
        return (
            self._codec is not Codec.NONE and sum(batch.counted_bytes for batch in batches) >= _OFF_LOOP_BYTES
        )

    def _pack(self, batches: list[PendingBatch]) -> None:
        for batch in batches:
            batch.pack(self._codec)

    def _request(self, batches: list[PendingBatch]) -> ProduceRequest:
        codec = self._codec
        partitions = [
            PartitionProduceData(partition_index=batch.partition, records=memoryview(batch.pack(codec)))
            for batch in batches
        ]
        is_committed = self.settings.isolation is Isolation.READ_COMMITTED
        return ProduceRequest(
            isolation=READ_COMMITTED if is_committed else READ_UNCOMMITTED,
            timeout_ms=self.settings.timeout_ms,
            topics=[TopicProduceData(name=self.topic, partitions=partitions)],
        )

    def _send(self, connection: Connection, leader: Leader, batches: list[PendingBatch]) -> None:
        flight = _Flight(leader, batches, connection)
        try:
            flight.request = connection.begin(
                self._request(batches), partial(self._answered, flight), partial(self._lost, flight)
            )
        except FluvioError as exc:  # not at once: who sends may be amid a turn
            self._loop.call_soon(self._failed, leader, batches, exc)
            return
        flight.timer = self._loop.call_later(connection.timeout_s, self._timed_out, flight)
        self._flights.add(flight)

    def _answered(self, flight: _Flight, answer: ProduceResponse) -> None:
        self._end(flight)
        try:
            self._settle_all(flight, answer)
        except FluvioError as exc:
            self._failed(flight.leader, flight.batches, exc)
        except Exception as exc:
            self._break_off(exc)
            raise
        else:
            self._landed(flight.leader)

    def _break_off(self, exc: Exception) -> None:
        """What nobody foresaw: better no record at all than one that nobody hears of again."""
        self.stop(ProducerError(f"Producer error: {exc!r}"))

    def _lost(self, flight: _Flight, reason: FluvioError) -> None:
        self._end(flight)
        self._failed(flight.leader, flight.batches, reason)

    def _timed_out(self, flight: _Flight) -> None:
        self._forget(flight)
        self._end(flight)
        assert flight.request is not None
        request, connection = flight.request, flight.connection
        # What was sent may still arrive. Only a new connection is sure not to overtake it.
        self._cluster.drop_spu(connection)
        reason = ResponseTimeoutError(connection.timeout_s, request.api_key, request.correlation_id)
        self._failed(flight.leader, flight.batches, reason)

    def _forget(self, flight: _Flight) -> None:
        if flight.timer is not None:
            flight.timer.cancel()
        if flight.request is not None:
            flight.connection.forget(flight.request)

    def _end(self, flight: _Flight) -> None:
        self._flights.discard(flight)
        if flight.timer is not None:
            flight.timer.cancel()

    def _failed(self, leader: Leader, batches: list[PendingBatch], reason: FluvioError) -> None:
        """A request was not answered: send its batches again, or give them up."""
        if isinstance(reason, _TRANSIENT):
            self._retry(batches, leader, reason)
        else:  # the server speaks another protocol, or the request cannot be encoded
            for batch in batches:
                self._finish(batch, reason)
        self._landed(leader)

    def _landed(self, leader: Leader) -> None:
        """A request is over, for better or worse."""
        self._in_flight[leader.spu_id] -= 1
        if self._is_stopped:
            return
        if self._accumulator.pending_bytes:
            self._dispatch(time.monotonic())  # before senders use the room: the SPU waits for it
            self.wake()
        self._on_room()

    def _settle_all(self, flight: _Flight, answer: ProduceResponse) -> None:
        """As the answer says. Raises `ProducerError` when it is not one to this request."""
        batches = flight.batches
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
            self._retry(again, flight.leader, again_because)

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
                error.__cause__, error.kind = self._last_reason, "timed-out"
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
            self.stored_count += batch.builder.count
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
    for waiter in batch.waiters:
        if not waiter.done():
            waiter.set_result(None)
    batch.waiters.clear()


def _error_of(entry: PartitionProduceResponse) -> ProducerError | None:
    if entry.error_code.is_ok:
        return None
    cause = exception_for(entry.error_code)
    hint = NOT_SERVED_HINT if isinstance(cause, NotLeaderError) else cause.hint
    error = ProducerError(f"Producer error: Producer received an error code: {cause}", hint=hint)
    error.__cause__, error.kind = cause, cause.kind
    return error
