"""The consumers: `python -m tests.soak.consuming ENDPOINT SEED`.

Each checks that offsets follow one another and that every value is as it was made. A line of input, {topic:
{partition: end}}, says where the logs end: every consumer reads up to there, and the process ends. It tells
latencies each second, and at the end what each consumer has seen.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fluvio_client.client import Fluvio
from fluvio_client.consumer.consumer import Consumer
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.positions import RecordBatch
from fluvio_client.consumer.settings import ConsumerConfig, Evicted, OffsetStrategy
from fluvio_types.errors import FluvioError
from tests.soak.figures import LatencyBook
from tests.soak.plan import READERS, SHORT_LIVED, Habit, Reader
from tests.soak.telling import next_line, tell, tell_regularly
from tests.soak.values import DamagedValueError, read_value

_SHOWN = 20
_REOPEN_S = 60.0  # for so long a consumer may be refused when it is opened: a server is being restarted
_RETRY_S = 0.5  # the pace at which a user would try again
_COMMIT_S = 0.5


@dataclass(slots=True)
class Ends:
    """Where the logs end, once it is known."""

    known: asyncio.Event = field(default_factory=asyncio.Event)
    offsets: dict[str, dict[int, int]] = field(default_factory=dict)

    def tell(self, document: Mapping[str, Mapping[str, int]]) -> None:
        """They will not grow any more."""
        for topic, ends in document.items():
            self.offsets[topic] = {int(partition): end for partition, end in ends.items()}
        self.known.set()


class Follower:
    """One consumer."""

    def __init__(self, reader: Reader, ends: Ends, book: LatencyBook, seed: int) -> None:
        self.reader, self._ends = reader, ends
        self._book = book if reader.habit is Habit.FAST else None
        self._choose = random.Random(f"{seed} {reader.name}")
        self.next: dict[int, int] = {}  # partition -> the offset that must come next
        self.records = self.skipped = self.opened = self.refused = self.commits = self.commits_failed = 0
        self.faults: list[str] = []
        self.stop_waiting: Callable[[], object] | None = None  # cancels `run`: no record will come any more
        self._stored: dict[int, int] = {}  # partition -> last offset that the cluster has for sure
        self._attempted: dict[int, int] = {}  # partition -> last offset that it may have
        self._gaps: dict[
            tuple[int, int], int
        ] = {}  # (partition, first offset that was removed) -> the next one

    @property
    def has_all(self) -> bool:
        """Whether everything was read, as far as the ends are known."""
        ends = self._ends.offsets.get(self.reader.topic, {})
        return self._ends.known.is_set() and all(
            self._following(partition) >= end for partition, end in ends.items()
        )

    def _following(self, partition: int) -> int:
        """The offset that comes next, if what retention has removed is passed over."""
        offset = self.next.get(partition, 0)
        while (partition, offset) in self._gaps:
            offset = self._gaps[partition, offset]
        return offset

    async def run(self, client: Fluvio) -> None:
        """Until everything was read."""
        refused_since: float | None = None
        while not self.has_all:
            consumer = client.consumer(self._config())
            try:
                await consumer.open()
            except FluvioError as exc:  # a server is being restarted
                self.refused += 1
                refused_since = time.monotonic() if refused_since is None else refused_since
                if time.monotonic() - refused_since > _REOPEN_S:
                    self._fault(f"cannot be opened: {exc}")
                    return
                await asyncio.sleep(_RETRY_S)
                continue
            self.opened += 1
            refused_since = None
            if self.reader.topic == SHORT_LIVED:  # the log begins anywhere
                self.next = {**consumer.positions(), **self.next}
            try:
                await self._read(consumer)
            except FluvioError as exc:
                self._fault(f"has ended: {exc}")
                return
            finally:
                consumer.abort()

    def _config(self) -> ConsumerConfig:
        is_managed = self.reader.habit is Habit.MANAGED
        return ConsumerConfig(
            self.reader.topic,
            start=Offset.beginning(),
            consumer_id="soak" if is_managed else None,
            offset_strategy=OffsetStrategy.MANUAL if is_managed else OffsetStrategy.NONE,
            evicted=Evicted.CONTINUE,
            on_skipped=self._skip,
        )

    async def _read(self, consumer: Consumer) -> None:
        if self.reader.habit is Habit.MANAGED:
            await self._read_managed(consumer)
        elif self.reader.habit is Habit.FAST:
            async for batch in consumer.batches():
                self._check(batch)
                if self.has_all:
                    return
        else:
            await self._read_slowly(consumer)

    async def _read_slowly(self, consumer: Consumer) -> None:
        pause_at = time.monotonic() + self._choose.uniform(*self.reader.works_s)
        async for batch in consumer.batches():
            self._check(batch)
            if self.has_all:
                return
            if time.monotonic() >= pause_at:
                try:
                    async with asyncio.timeout(self._choose.uniform(*self.reader.pauses_s)):
                        await self._ends.known.wait()  # a slow user has other things to do
                except TimeoutError:
                    pass
                pause_at = time.monotonic() + self._choose.uniform(*self.reader.works_s)

    async def _read_managed(self, consumer: Consumer) -> None:
        close_at = time.monotonic() + self._choose.uniform(*self.reader.works_s)
        commit_at = time.monotonic() + _COMMIT_S
        handed: dict[int, int] = {}
        async for batch in consumer.batches():
            if batch.partition not in handed:
                self._check_place(batch)
            self._check(batch)
            handed[batch.partition] = batch.stop_offset - 1
            now = time.monotonic()
            if now >= commit_at or now >= close_at or self.has_all:
                await self._commit(consumer, dict(handed))
                commit_at = time.monotonic() + _COMMIT_S
            if now >= close_at or self.has_all:
                return

    async def _commit(self, consumer: Consumer, handed: dict[int, int]) -> None:
        consumer.commit()
        self._attempted.update(handed)
        try:
            await consumer.flush()
        except FluvioError:
            self.commits_failed += 1  # a server is being restarted: the next one covers it
        else:
            self.commits += 1
            self._stored.update(handed)

    def _check_place(self, batch: RecordBatch) -> None:
        """The first batch of a partition since it was opened: is it where the cluster was told?"""
        partition = batch.partition
        lowest = self._stored.get(partition, -1) + 1
        highest = self._attempted.get(partition, -1) + 1
        if not lowest <= batch.first_offset <= highest:
            self._fault(f"partition {partition} began at {batch.first_offset}, not at {lowest} to {highest}")
        self.next[partition] = batch.first_offset

    def _check(self, batch: RecordBatch) -> None:
        partition = batch.partition
        expected = self._expected(partition, batch.first_offset)
        for record in batch.records():
            if record.offset != expected:
                self._fault(f"partition {partition}: offset {record.offset} came, not {expected}")
            expected = record.offset + 1
            try:
                stamp = read_value(record.value, record.key)
            except DamagedValueError as exc:
                self._fault(f"partition {partition} offset {record.offset}: {exc}")
                continue
            if self._book is not None:
                self._book.add(stamp.given_ns / 1e9, (time.monotonic_ns() - stamp.given_ns) / 1e3)
        self.records += batch.count
        self.next[partition] = expected

    def _expected(self, partition: int, offset: int) -> int:
        """The offset that must come next; `offset` is the one that comes."""
        expected = self.next.get(partition, 0)
        while expected != offset and (partition, expected) in self._gaps:
            expected = self._gaps.pop((partition, expected))
        return expected

    def _skip(self, partition: int, skipped: int, following: int) -> None:
        """Records were removed before this consumer came to them; batches before them may wait to be read."""
        self.skipped += following - skipped
        self._gaps[partition, skipped] = following
        if self.has_all and self.stop_waiting is not None:
            self.stop_waiting()

    def _fault(self, text: str) -> None:
        if len(self.faults) < _SHOWN:
            self.faults.append(f"{self.reader.name}: {text}")

    def summary(self) -> dict[str, Any]:
        """What it has seen."""
        return {
            "records": self.records,
            "skipped": self.skipped,
            "opened": self.opened,
            "refused": self.refused,
            "commits": self.commits,
            "commits_failed": self.commits_failed,
        }


async def main(endpoint: str, seed: int) -> None:
    """Run all consumers until they have read to the ends that input tells."""
    ends, book = Ends(), LatencyBook()
    followers = [Follower(reader, ends, book, seed) for reader in READERS]

    def progress() -> dict[str, Any]:
        return {
            "consumed": sum(each.records for each in followers),
            "latencies": book.take_out(),
            "errors": [fault for each in followers for fault in each.faults],
        }

    async with Fluvio.connect(endpoint) as client, asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(tell_regularly(progress), name="progress")
        async with asyncio.TaskGroup() as group:
            for each in followers:
                each.stop_waiting = group.create_task(each.run(client), name=each.reader.name).cancel
            tell(ready=True, pid=os.getpid())
            ends.tell(await next_line() or {})
            for each in followers:
                if each.has_all and each.stop_waiting is not None:
                    each.stop_waiting()
        telling.cancel()
    tell(**progress(), consumers={each.reader.name: each.summary() for each in followers})


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
