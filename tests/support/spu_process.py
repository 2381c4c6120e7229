"""An SPU in a process of its own, with a scripted SC in this one: its memory and descriptors are its own."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from fluvio_protocol.api.api_versions import ApiVersionsRequest
from fluvio_protocol.api.fetch import StreamFetchRequest, StreamFetchResponse
from fluvio_protocol.api.offsets import OffsetUpdate, UpdateOffsetsRequest
from fluvio_protocol.frame import encode_request, read_correlation_id
from fluvio_protocol.wire import Reader, decode
from tests.support.raw_cluster import HOST, ServerProcess
from tests.support.scripted_sc import ScriptedSc
from tests.support.spu_client import VERSION, connect, next_offset_of

MIB = 1024 * 1024
SPU_MODULE = "fluvio_local_cluster.spu"
_SMALL_BUFFER = 64 * 1024  # receive buffer of a consumer that stalls


@dataclass(slots=True)
class SpuUnderTest:
    """The process, and what it is told by."""

    sc: ScriptedSc
    process: ServerProcess

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self.process.public_port

    @property
    def system(self) -> psutil.Process:
        """As the system sees it."""
        return psutil.Process(self.process.pid)

    def descriptors(self) -> int:
        """Open ones."""
        return self.process.descriptor_count()

    def rss(self) -> int:
        """Resident memory (bytes)."""
        return self.process.rss_bytes()

    async def until(self, predicate: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Wait until `predicate()` holds; between two looks the server answers a request."""
        async with asyncio.timeout(timeout_s), connect(self.port) as client:
            while not predicate():
                await client.ask(ApiVersionsRequest(), 2)


@contextlib.asynccontextmanager
async def spu_under_test(
    folder: Path,
    options: Sequence[str] = (),
    *,
    descriptors: int | None = None,
    module: str = SPU_MODULE,
    wrapper: Sequence[str] = (),
) -> AsyncIterator[SpuUnderTest]:
    """A registered SPU. `descriptors`: its `ulimit -n`; `module`: what is run in place of the SPU."""
    if descriptors is not None:
        wrapper = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh", *wrapper]
    async with ScriptedSc() as sc:
        arguments = [module, "-i", "5001", "-p", f"{HOST}:0", "-v", f"{HOST}:0"]
        arguments += ["--sc-addr", f"{HOST}:{sc.port}", "--log-base-dir", str(folder / "data"), *options]
        process = ServerProcess("the SPU", arguments, folder / "spu.log", wrapper)
        process.start()
        try:
            await sc.registered()
            yield SpuUnderTest(sc, process)
        finally:
            await asyncio.to_thread(process.stop)


class StallingConsumer:
    """A consumer on a socket with little room, which reads only when the test says so."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._last_id = 0

    def open_stream(
        self, topic: str, offset: int = 0, *, partition: int = 0, max_bytes: int = 4 * MIB
    ) -> None:
        """Ask for a stream; nothing is read."""
        self._last_id += 1
        request = StreamFetchRequest(
            topic=topic, partition=partition, fetch_offset=offset, max_bytes=max_bytes
        )
        self._writer.write(encode_request(request, VERSION, self._last_id))

    async def arrived(self) -> None:
        """Wait until the first bytes of something are there."""
        async with asyncio.timeout(15):
            self._head = await self._reader.readexactly(4)

    async def push(self) -> StreamFetchResponse:
        """The next push; answers to acknowledgements are passed over."""
        async with asyncio.timeout(30):
            while True:
                head, self._head = self._head or await self._reader.readexactly(4), b""
                reader = Reader(memoryview(await self._reader.readexactly(int.from_bytes(head, "big"))))
                if read_correlation_id(reader) <= self._last_id:
                    answer: StreamFetchResponse = decode(StreamFetchResponse, reader, VERSION)
                    return answer

    def acknowledge(self, push: StreamFetchResponse) -> None:
        """Ask for more."""
        update = OffsetUpdate(offset=next_offset_of(push), session_id=push.stream_id)
        self._writer.write(encode_request(UpdateOffsetsRequest(offsets=[update]), 0, 1_000_000))

    _head = b""


@contextlib.asynccontextmanager
async def stalling_consumer(port: int) -> AsyncIterator[StallingConsumer]:
    """Connected, until the block ends."""
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (HOST, port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    except BaseException:
        sock.close()
        raise
    try:
        yield StallingConsumer(reader, writer)
    finally:
        writer.transport.abort()
