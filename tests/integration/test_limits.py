"""What each limit of a running server does to those who reach it, and that it is named: docs/limits.md."""

import asyncio
import contextlib
import re
import shlex
import socket
from collections.abc import Sequence
from pathlib import Path

import pexpect
import pytest

from fluvio_cli.failures import EXIT_CODES
from fluvio_client.blocking import BlockingAdmin
from fluvio_client.errors import HandshakeError
from fluvio_local_cluster.net import ConnectionClosedError
from fluvio_local_cluster.spu.session import MAX_STREAMS
from fluvio_protocol.api.admin import MsgType
from fluvio_protocol.api.api_versions import ApiVersionsRequest
from fluvio_protocol.api.offsets import OffsetUpdate, UpdateOffsetsRequest
from fluvio_protocol.api.partition import PartitionResolution
from fluvio_protocol.api.produce import (
    PartitionProduceData,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
)
from fluvio_protocol.error_code import ErrorKind
from fluvio_protocol.frame import encode_request, read_correlation_id
from fluvio_protocol.wire import Reader, decode
from tests.support.held_spu import held_spu
from tests.support.local_cluster import LocalCluster
from tests.support.raw_cluster import HOST, RawCluster, ServerProcess
from tests.support.record_sets import one_batch
from tests.support.scripted_sc import replica
from tests.support.spu_client import VERSION, connect, records_of
from tests.support.spu_process import MIB, SpuUnderTest, spu_under_test

PRODUCERS = 12
LARGE = 30 * MIB  # of a value
INFLIGHT = 64 * MIB
FRAME_TIMEOUT_MS = 1500
PIPELINED = 20_000  # requests


async def host(spu: SpuUnderTest, *topics: str) -> None:
    await spu.sc.push_all(*(replica(topic) for topic in topics))
    await spu.sc.until(lambda: all((topic, 0) in spu.sc.reports for topic in topics))


def produce_frame(topic: str, records: bytearray) -> bytes:
    entry = PartitionProduceData(partition_index=0, records=bytes(records))
    request = ProduceRequest(topics=[TopicProduceData(name=topic, partitions=[entry])])
    return bytes(encode_request(request, VERSION, 1))


async def connected(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (HOST, port))
    return sock


async def received(sock: socket.socket, size: int) -> bytes:
    """Exactly so many bytes. Raises `ConnectionError` when the server closes before."""
    data = bytearray()
    while len(data) < size:
        part = await asyncio.get_running_loop().sock_recv(sock, size - len(data))
        if not part:
            raise ConnectionResetError("closed by the server")
        data += part
    return bytes(data)


async def produce_raw(port: int, frame: bytes) -> tuple[ErrorKind, int]:
    """Send a frame that many share, and take the answer: kind and base offset."""
    with contextlib.closing(await connected(port)) as sock:
        await asyncio.get_running_loop().sock_sendall(sock, frame)
        reader = Reader(memoryview(await received(sock, int.from_bytes(await received(sock, 4), "big"))))
        read_correlation_id(reader)
        entry = decode(ProduceResponse, reader, VERSION).responses[0].partitions[0]
        return entry.error_code.kind, entry.base_offset


def peak_bytes(process: ServerProcess) -> int:
    """The most memory that was ever resident; 0 where the system does not tell."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert found is not None
    return int(found[1]) * 1024


def test_many_large_produces_at_once_wait_their_turn_in_bounded_memory(tmp_path: Path) -> None:
    options = ["--max-inflight-bytes", str(INFLIGHT), "--frame-timeout-ms", str(FRAME_TIMEOUT_MS)]

    async def main() -> None:
        async with held_spu(tmp_path, options) as (spu, gate), asyncio.TaskGroup() as group:
            await host(spu, "large", "small")
            frame = produce_frame("large", one_batch(bytes(LARGE)))
            before = spu.rss()
            tasks = [group.create_task(produce_raw(spu.port, frame)) for _ in range(PRODUCERS)]
            told = "peers wait, too much is unprocessed, see --max-inflight-bytes server=public"
            await spu.until(lambda: told in spu.process.said())
            async with connect(spu.port) as client:  # others go on
                assert (await client.produce("small", one_batch(b"x")))[0].error_code.is_ok
                stream = await client.stream("small")
                assert records_of(await stream.push()) == [(0, b"x")]
                with contextlib.closing(await connected(spu.port)) as silent:
                    await asyncio.get_running_loop().sock_sendall(silent, b"\0\0\1\0half")
                    assert await asyncio.get_running_loop().sock_recv(silent, 1) == b""  # too late
            assert not any(task.done() for task in tasks)  # but they were not closed: the pause is ours
            held = spu.rss() - before
            gate.open()
            async with asyncio.timeout(60):
                outcomes = [await task for task in tasks]
            assert sorted(outcomes) == [(ErrorKind.NONE, offset) for offset in range(PRODUCERS)]
            peak = peak_bytes(spu.process) - before
            print(
                f"{PRODUCERS} x {LARGE // MIB} MiB: {held / MIB:.0f} MiB held, {peak / MIB:.0f} MiB at most"
            )
            bound = INFLIGHT + LARGE + PRODUCERS * 2 * MIB + 16 * MIB  # one more, steps of growing, the rest
            assert held < bound
            assert peak < bound
            assert "Traceback" not in spu.process.said()

    asyncio.run(main())


def test_idle_connections_hold_nothing_of_what_they_sent_or_were_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path) as spu, contextlib.AsyncExitStack() as stack:
            await host(spu, "t")
            large, too_large = one_batch(bytes(LARGE)), one_batch(bytes(34 * MIB))
            before = spu.rss()
            for number in range(5):
                client = await stack.enter_async_context(connect(spu.port))
                for records, kind in ((too_large, ErrorKind.MESSAGE_TOO_LARGE), (large, ErrorKind.NONE)):
                    assert (await client.produce("t", records))[0].error_code.kind is kind
                client = await stack.enter_async_context(connect(spu.port))
                assert len((await (await client.stream("t", number)).push()).partition.records) == len(large)
            grown = spu.rss() - before
            print(f"10 idle connections: {grown / MIB:.0f} MiB")
            assert grown < 3 * LARGE  # what the allocator keeps; with a request each it were 150 MiB and more

    asyncio.run(main())


def test_requests_in_flight_on_a_connection_are_bounded_and_all_are_answered_in_order(tmp_path: Path) -> None:
    async def main() -> None:
        async with held_spu(tmp_path, ["--max-inflight-requests", "100"]) as (spu, gate):
            await host(spu, "t")
            update = UpdateOffsetsRequest(offsets=[OffsetUpdate(offset=1, session_id=1)])
            requests = b"".join(bytes(encode_request(update, 0, n + 2)) for n in range(PIPELINED))
            loop = asyncio.get_running_loop()
            with contextlib.closing(await connected(spu.port)) as sock:
                async with asyncio.TaskGroup() as group, asyncio.timeout(60):
                    sent = produce_frame("t", one_batch(bytes(2 * MIB))) + requests
                    sending = group.create_task(loop.sock_sendall(sock, sent))
                    told = "a peer waits until its requests are processed, see --max-inflight-requests"
                    await spu.until(lambda: told in spu.process.said())
                    gate.open()
                    numbers = []
                    for _ in range(PIPELINED + 1):
                        size = int.from_bytes(await received(sock, 4), "big")
                        numbers.append(int.from_bytes((await received(sock, size))[:4], "big"))
                    await sending
            assert numbers == list(range(1, PIPELINED + 2))

    asyncio.run(main())


def test_bytes_in_flight_on_a_connection_are_bounded_and_a_larger_request_passes_alone(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with held_spu(tmp_path, ["--max-connection-bytes", str(4 * MIB)]) as (spu, gate):
            await host(spu, "t")
            frame = produce_frame("t", one_batch(bytes(10 * MIB)))
            before = spu.rss()
            loop = asyncio.get_running_loop()
            with contextlib.closing(await connected(spu.port)) as sock:
                async with asyncio.TaskGroup() as group, asyncio.timeout(60):
                    sending = group.create_task(loop.sock_sendall(sock, frame * 6))
                    await spu.until(lambda: "--max-connection-bytes" in spu.process.said())
                    assert spu.rss() - before < 40 * MIB
                    gate.open()
                    for _ in range(6):
                        await received(sock, int.from_bytes(await received(sock, 4), "big"))
                    await sending
                peak = peak_bytes(spu.process) - before
                assert peak < 50 * MIB  # two requests, and what growing takes

    asyncio.run(main())


async def newcomer(port: int) -> None:
    async with connect(port) as client:
        await client.ask(ApiVersionsRequest(), 2)


async def admitted(port: int) -> None:
    """Come again until there is room, as clients do."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await newcomer(port)
            except ConnectionClosedError:
                continue


def test_one_connection_too_many_is_refused_and_a_freed_place_is_used_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path, ["--max-connections", "3"]) as spu:
            async with contextlib.AsyncExitStack() as stack:
                clients = [await stack.enter_async_context(connect(spu.port)) for _ in range(3)]
                for client in clients:
                    await client.ask(ApiVersionsRequest(), 2)
                for _ in range(5):
                    with pytest.raises(ConnectionClosedError):
                        await newcomer(spu.port)
                for client in clients:  # those who are in notice nothing
                    await client.ask(ApiVersionsRequest(), 2)
                clients[0].connection.close("room for another")
                await admitted(spu.port)
            said = spu.process.said()
            assert "refusing a connection, see --max-connections server=public" in said
            assert said.count("refusing a connection") < 5  # told, but not once for each

    asyncio.run(main())


def test_a_client_whom_the_controller_refuses_is_told_what_to_look_at(tmp_path: Path) -> None:
    sc = ServerProcess(
        "the controller", controller(tmp_path, ["--max-connections", "2"]), tmp_path / "sc.log"
    )
    sc.start()
    try:
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(BlockingAdmin.connect(sc.public, timeout_s=10))
            with pytest.raises(HandshakeError) as refused:
                BlockingAdmin.connect(sc.public, timeout_s=10)
            assert refused.value.hint is not None
            assert "`--max-connections`" in refused.value.hint
        assert "see --max-connections server=sc-public" in sc.said()
    finally:
        sc.stop()


def controller(folder: Path, options: Sequence[str]) -> list[str]:
    return [
        "fluvio_local_cluster.sc",
        *("--local", str(folder / "metadata")),
        *("--bind-public", f"{HOST}:0"),
        *("--bind-private", f"{HOST}:0"),
        *options,
    ]


def test_one_stream_too_many_is_refused_and_the_end_of_another_makes_room(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path, ["--max-streams", "2"]) as spu, connect(spu.port) as client:
            await host(spu, "t")
            await client.produce("t", one_batch(b"x"))
            async with connect(spu.port) as other:
                await (await other.stream("t")).push()
                first = await client.stream("t")
                await first.push()
                refused = (await (await client.stream("t")).push()).partition.error_code
                assert refused.kind is ErrorKind.OTHER
                assert refused.text == "this SPU has at most 2 streams, see `--max-streams`"
            async with asyncio.timeout(10):  # `other` is gone
                while not (push := await (await client.stream("t")).push()).partition.error_code.is_ok:
                    continue
            assert records_of(push) == [(0, b"x")]

    asyncio.run(main())


def test_a_connection_that_opens_stream_after_stream_is_refused_and_the_next_connection_is_not(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path) as spu, connect(spu.port) as client, connect(spu.port) as other:
            await host(spu, "t")
            for _ in range(MAX_STREAMS):
                await client.stream("t")
            refused = (await (await client.stream("t")).push()).partition.error_code
            assert (
                refused.text
                == f"a connection has at most {MAX_STREAMS} streams: close it, or use another one"
            )
            stream = await other.stream("t")
            await other.produce("t", one_batch(b"x"))
            assert records_of(await stream.push()) == [(0, b"x")]

    asyncio.run(main())


def test_one_partition_too_many_is_offline_until_another_is_deleted(tmp_path: Path) -> None:
    async def main() -> None:
        async with spu_under_test(tmp_path, ["--max-partitions", "3"]) as spu:
            sc = spu.sc
            names = [f"t{number}" for number in range(6)]
            await sc.push_all(*(replica(name) for name in names))
            await sc.until(lambda: len(set(sc.offline)) == 3 and len(sc.reports) == 3)
            assert "this SPU keeps at most 3 partitions, see `--max-partitions`" in spu.process.said()
            kept = sorted(sc.reports)
            async with connect(spu.port) as client:
                for name in names:
                    answer = (await client.produce(name, one_batch(b"x")))[0]
                    expected = ErrorKind.NONE if (name, 0) in kept else ErrorKind.NOT_LEADER_FOR_PARTITION
                    assert answer.error_code.kind is expected
                await spu.until(
                    lambda: spu.process.said().count("retry_s=5.0") == 3
                )  # each waits for 5 s now
                deleted = kept[0][0]
                await sc.push(replica(deleted, is_being_deleted=True), kind=MsgType.DELETE)
                async with asyncio.timeout(3):  # or is woken
                    await sc.until(lambda: len(sc.reports) == 4)
                [added] = set(sc.reports) - set(kept)
                answer = (await client.produce(added[0], one_batch(b"x")))[0]
                assert answer.error_code.is_ok

    asyncio.run(main())


def test_commands_name_the_limit_of_streams_and_show_partitions_that_have_no_place(tmp_path: Path) -> None:
    options = ["--max-streams", "1", "--max-partitions", "2"]
    with RawCluster(tmp_path, spu_options=options) as cluster:  # one partition keeps consumers' offsets
        user = LocalCluster(tmp_path)
        user.run("profile", "add", "limits", cluster.endpoint)
        user.run("topic", "create", "a")
        user.run("produce", "a", stdin="hello\n")

        async def while_another_reads() -> str:
            async with connect(cluster.spus[0].public_port) as client:
                await (await client.stream("a")).push()
                done = await asyncio.to_thread(user.run, "consume", "a", "-B", "-d", check=False)
                assert done.returncode == 1
                return done.stderr

        assert "this SPU has at most 1 streams, see `--max-streams`" in asyncio.run(while_another_reads())
        late = on_terminal(user, "topic", "create", "b")
        assert "the partitions of topic `b` did not come online in time" in late
        assert "`fluvio partition list`" in late
        assert "`--max-partitions`" in late
        [row] = [row for row in user.run("partition", "list").stdout.splitlines() if row.split()[0] == "b"]
        assert "Offline" in row
        user.run("topic", "delete", "a")
        await_online(cluster, "b-0")


def on_terminal(user: LocalCluster, *words: str) -> str:
    """What a command that fails says to a person, who gets hints too; it waits for servers for 4 s only."""
    environment = {**user.env, "FLV_SOCKET_WAIT": "4", "TERM": "dumb"}
    output, code = pexpect.run(
        shlex.join([str(user.executable), *words]), env=environment, withexitstatus=True, timeout=60
    )
    assert code in (EXIT_CODES["timed-out"], EXIT_CODES["unhealthy"], EXIT_CODES["failed"])
    return " ".join(output.decode().split())


def await_online(cluster: RawCluster, name: str) -> None:
    """Wait until the controller's watch says that a partition is online."""
    with cluster.admin() as admin:
        for update in admin.watch("Partition", timeout_s=20):
            for partition in (*update.all, *(message.content for message in update.changes)):
                if partition.name == name and partition.status.resolution is PartitionResolution.ONLINE:
                    return
    raise AssertionError(f"{name} is not online")
