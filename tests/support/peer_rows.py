"""Rows of the comparison with peers, made up."""

from tests.bench.measuring import Samples, at_least, at_most
from tests.bench.peers.comparison import Comparison, Missing, ProcessorTime

NATS, KAFKA = "NATS JetStream", "Apache Kafka"


def rate_row(ours: float, nats: float, kafka: float | str, *, limit: float = 100.0) -> Comparison:
    """One rate of all engines; a text for `kafka` says why it has none."""
    return Comparison(
        "produce, 1,000 B",
        "MB/s",
        Samples([ours]),
        Samples([limit]),
        "socket + write",
        [at_least(0.6, of_reference=True)],
        key="produce/1000",
        peers={
            NATS: Samples([nats]),
            KAFKA: Missing(kafka) if isinstance(kafka, str) else Samples([kafka]),
        },
        processor={"ours": ProcessorTime(0.25, 0.125, 0.5)},
        must_beat_peers=True,
    )


def latency_row(key: str, ours: float, nats: float) -> Comparison:
    """One percentile; without Kafka."""
    return Comparison(
        f"latency, {key}",
        "ms",
        Samples([ours]),
        targets=[at_most(3)],
        key=f"latency/{key}",
        peers={NATS: Samples([nats]), KAFKA: Missing("no `java` on this machine")},
        must_beat_peers=True,
    )
