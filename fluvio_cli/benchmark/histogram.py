"""Latencies in bounded memory: buckets that grow with the value, so that each is known to less than 1 %."""

from collections.abc import Iterable

_SUB_BITS = 7  # 128 buckets for each doubling
_SUB = 1 << _SUB_BITS


class Histogram:
    """Counts of whole microseconds. Values below 256 are exact, others to 1/128; 7,500 buckets at most."""

    __slots__ = ("_counts", "count", "most", "total")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.total = 0
        self.most = 0

    def add(self, microseconds: int, times: int = 1) -> None:
        """`times` values; negative ones count as 0."""
        value = max(microseconds, 0)
        shift = max(value.bit_length() - _SUB_BITS - 1, 0)
        bucket = (shift << (_SUB_BITS + 1)) | (value >> shift)
        self._counts[bucket] = self._counts.get(bucket, 0) + times
        self.count += times
        self.total += value * times
        self.most = max(self.most, value)

    def merge(self, others: "Iterable[Histogram]") -> "Histogram":
        """Add what others counted; returns itself."""
        for other in others:
            for bucket, times in other._counts.items():
                self._counts[bucket] = self._counts.get(bucket, 0) + times
            self.count += other.count
            self.total += other.total
            self.most = max(self.most, other.most)
        return self

    def percentile(self, share: float) -> int:
        """The smallest value, in microseconds, that `share` (0 to 1) of all do not exceed; 0 of none.

        Never below the true one, and above it by 1/128 at most.
        """
        wanted = max(share * self.count, 1)
        seen = 0
        for bucket in sorted(self._counts, key=_upper):
            seen += self._counts[bucket]
            if seen >= wanted:
                return min(_upper(bucket), self.most)
        return 0


def _upper(bucket: int) -> int:
    """The largest value of a bucket."""
    shift, mantissa = bucket >> (_SUB_BITS + 1), bucket & ((_SUB << 1) - 1)
    return ((mantissa + 1) << shift) - 1
