"""The consumer: one or several partitions of a topic, merged as their records arrive.

Each partition has a task that reads it (`partition_stream`) and puts the batches of each slice into one
queue, which is as long as there are partitions: a slow user makes the readers wait, and the protocol's window
makes the servers wait. The consumer has connections of its own: what it does not take holds up nothing
else of the client, and closing it frees its streams at the servers.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Self

from fluvio_client.cluster import ClusterConnections
from fluvio_client.connection import Connection
from fluvio_client.consumer.partition_stream import PartitionStream
from fluvio_client.consumer.positions import ConsumerRecord, RecordBatch
from fluvio_client.consumer.settings import ConsumerConfig, OffsetStrategy
from fluvio_client.errors import ClientClosedError, ConsumerError
from fluvio_client.metadata import Leader
from fluvio_protocol.error_code import TopicDeletedError
from fluvio_types.errors import FluvioError

log = logging.getLogger(__name__)

_CLOSE_S = 5.0  # for storing offsets at the end


class _PartitionEnd:
    """Queued when a partition is read to its end."""


_END = _PartitionEnd()


class Consumer:
    """Reads a topic: `async with client.consumer(config) as consumer`.

    Iterate over the consumer for records, or over `batches()` for whole batches, which is several times
    faster; not over both at once. Either ends when everything was read (`disable_continuous`) and raises
    what `PartitionStream.run` raises. Stopping in between, or being cancelled there, loses nothing.
    """

    def __init__(self, cluster: ClusterConnections, tasks: asyncio.TaskGroup, config: ConsumerConfig) -> None:
        """Use `Fluvio.consumer`. `tasks` runs the consumer's tasks and outlives it."""
        self.config = config
        self._handed_out: dict[int, int] = {}  # partition -> last record that was
        self._is_counting = config.offset_strategy is not OffsetStrategy.NONE
        self._cluster, self._tasks = cluster, tasks
        self._streams: dict[int, PartitionStream] = {}
        self._connections: dict[int, Connection] = {}
        self._connection_lock = asyncio.Lock()
        self._queue: asyncio.Queue[list[RecordBatch] | _PartitionEnd | FluvioError] = asyncio.Queue(1)
        self._running: list[asyncio.Task[None]] = []
        self._open_partitions = 0
        self._batches: deque[RecordBatch] = deque()
        self._decoding: asyncio.Future[None] | None = None  # of the first of them, in a thread
        self._current: RecordBatch | None = None  # handed out last, as a whole or record by record
        self._records: Iterator[ConsumerRecord] = iter(())
        self._record: ConsumerRecord | None = None  # handed out last
        self._consumed: dict[int, int] = {}  # partition -> last record that counts as consumed
        if config.offset_strategy is OffsetStrategy.AUTO:
            self._consumed = self._handed_out  # the same; with MANUAL `commit` takes it over
        self._stored: dict[int, int] = {}  # partition -> what the cluster has
        self._is_closed = True

    async def open(self) -> Self:
        """Find out where each partition starts, and begin to read.

        Raises `TopicNotFoundError`, `PartitionNotFoundError`, `MetadataTimeoutError`,
        `LeaderUnavailableError`, and what connecting raises; nothing is left open then.
        """
        view = await self._cluster.metadata.topic(self.config.topic)
        partitions = self.config.partitions or view.partitions
        streams = [
            PartitionStream(self._cluster, self._connection_to, self.config, number) for number in partitions
        ]
        self._is_closed = False
        try:
            for stream in streams:
                await stream.locate()
        except BaseException:
            self.abort()
            raise
        self._streams = {stream.partition: stream for stream in streams}
        self._queue = asyncio.Queue(len(streams))
        self._open_partitions = len(streams)
        for stream in streams:
            name = f"consume {self.config.topic}-{stream.partition}"
            self._running.append(self._tasks.create_task(self._read(stream), name=name))
        if self.config.offset_strategy is OffsetStrategy.AUTO:
            self._running.append(
                self._tasks.create_task(self._store_regularly(), name=f"offsets of {self.config.topic}")
            )
        return self

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await self.close()
        elif issubclass(kind, TopicDeletedError):
            self.abort()  # its consumers' places went with it
        else:
            await self._store_after_failure()

    # --- records out

    async def next_batch(self) -> RecordBatch | None:
        """The next batch; None when everything was read. Waits without limit for records to come.

        What was handed out before counts as consumed from now on; of a batch whose `stop_offset` was lowered
        what lies before that, and nothing when it was lowered to `first_offset`. Cancelling loses nothing. A
        large compressed batch is decoded in a thread before it is handed out, one at a time.
        """
        self._count_as_consumed()
        while not self._batches:
            if self._open_partitions == 0:
                return None
            if self._is_closed:
                raise ClientClosedError("the consumer is closed")
            item = await self._queue.get()
            if isinstance(item, list):
                self._batches.extend(item)
            elif isinstance(item, FluvioError):
                self._open_partitions -= 1
                raise item
            else:
                self._open_partitions -= 1
        first = self._batches[0]
        if self._decoding is not None or (first.is_packed and not first.decode_small()):
            await self._decode(first)
        self._current = self._batches.popleft()
        return self._current

    async def _decode(self, batch: RecordBatch) -> None:
        """Decode the first batch in a thread. When this is cancelled that goes on, for the next call."""
        if self._decoding is None:
            self._decoding = asyncio.get_running_loop().run_in_executor(None, batch.decode_ahead)
        decoding = self._decoding
        try:
            await asyncio.shield(decoding)
        finally:
            if decoding.done():
                self._decoding = None

    async def batches(self) -> AsyncIterator[RecordBatch]:
        """Iterate over whole batches: `async for batch in consumer.batches()`."""
        waiting = self._batches
        while True:
            if waiting and self._decoding is None and not waiting[0].is_packed:
                # as `next_batch` does, without a coroutine for each batch
                self._count_as_consumed()
                self._current = batch = waiting.popleft()
            elif (found := await self.next_batch()) is not None:
                batch = found
            else:
                return
            yield batch

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ConsumerRecord:
        while True:
            record = next(self._records, None)
            if record is not None:
                self._record = record
                return record
            batch = await self.next_batch()
            if batch is None:
                raise StopAsyncIteration
            self._records = iter(batch.records())

    def positions(self) -> dict[int, int]:
        """For each partition the offset that its reader fetches next; records before it may wait here."""
        return {number: stream.next_offset for number, stream in self._streams.items()}

    # --- keeping offsets

    def commit(self) -> None:
        """Count everything that was handed out as consumed (strategy MANUAL); `flush` stores it."""
        if self.config.offset_strategy is not OffsetStrategy.MANUAL:
            raise ConsumerError("`commit` needs the manual offset strategy")
        self._count_current(whole=True)
        self._consumed.update(self._handed_out)

    async def flush(self) -> None:
        """Store the consumed offsets in the cluster, those that changed, and wait for the answers.

        Raises `ConsumerError` (a partition's stream is not open now), `ApiError`, `ConnectionLostError`,
        `ResponseTimeoutError`; offsets not stored yet stay to be stored.
        """
        for partition, offset in list(self._consumed.items()):
            if self._stored.get(partition) != offset:
                await self._streams[partition].store_offset(offset)
                self._stored[partition] = offset

    async def close(self) -> None:
        """Stop. With strategy AUTO everything handed out is stored first, and what fails there is raised."""
        try:
            if not self._is_closed and self.config.offset_strategy is OffsetStrategy.AUTO:
                self._count_current(whole=True)
                async with asyncio.timeout(_CLOSE_S):
                    await self.flush()
        except TimeoutError as exc:
            raise ConsumerError(f"the offsets could not be stored within {_CLOSE_S:g} s") from exc
        finally:
            self.abort()

    def abort(self) -> None:
        """Stop now, without storing offsets."""
        self._is_closed = True
        for task in self._running:
            task.cancel()
        for connection in self._connections.values():
            connection.close()
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(ClientClosedError("the consumer was closed"))  # to whoever waits for a batch

    async def _store_after_failure(self) -> None:
        """The block was left by an exception: store what was consumed before, and let it be seen."""
        try:
            if not self._is_closed and self.config.offset_strategy is OffsetStrategy.AUTO:
                self._count_current(whole=False)
                async with asyncio.timeout(_CLOSE_S):
                    await self.flush()
        except (FluvioError, TimeoutError) as exc:
            log.warning("offsets not stored topic=%s reason=%s", self.config.topic, exc)
        finally:
            self.abort()

    def _count_as_consumed(self) -> None:
        if self._is_counting:
            self._count_current(whole=True)
        self._current = self._record = None

    def _count_current(self, *, whole: bool) -> None:
        """Count what was handed out; without `whole` not the record that is being worked on."""
        batch, record = self._current, self._record
        if record is not None:
            offset = record.offset if whole else record.offset - 1
            if offset >= self._handed_out.get(record.partition, -1):
                self._handed_out[record.partition] = offset
        elif batch is not None and whole and batch.stop_offset > batch.first_offset:  # else all was refused
            self._handed_out[batch.partition] = batch.stop_offset - 1

    async def _store_regularly(self) -> None:
        while True:
            await asyncio.sleep(self.config.flush_interval_s)
            self._count_current(whole=False)
            try:
                await self.flush()
            except FluvioError as exc:  # tried again next time, and raised by `close` if it never works
                log.info("offsets not stored topic=%s reason=%s", self.config.topic, exc)

    # --- reading

    async def _read(self, stream: PartitionStream) -> None:
        try:
            await stream.run(self._queue)
        except FluvioError as exc:
            await self._queue.put(exc)
        else:
            await self._queue.put(_END)

    async def _connection_to(self, leader: Leader) -> Connection:
        async with self._connection_lock:
            found = self._connections.get(leader.spu_id)
            if found is not None and not found.is_lost and found.endpoint == leader.endpoint:
                return found
            if self._is_closed:
                raise ClientClosedError("the consumer is closed")
            connection = await self._cluster.connect_spu(leader)
            self._connections[leader.spu_id] = connection
            return connection
