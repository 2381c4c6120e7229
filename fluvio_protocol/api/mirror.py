"""Mirrors of other clusters. Layout: docs/protocol.md, "Table format, mirror"."""

import enum
from typing import Annotated

from fluvio_protocol.wire import WireChoice, field, i32, since, u64, union, wire_choice, wire_struct


@wire_struct
class ClientTls:
    """TLS material with which a remote reaches its home; PEM texts."""

    domain: str
    ca_cert: str
    client_cert: str
    client_key: str


@wire_struct
class RemoteMirror:
    """On a home cluster: one of its remotes."""

    id: str


@wire_struct
class HomeMirror:
    """On a remote cluster: where home is."""

    id: str
    remote_id: str
    public_endpoint: str
    client_tls: ClientTls | None = None


MirrorType = Annotated[RemoteMirror | HomeMirror, union({0: RemoteMirror, 1: HomeMirror})]


@wire_struct
class MirrorSpec:
    """A paired cluster, seen from either side."""

    mirror_type: MirrorType


class MirrorPairState(enum.IntEnum):
    """How pairing went."""

    WAITING = 0
    SUCCESSFUL = 1
    FAILED = 2
    DISABLED = 3
    UNAUTHORIZED = 4
    DETAIL_FAILURE = 5


@wire_choice(MirrorPairState, {MirrorPairState.DETAIL_FAILURE: (str,)})
class MirrorPairStatus(WireChoice):
    """How pairing went, with a text when there is one."""

    __slots__ = ()


class ConnectionStatus(enum.IntEnum):
    """Whether the two sides are connected."""

    OFFLINE = 0
    ONLINE = 1


@wire_struct
class ConnectionStat:
    """`last_seen` in ms since 1970."""

    last_seen: u64 = 0


def _waiting() -> MirrorPairStatus:
    return MirrorPairStatus(MirrorPairState.WAITING)


@wire_struct
class MirrorStatus:
    """State of a pairing."""

    connection_status: ConnectionStatus = ConnectionStatus.OFFLINE
    pairing_sc: MirrorPairStatus = field(default_factory=_waiting)
    pairing_spu: MirrorPairStatus = field(default_factory=_waiting)
    connection_stat: ConnectionStat = field(default_factory=ConnectionStat)


# --- the mirror parts of topics and partitions ------------------------------------------------------------


@wire_struct
class SpuMirrorConfig:
    """An SPU of the home cluster."""

    id: i32
    key: str
    endpoint: str


@wire_struct
class RemoteMirrorConfig:
    """A mirror topic as it stands on a remote cluster."""

    home_cluster: str
    home_spus: list[SpuMirrorConfig]
    target: bool = since(18, default=False)


@wire_struct
class HomePartitionConfig:
    """A home partition, paired with one remote cluster."""

    remote_cluster: str
    remote_replica: str
    source: bool = since(18, default=False)


@wire_struct
class HomeMirrorConfig:
    """A mirror topic as it stands on the home cluster."""

    partitions: list[HomePartitionConfig]
    source: bool = since(18, default=False)


@wire_struct
class RemotePartitionConfig:
    """A remote partition, paired with an SPU of the home cluster."""

    home_cluster: str
    home_spu_key: str
    home_spu_id: i32
    home_spu_endpoint: str
    target: bool = since(18, default=False)


MirrorConfig = Annotated[
    RemoteMirrorConfig | HomeMirrorConfig, union({0: RemoteMirrorConfig, 1: HomeMirrorConfig})
]
PartitionMirrorConfig = Annotated[
    RemotePartitionConfig | HomePartitionConfig, union({0: RemotePartitionConfig, 1: HomePartitionConfig})
]
