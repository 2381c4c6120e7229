"""Our engine: `fluvio cluster start` with one SPU, and our Python client."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import crc32c
import psutil

from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig
from fluvio_client.producer.producer import Producer
from fluvio_client.producer.settings import ProducerSettings
from fluvio_protocol.api.topic import TopicReplicaParam, TopicSpec
from fluvio_types.version import __version__
from tests.bench.cluster import BenchHome
from tests.bench.peers.engine import (
    TICKS_PER_SECOND,
    Job,
    Outcome,
    stamp_of,
    stamped_value,
    values,
)
from tests.bench.peers.pacer import Pacer
from tests.support.leftovers import processes_at_home

_Result = TypeVar("_Result")


class OurServer:
    """SC and one SPU in a temporary home."""

    name = "ours"
    most_records = 1_000_000

    def __init__(self) -> None:
        self._home: BenchHome | None = None

    def prepare(self) -> str:
        return f"fluvio-cli {__version__}, SC and one SPU"

    def start(self) -> None:
        self._home = BenchHome()
        self._home.start_cluster()

    def stop(self) -> None:
        if self._home is not None:
            self._home.remove()
            self._home = None

    @property
    def endpoint(self) -> str:
        return self._running().endpoint

    def processes(self) -> list[psutil.Process]:
        return [process for process, _ in processes_at_home(self._running().path, grace_s=0)]

    def data_files(self) -> list[Path]:
        return sorted((self._running().path / ".fluvio" / "data").rglob("*.log"))

    def _running(self) -> BenchHome:
        assert self._home is not None, "not started"
        return self._home


class OurClient:
    """Every task connects anew."""

    def create(self, job: Job) -> None:
        async def make(client: Fluvio) -> None:
            await client.admin.create_topic(job.topic, TopicSpec(replicas=TopicReplicaParam()))

        _with_client(job, make)

    def drop(self, job: Job) -> None:
        _with_client(job, lambda client: client.admin.delete_topic(job.topic))

    def produce(self, job: Job) -> Outcome:
        sent = values(job.count, job.size_bytes)

        async def work(producer: Producer) -> None:
            await producer.send_many(sent)
            await producer.flush()

        return _with_producer(job, _settings(job), work)

    def send_singly(self, job: Job) -> Outcome:
        sent = values(job.count, job.size_bytes)

        async def acknowledged(producer: Producer) -> None:
            for value in sent:
                delivery = await producer.send(None, value)
                await delivery

        async def flushed(producer: Producer) -> None:
            for value in sent:
                await producer.send(None, value)
            await producer.flush()

        return _with_producer(job, _settings(job), acknowledged if job.acknowledged else flushed)

    def consume(self, job: Job) -> Outcome:
        config = ConsumerConfig(job.topic, start=Offset.beginning(), disable_continuous=True)

        async def work(client: Fluvio) -> Outcome:
            begin, processor = time.perf_counter(), time.process_time()
            seen, so_far, update = 0, 0, crc32c.crc32c
            async with client.consumer(config) as consumer:
                async for batch in consumer.batches():
                    seen += batch.count
                    if job.decode:
                        for record in batch.records():
                            so_far = update(record.value, so_far)
            seconds, spent = time.perf_counter() - begin, time.process_time() - processor
            return Outcome(seconds, spent, seen, so_far if job.decode else None)

        return _with_client(job, work)

    def send_paced(self, job: Job) -> None:
        async def work(producer: Producer) -> None:
            with Pacer(job.count, TICKS_PER_SECOND) as pacer:
                while stamps := await pacer.wait_async():
                    for stamp in stamps:
                        await producer.send(None, stamped_value(stamp, job.size_bytes))
            await producer.flush()

        _with_producer(job, ProducerSettings(), work)

    def receive_paced(self, job: Job, ready: Callable[[], None]) -> list[int]:
        config = ConsumerConfig(job.topic, start=Offset.beginning())

        async def work(client: Fluvio) -> list[int]:
            taken: list[int] = []
            async with client.consumer(config) as consumer:
                await anext(consumer)
                ready()
                async for record in consumer:
                    taken.append(time.monotonic_ns() - stamp_of(record.value))
                    if len(taken) == job.count:
                        break
            return taken

        return _with_client(job, work)


def _settings(job: Job) -> ProducerSettings:
    return ProducerSettings(batch_bytes=job.batch_bytes, max_pending_bytes=job.in_flight_bytes)


def _with_client(job: Job, work: Callable[[Fluvio], Awaitable[_Result]]) -> _Result:
    async def run() -> _Result:
        async with Fluvio.connect(job.endpoint) as client:
            return await work(client)

    return asyncio.run(run())


def _with_producer(
    job: Job, settings: ProducerSettings, work: Callable[[Producer], Awaitable[None]]
) -> Outcome:
    async def run(client: Fluvio) -> Outcome:
        async with client.producer(job.topic, settings) as producer:
            begin, processor = time.perf_counter(), time.process_time()
            await work(producer)
            return Outcome(time.perf_counter() - begin, time.process_time() - processor, job.count)

    return _with_client(job, run)
