"""`fluvio cluster start`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import (
    ProgressLines,
    absolute,
    announce_channel,
    default_settings,
    parse_name,
    surroundings,
)
from fluvio_cli.commands.cluster.tls_options import (
    TLS_PANEL,
    CaCert,
    ClientCert,
    ClientKey,
    Domain,
    ServerCert,
    ServerKey,
    TlsFlag,
    cluster_tls,
)
from fluvio_cli.commands.report_options import Bundle
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from pathlib import Path

    from fluvio_client.target import Endpoint
    from fluvio_local_cluster.lifecycle.settings import ClusterSettings

_LAST_PORT = 65_535


def parse_address(text: str) -> "Endpoint":
    """A parser for `host:port`."""
    from fluvio_client.errors import ConnectionFailedError
    from fluvio_client.target import parse_endpoint

    try:
        return parse_endpoint(text)
    except ConnectionFailedError as exc:
        raise ValueError(f"{exc.reason}; write it as host:port") from None


def parse_new_name(text: str) -> str:
    """A parser for the name of a cluster that is not there yet."""
    from fluvio_local_cluster.lifecycle.naming import is_reserved

    if is_reserved(text):
        raise ValueError("that is what the cluster without a name is called")
    return parse_name(text)


def parse_host(text: str) -> str:
    """A parser for the name or address of a host."""
    bare = text.removeprefix("[").removesuffix("]") if text.startswith("[") else text
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789.-_")
    is_address = ":" in bare and bare.count(":") > 1  # of IPv6, which may have a zone
    if not bare or (not is_address and not set(bare.lower()) <= allowed) or len(bare) > 253:
        raise ValueError("write the name or address of a host, without a port")
    return bare


def parse_fsync(text: str) -> str:
    """A parser for a durability policy."""
    from fluvio_local_cluster.storage.errors import InvalidSyncPolicyError
    from fluvio_local_cluster.storage.syncing import SyncPolicy

    try:
        return str(SyncPolicy.parse(text))
    except InvalidSyncPolicyError as exc:
        raise ValueError(f"{exc}; {exc.hint}") from None


def parse_ttl_s(text: str) -> int:
    """A parser for a time in whole seconds; 0: for ever."""
    duration_ns = values.parse_duration_ns(text)
    seconds = duration_ns // 10**9
    if (duration_ns and not seconds) or seconds >= 2**31:
        raise ValueError("use 0 (never), or a time from 1s to 68years")
    return seconds


def require_metrics_package() -> None:
    """Raise `UsageError` when the servers could not answer Prometheus; they run with this interpreter."""
    from importlib.util import find_spec

    if find_spec("prometheus_client") is None:
        from fluvio_cli.failures import UsageError
        from fluvio_local_cluster.metrics.text import MetricsUnavailableError

        raise UsageError(str(MetricsUnavailableError()))


@rules(
    conflicts=(("local", "read_only"), ("foreground", "setup")),
    panels={
        "Servers and where they are": (
            *("name", "local", "read_only", "spu", "data_dir", "log_dir", "sc_pub_addr", "sc_priv_addr"),
            *("spu_port_base", "advertise", "metrics", "rust_log"),
        ),
        "Records": ("fsync", "consumer_offset_ttl"),
        "TLS": TLS_PANEL,
    },
    examples=(
        ("Start a cluster with one SPU and switch to it", "fluvio cluster start"),
        ("Start a cluster with three SPUs", "fluvio cluster start --spu 3"),
        ("Start one that lives beside others, at free ports", "fluvio cluster start --name trial"),
        (
            "Start another one beside it, on free ports, and leave the profile alone",
            "fluvio cluster start --data-dir ./second --log-dir ./second-log --sc-pub-addr 127.0.0.1:9103 "
            "--sc-priv-addr 127.0.0.1:0 --spu-port-base 0 --skip-profile-creation",
        ),
        ("Answer producers only when their records are on the disk", "fluvio cluster start --fsync always"),
        ("Let Prometheus look at it", "fluvio cluster start --metrics 127.0.0.1:9500"),
        (
            "Encrypt what clients and servers send, and let in whom the CA has signed",
            "fluvio cluster start --tls --domain fluvio.local --ca-cert ca.crt --client-cert client-root.crt "
            "--client-key client-root.key --server-cert server.crt --server-key server.key",
        ),
        (
            "Serve topics that a file fixes, in Kubernetes' form",
            "fluvio cluster start --read-only topics.json",
        ),
        (
            "Be the service of a container, found by others as host `fluvio`",
            "fluvio cluster start --foreground --advertise fluvio",
        ),
        ("Only see whether a cluster could be started", "fluvio cluster start --setup"),
    ),
)
def command(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            parser=parse_new_name,
            help="A cluster beside others: at free ports, in ~/.fluvio/clusters/NAME, with profile NAME",
        ),
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="Run the servers as processes on this machine (the default)")
    ] = False,
    read_only: Annotated[
        str | None,
        typer.Option(
            "--read-only",
            metavar="config path",
            help="Like --local, with topics that this JSON file fixes: nobody can change them",
        ),
    ] = None,
    spu: Annotated[int, typer.Option("--spu", metavar="SPU", parser=values.u16, help="Number of SPUs")] = 1,
    data_dir: Annotated[
        str | None,
        typer.Option(
            "--data-dir", metavar="DATA_DIR", help="Where records and metadata live (~/.fluvio/data)"
        ),
    ] = None,
    log_dir: Annotated[
        str | None,
        typer.Option("--log-dir", metavar="LOG_DIR", help="Where the servers' output goes (~/.fluvio/log)"),
    ] = None,
    sc_pub_addr: Annotated[
        str | None,
        typer.Option(
            "--sc-pub-addr",
            metavar="SC_PUB_ADDR",
            parser=parse_address,
            help="Address at which clients find the SC (127.0.0.1:9003)",
        ),
    ] = None,
    sc_priv_addr: Annotated[
        str | None,
        typer.Option(
            "--sc-priv-addr",
            metavar="SC_PRIV_ADDR",
            parser=parse_address,
            help="Address at which SPUs find the SC (127.0.0.1:9004)",
        ),
    ] = None,
    spu_port_base: Annotated[
        int | None,
        typer.Option(
            "--spu-port-base",
            metavar="PORT",
            parser=values.integer(0, _LAST_PORT),
            help="Port of the first SPU; each further one is 10 above, its private port 1 above (9010). "
            "0 takes free ports",
        ),
    ] = None,
    advertise: Annotated[
        str | None,
        typer.Option(
            "--advertise",
            metavar="HOST",
            parser=parse_host,
            help="Lead clients of other machines or containers to this host; servers then listen at all "
            "addresses (0.0.0.0), unless `--sc-pub-addr` says where",
        ),
    ] = None,
    rust_log: Annotated[
        str | None,
        typer.Option("--rust-log", metavar="RUST_LOG", help="Log filter of the servers (info)"),
    ] = None,
    fsync: Annotated[
        str | None,
        typer.Option(
            "--fsync",
            metavar="POLICY",
            parser=parse_fsync,
            help="When SPUs sync records to the disk: never (left to the system; default), interval:MS, or "
            "always (before a producer gets its answer)",
        ),
    ] = None,
    consumer_offset_ttl: Annotated[
        int | None,
        typer.Option(
            "--consumer-offset-ttl",
            metavar="time",
            parser=parse_ttl_s,
            help="How long after its last commit a consumer's offset is kept (30days; 0: for ever)",
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            "--metrics",
            metavar="HOST:PORT",
            parser=parse_address,
            help="Answer Prometheus: the SC at this port, the SPUs at the following ones. 0 takes free ports",
        ),
    ] = None,
    tls: TlsFlag = False,
    domain: Domain = None,
    ca_cert: CaCert = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    server_cert: ServerCert = None,
    server_key: ServerKey = None,
    skip_profile_creation: Annotated[
        bool, typer.Option("--skip-profile-creation", help="Leave the profile file alone")
    ] = False,
    skip_checks: Annotated[
        bool,
        typer.Option(
            "--skip-checks", help="Skip the pre-flight checks, except those that guard the data of a cluster"
        ),
    ] = False,
    foreground: Annotated[
        bool,
        typer.Option(
            "--foreground",
            help="Stay, show what the servers print, and stop them on SIGTERM or Ctrl-C; a cluster that was "
            "shut down goes on with its data",
        ),
    ] = False,
    bundle: Bundle = None,
    setup: Annotated[bool, typer.Option("--setup", help="Run the pre-flight checks and stop")] = False,
) -> int | None:
    """Start a cluster on this machine.

    The servers run on when the command has ended; it ends when all SPUs can be used, and profile `local`,
    or that of its name, then leads to the cluster. If it fails, or is interrupted, it stops what it started
    and removes what it wrote, except for the servers' output. With `--foreground` it stays until SIGTERM
    (exit code 0), Ctrl-C (130) or the end of a server (1), and then stops the servers; data are kept.
    """
    from dataclasses import replace

    from fluvio_cli.reports.judging import checked_place, judged
    from fluvio_local_cluster.lifecycle.settings import DEFAULT_FSYNC, DEFAULT_LOG_FILTER
    from fluvio_local_cluster.lifecycle.start import start
    from fluvio_types.defaults import CONSUMER_OFFSET_TTL_S

    if metrics is not None:
        require_metrics_package()
    cli: CliContext = ctx.obj
    announce_channel(cli)
    defaults = default_settings(cli, name)
    if advertise is not None:
        defaults = replace(defaults, sc_public=replace(defaults.sc_public, host="0.0.0.0"))
    settings = replace(
        defaults,
        data_dir=absolute(data_dir) if data_dir else defaults.data_dir,
        log_dir=absolute(log_dir) if log_dir else defaults.log_dir,
        sc_public=sc_pub_addr or defaults.sc_public,  # type: ignore[arg-type]  # parsed
        sc_private=sc_priv_addr or defaults.sc_private,  # type: ignore[arg-type]
        spu_count=spu,
        spu_port_base=defaults.spu_port_base if spu_port_base is None else spu_port_base,
        log_filter=rust_log or DEFAULT_LOG_FILTER,
        save_profile=not skip_profile_creation,
        skip_checks=skip_checks and not setup,
        fsync=fsync or DEFAULT_FSYNC,
        advertise=advertise,
        metrics=metrics,  # type: ignore[arg-type]  # parsed
        consumer_offset_ttl_s=CONSUMER_OFFSET_TTL_S if consumer_offset_ttl is None else consumer_offset_ttl,
        read_only=absolute(read_only) if read_only else None,
        tls=cluster_tls(
            tls=tls,
            domain=domain,
            ca_cert=ca_cert,
            client_cert=client_cert,
            client_key=client_key,
            server_cert=server_cert,
            server_key=server_key,
        ),
    )
    around = surroundings(cli)
    if bundle is not None:
        place = checked_place(bundle, or_directory=True)
        around = replace(around, before_removal=lambda: _bundle(cli, place, settings))
    with judged(cli, "fluvio cluster start") as verdict:
        if foreground:
            from fluvio_cli.commands.cluster.foreground import stay

            return stay(cli, settings, around, verdict)
        with cli.printer.busy("waiting for the servers"):
            start(settings, around, ProgressLines(cli.printer, verdict), only_check=setup)
        if not setup:
            verdict.add("cluster starts", seconds=verdict.seconds)
    return None


def _bundle(cli: CliContext, place: "Path", settings: "ClusterSettings") -> None:
    from fluvio_cli.diagnostics.bundle import write_bundle

    write_bundle(place, settings.data_dir, cli.profile_path, cli.environment, cli.printer)
