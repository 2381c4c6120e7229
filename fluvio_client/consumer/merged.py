"""Several consumers as one: batches in the order in which they come, whichever topic they are of.

Each consumer has a task that takes one batch and waits until it was dealt with, since asking a consumer for
the next batch counts the one before as consumed. What was taken and never handed out does not count.
"""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from fluvio_client.consumer.consumer import Consumer
from fluvio_client.consumer.positions import RecordBatch
from fluvio_types.errors import FluvioError


class MergedConsumers:
    """`async with MergedConsumers(consumers) as merged`, inside the blocks of the consumers, which are open.

    Leave it before them: then they store what was handed out here, and no more.
    """

    def __init__(self, consumers: Sequence[Consumer]) -> None:
        self._consumers = consumers
        self._tasks = asyncio.TaskGroup()
        self._running: list[asyncio.Task[None]] = []
        self._taken: asyncio.Queue[tuple[Consumer, RecordBatch | FluvioError | None]] = asyncio.Queue()
        self._dealt_with = {consumer: asyncio.Event() for consumer in consumers}
        self._open = len(consumers)
        self._current: Consumer | None = None  # whose batch was handed out last

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        for consumer in self._consumers:
            name = f"merge {consumer.config.topic}"
            self._running.append(self._tasks.create_task(self._take(consumer), name=name))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._running:
            task.cancel()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            if not (error is not None and len(group.exceptions) == 1 and group.exceptions[0] is error):
                raise
        finally:
            while not self._taken.empty():
                _, item = self._taken.get_nowait()
                if isinstance(item, RecordBatch):
                    item.stop_offset = item.first_offset  # nothing of it counts as consumed

    async def next_batch(self) -> RecordBatch | None:
        """As `Consumer.next_batch`: None when all have ended. Raises what any of them raises."""
        if self._current is not None:
            self._dealt_with[self._current].set()
            self._current = None
        while self._open:
            consumer, item = await self._taken.get()
            if isinstance(item, RecordBatch):
                self._current = consumer
                return item
            self._open -= 1
            if item is not None:
                raise item
        return None

    async def _take(self, consumer: Consumer) -> None:
        dealt_with = self._dealt_with[consumer]
        while True:
            try:
                batch = await consumer.next_batch()
            except FluvioError as exc:
                self._taken.put_nowait((consumer, exc))
                return
            self._taken.put_nowait((consumer, batch))
            if batch is None:
                return
            await dealt_with.wait()
            dealt_with.clear()
