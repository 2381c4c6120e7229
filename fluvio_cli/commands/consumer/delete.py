"""`fluvio consumer delete`."""

from typing import Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.effect import DESTROYS


@rules(
    effect=DESTROYS,
    requires={"partition": ("topic",)},
    examples=(
        ("Let a consumer begin anew everywhere", "fluvio consumer delete my-app"),
        ("Only in one partition of a topic", "fluvio consumer delete my-app --topic my-topic --partition 0"),
    ),
)
def command(
    ctx: typer.Context,
    consumer: Annotated[str, typer.Argument(metavar="CONSUMER", help="Id of the consumer")],
    output: Annotated[
        str,
        typer.Option(
            "-O",
            "--output",
            metavar="type",
            parser=values.output_format,
            help="Output format; accepted as officially, a line tells what was deleted in any of them",
        ),
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
    """Delete the offsets that the cluster keeps for a consumer.

    It then starts where its flags say, as if it had never read. A consumer that is running stores its
    offset again.
    """
    cli: CliContext = ctx.obj
    with cli.consumer_offsets() as stored:
        found = stored.find(consumer_id=consumer, topic=topic, partition=partition)
        for entry in found:
            stored.delete(entry)
            place = f'on topic "{entry.replica_id.topic}" and partition "{entry.replica_id.partition}"'
            cli.printer.message(f'consumer "{entry.consumer_id}" {place} deleted')
    if not found:
        cli.printer.message("no consumers found")
        cli.printer.hint("\nhint: `fluvio consumer list` shows the consumers there are")
