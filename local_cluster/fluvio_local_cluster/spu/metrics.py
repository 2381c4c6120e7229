"""What an SPU counts while it works, asked or not: plain integers, per batch and never per record.

Record counts come from offsets. All of it belongs to the event loop. `as_document` is what the JSON socket
tells, in upstream's shape; `metric_families` makes the families of a scrape.
"""

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from fluvio_local_cluster.metrics import Histogram
from fluvio_local_cluster.storage import AppendResult, Cleaning, Slice

_CONNECTOR_PREFIX = "fluvio_connector"  # client ids of connectors begin so


@dataclass(slots=True)
class Traffic:
    """Records in one direction, to or from one sort of clients. Bytes: of whole batches, as stored."""

    records: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Direction:
    """Traffic in one direction."""

    connector: Traffic = field(default_factory=Traffic)
    client: Traffic = field(default_factory=Traffic)

    def of(self, client_id: str) -> Traffic:
        """That of clients of this sort."""
        return self.connector if client_id.startswith(_CONNECTOR_PREFIX) else self.client

    def as_document(self) -> dict[str, dict[str, int]]:
        """As the JSON socket tells it."""
        return {
            "connector": {"records": self.connector.records, "bytes": self.connector.bytes},
            "client": {"records": self.client.records, "bytes": self.client.bytes},
        }


@dataclass(slots=True)
class SpuMetrics:
    """One for each SPU. Times in seconds."""

    inbound: Direction = field(default_factory=Direction)  # produced
    outbound: Direction = field(default_factory=Direction)  # fetched, also by streams
    produced_batches: int = 0
    produce_s: Histogram = field(default_factory=Histogram)  # from a decoded request to its answer
    push_s: Histogram = field(default_factory=Histogram)  # of one slice to a stream's connection
    fetch_s: Histogram = field(default_factory=Histogram)  # one-shot
    fsync_s: Histogram = field(default_factory=Histogram)  # with the wait for a thread
    removed_segments: int = 0  # by retention
    removed_bytes: int = 0

    def begin_produce(self, client_id: str) -> "ProduceCall":
        """A produce request is being handled."""
        return ProduceCall(self, self.inbound.of(client_id), perf_counter())

    def pushed(self, client_id: str, piece: Slice, began_s: float) -> None:
        """A slice was sent to a stream; `began_s` by `perf_counter`."""
        self.push_s.observe(perf_counter() - began_s)
        self.sent(client_id, piece)

    def sent(self, client_id: str, piece: Slice) -> None:
        """A slice went out."""
        traffic = self.outbound.of(client_id)
        traffic.records += piece.next_offset - piece.first_offset
        traffic.bytes += piece.size_bytes

    def cleaned(self, cleaning: Cleaning) -> None:
        """Retention has looked at a replica."""
        self.removed_segments += len(cleaning.removed)
        self.removed_bytes += cleaning.freed_bytes

    def as_document(self) -> dict[str, Any]:
        """What the JSON socket tells, in upstream's shape; no SmartModule is run here, so none is named."""
        return {
            "spu": {
                "inbound": self.inbound.as_document(),
                "outbound": self.outbound.as_document(),
                "smartmodule": {},
            }
        }


class ProduceCall:
    """One produce request on its way."""

    __slots__ = ("_began_s", "_metrics", "_traffic")

    def __init__(self, metrics: SpuMetrics, traffic: Traffic, began_s: float) -> None:
        self._metrics, self._traffic, self._began_s = metrics, traffic, began_s

    def appended(self, result: AppendResult, batches: int, size_bytes: int) -> None:
        """Batches of it are in a log."""
        self._metrics.produced_batches += batches
        self._traffic.records += result.leo - result.base_offset
        self._traffic.bytes += size_bytes

    def answered(self) -> None:
        """Its answer is ready."""
        metrics = self._metrics
        metrics.produce_s.observe(perf_counter() - self._began_s)
