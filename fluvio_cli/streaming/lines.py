"""Input as records: runs of lines from a file, a pipe or a terminal, without ever blocking the loop for long.

A pipe or terminal is read when it has something, so that what comes slowly is passed on at once and a
signal is heard while nothing comes; a regular file is read in large blocks. Lines are bytes: whatever is
no UTF-8 goes through unchanged.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator

_FILE_BLOCK_BYTES = 1 << 20
_PIPE_BLOCK_BYTES = 1 << 16


async def read_blocks(descriptor: int) -> AsyncIterator[bytes]:
    """Blocks of whatever `descriptor` gives, up to its end. Does not close it."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        while block := os.read(descriptor, _FILE_BLOCK_BYTES):
            yield block
        return
    while True:
        try:
            await _readable(descriptor)
        except PermissionError:  # a device such as /dev/null cannot be waited for: it is always ready
            pass
        block = os.read(descriptor, _PIPE_BLOCK_BYTES)
        if not block:
            return
        yield block


async def _readable(descriptor: int) -> None:
    """Wait until there is something to read, so that the read itself does not block the loop.

    The watch is taken back by its own callback: it must not fire again for what is read meanwhile.
    """
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def notice() -> None:
        loop.remove_reader(descriptor)
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(descriptor, notice)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


async def read_lines(descriptor: int) -> AsyncIterator[list[bytes]]:
    """The lines of each block, without `\\n` and `\\r\\n`; the last line needs no end of its own."""
    rest: list[bytes] = []
    async for block in read_blocks(descriptor):
        first, newline, _ = block.partition(b"\n")
        if not newline:
            rest.append(block)
            continue
        lines = block.split(b"\n")
        if rest:
            rest.append(first)
            lines[0] = b"".join(rest)
        last = lines.pop()
        rest = [last] if last else []
        yield _without_carriage_returns(lines, b"\r" in block or lines[0].endswith(b"\r"))
    if rest:
        yield _without_carriage_returns([b"".join(rest)], True)


def _without_carriage_returns(lines: list[bytes], has_any: bool) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in lines] if has_any else lines


async def read_all(descriptor: int) -> bytes:
    """Everything up to the end, as it is."""
    return b"".join([block async for block in read_blocks(descriptor)])
