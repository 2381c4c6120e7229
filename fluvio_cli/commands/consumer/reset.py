"""`fluvio consumer reset`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.effect import WRITES

if TYPE_CHECKING:
    from fluvio_client.consumer_places import Bounds

START, END = "start", "end"


def read_place(text: str) -> str | int:
    """`start`, `end` or an offset. Raises `ValueError`."""
    if text in (START, END):
        return text
    try:
        return int(values.u64(text))
    except ValueError:
        raise ValueError(f"expected `{START}`, `{END}` or an offset") from None


@rules(
    effect=WRITES,
    requires={"partition": ("topic",)},
    examples=(
        ("Read everything again", "fluvio consumer reset my-app --to start"),
        ("Leave out what is there, and go on with what comes", "fluvio consumer reset my-app --to end"),
        (
            "Go on with record 42 of one partition",
            "fluvio consumer reset my-app --topic my-topic --partition 0 --to 42",
        ),
    ),
)
def command(
    ctx: typer.Context,
    consumer: Annotated[str, typer.Argument(metavar="CONSUMER", help="Id of the consumer")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="start|end|OFFSET",
            parser=read_place,
            help="Where it goes on: with the oldest record kept, behind the last one, or with this one",
        ),
    ],
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
    """Let a consumer go on somewhere else: in every partition for which the cluster keeps its offset.

    An offset that one of the partitions does not have changes nothing anywhere. Stop the consumer before: one
    that is running stores its own place again.
    """
    from fluvio_cli.commands.consumer.finding import found_entries

    cli: CliContext = ctx.obj
    entries = found_entries(cli, consumer, topic, partition)
    with cli.consumer_places() as places:
        replicas = [entry.replica_id for entry in entries]
        aims = [
            next_offset(to, places.bounds(r.topic, r.partition), f"{r.topic}-{r.partition}") for r in replicas
        ]
        for replica, aim in zip(replicas, aims, strict=True):
            places.move(consumer, replica.topic, replica.partition, aim)
            place = f'on topic "{replica.topic}" and partition "{replica.partition}"'
            cli.printer.message(f'consumer "{consumer}" {place} goes on with {aim}')


def next_offset(to: str | int, bounds: "Bounds", name: str) -> int:
    """The offset that `to` means in the partition called `name`. Raises `FluvioError` for one it has not."""
    from fluvio_types.errors import FluvioError

    if isinstance(to, str):
        return bounds.start if to == START else bounds.end
    if not bounds.start <= to <= bounds.end:
        raise FluvioError(
            f"{name} has no offset {to}: it begins at {bounds.start} and ends before {bounds.end}",
            hint=f"nothing was changed; `--to {START}` and `--to {END}` are right for every partition",
        )
    return to
