"""Prometheus text of families, by `prometheus_client`, which is imported by `load_renderer` and nowhere else.

It costs 9 MB of memory and 50 ms of processor time (measured), 4.5 MB of it for OpenSSL, which it wants to
have though nothing here uses it. So whoever does not ask for metrics does not pay.
"""

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from fluvio_local_cluster.metrics.families import Family, FamilyKind
from fluvio_local_cluster.metrics.histogram import HistogramReading
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from prometheus_client import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Renderer = Callable[[Sequence[Family]], bytes]


class MetricsUnavailableError(FluvioError):
    """Metrics were asked for and the package that writes them is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "`--metrics` needs the package `prometheus-client`, which is not installed: "
            "use `pip install 'fluvio-cli[metrics]'`"
        )


def load_renderer() -> Renderer:
    """Load `prometheus_client`; returns the function that writes text. Raises `MetricsUnavailableError`.

    The function may run in any thread: it reads nothing but what it is given.
    """
    if sys.modules.get("ssl", sys) is None:  # the servers keep it out (see their `__main__`)
        del sys.modules["ssl"]
    try:
        importlib.import_module("prometheus_client")
    except ImportError as exc:
        raise MetricsUnavailableError from exc
    return _render


def _render(families: Sequence[Family]) -> bytes:
    from prometheus_client import generate_latest

    return generate_latest(_Collector(families))


class _Collector:
    """The figures of one scrape in the form that `prometheus_client` writes."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator["Metric"]:
        """One metric a family, in their order."""
        for family in self._families:
            yield _metric_of(family)


def _metric_of(family: Family) -> "Metric":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    if family.kind is FamilyKind.HISTOGRAM:
        metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for labels, reading in family.samples:
            assert isinstance(reading, HistogramReading)
            metric.add_metric(labels, _buckets_of(reading), reading.total)
        return metric
    plain: CounterMetricFamily | GaugeMetricFamily
    if family.kind is FamilyKind.COUNTER:
        plain = CounterMetricFamily(family.name, family.help, labels=family.labels)
    else:
        plain = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in family.samples:
        assert not isinstance(value, HistogramReading)
        plain.add_metric(labels, value)
    return plain


def _buckets_of(reading: HistogramReading) -> list[tuple[str, float]]:
    bounds = [*(f"{bound:g}" for bound in reading.bounds), "+Inf"]
    return list(zip(bounds, map(float, reading.cumulative), strict=True))
