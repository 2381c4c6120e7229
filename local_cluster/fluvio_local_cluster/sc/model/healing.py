"""What a loaded directory lacks and can be told from the rest.

A partition's file can be made again from its topic's `replica_map`, a topic's from its partitions: so one
damaged file costs nothing but what it alone knew. Objects of an official directory get what we keep beside
them. What changes here is to be written.
"""

import logging
from dataclasses import replace

from fluvio_local_cluster.sc.model.objects import (
    AnyObject,
    Kind,
    Meta,
    Partition,
    PartitionRuntime,
    StoredObject,
    TopicRuntime,
)
from fluvio_local_cluster.sc.model.spus import with_resolution
from fluvio_local_cluster.sc.model.stores import Cluster
from fluvio_local_cluster.sc.model.topics import provision
from fluvio_protocol.api.sc_spu import ADOPTED
from fluvio_protocol.api.spu import SpuStatusResolution
from fluvio_protocol.api.topic import TopicReplicaParam, TopicResolution, TopicSpec, TopicStatus
from fluvio_types.errors import FluvioError
from fluvio_types.names import parse_partition_key

_logger = logging.getLogger(__name__)


def heal(cluster: Cluster) -> list[tuple[Kind, AnyObject]]:
    """Complete a cluster that was just loaded; returns what differs from its files."""
    changed: dict[tuple[Kind, str], AnyObject] = {}
    for kind, stored in (
        *_rebuilt_topics(cluster),
        *_with_all_rows(cluster),
        *_with_runtime(cluster),
        *_missing_partitions(cluster),
    ):
        changed[kind, stored.key] = stored
    for spu in list(cluster.spus):  # nobody has registered with this process yet
        cluster.spus.apply([with_resolution(spu, SpuStatusResolution.INIT)])
    return [(kind, stored) for (kind, _), stored in changed.items()]


def _rebuilt_topics(cluster: Cluster) -> list[tuple[Kind, AnyObject]]:
    orphans: dict[str, dict[int, Partition]] = {}
    for partition in cluster.partitions:
        try:
            name, number = parse_partition_key(partition.key)
        except FluvioError as exc:
            _logger.warning("a partition belongs to no topic key=%s cause=%s", partition.key, exc)
            continue
        if name not in cluster.topics:
            orphans.setdefault(name, {})[number] = partition
    rebuilt: list[tuple[Kind, AnyObject]] = []
    for name, rows in orphans.items():
        topic = _topic_of(name, rows)
        _logger.warning("a topic was made again from its partitions topic=%s partitions=%d", name, len(rows))
        cluster.topics.apply([topic])
        rebuilt.append((Kind.TOPIC, topic))
    return rebuilt


def _topic_of(name: str, rows: dict[int, Partition]) -> StoredObject[TopicSpec, TopicStatus, TopicRuntime]:
    last = max(rows)
    model = rows[last].spec
    runtimes = [partition.runtime for partition in rows.values() if partition.runtime is not None]
    spec = TopicSpec(
        replicas=TopicReplicaParam(partitions=last + 1, replication_factor=len(model.replicas)),
        cleanup_policy=model.cleanup_policy,
        storage=model.storage,
        compression_type=model.compression_type,
        deduplication=model.deduplication,
        system=model.system,
    )
    status = TopicStatus(
        resolution=TopicResolution.PROVISIONED,
        replica_map={number: list(rows[number].spec.replicas) for number in sorted(rows)},
        mirror_map={n: x.spec.mirror for n, x in sorted(rows.items()) if x.spec.mirror is not None},
    )
    children = [{"id": rows[number].key, "revision": 0} for number in sorted(rows)]
    incarnation = runtimes[0].incarnation if runtimes else ADOPTED
    return StoredObject(
        name, spec, status, TopicRuntime(incarnation=incarnation), Meta(children={"Partition": children})
    )


def _with_all_rows(cluster: Cluster) -> list[tuple[Kind, AnyObject]]:
    """Topics whose map lacks a partition that is there: its file came back after the topic was rebuilt."""
    rows: dict[str, dict[int, list[int]]] = {}
    for partition in cluster.partitions:
        name, _, number = partition.key.rpartition("-")
        if name in cluster.topics and number.isdecimal():
            rows.setdefault(name, {})[int(number)] = list(partition.spec.replicas)
    changed: list[tuple[Kind, AnyObject]] = []
    for name, found in rows.items():
        topic = cluster.topics.get(name)
        if topic is not None and found.keys() - topic.status.replica_map.keys():
            status = replace(
                topic.status, replica_map=dict(sorted({**found, **topic.status.replica_map}.items()))
            )
            topic = topic.changed(status=status)
            changed.append((Kind.TOPIC, topic))
    cluster.topics.apply([topic for _, topic in changed])
    return changed


def _with_runtime(cluster: Cluster) -> list[tuple[Kind, AnyObject]]:
    changed: list[tuple[Kind, AnyObject]] = []
    for topic in cluster.topics:
        if topic.runtime is None:
            topic.runtime = TopicRuntime(incarnation=ADOPTED)
            changed.append((Kind.TOPIC, topic))
    for partition in cluster.partitions:
        if partition.runtime is None:
            parent = cluster.topics.get(partition.key.rpartition("-")[0])
            incarnation = ADOPTED if parent is None else parent.runtime.incarnation
            partition.runtime = PartitionRuntime(incarnation=incarnation, isr=list(partition.spec.replicas))
            changed.append((Kind.PARTITION, partition))
    return changed


def _missing_partitions(cluster: Cluster) -> list[tuple[Kind, AnyObject]]:
    made = provision(cluster, [topic for topic in cluster.topics if topic.status.replica_map])
    for partition in made.partitions:
        _logger.warning("a partition was made again from its topic key=%s", partition.key)
    cluster.topics.apply(made.topics)
    cluster.partitions.apply(made.partitions)
    return made.objects
