"""`fluvio cluster shutdown`, also called `stop`."""

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import (
    ONE_CLUSTER,
    DataDir,
    Name,
    ProgressLines,
    announce_channel,
    meant_cluster,
)
from fluvio_cli.context import CliContext
from fluvio_cli.effect import Effect


@rules(
    effect=Effect(destroys=True, on="local"),
    conflicts=ONE_CLUSTER,
    examples=(
        ("Stop the current profile's cluster", "fluvio cluster shutdown"),
        ("Stop the cluster at an address", "fluvio -c 127.0.0.1:9103 cluster shutdown"),
        ("Stop the cluster that was started with a name", "fluvio cluster shutdown --name trial"),
        ("Start it again, with its data", "fluvio cluster resume"),
    ),
)
def command(
    ctx: typer.Context,
    data_dir: DataDir = None,
    name: Name = None,
) -> None:
    """Stop a cluster and keep its data.

    Acts on the target's cluster, if that was started on this machine: the current profile's, or the one
    that `-P` or `-c` names. Servers get 10 seconds to end by themselves. If no cluster is named and none was
    started here, there is nothing to do.
    """
    from fluvio_local_cluster.lifecycle.errors import NoLocalClusterError
    from fluvio_local_cluster.lifecycle.stop import shutdown

    cli: CliContext = ctx.obj
    announce_channel(cli)
    try:
        state = meant_cluster(cli, data_dir, "Shutdown", name)
    except NoLocalClusterError as exc:
        named = data_dir or name or cli.target_options.cluster or cli.target_options.profile
        if named is not None:
            raise  # a mistyped name must not look as if the cluster were stopped
        cli.printer.progress(f"nothing to stop: {exc}")
        return
    with cli.printer.busy("waiting for the servers to stop"):
        was_running = shutdown(state.settings.data_dir, ProgressLines(cli.printer))
    if not was_running:
        cli.printer.progress("the cluster was not running")
