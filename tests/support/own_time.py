"""An asyncio loop whose time passes only while everything waits, and then at once."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _Selector(selectors.DefaultSelector):
    """Waits for nothing: what it was to wait for is counted as passed."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is not None:
            self.now_s += max(timeout, 0.0)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._own = _Selector()
        super().__init__(self._own)

    def time(self) -> float:
        return self._own.now_s


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run it to its end, in the loop's own time; it must not wait for ever."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(scenario)


async def passed(seconds: float) -> None:
    """Wait until so much of the loop's own time has passed, which takes none of ours."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Loop)
    over: asyncio.Future[None] = loop.create_future()
    loop.call_later(seconds, over.set_result, None)
    await over
