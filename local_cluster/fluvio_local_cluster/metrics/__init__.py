"""Figures of a server process: counted always, cheaply, and turned into Prometheus text only when asked for.

The SC and the SPU count in plain integers and `histogram.Histogram`s. At a scrape (`endpoint`, an HTTP
answer) they describe what they have as `families`, to which `process` and `loop_lag` add what every server
has; `text` turns that into text by `prometheus_client`, the only module that imports it, and only when it is
called. Names and units: docs/metrics.md.
"""

from fluvio_local_cluster.metrics.endpoint import MetricsEndpoint
from fluvio_local_cluster.metrics.families import Family, FamilyKind, counter, gauge, histogram
from fluvio_local_cluster.metrics.histogram import Histogram, HistogramReading
from fluvio_local_cluster.metrics.loop_lag import LoopLag
from fluvio_local_cluster.metrics.text import MetricsUnavailableError, load_renderer

__all__ = [
    "Family",
    "FamilyKind",
    "counter",
    "gauge",
    "histogram",
    "Histogram",
    "HistogramReading",
    "LoopLag",
    "MetricsEndpoint",
    "MetricsUnavailableError",
    "load_renderer",
]
