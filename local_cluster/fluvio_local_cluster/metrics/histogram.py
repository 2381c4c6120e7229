"""A histogram of fixed buckets: an observation is one bisection and two additions."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

LATENCY_BOUNDS_S = (
    0.000_1,
    0.000_25,
    0.000_5,
    0.001,
    0.002_5,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
)


@dataclass(slots=True, frozen=True)
class HistogramReading:
    """A histogram at one moment.

    `cumulative[i]` observations were at most `bounds[i]`; the last one, which has no bound, counts all.
    """

    bounds: tuple[float, ...]
    cumulative: tuple[int, ...]
    total: float  # of all values, in their unit

    @property
    def count(self) -> int:
        """How many values there were."""
        return self.cumulative[-1]


class Histogram:
    """Counts values by size. Bounds are upper ones and belong to their bucket; one thread observes."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Sequence[float] = LATENCY_BOUNDS_S) -> None:
        """`bounds` ascend; above the last there is one more bucket."""
        self._bounds = tuple(bounds)
        if list(self._bounds) != sorted(set(self._bounds)):
            raise ValueError("the bounds of a histogram ascend")
        self._counts = [0] * (len(self._bounds) + 1)
        self._total = 0.0

    def observe(self, value: float) -> None:
        """Count one value, in the unit of the bounds."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def read(self) -> HistogramReading:
        """What was counted so far."""
        return HistogramReading(self._bounds, tuple(accumulate(self._counts)), self._total)
