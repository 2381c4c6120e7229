"""`fluvio completions install` and `uninstall`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.values import Choice

_Shell = Annotated[
    str | None,
    typer.Option(
        "--shell",
        metavar="shell",
        parser=Choice("bash", "zsh", "fish", "powershell"),
        help="The shell; when absent the one that SHELL names",
    ),
]


def _chosen(cli: CliContext, shell: str | None) -> str:
    from fluvio_cli.failures import UnknownNameError
    from fluvio_completions.installing import shell_of

    found = shell or shell_of(cli.environment)
    if found is None:
        named = cli.environment.get("SHELL")
        told = f"SHELL names `{named}`" if named else "SHELL is not set"
        raise UnknownNameError(
            f"which shell? {told}", hint="say `--shell bash`, `zsh`, `fish` or `powershell`"
        )
    return found


@rules(
    examples=(
        ("For the shell in use", "fluvio completions install"),
        ("For another one", "fluvio completions install --shell fish"),
    )
)
def install(ctx: typer.Context, shell: _Shell = None) -> None:
    """Install the completion script for a shell.

    It goes below the home directory, where the shell looks for it; bash, zsh and PowerShell are told of it
    by a block in their start-up file, which `uninstall` removes. A second time changes nothing.
    """
    from fluvio_completions.installing import install as write

    cli: CliContext = ctx.obj
    chosen = _chosen(cli, shell)
    changed = write(chosen, cli.environment, cli.home)
    for path in changed:
        cli.printer.message(f"wrote {path}")
    if not changed:
        cli.printer.message(f"completions for {chosen} are installed already")
    cli.printer.hint(f"new shells have it: start one, or `exec {chosen}`")


@rules(examples=(("For the shell in use", "fluvio completions uninstall"),))
def uninstall(ctx: typer.Context, shell: _Shell = None) -> None:
    """Remove what `install` has written for a shell."""
    from fluvio_completions.installing import uninstall as remove

    cli: CliContext = ctx.obj
    chosen = _chosen(cli, shell)
    changed = remove(chosen, cli.environment, cli.home)
    for path in changed:
        cli.printer.message(f"removed from {path}" if path.exists() else f"removed {path}")
    if not changed:
        cli.printer.message(f"completions for {chosen} are not installed")
