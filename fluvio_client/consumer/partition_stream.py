"""Reads one partition: finds the start, keeps a stream open, finds the leader again when it is lost.

What a slice means is decided in `positions`; here it is fetched, acknowledged and handed on. A large slice is
acknowledged before it is looked at, so the next is on its way meanwhile; a small one once it was handed on.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from fluvio_client.backoff import Backoff
from fluvio_client.cluster import ClusterConnections
from fluvio_client.connection import Connection, Stream
from fluvio_client.consumer.offsets import OffsetBase
from fluvio_client.consumer.positions import PartitionPosition, RecordBatch
from fluvio_client.consumer.settings import ConsumerConfig, Evicted
from fluvio_client.consumer.time_search import PROBE_BYTES, TimeSearch
from fluvio_client.errors import (
    NOT_SERVED_HINT,
    ConnectionFailedError,
    ConnectionLostError,
    ConsumerError,
    HandshakeError,
    LeaderUnavailableError,
    PartitionNotFoundError,
    ResponseTimeoutError,
)
from fluvio_client.metadata import Leader
from fluvio_protocol.api.consumer_offsets import (
    FetchConsumerOffsetsRequest,
    FetchConsumerOffsetsResponse,
    FilterOpts,
    UpdateConsumerOffsetRequest,
    UpdateConsumerOffsetResponse,
)
from fluvio_protocol.api.fetch import (
    FetchableTopic,
    FetchPartition,
    FetchRequest,
    FetchResponse,
    StreamFetchRequest,
    StreamFetchResponse,
)
from fluvio_protocol.api.offsets import (
    FetchOffsetPartition,
    FetchOffsetPartitionResponse,
    FetchOffsetsRequest,
    FetchOffsetsResponse,
    FetchOffsetTopic,
    OffsetUpdate,
    UpdateOffsetsRequest,
    UpdateOffsetsResponse,
)
from fluvio_protocol.error_code import NotLeaderError, OffsetEvictedError, ReplicaKey, exception_for
from fluvio_types.defaults import CONSUMER_OFFSET_TOPIC
from fluvio_types.errors import FluvioError

log = logging.getLogger(__name__)

_SMALL_BYTES = 64 * 1024  # the next slice is not worth any delay of this one's records

TRANSIENT = (
    ConnectionLostError,
    ConnectionFailedError,
    HandshakeError,
    ResponseTimeoutError,
    NotLeaderError,
    LeaderUnavailableError,
)
ConnectTo = Callable[[Leader], Awaitable[Connection]]


class BatchQueue(Protocol):
    """Where the batches of each slice go."""

    def full(self) -> bool:
        """Whether `put` would wait."""

    async def put(self, item: list[RecordBatch], /) -> None:
        """Hand on; waits while there is no room."""


R = TypeVar("R")


class PartitionStream:
    """One partition of one consumer. `locate` first, then `run` once; `store_offset` at any time."""

    def __init__(
        self, cluster: ClusterConnections, connect: ConnectTo, config: ConsumerConfig, partition: int
    ) -> None:
        """`connect` gives the consumer's own connection to an SPU."""
        self.partition = partition
        self._cluster, self._connect, self._config = cluster, connect, config
        self._start = config.starts.get(partition, config.start)
        self._position = PartitionPosition(config.topic, partition, 0, config.max_bytes)
        self._session: tuple[Connection, int] | None = None  # where offsets are stored
        self._backoff = Backoff(config.first_pause_s, 2.0, config.most_pause_s)
        self._unreachable_since: float | None = None
        self._was_open_s = 0.0  # how long the stream was there before the last attempt failed

    @property
    def next_offset(self) -> int:
        """Offset of the next record that will be delivered."""
        return self._position.next_offset

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to read any more (`disable_continuous`)."""
        return self._position.is_done

    async def locate(self) -> None:
        """Find out where to start.

        Raises `TopicNotFoundError`, `PartitionNotFoundError`, `LeaderUnavailableError`, or the error of the
        last attempt when the leader could not be asked within the client's metadata timeout.
        """
        stored = await self._stored_offset()
        bounds = await self._bounds()
        position, start = self._position, self._start
        if start.base is OffsetBase.TIME:
            position.next_offset = await self._first_since(start.count, bounds)
        else:
            position.next_offset = start.resolve(bounds.start_offset, bounds.last_stable_offset, stored)
        resume = None if stored is None else stored + 1
        if resume is not None and resume < bounds.start_offset and start.count == 0:
            position.next_offset = resume  # the leader refuses it, and `run` does as `evicted` says
        if self._config.disable_continuous:
            position.stop_offset = bounds.last_stable_offset

    async def run(self, queue: BatchQueue) -> None:
        """Read until done, handing on the batches of each slice; waits while `queue` has no room.

        Raises what cannot be mended: `OffsetEvictedError` (see `Evicted`), `TopicDeletedError`,
        `CorruptBatchError`, `OffsetGapError`, other refusals, and `ConsumerError` when the partition was out
        of reach for `reconnect_timeout_s`.
        """
        while not self.is_done:
            try:
                leader = await self._cluster.metadata.leader_of(
                    self._config.topic, self.partition, timeout_s=self._config.most_pause_s
                )
                await self._read(await self._connect(leader), queue)
            except OffsetEvictedError as exc:
                if self._config.evicted is Evicted.FAIL or exc.next_available <= self.next_offset:
                    raise
                self._skip_to(exc.next_available)
            except TRANSIENT as exc:
                await self._pause(exc)

    def _skip_to(self, following: int) -> None:
        """Leave out what is gone, and say so: to whom the configuration names, else in the log."""
        skipped, self._position.next_offset = self.next_offset, following
        if self._config.on_skipped is not None:
            self._config.on_skipped(self.partition, skipped, following)
        else:
            name = f"{self._config.topic}-{self.partition}"
            log.warning("records were evicted partition=%s from=%s to=%s", name, skipped, following)

    async def store_offset(self, offset: int) -> None:
        """Store `offset` (of the last consumed record) for the consumer.

        Raises `ConsumerError` while no stream is established, else what the SPU answers, or
        `ConnectionLostError`, `ResponseTimeoutError`.
        """
        if self._session is None or self._session[0].is_lost:
            name = f"{self._config.topic}-{self.partition}"
            raise ConsumerError(f"the offset of {name} cannot be stored: its stream is not open")
        connection, session_id = self._session
        request = UpdateConsumerOffsetRequest(offset=offset, session_id=session_id)
        answer: UpdateConsumerOffsetResponse = await connection.call(request)
        if not answer.error_code.is_ok:
            raise exception_for(answer.error_code)

    async def _read(self, connection: Connection, queue: BatchQueue) -> None:
        """Read from this connection; returns when done, or when a stream with more room must be opened."""
        position = self._position
        loop, opened_at = asyncio.get_running_loop(), time.monotonic()
        stream = connection.stream(
            StreamFetchRequest(
                topic=self._config.topic,
                partition=self.partition,
                fetch_offset=position.next_offset,
                max_bytes=position.max_bytes,
                isolation=self._config.isolation,
                consumer_id=self._config.consumer_id,
            )
        )
        try:
            while not position.is_done:
                answer: StreamFetchResponse = await stream.next()
                sighted = position.sight(answer.partition.records)
                error = answer.partition.error_code
                if error.is_ok:
                    self._session = connection, answer.stream_id
                    self._unreachable_since = None
                    self._backoff.reset()
                following, acknowledge = sighted.acknowledge, None
                if following is not None and error.is_ok and not position.ends_before(following):
                    acknowledge = partial(_acknowledge, connection, stream, following, answer.stream_id)
                    if len(sighted.view) > _SMALL_BYTES or queue.full():
                        acknowledge()
                        acknowledge = None
                taken = position.take(sighted)
                if taken.batches:
                    await queue.put(taken.batches)
                if acknowledge is not None:
                    loop.call_soon(acknowledge)  # whoever waits for the records comes first
                if taken.damage is not None:
                    raise taken.damage
                if not error.is_ok:
                    raise exception_for(error)
                if sighted.reopen_max_bytes is not None:
                    position.max_bytes = sighted.reopen_max_bytes
                    return
        finally:
            self._was_open_s = time.monotonic() - opened_at
            stream.close()

    async def _pause(self, reason: FluvioError) -> None:
        """Wait before the next attempt; raises when there have been attempts for too long."""
        now = time.monotonic()
        if self._was_open_s > self._config.most_pause_s:  # all was well, though perhaps no record came
            self._unreachable_since = None
            self._backoff.reset()
        self._was_open_s = 0.0
        if self._unreachable_since is None:
            self._unreachable_since = now
        limit_s = self._config.reconnect_timeout_s
        if limit_s is not None and now - self._unreachable_since >= limit_s:
            name = f"{self._config.topic}-{self.partition}"
            text = f"{name} could not be read for {limit_s:g} s: {reason}"
            hint = NOT_SERVED_HINT if isinstance(reason, NotLeaderError) else reason.hint
            raise ConsumerError(text, hint=hint) from reason
        pause_s = self._backoff.next_s()
        log.info(
            "stream lost partition=%s-%s next_offset=%s pause_s=%s reason=%s",
            self._config.topic,
            self.partition,
            self.next_offset,
            pause_s,
            reason,
        )
        await asyncio.sleep(pause_s)

    async def _bounds(self) -> FetchOffsetPartitionResponse:
        topic = FetchOffsetTopic(
            name=self._config.topic, partitions=[FetchOffsetPartition(partition_index=self.partition)]
        )

        async def ask(connection: Connection) -> FetchOffsetPartitionResponse:
            answer: FetchOffsetsResponse = await connection.call(FetchOffsetsRequest(topics=[topic]))
            for found in answer.topics:
                for entry in found.partitions:
                    if entry.partition_index == self.partition:
                        if not entry.error_code.is_ok:
                            raise exception_for(entry.error_code)
                        return entry
            raise PartitionNotFoundError(self._config.topic, self.partition)

        return await self._ask_leader(self._config.topic, self.partition, ask)

    async def _first_since(self, since_ms: int, bounds: FetchOffsetPartitionResponse) -> int:
        """The offset of the first batch that is not older; the end when all are. See `time_search`."""
        search = TimeSearch(since_ms, bounds.start_offset, bounds.last_stable_offset)
        while (probe := search.probe) is not None:
            try:
                search.take(await self._fetch_header(probe))
            except OffsetEvictedError as exc:
                search.evicted(exc.next_available)
        return search.low

    async def _fetch_header(self, offset: int) -> bytes | memoryview:
        """The batch that holds `offset`, or its first bytes."""
        wanted = FetchPartition(partition_index=self.partition, fetch_offset=offset, max_bytes=PROBE_BYTES)
        topic = FetchableTopic(name=self._config.topic, fetch_partitions=[wanted])
        request = FetchRequest(max_bytes=PROBE_BYTES, isolation_level=self._config.isolation, topics=[topic])

        async def ask(connection: Connection) -> bytes | memoryview:
            answer: FetchResponse = await connection.call(request)
            for found in answer.topics:
                for entry in found.partitions:
                    if entry.partition_index == self.partition:
                        if not entry.error_code.is_ok:
                            raise exception_for(entry.error_code)
                        return entry.records
            raise PartitionNotFoundError(self._config.topic, self.partition)

        return await self._ask_leader(self._config.topic, self.partition, ask)

    async def _stored_offset(self) -> int | None:
        """The last record that this consumer has consumed; not looked up for an absolute start or a time."""
        consumer_id = self._config.consumer_id
        if consumer_id is None or self._start.ignores_stored:
            return None
        replica = ReplicaKey(topic=self._config.topic, partition=self.partition)
        request = FetchConsumerOffsetsRequest(
            filter_opts=FilterOpts(replica_id=replica, consumer_id=consumer_id)
        )

        async def ask(connection: Connection) -> int | None:
            answer: FetchConsumerOffsetsResponse = await connection.call(request)
            if not answer.error_code.is_ok:
                raise exception_for(answer.error_code)
            for entry in answer.consumers:  # older servers do not filter
                if entry.consumer_id == consumer_id and entry.replica_id == replica:
                    return entry.offset
            return None

        return await self._ask_leader(CONSUMER_OFFSET_TOPIC, 0, ask)

    async def _ask_leader(self, topic: str, partition: int, ask: Callable[[Connection], Awaitable[R]]) -> R:
        """Ask the leader of a partition something, and again while it changes or cannot be reached."""
        metadata = self._cluster.metadata
        deadline = time.monotonic() + metadata.timeout_s
        backoff = Backoff(self._config.first_pause_s, 2.0, self._config.most_pause_s)
        while True:
            left_s = max(deadline - time.monotonic(), 0.0)
            try:
                leader = await metadata.leader_of(topic, partition, timeout_s=left_s)
                return await ask(await self._connect(leader))
            except TRANSIENT as exc:
                pause_s = backoff.next_s()
                if time.monotonic() + pause_s >= deadline:
                    if isinstance(exc, NotLeaderError):
                        exc.hint = exc.hint or NOT_SERVED_HINT
                    raise
            await asyncio.sleep(pause_s)


def _acknowledge(connection: Connection, stream: Stream, offset: int, stream_id: int) -> None:
    """Open the window again, without waiting; a refusal ends the stream.

    Does not raise: the slice that is acknowledged must be delivered even if the connection is lost by now.
    """
    if connection.is_lost:
        return  # the stream ends with the reason when its last slice is taken
    answered = connection.start(
        UpdateOffsetsRequest(offsets=[OffsetUpdate(offset=offset, session_id=stream_id)])
    )

    def check(done: "asyncio.Future[UpdateOffsetsResponse]") -> None:
        if done.cancelled() or done.exception() is not None:
            return  # the connection is lost, and the stream knows
        for status in done.result().status:
            if not status.error.is_ok:
                stream.fail(exception_for(status.error))

    answered.add_done_callback(check)
