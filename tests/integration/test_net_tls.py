"""A listening server with TLS, over real sockets: what its peers may cost, and what they may not."""

import asyncio
import logging
import os
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from fluvio_local_cluster.net import Connection, NetLimits, Route, Server, serve, server
from fluvio_local_cluster.server_tls import ServerTls
from fluvio_protocol.api.api_versions import ApiVersionsRequest, ApiVersionsResponse
from fluvio_protocol.frame import LENGTH, RequestHeader, encode_request
from tests.support.certificates import DOMAIN, Authority

SLICE_BYTES = 3_000_000


class Service:
    """Answers versions, and then sends a slice of `file`."""

    def __init__(self, file: Path, slice_bytes: int = SLICE_BYTES) -> None:
        self.file, self.slice_bytes = file, slice_bytes

    @property
    def routes(self) -> Mapping[int, Route]:
        return {18: Route(ApiVersionsRequest, self.versions)}

    def opened(self, connection: Connection) -> Connection:
        return connection

    async def closed(self, session: Connection) -> None: ...

    async def versions(self, session: Connection, header: RequestHeader, request: Any) -> Any:
        async def send() -> None:
            with self.file.open("rb") as source:
                await session.send_slice(LENGTH.pack(self.slice_bytes), source, 0, self.slice_bytes)

        session.spawn("slice", send())
        return ApiVersionsResponse(api_keys=[], platform_version="1.2.3")


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of the server, which wants no certificates, and of a client."""
    authority = Authority(tmp_path)
    pair = authority.server()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(authority.cert)
    return ServerTls(pair.cert, pair.key).context(), client


def run(
    body: Callable[[Server], Awaitable[None]],
    tmp_path: Path,
    context: ssl.SSLContext,
    limits: NetLimits | None = None,
) -> bytes:
    content = os.urandom(SLICE_BYTES)
    (tmp_path / "file").write_bytes(content)

    async def main() -> None:
        listening = await serve(
            "127.0.0.1", 0, Service(tmp_path / "file"), limits=limits, tls=context, name="tls"
        )
        try:
            async with asyncio.timeout(30):
                await body(listening)
        finally:
            await listening.close(1.0)

    asyncio.run(main())
    return content


async def ask(listening: Server, client: ssl.SSLContext) -> bytes:
    """The slice that the server sends behind its answer."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", listening.port, ssl=client, server_hostname=DOMAIN
    )
    writer.write(encode_request(ApiVersionsRequest(client_version="0.9.0"), 2, 1, "test"))
    received = []
    for _ in range(2):
        (size,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
        received.append(await reader.readexactly(size))
    writer.close()
    return received[1]


def test_slices_of_files_come_whole(
    tmp_path: Path, tls: tuple[ssl.SSLContext, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    got: list[bytes] = []

    async def body(listening: Server) -> None:
        got.extend(await asyncio.gather(*(ask(listening, tls[1]) for _ in range(4))))

    content = run(body, tmp_path, tls[0])
    assert got == [content] * 4
    assert caplog.text == ""  # asyncio warns of protocols that want half a TLS connection


def test_peers_that_say_nothing_are_let_go_and_count_among_the_connections(
    tmp_path: Path,
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(server, "HANDSHAKE_TIMEOUT_S", 0.3)
    caplog.set_level(logging.INFO)

    async def body(listening: Server) -> None:
        silent = [socket.create_connection(("127.0.0.1", listening.port)) for _ in range(2)]
        one_more = await asyncio.open_connection("127.0.0.1", listening.port)
        assert await one_more[0].read() == b""  # there is no room for it
        assert listening.refused_count == 1
        one_more[1].close()
        for each in silent:
            each.setblocking(False)
            assert await asyncio.get_running_loop().sock_recv(each, 10) == b""
            each.close()
        assert len(await ask(listening, tls[1])) == SLICE_BYTES

    run(body, tmp_path, tls[0], NetLimits(max_connections=2))
    assert "refusing a connection, see --max-connections" in caplog.text


@pytest.mark.parametrize("sent", [b"\0\0\0\x10" + b"\0" * 16, b"GET / HTTP/1.1\r\n\r\n"])
def test_a_peer_without_tls_is_told_in_the_log_and_disturbs_nobody(
    tmp_path: Path,
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
    caplog: pytest.LogCaptureFixture,
    sent: bytes,
) -> None:
    caplog.set_level(logging.INFO)

    async def body(listening: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(sent)
        await reader.read()
        writer.close()
        assert len(await ask(listening, tls[1])) == SLICE_BYTES

    run(body, tmp_path, tls[0])
    assert "the client does not speak TLS" in caplog.text


def test_a_server_that_stops_waits_for_no_handshake(
    tmp_path: Path, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """Whoever stops a cluster kills its servers after ten seconds."""
    silent: list[socket.socket] = []

    async def body(listening: Server) -> None:
        silent.append(socket.create_connection(("127.0.0.1", listening.port)))
        assert len(await ask(listening, tls[1])) == SLICE_BYTES  # the one before was taken, too
        await listening.wait_empty()

    begun = time.monotonic()
    run(body, tmp_path, tls[0])
    assert time.monotonic() - begun < server.HANDSHAKE_TIMEOUT_S / 2
    assert silent[0].recv(10) == b""
    silent[0].close()


def test_a_peer_that_takes_nothing_costs_buffers_and_no_more(
    tmp_path: Path, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """Its slice is larger than any buffer: what it does not take is not read from the file."""
    service = Service(tmp_path / "large", 300_000_000)
    with service.file.open("wb") as file:
        file.truncate(service.slice_bytes)

    async def main() -> None:
        listening = await serve("127.0.0.1", 0, service, tls=tls[0], name="tls")
        before = psutil.Process().memory_info().rss
        writers = []
        for _ in range(5):  # each is served while those before it take nothing
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", listening.port, ssl=tls[1], server_hostname=DOMAIN, limit=1024
            )
            writer.write(encode_request(ApiVersionsRequest(client_version="0.9.0"), 2, 1, "test"))
            await reader.readexactly(LENGTH.size)
            writers.append(writer)
        assert psutil.Process().memory_info().rss - before < 100_000_000  # of five times 300 MB
        for writer in writers:
            writer.transport.abort()
        await listening.wait_empty()
        await listening.close(1.0)

    asyncio.run(asyncio.wait_for(main(), 30))


def test_a_client_that_leaves_amid_a_slice_ends_its_connection_only(
    tmp_path: Path, tls: tuple[ssl.SSLContext, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    async def body(listening: Server) -> None:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", listening.port, ssl=tls[1], server_hostname=DOMAIN
        )
        writer.write(encode_request(ApiVersionsRequest(client_version="0.9.0"), 2, 1, "test"))
        await reader.readexactly(100)
        writer.transport.abort()
        await listening.wait_empty()
        assert len(await ask(listening, tls[1])) == SLICE_BYTES

    run(body, tmp_path, tls[0])
    assert "Traceback" not in caplog.text
