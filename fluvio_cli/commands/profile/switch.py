"""`fluvio profile switch`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext


@rules(
    examples=(
        ("Talk to another cluster from now on", "fluvio profile switch staging"),
        ("And back again", "fluvio profile switch -"),
    )
)
def command(
    ctx: typer.Context,
    profile_name: Annotated[
        str, typer.Argument(metavar="profile name", help="Profile to switch to; `-` is the previous one")
    ],
) -> None:
    """Make another profile the current one."""
    from fluvio_profiles.errors import NoPreviousProfileError, ProfileNotFoundError
    from fluvio_profiles.model import Config
    from fluvio_profiles.store import update_config

    def switch(config: Config) -> None:
        name: str | None = profile_name
        if name == "-" and name not in config.profiles:
            name = config.previous_profile
            if name not in config.profiles:
                raise NoPreviousProfileError()
        if name is None or name not in config.profiles:
            raise ProfileNotFoundError(profile_name)
        config.select(name)

    cli: CliContext = ctx.obj
    current = update_config(cli.profile_path, switch).config.current_profile
    if profile_name == "-":
        cli.printer.message(f"Switched to profile {current}")
    if cli.printer.stderr_is_terminal:
        _tell_of_other_choice(cli, current)


def _tell_of_other_choice(cli: CliContext, current: str | None) -> None:
    from fluvio_types.errors import FluvioError

    try:
        choice = cli.choice()
    except FluvioError as exc:
        cli.printer.hint(f"hint: {exc}")
        return
    if choice is not None and choice[0] != current:
        cli.printer.hint(f"hint: commands here still use profile `{choice[0]}`, chosen by {choice[1]}")
