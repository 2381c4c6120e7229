"""The HTTP answer to scrapes and the JSON socket by themselves, with peers that misbehave."""

import asyncio
import contextlib
import json
import logging
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from fluvio_local_cluster.metrics import Family, MetricsEndpoint, counter, endpoint, load_renderer
from fluvio_local_cluster.metrics.text import Renderer
from fluvio_local_cluster.spu.metric_sockets import MetricSockets, PathTakenError, listen

GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@contextlib.asynccontextmanager
async def running(
    render: Renderer | None = None, read: Callable[[], Callable[[], Sequence[Family]]] | None = None
) -> AsyncIterator[MetricsEndpoint]:
    told = [counter("fluvio_x_total", "x").add(7)]
    served = MetricsEndpoint(read or (lambda: lambda: told), render or load_renderer())
    await served.open("127.0.0.1", 0)
    async with asyncio.TaskGroup() as group:
        await served.start(group)
        try:
            async with asyncio.timeout(20):
                yield served
        finally:
            served.close()


async def ask(served: MetricsEndpoint, request: bytes) -> bytes:
    """All that comes back until the connection is closed."""
    reader, writer = await asyncio.open_connection(served.host, served.port)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()


def test_a_scrape_is_answered_and_the_connection_closed() -> None:
    async def main() -> None:
        async with running() as served:
            answer = await ask(served, GET)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4")
        assert f"Content-Length: {len(body)}".encode() in head
        assert b"\nfluvio_x_total 7.0\n" in body

    asyncio.run(main())


def test_a_query_does_not_matter_and_a_request_may_come_in_pieces() -> None:
    async def main() -> None:
        async with running() as served:
            reader, writer = await asyncio.open_connection(served.host, served.port)
            writer.write(b"GET /metrics?x=1 HT")
            await writer.drain()
            writer.write(b"TP/1.0\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
            writer.close()

    asyncio.run(main())


def test_a_silent_peer_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_TIMEOUT_S", 0.05)

    async def main() -> None:
        async with running() as served:
            reader, writer = await asyncio.open_connection(served.host, served.port)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()

    asyncio.run(main())


def test_too_many_connections_are_closed_and_room_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_MAX_CONNECTIONS", 2)

    async def main() -> None:
        async with running() as served:
            waiting = [await asyncio.open_connection(served.host, served.port) for _ in range(2)]
            with contextlib.suppress(ConnectionError):
                assert await ask(served, GET) == b""
            for reader, writer in waiting:
                writer.write(GET)
                assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
                writer.close()
            assert (await ask(served, GET)).startswith(b"HTTP/1.1 200 ")

    asyncio.run(main())


def test_text_is_made_one_scrape_at_a_time_and_not_on_the_event_loop() -> None:
    copies, threads = 0, set()
    first_is_made, may_go_on = threading.Event(), threading.Event()

    def read() -> Callable[[], Sequence[Family]]:
        nonlocal copies
        copies += 1
        return list

    def render(families: Sequence[Family]) -> bytes:
        threads.add(threading.get_ident())
        first_is_made.set()
        assert may_go_on.wait(10)
        return b"text"

    async def main() -> None:
        async with running(render, read) as served, asyncio.TaskGroup() as group:
            asked = [group.create_task(ask(served, GET)) for _ in range(8)]
            try:
                assert await asyncio.to_thread(first_is_made.wait, 10)
                # Connections are accepted in turn: when this one is answered, the others' requests are read.
                assert (await ask(served, b"GET /healthz HTTP/1.1\r\n\r\n")).endswith(b"ok\n")
                assert copies == 1
            finally:
                may_go_on.set()
        assert all(task.result().endswith(b"text") for task in asked)
        assert copies == 8

    asyncio.run(main())
    assert threading.get_ident() not in threads


def test_a_scrape_that_fails_is_told_so_and_does_not_end_the_server(caplog: pytest.LogCaptureFixture) -> None:
    failures = [RuntimeError("can't start new thread")]

    def render(families: Sequence[Family]) -> bytes:
        if failures:
            raise failures.pop()
        return b"text"

    async def main() -> None:
        async with running(render) as served:
            assert (await ask(served, GET)).startswith(b"HTTP/1.1 500 ")
            assert (await ask(served, GET)).endswith(b"text")

    asyncio.run(main())
    assert "figures could not be told" in caplog.messages
    assert "can't start new thread" in caplog.text


def test_closing_ends_a_scrape_that_waits() -> None:
    async def main() -> None:
        async with running() as served:
            reader, writer = await asyncio.open_connection(served.host, served.port)
            writer.write(b"GET /metrics")
            await writer.drain()
            assert (await ask(served, GET)).startswith(b"HTTP/1.1 200 ")  # the loop has seen the other one
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()

    asyncio.run(main())


# --- JSON socket ------------------------------------------------------------------------------------------


def told(path: Path) -> object:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(10)
        caller.connect(str(path))
        return json.loads(b"".join(iter(lambda: caller.recv(65536), b"")))


def test_a_further_path_tells_the_same_and_both_go_at_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        sockets = MetricSockets(lambda: b'{"spu": 1}')
        for name in ("a", "b"):
            await sockets.open(tmp_path / name)
        assert sockets.paths == [tmp_path / "a", tmp_path / "b"]
        for path in sockets.paths:
            assert await asyncio.to_thread(told, path) == {"spu": 1}
        sockets.close()

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []


def test_a_socket_that_somebody_listens_at_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "spu.sock"
    holder, _ = listen(path)
    with holder:
        with pytest.raises(PathTakenError):
            listen(path)
        assert [entry.name for entry in tmp_path.iterdir()] == ["spu.sock"]
        holder.accept()[0].close()  # the look of the other one: it is still ours
    listener, made = listen(path)  # it is closed now: dead
    with listener:
        assert os.path.samestat(path.stat(), made)


def test_a_file_that_was_replaced_meanwhile_is_not_removed(tmp_path: Path) -> None:
    async def main() -> None:
        sockets = MetricSockets(lambda: b"{}")
        await sockets.open(tmp_path / "a")
        (tmp_path / "a").unlink()
        (tmp_path / "a").write_text("another's")
        sockets.close()
        assert (tmp_path / "a").read_text() == "another's"

    asyncio.run(main())


def test_a_path_that_is_too_long_is_told_with_a_way_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = tmp_path / ("d" * 100)
    directory.mkdir()

    async def main() -> None:
        sockets = MetricSockets(lambda: b"{}")
        with caplog.at_level(logging.WARNING):
            await sockets.open(directory / "spu-5001.sock")
        assert sockets.paths == []

    asyncio.run(main())
    [line] = caplog.messages
    assert str(directory) in line
    assert "FLUVIO_METRIC_SPU may name a shorter one" in line
    assert list(directory.iterdir()) == []
