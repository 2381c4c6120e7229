"""F-13: consumers that stop reading their socket: what they cost a running SPU, and what becomes of them."""

import asyncio
import contextlib
import os
import statistics
import sys
import time
from pathlib import Path

from fluvio_protocol.api.admin import MsgType
from fluvio_protocol.api.fetch import Isolation, StreamFetchResponse
from fluvio_protocol.api.topic import TopicStorageConfig
from fluvio_protocol.batch import crc_matches, split
from fluvio_protocol.error_code import ErrorKind
from tests.support.record_sets import one_batch
from tests.support.scripted_sc import replica
from tests.support.spu_client import SpuClient, connect, next_offset_of, records_of
from tests.support.spu_process import MIB, SpuUnderTest, spu_under_test, stalling_consumer

STALLED, STREAMS_OF_EACH = 20, 40
STREAMS = 8  # of one connection: their slices are more than the system holds for a socket
ROUNDS = 150  # requests that are timed
SMALL_SEGMENTS = TopicStorageConfig(segment_size=2 * MIB, max_partition_size=4 * MIB)


def blob(number: int, size_bytes: int = MIB) -> bytes:
    """A value that tells whose it is at both ends."""
    mark = b"%08d" % number
    return mark + bytes(size_bytes - 16) + mark


async def host(spu: SpuUnderTest, *topics: str, partitions: int = 1, **fields: object) -> None:
    """Give the SPU these topics and wait until it serves them."""
    keys = [(topic, partition) for topic in topics for partition in range(partitions)]
    await spu.sc.push_all(*(replica(*key, **fields) for key in keys))
    await spu.sc.until(lambda: all(key in spu.sc.reports for key in keys))


async def fill(client: SpuClient, topic: str, count: int, first: int = 0, size_bytes: int = MIB) -> None:
    for number in range(first, first + count):
        answer = (await client.produce(topic, one_batch(blob(number, size_bytes))))[0]
        assert (answer.error_code.kind, answer.base_offset) == (ErrorKind.NONE, number)


async def round_trip_ms(port: int) -> float:
    """The median time of a record from a producer to a consumer that waits for it, on new connections."""
    times: list[float] = []
    async with connect(port) as producer, connect(port) as consumer:
        start = (await producer.produce("live", one_batch(b"first")))[0].base_offset
        stream = await consumer.stream("live", start)
        await stream.acknowledge(await stream.push())
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            await producer.produce("live", one_batch(b"x" * 1000))
            push = await stream.push()
            times.append((time.perf_counter() - begin) * 1000)
            await stream.acknowledge(push)
    return statistics.median(times)


def test_consumers_that_take_nothing_cost_no_memory_and_delay_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path) as spu, contextlib.AsyncExitStack() as stack:
            await host(spu, "t", "small", "live")
            async with connect(spu.port) as client:
                await fill(client, "t", 8)
                await fill(client, "small", 8, size_bytes=50_000)
            usual_ms = await round_trip_ms(spu.port)
            memory, descriptors = spu.rss(), spu.descriptors()
            stalled = [await stack.enter_async_context(stalling_consumer(spu.port)) for _ in range(STALLED)]
            for number, consumer in enumerate(stalled):
                for _ in range(STREAMS_OF_EACH):
                    topic, max_bytes = ("t", 4 * MIB) if number % 2 else ("small", 60_000)
                    consumer.open_stream(topic, max_bytes=max_bytes)
            for consumer in stalled:
                await consumer.arrived()
            stalled_ms = await round_trip_ms(spu.port)
            grown, opened = spu.rss() - memory, spu.descriptors() - descriptors
            print(f"{usual_ms:.2f} ms, with stalled consumers {stalled_ms:.2f} ms")
            print(f"{STALLED * STREAMS_OF_EACH} streams: {grown / MIB:.1f} MiB, {opened} descriptors")
            assert stalled_ms < 3 * usual_ms + 2
            assert grown < 16 * MIB  # a push of 60 kB for each stream would be 24, one of 4 MiB 3,200
            assert opened <= 2 * STALLED + 2  # the socket, and its double while a file is sent
            for number in (0, 1):  # they get what they asked for when they read at last
                pushes = [await stalled[number].push() for _ in range(STREAMS_OF_EACH)]
                assert sorted(push.stream_id for push in pushes) == list(range(1, STREAMS_OF_EACH + 1))
                expected = [blob(n) for n in range(4 - 1)] if number else [blob(0, 50_000)]
                for push in pushes:
                    assert [value for _, value in records_of(push)] == expected

    asyncio.run(main())


def test_streams_of_a_stalled_connection_hold_one_file_and_not_one_each(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path, descriptors=128) as spu:
            await host(spu, "t", partitions=100)
            async with connect(spu.port) as client, stalling_consumer(spu.port) as consumer:
                for partition in range(100):
                    await client.produce("t", one_batch(blob(partition, 300_000)), partition=partition)
                for partition in range(100):
                    consumer.open_stream("t", partition=partition)
                await consumer.arrived()
                await client.produce("t", one_batch(b"others go on"), partition=0)
                assert spu.descriptors() < 64
                found = {records_of(await consumer.push())[0][1] for _ in range(100)}
            assert found == {blob(partition, 300_000) for partition in range(100)}
            assert "no descriptor" not in spu.process.said()

    asyncio.run(main())


def test_retention_goes_on_and_the_stalled_one_gets_its_slice_and_then_where_to_go_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path, ["--retention-tick-ms", "50"]) as spu:
            sc = spu.sc
            await host(spu, "t", storage=SMALL_SEGMENTS)
            async with connect(spu.port) as client, stalling_consumer(spu.port) as consumer:
                await fill(client, "t", 3, size_bytes=600_000)
                for _ in range(STREAMS):
                    consumer.open_stream("t")
                await consumer.arrived()  # a slice of 1.8 MB is under way, the socket takes part of it
                await fill(client, "t", 17, first=3, size_bytes=600_000)
                await sc.until(lambda: sc.reports["t", 0].base_offset > 3)
                assert removed_files(spu) == [f"{0:020d}.log"] or sys.platform != "linux"
                promised: list[StreamFetchResponse] = []
                late: list[tuple[int, int]] = []
                for _ in range(STREAMS):
                    push = await consumer.push()
                    if push.partition.error_code.is_ok:
                        assert_intact(push, [blob(number, 600_000) for number in range(3)])
                        promised.append(push)
                    else:
                        late.append(evicted(push))
                assert len(promised) > 1
                assert late  # those had got no slice yet
                for push in promised:
                    consumer.acknowledge(push)
                    late.append(evicted(await consumer.push()))
                asked, following = late[-1]
                assert asked == 3 < following
                while True:
                    consumer.open_stream("t", following)
                    push = await consumer.push()
                    if push.partition.error_code.is_ok:
                        break
                    following = evicted(push)[1]  # more has been removed meanwhile
                assert records_of(push)[0] == (following, blob(following, 600_000))
            await spu.until(lambda: not removed_files(spu))

    asyncio.run(main())


def evicted(push: StreamFetchResponse) -> tuple[int, int]:
    """The offset that is gone, and where the log begins."""
    code = push.partition.error_code
    assert code.kind is ErrorKind.OFFSET_EVICTED
    asked, following = code.payload
    return asked, following


def assert_intact(push: StreamFetchResponse, values: list[bytes]) -> None:
    """Whole batches with right checksums, and nothing else."""
    data = memoryview(push.partition.records)
    headers = split(data)
    assert all(crc_matches(data, header) for header in headers)
    assert [value for _, value in records_of(push)] == values


def removed_files(spu: SpuUnderTest) -> list[str]:
    """Log files that the process has open though they are removed; only Linux tells."""
    found = []
    for link in Path(f"/proc/{spu.process.pid}/fd").glob("*"):
        with contextlib.suppress(FileNotFoundError):
            name, _, state = os.readlink(link).rpartition("/")[2].partition(" ")
            found += [name] if state == "(deleted)" else []
    return found


def test_deleting_the_topic_ends_streams_also_of_those_who_stall(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path) as spu:
            await host(spu, "t")
            async with connect(spu.port) as client, stalling_consumer(spu.port) as stalled:
                await fill(client, "t", 3)
                waiting = await client.stream("t", 3)
                for _ in range(STREAMS):
                    stalled.open_stream("t")
                await stalled.arrived()
                await spu.sc.push(replica("t", is_being_deleted=True), kind=MsgType.DELETE)
                assert (await waiting.push()).partition.error_code.kind is ErrorKind.TOPIC_DELETED
                await spu.sc.until(lambda: ("t", 0) in spu.sc.removed)
                promised, ended = 0, set()
                while len(ended) < STREAMS:
                    push = await stalled.push()
                    if push.partition.error_code.is_ok:
                        assert_intact(push, [blob(number) for number in range(3)])
                        promised += 1
                    else:
                        assert push.partition.error_code.kind is ErrorKind.TOPIC_DELETED
                        assert not push.partition.records
                        ended.add(push.stream_id)
                assert 0 < promised < STREAMS

    asyncio.run(main())


def test_committed_reads_are_of_whole_batches_below_the_high_watermark_and_cross_segments(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path) as spu:
            await host(spu, "t", storage=TopicStorageConfig(segment_size=2000))
            async with connect(spu.port) as client:
                for first in range(0, 60, 3):  # three records of 100 bytes to a batch
                    await client.produce("t", one_batch(*(b"%0100d" % n for n in range(first, first + 3))))
                segments = sorted((tmp_path / "data" / "spu-logs-5001" / "t-0").glob("*.log"))
                assert len(segments) > 3
                for isolation in (Isolation.READ_COMMITTED, Isolation.READ_UNCOMMITTED):
                    stream = await client.stream("t", 4, isolation=isolation, max_bytes=900)
                    offsets: list[int] = []
                    while not offsets or offsets[-1] < 59:
                        push = await stream.push()
                        assert next_offset_of(push) % 3 == 0
                        assert next_offset_of(push) <= push.partition.high_watermark
                        offsets += [offset for offset, _ in records_of(push)]
                        await stream.acknowledge(push)
                    assert offsets == list(range(3, 60))  # from the batch that has offset 4

    asyncio.run(main())
