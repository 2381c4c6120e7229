"""What our client does against one cluster, in a process of its own.

`python -m tests.bench.our_client produce|batches|records ENDPOINT TOPIC COUNT SIZE [BATCH]` prints seconds:
`produce` sends COUNT records of SIZE bytes with the official client's settings (batches of 16 KiB, or BATCH
bytes; one connection, one partition) until the last one is acknowledged; `batches` reads them as whole
batches whose CRC is checked, as a mirror or a copy would; `records` decodes every record as well. Connecting
and making the values do not count, except for more than 1 GB of them, which are made while they are sent.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterable

from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig
from fluvio_client.producer.settings import ProducerSettings
from fluvio_types.defaults import BATCH_BYTES


def values(count: int, size_bytes: int) -> Iterable[bytes]:
    """Different values, cut from 1 MiB of random bytes."""
    pool = os.urandom(1_048_576 + size_bytes)
    made = (pool[start : start + size_bytes] for start in (i * 101 % 1_048_576 for i in range(count)))
    return list(made) if count * size_bytes <= 1_000_000_000 else made


async def produce(client: Fluvio, topic: str, count: int, size_bytes: int, batch_bytes: int) -> float:
    """Seconds until all are acknowledged."""
    sent = values(count, size_bytes)
    async with client.producer(topic, ProducerSettings(batch_bytes=batch_bytes)) as producer:
        begin = time.perf_counter()
        await producer.send_many(sent)
        await producer.flush()
        return time.perf_counter() - begin


async def consume(client: Fluvio, topic: str, count: int, size_bytes: int, *, decode: bool) -> float:
    """Seconds until all are there, from opening the consumer on. Raises if one is missing."""
    config = ConsumerConfig(topic, start=Offset.beginning(), disable_continuous=True)
    begin = time.perf_counter()
    seen = size = 0
    async with client.consumer(config) as consumer:
        async for batch in consumer.batches():
            if decode:
                records = batch.records()
                seen += len(records)
                size += len(records[-1].value)
            else:
                seen += batch.count
    seconds = time.perf_counter() - begin
    if seen != count or (decode and size % size_bytes):
        raise RuntimeError(f"{seen} records of {count} came")
    return seconds


async def main(
    task: str, endpoint: str, topic: str, count: int, size_bytes: int, batch_bytes: int = BATCH_BYTES
) -> float:
    """Connect, then the task."""
    async with Fluvio.connect(endpoint) as client:
        if task == "produce":
            return await produce(client, topic, count, size_bytes, batch_bytes)
        return await consume(client, topic, count, size_bytes, decode=task == "records")


if __name__ == "__main__":
    words, numbers = sys.argv[1:4], [int(number) for number in sys.argv[4:7]]
    print(asyncio.run(main(words[0], words[1], words[2], *numbers)))
