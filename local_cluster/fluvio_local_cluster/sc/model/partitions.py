"""What a partition's status becomes: by its leader's reports, and by its leader's coming and going."""

from fluvio_local_cluster.sc.model.objects import Partition
from fluvio_protocol.api.partition import (
    UNKNOWN_OFFSET,
    PartitionResolution,
    PartitionSpec,
    PartitionStatus,
    ReplicaStatus,
)
from fluvio_protocol.api.sc_spu import LrsRequest, Replica
from fluvio_protocol.error_code import ReplicaKey
from fluvio_types.names import parse_partition_key

UNKNOWN_SPU = -1


def replica_of(partition: Partition) -> Replica:
    """The partition as SPUs are told of it."""
    topic, number = parse_partition_key(partition.key)
    spec = partition.spec
    return Replica(
        id=ReplicaKey(topic=topic, partition=number),
        leader=spec.leader,
        replicas=spec.replicas,
        mirror=spec.mirror,
        is_being_deleted=partition.status.is_being_deleted,
        cleanup_policy=spec.cleanup_policy,
        storage=spec.storage,
        compression_type=spec.compression_type,
        deduplication=spec.deduplication,
    )


def merged(spec: PartitionSpec, status: PartitionStatus, report: LrsRequest) -> PartitionStatus:
    """The status after a report of the partition's leader.

    The partition becomes Online, except that OutOfStorage stays until the leader takes it back. Entries
    without an SPU or an offset say nothing and are passed over.
    """
    if not _is_known(report.leader):
        return status
    leader = report.leader
    followers = {replica.spu: replica for replica in status.replicas}
    if _is_known(status.leader):
        followers.setdefault(status.leader.spu, status.leader)
    followers |= {replica.spu: replica for replica in report.replicas if _is_known(replica)}
    followers.pop(leader.spu, None)
    order = {spu: place for place, spu in enumerate(spec.replicas)}
    known = sorted((x for x in followers.values() if x.spu in order), key=lambda x: order[x.spu])
    is_full = status.resolution is PartitionResolution.OUT_OF_STORAGE
    return PartitionStatus(
        resolution=PartitionResolution.OUT_OF_STORAGE if is_full else PartitionResolution.ONLINE,
        leader=leader,
        lsr=sum(1 for replica in known if replica.leo == leader.leo),
        replicas=known,
        size=report.size,
        is_being_deleted=status.is_being_deleted,
        base_offset=report.base_offset,
    )


def _is_known(replica: ReplicaStatus) -> bool:
    return replica.spu != UNKNOWN_SPU and UNKNOWN_OFFSET not in (replica.hw, replica.leo)


def resolved(status: PartitionStatus, resolution: PartitionResolution) -> PartitionStatus:
    """The same status under another resolution."""
    return PartitionStatus(
        resolution=resolution,
        leader=status.leader,
        lsr=status.lsr,
        replicas=status.replicas,
        size=status.size,
        is_being_deleted=status.is_being_deleted,
        base_offset=status.base_offset,
    )


def differs_in_state(old: PartitionStatus, new: PartitionStatus) -> bool:
    """Whether more changed than offsets and sizes: then the file is due now, else it may wait."""
    return (old.resolution, old.leader.spu, old.is_being_deleted) != (
        new.resolution,
        new.leader.spu,
        new.is_being_deleted,
    )
