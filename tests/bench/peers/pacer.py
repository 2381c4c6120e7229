"""A clock in a process of its own: `Pacer(count)` gives `count` ticks, TICKS_PER_SECOND of them a second.

An event loop's own timers are rounded to a millisecond, the interval itself; a pipe wakes asynchronous and
blocking clients alike at once. A tick is the time (CLOCK_MONOTONIC, shared by all processes of a machine) at
which the pacer wrote it: a client that is late still answers for the whole time since.
"""

import asyncio
import os
import signal
import struct
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

_STAMP = struct.Struct("=q")


class Pacer:
    """`with Pacer(3_000, 1_000) as ticks`, then `ticks.wait()` or `await ticks.wait_async()` until []."""

    def __init__(self, count: int, per_second: int) -> None:
        self._command = [sys.executable, "-I", "-S", __file__, str(count), str(per_second)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, bufsize=0)
        assert self._process.stdout is not None
        self._pipe = self._process.stdout
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._pipe.close()

    def wait(self) -> list[int]:
        """Block until there are ticks, and return all that are there: stamps in ns; [] at the end."""
        data = self._pipe.read(512 * _STAMP.size) or b""
        return [stamp for (stamp,) in _STAMP.iter_unpack(data)]

    async def wait_async(self) -> list[int]:
        """The same for an event loop."""
        loop = asyncio.get_running_loop()
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._pipe, readable.set_result, None)
        try:
            await readable
        finally:
            loop.remove_reader(self._pipe)
        return self.wait()


def _tick(count: int, per_second: int) -> None:
    interval_ns, output = 1_000_000_000 // per_second, sys.stdout.fileno()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    due = time.monotonic_ns() + interval_ns
    signal.setitimer(signal.ITIMER_REAL, 1 / per_second, 1 / per_second)
    while count:
        signal.sigwait({signal.SIGALRM})
        # More than one may be due: signals that come while one is pending are one.
        while count and due <= (now := time.monotonic_ns()):
            os.write(output, _STAMP.pack(now))
            count, due = count - 1, due + interval_ns


if __name__ == "__main__":
    _tick(int(sys.argv[1]), int(sys.argv[2]))
