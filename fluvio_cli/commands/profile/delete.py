"""`fluvio profile delete`, also called `delete-profile`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext


@rules(examples=(("Forget a profile, and keep its cluster", "fluvio profile delete old"),))
def command(
    ctx: typer.Context,
    profile_name: Annotated[str, typer.Argument(metavar="profile name", help="Profile to delete")],
) -> None:
    """Delete a profile, and keep its cluster."""
    from fluvio_profiles.errors import ProfileNotFoundError
    from fluvio_profiles.model import Config
    from fluvio_profiles.store import update_config

    was_current = False

    def delete(config: Config) -> None:
        nonlocal was_current
        was_current = config.current_profile == profile_name
        if not config.delete_profile(profile_name):
            raise ProfileNotFoundError(profile_name)

    cli: CliContext = ctx.obj
    update_config(cli.profile_path, delete)
    cli.printer.message(f"profile {profile_name} deleted")
    if was_current:
        cli.printer.message(
            "warning: this removed your current profile, "
            "use 'fluvio profile switch' to select a different one"
        )
    else:
        cli.printer.message("profile deleted")
