"""SPUs, custom SPUs and SPU groups. Layout: docs/protocol.md, "SPU" and "SPU group"."""

import enum

from fluvio_protocol.wire import field, i32, since, u16, wire_struct


class SpuType(enum.IntEnum):
    """Who runs the SPU's process: a group of the cluster, or somebody else."""

    MANAGED = 0
    CUSTOM = 1


class EncryptionEnum(enum.IntEnum):
    """Kept for the wire: clients take TLS from their profile, not from here."""

    PLAINTEXT = 0
    SSL = 1


class SpuStatusResolution(enum.IntEnum):
    """Whether the SPU's process is connected; `INIT` until it registers for the first time."""

    ONLINE = 0
    OFFLINE = 1
    INIT = 2


@wire_struct
class IngressAddr:
    """An address for clients: a host name or an IP."""

    hostname: str | None = None
    ip: str | None = None


@wire_struct
class IngressPort:
    """Where clients reach an SPU."""

    port: u16
    ingress: list[IngressAddr]
    encryption: EncryptionEnum = EncryptionEnum.PLAINTEXT

    @property
    def host(self) -> str:
        """The first ingress entry's host name, else its IP, else empty: what clients connect to."""
        first = self.ingress[0] if self.ingress else IngressAddr()
        return first.hostname or first.ip or ""


@wire_struct
class Endpoint:
    """Where one server reaches another."""

    port: u16
    host: str
    encryption: EncryptionEnum = EncryptionEnum.PLAINTEXT


@wire_struct
class SpuSpec:
    """What an SPU shall be."""

    id: i32
    spu_type: SpuType = SpuType.CUSTOM
    public_endpoint: IngressPort
    private_endpoint: Endpoint
    rack: str | None = None
    public_endpoint_local: Endpoint | None = since(1, default=None)


@wire_struct
class CustomSpuSpec:
    """An SPU whose process the cluster does not start."""

    id: i32
    public_endpoint: IngressPort
    private_endpoint: Endpoint
    rack: str | None = None
    public_endpoint_local: Endpoint | None = None


@wire_struct
class SpuStatus:
    """What an SPU is."""

    resolution: SpuStatusResolution = SpuStatusResolution.INIT


@wire_struct
class ReplicationConfig:
    """Replication settings of a group."""

    in_sync_replica_min: u16 | None = None


@wire_struct
class StorageConfig:
    """Storage settings of a group; `size` is a text such as `10Gi`."""

    log_dir: str | None = None
    size: str | None = None


@wire_struct
class EnvVar:
    """One environment variable for a group's SPUs."""

    name: str
    value: str


@wire_struct
class SpuConfig:
    """Settings that all SPUs of a group share."""

    rack: str | None = None
    replication: ReplicationConfig | None = None
    storage: StorageConfig | None = None
    env: list[EnvVar] = field(default_factory=list)


class SpuGroupStatusResolution(enum.IntEnum):
    """Life of a group."""

    INIT = 0
    INVALID = 1
    RESERVED = 2


@wire_struct
class SpuGroupSpec:
    """So many managed SPUs, with ids from `min_id`."""

    replicas: u16
    min_id: i32 = 0
    spu_config: SpuConfig = field(default_factory=SpuConfig)


@wire_struct
class SpuGroupStatus:
    """What became of a group."""

    resolution: SpuGroupStatusResolution = SpuGroupStatusResolution.INIT
    reason: str | None = None
