"""`fluvio cluster delete`."""

from typing import Annotated

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
)
from fluvio_cli.context import CliContext
from fluvio_cli.effect import Effect
from fluvio_types.errors import FluvioError


class NotATerminalError(FluvioError):
    """Nobody can be asked."""

    def __init__(self, hint: str) -> None:
        super().__init__("IO error: not a terminal", hint=hint)


@rules(
    effect=Effect(destroys=True, on="local", answers="force"),
    conflicts=ONE_CLUSTER,
    examples=(
        ("Delete the current profile's cluster, after a question", "fluvio cluster delete"),
        ("Delete it without being asked", "fluvio cluster delete --force"),
        (
            "Delete the cluster that was started with a name, and its profile",
            "fluvio cluster delete --name trial --force",
        ),
    ),
)
def command(
    ctx: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Do not ask")] = False,
    data_dir: DataDir = None,
    name: Name = None,
) -> None:
    """Delete a cluster and its data.

    Stops the servers, then removes the data directory that the cluster was started with. The servers'
    output and the profile stay, unless the cluster was started with a name: then they go too, the profile
    only if it still leads to the cluster. Snapshots stay.
    """
    from fluvio_local_cluster.lifecycle.errors import ForeignDirectoryError, NoLocalClusterError
    from fluvio_local_cluster.lifecycle.places import endpoint_of
    from fluvio_local_cluster.lifecycle.stop import delete

    cli: CliContext = ctx.obj
    announce_channel(cli)
    target = None if data_dir is not None or name is not None else cli.target()
    try:
        state = meant_cluster(cli, data_dir, "Delete", name)
    except NoLocalClusterError as exc:
        if data_dir is not None:
            raise ForeignDirectoryError(absolute(data_dir)) from exc
        if target is None:
            raise
        shown = target.cluster_name or "local"
        _confirm(cli, shown, target.endpoint, force=force)
        cli.printer.message(f"Deleting {shown}/{target.endpoint}")
        cli.printer.progress(f"nothing to delete: {exc}")
        return
    shown = state.settings.name or (target and target.cluster_name) or "local"
    if not _confirm(cli, shown, endpoint_of(state), force=force):
        cli.printer.message("Confirmation failed. Aborting.")
        return
    cli.printer.message(f"Deleting {shown}/{endpoint_of(state)}")
    with cli.printer.busy("stopping the servers and removing their data"):
        deleted = delete(state.settings.data_dir, places(cli), ProgressLines(cli.printer))
    if deleted.left:
        left = ", ".join(deleted.left)
        cli.printer.note(f"left in {state.settings.data_dir}, since no server wrote it: {left}")
    if deleted.entries.profile:
        cli.printer.note(f"removed profile `{shown}`, which led to it")
    if deleted.entries.was_current:
        cli.printer.note("no profile is the current one now: choose one with `fluvio profile switch`")


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
