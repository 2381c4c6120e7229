"""`fluvio topic copy`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.topic import transfer_options as transfer
from fluvio_cli.context import CliContext
from fluvio_cli.effect import Effect

if TYPE_CHECKING:
    from fluvio_cli.transfer.copying import Copied


def _path(text: str) -> Any:
    from fluvio_cli.transfer.masking import parse_path

    return parse_path(text)


@rules(
    effect=Effect(on="destination"),
    panels={
        "Which records": ("partition", "since", "until", "count", "where"),
        "What to hide": ("mask", "mask_keys", "mask_secret"),
    },
    examples=(
        ("Bring a topic from one cluster to another", "fluvio topic copy prod:orders local:orders --create"),
        (
            "The last hour, a thousand records at most",
            "fluvio topic copy prod:orders local:orders --since 1h -n 1000",
        ),
        (
            "Without names and addresses, which can still be joined",
            "fluvio topic copy prod:users local:users --create --mask name --mask 'emails[*]'",
        ),
        ("Go on after an interruption", "fluvio topic copy prod:orders local:orders --resume"),
    ),
)
def command(
    ctx: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="source", help="Topic to read, as PROFILE:TOPIC; without a profile of this call's cluster"
        ),
    ],
    destination: Annotated[
        str,
        typer.Argument(
            metavar="destination", help="Topic to write to, as PROFILE:TOPIC; `PROFILE:` keeps the name"
        ),
    ],
    partition: transfer.Partitions = None,
    since: transfer.Since = None,
    until: transfer.Until = None,
    count: transfer.Count = None,
    where: transfer.Where = None,
    mask: Annotated[
        list[Any] | None,
        typer.Option(
            "--mask",
            metavar="PATH",
            parser=_path,
            help="Put a digest in place of what is there in each JSON value: `user.email`, `items[*].card` "
            "(repeatable)",
        ),
    ] = None,
    mask_keys: Annotated[
        bool, typer.Option("--mask-keys", help="Put digests in place of the records' keys, too")
    ] = False,
    mask_secret: Annotated[
        str | None,
        typer.Option(
            "--mask-secret",
            metavar="FILE",
            help="File with a secret for the digests, so that nobody can check a guess without it",
        ),
    ] = None,
    create: Annotated[
        bool, typer.Option("--create", help="Create the topic if there is none, with the same settings")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a copy that was interrupted, or add what is new")
    ] = False,
    output: transfer.Output = "table",
) -> None:
    """Copy a topic's records to another topic, of the same cluster or another.

    Keys, times and partitions stay. What is there when the command starts is copied.
    """
    from pathlib import Path

    from fluvio_cli.failures import UsageError
    from fluvio_cli.streaming.interrupt import run
    from fluvio_cli.transfer.copying import CopyJob, copy
    from fluvio_cli.transfer.masking import Mask
    from fluvio_cli.transfer.places import parse_place

    cli: CliContext = ctx.obj
    here, there = parse_place(source), parse_place(destination)
    if not here.topic:
        raise UsageError(f"`{source}` names no topic")
    if mask_secret is not None and not (mask or mask_keys):
        raise UsageError("`--mask-secret` is of no use without `--mask` or `--mask-keys`")
    chosen = None
    if mask or mask_keys:
        secret = Path(mask_secret).read_bytes() if mask_secret is not None else b""
        chosen = Mask(list(mask or ()), keys=mask_keys, secret=secret)
    job = CopyJob(
        here,
        there if there.topic else there._replace(topic=here.topic),
        tuple(partition or ()),
        transfer.selection_of(since, until, where, count),
        chosen,
        create,
        resume,
    )
    found: list[Copied] = []

    async def main(interrupt: Any) -> None:
        found.append(await copy(cli, job, interrupt))

    run(main)
    _tell(cli, str(job.source), str(job.destination), found[0], output)
    if found[0].interrupted:
        raise KeyboardInterrupt


def _tell(cli: CliContext, source: str, destination: str, result: "Copied", output: str) -> None:
    from fluvio_cli.output.structured import render_json

    transfer.tell_strays(cli, destination, result.strays)
    if result.interrupted:
        cli.printer.note(f"interrupted after {result.records} records: `--resume` goes on")
    elif output == "json":
        view = {
            "source": source,
            "destination": destination,
            "records": result.records,
            "records_stored_before": result.found,
            "other_records_between": result.strays,
            "partitions": transfer.landed_view(result.landed),
        }
        cli.printer.data(render_json(view))
    else:
        before = f", {result.found} were there" if result.found else ""
        cli.printer.message(f'{result.records} records of "{source}" copied to "{destination}"{before}')
