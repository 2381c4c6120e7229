"""Bare loopback: what the same bytes cost without any protocol.

`python -m tests.bench.loopback FILE` is the other end, a process of its own, as an SPU is. It prints two
ports and ends when its standard input does. On the first port a Python asyncio server writes what it receives
to FILE.sink and answers one byte when the peer has sent everything; on the second every connection is sent
the whole of FILE by `sendfile` and closed.
"""

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

_RECEIVE_BYTES = 1_048_576
_SLICE_BYTES = 1_048_576


class _Sink(asyncio.Protocol):
    path: Path

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def data_received(self, data: bytes) -> None:
        os.write(self.file, data)

    def eof_received(self) -> None:
        self.transport.write(b"k")

    def connection_lost(self, exc: Exception | None) -> None:
        os.close(self.file)


def _send_file_forever(listener: socket.socket, path: Path) -> None:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while True:
            peer, _ = listener.accept()
            with peer:
                sent = 0
                while sent < size:
                    sent += os.sendfile(peer.fileno(), file.fileno(), sent, _SLICE_BYTES)


async def _serve(path: Path) -> None:
    loop = asyncio.get_running_loop()
    _Sink.path = path.with_suffix(".sink")
    sink = await loop.create_server(_Sink, "127.0.0.1", 0)
    source = socket.create_server(("127.0.0.1", 0))
    sender = threading.Thread(target=_send_file_forever, args=(source, path), daemon=True)
    sender.start()
    print(sink.sockets[0].getsockname()[1], source.getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def send_seconds(port: int, pieces: Sequence[bytes]) -> float:
    """How long it takes to send the pieces, one `sendall` each, until the sink has written them."""
    with socket.create_connection(("127.0.0.1", port)) as peer:
        begin = time.perf_counter()
        for piece in pieces:
            peer.sendall(piece)
        peer.shutdown(socket.SHUT_WR)
        if peer.recv(1) != b"k":
            raise RuntimeError("the sink closed early")
        return time.perf_counter() - begin


def receive_seconds(port: int, size_bytes: int) -> float:
    """How long it takes to receive the source's file into one buffer that is used again and again."""
    buffer, received = bytearray(_RECEIVE_BYTES), 0
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as peer:
        while count := peer.recv_into(buffer):
            received += count
    seconds = time.perf_counter() - begin
    if received != size_bytes:
        raise RuntimeError(f"{received} bytes of {size_bytes} came")
    return seconds


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
