"""`fluvio topic replay`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.topic import transfer_options as transfer
from fluvio_cli.context import CliContext
from fluvio_cli.effect import WRITES

if TYPE_CHECKING:
    from fluvio_cli.transfer.importing import Imported


def _speed(text: str) -> float:
    from fluvio_cli.transfer.pace import parse_speed

    return parse_speed(text)


@rules(
    effect=WRITES,
    examples=(
        ("Send a file's records at the pace at which they came", "fluvio topic replay orders.jsonl"),
        (
            "Ten times as fast, into another topic",
            "fluvio topic replay orders.flt.zst again --create --speed 10x",
        ),
    ),
)
def command(
    ctx: typer.Context,
    file: transfer.SourceFile,
    topic: transfer.TargetTopic = None,
    speed: Annotated[
        float,
        typer.Option(
            "--speed",
            metavar="FACTOR",
            parser=_speed,
            help="How many times as fast: 10x, 0.5x, or max for as fast as it goes",
        ),
    ] = 1.0,
    count: transfer.Count = None,
    create: transfer.CreateFromFile = False,
    keep_time: transfer.KeepTime = False,
    output: transfer.Output = "table",
) -> None:
    """Send a file's records at the pace of their times.

    The first one is sent at once. Records keep their partitions and their order there.
    """
    from fluvio_cli.streaming.interrupt import run
    from fluvio_cli.transfer.importing import ImportJob
    from fluvio_cli.transfer.replaying import ReplayJob, replay

    cli: CliContext = ctx.obj
    job = ReplayJob(ImportJob(file, topic, create, keep_time), speed, count)
    found: list[Imported] = []

    async def main(interrupt: Any) -> None:
        found.append(await replay(cli, job, interrupt))

    run(main)
    _tell(cli, file, found[0], output)
    if found[0].interrupted:
        raise KeyboardInterrupt


def _tell(cli: CliContext, file: str, result: "Imported", output: str) -> None:
    from fluvio_cli.output.structured import render_json

    if result.interrupted:
        cli.printer.note(f"interrupted after {result.records} records")
    elif output == "json":
        view = {
            "topic": result.topic,
            "file": file,
            "records": result.records,
            "partitions": transfer.landed_view(result.landed),
        }
        cli.printer.data(render_json(view))
    else:
        cli.printer.message(f'{result.records} records of {file} sent to topic "{result.topic}"')
