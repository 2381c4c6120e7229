"""Measures one sample: producers, consumers, or both, with the ordinary client."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter, perf_counter_ns
from typing import TYPE_CHECKING

from fluvio_cli.benchmark.histogram import Histogram
from fluvio_cli.benchmark.jobs import Job, key_of
from fluvio_cli.benchmark.pacing import Pace, Values, stamp_of
from fluvio_cli.benchmark.result import Sample
from fluvio_cli.failures import NotInTimeError
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig
from fluvio_client.producer.settings import ProducerSettings
from fluvio_protocol.compression import Codec

if TYPE_CHECKING:
    from fluvio_client.client import Fluvio
    from fluvio_client.producer.producer import Producer, RecordDelivery

Connect = Callable[[], "Fluvio"]
OnRecords = Callable[[int], None]  # so many more are done
_MOST_WAITING = 100_000  # deliveries whose time is not noted yet


async def run_sample(job: Job, connect: Connect, topic: str, done: OnRecords) -> Sample:
    """Measure once. Raises what the client raises, and `NotInTimeError` after `worker_timeout`."""
    try:
        async with asyncio.timeout(job.worker_timeout):
            if job.kind == "producer":
                return await _produce_all(job, connect, topic, done)
            if job.kind == "consumer":
                return await _consume(job, connect, topic, done)
            return await _end_to_end(job, connect, topic, done)
    except TimeoutError:
        raise NotInTimeError(
            f"the benchmark had not ended after {job.worker_timeout:g} s",
            hint="`--worker-timeout` sets the limit",
        ) from None


async def fill(job: Job, connect: Connect, topic: str) -> None:
    """Give a topic what the consumers of `job` are to read."""
    async with (
        connect() as client,
        client.producer(topic, _settings(job, batch_bytes=1024 * 1024)) as producer,
    ):
        values = Values(job.record_size)
        left = job.num_records + job.warm_up
        while left:
            count = min(left, 10_000)
            await producer.send_many([values.next() for _ in range(count)])
            left -= count
        await producer.flush()


def _settings(job: Job, batch_bytes: int | None = None) -> ProducerSettings:
    return ProducerSettings(
        batch_bytes=batch_bytes or job.batch_size,
        max_request_bytes=job.max_request_size,
        linger_ms=round(job.linger * 1000),
        compression=Codec[job.compression.upper()],
        timeout_ms=round(job.server_timeout * 1000),
        max_pending_bytes=max(
            job.queue_size * job.batch_size, job.record_size, 1024 * 1024 if batch_bytes else 1
        ),
    )


# --- producing ---------------------------------------------------------------------------------------------


class _Acknowledged:
    """Notes when records were acknowledged, in the order in which they were given."""

    def __init__(self, latency: Histogram, done: OnRecords) -> None:
        self._latency, self._done = latency, done
        self._waiting: deque[tuple[RecordDelivery, int]] = deque()
        self._changed = asyncio.Event()
        self._has_all = False

    async def add(self, delivery: "RecordDelivery", due_ns: int) -> None:
        self._waiting.append((delivery, due_ns))
        self._changed.set()
        if len(self._waiting) > _MOST_WAITING:
            await delivery

    def end(self) -> None:
        self._has_all = True
        self._changed.set()

    async def note(self) -> None:
        """Until all that were added are acknowledged. Raises why one was not."""
        while True:
            while self._waiting:
                await self._waiting[0][0]
                now, count = perf_counter_ns(), 0
                while self._waiting and self._waiting[0][0].is_settled:
                    delivery, due_ns = self._waiting.popleft()
                    await delivery  # a failure is raised here
                    self._latency.add((now - due_ns) // 1000)
                    count += 1
                self._done(count)
            if self._has_all:
                return
            self._changed.clear()
            await self._changed.wait()


async def _produce_all(job: Job, connect: Connect, topic: str, done: OnRecords) -> Sample:
    latency = Histogram()
    shares = [job.num_records // job.num_producers] * job.num_producers
    shares[0] += job.num_records - sum(shares)
    ready = asyncio.Barrier(job.num_producers + 1)

    async def work(number: int, count: int) -> None:
        async with connect() as client, client.producer(topic, _settings(job)) as producer:
            if job.warm_up:
                await _give(
                    job, producer, number, job.warm_up // job.num_producers, Histogram(), None, _ignore
                )
            await ready.wait()
            rate = None if job.rate is None else job.rate / job.num_producers
            await _give(job, producer, number, count, latency, rate, done)

    async with asyncio.TaskGroup() as group:
        for number, count in enumerate(shares):
            group.create_task(work(number, count), name=f"producer {number}")
        await ready.wait()
        begin = perf_counter()
    return Sample(job.num_records, job.num_records * job.record_size, perf_counter() - begin, latency)


async def _give(
    job: Job,
    producer: "Producer",
    number: int,
    count: int,
    latency: Histogram,
    rate: float | None,
    done: OnRecords,
) -> None:
    acknowledged, values, pace = _Acknowledged(latency, done), Values(job.record_size), Pace(rate)
    async with asyncio.TaskGroup() as group:
        group.create_task(acknowledged.note(), name=f"acknowledgements {number}")
        for record in range(count):
            due_ns = await pace.due()
            await acknowledged.add(await producer.send(key_of(job, number, record), values.next()), due_ns)
        acknowledged.end()


def _ignore(count: int) -> None:
    pass


# --- consuming ---------------------------------------------------------------------------------------------


async def _consume(job: Job, connect: Connect, topic: str, done: OnRecords) -> Sample:
    config = ConsumerConfig(topic, start=Offset.beginning(), disable_continuous=True)
    seen = counted = size_bytes = 0
    begin = perf_counter()
    async with connect() as client, client.consumer(config) as consumer:
        async for batch in consumer.batches():
            values = batch.values()
            if seen >= job.warm_up:
                counted += len(values)
                size_bytes += sum(map(len, values))
            else:  # a batch that ends the warm-up belongs to it
                begin = perf_counter()
            seen += len(values)
            done(len(values))
            if counted >= job.num_records:
                break
    return Sample(counted, size_bytes, perf_counter() - begin)


async def _end_to_end(job: Job, connect: Connect, topic: str, done: OnRecords) -> Sample:
    latency, everything = Histogram(), job.warm_up + job.num_records
    begin = end = 0.0
    async with connect() as reading, connect() as writing:
        consumer = reading.consumer(ConsumerConfig(topic, start=Offset.end()))
        async with consumer, writing.producer(topic, _settings(job)) as producer:

            async def receive() -> None:
                nonlocal begin, end
                seen = 0
                async for record in consumer:
                    now = perf_counter_ns()
                    seen += 1
                    if seen <= job.warm_up:
                        begin = now / 1e9
                        continue
                    begin = begin or stamp_of(record.value) / 1e9
                    latency.add((now - stamp_of(record.value)) // 1000)
                    done(1)
                    if seen == everything:
                        end = now / 1e9
                        return

            async with asyncio.TaskGroup() as group:
                group.create_task(receive(), name="end-to-end consumer")
                values, pace = Values(job.record_size), Pace(job.rate)
                for number in range(everything):
                    due_ns = await pace.due()
                    await producer.send(key_of(job, 0, number), values.stamped(due_ns))
                await producer.flush()
    return Sample(job.num_records, job.num_records * job.record_size, end - begin, latency)
