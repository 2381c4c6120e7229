"""Settings of an SPU process, resolved once from its command line."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fluvio_local_cluster.net.limits import NetLimits, add_limit_options, limits_given, positive
from fluvio_local_cluster.server_tls import ServerTls, add_tls_options, tls_given
from fluvio_local_cluster.spu.metric_sockets import VARIABLE
from fluvio_local_cluster.storage import InvalidSyncPolicyError, SpaceReserve, SyncPolicy, read_boot_id
from fluvio_local_cluster.storage.open_files import KEPT_FILES
from fluvio_types.defaults import (
    CONSUMER_OFFSET_TTL_S,
    INDEX_INTERVAL_BYTES,
    SC_PRIVATE_PORT,
    SPU_PRIVATE_PORT,
    SPU_PUBLIC_PORT,
)


@dataclass(slots=True, frozen=True)
class Address:
    """A host and a port; IPv6 hosts without brackets."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """From `host:port` or `[v6]:port`. Raises `argparse.ArgumentTypeError`."""
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
            raise argparse.ArgumentTypeError(f"`{text}` is not of the form host:port")
        return cls(host, int(port))


@dataclass(slots=True, frozen=True)
class SpuSettings:
    """What an SPU needs to know from outside. Times in seconds."""

    spu_id: int
    public: Address
    private: Address
    sc: Address
    log_base_dir: Path
    index_interval_bytes: int = INDEX_INTERVAL_BYTES
    trash_grace_s: float = 3600.0  # deleted replicas are kept so long
    fsync: SyncPolicy = field(default_factory=SyncPolicy)
    retention_tick_s: float = 10.0  # logs are cleaned this often
    check_tick_s: float = 1.0  # 4 MiB of them are checked this often
    consumer_offset_ttl_s: int = CONSUMER_OFFSET_TTL_S  # since the last commit; 0: for ever
    space_reserve: SpaceReserve = field(default_factory=SpaceReserve)
    max_partitions: int = 10_000
    max_streams: int = 20_000  # of all connections
    limits: NetLimits = field(default_factory=NetLimits)
    kept_files: int = KEPT_FILES  # files of all replicas that stay open when nobody uses them
    boot_id: str = field(default_factory=read_boot_id)  # another one after each start of the machine
    ready_fd: int | None = None
    metrics: Address | None = None  # where scrapes are answered; None: nowhere
    tls: ServerTls | None = None  # of the public port
    metric_socket: Path | None = None  # a JSON socket beside the SPU's own


def parse_settings(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None
) -> SpuSettings:
    """From a command line and what it was started with; a wrong one ends the process with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m fluvio_local_cluster.spu", description="Streaming processing unit of a Fluvio cluster"
    )
    parser.add_argument("-i", "--id", type=int, required=True, help="id of this SPU")
    parser.add_argument(
        "-p",
        "--public-server",
        type=Address.parse,
        default=Address("0.0.0.0", SPU_PUBLIC_PORT),
        metavar="HOST:PORT",
        help="where clients connect (port 0: any free one)",
    )
    parser.add_argument(
        "-v",
        "--private-server",
        type=Address.parse,
        default=Address("0.0.0.0", SPU_PRIVATE_PORT),
        metavar="HOST:PORT",
        help="where other SPUs connect (port 0: any free one)",
    )
    parser.add_argument(
        "--sc-addr",
        type=Address.parse,
        default=Address("localhost", SC_PRIVATE_PORT),
        metavar="HOST:PORT",
        help="private endpoint of the SC",
    )
    parser.add_argument(
        "--log-base-dir", type=Path, required=True, metavar="DIR", help="where replicas are kept"
    )
    parser.add_argument(
        "--index-max-interval-bytes", type=int, default=INDEX_INTERVAL_BYTES, help="log between index entries"
    )
    parser.add_argument(
        "--trash-grace",
        type=float,
        default=3600.0,
        metavar="SECONDS",
        help="how long deleted replicas are kept",
    )
    _add_storage_options(parser)
    add_limit_options(parser)
    add_tls_options(parser)
    parser.add_argument(
        "--metrics",
        type=Address.parse,
        metavar="HOST:PORT",
        help="answer Prometheus at http://HOST:PORT/metrics (port 0: any free one)",
    )
    parser.add_argument(
        "--ready-fd", type=int, help="descriptor to write `ready <public> <private> [<metrics>]` to"
    )
    given = parser.parse_args(arguments)
    metric_socket = (environment or {}).get(VARIABLE)
    return SpuSettings(
        spu_id=given.id,
        public=given.public_server,
        private=given.private_server,
        sc=given.sc_addr,
        log_base_dir=given.log_base_dir,
        index_interval_bytes=given.index_max_interval_bytes,
        trash_grace_s=given.trash_grace,
        fsync=given.fsync,
        retention_tick_s=given.retention_tick_ms / 1000,
        check_tick_s=given.check_tick_ms / 1000,
        consumer_offset_ttl_s=given.consumer_offset_ttl_s,
        space_reserve=given.space_reserve,
        max_partitions=given.max_partitions,
        max_streams=given.max_streams,
        limits=limits_given(given, NetLimits()),
        ready_fd=given.ready_fd,
        metrics=given.metrics,
        tls=tls_given(parser, given),
        metric_socket=Path(metric_socket) if metric_socket else None,
    )


def _add_storage_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fsync",
        type=_sync_policy,
        default=SyncPolicy(),
        metavar="POLICY",
        help="when records are synced to the disk: never (by the system), interval:MS, or always (before a "
        "producer is answered)",
    )
    parser.add_argument(
        "--space-reserve",
        type=_reserve,
        default=SpaceReserve(),
        metavar="BYTES",
        help="records are refused while less of the disk is free (default: 64 MiB or 1 %% of the disk, "
        "whichever is more)",
    )
    parser.add_argument(
        "--max-partitions", type=positive, default=10_000, metavar="N", help="partitions kept here, at most"
    )
    parser.add_argument(
        "--max-streams", type=positive, default=20_000, metavar="N", help="streams of consumers, at most"
    )
    parser.add_argument(
        "--consumer-offset-ttl-s",
        type=_not_negative,
        default=CONSUMER_OFFSET_TTL_S,
        metavar="SECONDS",
        help="consumers' offsets are dropped so long after the last commit (default: 30 days; 0: never)",
    )
    parser.add_argument("--retention-tick-ms", type=positive, default=10_000, help=argparse.SUPPRESS)
    parser.add_argument("--check-tick-ms", type=positive, default=1_000, help=argparse.SUPPRESS)


def _sync_policy(text: str) -> SyncPolicy:
    try:
        return SyncPolicy.parse(text)
    except InvalidSyncPolicyError as exc:
        raise argparse.ArgumentTypeError(f"{exc}: {exc.hint}") from None


def _not_negative(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number < 2**31:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from 0 to {2**31 - 1}")
    return number


def _reserve(text: str) -> SpaceReserve:
    return SpaceReserve(positive(text), 0.0)
