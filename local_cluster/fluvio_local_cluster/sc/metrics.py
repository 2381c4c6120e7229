"""What a controller counts, and the families of a scrape: a copy of its state at one moment.

Names: docs/metrics.md. All of it belongs to the event loop.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from fluvio_local_cluster.metrics import Family, Histogram, counter, gauge, histogram
from fluvio_local_cluster.metrics.connections import connection_families
from fluvio_local_cluster.net.server import Server
from fluvio_local_cluster.sc.model.stores import Cluster
from fluvio_protocol.api.partition import PartitionResolution
from fluvio_protocol.api.spu import SpuStatusResolution
from fluvio_protocol.api.topic import TopicResolution


@dataclass(slots=True)
class ScMetrics:
    """Writes to the metadata directory. Times in seconds."""

    write_s: Histogram = field(default_factory=Histogram)  # of one call: some files, with their fsyncs
    written_objects: int = 0
    removed_objects: int = 0
    failed_writes: int = 0


def sc_families(
    metrics: ScMetrics, cluster: Cluster, waiting_jobs: int, servers: Sequence[Server]
) -> list[Family]:
    """All but what every server process has. `waiting_jobs`: changes that wait for their turn."""
    objects = gauge("fluvio_sc_objects", "Objects that there are", "kind")
    for kind, store in cluster.stores.items():
        objects.add(len(store), kind.value)
    spus = Counter(spu.status.resolution for spu in cluster.spus)
    topics = Counter(topic.status.resolution for topic in cluster.topics)
    partitions = Counter(partition.status.resolution for partition in cluster.partitions)
    return [
        objects,
        _by_status("fluvio_sc_spus", "SPUs", SpuStatusResolution, spus),
        _by_status("fluvio_sc_topics", "Topics; `pending` ones wait for SPUs", TopicResolution, topics),
        _by_status("fluvio_sc_partitions", "Partitions", PartitionResolution, partitions),
        gauge("fluvio_sc_lost_objects", "Objects whose files are damaged and set aside").add(
            len(cluster.lost)
        ),
        histogram(
            "fluvio_sc_metadata_write_duration_seconds",
            "Storing or removing objects, with the wait for the disk",
        ).add(metrics.write_s.read()),
        counter("fluvio_sc_metadata_objects_written_total", "Objects stored").add(metrics.written_objects),
        counter("fluvio_sc_metadata_objects_removed_total", "Objects removed").add(metrics.removed_objects),
        counter("fluvio_sc_metadata_writes_failed_total", "Writes that failed").add(metrics.failed_writes),
        gauge("fluvio_sc_changes_waiting", "Changes that wait to be decided and stored").add(waiting_jobs),
        *connection_families("fluvio_sc", servers),
    ]


def _by_status(
    name: str,
    help: str,
    states: type[SpuStatusResolution] | type[TopicResolution] | type[PartitionResolution],
    found: Counter[SpuStatusResolution] | Counter[TopicResolution] | Counter[PartitionResolution],
) -> Family:
    family = gauge(name, help, "status")
    for state in states:
        family.add(found[state], state.name.lower())  # type: ignore[index]
    return family
