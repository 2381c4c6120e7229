"""`fluvio profile list`."""

from typing import Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext


@rules(
    examples=(
        ("See the profiles there are", "fluvio profile list"),
        ("Move the whole file by hand", "fluvio profile list -O toml --show-secrets"),
    )
)
def command(
    ctx: typer.Context,
    output: Annotated[
        str,
        typer.Option("-O", "--output", metavar="type", parser=values.output_format, help="Output format"),
    ] = "table",
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Print private keys that stand in the file as they are")
    ] = False,
) -> None:
    """List all profiles.

    The current one has a `*`. The formats other than table print the whole profile file; private keys
    that stand in it are hidden without `--show-secrets`.
    """
    from fluvio_cli.commands.profile.view import config_view, profile_table
    from fluvio_cli.output.structured import render_structured
    from fluvio_profiles.errors import ConfigMissingError
    from fluvio_profiles.model import Config

    cli: CliContext = ctx.obj
    try:
        config = cli.load_config()
    except ConfigMissingError:
        if output == "table":
            cli.printer.note("Unable to find Fluvio config\nTry using 'fluvio cluster start'")
            return
        config = Config()
    if output == "table":
        cli.printer.data(profile_table(config))
    else:
        cli.printer.data(render_structured(config_view(config, show_keys=show_secrets), output))
