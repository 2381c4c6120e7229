"""`fluvio cluster resume`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import (
    DATA_DIR_HELP,
    ProgressLines,
    announce_channel,
    meant_cluster,
    surroundings,
)
from fluvio_cli.context import CliContext


@rules(
    examples=(
        ("Go on with the cluster that was shut down", "fluvio cluster resume"),
        ("Go on with the cluster in a directory", "fluvio cluster resume --data-dir ./second"),
    )
)
def command(
    ctx: typer.Context,
    data_dir: Annotated[
        str | None, typer.Option("--data-dir", metavar="DATA_DIR", help=DATA_DIR_HELP)
    ] = None,
) -> None:
    """Start a cluster that was shut down, with its data.

    It comes back with the same SPUs at the same addresses. Where only some of its servers have ended, those
    are started again and the others run on.
    """
    from fluvio_local_cluster.lifecycle.start import resume

    cli: CliContext = ctx.obj
    announce_channel(cli)
    state = meant_cluster(cli, data_dir, "Resume")
    resume(state, surroundings(cli), ProgressLines(cli.printer))
