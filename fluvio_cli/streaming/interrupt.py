"""Ctrl-C and SIGTERM as a request to end in order.

The first signal cancels the work inside the block, which then ends normally with `interrupted` set; what
follows (flushing, storing offsets) runs to its end. A first signal after the block is only noted, since the
end is under way. A second signal cancels that too, and `run` makes a `KeyboardInterrupt` of it.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

Result = TypeVar("Result")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruptible:
    """`with Interruptible() as work: ...` around what the first signal shall end."""

    def __init__(self) -> None:
        self._signals = 0
        self._is_inside = False
        self._task: asyncio.Task[object] | None = None

    @property
    def interrupted(self) -> bool:
        """Whether a signal has come."""
        return self._signals > 0

    def listen(self) -> None:
        """From now on signals come here; call it in the task that enters the block."""
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signalled)

    def _signalled(self) -> None:
        self._signals += 1
        if self._task is not None and (self._is_inside or self._signals > 1):
            self._task.cancel()

    def __enter__(self) -> Self:
        self._is_inside = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._is_inside = False
        if kind is asyncio.CancelledError and self._signals == 1 and self._task is not None:
            self._task.uncancel()
            return True
        return False


def run_cancelled_by_signals(main: Coroutine[Any, Any, Result]) -> Result:
    """Run `main` in asyncio; SIGTERM cancels it as Ctrl-C does, which makes a `KeyboardInterrupt` of it.

    Raises what it raises. A handler that raises would do so in the middle of the event loop.
    """

    async def cancellable() -> Result:
        task = asyncio.current_task()
        assert task is not None
        loop, former = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            return await main
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
            signal.signal(signal.SIGTERM, former)

    try:
        return asyncio.run(cancellable())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def run(main: Callable[[Interruptible], Coroutine[Any, Any, None]]) -> None:
    """Run `main` in asyncio. Raises what it raises; `KeyboardInterrupt` when a second signal cut it short."""
    try:
        asyncio.run(main(Interruptible()))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
