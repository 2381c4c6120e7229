"""Samples of a cluster, and what they tell: rates, lag, rows. Pure.

A rate is the difference of two samples by the time between them. It is None, shown as `-`, where there is
nothing to compare: at first, and when a topic was made anew, so that its offsets went back.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fluvio_cli.output.full_table import harmless

MOST_ROWS = 1000  # of one pane; a remark tells of more
PAST = 24  # rates of the whole cluster that are remembered
_BARS = "▁▂▃▄▅▆▇█"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")

Key = tuple[str, int]  # topic and partition


@dataclass(slots=True, frozen=True)
class PartitionFigures:
    """One partition; `start`, `end` and `size` (bytes) are None when nobody tells them."""

    topic: str
    partition: int
    leader: int  # SPU id
    is_online: bool
    start: int | None = None
    end: int | None = None
    size: int | None = None

    @property
    def key(self) -> Key:
        """What names it."""
        return self.topic, self.partition

    @property
    def records(self) -> int | None:
        """How many offsets lie between its start and its end."""
        return None if self.start is None or self.end is None else max(self.end - self.start, 0)


@dataclass(slots=True, frozen=True)
class TopicFigures:
    """One topic; `status` as `topic list` words it."""

    name: str
    status: str
    partitions: int


@dataclass(slots=True, frozen=True)
class SpuFigures:
    """One SPU; `status` is `Online`, `Offline` or `Init`."""

    id: int
    address: str
    status: str


@dataclass(slots=True, frozen=True)
class ConsumerFigures:
    """How far one consumer is in one partition: `offset` is that of the last record it has read."""

    consumer: str
    topic: str
    partition: int
    offset: int

    def lag(self, figures: PartitionFigures | None) -> int | None:
        """Records that are there and that it has not read; None when the partition's bounds are unknown."""
        if figures is None or figures.start is None or figures.end is None:
            return None
        return max(figures.end - max(self.offset + 1, figures.start), 0)


@dataclass(slots=True, frozen=True)
class Sample:
    """A cluster at one moment, `at_s` of a monotonic clock; lists are in the order they are shown in."""

    at_s: float
    platform: str  # version of the cluster
    topics: Sequence[TopicFigures] = ()
    partitions: Sequence[PartitionFigures] = ()
    spus: Sequence[SpuFigures] = ()
    consumers: Sequence[ConsumerFigures] = ()
    remarks: Sequence[str] = ()  # what could not be found out


@dataclass(slots=True, frozen=True)
class TopicRow:
    """One topic's figures; None: not known."""

    name: str
    status: str
    partitions: int
    records: int | None
    size: int | None  # bytes
    records_per_s: float | None
    bytes_per_s: float | None


@dataclass(slots=True, frozen=True)
class Standing:
    """The newest sample, with what an earlier one adds to it."""

    sample: Sample
    topics: Sequence[TopicRow]
    leads: Mapping[int, int]  # partitions that each SPU leads, by its id
    lags: Sequence[int | None]  # of the sample's consumers, in their order
    records_per_s: float | None = None  # of all topics
    past: Sequence[float] = ()  # the same of earlier samples and of this one, the oldest first

    def partitions_of(self, topic: str) -> list[PartitionFigures]:
        """Those of one topic, by their number."""
        return [each for each in self.sample.partitions if each.topic == topic]

    def document(self) -> dict[str, Any]:
        """The stable form: docs/cli-json-output.md, "top"."""
        sample = self.sample
        return {
            "platformVersion": sample.platform,
            "recordsPerSecond": _rounded(self.records_per_s),
            "topics": [
                {
                    "name": row.name,
                    "status": row.status,
                    "partitions": row.partitions,
                    "records": row.records,
                    "bytes": row.size,
                    "recordsPerSecond": _rounded(row.records_per_s),
                    "bytesPerSecond": _rounded(row.bytes_per_s),
                }
                for row in self.topics
            ],
            "partitions": [
                {
                    "topic": each.topic,
                    "partition": each.partition,
                    "leader": each.leader,
                    "online": each.is_online,
                    "start": each.start,
                    "end": each.end,
                    "bytes": each.size,
                }
                for each in sample.partitions
            ],
            "spus": [
                {
                    "id": spu.id,
                    "address": spu.address,
                    "status": spu.status,
                    "partitionsLed": self.leads.get(spu.id, 0),
                }
                for spu in sample.spus
            ],
            "consumers": [
                {
                    "consumer": each.consumer,
                    "topic": each.topic,
                    "partition": each.partition,
                    "offset": each.offset,
                    "lag": lag,
                }
                for each, lag in zip(sample.consumers, self.lags, strict=True)
            ],
            "remarks": list(sample.remarks),
        }


@dataclass(slots=True)
class History:
    """Turns samples into standings; keeps the last sample and the last rates."""

    _last: Sample | None = None
    _past: deque[float] = field(default_factory=lambda: deque(maxlen=PAST))

    def take(self, sample: Sample) -> Standing:
        """The standing that `sample` makes, compared with the one before."""
        before, self._last = self._last, sample
        earlier = {} if before is None else {each.key: each for each in before.partitions}
        passed_s = 0.0 if before is None else sample.at_s - before.at_s
        of_topic: dict[str, list[PartitionFigures]] = {topic.name: [] for topic in sample.topics}
        leads: dict[int, int] = {}
        for each in sample.partitions:
            of_topic.setdefault(each.topic, []).append(each)
            leads[each.leader] = leads.get(each.leader, 0) + 1
        rows = [_row(topic, of_topic[topic.name], earlier, passed_s) for topic in sample.topics]
        known = [row.records_per_s for row in rows if row.records_per_s is not None]
        rate = sum(known) if known else None
        if rate is not None:
            self._past.append(rate)
        by_key = {each.key: each for each in sample.partitions}
        lags = [each.lag(by_key.get((each.topic, each.partition))) for each in sample.consumers]
        return Standing(sample, rows, leads, lags, rate, tuple(self._past))


def _row(
    topic: TopicFigures,
    partitions: Sequence[PartitionFigures],
    earlier: Mapping[Key, PartitionFigures],
    passed_s: float,
) -> TopicRow:
    pairs = [(each, earlier[each.key]) for each in partitions if each.key in earlier]
    return TopicRow(
        topic.name,
        topic.status,
        topic.partitions,
        _total(each.records for each in partitions),
        _total(each.size for each in partitions),
        _rate([(now.end, before.end) for now, before in pairs], passed_s),
        _rate([(now.size, before.size) for now, before in pairs], passed_s),
    )


def _total(figures: Iterable[int | None]) -> int | None:
    """Of those that are known; None when none is."""
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known else None


def _rate(pairs: Iterable[tuple[int | None, int | None]], passed_s: float) -> float | None:
    """What came per second; figures that went back say nothing: a topic was made anew, or data removed."""
    grown = [
        now - before for now, before in pairs if now is not None and before is not None and now >= before
    ]
    return sum(grown) / passed_s if grown and passed_s > 0 else None


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 3)


def by_rate(rows: Sequence[TopicRow]) -> list[TopicRow]:
    """The topics that grow fastest first, then by name."""
    return sorted(rows, key=lambda row: (-(row.records_per_s or 0.0), row.name))


# --- words -------------------------------------------------------------------------------------------------


def shown(text: str) -> str:
    """A text of others on one line that a terminal does not obey."""
    return harmless(text)


def count_text(count: float | None) -> str:
    """`1,234`; `-` for None."""
    return "-" if count is None else f"{count:,.0f}"


def rate_text(rate: float | None) -> str:
    """`1,234`, below ten with one digit behind the point; `-` for None."""
    if rate is None:
        return "-"
    return f"{rate:.1f}" if 0 < rate < 10 else f"{rate:,.0f}"


def size_text(size: float | None) -> str:
    """`312 B`, `1.5 MiB`; `-` for None."""
    if size is None:
        return "-"
    amount, unit = float(size), _UNITS[0]
    for unit in _UNITS:
        if amount < 1024 or unit == _UNITS[-1]:
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == _UNITS[0] else f"{amount:.1f} {unit}"


def bars(past: Sequence[float]) -> str:
    """The rates as a line of bars, the highest of them full."""
    most = max(past, default=0.0)
    if most <= 0:
        return _BARS[0] * len(past)
    return "".join(_BARS[min(int(rate / most * len(_BARS)), len(_BARS) - 1)] for rate in past)
