"""`fluvio cluster diagnostics`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import ONE_CLUSTER, DataDir, Name, absolute, aimed_at, announce_channel
from fluvio_cli.commands.cluster.local import places as places_of
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_local_cluster.lifecycle.state import ClusterState
    from fluvio_profiles.resolve import Target

_RUN_VARIABLE = "FLUVIO_CLUSTER_DIR"  # set by `cluster run`


@rules(
    conflicts=ONE_CLUSTER,
    examples=(
        ("Collect everything about the current profile's cluster", "fluvio cluster diagnostics"),
        ("Do not print what is collected", "fluvio cluster diagnostics --quiet"),
        ("Say where the archive goes", "fluvio cluster diagnostics --quiet --output bundle.tar.gz"),
    ),
)
def command(
    ctx: typer.Context,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print what is collected")] = False,
    archive: Annotated[
        str | None,
        typer.Option(
            "--output",
            metavar="PATH",
            help="The archive, or a directory for it (by default the working directory)",
        ),
    ] = None,
    data_dir: DataDir = None,
    name: Name = None,
) -> None:
    """Collect server output, state, versions, metadata and the last offsets in one archive.

    It can be given to who helps: keys, certificates, tokens and values of variables are left out, and so are
    records. A cluster that does not answer, or is half there, is no failure; what is missing is named.
    """
    from pathlib import Path

    from fluvio_cli.diagnostics.collecting import Subject, write_archive

    cli: CliContext = aimed_at(ctx.obj, name)
    announce_channel(cli)
    if data_dir is not None:
        cli = _aimed_at_directory(cli, data_dir)
    target = cli.target()
    state = _state(cli, target, data_dir)

    def say(text: str) -> None:
        cli.printer.message(text)
        cli.printer.flush()

    def show(text: str) -> None:
        if not quiet:
            cli.printer.data(f"---------\n{text}\n---------\n")

    say(f"Installation type: {_installation(cli, target, is_local=state is not None)}")
    say(f"Profile: {target.profile_name or target.endpoint}")
    subject = Subject(state, cli.connect, cli.load_config, cli.environment)
    path = write_archive(subject, Path.cwd() if archive is None else absolute(archive), say, show)
    say(f"Wrote diagnostics to {path}")


def _aimed_at_directory(cli: CliContext, data_dir: str) -> CliContext:
    """`cli` with the cluster in a directory as its target; raises as `state_in` does."""
    from dataclasses import replace

    from fluvio_local_cluster.lifecycle.places import endpoint_of, state_in

    state = state_in(absolute(data_dir))
    tls = state.settings.tls
    secured = {} if tls is None else tls.target_options()
    return replace(
        cli, target_options=replace(cli.target_options, profile=None, cluster=endpoint_of(state), **secured)
    )


def _state(cli: CliContext, target: "Target", data_dir: str | None) -> "ClusterState | None":
    """The cluster of this machine that is meant; None for one of others, or whose state cannot be read."""
    from fluvio_local_cluster.lifecycle.errors import LocalClusterError
    from fluvio_local_cluster.lifecycle.places import endpoint_of, find_state, state_in

    try:
        if data_dir is not None:
            return state_in(absolute(data_dir))
        of_run = cli.environment.get(_RUN_VARIABLE)
        if of_run:
            state = state_in(absolute(of_run) / "data")
            if endpoint_of(state) == target.endpoint:
                return state
    except LocalClusterError:
        pass
    try:
        return find_state(places_of(cli), target.endpoint)
    except LocalClusterError:
        return None


def _installation(cli: CliContext, target: "Target", *, is_local: bool) -> str:
    """How the target's cluster was set up, as far as the profile file tells."""
    if is_local:
        return "Local"
    name = target.cluster_name
    cluster = cli.load_config().clusters.get(name) if name is not None else None
    installation = cluster.installation if cluster is not None else None
    return (
        "unknown" if installation is None else installation.value.replace("_", " ").title().replace(" ", "")
    )
