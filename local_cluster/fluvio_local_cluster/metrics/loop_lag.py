"""How late the event loop is: a timer that is due at a fixed pace, and by how much it comes after that.

Whatever holds up the loop (a large append, a slow handler, a machine without free processors) holds up every
connection; this is where it shows first.
"""

import asyncio

from fluvio_local_cluster.metrics.families import Family, histogram
from fluvio_local_cluster.metrics.histogram import Histogram

_PACE_S = 0.1


class LoopLag:
    """Measures from `start` to `stop`; belongs to the running loop, whose clock never jumps."""

    __slots__ = ("_due", "_handle", "_lag", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lag = Histogram()
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Measure from now on."""
        self._set_timer()

    def stop(self) -> None:
        """Measure no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def family(self) -> Family:
        """What was measured."""
        return histogram(
            "fluvio_event_loop_lag_seconds", "How late timers of the event loop come; one is due each 100 ms"
        ).add(self._lag.read())

    def _set_timer(self) -> None:
        self._due = self._loop.time() + _PACE_S
        self._handle = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self._lag.observe(max(self._loop.time() - self._due, 0.0))
        self._set_timer()
