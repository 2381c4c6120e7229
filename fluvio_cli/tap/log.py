"""A queue and a thread between the proxy and what takes its events: a terminal, a pipe, a file.

`put` never waits. When more than `limit_bytes` wait already, events are dropped, counted, and told as
`Lost` where they are missing. What the taker raises ends the thread and is told to `on_failure`, from the
thread.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from fluvio_cli.tap.events import Lost, cost_of

LIMIT_BYTES = 32 * 1024 * 1024


class Log:
    """One taker of events, which is called in a thread of its own."""

    def __init__(
        self,
        take: Callable[[Any], None],
        on_failure: Callable[[BaseException], None],
        *,
        name: str,
        on_idle: Callable[[], None],
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        """`on_idle` is called, in the thread, whenever nothing waits any more: to flush."""
        self._take, self._on_failure, self._on_idle = take, on_failure, on_idle
        self._limit_bytes = limit_bytes
        self._waiting: deque[Any] = deque()
        self._waiting_bytes = 0
        self._lost_count = self._lost_bytes = 0
        self._changed = threading.Condition()
        self._is_closed = False
        # As a daemon it does not keep the program when the terminal or pipe takes nothing any more.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, event: Any) -> None:
        """Give an event, which is dropped when there is no room for it."""
        cost = cost_of(event)
        with self._changed:
            if self._waiting_bytes + cost > self._limit_bytes:
                self._lost_count += 1
                self._lost_bytes += cost
                return
            self._tell_lost()
            self._waiting.append(event)
            self._waiting_bytes += cost
            self._changed.notify()

    def _tell_lost(self) -> None:
        if self._lost_count:
            self._waiting.append(Lost(self._lost_count, self._lost_bytes))
            self._waiting_bytes += cost_of(self._waiting[-1])
            self._lost_count = self._lost_bytes = 0

    def close(self, patience_s: float) -> bool:
        """Take no more and wait until all has been taken; False: after `patience_s` it was not."""
        with self._changed:
            self._tell_lost()
            self._is_closed = True
            self._changed.notify()
        self._thread.join(patience_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while (event := self._next()) is not None:
                self._take(event)
        except BaseException as exc:  # noqa: BLE001 - a thread's error is its owner's
            self._on_failure(exc)

    def _next(self) -> Any:
        with self._changed:
            if self._waiting:
                return self._pop()
        self._on_idle()
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            return self._pop() if self._waiting else None

    def _pop(self) -> Any:
        event = self._waiting.popleft()
        self._waiting_bytes -= cost_of(event)
        return event
