"""Counts of what went by, for the table at the end."""

from fluvio_cli.benchmark.histogram import Histogram
from fluvio_cli.output.table import render_table
from fluvio_cli.tap.catalogue import UNKNOWN
from fluvio_cli.tap.events import Seen

_HEADERS = ("API", "REQUESTS", "ANSWERS", "BYTES OUT", "BYTES BACK", "MEDIAN", "P99", "MOST")
_NUMBERS = frozenset(range(1, len(_HEADERS)))


class _Count:
    __slots__ = ("answer_bytes", "answers", "latency", "request_bytes", "requests")

    def __init__(self) -> None:
        self.requests = self.answers = self.request_bytes = self.answer_bytes = 0
        self.latency = Histogram()


class Totals:
    """By API; the number of rows is that of the APIs there are."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}
        self.connections = 0

    def add(self, seen: Seen) -> None:
        """A frame, the first part of one, or loose bytes."""
        name = "no frames" if seen.frame.is_loose else seen.name
        count = self._counts.setdefault(name, _Count())
        size = seen.frame.size or len(seen.frame.payload)
        if seen.frame.direction == "request":
            count.requests += 1
            count.request_bytes += size
        else:
            count.answers += 1
            count.answer_bytes += size
            if seen.latency_us is not None:
                count.latency.add(seen.latency_us)

    def table(self) -> str:
        """Latencies are from a request's end to its first answer. Empty when nothing went by."""
        if not self._counts:
            return ""
        order = sorted(self._counts, key=lambda name: (name in (UNKNOWN, "no frames"), name))
        return render_table(
            _HEADERS, [_row(name, self._counts[name]) for name in order], right_aligned=_NUMBERS
        )


def _row(name: str, count: _Count) -> tuple[str, ...]:
    latency = count.latency
    times = (latency.percentile(0.5), latency.percentile(0.99), latency.most)
    shown = [f"{time / 1000:.1f} ms" if latency.count else "-" for time in times]
    sizes = (count.requests, count.answers, count.request_bytes, count.answer_bytes)
    return (name, *(f"{size:,}" for size in sizes), *shown)
