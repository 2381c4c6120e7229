"""`fluvio table-format delete`."""

from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.effect import DESTROYS


@rules(effect=DESTROYS, examples=(("Delete a layout", "fluvio table-format delete hosts"),))
def command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the table format")],
) -> None:
    """Delete a table format.

    As with the official tool nothing is printed when it is done, but for a line on a terminal.
    """
    cli: CliContext = ctx.obj
    with cli.connect() as admin:
        admin.delete_table_format(name)
    cli.printer.hint(f'tableformat "{name}" deleted')
