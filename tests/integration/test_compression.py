"""Codecs from end to end: what a topic demands, what lies on the disk, and who has to wait for a codec."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig
from fluvio_client.producer.settings import ProducerSettings
from fluvio_local_cluster.spu.server import Spu
from fluvio_protocol.api.topic import CompressionAlgorithm
from fluvio_protocol.batch import CRC_START, split
from fluvio_protocol.checksum import crc32c
from fluvio_protocol.compression import Codec
from fluvio_protocol.error_code import ErrorKind
from fluvio_protocol.wire import DecodeError
from tests.support.record_sets import one_batch
from tests.support.running_spu import public_port, run_with_spu
from tests.support.scripted_cluster import ScriptedCluster
from tests.support.scripted_sc import ScriptedSc, replica
from tests.support.spu_client import connect, records_of

EVERYTHING = ConsumerConfig("t", start=Offset.beginning(), disable_continuous=True)


def without_stamp(batch: bytes | bytearray) -> bytes:
    """A batch without what the leader writes into it: base offset and leader epoch."""
    return bytes(batch[8:12]) + bytes(batch[16:])


def test_a_topic_takes_the_codec_that_it_demands_and_no_other(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        topics = [replica(wanted.name.lower(), compression_type=wanted) for wanted in CompressionAlgorithm]
        await sc.push_all(*topics)
        for topic in topics:
            await sc.told(topic.id.topic)
        async with connect(public_port(spu)) as client:
            for wanted in CompressionAlgorithm:
                topic = wanted.name.lower()
                answers = await client.produce(topic, *[one_batch(b"x", codec=codec) for codec in Codec])
                kinds = [answer.error_code.kind for answer in answers]
                is_any = wanted is CompressionAlgorithm.ANY
                assert kinds == [
                    ErrorKind.NONE if is_any or codec.name == wanted.name else ErrorKind.COMPRESSION_ERROR
                    for codec in Codec
                ]
                mixed = one_batch(b"x", codec=Codec.GZIP) + one_batch(b"x", codec=Codec.LZ4)
                answer = (await client.produce(topic, mixed))[0]
                assert answer.error_code.kind is (ErrorKind.NONE if is_any else ErrorKind.COMPRESSION_ERROR)

    run_with_spu(tmp_path, body)


def test_batches_of_every_codec_are_stored_and_sent_as_they_came(tmp_path: Path) -> None:
    sent = [one_batch(*(b"%03d " % i * 50 for i in range(20)), codec=codec) for codec in Codec]

    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(replica("t"))
        await sc.told("t")
        async with connect(public_port(spu)) as client:
            await client.produce("t", *sent)
            push = await (await client.stream("t")).push()
        assert [offset for offset, _ in records_of(push)] == list(range(100))
        (segment,) = (tmp_path / "spu-logs-5001" / "t-0").glob("*.log")
        for stored in (segment.read_bytes(), bytes(push.partition.records)):
            found = [stored[h.position : h.position + h.size_bytes] for h in split(stored)]
            assert list(map(without_stamp, found)) == list(map(without_stamp, sent))
            assert [header.codec_number for header in split(stored)] == list(Codec)

    run_with_spu(tmp_path, body)


# --- the client's event loop -------------------------------------------------------------------------------


class Threads(ThreadPoolExecutor):
    """The loop's worker threads: counts what they do for codecs, and can hold it up."""

    def __init__(self) -> None:
        super().__init__(4)
        self.count = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.has_begun = threading.Event()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        names = {getattr(part, "__qualname__", "") for part in (fn, *args, *getattr(fn, "args", ()))}
        if not any("decode_ahead" in name or "BatchSender._pack" in name for name in names):
            return super().submit(fn, *args, **kwargs)
        self.count += 1

        def work() -> Any:
            self.has_begun.set()
            assert self.may_go_on.wait(20)
            return fn(*args, **kwargs)

        return super().submit(work)


def run(cluster: ScriptedCluster, body: Callable[[Fluvio, Threads], Awaitable[None]]) -> None:
    async def main() -> None:
        threads = Threads()
        asyncio.get_running_loop().set_default_executor(threads)
        async with asyncio.timeout(30), Fluvio.connect(cluster.endpoint) as client:
            await body(client, threads)

    asyncio.run(main())


def values_of(count: int, size: int) -> list[bytes]:
    return [(b"%06d " % i).ljust(size, b"x") for i in range(count)]


@pytest.mark.parametrize("codec", [Codec.GZIP, Codec.SNAPPY, Codec.LZ4, Codec.ZSTD])
def test_a_large_batch_is_decoded_in_a_thread_while_the_loop_goes_on(codec: Codec) -> None:
    values = values_of(1600, 10_000)  # 16 MB; packed by gzip it is no larger than a usual batch
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.spu.append("t", 0, bytes(one_batch(*values, codec=codec)))

        async def body(client: Fluvio, threads: Threads) -> None:
            threads.may_go_on.clear()
            async with client.consumer(EVERYTHING) as consumer, asyncio.TaskGroup() as group:
                first = group.create_task(consumer.next_batch())
                await asyncio.to_thread(threads.has_begun.wait, 20)
                for _ in range(100):  # the loop's turns do not wait for the codec
                    await asyncio.sleep(0)
                assert not first.done()
                threads.may_go_on.set()
                batch = await first
                assert batch is not None
                assert batch.values() == values
                assert await consumer.next_batch() is None
            assert threads.count == 1

        run(cluster, body)


def test_small_batches_are_decoded_where_they_are_used_and_the_order_is_kept() -> None:
    small, large = values_of(20, 100), values_of(300, 1000)
    with ScriptedCluster({"t": [5001]}) as cluster:
        for number in range(20):
            codec = list(Codec)[number % 5]
            cluster.spu.append("t", 0, bytes(one_batch(*(large if number % 7 == 3 else small), codec=codec)))
        expected = [value for number in range(20) for value in (large if number % 7 == 3 else small)]

        async def body(client: Fluvio, threads: Threads) -> None:
            async with client.consumer(EVERYTHING) as consumer:
                assert [record.value async for record in consumer] == expected
            assert threads.count == 2  # of the three large ones one is not packed
            async with client.consumer(EVERYTHING) as consumer:
                found = [value async for batch in consumer.batches() for value in batch.values()]
                assert found == expected
            assert threads.count == 4

        run(cluster, body)


def test_a_wait_that_is_cancelled_loses_no_batch_and_decodes_none_twice() -> None:
    large = [values_of(300, 1000 + number) for number in range(3)]
    with ScriptedCluster({"t": [5001]}) as cluster:
        for values in large:
            cluster.spu.append("t", 0, bytes(one_batch(*values, codec=Codec.ZSTD)))

        async def body(client: Fluvio, threads: Threads) -> None:
            threads.may_go_on.clear()
            async with client.consumer(EVERYTHING) as consumer:
                for _ in range(3):
                    async with asyncio.TaskGroup() as group:
                        waiting = group.create_task(consumer.next_batch())
                        await asyncio.sleep(0)  # so that it waits
                        await asyncio.to_thread(threads.has_begun.wait, 20)
                        waiting.cancel()
                    assert waiting.cancelled()
                threads.may_go_on.set()
                found = [batch.values() async for batch in consumer.batches()]
                assert found == large
            assert threads.count == 3

        run(cluster, body)


def test_damage_is_told_with_its_batch_and_the_next_one_is_read() -> None:
    good = one_batch(*values_of(300, 1000), codec=Codec.GZIP)
    damaged = bytearray(one_batch(*values_of(300, 1001), codec=Codec.GZIP))
    damaged[-8] ^= 0xFF  # the checksum inside of the gzip data
    damaged = seal(damaged)
    with ScriptedCluster({"t": [5001]}) as cluster:
        for batch in (good, damaged, good):
            cluster.spu.append("t", 0, bytes(batch))

        async def body(client: Fluvio, threads: Threads) -> None:
            async with client.consumer(EVERYTHING) as consumer:
                first, second, third = [await consumer.next_batch() for _ in range(3)]
                assert first is not None
                assert second is not None
                assert third is not None
                with pytest.raises(DecodeError, match="gzip data are damaged"):
                    second.values()
                assert first.values() == third.values() == values_of(300, 1000)

        run(cluster, body)


def seal(batch: bytearray) -> bytearray:
    """Give a changed batch the CRC that fits it."""
    batch[17:21] = crc32c(memoryview(batch)[CRC_START:]).to_bytes(4, "big")
    return batch


def test_a_producer_packs_much_in_a_thread_and_little_at_once() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio, threads: Threads) -> None:
            settings = ProducerSettings(compression=Codec.GZIP, batch_bytes=4_000_000)
            async with client.producer("t", settings) as producer:
                await (await producer.send(None, b"little"))
                assert threads.count == 0
                await producer.send_many(values_of(300, 1000))
                await producer.flush()
                assert threads.count >= 1

        run(cluster, body)
        assert sum(header.record_count for raw in cluster.spu.logs["t", 0] for header in split(raw)) == 301
