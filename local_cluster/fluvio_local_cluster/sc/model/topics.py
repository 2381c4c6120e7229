"""The life of a topic: from what it shall be to where its partitions are.

Init and Pending are passed within one decision, so what is stored is Provisioned, InsufficientResources
(tried again whenever an SPU comes) or InvalidConfig. A topic that is provisioned has one partition object
for each row of its `replica_map`.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from fluvio_local_cluster.sc.model.objects import (
    AnyObject,
    Kind,
    Meta,
    Partition,
    PartitionRuntime,
    StoredObject,
    Topic,
    TopicRuntime,
)
from fluvio_local_cluster.sc.model.placement import InsufficientSpusError, Load, place
from fluvio_local_cluster.sc.model.stores import Cluster
from fluvio_local_cluster.sc.model.validation import (
    partition_count,
    replicas_problem,
    replication_factor,
    unknown_spu_problem,
    unsupported,
)
from fluvio_protocol.api.partition import PartitionResolution, PartitionSpec, PartitionStatus
from fluvio_protocol.api.spu import SpuStatusResolution
from fluvio_protocol.api.topic import (
    AssignedReplicas,
    SegmentBasedPolicy,
    TopicReplicaParam,
    TopicResolution,
    TopicSpec,
    TopicStatus,
    TopicStorageConfig,
)
from fluvio_types.defaults import CONSUMER_OFFSET_TOPIC, RETENTION_S
from fluvio_types.names import partition_key

READABLE = frozenset({PartitionResolution.ONLINE, PartitionResolution.OUT_OF_STORAGE})


def new_incarnation() -> str:
    """What tells a new topic from any other that had or will have its name."""
    return os.urandom(16).hex()


def new_topic(name: str, spec: TopicSpec) -> Topic:
    """A topic as it begins; `provision` moves it on."""
    return StoredObject(name, spec, TopicStatus(), TopicRuntime(incarnation=new_incarnation()))


def consumer_offset_topic() -> Topic:
    """The system topic in which SPUs keep the positions of consumers; settings as upstream's."""
    spec = TopicSpec(
        replicas=TopicReplicaParam(partitions=1, replication_factor=1),
        cleanup_policy=SegmentBasedPolicy(time_in_seconds=RETENTION_S),
        storage=TopicStorageConfig(segment_size=512_000_000, max_partition_size=2_048_000_000),
        system=True,
    )
    return new_topic(CONSUMER_OFFSET_TOPIC, spec)


@dataclass(slots=True)
class Provisioning:
    """What provisioning changes: topics in a new state, and partitions that are to be made for them."""

    topics: list[Topic] = field(default_factory=list)
    partitions: list[Partition] = field(default_factory=list)

    @property
    def objects(self) -> list[tuple[Kind, AnyObject]]:
        """All of it, topics before their partitions."""
        topics: list[tuple[Kind, AnyObject]] = [(Kind.TOPIC, topic) for topic in self.topics]
        return topics + [(Kind.PARTITION, partition) for partition in self.partitions]


def load_of(cluster: Cluster) -> Load:
    """How the existing partitions burden the SPUs."""
    load = Load()
    for partition in cluster.partitions:
        load.add(partition.spec.replicas, partition.spec.leader)
    return load


def provision(cluster: Cluster, topics: Iterable[Topic]) -> Provisioning:
    """Move each of `topics` (stored or new) as far as the SPUs allow now."""
    result = Provisioning()
    load = load_of(cluster)
    for topic in topics:
        status = next_status(topic, cluster, load)
        partitions = _missing_partitions(topic, status, cluster)
        if partitions:
            children = dict(topic.meta.children or {})
            listed = list(children.get("Partition", []))
            listed += [{"id": partition.key, "revision": 0} for partition in partitions]
            children["Partition"] = listed
            topic = topic.changed()
            topic.meta = Meta(topic.meta.revision, topic.meta.parent, children)
        stored = cluster.topics.get(topic.key)
        if partitions or stored is None or stored.status != status or stored.spec != topic.spec:
            result.topics.append(topic.changed(status=status))
        result.partitions += partitions
    return result


def next_status(topic: Topic, cluster: Cluster, load: Load) -> TopicStatus:
    """The state a topic gets now; rows that are placed stay. New rows are counted in `load`."""
    replicas, status = topic.spec.replicas, topic.status
    count = partition_count(replicas)
    if status.resolution is TopicResolution.PROVISIONED and len(status.replica_map) >= count:
        return status
    problem = replicas_problem(replicas)
    if problem is None and isinstance(replicas, AssignedReplicas):
        problem = unknown_spu_problem(replicas, cluster)
    if problem is not None:
        return _status(status, TopicResolution.INVALID_CONFIG, reason=problem)
    missing = unsupported(topic.spec)
    if missing is not None:
        return _status(status, TopicResolution.INSUFFICIENT_RESOURCES, f"not supported yet: {missing}")
    if isinstance(replicas, AssignedReplicas):
        rows = {row.id: list(row.replicas) for row in replicas.maps}
        for row in rows.values():
            load.add(row)
        return _status(status, TopicResolution.PROVISIONED, rows=rows)
    try:
        rows = place(
            count,
            replication_factor(replicas),
            registered=len(cluster.spus),
            online=online_spus(cluster),
            load=load,
            placed=status.replica_map,
        )
    except InsufficientSpusError as exc:
        return _status(status, TopicResolution.INSUFFICIENT_RESOURCES, str(exc))
    return _status(status, TopicResolution.PROVISIONED, rows=rows)


def _status(
    old: TopicStatus,
    resolution: TopicResolution,
    reason: str = "",
    *,
    rows: dict[int, list[int]] | None = None,
) -> TopicStatus:
    return TopicStatus(
        resolution=resolution,
        replica_map=old.replica_map if rows is None else rows,
        mirror_map=old.mirror_map,
        reason=reason,
    )


def online_spus(cluster: Cluster) -> list[int]:
    """Ids of the SPUs that are connected."""
    return [spu.spec.id for spu in cluster.spus if spu.status.resolution is SpuStatusResolution.ONLINE]


def _missing_partitions(topic: Topic, status: TopicStatus, cluster: Cluster) -> list[Partition]:
    made: list[Partition] = []
    for number, row in sorted(status.replica_map.items()):
        key = partition_key(topic.key, number)
        if row and key not in cluster.partitions:
            made.append(_new_partition(topic, status, number, key, row))
    return made


def _new_partition(topic: Topic, status: TopicStatus, number: int, key: str, row: list[int]) -> Partition:
    spec = topic.spec
    return StoredObject(
        key,
        PartitionSpec(
            leader=row[0],
            replicas=list(row),
            cleanup_policy=spec.cleanup_policy,
            storage=spec.storage,
            compression_type=spec.compression_type,
            deduplication=spec.deduplication,
            system=spec.system,
            mirror=status.mirror_map.get(number),
        ),
        PartitionStatus(),
        PartitionRuntime(incarnation=topic.runtime.incarnation, isr=list(row)),
        Meta(parent={"id": topic.key, "revision": max(topic.meta.revision + 1, 0)}),
    )


def online_count(topic: Topic, cluster: Cluster) -> int:
    """How many of the partitions that the topic asks for can be read."""
    keys = (partition_key(topic.key, number) for number in range(partition_count(topic.spec.replicas)))
    found = (cluster.partitions.get(key) for key in keys)
    return sum(1 for partition in found if partition is not None and partition.status.resolution in READABLE)


_STATES = {
    TopicResolution.INIT: "initializing",
    TopicResolution.PENDING: "pending",
    TopicResolution.INSUFFICIENT_RESOURCES: "insufficient-resources",
    TopicResolution.INVALID_CONFIG: "invalid-config",
    TopicResolution.PROVISIONED: "provisioned",
    TopicResolution.DELETING: "deleting",
}


def waiting_text(topic: Topic, cluster: Cluster) -> str:
    """Why a topic is not usable yet: what a create says whose patience has ended."""
    count = partition_count(topic.spec.replicas)
    text = f"only {online_count(topic, cluster)} out of {count} provisioned"
    state = _STATES[topic.status.resolution]
    if topic.status.resolution is TopicResolution.PROVISIONED:
        return f"{text}: topic '{topic.key}' is placed, its leaders have not reported yet"
    reason = f": {topic.status.reason}" if topic.status.reason else ""
    text = f"{text}: topic '{topic.key}' is {state}{reason}"
    if topic.status.resolution is TopicResolution.INSUFFICIENT_RESOURCES and not unsupported(topic.spec):
        text += "; it will be provisioned when SPUs join"
    return text
