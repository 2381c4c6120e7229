"""Control channel between SC and SPUs, on the SC's private port.

Layout: docs/protocol.md, "SPU registers with the SC".
"""

import enum
from typing import Generic, TypeVar

from fluvio_protocol.api.admin import MsgType
from fluvio_protocol.api.mirror import MirrorSpec, MirrorStatus, PartitionMirrorConfig
from fluvio_protocol.api.partition import PartitionResolution, ReplicaStatus
from fluvio_protocol.api.smartmodule import SmartModuleSpec
from fluvio_protocol.api.spu import SpuSpec
from fluvio_protocol.api.topic import CleanupPolicy, CompressionAlgorithm, Deduplication, TopicStorageConfig
from fluvio_protocol.error_code import OK, ErrorCode, ReplicaKey
from fluvio_protocol.wire import field, i32, i64, request, since, u32, wire_struct

X = TypeVar("X")


class ScPrivateKey(enum.IntEnum):
    """What an SPU sends to the SC; the versions are those of the official engine."""

    REGISTER_SPU = 2000
    UPDATE_LRS = 2001
    REPLICA_REMOVED = 2002
    UPDATE_MIRROR_STAT = 2003
    UPDATE_PARTITION_STAT = 2004


class SpuControlKey(enum.IntEnum):
    """What the SC sends to an SPU."""

    UPDATE_SPU = 1001
    UPDATE_REPLICA = 1002
    UPDATE_SMARTMODULE = 1003
    UPDATE_MIRROR = 1004


UPDATE_LRS_VERSION = 1
UPDATE_SPU_VERSION = 0
UPDATE_REPLICA_VERSION = 18
UPDATE_SMARTMODULE_VERSION = 10
UPDATE_MIRROR_VERSION = 0


@wire_struct
class RegisterSpuResponse:
    """Whether the SC knows the SPU."""

    error_code: ErrorCode = OK
    error_message: str | None = None


@request(side="sc-private", key=ScPrivateKey.REGISTER_SPU, versions=range(1), response=RegisterSpuResponse)
@wire_struct
class RegisterSpuRequest:
    """The first frame of an SPU."""

    spu: i32


@wire_struct
class LrsRequest:
    """What a leader knows of one replica; `size` in bytes."""

    id: ReplicaKey
    leader: ReplicaStatus
    replicas: list[ReplicaStatus] = field(default_factory=list)
    size: i64 = 0
    base_offset: i64 = since(1, default=0)


@wire_struct
class SpuStat:
    """Counters of an SPU."""

    smartmodules_count: u32 = 0
    smart_streams_count: u32 = 0


@request(side="sc-private", key=ScPrivateKey.UPDATE_LRS, versions=range(2), response=None)
@wire_struct
class UpdateLrsRequest:
    """Changed replicas; sent also when empty, as the heartbeat."""

    replicas: list[LrsRequest] = field(default_factory=list)
    stat: SpuStat = field(default_factory=SpuStat)


@request(side="sc-private", key=ScPrivateKey.REPLICA_REMOVED, versions=range(1), response=None)
@wire_struct
class ReplicaRemovedRequest:
    """A leader has removed a replica's log."""

    id: ReplicaKey
    confirm: bool = True


@wire_struct
class MirrorStatRequest:
    """State of one mirror."""

    mirror_id: str
    status: MirrorStatus


@request(side="sc-private", key=ScPrivateKey.UPDATE_MIRROR_STAT, versions=range(1), response=None)
@wire_struct
class UpdateMirrorStatRequest:
    """Changed mirrors."""

    stats: list[MirrorStatRequest] = field(default_factory=list)


@wire_struct
class PartitionStatRequest:
    """State of one partition."""

    replica_key: ReplicaKey
    resolution: PartitionResolution


@request(side="sc-private", key=ScPrivateKey.UPDATE_PARTITION_STAT, versions=range(1), response=None)
@wire_struct
class UpdatePartitionStatRequest:
    """Changed partitions."""

    stats: list[PartitionStatRequest] = field(default_factory=list)


@wire_struct
class Replica:
    """A partition as SPUs are told of it."""

    id: ReplicaKey
    leader: i32
    replicas: list[i32]
    mirror: PartitionMirrorConfig | None = None
    is_being_deleted: bool = False
    cleanup_policy: CleanupPolicy | None = None
    storage: TopicStorageConfig | None = None
    compression_type: CompressionAlgorithm = CompressionAlgorithm.ANY
    deduplication: Deduplication | None = None


@wire_struct
class SmartModule:
    """A SmartModule as SPUs are told of it."""

    name: str
    spec: SmartModuleSpec


@wire_struct
class Mirror:
    """A mirror as SPUs are told of it."""

    name: str
    spec: MirrorSpec


ADOPTED = "adopted"
"""The incarnation of a topic that the SC found without one: the official engine made it, or wrote it last.

Whatever records are there are its records. A topic that is made anew never has it.
"""


@wire_struct
class ReplicaIncarnation:
    """Which life of a topic a replica belongs to: a topic made anew under an old name has another one."""

    id: ReplicaKey
    incarnation: str


@request(side="spu-control", key=9001, versions=range(1), response=None)
@wire_struct
class UpdateIncarnationsRequest:
    """Ours, not Fluvio's: the cluster's id and the incarnations of all replicas of the update that follows.

    The SC sends it before `UpdateReplicaRequest`, and only to an SPU whose `RegisterSpuRequest` came with a
    client id that ends in `OWN_SPU_MARK`, so a foreign SPU or SC never meets it.

    `is_whole` is for a full update: what it does not name was deleted. Otherwise the SC may have lost sight
    of some replicas, and what it does not name stays.
    """

    cluster_id: str
    is_whole: bool
    incarnations: list[ReplicaIncarnation] = field(default_factory=list)


OWN_SPU_MARK = "; incarnations"


@wire_struct
class ControlMessage(Generic[X]):
    """One changed object."""

    header: MsgType
    content: X


@request(side="spu-control", key=SpuControlKey.UPDATE_SPU, versions=range(2), response=None)
@wire_struct
class UpdateSpuRequest:
    """All SPUs in `all`, or changes."""

    epoch: i64
    changes: list[ControlMessage[SpuSpec]] = field(default_factory=list)
    all: list[SpuSpec] = field(default_factory=list)


@request(side="spu-control", key=SpuControlKey.UPDATE_REPLICA, versions=range(20), response=None)
@wire_struct
class UpdateReplicaRequest:
    """All replicas of the cluster in `all`, or changes; an SPU picks its own."""

    epoch: i64
    changes: list[ControlMessage[Replica]] = field(default_factory=list)
    all: list[Replica] = field(default_factory=list)


@request(side="spu-control", key=SpuControlKey.UPDATE_SMARTMODULE, versions=range(20), response=None)
@wire_struct
class UpdateSmartModuleRequest:
    """All SmartModules in `all`, or changes."""

    epoch: i64
    changes: list[ControlMessage[SmartModule]] = field(default_factory=list)
    all: list[SmartModule] = field(default_factory=list)


@request(side="spu-control", key=SpuControlKey.UPDATE_MIRROR, versions=range(2), response=None)
@wire_struct
class UpdateMirrorRequest:
    """All mirrors in `all`, or changes."""

    epoch: i64
    changes: list[ControlMessage[Mirror]] = field(default_factory=list)
    all: list[Mirror] = field(default_factory=list)
