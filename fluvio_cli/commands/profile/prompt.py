"""`fluvio profile prompt`, as help and errors see it; `fluvio_cli.prompt` does the work without it."""

from typing import Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.prompt import DEFAULT_FORMAT, SHELLS

shell_name = values.Choice(*SHELLS)


@rules(
    examples=(
        ("See the fragment", "fluvio profile prompt"),
        (
            "In bash, from PROMPT_COMMAND",
            "PS1=\"$(fluvio profile prompt --shell bash --format '{profile} ')\\$ \"",
        ),
    )
)
def command(
    ctx: typer.Context,
    form: Annotated[
        str,
        typer.Option(
            "--format", metavar="TEXT", help="Text with `{profile}`, `{cluster}` and `{protection}` in it"
        ),
    ] = DEFAULT_FORMAT,
    shell: Annotated[
        str,
        typer.Option(
            "--shell", metavar="SHELL", parser=shell_name, help="How colours are marked as having no width"
        ),
    ] = "plain",
) -> None:
    """Print the chosen profile for the shell's prompt.

    Red is a protected cluster, yellow a read-only one, green any other; NO_COLOR leaves colours out. Prints
    nothing when no profile is chosen, or when it cannot be told.
    """
    from fluvio_cli.prompt import fragment

    cli: CliContext = ctx.obj
    environment = dict(cli.environment)
    if cli.target_options.profile is not None:
        environment["FLUVIO_PROFILE"] = cli.target_options.profile
    cli.printer.data(fragment(environment, form, shell))
