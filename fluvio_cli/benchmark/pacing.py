"""When records are due, and their values."""

import asyncio
import os
from time import perf_counter_ns

_TIMER_S = 0.0015
STAMP_BYTES = 8  # at the start of a value: when it was due, in nanoseconds of this machine's steady clock


class Pace:
    """Due times of records at a fixed rate; without a rate each is due at once."""

    def __init__(self, rate: float | None) -> None:
        self._step_ns = None if rate is None else 1e9 / rate
        self._start_ns = perf_counter_ns()
        self._count = 0

    async def due(self) -> int:
        """Wait until the next record is due; returns when that was (`perf_counter_ns`)."""
        if self._step_ns is None:
            return perf_counter_ns()
        due_ns = self._start_ns + int(self._count * self._step_ns)
        self._count += 1
        # The loop's timers are late by up to a millisecond, which would count as latency: the rest is turns.
        while (ahead_s := (due_ns - perf_counter_ns()) / 1e9) > 0:  # noqa: ASYNC110
            await asyncio.sleep(ahead_s - _TIMER_S if ahead_s > _TIMER_S else 0)
        return due_ns


class Values:
    """Values of one size, cut from random bytes, so that compression has little to gain."""

    def __init__(self, size: int) -> None:
        self._pool = os.urandom(64 * 1024 + size)
        self._size, self._at = size, 0

    def next(self) -> bytes:
        """Another value."""
        self._at = (self._at + 101) % (64 * 1024)
        return self._pool[self._at : self._at + self._size]

    def stamped(self, nanoseconds: int) -> bytes:
        """Another value that begins with a time."""
        return nanoseconds.to_bytes(STAMP_BYTES, "big") + self.next()[STAMP_BYTES:]


def stamp_of(value: bytes | memoryview) -> int:
    """The time that `Values.stamped` put in."""
    return int.from_bytes(value[:STAMP_BYTES], "big")
