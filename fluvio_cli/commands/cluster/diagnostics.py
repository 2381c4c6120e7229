"""`fluvio cluster diagnostics`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import Name, aimed_at, announce_channel, places
from fluvio_cli.context import CliContext


@rules(
    examples=(
        ("Collect everything about the current profile's cluster", "fluvio cluster diagnostics"),
        ("Do not print what is collected", "fluvio cluster diagnostics --quiet"),
    )
)
def command(
    ctx: typer.Context,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print what is collected")] = False,
    name: Name = None,
) -> None:
    """Collect server output, metadata and state in one archive.

    It is written into the working directory and can be given to who helps: keys and certificates are left
    out, and so are records. A cluster that does not answer is no failure; what is missing is named.
    """
    from pathlib import Path

    from fluvio_cli.diagnostics import Collector, collect, new_archive
    from fluvio_local_cluster.lifecycle.errors import LocalClusterError
    from fluvio_local_cluster.lifecycle.places import find_state

    cli: CliContext = aimed_at(ctx.obj, name)
    announce_channel(cli)
    target = cli.target()
    try:
        state = find_state(places(cli), target.endpoint)
    except LocalClusterError:
        state = None

    def say(text: str) -> None:
        cli.printer.message(text)
        cli.printer.flush()

    def show(text: str) -> None:
        if not quiet:
            cli.printer.data(f"---------\n{text}\n---------\n")

    say(f"Installation type: {_installation(cli, is_local=state is not None)}")
    say(f"Profile: {target.profile_name or target.endpoint}")
    with new_archive(Path.cwd()) as (archive, path):
        collect(cli, state, Collector(archive, say, show))
    say(f"Wrote diagnostics to {path}")


def _installation(cli: CliContext, *, is_local: bool) -> str:
    """How the target's cluster was set up, as far as the profile file tells."""
    if is_local:
        return "Local"
    name = cli.target().cluster_name
    cluster = cli.load_config().clusters.get(name) if name is not None else None
    installation = cluster.installation if cluster is not None else None
    return (
        "unknown" if installation is None else installation.value.replace("_", " ").title().replace(" ", "")
    )
