"""`fluvio cluster delete`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import (
    DATA_DIR_HELP,
    ProgressLines,
    absolute,
    announce_channel,
    meant_cluster,
    places,
)
from fluvio_cli.context import CliContext
from fluvio_cli.effect import Effect
from fluvio_types.errors import FluvioError


class NotATerminalError(FluvioError):
    """Nobody can be asked."""

    def __init__(self, hint: str) -> None:
        super().__init__("IO error: not a terminal", hint=hint)


@rules(
    effect=Effect(destroys=True, on="data_dir", answers="force"),
    examples=(
        ("Delete the current profile's cluster, after a question", "fluvio cluster delete"),
        ("Delete it without being asked", "fluvio cluster delete --force"),
    ),
)
def command(
    ctx: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Do not ask")] = False,
    data_dir: Annotated[
        str | None, typer.Option("--data-dir", metavar="DATA_DIR", help=DATA_DIR_HELP)
    ] = None,
) -> None:
    """Delete a cluster and its data.

    Stops the servers, then removes the data directory that the cluster was started with. The servers'
    output and the profile stay.
    """
    from fluvio_local_cluster.lifecycle.errors import ForeignDirectoryError, NoLocalClusterError
    from fluvio_local_cluster.lifecycle.places import endpoint_of
    from fluvio_local_cluster.lifecycle.stop import delete

    cli: CliContext = ctx.obj
    announce_channel(cli)
    target = None if data_dir is not None else cli.target()
    name = "local" if target is None or target.cluster_name is None else target.cluster_name
    try:
        state = meant_cluster(cli, data_dir, "Delete")
    except NoLocalClusterError as exc:
        if target is None:
            raise ForeignDirectoryError(absolute(data_dir or "")) from exc
        _confirm(cli, name, target.endpoint, force=force)
        cli.printer.message(f"Deleting {name}/{target.endpoint}")
        cli.printer.progress(f"nothing to delete: {exc}")
        return
    if not _confirm(cli, name, endpoint_of(state), force=force):
        cli.printer.message("Confirmation failed. Aborting.")
        return
    cli.printer.message(f"Deleting {name}/{endpoint_of(state)}")
    with cli.printer.busy("stopping the servers and removing their data"):
        left = delete(state.settings.data_dir, places(cli), ProgressLines(cli.printer))
    if left:
        cli.printer.note(f"left in {state.settings.data_dir}, since no server wrote it: {', '.join(left)}")


def _confirm(cli: CliContext, name: str, endpoint: str, *, force: bool) -> bool:
    """Ask for the cluster's name, on standard error; raises `NotATerminalError`."""
    if force:
        return True
    if not cli.stdin.isatty():
        raise NotATerminalError("use `--force` to delete without being asked")
    cli.printer.note(
        f"WARNING: You are about to delete {name}/{endpoint}. This operation is irreversible and the data "
        "stored in your cluster will be permanently lost."
    )
    cli.printer.stderr.write(
        f"Please type the cluster name to confirm: {name} <enter> (to confirm) / or CTRL-C (to cancel) › "
    )
    cli.printer.stderr.flush()
    return cli.stdin.readline().strip() == name
