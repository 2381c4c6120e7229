"""`fluvio consumer list`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_protocol.api.consumer_offsets import ConsumerOffset

_HEADERS = ("CONSUMER", "TOPIC", "PARTITION", "OFFSET", "LAST SEEN")


@rules(
    examples=(
        ("List the consumers of the current profile's cluster", "fluvio consumer list"),
        (
            "The last record that a consumer has read, by topic and partition",
            "fluvio consumer list -O json | "
            'jq -r \'.[] | select(.consumer_id == "my-app") | "\\(.topic)-\\(.partition) \\(.offset)"\'',
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
    """List all consumers whose offsets the cluster keeps.

    OFFSET is that of the last record read, LAST SEEN the time since it was stored. `fluvio consume
    --consumer` stores offsets.
    """
    import time

    from fluvio_cli.output.objects import consumer_view
    from fluvio_cli.output.structured import render_structured
    from fluvio_cli.output.table import render_table

    cli: CliContext = ctx.obj
    with cli.consumer_offsets() as stored:
        consumers = stored.find()
    if output != "table":
        cli.printer.data(render_structured([consumer_view(entry) for entry in consumers], output))
    elif not consumers:
        cli.printer.message("No consumers found")
    else:
        now_s = int(time.time())
        cli.printer.data(render_table(_HEADERS, [table_row(entry, now_s) for entry in consumers]))


def table_row(entry: "ConsumerOffset", now_s: int) -> tuple[str, ...]:
    """The cells of one offset; `now_s` in seconds since 1970. A clock that is behind shows `0s`."""
    return (
        _printable(entry.consumer_id),
        entry.replica_id.topic,
        str(entry.replica_id.partition),
        str(entry.offset),
        values.format_duration_ns(max(now_s - entry.modified_time, 0) * 10**9),
    )


def _printable(consumer_id: str) -> str:
    """The id, or as JSON text where it holds what a terminal would obey: any text may be an id."""
    if consumer_id.isprintable():
        return consumer_id
    import json

    return json.dumps(consumer_id)
