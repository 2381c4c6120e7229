"""Settings of one controller process: options, environment, defaults, resolved once at its start."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fluvio_local_cluster.net.limits import NetLimits, add_limit_options, limits_given
from fluvio_local_cluster.server_tls import ServerTls, add_tls_options, tls_given
from fluvio_types.defaults import SC_PRIVATE_PORT, SC_PUBLIC_PORT

_DEFAULT_TOPIC_WAIT_S = 90
_DEFAULT_FULL_SYNC_S = 300
_LIMITS = NetLimits(max_frame_bytes=32 * 1024 * 1024)  # the largest message is a SmartModule


@dataclass(slots=True, frozen=True)
class Address:
    """Where to listen; port 0 picks a free one."""

    host: str
    port: int


@dataclass(slots=True, frozen=True)
class ScSettings:
    """Times in seconds."""

    metadata: Path  # directory
    public: Address
    private: Address
    cluster_id: str | None = None  # None: what the directory says, or a new one
    ready_fd: int | None = None
    topic_wait_s: float = _DEFAULT_TOPIC_WAIT_S  # how long a create waits for its partitions
    heartbeat_timeout_s: float = 10.0  # an SPU that says nothing for so long is offline
    startup_grace_s: float = 10.0  # SPUs that are not back by then are offline
    full_sync_interval_s: float = _DEFAULT_FULL_SYNC_S  # after so long without news SPUs are told all again
    flush_interval_s: float = 30.0  # offsets are written at most so often
    shutdown_grace_s: float = 2.0
    limits: NetLimits = _LIMITS
    metrics: Address | None = None  # where scrapes are answered; None: nowhere
    only_check: bool = False  # see whether all metadata can be read, and end
    read_only: Path | None = None  # a file that fixes the topics
    tls: ServerTls | None = None  # of the public port


def parse_address(text: str) -> Address:
    """`host:port`, `[v6 address]:port`. Raises `argparse.ArgumentTypeError`."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"`{text}` is not of the form host:port")
    return Address(host.strip("[]") or "0.0.0.0", int(port))


def _milliseconds(text: str) -> float:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"`{text}` is no positive number of milliseconds")
    return int(text) / 1000


def parse_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> ScSettings:
    """Read the command line; a wrong one ends the process with code 2, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="python -m fluvio_local_cluster.sc", description="Streaming controller of a Fluvio cluster."
    )
    parser.add_argument("--local", type=Path, required=True, metavar="DIR", help="metadata directory")
    parser.add_argument(
        "--read-only", type=Path, metavar="FILE", help="JSON file that fixes the topics; clients change none"
    )
    parser.add_argument(
        "--check", action="store_true", help="only see whether all metadata can be read; exit code 1 if not"
    )
    parser.add_argument(
        "--bind-public",
        type=parse_address,
        default=Address("0.0.0.0", SC_PUBLIC_PORT),
        metavar="HOST:PORT",
        help=f"where clients connect (default 0.0.0.0:{SC_PUBLIC_PORT})",
    )
    parser.add_argument(
        "--bind-private",
        type=parse_address,
        default=Address("0.0.0.0", SC_PRIVATE_PORT),
        metavar="HOST:PORT",
        help=f"where SPUs connect (default 0.0.0.0:{SC_PRIVATE_PORT})",
    )
    parser.add_argument("--cluster-id", help="id of the cluster; the directory must not hold another one")
    parser.add_argument(
        "--ready-fd",
        type=int,
        help="descriptor that gets `ready <public port> <private port> [<metrics port>]`",
    )
    parser.add_argument(
        "--metrics",
        type=parse_address,
        metavar="HOST:PORT",
        help="answer Prometheus at http://HOST:PORT/metrics (port 0: any free one)",
    )
    parser.add_argument("--heartbeat-timeout-ms", type=_milliseconds, default=10.0, metavar="MS")
    parser.add_argument("--startup-grace-ms", type=_milliseconds, default=10.0, metavar="MS")
    add_limit_options(parser)
    add_tls_options(parser)
    parsed = parser.parse_args(arguments)
    seconds: dict[str, float] = {}
    for name, default in (
        ("FLV_TOPIC_WAIT", _DEFAULT_TOPIC_WAIT_S),
        ("FLV_SC_RECONCILIATION_INTERVAL", _DEFAULT_FULL_SYNC_S),
    ):
        text = environment.get(name, str(default))
        if not text.isascii() or not text.isdigit() or int(text) == 0:
            parser.error(f"{name} is `{text}`, which is no positive number of seconds")
        seconds[name] = float(text)
    return ScSettings(
        metadata=parsed.local,
        public=parsed.bind_public,
        private=parsed.bind_private,
        cluster_id=parsed.cluster_id,
        ready_fd=parsed.ready_fd,
        topic_wait_s=seconds["FLV_TOPIC_WAIT"],
        full_sync_interval_s=seconds["FLV_SC_RECONCILIATION_INTERVAL"],
        heartbeat_timeout_s=parsed.heartbeat_timeout_ms,
        startup_grace_s=parsed.startup_grace_ms,
        limits=limits_given(parsed, _LIMITS),
        metrics=parsed.metrics,
        only_check=parsed.check,
        read_only=parsed.read_only,
        tls=tls_given(parser, parsed),
    )
