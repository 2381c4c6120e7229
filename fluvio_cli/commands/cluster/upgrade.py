"""`fluvio cluster upgrade`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import (
    ONE_CLUSTER,
    DataDir,
    Name,
    ProgressLines,
    absolute,
    announce_channel,
    meant_cluster,
    places,
)
from fluvio_cli.commands.cluster.start import parse_address, parse_fsync, parse_ttl_s
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
from fluvio_cli.context import CliContext
from fluvio_cli.effect import Effect
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_local_cluster.lifecycle.state import ClusterState

_YES = ("y", "yes")


class InstallationChangeError(FluvioError):
    """An upgrade was asked to make another kind of cluster of this one."""

    def __init__(self, current: str, requested: str) -> None:
        super().__init__(
            "It is not allowed to change installation type during cluster upgrade. "
            f"Current: {current}, requested: {requested}"
        )


@rules(
    effect=Effect(destroys=True, on="local", answers="force"),
    conflicts=(("local", "read_only"), *ONE_CLUSTER),
    panels={
        "What shall be other than it was": (
            *("spu", "log_dir", "sc_pub_addr", "sc_priv_addr", "rust_log", "fsync", "consumer_offset_ttl"),
        ),
        "TLS": TLS_PANEL,
    },
    examples=(
        (
            "Bring the cluster to this program's version",
            "fluvio cluster upgrade",
        ),
        ("Only see whether that would work, with the cluster running", "fluvio cluster upgrade --setup"),
        ("Give it a third SPU", "fluvio cluster upgrade --force --spu 3"),
    ),
)
def command(
    ctx: typer.Context,
    force: Annotated[bool, typer.Option("-f", "--force", help="Do not ask")] = False,
    local: Annotated[
        bool, typer.Option("--local", help="It runs as processes on this machine (what it must be already)")
    ] = False,
    read_only: Annotated[
        str | None,
        typer.Option(
            "--read-only",
            metavar="config path",
            help="Its topics are fixed by this JSON file (which they must be already)",
        ),
    ] = None,
    spu: Annotated[
        int | None,
        typer.Option("--spu", metavar="SPU", parser=values.u16, help="Number of SPUs: as many, or more"),
    ] = None,
    data_dir: DataDir = None,
    name: Name = None,
    log_dir: Annotated[
        str | None,
        typer.Option("--log-dir", metavar="LOG_DIR", help="Where the servers' output shall go from now on"),
    ] = None,
    sc_pub_addr: Annotated[
        str | None,
        typer.Option(
            "--sc-pub-addr",
            metavar="SC_PUB_ADDR",
            parser=parse_address,
            help="Address at which clients shall find the SC; profiles follow",
        ),
    ] = None,
    sc_priv_addr: Annotated[
        str | None,
        typer.Option(
            "--sc-priv-addr",
            metavar="SC_PRIV_ADDR",
            parser=parse_address,
            help="Address at which SPUs shall find the SC",
        ),
    ] = None,
    rust_log: Annotated[
        str | None, typer.Option("--rust-log", metavar="RUST_LOG", help="Log filter of the servers")
    ] = None,
    fsync: Annotated[
        str | None,
        typer.Option(
            "--fsync",
            metavar="POLICY",
            parser=parse_fsync,
            help="When SPUs sync records to the disk: never, interval:MS or always",
        ),
    ] = None,
    consumer_offset_ttl: Annotated[
        int | None,
        typer.Option(
            "--consumer-offset-ttl",
            metavar="time",
            parser=parse_ttl_s,
            help="How long after its last commit a consumer's offset is kept (0: for ever)",
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
        bool, typer.Option("--skip-checks", help="Do not look whether all metadata can be read")
    ] = False,
    setup: Annotated[bool, typer.Option("--setup", help="Only see whether it would work, and stop")] = False,
) -> None:
    """Bring a cluster to this program's version, or change its settings.

    Looks whether this version can read all metadata, then stops the servers and notes version and settings;
    `fluvio cluster resume` starts the cluster again, with its data. What is not named stays as it is.
    """
    from fluvio_local_cluster.lifecycle.upgrade import Changes, upgrade
    from fluvio_types.defaults import PLATFORM_VERSION

    cli: CliContext = ctx.obj
    announce_channel(cli)
    state = meant_cluster(cli, data_dir, "Upgrade", name)
    _refuse_other_kinds(state, local=local, read_only=read_only)
    changes = Changes(
        spu_count=spu,
        sc_public=sc_pub_addr,  # type: ignore[arg-type]  # parsed
        sc_private=sc_priv_addr,  # type: ignore[arg-type]
        log_dir=absolute(log_dir) if log_dir else None,
        log_filter=rust_log,
        fsync=fsync,
        consumer_offset_ttl_s=consumer_offset_ttl,
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
    if not setup and not _confirm(cli, f"Upgrade Local Fluvio cluster to version {PLATFORM_VERSION}?", force):
        cli.printer.message("Upgrade cancelled")
        return
    with cli.printer.busy("checking metadata and stopping the servers"):
        upgrade(
            state,
            changes,
            places(cli),
            ProgressLines(cli.printer),
            check_metadata=setup or not skip_checks,
            save_profile=not skip_profile_creation,
            only_check=setup,
        )


def _refuse_other_kinds(state: "ClusterState", *, local: bool, read_only: str | None) -> None:
    fixed = state.settings.read_only
    if local and fixed is not None:
        raise InstallationChangeError("ReadOnly", "Local")
    if read_only is not None and (fixed is None or absolute(read_only) != fixed):
        current = "Local" if fixed is None else f"ReadOnly ({fixed})"
        raise InstallationChangeError(current, f"ReadOnly ({absolute(read_only)})")


def _confirm(cli: CliContext, question: str, force: bool) -> bool:
    """Ask on standard error; raises `NotATerminalError`."""
    if force:
        return True
    from fluvio_cli.commands.cluster.delete import NotATerminalError

    if not cli.stdin.isatty():
        raise NotATerminalError("use `--force` to upgrade without being asked")
    cli.printer.stderr.write(f"{question} [y/n] ")
    cli.printer.stderr.flush()
    return cli.stdin.readline().strip().lower() in _YES
