"""The accept loop and its connections, over real sockets: order, limits, and peers that misbehave."""

import asyncio
import logging
import os
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fluvio_local_cluster.net import Connection, NetLimits, Route, Server, ask, dial, serve
from fluvio_protocol.api.api_versions import ApiVersionsRequest, ApiVersionsResponse
from fluvio_protocol.api.offsets import (
    OffsetUpdate,
    OffsetUpdateStatus,
    UpdateOffsetsRequest,
    UpdateOffsetsResponse,
)
from fluvio_protocol.frame import RequestHeader, encode_request


@dataclass
class EchoSession:
    connection: Connection


@dataclass
class EchoService:
    """Answers versions at once, and offsets when `gate` is open; counts sessions."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    sessions: list[EchoSession] = field(default_factory=list)
    ended: int = 0

    @property
    def routes(self) -> Mapping[int, Route]:
        return {18: Route(ApiVersionsRequest, self.versions), 1005: Route(UpdateOffsetsRequest, self.offsets)}

    def opened(self, connection: Connection) -> EchoSession:
        self.sessions.append(EchoSession(connection))
        return self.sessions[-1]

    async def closed(self, session: EchoSession) -> None:
        self.ended += 1

    async def versions(self, session: EchoSession, header: RequestHeader, request: Any) -> Any:
        return ApiVersionsResponse(api_keys=[], platform_version="1.2.3")

    async def offsets(
        self, session: EchoSession, header: RequestHeader, request: UpdateOffsetsRequest
    ) -> Any:
        self.entered.set()
        await self.gate.wait()
        return UpdateOffsetsResponse(status=[OffsetUpdateStatus(session_id=len(request.offsets))])


QUICK = NetLimits(first_frame_timeout_s=0.1, frame_timeout_s=0.1)


def run(body: Callable[[Server, EchoService], Awaitable[None]], limits: NetLimits | None = None) -> None:
    async def main() -> None:
        service = EchoService()
        server = await serve("127.0.0.1", 0, service, limits=limits, name="echo")
        try:
            async with asyncio.timeout(20):
                await body(server, service)
                assert (await version_of(server)) == "1.2.3"  # it still answers others
        finally:
            await server.close(1.0)

    asyncio.run(main())


async def version_of(server: Server) -> str:
    async with dial("127.0.0.1", server.port) as connection:
        answer = await ask(connection, ApiVersionsRequest(client_version="0.9.0"), 2, client_id="test")
    return str(answer.platform_version)


async def raw(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", server.port)


def test_pipelined_requests_are_answered_in_order() -> None:
    async def body(server: Server, service: EchoService) -> None:
        service.gate.set()
        reader, writer = await raw(server)
        for i in range(1, 400):
            update = UpdateOffsetsRequest(offsets=[OffsetUpdate(offset=0, session_id=1)] * (i % 7))
            writer.write(encode_request(update, 0, i))
        for i in range(1, 400):
            size, correlation_id, count, session_id, _ = struct.unpack(">iiiIh", await reader.readexactly(18))
            assert (size, correlation_id, count, session_id) == (14, i, 1, i % 7)
        writer.close()

    run(body)


def test_a_waiting_request_does_not_hold_back_another_connection_and_earlier_answers() -> None:
    async def body(server: Server, service: EchoService) -> None:
        reader, writer = await raw(server)
        writer.write(encode_request(ApiVersionsRequest(), 2, 1))
        writer.write(encode_request(UpdateOffsetsRequest(offsets=[]), 0, 2))
        size = int.from_bytes(await reader.readexactly(4), "big")
        assert (await reader.readexactly(size))[:4] == b"\0\0\0\1"
        assert await version_of(server) == "1.2.3"
        service.gate.set()
        assert (await reader.readexactly(8))[4:] == b"\0\0\0\2"
        writer.close()

    run(body)


def test_client_version_and_id_are_kept_on_the_connection() -> None:
    async def body(server: Server, service: EchoService) -> None:
        async with dial("127.0.0.1", server.port) as connection:
            await ask(connection, ApiVersionsRequest(client_version="0.9.0"), 2, client_id="me")
            seen = service.sessions[-1].connection
            assert (seen.client_version, seen.client_id) == ("0.9.0", "me")

    run(body)


BAD = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a 2 GB length": b"\x7f\xff\xff\xff",
    "a negative length": b"\xff\xff\xff\xff",
    "an unknown key": struct.pack(">iHhih", 10, 4711, 0, 1, 0),
    "a truncated header": struct.pack(">iH", 2, 18),
    "a truncated body": struct.pack(">iHhih", 10, 1005, 0, 1, 0),
}


@pytest.mark.parametrize("sent", BAD.values(), ids=BAD.keys())
def test_rubbish_closes_its_connection_with_one_log_line(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(server: Server, service: EchoService) -> None:
        reader, writer = await raw(server)
        writer.write(sent)
        try:
            assert await reader.read() == b""
        except ConnectionResetError:
            pass
        writer.close()

    with caplog.at_level(logging.INFO):
        run(body)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "sent", [b"", b"\0\0", struct.pack(">iH", 10, 18)], ids=["silence", "half a length", "half"]
)
def test_a_peer_that_falls_silent_before_its_first_frame_ends_is_dropped(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(server: Server, service: EchoService) -> None:
        reader, writer = await raw(server)
        writer.write(sent)
        try:
            assert await reader.read() == b""
        except ConnectionResetError:
            pass
        writer.close()

    with caplog.at_level(logging.INFO):
        run(body, QUICK)
    assert len(caplog.records) == 1


def test_an_idle_connection_between_frames_is_kept() -> None:
    async def body(server: Server, service: EchoService) -> None:
        async with dial("127.0.0.1", server.port) as idle:
            await ask(idle, ApiVersionsRequest(), 2, client_id="idle")
            reader, writer = await raw(server)  # its dropping shows that the deadlines were checked
            try:
                await reader.read()
            except ConnectionResetError:
                pass
            writer.close()
            await ask(idle, ApiVersionsRequest(), 2, client_id="idle")

    run(body, QUICK)


def test_a_thousand_connections_opened_and_dropped_leave_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def body(server: Server, service: EchoService) -> None:
        for _ in range(10):
            pairs = [await raw(server) for _ in range(100)]
            for _, writer in pairs:
                writer.transport.abort()
        # whatever the accept queue holds is served before this one
        assert await version_of(server) == "1.2.3"
        await server.wait_empty()
        assert service.ended == len(service.sessions)

    with caplog.at_level(logging.INFO):
        run(body)
    assert caplog.records == []


def test_connections_above_the_limit_are_refused_and_room_is_given_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def body(server: Server, service: EchoService) -> None:
        async with dial("127.0.0.1", server.port) as one, dial("127.0.0.1", server.port) as two:
            await ask(one, ApiVersionsRequest(), 2, client_id="1")
            await ask(two, ApiVersionsRequest(), 2, client_id="2")
            reader, writer = await raw(server)
            try:
                assert await reader.read() == b""
            except ConnectionResetError:
                pass
            writer.close()
        await server.wait_empty()

    with caplog.at_level(logging.INFO):
        run(body, NetLimits(max_connections=2))
    assert len(caplog.records) == 1


def test_more_requests_than_may_wait_are_all_answered() -> None:
    limits = NetLimits(max_unprocessed_bytes=20_000, max_unprocessed_total_bytes=30_000)

    async def body(server: Server, service: EchoService) -> None:
        frame = encode_request(
            UpdateOffsetsRequest(offsets=[OffsetUpdate(offset=1, session_id=1)] * 200), 0, 7
        )
        pairs = [await raw(server) for _ in range(3)]
        for _, writer in pairs:
            for _ in range(200):
                writer.write(frame)
        await service.entered.wait()
        service.gate.set()
        for reader, writer in pairs:
            for _ in range(200):
                assert (await reader.readexactly(18))[4:8] == b"\0\0\0\7"
            writer.close()

    run(body, limits)


def test_a_slice_and_other_frames_do_not_interleave(tmp_path: Path) -> None:
    blob = os.urandom(5_000_000)
    path = tmp_path / "blob"
    path.write_bytes(blob)

    async def body(server: Server, service: EchoService) -> None:
        reader, writer = await raw(server)
        writer.write(encode_request(ApiVersionsRequest(), 2, 1))
        size = int.from_bytes(await reader.readexactly(4), "big")
        await reader.readexactly(size)
        connection = service.sessions[-1].connection

        async def push(tag: bytes) -> None:
            with path.open("rb") as file:
                await connection.send_slice(
                    struct.pack(">i", 4 + len(blob) - 10) + tag, file, 10, len(blob) - 10
                )

        async def small() -> None:
            for _ in range(50):
                await connection.send(struct.pack(">i", 4) + b"tiny")
                await asyncio.sleep(0)

        connection.spawn("one", push(b"one!"))
        connection.spawn("two", push(b"two!"))
        connection.spawn("small", small())
        counts = {b"one!": 0, b"two!": 0, b"tiny": 0}
        for _ in range(52):
            size = int.from_bytes(await reader.readexactly(4), "big")
            payload = await reader.readexactly(size)
            counts[payload[:4]] += 1
            assert payload[4:] == (b"" if payload[:4] == b"tiny" else blob[10:])
        assert counts == {b"one!": 1, b"two!": 1, b"tiny": 50}
        writer.close()

    run(body)


def test_a_file_that_ends_early_closes_the_connection(tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(b"x" * 100)

    async def body(server: Server, service: EchoService) -> None:
        reader, writer = await raw(server)
        writer.write(encode_request(ApiVersionsRequest(), 2, 1))
        size = int.from_bytes(await reader.readexactly(4), "big")
        await reader.readexactly(size)
        connection = service.sessions[-1].connection

        async def push() -> None:
            with path.open("rb") as file:
                await connection.send_slice(struct.pack(">i", 204) + b"head", file, 0, 200)

        connection.spawn("push", push())
        try:
            assert len(await reader.read()) <= 108
        except ConnectionResetError:
            pass
        writer.close()

    run(body)


def test_closing_the_server_answers_what_came_and_ends_spawned_tasks() -> None:
    async def main() -> None:
        service = EchoService()
        server = await serve("127.0.0.1", 0, service, name="echo")
        reader, writer = await raw(server)
        writer.write(encode_request(UpdateOffsetsRequest(offsets=[]), 0, 2))
        await service.entered.wait()
        task = service.sessions[0].connection.spawn("forever", forever())
        async with asyncio.TaskGroup() as group:
            closing = group.create_task(server.close(5.0))
            service.gate.set()
            assert (await reader.readexactly(8))[4:] == b"\0\0\0\2"
            await closing
        assert task.cancelled()
        writer.close()

    async def forever() -> None:
        await asyncio.Event().wait()

    asyncio.run(main())
