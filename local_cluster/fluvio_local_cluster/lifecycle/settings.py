"""What a local cluster shall be, and the servers that follow from it. Pure.

Defaults: docs/local-cluster.md, "Addresses". Port 0 anywhere means: choose a free one; the choice is kept
in the state file, so that a resumed cluster is found at the same address.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from pathlib import Path

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle.errors import LocalClusterError
from fluvio_local_cluster.lifecycle.tls import ClusterTls
from fluvio_types.defaults import (
    CONSUMER_OFFSET_TTL_S,
    LOCAL_SPU_ID_BASE,
    LOCAL_SPU_PORT_STEP,
    LOCAL_SPU_PUBLIC_PORT_BASE,
    SC_PRIVATE_PORT,
    SC_PUBLIC_PORT,
)

LOOPBACK = "127.0.0.1"
DEFAULT_SC_PUBLIC = Endpoint(LOOPBACK, SC_PUBLIC_PORT)
DEFAULT_SC_PRIVATE = Endpoint(LOOPBACK, SC_PRIVATE_PORT)
PROFILE_NAME = "local"
METADATA_DIR = "metadata"  # in the data directory
PROVISION_TIMEOUT_S = 300.0
DEFAULT_LOG_FILTER = "info"
DEFAULT_FSYNC = "never"
_WILDCARDS = ("0.0.0.0", "::")
_LOOPBACKS = (LOOPBACK, "::1", "localhost")
_LAST_PORT = 65_535


class Role(Enum):
    """What a server process is."""

    SC = "sc"
    SPU = "spu"


@dataclass(slots=True, frozen=True)
class ClusterSettings:
    """The wish, as it stands on the command line of `cluster start`. Directories are absolute."""

    data_dir: Path
    log_dir: Path
    sc_public: Endpoint = DEFAULT_SC_PUBLIC
    sc_private: Endpoint = DEFAULT_SC_PRIVATE
    spu_count: int = 1
    spu_port_base: int = LOCAL_SPU_PUBLIC_PORT_BASE
    log_filter: str = DEFAULT_LOG_FILTER
    save_profile: bool = True
    skip_checks: bool = False
    fsync: str = DEFAULT_FSYNC  # `storage.SyncPolicy`, as it is written
    metrics: Endpoint | None = None  # of the SC; the SPUs follow; None: nowhere
    consumer_offset_ttl_s: int = CONSUMER_OFFSET_TTL_S  # after the last commit; 0: for ever
    tls: ClusterTls | None = None  # None: nothing is encrypted
    read_only: Path | None = None  # a file that fixes the topics
    advertise: str | None = None  # host at which clients find the SPUs; None: where they listen
    name: str | None = None  # None: the cluster without a name, or one that `data_dir` tells apart

    @property
    def profile_name(self) -> str:
        """The profile, and the cluster of the profile file, that lead to it."""
        return self.name or PROFILE_NAME

    @property
    def by_name(self) -> str:
        """What stands behind a command that shall mean this cluster: ` --name A`; empty without a name."""
        return "" if self.name is None else f" --name {self.name}"

    @property
    def metadata_dir(self) -> Path:
        """Where the SC keeps its objects."""
        return self.data_dir / METADATA_DIR


@dataclass(slots=True, frozen=True)
class ServerPlan:
    """One server process: who it is, where it listens, and the file that gets its output."""

    role: Role
    id: int  # of the SPU; 0 for the SC
    public: Endpoint
    private: Endpoint
    log: Path
    metrics: Endpoint | None = None  # where it answers Prometheus

    @property
    def endpoints(self) -> list[Endpoint]:
        """Where it listens: for clients, for other servers, and for Prometheus if it does."""
        return [self.public, self.private, *(() if self.metrics is None else (self.metrics,))]

    @property
    def metrics_url(self) -> str | None:
        """What Prometheus asks, from this machine."""
        return None if self.metrics is None else f"http://{dialled(self.metrics)}/metrics"

    @classmethod
    def of_spu(cls, spu_id: int, public: Endpoint, private: Endpoint, log_dir: Path) -> "ServerPlan":
        """An SPU, which prints where all of them do."""
        return cls(Role.SPU, spu_id, public, private, log_dir / f"spu_log_{spu_id}.log")

    @property
    def label(self) -> str:
        """How messages name it."""
        return "SC" if self.role is Role.SC else f"SPU {self.id}"

    @property
    def spu_name(self) -> str:
        """The name of the SPU object."""
        return f"custom-spu-{self.id}"


def plan(
    settings: ClusterSettings, choose_port: Callable[[str], int], spu_ids: Sequence[int] | None = None
) -> list[ServerPlan]:
    """Return the servers, the SC first. `choose_port` gives a free port of a host, never one twice.

    `spu_ids`: those of the SPUs, where data that are there already say so; else they count from 5001.
    Raises `LocalClusterError` when ports do not fit below 65536, or one port is named twice.
    """

    def endpoint(host: str, port: int) -> Endpoint:
        return Endpoint(host, port or choose_port(host))

    public, private = settings.sc_public, settings.sc_private
    servers = [
        ServerPlan(
            Role.SC,
            0,
            endpoint(public.host, public.port),
            endpoint(private.host, private.port),
            settings.log_dir / "flv_sc.log",
        )
    ]
    base = settings.spu_port_base
    if base and settings.spu_count and base + LOCAL_SPU_PORT_STEP * (settings.spu_count - 1) + 1 > _LAST_PORT:
        raise LocalClusterError(
            f"{settings.spu_count} SPUs need ports beyond {_LAST_PORT}",
            hint="ask for fewer SPUs, or use `--spu-port-base 0`",
        )
    if settings.metrics is not None and settings.metrics.port + settings.spu_count > _LAST_PORT:
        raise LocalClusterError(
            f"{settings.spu_count} SPUs need ports beyond {_LAST_PORT} for `--metrics`",
            hint="name a lower port, or use port 0, which takes free ones",
        )
    for spu_id in spu_ids or range(LOCAL_SPU_ID_BASE, LOCAL_SPU_ID_BASE + settings.spu_count):
        servers.append(spu_plan(settings, spu_id - 1, lambda wanted: endpoint(wanted.host, wanted.port)))
    if settings.metrics is not None:
        host, first = settings.metrics.host, settings.metrics.port
        servers = [
            replace(server, metrics=endpoint(host, first and first + number))
            for number, server in enumerate(servers)
        ]
    ports = [endpoint.port for server in servers for endpoint in server.endpoints]
    ports.sort()
    repeated = next((port for port, following in pairwise(ports) if port == following), None)
    if repeated is not None:
        raise LocalClusterError(
            f"port {repeated} is wanted by two servers of this cluster",
            hint="choose others with `--sc-pub-addr`, `--sc-priv-addr`, `--spu-port-base` or `--metrics`",
        )
    return servers


def spu_plan(
    settings: ClusterSettings, last_id: int | None, endpoint: Callable[[Endpoint], Endpoint]
) -> ServerPlan:
    """The SPU that follows the one with `last_id`; None: the first. `endpoint` chooses where a port is 0."""
    number = 0 if last_id is None else last_id + 1 - LOCAL_SPU_ID_BASE
    base = settings.spu_port_base
    port = base + LOCAL_SPU_PORT_STEP * number if base else 0
    return ServerPlan.of_spu(
        LOCAL_SPU_ID_BASE + number,
        endpoint(Endpoint(settings.sc_public.host, port)),
        endpoint(Endpoint(LOOPBACK, port + 1 if port else 0)),
        settings.log_dir,
    )


def dialled(endpoint: Endpoint) -> Endpoint:
    """Where a client of this machine connects to reach a server that listens at `endpoint`."""
    if endpoint.host == "::":
        return Endpoint("::1", endpoint.port)
    return Endpoint(LOOPBACK, endpoint.port) if endpoint.host in _WILDCARDS else endpoint


def advertised_host(endpoint: Endpoint) -> str:
    """The host that an SPU's object names: `localhost`, as officially, where that leads to the server."""
    return "localhost" if endpoint.host in _WILDCARDS or endpoint.host in _LOOPBACKS else endpoint.host


def server_arguments(
    server: ServerPlan, settings: ClusterSettings, sc_private: Endpoint, cluster_id: str
) -> list[str]:
    """The arguments of one server, behind `python -m`; without the descriptor that it reports to."""
    more = [] if server.metrics is None else ["--metrics", str(server.metrics)]
    if settings.tls is not None:
        more += settings.tls.server_arguments()
    if server.role is Role.SC:
        return [
            "fluvio_local_cluster.sc",
            "--local",
            str(settings.metadata_dir),
            "--bind-public",
            str(server.public),
            "--bind-private",
            str(server.private),
            "--cluster-id",
            cluster_id,
            *(() if settings.read_only is None else ("--read-only", str(settings.read_only))),
            *more,
        ]
    ttl_s = settings.consumer_offset_ttl_s
    return [
        "fluvio_local_cluster.spu",
        "-i",
        str(server.id),
        "-p",
        str(server.public),
        "-v",
        str(server.private),
        "--sc-addr",
        str(dialled(sc_private)),
        "--log-base-dir",
        str(settings.data_dir),
        *(() if settings.fsync == DEFAULT_FSYNC else ("--fsync", settings.fsync)),
        *more,
        *(() if ttl_s == CONSUMER_OFFSET_TTL_S else ("--consumer-offset-ttl-s", str(ttl_s))),
    ]
