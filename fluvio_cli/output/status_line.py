"""A line at the foot of a terminal that says what a command waits for, while it waits.

A thread of its own draws it, so that it moves whatever the command does: blocking calls as well as asyncio.
Nothing is drawn before `FIRST_S` have passed without other text: what is quick shows nothing, and what prints
all the time does not flicker. Whoever prints does it in an `aside`.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

FIRST_S = 0.5  # something has to be seen within a second, the start of the interpreter included
_FRAME_S = 0.1
_FRAMES = "⠁⠉⠙⠚⠒⠂⠂⠒⠲⠴⠤⠄⠄⠤⠠⠠⠤⠦⠖⠒⠐⠐⠒⠓⠋⠉⠈⠈"
_ERASE = "\r\x1b[2K"
_ELAPSED_FROM_S = 2  # sooner a count of seconds says nothing

Tell = Callable[[], str]  # what is waited for now; called by the drawing thread


class StatusLine:
    """Drawn from `__enter__` to `__exit__`; afterwards the terminal's line is as it was before."""

    def __init__(
        self, stream: TextIO, tell: Tell, *, first_s: float = FIRST_S, columns: int | None = None
    ) -> None:
        """`stream` is a terminal; `columns`: its width, None to ask it each time."""
        self._stream, self._first_s, self._columns = stream, first_s, columns
        self._tells = [tell]  # the last one counts
        self._lock = threading.RLock()  # a signal's handler may print while its own thread draws
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._draw_until_ended, name="status line", daemon=True)
        self._is_drawn, self._asides, self._quiet_since = False, 0, 0.0

    def __enter__(self) -> "StatusLine":
        self._quiet_since = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._hide()

    @contextmanager
    def telling(self, tell: Tell) -> Iterator[None]:
        """Say this instead while the block runs."""
        self._tells.append(tell)
        try:
            yield
        finally:
            self._tells.remove(tell)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Draw nothing while the block runs: other text is printed, or a person is asked."""
        with self._lock:
            self._asides += 1
            self._hide()
        try:
            yield
        finally:
            with self._lock:
                self._asides -= 1
                self._quiet_since = time.monotonic()

    def _hide(self) -> None:
        if self._is_drawn:
            self._is_drawn = False
            self._write(_ERASE)

    def _draw_until_ended(self) -> None:
        wait_s, turn = self._first_s, 0
        while not self._ended.wait(wait_s):
            wait_s = _FRAME_S
            if self.is_due(time.monotonic()):
                self.draw(turn)
                turn += 1

    def is_due(self, now: float) -> bool:
        """Whether other text came so long ago that the line may be drawn; `now` in s, monotonic."""
        return now - self._quiet_since >= self._first_s

    def draw(self, turn: int) -> None:
        """Draw now, unless somebody else has the terminal; `turn` counts up, so that it moves."""
        with self._lock:
            if not self._asides and not self._ended.is_set():
                self._is_drawn = True
                self._write(_ERASE + self._line(_FRAMES[turn % len(_FRAMES)]))

    def _line(self, frame: str) -> str:
        seconds = int(time.monotonic() - self._quiet_since)
        elapsed = f" ({seconds} s)" if seconds >= _ELAPSED_FROM_S else ""
        text = f"{frame} {self._tells[-1]()}{elapsed}"
        return text[: self._width() - 1]  # a line that wraps could not be erased

    def _width(self) -> int:
        if self._columns is not None:
            return self._columns
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except OSError:
            return 80

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:  # the terminal is gone: nobody is left to be told
            self._asides += 1
