"""`fluvio cluster health`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import Name, aimed_at, announce_channel, places
from fluvio_cli.commands.report_options import Junit
from fluvio_cli.context import CliContext
from fluvio_cli.effect import Effect

if TYPE_CHECKING:
    from pathlib import Path

_CHECK_S, _WAIT_S = 10.0, 60.0
_MOST_S = 86_400


@rules(
    effect=Effect(on="local"),
    examples=(
        ("Try the current profile's cluster", "fluvio cluster health"),
        ("Wait until it is healthy, two minutes at most", "fluvio cluster health --wait --timeout 120"),
        ("For a program", "fluvio cluster health -O json"),
        ("For a CI system that shows test results", "fluvio cluster health --junit health.xml"),
    ),
)
def command(
    ctx: typer.Context,
    wait: Annotated[bool, typer.Option("--wait", help="Try again until the cluster is healthy")] = False,
    timeout: Annotated[
        int | None,
        typer.Option(
            "--timeout",
            metavar="seconds",
            parser=values.integer(1, _MOST_S),
            help="How long it may take in all (10, with `--wait` 60)",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "-O",
            "--output",
            metavar="type",
            parser=values.Choice("table", "json", "yaml", ignore_case=True),
            help="Output format",
        ),
    ] = "table",
    junit: Junit = None,
    name: Name = None,
) -> None:
    """Try a cluster: store a record on each SPU and read it back.

    Works with any cluster. The records go to an internal topic, which is removed in the end; where the
    cluster lets nobody create topics, SPUs are only connected to, and the output says so. Exit code 0:
    healthy; 6: not healthy; 4: the cluster cannot be reached; 5: not healthy in time (`--wait`).
    """
    from fluvio_cli.health.attempts import HealthJob, examine
    from fluvio_cli.health.cases import note_health
    from fluvio_cli.health.view import HealthView
    from fluvio_cli.reports.judging import judged
    from fluvio_cli.streaming.interrupt import run

    with judged(ctx.obj, "fluvio cluster health", junit) as verdict:
        cli: CliContext = aimed_at(ctx.obj, name)
        announce_channel(cli)
        target = cli.target()
        job = HealthJob(timeout or (_WAIT_S if wait else _CHECK_S), wait=wait)
        with cli.printer.busy(f"trying the cluster at {target.endpoint}"):
            run(lambda interrupt: examine(cli, job, interrupt))
        view = HealthView(target.profile_name, target.endpoint, job.report, job.problems)
        note_health(view, verdict)
        text = view.render(output)
        cli.printer.data(cli.printer.foreign(text) if output == "table" else text)
        cli.printer.flush()
        failure = job.failure()
        if failure is not None:
            if verdict.wish:
                verdict.attach_output(_logs(cli, target.endpoint))
            raise failure


def _logs(cli: CliContext, endpoint: str) -> "list[Path]":
    """Where the servers print, if they are of this machine."""
    from fluvio_local_cluster.lifecycle.errors import LocalClusterError
    from fluvio_local_cluster.lifecycle.places import find_state

    try:
        return [server.plan.log for server in find_state(places(cli), endpoint).servers]
    except LocalClusterError:
        return []
