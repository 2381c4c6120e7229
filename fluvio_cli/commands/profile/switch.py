"""`fluvio profile switch`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext


@rules(examples=(("Talk to another cluster from now on", "fluvio profile switch staging"),))
def command(
    ctx: typer.Context,
    profile_name: Annotated[str, typer.Argument(metavar="profile name", help="Profile to switch to")],
) -> None:
    """Make another profile the current one."""
    from fluvio_profiles.errors import ProfileNotFoundError
    from fluvio_profiles.model import Config
    from fluvio_profiles.store import update_config

    def switch(config: Config) -> None:
        if profile_name not in config.profiles:
            raise ProfileNotFoundError(profile_name)
        config.current_profile = profile_name

    cli: CliContext = ctx.obj
    update_config(cli.profile_path, switch)
