"""The sockets of a tap, between a scripted server and raw clients: every byte arrives, whatever it is."""

import asyncio
import contextlib
import functools
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from fluvio_cli.tap import relay as relay_module
from fluvio_cli.tap.events import Closed, Event, Frame, Listening, Opened
from fluvio_cli.tap.observing import Observer
from fluvio_cli.tap.relay import Relay, TapAddressError
from fluvio_client.target import Address, Endpoint
from fluvio_protocol.api.admin import (
    ListEnvelope,
    ListResponse,
    Metadata,
    MetadataUpdate,
    TypedPayload,
    WatchEnvelope,
    WatchRequest,
    unwrap,
    wrap,
)
from fluvio_protocol.api.spu import Endpoint as SpuEndpoint
from fluvio_protocol.api.spu import IngressAddr, IngressPort, SpuSpec, SpuStatus
from fluvio_protocol.frame import encode_request, encode_response
from fluvio_protocol.wire import decode

HOST = "127.0.0.1"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The test as one that pytest can call."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


@dataclass
class Telling:
    """What a tap told, and a way to wait for it."""

    observer: Observer = field(default_factory=Observer)
    events: list[Event] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, event: Event) -> None:
        self.events.append(event)
        self.observer.take(event)
        self.changed.set()

    def of(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self.changed.clear()
                await self.changed.wait()


@contextlib.asynccontextmanager
async def tapped(serve: Serve, *, only_sc: bool = False) -> AsyncIterator[tuple[Telling, Endpoint]]:
    """A server behind a tap; the address is the tap's."""

    async def serve_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve_and_close, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        telling = Telling()
        relay = Relay(
            Endpoint(HOST, 0), Address(Endpoint(HOST, port)), telling.observer, telling.tell, only_sc=only_sc
        )
        async with relay.running():
            (listening,) = telling.of(Listening)
            assert isinstance(listening, Listening)
            yield telling, Endpoint(HOST, int(listening.listener.rpartition(":")[2]))


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends everything back."""
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


async def dial(address: Endpoint) -> Streams:
    return await asyncio.open_connection(address.host, address.port)


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">i", 14) + b"\0\x4d\0\0\0\0\0\x05\0\0rest",  # no such key
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),  # TLS
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">i", 100) + b"begin",
        b"\0\0",
        struct.pack(">i", 12) + b"\0\x12\0\x02\0\0\0\1\xff\xff\0\0",
    ],
)
@in_loop
async def test_any_bytes_come_through_both_ways(data: bytes) -> None:
    async with tapped(echo) as (telling, address):
        reader, writer = await dial(address)
        writer.write(data)
        writer.write_eof()
        async with asyncio.timeout(10):
            assert await reader.read() == data
        writer.close()
        await telling.until(lambda: telling.of(Closed))
    frames = [event for event in telling.events if isinstance(event, Frame)]
    assert {frame.direction for frame in frames} == {"request", "answer"}
    assert telling.of(Closed)[0].reason == "closed by the client"  # type: ignore[union-attr]


@in_loop
async def test_a_frame_larger_than_what_is_kept_streams_through() -> None:
    size = 40 * 1024 * 1024
    async with tapped(echo) as (telling, address):
        reader, writer = await dial(address)

        async def send() -> None:
            writer.write(struct.pack(">i", size))
            for _ in range(size // 65_536):
                writer.write(b"x" * 65_536)
                await writer.drain()

        async with asyncio.TaskGroup() as group, asyncio.timeout(60):
            group.create_task(send())
            assert len(await reader.readexactly(size + 4)) == size + 4
        writer.close()
        await telling.until(lambda: telling.of(Closed))
    frames = [event for event in telling.events if isinstance(event, Frame)]
    assert max(len(frame.payload) for frame in frames) <= 256 * 1024
    asked = [frame for frame in frames if frame.direction == "request"]
    assert sum(len(frame.payload) for frame in asked) == size
    assert {frame.size for frame in asked} == {size}


@in_loop
async def test_who_does_not_read_is_not_read_for() -> None:
    sent = asyncio.Event()

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(4000):
            writer.write(bytes(65_536))
            await writer.drain()
        sent.set()

    async with tapped(pour) as (telling, address):
        reader, writer = await dial(address)
        await telling.until(lambda: len(telling.of(Frame)) > 0)
        other_reader, other_writer = await dial(address)
        async with asyncio.timeout(30):
            await other_reader.readexactly(65_536 * 4000)  # others are served meanwhile
        assert not reader.at_eof()
        taken = sum(
            len(event.payload)
            for event in telling.events
            if isinstance(event, Frame) and event.connection == 1
        )
        assert taken < 65_536 * 2000, "the tap has read on without passing on"
        other_writer.close()
        writer.close()


@in_loop
async def test_a_server_that_is_not_there_is_told_and_the_client_let_go() -> None:
    server = await asyncio.start_server(echo, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    telling = Telling()
    relay = Relay(Endpoint(HOST, 0), Address(Endpoint(HOST, port)), telling.observer, telling.tell)
    async with relay.running():
        listening = telling.events[0]
        assert isinstance(listening, Listening)
        reader, writer = await dial(Endpoint(HOST, int(listening.listener.rpartition(":")[2])))
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        await telling.until(lambda: telling.of(Closed))
    assert f"SC at {HOST}:{port} cannot be reached" in telling.of(Closed)[0].reason  # type: ignore[union-attr]


@in_loop
async def test_a_port_that_is_taken_is_an_error_with_a_next_step() -> None:
    async with tapped(echo) as (_, address):
        relay = Relay(address, Address(address), Observer(), lambda event: None)
        with pytest.raises(TapAddressError, match=f"cannot listen at {address}") as caught:
            async with relay.running():
                raise AssertionError("it listens")
    assert caught.value.hint == "choose another port; port 0 takes a free one"


@in_loop
async def test_more_connections_than_there_may_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "MOST_CONNECTIONS", 1)
    async with tapped(echo) as (telling, address):
        first_reader, first_writer = await dial(address)
        await telling.until(lambda: telling.of(Opened))
        second_reader, second_writer = await dial(address)
        async with asyncio.timeout(10):
            assert await second_reader.read() == b""
            first_writer.write(b"still served")
            assert await first_reader.readexactly(12) == b"still served"
        first_writer.close()
        second_writer.close()


@in_loop
async def test_leaving_the_tap_ends_connections_and_tells_each() -> None:
    async with tapped(echo) as (telling, address):
        reader, writer = await dial(address)
        writer.write(b"here")
        assert await reader.readexactly(4) == b"here"
    assert [event.reason for event in telling.of(Closed)] == ["the tap ended"]  # type: ignore[union-attr]
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


# --- addresses ----------------------------------------------------------------------------------------------


def spu_list(port: int) -> bytes:
    spec = SpuSpec(
        id=5001,
        public_endpoint=IngressPort(port=port, ingress=[IngressAddr(hostname=HOST)]),
        private_endpoint=SpuEndpoint(port=1, host=HOST),
    )
    listed = ListResponse(inner=[Metadata(name="spu-5001", spec=spec, status=SpuStatus())])
    return bytes(encode_response(wrap(TypedPayload, "SPU", listed, 19), 19, 1))


LIST_SPUS = bytes.fromhex("03eb 0013 00000001 0000") + b"\0\3SPU" + bytes.fromhex("00000006 00000000 0000")


async def ask(address: Endpoint, request: bytes) -> bytes:
    """One answer's payload."""
    reader, writer = await dial(address)
    writer.write(struct.pack(">i", len(request)) + request)
    async with asyncio.timeout(10):
        size = int.from_bytes(await reader.readexactly(4), "big")
        answer = await reader.readexactly(size)
    writer.close()
    return answer


@in_loop
async def test_spus_are_found_at_the_tap_which_leads_there() -> None:
    async def spu(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"an SPU" + await reader.readexactly(4))

    behind = await asyncio.start_server(spu, HOST, 0)
    spu_port = behind.sockets[0].getsockname()[1]

    async def controller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4 + len(LIST_SPUS))
        writer.write(spu_list(spu_port))

    async with behind, tapped(controller) as (telling, address):
        answers = [await ask(address, LIST_SPUS) for _ in range(2)]
        assert answers[0] == answers[1], "one listener for an SPU"
        (found,) = unwrap(decode(TypedPayload, answers[0][4:], 19), 19, answer_to=ListEnvelope).inner
        endpoint = found.spec.public_endpoint
        assert endpoint.host == HOST
        assert endpoint.port != spu_port
        reader, writer = await dial(Endpoint(endpoint.host, endpoint.port))
        writer.write(b"ping")
        async with asyncio.timeout(10):
            assert await reader.readexactly(10) == b"an SPUping"
        writer.close()
    opened = [event.server for event in telling.of(Opened)]  # type: ignore[union-attr]
    assert opened == ["SC", "SC", "SPU 5001"]
    kept = [event for event in telling.events if isinstance(event, Frame) and event.is_rewritten]
    assert [frame.payload for frame in kept] == [spu_list(spu_port)[4:]] * 2, "told as the server sent it"


@in_loop
async def test_addresses_stay_where_only_the_controller_is_tapped() -> None:
    async def controller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4 + len(LIST_SPUS))
        writer.write(spu_list(9))

    async with tapped(controller, only_sc=True) as (telling, address):
        assert await ask(address, LIST_SPUS) == spu_list(9)[4:]
    assert len(telling.of(Listening)) == 1


@in_loop
async def test_an_answer_that_is_no_list_passes_as_it_is_with_a_remark() -> None:
    broken = struct.pack(">i", 9) + struct.pack(">i", 1) + b"\0\3SPU"

    async def controller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4 + len(LIST_SPUS))
        writer.write(broken)

    async with tapped(controller) as (telling, address):
        assert await ask(address, LIST_SPUS) == broken[4:]
    (answer,) = [e for e in telling.events if isinstance(e, Frame) and e.direction == "answer"]
    assert "left as they are" in answer.remark


@in_loop
async def test_a_watch_that_follows_a_move_leads_to_the_new_place() -> None:
    request = bytes(encode_request(wrap(WatchEnvelope, "SPU", WatchRequest(), 19), 19, 1))

    def update(port: int) -> bytes:
        spec = SpuSpec(
            id=5001,
            public_endpoint=IngressPort(port=port, ingress=[IngressAddr(hostname=HOST)]),
            private_endpoint=SpuEndpoint(port=1, host=HOST),
        )
        item = Metadata(name="spu-5001", spec=spec, status=SpuStatus())
        return bytes(
            encode_response(wrap(TypedPayload, "SPU", MetadataUpdate(epoch=1, all=[item]), 19), 19, 1)
        )

    async def controller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(request))
        writer.write(update(1111) + update(2222))
        await reader.read()

    async with tapped(controller) as (telling, address):
        _, writer = await dial(address)
        writer.write(request)
        await telling.until(lambda: len(telling.of(Listening)) == 3)
        writer.close()
    told = [(e.server, e.address, e.listener) for e in telling.of(Listening)[1:]]  # type: ignore[union-attr]
    assert [place for _, place, _ in told] == [f"{HOST}:1111", f"{HOST}:2222"]
    assert told[0][2] == told[1][2], "clients go on using the same listener"
