"""`fluvio table-format list`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    import enum

    from fluvio_client.admin_calls import TableFormatObject


@rules(
    examples=(
        ("List the layouts that the cluster keeps", "fluvio table-format list"),
        (
            "The keys that a layout shows",
            "fluvio table-format list -O json | jq '.[0].spec.columns[].keyPath'",
        ),
    )
)
def command(
    ctx: typer.Context,
    output: Annotated[
        str,
        typer.Option("-O", "--output", metavar="type", parser=values.output_format, help="Output format"),
    ] = "table",
) -> None:
    """List all table formats of the cluster."""
    from fluvio_cli.output.objects import camel_case
    from fluvio_cli.output.structured import render_structured
    from fluvio_cli.output.table import render_table

    cli: CliContext = ctx.obj
    with cli.connect() as admin:
        formats = sorted(admin.list_table_formats(), key=lambda each: each.name)
    if output != "table":
        cli.printer.data(render_structured([table_format_view(each) for each in formats], output))
    elif not formats:
        cli.printer.message("no tableformats")
    else:
        rows = [(each.name, camel_case(each.status.resolution)) for each in formats]
        cli.printer.data(render_table(("NAME", "STATUS"), rows, right_aligned=frozenset((0, 1))))


def table_format_view(stored: "TableFormatObject") -> dict[str, Any]:
    """One table format, as `-O json` shows it; what is not set is null, but `smartmodule` is left out."""
    from fluvio_cli.output.objects import camel_case

    def word(member: "enum.IntEnum | None") -> str | None:
        return None if member is None else member.name

    spec = stored.spec
    columns = None
    if spec.columns is not None:
        columns = [
            {
                "headerLabel": column.header_label,
                "width": column.width,
                "alignment": word(column.alignment),
                "keyPath": column.key_path,
                "format": column.format,
                "display": column.display,
                "primaryKey": column.primary_key,
                "headerBgColor": word(column.header_bg_color),
                "headerTextColor": word(column.header_text_color),
            }
            for column in spec.columns
        ]
    return {
        "name": stored.name,
        "spec": {
            "name": spec.name,
            "inputFormat": word(spec.input_format),
            "columns": columns,
            **({} if spec.smartmodule is None else {"smartmodule": spec.smartmodule}),
        },
        "status": {"resolution": camel_case(stored.status.resolution), "reason": stored.status.reason},
    }
