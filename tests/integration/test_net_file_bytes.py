"""Bytes of a file through a real socket."""

import asyncio
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluvio_local_cluster.net import file_bytes
from fluvio_local_cluster.net.file_bytes import CAN_SENDFILE, send_file_bytes

pytestmark = pytest.mark.skipif(not CAN_SENDFILE, reason="this system has no sendfile")

CONTENT = bytes(range(256)) * 40_000  # more than the buffers of a pair of sockets hold


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A sender that does not block, and a receiver."""
    sender, receiver = socket.socketpair()
    sender.setblocking(False)
    receiver.setblocking(False)
    with sender, receiver:
        yield sender, receiver


@pytest.fixture
def file_fd(tmp_path: Path) -> Iterator[int]:
    """A file with `CONTENT`."""
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


async def receive(receiver: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes."""
    received = bytearray()
    while len(received) < size:
        received += await asyncio.get_running_loop().sock_recv(receiver, 1 << 20)
    return bytes(received)


def test_a_slow_reader_gets_every_byte_and_each_step_is_told(
    pair: tuple[socket.socket, socket.socket], file_fd: int
) -> None:
    sender, receiver = pair
    steps: list[None] = []

    async def main() -> None:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            reading = group.create_task(receive(receiver, len(CONTENT) - 300))
            end = await send_file_bytes(
                sender.fileno(), file_fd, 100, len(CONTENT) - 200, lambda: steps.append(None)
            )
            assert end == len(CONTENT) - 200
            assert await reading == CONTENT[100:-200]

    asyncio.run(main())
    assert len(steps) > 1


def test_cancelled_while_it_waits_it_leaves_no_watch_on_a_descriptor_that_is_used_again(
    pair: tuple[socket.socket, socket.socket], file_fd: int
) -> None:
    # The event loop's own sendfile left one: a connection that got the number was never served.
    sender, _receiver = pair

    async def main() -> None:
        loop, taken = asyncio.get_running_loop(), asyncio.Event()
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            sending = group.create_task(
                send_file_bytes(sender.fileno(), file_fd, 0, len(CONTENT), taken.set), name="sending"
            )
            await taken.wait()
            for _ in range(10):  # rounds of the loop: the buffers are full now
                await asyncio.sleep(0)
            assert _is_watched(loop)
            before = set(os.listdir("/dev/fd"))
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            assert len(set(os.listdir("/dev/fd"))) == len(before) - 1  # the duplicate is closed
            assert not _is_watched(loop)

    asyncio.run(main())


def _is_watched(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop waits until it can write to something."""
    selector = loop._selector  # type: ignore[attr-defined]
    return any(key.data[1] is not None for key in selector.get_map().values())


def test_a_file_that_is_too_short_is_an_error(
    pair: tuple[socket.socket, socket.socket], file_fd: int
) -> None:
    sender, receiver = pair

    async def main() -> None:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            group.create_task(receive(receiver, 100))
            start = len(CONTENT) - 100
            with pytest.raises(OSError, match="50 bytes early"):
                await send_file_bytes(sender.fileno(), file_fd, start, len(CONTENT) + 50, lambda: None)

    asyncio.run(main())


def test_where_files_cannot_be_sent_so_the_caller_is_told_how_far_it_got(
    pair: tuple[socket.socket, socket.socket], file_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> int:
        raise OSError(errno.EINVAL, "not for this kind of file")

    monkeypatch.setattr(file_bytes.os, "sendfile", refuse)
    assert asyncio.run(send_file_bytes(pair[0].fileno(), file_fd, 7, 100, lambda: None)) == 7
