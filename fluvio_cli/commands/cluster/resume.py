"""`fluvio cluster resume`."""

import typer

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
    surroundings,
)
from fluvio_cli.context import CliContext


@rules(
    conflicts=ONE_CLUSTER,
    examples=(
        ("Go on with the cluster that was shut down", "fluvio cluster resume"),
        ("Go on with the cluster in a directory", "fluvio cluster resume --data-dir ./second"),
        ("Go on with the cluster that was started with a name", "fluvio cluster resume --name trial"),
        ("Take over the official engine's cluster", "fluvio cluster resume --data-dir ~/.fluvio/data"),
    ),
)
def command(
    ctx: typer.Context,
    data_dir: DataDir = None,
    name: Name = None,
) -> None:
    """Start a cluster that was shut down, with its data.

    It comes back with the same SPUs at the same addresses. Where only some of its servers have ended, those
    are started again and the others run on. A cluster of the official engine that was shut down is taken
    over.
    """
    from fluvio_local_cluster.lifecycle.errors import NoLocalClusterError
    from fluvio_local_cluster.lifecycle.start import resume
    from fluvio_local_cluster.lifecycle.takeover import take_over

    cli: CliContext = ctx.obj
    announce_channel(cli)
    try:
        state = meant_cluster(cli, data_dir, "Resume", name)
    except NoLocalClusterError:
        if name is not None:
            raise
        found = take_over(
            places(cli), cli.fluvio_directory / "log", None if data_dir is None else absolute(data_dir)
        )
        if found is None:
            raise
        state = found
        cli.printer.note(f"Taking over the cluster of the official engine in {state.settings.data_dir}")
    with cli.printer.busy("waiting for the servers"):
        resume(state, surroundings(cli), ProgressLines(cli.printer))
