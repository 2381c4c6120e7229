"""`fluvio completions bash` and its like: a script on standard output."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext

_Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the command to complete")]


def _print(ctx: typer.Context, shell: str, name: str) -> None:
    from fluvio_completions.scripts import script

    cli: CliContext = ctx.obj
    cli.printer.data(script(shell, name))


@rules(examples=(("Complete in this shell only", "source <(fluvio completions bash)"),))
def bash(ctx: typer.Context, name: _Name = "fluvio") -> None:
    """Print the completion script for bash."""
    _print(ctx, "bash", name)


@rules(examples=(("Complete in this shell only", "source <(fluvio completions zsh)"),))
def zsh(ctx: typer.Context, name: _Name = "fluvio") -> None:
    """Print the completion script for zsh."""
    _print(ctx, "zsh", name)


@rules(examples=(("Complete in this shell only", "fluvio completions fish | source"),))
def fish(ctx: typer.Context, name: _Name = "fluvio") -> None:
    """Print the completion script for fish."""
    _print(ctx, "fish", name)


@rules(
    examples=(
        ("Complete in this shell only", "fluvio completions powershell | Out-String | Invoke-Expression"),
    )
)
def powershell(ctx: typer.Context, name: _Name = "fluvio") -> None:
    """Print the completion script for PowerShell."""
    _print(ctx, "powershell", name)
