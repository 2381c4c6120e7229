"""When the records of a file are due. Pure: the time is passed in."""

from collections.abc import Sequence

TICK_S = 0.01  # records that are due so soon after each other go together


def parse_speed(text: str) -> float:
    """`10x`, `0.5x`, `2`, or `max`: as fast as it goes, infinity. Raises `ValueError`."""
    if text.lower() == "max":
        return float("inf")
    try:
        speed = float(text.lower().removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0.0 < speed < float("inf"):
        raise ValueError("a factor such as `10x` or `0.5x` is expected, or `max`")
    return speed


class Pace:
    """The times of records, as distances from the first one, `speed` times as fast."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._first_ms: int | None = None
        self._began_s = 0.0

    def due_s(self, timestamp_ms: int, now_s: float) -> float:
        """When a record is due; one without a time at once. The first one with a time begins now."""
        if timestamp_ms <= 0:
            return now_s
        if self._first_ms is None:
            self._first_ms, self._began_s = timestamp_ms, now_s
        return self._began_s + (timestamp_ms - self._first_ms) / 1000 / self._speed

    def together(self, timestamps: Sequence[int], start: int, until_s: float) -> int:
        """The index of the first record from `start` on that is not due at `until_s`; at least one is."""
        if self._first_ms is None:
            return start + 1
        latest = self._first_ms + (until_s - self._began_s) * 1000 * self._speed
        for index in range(start + 1, len(timestamps)):
            if timestamps[index] > latest:
                return index
        return len(timestamps)
