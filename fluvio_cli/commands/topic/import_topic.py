"""`fluvio topic import`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.topic import transfer_options as transfer
from fluvio_cli.context import CliContext
from fluvio_cli.effect import WRITES

if TYPE_CHECKING:
    from fluvio_cli.transfer.importing import Imported


@rules(
    effect=WRITES,
    examples=(
        ("Read a file into the topic that it names", "fluvio topic import orders.jsonl"),
        (
            "Into a new topic, with the times that the records have",
            "fluvio topic import orders.jsonl again --create --keep-time",
        ),
        ("Go on after an interruption", "fluvio topic import orders.jsonl again --keep-time --resume"),
        ("From another cluster", "fluvio -P prod topic export orders - | fluvio topic import - orders"),
    ),
)
def command(
    ctx: typer.Context,
    file: transfer.SourceFile,
    topic: transfer.TargetTopic = None,
    create: transfer.CreateFromFile = False,
    keep_time: transfer.KeepTime = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an import that was interrupted")
    ] = False,
    output: transfer.Output = "table",
) -> None:
    """Read a file that `topic export` wrote into a topic.

    Records keep their partitions and their order there. JSON lines of `consume -O ndjson` will do as well.
    """
    from pathlib import Path

    from fluvio_cli.streaming.interrupt import run
    from fluvio_cli.transfer.importing import ImportJob, import_file

    cli: CliContext = ctx.obj
    job = ImportJob(file, topic, create, keep_time, resume, cli.directory or Path())
    found: list[Imported] = []

    async def main(interrupt: Any) -> None:
        found.append(await import_file(cli, job, interrupt))

    run(main)
    _tell(cli, file, found[0], output)
    if found[0].interrupted:
        raise KeyboardInterrupt


def _tell(cli: CliContext, file: str, result: "Imported", output: str) -> None:
    from fluvio_cli.output.structured import render_json

    transfer.tell_strays(cli, result.topic, result.strays)
    if result.interrupted:
        after = ": `--resume` goes on" if result.resumable else ""
        cli.printer.note(f"interrupted after {result.records} records{after}")
    elif output == "json":
        view = {
            "topic": result.topic,
            "file": file,
            "records": result.records,
            "records_stored_before": result.found,
            "other_records_between": result.strays,
            "partitions": transfer.landed_view(result.landed),
        }
        cli.printer.data(render_json(view))
    else:
        before = f", after {result.found} of an earlier run" if result.found else ""
        cli.printer.message(f'{result.records} records of {file} stored in topic "{result.topic}"{before}')
