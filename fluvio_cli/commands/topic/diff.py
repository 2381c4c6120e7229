"""`fluvio topic diff`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.report_options import Junit
from fluvio_cli.commands.topic import transfer_options as transfer
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_cli.reports.judging import Verdict
    from fluvio_cli.transfer.comparing import Comparison, Half


@rules(
    examples=(
        ("Compare a topic of two clusters", "fluvio topic diff prod:orders local:orders"),
        (
            "Only the records, not where they are",
            "fluvio topic diff orders again --ignore offsets --ignore settings",
        ),
        ("For a CI system that shows test results", "fluvio topic diff orders again --junit diff.xml"),
        ("For a program", "fluvio topic diff prod:orders local:orders -O json"),
    ),
)
def command(
    ctx: typer.Context,
    left: Annotated[
        str,
        typer.Argument(
            metavar="left", help="A topic, as PROFILE:TOPIC; without a profile of this call's cluster"
        ),
    ],
    right: Annotated[
        str, typer.Argument(metavar="right", help="Another topic; `PROFILE:` has the same name")
    ],
    times: Annotated[
        bool, typer.Option("--times", help="Records with other times are other records")
    ] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore",
            metavar="WHAT",
            parser=values.Choice("settings", "offsets", "content"),
            help="Do not compare the settings, the offsets or the records (repeatable)",
        ),
    ] = None,
    output: transfer.Output = "table",
    junit: Junit = None,
) -> None:
    """Compare two topics: settings, offsets and the records of each partition.

    Records are compared by a digest of their keys and values. The exit code is 8 when something differs.
    """
    from fluvio_cli.failures import UsageError
    from fluvio_cli.output.structured import render_json
    from fluvio_cli.reports.judging import judged
    from fluvio_cli.streaming.interrupt import run_cancelled_by_signals
    from fluvio_cli.transfer.comparing import DiffJob, TopicsDifferError, compare
    from fluvio_cli.transfer.places import parse_place

    cli: CliContext = ctx.obj
    one, other = parse_place(left), parse_place(right)
    if not one.topic:
        raise UsageError(f"`{left}` names no topic")
    job = DiffJob(one, other if other.topic else other._replace(topic=one.topic), times, tuple(ignore or ()))
    with judged(cli, "fluvio topic diff", junit) as verdict:
        found = run_cancelled_by_signals(compare(cli, job))
        _note(found, verdict)
        cli.printer.data(render_json(_view(found)) if output == "json" else _text(found))
        aspects = found.aspects()
        if aspects:
            raise TopicsDifferError(job.left, job.right, aspects)


def _note(found: "Comparison", verdict: "Verdict") -> None:
    """A case for the settings, and one for each partition, with both sides where they differ."""
    left, right = found.left, found.right
    for side in (left, right):
        if side.settings is None:
            verdict.add(f"topic {side.place}", f"there is no `{side.place}`")
            return
    if "settings" in found.ignored:
        verdict.skip("settings", "they are not compared")
    else:
        lines = [f"{name}: {mine} and {theirs}" for name, mine, theirs in found.settings()]
        verdict.add("settings", f"settings differ: {', '.join(lines)}" if lines else None)
    for number in found.partitions():
        differences = found.differs_in(number)
        detail = "\n".join(f"{side.place}: {side.halves.get(number)}" for side in (left, right))
        problem = f"differs in {' and '.join(differences)}" if differences else None
        verdict.add(f"partition {number}", problem, detail=f"{problem}\n{detail}")


def _view(found: "Comparison") -> dict[str, Any]:
    def half(each: "Half | None") -> dict[str, Any] | None:
        if each is None:
            return None
        return {"start": each.start, "end": each.end, "records": each.records, "digest": each.digest}

    return {
        "left": {"topic": str(found.left.place), "settings": found.left.settings},
        "right": {"topic": str(found.right.place), "settings": found.right.settings},
        "same": not found.aspects(),
        "settings": [
            {"name": name, "left": mine, "right": theirs} for name, mine, theirs in found.settings()
        ],
        "partitions": [
            {
                "partition": number,
                "differs_in": found.differs_in(number),
                "left": half(found.left.halves.get(number)),
                "right": half(found.right.halves.get(number)),
            }
            for number in found.partitions()
        ],
    }


def _text(found: "Comparison") -> str:
    from fluvio_cli.output.table import render_table

    def shown(value: Any) -> str:
        return "-" if value is None else str(value)

    def half(each: "Half | None") -> list[str]:
        if each is None:
            return ["-", "-"]
        return [f"{each.start}..{each.end}", shown(each.digest)[:12]]

    left, right = str(found.left.place), str(found.right.place)
    text = ""
    settings = found.settings()
    if settings:
        rows = [[name, shown(mine), shown(theirs)] for name, mine, theirs in settings]
        text += render_table(["SETTING", left, right], rows) + "\n"
    rows = [
        [
            str(number),
            *half(found.left.halves.get(number)),
            *half(found.right.halves.get(number)),
            ", ".join(found.differs_in(number)) or "same",
        ]
        for number in found.partitions()
    ]
    return text + render_table(["PARTITION", left, "DIGEST", right, "DIGEST", "RESULT"], rows)
