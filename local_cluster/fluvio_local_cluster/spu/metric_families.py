"""The families of a scrape of an SPU: a copy of its figures at one moment. Names: docs/metrics.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fluvio_local_cluster.metrics import Family, counter, gauge, histogram
from fluvio_local_cluster.metrics.connections import connection_families
from fluvio_local_cluster.net import Server
from fluvio_local_cluster.spu.leader import LeaderReplica
from fluvio_local_cluster.spu.metrics import Direction, SpuMetrics
from fluvio_local_cluster.spu.replica.assignment import Key

PartitionRow = tuple[str, int, tuple[int, ...]]  # topic, partition, values in the order of `_OF_PARTITION`

_OF_PARTITION = (
    ("log_end_offset", "LEO: the offset that the next record gets"),
    ("high_watermark", "HW: where the committed part ends"),
    ("log_start_offset", "The first offset that is there"),
    ("size_bytes", "Bytes of all batches"),
    ("unsynced_bytes", "Bytes of the last segment that no fsync has covered"),
    ("recovery_verified_bytes", "Bytes that were read and checked when the log was opened"),
    ("recovery_cut_bytes", "Bytes of a torn tail that were cut off when the log was opened"),
    ("damaged_ranges", "Ranges of offsets that are damaged and cannot be read"),
)


@dataclass(slots=True, frozen=True)
class SpuFacts:
    """What is not counted but looked at."""

    partitions: int  # that are served
    failed_replicas: int
    full_replicas: int  # that take no records for want of space
    is_out_of_storage: bool
    open_streams: int
    servers: Sequence[Server]


def spu_families(metrics: SpuMetrics, facts: SpuFacts) -> list[Family]:
    """All but those of partitions and what every server process has."""
    return [
        *_traffic_families(metrics),
        *_storage_families(metrics, facts),
        gauge("fluvio_spu_streams_open", "Streams of consumers that are open").add(facts.open_streams),
        *connection_families("fluvio_spu", facts.servers),
    ]


def _traffic_families(metrics: SpuMetrics) -> list[Family]:
    produce, push, fetch = metrics.produce_s.read(), metrics.push_s.read(), metrics.fetch_s.read()
    return [
        counter("fluvio_spu_produce_requests_total", "Produce requests answered").add(produce.count),
        counter("fluvio_spu_produce_batches_total", "Batches appended").add(metrics.produced_batches),
        *_direction_families("produce", "appended", metrics.inbound),
        histogram(
            "fluvio_spu_produce_duration_seconds",
            "From a whole produce request to its answer, with the wait for disk or commit if it wants that",
        ).add(produce),
        counter("fluvio_spu_push_total", "Slices sent to streams of consumers").add(push.count),
        counter("fluvio_spu_fetch_requests_total", "One-shot fetch requests answered").add(fetch.count),
        *_direction_families("fetch", "sent, to streams and as answers", metrics.outbound),
        histogram(
            "fluvio_spu_push_duration_seconds",
            "Sending one slice to a stream, until the system has taken it: a slow consumer makes it long",
        ).add(push),
        histogram("fluvio_spu_fetch_duration_seconds", "Reading for a one-shot fetch request").add(fetch),
    ]


def _direction_families(name: str, what: str, direction: Direction) -> list[Family]:
    records = counter(f"fluvio_spu_{name}_records_total", f"Records {what}", "origin")
    size = counter(f"fluvio_spu_{name}_bytes_total", f"Bytes of batches {what}", "origin")
    for origin, traffic in (("client", direction.client), ("connector", direction.connector)):
        records.add(traffic.records, origin)
        size.add(traffic.bytes, origin)
    return [records, size]


def _storage_families(metrics: SpuMetrics, facts: SpuFacts) -> list[Family]:
    return [
        histogram(
            "fluvio_spu_fsync_duration_seconds",
            "Syncing a replica as `--fsync` says, with the wait for a thread",
        ).add(metrics.fsync_s.read()),
        gauge("fluvio_spu_out_of_storage", "1 while the disk is too full for records, else 0").add(
            int(facts.is_out_of_storage)
        ),
        gauge("fluvio_spu_partitions", "Partitions that are served").add(facts.partitions),
        gauge("fluvio_spu_partitions_failed", "Partitions that could not be opened").add(
            facts.failed_replicas
        ),
        gauge("fluvio_spu_partitions_full", "Partitions that take no records for want of space").add(
            facts.full_replicas
        ),
        counter("fluvio_spu_retention_segments_removed_total", "Segments that retention removed").add(
            metrics.removed_segments
        ),
        counter("fluvio_spu_retention_removed_bytes_total", "Bytes of batches that retention removed").add(
            metrics.removed_bytes
        ),
    ]


def partition_rows(leaders: Mapping[Key, LeaderReplica]) -> list[PartitionRow]:
    """Copy the figures of each partition: 1 µs each, so that ten thousand do not hold up the event loop."""
    rows: list[PartitionRow] = []
    for (topic, partition), leader in leaders.items():
        log = leader.log
        report = log.report
        tail = report.torn_tail
        cut_bytes = 0 if tail is None else tail.size_bytes
        sizes = (log.size_bytes, log.unsynced_bytes, report.verified_bytes, cut_bytes)
        rows.append((topic, partition, (log.leo, log.hw, log.log_start, *sizes, len(log.holes))))
    return rows


def partition_families(rows: Sequence[PartitionRow]) -> list[Family]:
    """Make families of the rows; may be done in any thread."""
    families = [
        gauge(f"fluvio_spu_partition_{name}", help, "topic", "partition") for name, help in _OF_PARTITION
    ]
    for topic, partition, values in rows:
        labels = (topic, str(partition))
        for family, value in zip(families, values, strict=True):
            family.add(value, *labels)
    return families
