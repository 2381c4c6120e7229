"""`fluvio cluster restore`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import ProgressLines, announce_channel, parse_name, places
from fluvio_cli.commands.cluster.snapshot import snapshot_directory
from fluvio_cli.context import CliContext
from fluvio_cli.effect import Effect


@rules(
    effect=Effect(destroys=True, on="snapshot", answers="force"),
    examples=(
        ("Go back to a snapshot, after a question", "fluvio cluster restore before"),
        ("Go back without being asked", "fluvio cluster restore before --force"),
    ),
)
def command(
    ctx: typer.Context,
    snapshot_name: Annotated[
        str, typer.Argument(metavar="SNAPSHOT", parser=parse_name, help="Name of the snapshot")
    ],
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="DIR", help="Directory that has the snapshot (~/.fluvio/snapshots)"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Do not ask")] = False,
) -> None:
    """Put the data of a snapshot back into its cluster.

    That must not be running, and is not started. What it holds now is lost, which is asked for. A cluster
    that was deleted is there again, with its old id and in its old directory.
    """
    from fluvio_local_cluster.lifecycle.places import endpoint_of
    from fluvio_local_cluster.lifecycle.snapshots import cluster_of, load_manifest, restore

    cli: CliContext = ctx.obj
    announce_channel(cli)
    path = snapshot_directory(cli, source) / snapshot_name
    manifest = load_manifest(path)
    state = cluster_of(manifest, places(cli))
    if state is not None and not _confirm(cli, snapshot_name, endpoint_of(state), manifest.created_at, force):
        cli.printer.message("Confirmation failed. Aborting.")
        return
    with cli.printer.busy("putting the data of the snapshot back"):
        restore(path, places(cli), ProgressLines(cli.printer))


def _confirm(cli: CliContext, name: str, endpoint: str, created_at: str, force: bool) -> bool:
    """Ask for the snapshot's name, on standard error; raises `NotATerminalError`."""
    if force:
        return True
    from fluvio_cli.commands.cluster.delete import NotATerminalError

    if not cli.stdin.isatty():
        raise NotATerminalError("use `--force` to restore without being asked")
    cli.printer.note(
        f"WARNING: what the cluster {endpoint} holds now will be replaced by what it held at {created_at}."
    )
    cli.printer.stderr.write(f"Please type the name of the snapshot to confirm: {name} › ")
    cli.printer.stderr.flush()
    return cli.stdin.readline().strip() == name
