"""Input as records: runs of lines from a file, a pipe or a terminal, without ever blocking the loop for long.

A pipe or terminal is read when it has something, so that what comes slowly is passed on at once and a
signal is heard while nothing comes; a regular file is read in large blocks. Lines are bytes: whatever is
no UTF-8 goes through unchanged.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator

BLOCK_BYTES = 1 << 19  # the most that is read at once
_PIPE_BLOCK_BYTES = 1 << 16


class Input:
    """What a descriptor gives up to its end; it is read once, and not closed."""

    def __init__(self, descriptor: int) -> None:
        """Raises `OSError` for what is no open descriptor."""
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        self.is_file = stat.S_ISREG(status.st_mode)
        self.read_bytes = 0  # so far
        self.unfinished_bytes = 0  # of a last line whose end has not come yet
        self.size_bytes: int | None = None  # what a file has, from where reading begins; None: nobody knows
        if self.is_file:
            self.size_bytes = max(status.st_size - os.lseek(descriptor, 0, os.SEEK_CUR), 0)

    async def blocks(self) -> AsyncIterator[bytes]:
        """What there is, in blocks of `BLOCK_BYTES` at most. Cancelled waiting, it has read nothing."""
        while True:
            if not self.is_file:
                try:
                    await _readable(self._descriptor)
                except PermissionError:  # a device such as /dev/null cannot be waited for: it is always ready
                    pass
            block = os.read(self._descriptor, BLOCK_BYTES if self.is_file else _PIPE_BLOCK_BYTES)
            if not block:
                return
            self.read_bytes += len(block)
            yield block

    async def lines(self) -> AsyncIterator[list[bytes]]:
        """The lines of each block, without `\\n` and `\\r\\n`; the last line needs no end of its own."""
        rest: list[bytes] = []
        async for block in self.blocks():
            first, newline, _ = block.partition(b"\n")
            if not newline:
                rest.append(block)
                self.unfinished_bytes += len(block)
                continue
            lines = block.split(b"\n")
            if rest:
                rest.append(first)
                lines[0] = b"".join(rest)
            last = lines.pop()
            rest = [last] if last else []
            self.unfinished_bytes = len(last)
            yield _without_carriage_returns(lines, b"\r" in block or lines[0].endswith(b"\r"))
        if rest:
            self.unfinished_bytes = 0
            yield _without_carriage_returns([b"".join(rest)], True)

    async def whole(self) -> bytes:
        """Everything up to the end, as it is."""
        return b"".join([block async for block in self.blocks()])


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


def _without_carriage_returns(lines: list[bytes], has_any: bool) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in lines] if has_any else lines
