"""Sending bytes of a file into a socket by the system's `sendfile`.

Not by the event loop's own method: when a connection is closed while that one waits, it still watches, and
later unwatches, a descriptor which by then may be another connection's. Here the descriptor is a duplicate
that nobody else closes.
"""

import asyncio
import errno
import os
from collections.abc import Callable

_PIECE_BYTES = 1024 * 1024  # sent before other connections have their turn
_UNABLE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)

CAN_SENDFILE = hasattr(os, "sendfile")


async def send_file_bytes(
    socket_fd: int, file_fd: int, position: int, stop: int, progressed: Callable[[], None]
) -> int:
    """Send bytes from `position` to `stop`; returns `stop`, or how far it got when files cannot be sent so.

    The socket is not blocking and nothing must wait to be written to it. `progressed` is called whenever it
    has taken something. Raises `OSError` when the file or the peer ends early. May be cancelled anywhere:
    what was taken until then is sent.
    """
    try:
        descriptor = os.dup(socket_fd)
    except OSError as exc:
        if exc.errno in _NO_DESCRIPTOR:  # copying the bytes needs none
            return position
        raise
    try:
        while position < stop:
            try:
                count = os.sendfile(descriptor, file_fd, position, min(stop - position, _PIECE_BYTES))
            except BlockingIOError:
                await _writable(descriptor)
                continue
            except OSError as exc:
                if exc.errno in _UNABLE:
                    return position
                raise
            if not count:
                raise OSError(f"the file ended {stop - position} bytes early")
            position += count
            progressed()
            if position < stop:
                await asyncio.sleep(0)  # a fast reader must not keep the others waiting
    finally:
        os.close(descriptor)
    return position


async def _writable(descriptor: int) -> None:
    """Wait until the socket takes more, or has an error to tell."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    loop.add_writer(descriptor, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_writer(descriptor)
