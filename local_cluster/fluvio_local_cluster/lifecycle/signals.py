"""Lets a signal break into the waits of an operation, and into nothing else.

An operation that spawns processes and writes files must not be cut between doing a thing and noting it. So
SIGINT, SIGTERM and SIGHUP are only remembered, except inside `waiting()`, where they raise; and a child that
dies while something else is awaited is noticed there too, by SIGCHLD.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

_INTERRUPTING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class InterruptedOperation(KeyboardInterrupt):
    """A signal asked the operation to end."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"signal {signum}")
        self.signum = signum


class Signals:
    """Owns the signals named above while its `with` block runs; does nothing outside of the main thread.

    When the block ends by a signal other than SIGINT, that signal is raised again with its former handler:
    by default it then ends the process, as whoever sent it expects.
    """

    def __init__(self) -> None:
        self._former: dict[int, Any] = {}
        self._pending: int | None = None
        self._waiting = False
        self._check_children: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for signum in _INTERRUPTING:
                if signal.getsignal(signum) is not signal.SIG_IGN:  # nohup, for one, wants no SIGHUP
                    self._former[signum] = signal.signal(signum, self._interrupt)
            if hasattr(signal, "SIGCHLD"):
                self._former[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self._child_ended)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for signum, handler in self._former.items():
            signal.signal(signum, signal.SIG_DFL if handler is None else handler)
        if kind is not None and isinstance(error, InterruptedOperation) and error.signum != signal.SIGINT:
            signal.raise_signal(error.signum)

    @contextmanager
    def waiting(self, check_children: Callable[[], None] | None = None) -> Iterator[None]:
        """Inside, a signal raises `InterruptedOperation` at once, also one that came before.

        `check_children` is called now and whenever a child has ended; it raises if that one was needed.
        """
        self._waiting, self._check_children = True, check_children
        try:
            self.check()
            if check_children is not None:
                check_children()
            yield
        finally:
            self._waiting, self._check_children = False, None

    def check(self) -> None:
        """Raise `InterruptedOperation` if a signal came; for the places between two steps."""
        if self._pending is not None:
            raise InterruptedOperation(self._pending)

    def _interrupt(self, signum: int, _: FrameType | None) -> None:
        self._pending = signum
        if self._waiting:
            self._waiting = False  # once: the clean-up that follows is not to be cut
            raise InterruptedOperation(signum)

    def _child_ended(self, _signum: int, _: FrameType | None) -> None:
        if self._waiting and self._check_children is not None:
            self._check_children()
