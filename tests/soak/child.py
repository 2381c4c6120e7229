"""A process of the soak, as the one that started it sees it."""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

_READY_S = 60.0
_END_S = 120.0


class ChildFailedError(Exception):
    """A process of the soak ended by itself, or did not end when told to; the text has what it said."""


class Child:
    """`start`, then `watch` in a task; `finish` in the end, `kill` in any case."""

    def __init__(
        self, name: str, module: str, arguments: Sequence[str], on_line: Callable[[Any], None]
    ) -> None:
        """`on_line` gets each object that the process tells."""
        self.name, self.last = name, dict[str, Any]()
        self._command = [sys.executable, "-m", module, *arguments]
        self._on_line = on_line
        self._process: asyncio.subprocess.Process | None = None
        self._is_told_to_end = False

    async def start(self) -> None:
        """Until it says that it is ready. Raises `ChildFailedError`."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, stderr=None, limit=64 * 1024 * 1024
        )
        try:
            async with asyncio.timeout(_READY_S):
                line = await self._running_stdout().readline()
        except TimeoutError:
            line = b""
        if not line:
            raise ChildFailedError(f"{self.name} did not start")

    async def watch(self) -> None:
        """Hand on what it tells, until it ends. Raises `ChildFailedError` when it should not have."""
        assert self._process is not None
        while line := await self._running_stdout().readline():
            self.last = json.loads(line)
            self._on_line(self.last)
        code = await self._process.wait()
        if code != 0 or not self._is_told_to_end:
            raise ChildFailedError(f"{self.name} ended with {code}")

    async def finish(self, watching: "asyncio.Task[None]", word: Any = None) -> None:
        """Tell it to end, with a word, and wait. Raises `ChildFailedError` when it does not end in time."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._is_told_to_end = True
        self._process.stdin.write(json.dumps(word).encode() + b"\n")
        self._process.stdin.close()
        _, waiting = await asyncio.wait([watching], timeout=_END_S)
        if waiting:
            self.kill()
            raise ChildFailedError(f"{self.name} did not end within {_END_S:g} s")
        watching.result()

    def kill(self) -> None:
        """End it if it still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def _running_stdout(self) -> asyncio.StreamReader:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout
