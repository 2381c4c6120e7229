"""`fluvio topic export`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.topic import transfer_options as transfer
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_cli.transfer.exporting import Exported, ExportJob


@rules(
    conflicts=(("resume", "force"),),
    examples=(
        ("Write a topic to a file, a JSON object a line", "fluvio topic export orders orders.jsonl"),
        ("In the compact form, compressed", "fluvio topic export orders orders.flt.zst"),
        ("Go on where the file ends", "fluvio topic export orders orders.jsonl --resume"),
        ("Look into a topic with other tools", "fluvio topic export orders - --since 1h | jq .value"),
    ),
)
def command(
    ctx: typer.Context,
    topic: Annotated[str, typer.Argument(metavar="topic", help="Name of the topic to read")],
    file: Annotated[
        str,
        typer.Argument(
            metavar="file",
            help="File to write, `-` for standard output; `.flt` is the compact form, all else JSON lines; "
            "`.gz` or `.zst` behind it compresses",
        ),
    ],
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            parser=values.Choice("jsonl", "binary"),
            help="JSON lines or the compact form, whatever the file's name says",
        ),
    ] = None,
    partition: transfer.Partitions = None,
    since: transfer.Since = None,
    until: transfer.Until = None,
    count: transfer.Count = None,
    where: transfer.Where = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on where the file ends: after an interruption, or for what is new"),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists")] = False,
    output: transfer.Output = "table",
) -> None:
    """Write a topic to a file.

    Keys, times, offsets and partitions are kept, and every byte of the values. What is there when the command
    starts is written.
    """
    from fluvio_cli.failures import UsageError
    from fluvio_cli.streaming.interrupt import run
    from fluvio_cli.transfer.exporting import STANDARD, ExportJob, export
    from fluvio_cli.transfer.files import Form, form_of

    cli: CliContext = ctx.obj
    if file == STANDARD and resume:
        raise UsageError("`--resume` needs a file: standard output cannot be read")
    form, container = form_of(file)
    job = ExportJob(
        topic,
        file,
        form if format is None else Form(format),
        container,
        tuple(partition or ()),
        transfer.selection_of(since, until, where, count),
        resume,
        force,
    )
    found: list[Exported] = []

    async def main(interrupt: Any) -> None:
        found.append(await export(cli, job, interrupt))

    run(main)
    _tell(cli, job, found[0], output)
    if found[0].interrupted:
        raise KeyboardInterrupt


def _tell(cli: CliContext, job: "ExportJob", result: "Exported", output: str) -> None:
    from fluvio_cli.output.structured import render_json
    from fluvio_cli.transfer.exporting import STANDARD

    is_file = job.file != STANDARD
    if result.interrupted:
        after = ": `--resume` goes on" if is_file else ""
        cli.printer.note(f"interrupted after {result.added} records{after}")
    elif output == "json" and is_file:
        cli.printer.data(render_json(_view(job, result)))
    elif is_file:
        before = result.counts.total - result.added
        whole = f", it has {result.counts.total} now" if before else ""
        cli.printer.message(f'{result.added} records of topic "{job.topic}" written to {job.file}{whole}')


def _view(job: "ExportJob", result: "Exported") -> dict[str, Any]:
    counts = result.counts
    return {
        "topic": job.topic,
        "file": job.file,
        "format": str(job.form),
        "compression": str(job.container),
        "records": result.added,
        "records_in_file": counts.total,
        "records_removed_meanwhile": result.skipped,
        "partitions": [
            {
                "partition": number,
                "records": counts.records[number],
                "next_offset": counts.next_offsets[number],
            }
            for number in sorted(counts.records)
        ],
    }
