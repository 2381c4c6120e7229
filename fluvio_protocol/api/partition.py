"""Partitions. Layout: docs/protocol.md, "Partition"."""

import enum

from fluvio_protocol.api.mirror import PartitionMirrorConfig
from fluvio_protocol.api.topic import CleanupPolicy, CompressionAlgorithm, Deduplication, TopicStorageConfig
from fluvio_protocol.wire import field, i32, i64, since, u32, wire_struct


@wire_struct
class PartitionSpec:
    """What a partition shall be; `replicas` includes the leader."""

    leader: i32
    replicas: list[i32]
    cleanup_policy: CleanupPolicy | None = since(4, default=None)
    storage: TopicStorageConfig | None = since(4, default=None)
    compression_type: CompressionAlgorithm = since(6, default=CompressionAlgorithm.ANY)
    deduplication: Deduplication | None = since(12, default=None)
    system: bool = since(13, default=False)
    mirror: PartitionMirrorConfig | None = since(14, default=None)


class PartitionResolution(enum.IntEnum):
    """Whether a partition can be used."""

    OFFLINE = 0
    ONLINE = 1
    LEADER_OFFLINE = 2
    ELECTION_LEADER_FOUND = 3
    OUT_OF_STORAGE = 4


UNKNOWN_OFFSET = -1
SIZE_ERROR = -1
SIZE_UNKNOWN = -2


@wire_struct
class ReplicaStatus:
    """Where one replica is; offsets of -1 are unknown."""

    spu: i32 = -1
    hw: i64 = UNKNOWN_OFFSET
    leo: i64 = UNKNOWN_OFFSET


@wire_struct
class PartitionStatus:
    """What a partition is: `lsr` followers have the leader's LEO; `size` in bytes, -1 error, -2 unknown."""

    resolution: PartitionResolution = PartitionResolution.OFFLINE
    leader: ReplicaStatus = field(default_factory=ReplicaStatus)
    lsr: u32 = 0
    replicas: list[ReplicaStatus] = field(default_factory=list)
    size: i64 = since(5, default=SIZE_UNKNOWN)
    is_being_deleted: bool = False
    base_offset: i64 = since(16, default=0)
