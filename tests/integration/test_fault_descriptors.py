"""F-12: a running SPU with few descriptors: a thousand partitions, many streams, peers that come and go.

And what it does when there is really none left, which a test brings about by taking them away.
"""

import asyncio
import contextlib
import resource
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from fluvio_local_cluster.net import ConnectionClosedError
from fluvio_protocol.api.api_versions import ApiVersionsRequest, ApiVersionsResponse
from fluvio_protocol.api.fetch import FetchableTopic, FetchPartition, FetchRequest
from fluvio_protocol.api.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from fluvio_protocol.batch import decode_records, split
from fluvio_protocol.error_code import ErrorKind
from tests.support.record_sets import one_batch
from tests.support.scripted_sc import replica
from tests.support.spu_client import SpuClient, connect, records_of
from tests.support.spu_process import MIB, SpuUnderTest, spu_under_test

LIMIT = 1024  # descriptors
PARTITIONS = 1000
STREAMS, CONNECTIONS = 500, 50
LOOPS = 600  # connections that come and go
GROWTH_BYTES = 24 * MIB  # of resident memory, from one round to the next

needs_prlimit = pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="limits of a running process can be changed on Linux only"
)


def value(partition: int) -> bytes:
    return b"partition %04d " % partition + bytes(100_000 if partition % 100 == 0 else 100)


async def host(spu: SpuUnderTest, count: int) -> None:
    """Give the SPU partitions of `t` and wait until it has reported each."""
    await spu.sc.push_all(*(replica("t", partition) for partition in range(count)))
    await spu.sc.until(lambda: len(spu.sc.reports) == count)


async def produce_to_each(client: SpuClient, count: int) -> None:
    """One record to each partition, a hundred partitions to a request."""
    for first in range(0, count, 100):
        entries = [
            PartitionProduceData(partition_index=p, records=bytes(one_batch(value(p))))
            for p in range(first, min(first + 100, count))
        ]
        answer = await client.ask(ProduceRequest(topics=[TopicProduceData(name="t", partitions=entries)]))
        assert all(entry.error_code.is_ok for entry in answer.responses[0].partitions)


async def read_streams(clients: list[SpuClient], first: int, count: int) -> None:
    """Open `count` streams from partition `first` on, all at once, and take a push of each."""
    streams = []
    for number in range(count):
        client = clients[number % len(clients)]
        streams.append((first + number, await client.stream("t", 0, partition=first + number)))
    for partition, stream in streams:
        assert records_of(await stream.push())[0] == (0, value(partition))


async def come_and_go(spu: SpuUnderTest) -> None:
    """Connections that end at once, amid a request, or amid an answer."""
    async with connect(spu.port) as client:
        for number in range(LOOPS):
            _, writer = await asyncio.open_connection("127.0.0.1", spu.port)
            if number % 3:
                writer.write(b"\0\0\0\x40" + bytes(number % 60))
            writer.transport.abort()
            if number % 100 == 0:
                await client.ask(ApiVersionsRequest(), 2)
                assert spu.descriptors() < LIMIT


def test_a_thousand_partitions_and_hundreds_of_streams_live_under_1024_descriptors(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path, descriptors=LIMIT) as spu:
            assert spu.system.rlimit(psutil.RLIMIT_NOFILE) == (LIMIT, LIMIT) or sys.platform != "linux"
            bare = spu.descriptors()
            await host(spu, PARTITIONS)
            open_ones, memory = [], []
            for _ in range(2):
                async with contextlib.AsyncExitStack() as stack:
                    clients = [await stack.enter_async_context(connect(spu.port)) for _ in range(CONNECTIONS)]
                    await produce_to_each(clients[0], PARTITIONS)
                    await read_streams(clients, 0, STREAMS)
                    await read_streams(clients, STREAMS, STREAMS)
                    assert spu.descriptors() < LIMIT
                await come_and_go(spu)
                await spu.until(lambda: spu.descriptors() <= bare + 256 + 1)  # one is ours
                open_ones.append(spu.descriptors())
                memory.append(spu.rss())
            print(f"descriptors: {bare} bare, then {open_ones}; memory: {[m // MIB for m in memory]} MiB")
            assert open_ones[1] <= open_ones[0]
            assert memory[1] - memory[0] < GROWTH_BYTES
            said = spu.process.said()
            assert "Traceback" not in said
            assert "no descriptor is left" not in said

    asyncio.run(main())


async def fetch(client: SpuClient, partition: int) -> tuple[ErrorKind, bytes]:
    """What one read answers: the kind, and the value of the first record or the text of the error."""
    wanted = FetchPartition(partition_index=partition, fetch_offset=0)
    request = FetchRequest(topics=[FetchableTopic(name="t", fetch_partitions=[wanted])], max_bytes=1)
    fetched = (await client.ask(request, 10)).topics[0].partitions[0]
    records = memoryview(fetched.records)
    found = decode_records(records, split(records)[0])[0].value if records else b""
    return fetched.error_code.kind, bytes(found) or fetched.error_code.text.encode()


@needs_prlimit
def test_without_a_descriptor_it_refuses_names_the_limit_and_recovers(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path, descriptors=LIMIT) as spu, connect(spu.port) as client:
            await host(spu, 300)
            await produce_to_each(client, 300)  # files of the first partitions are closed by now
            stream = await client.stream("t", 0, partition=200)  # more than 64 KiB: its file is sent
            push = await stream.push()

            spu.system.rlimit(psutil.RLIMIT_NOFILE, (3, LIMIT))
            cpu_s = sum(spu.system.cpu_times()[:2])
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.5):  # nothing can be accepted: it waits, and the loop does not
                    await newcomer(spu.port)
            kind, text = await fetch(client, 0)
            assert kind is ErrorKind.OTHER
            assert b"Too many open files" in text
            assert b"ulimit -n" in text
            refused = (await client.produce("t", one_batch(b"x"), partition=1))[0]
            assert refused.error_code.kind is ErrorKind.STORAGE_ERROR
            assert await fetch(client, 299) == (ErrorKind.NONE, value(299))  # its file is open
            await stream.acknowledge(push, 0)
            assert records_of(await stream.push())[0] == (0, value(200))  # its socket cannot be duplicated
            spent_s = sum(spu.system.cpu_times()[:2]) - cpu_s

            spu.system.rlimit(psutil.RLIMIT_NOFILE, (LIMIT, LIMIT))
            async with asyncio.timeout(5):
                await newcomer(spu.port)
            assert await fetch(client, 0) == (ErrorKind.NONE, value(0))
            stored = (await client.produce("t", one_batch(b"x"), partition=1))[0]
            assert (stored.error_code.kind, stored.base_offset) == (ErrorKind.NONE, 1)
            said = spu.process.said()
            assert said.count("refusing connections, the system gives no more, see `ulimit -n`") == 1
            assert "Traceback" not in said
            assert spent_s < 0.7, f"{spent_s:.2f} s of processor time while nothing could be done"

    asyncio.run(main())


async def newcomer(port: int) -> None:
    """A new connection that gets an answer. Raises `ConnectionError` if it is closed instead."""
    async with connect(port) as client:
        await client.ask(ApiVersionsRequest(), 2)


@needs_prlimit
def test_connections_that_find_no_descriptor_are_closed_at_once_and_the_others_served(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path, descriptors=128) as spu, connect(spu.port) as client:
            await host(spu, 3)
            await produce_to_each(client, 3)
            spu.system.rlimit(psutil.RLIMIT_NOFILE, (spu.descriptors() + 8, 128))
            async with contextlib.AsyncExitStack() as stack:
                peers = [await stack.enter_async_context(connect(spu.port)) for _ in range(30)]
                outcomes = await asyncio.gather(
                    *(peer.ask(ApiVersionsRequest(), 2) for peer in peers), return_exceptions=True
                )
                refused = [each for each in outcomes if isinstance(each, ConnectionClosedError)]
                assert 22 <= len(refused) < 30
                assert sum(isinstance(each, ApiVersionsResponse) for each in outcomes) == 30 - len(refused)
                await produce_to_each(client, 3)
            await first_success(lambda: newcomer(spu.port))
            assert "refusing connections, the system gives no more" in spu.process.said()
            assert "Traceback" not in spu.process.said()

    asyncio.run(main())


async def first_success(attempt: Callable[[], Awaitable[None]]) -> None:
    """Try again, as a client does that was refused, until the server takes a connection."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await attempt()
            except ConnectionClosedError:
                continue


def test_connections_are_limited_so_that_files_have_room(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path, descriptors=128) as spu:
            said = spu.process.said()
            assert "the limit of open files allows less connections than --max-connections" in said
            assert "descriptors=128 connections=64 wished=4096" in said
            async with contextlib.AsyncExitStack() as stack:
                clients = [await stack.enter_async_context(connect(spu.port)) for _ in range(64)]
                for client in clients:
                    await client.ask(ApiVersionsRequest(), 2)
                with pytest.raises(ConnectionClosedError):
                    await newcomer(spu.port)
                await host(spu, 100)
                await produce_to_each(clients[0], 100)
            assert "refusing a connection, see `ulimit -n` server=public" in spu.process.said()
            assert "Traceback" not in spu.process.said()

    asyncio.run(main())
