"""What several of `topic export|import|replay|copy` have in common: options, and telling results."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import values

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_cli.moments import Moment
    from fluvio_cli.output.queries import Query
    from fluvio_cli.streaming.selection import Selection
    from fluvio_cli.transfer.writing import Landing


SourceFile = Annotated[
    str, typer.Argument(metavar="file", help="File to read, of any form; `-` for standard input")
]
TargetTopic = Annotated[
    str | None,
    typer.Argument(metavar="topic", help="Name of the topic to write to; the one that the file names"),
]
Partitions = Annotated[
    list[int] | None,
    typer.Option(
        "-p",
        "--partition",
        metavar="integer",
        parser=values.u32,
        help="Take this partition only (repeatable)",
    ),
]
Since = Annotated[
    Any,
    typer.Option(
        "--since",
        metavar="TIME",
        parser=values.moment,
        help="Start at this time: 10m (ago), RFC 3339 or a date (UTC), seconds or ms since 1970",
    ),
]
Until = Annotated[
    Any, typer.Option("--until", metavar="TIME", parser=values.moment, help="Take what is before this time")
]
Count = Annotated[
    int | None,
    typer.Option(
        "-n",
        "--count",
        metavar="integer",
        parser=values.integer(1, 2**63 - 1),
        help="End after so many records, the first ones",
    ),
]
Where = Annotated[
    Any,
    typer.Option(
        "--where",
        metavar="EXPR",
        parser=values.query,
        help="Take the records whose JSON value this JMESPath expression is true for",
    ),
]
CreateFromFile = Annotated[
    bool, typer.Option("--create", help="Create the topic if there is none, as the file describes it")
]
KeepTime = Annotated[
    bool, typer.Option("--keep-time", help="Keep the times of records; else they are from now")
]
Output = Annotated[
    str,
    typer.Option(
        "-O", "--output", metavar="type", parser=values.Choice("table", "json"), help="Output format"
    ),
]


def selection_of(
    since: "Moment | None", until: "Moment | None", where: "Query | None", count: int | None
) -> "Selection":
    """Which records the options mean. Raises `UsageError`."""
    import time

    from fluvio_cli.failures import UsageError
    from fluvio_cli.streaming.selection import Selection

    now_ms = int(time.time() * 1000)
    since_ms = since.resolve(now_ms) if since is not None else None
    until_ms = until.resolve(now_ms) if until is not None else None
    if since_ms is not None and until_ms is not None and until_ms < since_ms:
        raise UsageError("`--until` is before `--since`")
    return Selection(since_ms, until_ms, where, count)


def landed_view(landed: "dict[int, Landing]") -> list[dict[str, Any]]:
    """Rows of the partitions that got records, for JSON."""
    return [
        {"partition": number, "records": each.records, "next_offset": each.next_offset}
        for number, each in sorted(landed.items())
        if each.records
    ]


def tell_strays(cli: "CliContext", topic: str, strays: int) -> None:
    """Say that records lie between those that were written."""
    if strays:
        cli.printer.note(
            f"{strays} other records came between them in `{topic}`: somebody else writes there, or an "
            "attempt was repeated whose answer was lost, and its records are there twice"
        )
