"""Topics. Layout: docs/protocol.md, "Topic"."""

import enum
from typing import Annotated

from fluvio_protocol.api.mirror import MirrorConfig, PartitionMirrorConfig
from fluvio_protocol.wire import field, i32, since, u32, u64, union, wire_struct


class CompressionAlgorithm(enum.IntEnum):
    """What a topic demands of its batches. The numbers differ from those in batches (`compression.Codec`)."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ANY = 4
    ZSTD = 5


@wire_struct
class PartitionMap:
    """Replicas of one partition by hand, the leader first."""

    id: u32
    replicas: list[i32]
    mirror: PartitionMirrorConfig | None = since(14, default=None)


@wire_struct
class AssignedReplicas:
    """Placement given by hand."""

    maps: list[PartitionMap]


@wire_struct
class TopicReplicaParam:
    """Placement computed by the SC."""

    partitions: u32 = 1
    replication_factor: u32 = 1
    ignore_rack_assignment: bool = False


@wire_struct
class MirrorReplicas:
    """Placement that follows the other cluster of a mirror."""

    config: MirrorConfig


ReplicaSpec = Annotated[
    AssignedReplicas | TopicReplicaParam | MirrorReplicas,
    union({0: AssignedReplicas, 1: TopicReplicaParam, 2: MirrorReplicas}),
]


@wire_struct
class SegmentBasedPolicy:
    """Retention by age of whole segments."""

    time_in_seconds: u32


CleanupPolicy = Annotated[SegmentBasedPolicy, union({0: SegmentBasedPolicy})]


@wire_struct
class TopicStorageConfig:
    """Sizes in bytes."""

    segment_size: u32 | None = None
    max_partition_size: u64 | None = None


@wire_struct
class Duration:
    """A span of time."""

    seconds: u64
    nanos: u32 = 0


@wire_struct
class Bounds:
    """How much a deduplication filter remembers."""

    count: u64
    age: Duration | None = None


@wire_struct
class Transform:
    """A SmartModule and its parameters."""

    uses: str
    with_: dict[str, str] = field(default_factory=dict)


@wire_struct
class Filter:
    """The filter of a deduplication."""

    transform: Transform


@wire_struct
class Deduplication:
    """Records that the leader drops because it has seen them."""

    bounds: Bounds
    filter: Filter


@wire_struct
class TopicSpec:
    """What a topic shall be."""

    replicas: ReplicaSpec
    cleanup_policy: CleanupPolicy | None = since(3, default=None)
    storage: TopicStorageConfig | None = since(4, default=None)
    compression_type: CompressionAlgorithm = since(6, default=CompressionAlgorithm.ANY)
    deduplication: Deduplication | None = since(12, default=None)
    system: bool = since(13, default=False)


class TopicResolution(enum.IntEnum):
    """Life of a topic."""

    INIT = 0
    PENDING = 1
    INSUFFICIENT_RESOURCES = 2
    INVALID_CONFIG = 3
    PROVISIONED = 4
    DELETING = 5


@wire_struct
class TopicStatus:
    """What a topic is: `replica_map` has partition -> SPU ids, the leader first."""

    resolution: TopicResolution = TopicResolution.INIT
    replica_map: dict[u32, list[i32]] = field(default_factory=dict)
    mirror_map: dict[u32, PartitionMirrorConfig] = since(14, default_factory=dict)
    reason: str = ""


@wire_struct
class AddPartition:
    """So many partitions more."""

    count: u32


@wire_struct
class AddMirror:
    """One remote cluster more on a home mirror topic."""

    remote_cluster: str
    home_to_mirror: bool = False


UpdateTopicAction = Annotated[AddPartition | AddMirror, union({0: AddPartition, 1: AddMirror})]
