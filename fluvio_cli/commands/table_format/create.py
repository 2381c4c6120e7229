"""`fluvio table-format create`."""

from pathlib import Path
from typing import Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.effect import WRITES


@rules(
    effect=WRITES,
    examples=(("Store the layout that a file defines", "fluvio table-format create --config hosts.yaml"),),
)
def command(
    ctx: typer.Context,
    config: Annotated[
        Path, typer.Option("-c", "--config", metavar="CONFIG", help="YAML file with the definition")
    ],
) -> None:
    """Store a layout of tables, from its definition in a file.

    The cluster keeps it, for all who show the records of a topic as a table.
    """
    from fluvio_cli.table_format_files import read_table_format_file

    cli: CliContext = ctx.obj
    spec = read_table_format_file(config)
    with cli.connect() as admin:
        admin.create_table_format(spec)
    cli.printer.message(f'tableformat "{spec.name}" created')
