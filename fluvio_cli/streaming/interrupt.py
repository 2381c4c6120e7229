"""Ctrl-C and SIGTERM as a request to end in order.

The first signal cancels the work inside the block, which then ends normally with `interrupted` set; what
follows (flushing, storing offsets) runs to its end. A second signal cancels that too, as an interruption.
"""

import asyncio
import signal
from types import TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruptible:
    """`with Interruptible() as work: ...` around what the first signal shall end."""

    def __init__(self) -> None:
        self.interrupted = False
        self._task: asyncio.Task[object] | None = None

    def listen(self) -> None:
        """From now on signals come here; call it in the task that enters the block."""
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signalled)

    def _signalled(self) -> None:
        if self._task is not None:
            self.interrupted = True
            self._task.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if kind is asyncio.CancelledError and self.interrupted and self._task is not None:
            self._task.uncancel()
            return True
        return False
