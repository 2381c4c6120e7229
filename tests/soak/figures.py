"""Percentiles of latencies, the slope of memory over time. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_STEP = math.log(1.05)  # buckets grow by 5 %, so percentiles are right to 5 %
_HOUR_S = 3600.0

Point = tuple[float, float]  # seconds, megabytes


@dataclass(slots=True)
class Latencies:
    """A histogram of microseconds."""

    counts: dict[int, int] = field(default_factory=dict)  # bucket -> how many
    most_us: float = 0.0

    def add(self, microseconds: float) -> None:
        """Count one; less than a microsecond counts as one."""
        bucket = int(math.log(max(microseconds, 1.0)) / _STEP)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.most_us = max(self.most_us, microseconds)

    def merge(self, other: "Latencies") -> None:
        """Count the other's too."""
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.most_us = max(self.most_us, other.most_us)

    @property
    def count(self) -> int:
        """How many were counted."""
        return sum(self.counts.values())

    def percentile_ms(self, percent: float) -> float | None:
        """The middle of the bucket in which it lies, in milliseconds; None without any."""
        wanted, seen = self.count * percent / 100, 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= wanted:
                return min(math.exp((bucket + 0.5) * _STEP), self.most_us) / 1000
        return None

    def document(self) -> dict[str, float | None]:
        """p50, p99 and the greatest, in milliseconds."""
        most = self.most_us / 1000 if self.counts else None
        return {
            "count": self.count,
            "p50_ms": self.percentile_ms(50),
            "p99_ms": self.percentile_ms(99),
            "max_ms": most,
        }


@dataclass(slots=True)
class LatencyBook:
    """Latencies by the second (monotonic clock) in which the record was given."""

    seconds: dict[int, Latencies] = field(default_factory=dict)

    def add(self, given_s: float, microseconds: float) -> None:
        """Count one."""
        self.seconds.setdefault(int(given_s), Latencies()).add(microseconds)

    def take_out(self) -> dict[str, list[object]]:
        """All that was counted since the last call, as JSON for `put_in` of another process."""
        taken, self.seconds = self.seconds, {}
        return {str(second): [found.counts, found.most_us] for second, found in taken.items()}

    def put_in(self, document: Mapping[str, Sequence[object]]) -> None:
        """Count what `take_out` of another book gave."""
        for second, (counts, most_us) in document.items():
            assert isinstance(counts, dict)
            assert isinstance(most_us, (int, float))
            found = Latencies({int(bucket): count for bucket, count in counts.items()}, float(most_us))
            self.seconds.setdefault(int(second), Latencies()).merge(found)

    def split(
        self, windows: Sequence[tuple[float, float]], since_s: float = 0.0
    ) -> tuple[Latencies, Latencies]:
        """(outside, inside) the windows, of records given from `since_s` on."""
        outside, inside = Latencies(), Latencies()
        for second, found in self.seconds.items():
            if second >= int(since_s):
                is_inside = any(begin <= second + 1 and second <= end for begin, end in windows)
                (inside if is_inside else outside).merge(found)
        return outside, inside


@dataclass(slots=True, frozen=True)
class Slope:
    """Megabytes per hour, and for how many seconds the samples behind it were taken."""

    mb_per_hour: float
    measured_s: float


def slope(lives: Iterable[Sequence[Point]], warm_up_s: float) -> Slope:
    """The common slope by least squares of several lives of a process, each with a level of its own.

    Of each life the first `warm_up_s` are left out: a process that has just started grows to its size.
    """
    products = squares = measured_s = 0.0
    for life in lives:
        counted = [point for point in life if point[0] - life[0][0] >= warm_up_s]
        if len(counted) < 2:
            continue
        mean_s = sum(point[0] for point in counted) / len(counted)
        mean_mb = sum(point[1] for point in counted) / len(counted)
        products += sum((seconds - mean_s) * (mb - mean_mb) for seconds, mb in counted)
        squares += sum((seconds - mean_s) ** 2 for seconds, _ in counted)
        measured_s += counted[-1][0] - counted[0][0]
    return Slope(products / squares * _HOUR_S if squares else 0.0, measured_s)
