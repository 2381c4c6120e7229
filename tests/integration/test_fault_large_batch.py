"""F-14: batches as large as a request may be, and consumers that ask for a single byte: there is progress."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig
from fluvio_protocol.api.fetch import FetchableTopic, FetchPartition, FetchRequest
from fluvio_protocol.api.topic import TopicStorageConfig
from fluvio_protocol.batch import split
from fluvio_protocol.error_code import ErrorKind
from fluvio_types.defaults import MAX_REQUEST_BYTES
from tests.support import official_python as official
from tests.support.local_cluster import LocalCluster
from tests.support.raw_cluster import RawCluster
from tests.support.record_sets import one_batch
from tests.support.scripted_sc import replica
from tests.support.spu_client import SpuClient, connect, next_offset_of, records_of
from tests.support.spu_process import MIB, SpuUnderTest, spu_under_test

HEADROOM = len(one_batch(bytes(MAX_REQUEST_BYTES // 2))) - MAX_REQUEST_BYTES // 2  # of a batch of one record
ROUNDS = 6
LARGEST = MAX_REQUEST_BYTES - HEADROOM  # value that makes the largest batch


def value(size_bytes: int, tag: int = 0) -> bytes:
    """Bytes that differ along the way, so that a piece in a wrong place shows."""
    row = b"%04d" % tag + bytes(range(256)) * 4
    return (row * (size_bytes // len(row) + 1))[:size_bytes]


async def host(spu: SpuUnderTest, **fields: object) -> None:
    await spu.sc.push_all(replica("t", **fields))
    await spu.sc.told("t")


async def produced(client: SpuClient, batch: bytearray) -> tuple[ErrorKind, int]:
    answer = (await client.produce("t", batch))[0]
    return answer.error_code.kind, answer.base_offset


async def fetched(client: SpuClient, offset: int, max_bytes: int) -> bytes:
    """What one read of partition 0 returns."""
    partition = FetchPartition(partition_index=0, fetch_offset=offset)
    wanted = FetchableTopic(name="t", fetch_partitions=[partition])
    answer = await client.ask(FetchRequest(topics=[wanted], max_bytes=max_bytes), 10)
    return bytes(answer.topics[0].partitions[0].records)


def test_the_largest_batch_is_stored_and_read_and_one_byte_more_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path) as spu:
            await host(spu)
            largest = one_batch(value(LARGEST))
            assert len(largest) == MAX_REQUEST_BYTES
            resident = [spu.rss()]
            for offset in range(0, 2 * ROUNDS, 2):
                async with connect(spu.port) as client:
                    assert await produced(client, largest) == (ErrorKind.NONE, offset)
                    for size in (LARGEST + 1, 34 * MIB):
                        assert (await produced(client, one_batch(bytes(size))))[
                            0
                        ] is ErrorKind.MESSAGE_TOO_LARGE
                    assert await produced(client, one_batch(b"after")) == (ErrorKind.NONE, offset + 1)
                    for max_bytes in (1, 1_000_000, 2**31 - 1):
                        push = await (await client.stream("t", offset, max_bytes=max_bytes)).push()
                        assert records_of(push)[0] == (offset, value(LARGEST))
                    assert len(await fetched(client, offset, 1)) == MAX_REQUEST_BYTES
                # What the allocator keeps is bounded, once the server has seen that the client has gone ...
                await spu.until(lambda: spu.rss() - resident[0] < 3 * MAX_REQUEST_BYTES)
                resident.append(spu.rss())
            print(f"resident: {[size // MIB for size in resident]} MiB")
            # ... and does not grow: with a batch held each round the least of later rounds would be one above
            # the most of earlier ones. A single round may be seen before all of it has been given back.
            half = ROUNDS // 2
            assert min(resident[half + 1 :]) - max(resident[1 : half + 1]) < MAX_REQUEST_BYTES // 2

    asyncio.run(main())


def test_a_frame_beyond_all_limits_closes_its_connection_and_no_other(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path) as spu:
            await host(spu)
            async with connect(spu.port) as client:
                reader, writer = await asyncio.open_connection("127.0.0.1", spu.port)
                writer.write((65 * MIB).to_bytes(4, "big") + bytes(1000))
                with_end = await asyncio.wait_for(asyncio.gather(reader.read(), return_exceptions=True), 10)
                assert with_end[0] == b"" or isinstance(with_end[0], ConnectionError)
                writer.transport.abort()
                assert await produced(client, one_batch(b"x")) == (ErrorKind.NONE, 0)
            assert f"a frame of {65 * MIB} bytes is announced" in spu.process.said()

    asyncio.run(main())


def test_a_batch_that_no_segment_can_hold_is_refused_and_the_next_one_taken(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path) as spu:
            await host(spu, storage=TopicStorageConfig(segment_size=MIB))
            fitting = one_batch(value(MIB - HEADROOM - 8))
            async with connect(spu.port) as client:
                assert (await produced(client, one_batch(value(MIB))))[0] is ErrorKind.MESSAGE_TOO_LARGE
                assert await produced(client, fitting) == (ErrorKind.NONE, 0)
                assert await produced(client, fitting) == (ErrorKind.NONE, 1)
                assert len(await (await client.stream("t")).read_to(2)) == 2

    asyncio.run(main())


def test_with_a_single_byte_allowed_every_push_is_one_whole_batch(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path) as spu:
            await host(spu, storage=TopicStorageConfig(segment_size=300_000))
            sizes = (10, 70_000, 1, 250_000, 20_000) * 4  # below and above what is sent as a file
            async with connect(spu.port) as client:
                for tag, size in enumerate(sizes):
                    await client.produce("t", one_batch(value(size, tag), b"second"))
                stream = await client.stream("t", max_bytes=1)
                for tag, size in enumerate(sizes):
                    push = await stream.push()
                    assert len(split(push.partition.records)) == 1
                    assert [found for _, found in records_of(push)] == [value(size, tag), b"second"]
                    assert next_offset_of(push) == 2 * tag + 2
                    records = await fetched(client, 2 * tag + 1, 1)
                    assert records == bytes(push.partition.records)
                    await stream.acknowledge(push)

    asyncio.run(main())


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawCluster]:
    with RawCluster(tmp_path_factory.mktemp("large")) as running:
        yield running


@pytest.fixture
def user(cluster: RawCluster, tmp_path: Path) -> LocalCluster:
    user = LocalCluster(tmp_path)
    user.run("profile", "add", "large", cluster.endpoint)
    return user


def test_the_commands_read_and_write_what_is_larger_than_a_fetch(
    cluster: RawCluster, user: LocalCluster, tmp_path: Path
) -> None:
    cluster.create_topic("lines")
    lines = [b"a%d" % size + b"x" * size for size in (3_000_000, 5, 900_000, 12)]
    limits = ("--max-request-size", "16000000", "--batch-size", "1000")
    user.run("produce", "lines", *limits, stdin=b"\n".join(lines) + b"\n")
    for max_bytes in ("1", "1000", "2000000"):
        read = user.run("consume", "lines", "-B", "-d", "-b", max_bytes)
        assert read.stdout.encode().splitlines() == lines
    (tmp_path / "large").write_bytes(b"y" * (34 * MIB))
    asked = ("--max-request-size", str(40 * MIB), "-f", str(tmp_path / "large"), "--raw")
    refused = user.run("produce", "lines", *asked, check=False)
    assert refused.returncode == 1
    assert "large" in refused.stderr.lower()
    assert "unexpected" not in refused.stderr
    usual = user.run("produce", "lines", "-f", str(tmp_path / "large"), "--raw", check=False)
    assert usual.returncode == 1
    assert "exceeded maximum request size" in usual.stderr
    assert cluster.spus[0].said().count("Traceback") == 0


def test_our_client_makes_progress_with_a_single_byte(cluster: RawCluster) -> None:
    cluster.create_topic("bytes")

    async def main() -> list[tuple[int, int]]:
        async with connect(cluster.spus[0].public_port) as client:
            for tag in range(3):
                await client.produce("bytes", one_batch(value(1_500_000, tag), b"small"))
        async with Fluvio.connect(cluster.endpoint) as fluvio:
            config = ConsumerConfig(
                topic="bytes", start=Offset.beginning(), max_bytes=1, disable_continuous=True
            )
            async with fluvio.consumer(config) as consumer:
                return [(record.offset, len(record.value)) async for record in consumer]

    found = asyncio.run(asyncio.wait_for(main(), 30))
    assert found == [(0, 1_500_000), (1, 5), (2, 1_500_000), (3, 5), (4, 1_500_000), (5, 5)]


@pytest.mark.skipif(not official.HAS_WHEEL, reason=official.NO_WHEEL)
def test_the_official_client_reads_a_record_of_20_megabytes(cluster: RawCluster) -> None:
    cluster.create_topic("huge")

    async def fill() -> None:
        async with connect(cluster.spus[0].public_port) as client:
            for number in range(2):
                answer = await client.produce("huge", one_batch(b"%020000000d" % number))
                assert answer[0].error_code.is_ok

    asyncio.run(fill())
    _, missing = official.run(
        cluster.endpoint, official.consume_many, topic="huge", count=2, size_bytes=20_000_000
    )
    assert missing == []
