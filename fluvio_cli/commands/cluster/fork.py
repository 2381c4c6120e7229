"""`fluvio cluster fork`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import (
    ProgressLines,
    announce_channel,
    parse_name,
    places,
    surroundings,
)
from fluvio_cli.commands.cluster.snapshot import snapshot_directory
from fluvio_cli.commands.cluster.start import parse_new_name
from fluvio_cli.context import CliContext


@rules(
    requires={"directory": ("from_snapshot",)},
    examples=(
        ("Try something with the data of a cluster, and leave that alone", "fluvio cluster fork local trial"),
        ("Start a cluster with what a snapshot holds", "fluvio cluster fork before again --snapshot"),
    ),
)
def command(
    ctx: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="NAME", parser=parse_name, help="The cluster, as `cluster list` shows it")
    ],
    new_name: Annotated[
        str, typer.Argument(metavar="NEW_NAME", parser=parse_new_name, help="Name of the new cluster")
    ],
    from_snapshot: Annotated[
        bool, typer.Option("--snapshot", help="NAME is that of a snapshot, not of a cluster")
    ] = False,
    directory: Annotated[
        str | None,
        typer.Option("--from", metavar="DIR", help="Directory that has the snapshot (~/.fluvio/snapshots)"),
    ] = None,
    skip_profile_creation: Annotated[
        bool, typer.Option("--skip-profile-creation", help="Leave the profile file alone")
    ] = False,
) -> None:
    """Start a new cluster with the data of another one.

    That may be running: it runs on, and neither ever sees what happens to the other. Topics, records and
    consumers' offsets are as they were; id, ports, directories and profile are new. Files that do not change
    any more are shared by hard links where the file system has them.
    """
    from fluvio_local_cluster.lifecycle.fork import fork
    from fluvio_local_cluster.lifecycle.known import find_named
    from fluvio_local_cluster.lifecycle.snapshots import of_snapshot
    from fluvio_local_cluster.lifecycle.sources import of_cluster

    cli: CliContext = ctx.obj
    announce_channel(cli)
    if from_snapshot:
        found = of_snapshot(snapshot_directory(cli, directory) / source)
    else:
        found = of_cluster(find_named(places(cli), source))
    around, progress = surroundings(cli), ProgressLines(cli.printer)
    with cli.printer.busy("copying the data and starting the servers"):
        fork(found, new_name, around, progress, save_profile=not skip_profile_creation)
