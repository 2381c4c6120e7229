"""`fluvio cluster check`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import (
    Name,
    NotLocalError,
    ProgressLines,
    aimed_at,
    announce_channel,
    default_settings,
    places,
)
from fluvio_cli.commands.report_options import Junit
from fluvio_cli.context import CliContext
from fluvio_types.errors import FluvioError


@rules(
    examples=(
        ("See whether the current profile's cluster runs or could be started", "fluvio cluster check"),
        ("Repair first what can be repaired without risk", "fluvio cluster check --fix"),
    )
)
def command(
    ctx: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Repair what can be repaired without risk")] = False,
    junit: Junit = None,
    name: Name = None,
) -> None:
    """Run the checks that come before a start, for the current profile's cluster.

    A cluster that runs is said to, and passes. Of one that was shut down, or that lost servers, it is checked
    whether the missing servers could be started again. `--fix` repairs as `fluvio doctor --fix` does.
    """
    from fluvio_cli.reports.judging import judged
    from fluvio_local_cluster.lifecycle.errors import NoLocalClusterError
    from fluvio_local_cluster.lifecycle.inspect import check_resumable, check_startable
    from fluvio_local_cluster.lifecycle.places import find_state

    with judged(ctx.obj, "fluvio cluster check", junit) as verdict:
        cli: CliContext = aimed_at(ctx.obj, name)
        announce_channel(cli)
        cli.printer.message(cli.printer.styled("Running pre-startup checks...", "bold"))
        note = "Note: This may require admin access to current Kubernetes context"
        cli.printer.message(cli.printer.styled(note, "yellow"))
        cli.printer.flush()
        if fix:
            _repair(cli)
        progress = ProgressLines(cli.printer, verdict)
        target = cli.target()
        try:
            state = find_state(places(cli), target.endpoint)
        except NoLocalClusterError:
            _refuse_others(cli)
            check_startable(default_settings(cli), places(cli), progress)
            return
        running = check_resumable(state, progress)
        if running:
            verdict.add("servers run")
            cli.printer.message(f"Local Fluvio cluster is running: {', '.join(running)}")


def _refuse_others(cli: CliContext) -> None:
    """Raise for a cluster that is not of this machine."""
    from fluvio_profiles.model import Installation

    target = cli.target()
    if target.profile_name is None or target.cluster_name is None:
        raise NotLocalError("Check", target.endpoint)
    kind = cli.load_config().clusters[target.cluster_name].installation
    if kind is Installation.CLOUD:
        raise FluvioError(
            f"'fluvio cluster check' is invalid with cloud cluster \"{target.cluster_name}\", "
            "use 'fluvio cloud ...' commands"
        )
    if kind not in (Installation.LOCAL, Installation.READ_ONLY):
        raise NotLocalError("Check", target.profile_name)


def _repair(cli: CliContext) -> None:
    from fluvio_cli.commands.doctor import repair_all
    from fluvio_cli.doctor.catalogue import examine
    from fluvio_cli.doctor.look import look

    for text in repair_all(cli, examine(look(cli))):
        cli.printer.message(f"fixed: {text}")
