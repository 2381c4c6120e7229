"""`fluvio consumer describe`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_client.consumer_places import Bounds
    from fluvio_protocol.api.consumer_offsets import ConsumerOffset

_HEADERS = ("TOPIC", "PARTITION", "OFFSET", "START", "END", "LAG", "LAST SEEN")


@rules(
    requires={"partition": ("topic",)},
    examples=(
        ("How far is a consumer?", "fluvio consumer describe my-app"),
        (
            "How many records has it still to read, in all?",
            "fluvio consumer describe my-app -O json | jq '[.[].lag] | add'",
        ),
    ),
)
def command(
    ctx: typer.Context,
    consumer: Annotated[str, typer.Argument(metavar="CONSUMER", help="Id of the consumer")],
    output: Annotated[
        str,
        typer.Option("-O", "--output", metavar="type", parser=values.output_format, help="Output format"),
    ] = "table",
    topic: Annotated[
        str | None, typer.Option("-t", "--topic", metavar="TOPIC", help="Only for this topic")
    ] = None,
    partition: Annotated[
        int | None,
        typer.Option(
            "-p", "--partition", metavar="PARTITION", parser=values.u32, help="Only for this partition"
        ),
    ] = None,
) -> None:
    """Show how far a consumer is in each partition, and how much it has still to read.

    OFFSET is that of the last record it has read, START that of the oldest record that is kept, END that of
    the next one to come. LAG is the number of records that are there and not read. What the SPU of a
    partition does not tell is `-`.
    """
    import time

    from fluvio_cli.commands.consumer.finding import found_entries
    from fluvio_cli.output.structured import render_structured
    from fluvio_cli.output.table import render_table

    cli: CliContext = ctx.obj
    entries = found_entries(cli, consumer, topic, partition)
    measured = _measure(cli, entries)
    if output != "table":
        views: Any = [place_view(entry, bounds) for entry, bounds in measured]
        cli.printer.data(render_structured(views, output))
        return
    now_s = int(time.time())
    cli.printer.data(render_table(_HEADERS, [_row(entry, bounds, now_s) for entry, bounds in measured]))


def _measure(
    cli: CliContext, entries: "list[ConsumerOffset]"
) -> "list[tuple[ConsumerOffset, Bounds | None]]":
    """The entries with the bounds of their partitions; None, and a remark, where nobody tells them."""
    from fluvio_types.errors import FluvioError

    measured: list[tuple[ConsumerOffset, Bounds | None]] = []
    with cli.consumer_places() as places:
        for entry in entries:
            replica = entry.replica_id
            try:
                measured.append((entry, places.bounds(replica.topic, replica.partition)))
            except FluvioError as exc:
                cli.printer.note(f"{replica.topic}-{replica.partition} could not be measured: {exc}")
                measured.append((entry, None))
    return measured


def lag_of(entry: "ConsumerOffset", bounds: "Bounds") -> int:
    """Records that are there and that the consumer has not read."""
    return max(bounds.end - max(entry.offset + 1, bounds.start), 0)


def place_view(entry: "ConsumerOffset", bounds: "Bounds | None") -> dict[str, Any]:
    """One partition as `-O json` shows it: docs/cli-json-output.md, "consumer describe"."""
    from fluvio_cli.output.objects import consumer_view

    return consumer_view(entry) | {
        "start": None if bounds is None else bounds.start,
        "end": None if bounds is None else bounds.end,
        "lag": None if bounds is None else lag_of(entry, bounds),
    }


def _row(entry: "ConsumerOffset", bounds: "Bounds | None", now_s: int) -> tuple[str, ...]:
    from fluvio_cli.commands.consumer.list import table_row

    _, topic, partition, offset, age = table_row(entry, now_s)
    measured = ("-",) * 3
    if bounds is not None:
        measured = (str(bounds.start), str(bounds.end), str(lag_of(entry, bounds)))
    return topic, partition, offset, *measured, age
