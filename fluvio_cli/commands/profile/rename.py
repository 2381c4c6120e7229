"""`fluvio profile rename`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext


@rules(examples=(("Call the profile otherwise", "fluvio profile rename old new"),))
def command(
    ctx: typer.Context,
    old: Annotated[str, typer.Argument(metavar="FROM", help="Profile to rename")],
    new: Annotated[str, typer.Argument(metavar="TO", help="Its new name")],
) -> None:
    """Rename a profile.

    Its cluster keeps its name. A profile that has the new name is replaced.
    """
    from fluvio_profiles.errors import ProfileNotFoundError
    from fluvio_profiles.model import Config
    from fluvio_profiles.store import update_config

    def rename(config: Config) -> None:
        if not config.rename_profile(old, new):
            raise ProfileNotFoundError(old)

    cli: CliContext = ctx.obj
    update_config(cli.profile_path, rename)
    cli.printer.hint(f"profile {old} is called {new} now")
