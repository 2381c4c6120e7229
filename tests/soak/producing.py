"""The producers of our client: `python -m tests.soak.producing ENDPOINT FOLDER SEED FACTOR`, until told to
stop.

FACTOR is multiplied with all rates. It tells each second how much was given and acknowledged, and leaves
the producers' ledgers in FOLDER.
"""

import asyncio
import os
import random
import sys
import time
from pathlib import Path

from fluvio_client.client import Fluvio
from fluvio_client.producer.producer import Producer, RecordDelivery
from fluvio_client.producer.settings import ProducerSettings
from fluvio_protocol.api.fetch import Isolation
from fluvio_protocol.compression import Codec
from fluvio_types.errors import FluvioError
from tests.soak.ledger import Ledger
from tests.soak.plan import LOADS, MIB, Load
from tests.soak.telling import next_line, tell, tell_regularly
from tests.soak.values import LEAST_BYTES, Stamp, make_value

_SETTLING_BUNCHES = 1_000  # bunches of records that wait for their answers
_CATCH_UP_S = 2.0  # after a stall so much is made up for, not more
_SHOWN = 20


class Filler:
    """Bytes of any length, half of them compressible; no two alike next to each other."""

    def __init__(self, choose: random.Random) -> None:
        half = MIB // 2
        self._pool = choose.randbytes(half) + b"the same words again, " * (half // 22)
        self._choose = choose

    def take(self, size_bytes: int) -> bytes:
        """Some bytes of the pool."""
        start = self._choose.randrange(len(self._pool) - size_bytes)
        return self._pool[start : start + size_bytes]


class PacedProducer:
    """One load: gives records at its rate until stopped, and keeps the ledger."""

    def __init__(self, load: Load, factor: float, seed: int) -> None:
        self.load, self._rate = load, load.rate * factor
        self.ledger = Ledger(load.producer, load.name, load.topic)
        self.errors: list[str] = []
        self.acknowledged = self.failed = 0
        self._choose = random.Random(seed * 1000 + load.producer)
        self._filler = Filler(self._choose)
        self._settling: asyncio.Queue[list[tuple[int, RecordDelivery]] | None] = asyncio.Queue(
            _SETTLING_BUNCHES
        )

    async def run(self, client: Fluvio, stop: asyncio.Event) -> None:
        """Until `stop`, and then until every record is settled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._settle(), name=f"settle {self.load.name}")
                try:
                    async with client.producer(self.load.topic, self._settings()) as producer:
                        await self._give(producer, stop)
                finally:
                    await self._settling.put(None)
        except* FluvioError as group:
            self._note(f"{self.load.name}: {group.exceptions}")

    def _settings(self) -> ProducerSettings:
        load = self.load
        return ProducerSettings(
            batch_bytes=load.batch_bytes,
            linger_ms=load.linger_ms,
            compression=Codec[load.codec],
            isolation=Isolation.READ_COMMITTED if load.is_committed else Isolation.READ_UNCOMMITTED,
        )

    async def _give(self, producer: Producer, stop: asyncio.Event) -> None:
        begin, given = time.monotonic(), 0
        while not stop.is_set():
            due = int((time.monotonic() - begin) * self._rate) - given
            most = max(1, int(_CATCH_UP_S * self._rate))
            given += max(0, due - most)  # left out: the load is paced, it makes up for a stall only in part
            bunch = []
            for _ in range(min(due, most)):
                bunch.append(await self._send(producer))
                if self.load.awaits_each:
                    await self._settle_one(*bunch.pop())
            given += min(due, most)
            if bunch:
                await self._settling.put(bunch)
            try:
                async with asyncio.timeout(self.load.tick_s):
                    await stop.wait()
            except TimeoutError:
                pass  # the next bunch is due

    async def _send(self, producer: Producer) -> tuple[int, RecordDelivery]:
        load, choose = self.load, self._choose
        key = b"key-%d" % choose.randrange(load.keys) if load.keys else None
        size = max(choose.randint(*load.sizes), LEAST_BYTES)
        given_ns = time.monotonic_ns()
        sequence = self.ledger.give(given_ns / 1e9, size)
        stamp = Stamp(load.producer, sequence, given_ns)
        return sequence, await producer.send(
            key, make_value(stamp, key, self._filler.take(size - LEAST_BYTES))
        )

    async def _settle(self) -> None:
        while (bunch := await self._settling.get()) is not None:
            for sequence, delivery in bunch:
                await self._settle_one(sequence, delivery)

    async def _settle_one(self, sequence: int, delivery: RecordDelivery) -> None:
        try:
            stored = await delivery
        except FluvioError as exc:
            self.ledger.fail(sequence, time.monotonic())
            self.failed += 1
            self._note(f"{self.load.name} {sequence}: {exc}")
        else:
            self.ledger.acknowledge(sequence, stored.partition, stored.offset, time.monotonic())
            self.acknowledged += 1

    def _note(self, text: str) -> None:
        if len(self.errors) < _SHOWN:
            self.errors.append(text)


async def main(endpoint: str, folder: Path, seed: int, factor: float) -> None:
    """Run all loads until input says so or ends."""
    producers = [PacedProducer(load, factor, seed) for load in LOADS]
    stop = asyncio.Event()

    def progress() -> dict[str, object]:
        return {
            "given": sum(each.ledger.count for each in producers),
            "given_bytes": sum(each.ledger.given_bytes for each in producers),
            "acknowledged": sum(each.acknowledged for each in producers),
            "failed": sum(each.failed for each in producers),
            "errors": [error for each in producers for error in each.errors],
        }

    async with Fluvio.connect(endpoint) as client, asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(tell_regularly(progress), name="progress")
        async with asyncio.TaskGroup() as loads:
            for each in producers:
                loads.create_task(each.run(client, stop), name=each.load.name)
            tell(ready=True, pid=os.getpid())
            await next_line()
            stop.set()
        telling.cancel()
    for each in producers:
        each.ledger.save(folder)
    tell(**progress())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
