"""What a scrape tells, as plain values: families of samples. Pure; knows nothing of a text format."""

from dataclasses import dataclass, field
from enum import Enum

from fluvio_local_cluster.metrics.histogram import HistogramReading

Value = float | HistogramReading


class FamilyKind(Enum):
    """How the samples of a family are to be understood."""

    COUNTER = "counter"  # only grows while the process lives
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(slots=True)
class Family:
    """Samples of one name; each has a value for every label, in the order of `labels`.

    Names follow Prometheus: base units (seconds, bytes), counters end in `_total`.
    """

    name: str
    kind: FamilyKind
    help: str
    labels: tuple[str, ...] = ()
    samples: list[tuple[tuple[str, ...], Value]] = field(default_factory=list)

    def add(self, value: Value, *labels: str) -> "Family":
        """Add a sample; returns the family."""
        if len(labels) != len(self.labels):
            raise ValueError(f"{self.name} has the labels {self.labels}")
        self.samples.append((labels, value))
        return self


def counter(name: str, help: str, *labels: str) -> Family:
    """A family of counters."""
    return Family(name, FamilyKind.COUNTER, help, labels)


def gauge(name: str, help: str, *labels: str) -> Family:
    """A family of gauges."""
    return Family(name, FamilyKind.GAUGE, help, labels)


def histogram(name: str, help: str, *labels: str) -> Family:
    """A family of histograms."""
    return Family(name, FamilyKind.HISTOGRAM, help, labels)
