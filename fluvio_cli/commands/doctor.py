"""`fluvio doctor`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli import failures, values
from fluvio_cli.command import rules
from fluvio_cli.commands.report_options import Junit
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_cli.doctor.model import Result


@rules(
    examples=(
        ("Look for what keeps clusters from working here", "fluvio doctor"),
        ("Repair what can be repaired without risk", "fluvio doctor --fix"),
        ("For a program", "fluvio doctor -O json"),
        ("For a CI system that shows test results", "fluvio doctor --junit doctor.xml"),
    ),
)
def command(
    ctx: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Repair what can be repaired without risk")] = False,
    output: Annotated[
        str,
        typer.Option(
            "-O",
            "--output",
            metavar="type",
            parser=values.Choice("table", "json", "yaml", ignore_case=True),
            help="Output format",
        ),
    ] = "table",
    junit: Junit = None,
) -> int:
    """Look for known failures on this machine: ports, state files, profiles, disk, clock and more.

    Each problem comes with what was seen, its cause and a remedy. `--fix` touches no data and no process: it
    notes that dead clusters are stopped and removes files that nothing uses. Exit code 6: something is wrong.
    """
    from fluvio_cli.doctor.catalogue import examine
    from fluvio_cli.doctor.look import look
    from fluvio_cli.reports.judging import judged

    cli: CliContext = ctx.obj
    done: list[str] = []
    with judged(cli, "fluvio doctor", junit) as verdict:
        with cli.printer.busy("looking at this machine and its clusters"):
            results = examine(look(cli))
            if fix:
                done = repair_all(cli, results)
                if done:
                    results = examine(look(cli))
        for result in results:
            verdict.add(result.check.name, _problems_text(result))
        wrong = any(result.problems for result in results)
        if output == "table":
            fixed = "".join(f"fixed: {text}\n" for text in done)
            cli.printer.data(cli.printer.foreign(fixed + _text(results)))
        else:
            from fluvio_cli.output.structured import render_structured

            checks = [result.document() for result in results]
            view = {"healthy": not wrong, "fixed": done, "checks": checks}
            cli.printer.data(render_structured(view, output))
    return failures.UNHEALTHY if wrong else failures.DONE


def repair_all(cli: CliContext, results: "list[Result]") -> list[str]:
    """Do the repairs there are; what was done. One that fails is told, and leaves its problem."""
    from fluvio_cli.doctor.repair import apply
    from fluvio_types.errors import FluvioError

    done = []
    for result in results:
        for problem in result.problems:
            if problem.repair is None:
                continue
            try:
                text = apply(problem.repair)
            except (OSError, FluvioError) as exc:
                cli.printer.note(f"could not repair {problem.repair.place}: {exc}")
                continue
            if text is not None:
                done.append(text)
    return done


def _problems_text(result: "Result") -> str | None:
    """What a report says of a check; None when all is well."""
    lines = [
        line
        for problem in result.problems
        for line in (problem.cause, f"seen: {problem.evidence}", f"do: {problem.remedy}")
    ]
    return "\n".join(lines) or None


def _text(results: "list[Result]") -> str:
    lines = []
    for result in results:
        if not result.problems:
            lines.append(f"✅ {result.check.name}")
        for problem in result.problems:
            lines.append(f"❌ {result.check.name}: {problem.cause}")
            lines.append(f"     seen: {problem.evidence}")
            lines.append(f"     do: {problem.remedy}" + (" (or `--fix`)" if problem.repair else ""))
    return "".join(f"{line}\n" for line in lines)
