"""`fluvio plan`."""

from typing import Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.report_options import Junit
from fluvio_cli.context import CliContext

FILE_HELP = "YAML, TOML or JSON file, directory of such files, or `-`; may be repeated"


@rules(
    examples=(
        ("What differs from what a file declares", "fluvio plan -f declared.yaml"),
        ("Fail where anything differs, for CI", "fluvio plan -f declared.yaml -O json"),
        ("For a CI system that shows test results", "fluvio plan -f declared.yaml --junit plan.xml"),
        ("Also what is there and not declared", "fluvio plan -f declared.yaml --prune"),
    ),
)
def command(
    ctx: typer.Context,
    file: Annotated[list[str], typer.Option("-f", "--file", metavar="PATH", help=FILE_HELP)],
    prune: Annotated[
        bool, typer.Option("--prune", help="Count what is there and not declared as to be deleted")
    ] = False,
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
) -> None:
    """Show how topics, table formats and profiles differ from what files declare.

    Nothing is changed. Exit code 0: no difference; 8: there are some. What cannot be changed is shown with
    the reason. docs/declared-state.md describes the files.
    """
    from fluvio_cli.declared.errors import DeclaredDriftError
    from fluvio_cli.declared.observing import observe, place_of
    from fluvio_cli.declared.planning import plan
    from fluvio_cli.declared.reading import read_declaration
    from fluvio_cli.declared.view import plan_text, plan_view, step_problem, sums, title
    from fluvio_cli.output.structured import render_structured
    from fluvio_cli.reports.judging import judged

    cli: CliContext = ctx.obj
    with judged(cli, "fluvio plan", junit) as verdict:
        declaration = read_declaration(file, cli.stdin)
        place = place_of(cli, declaration)
        found = plan(declaration, observe(cli, declaration.objects, declaration), prune=prune)
        for step in found.steps:
            verdict.add(title(step), step_problem(step))
        if output == "table":
            cli.printer.data(plan_text(found, place, cli.printer.styled))
        else:
            cli.printer.data(render_structured(plan_view(found, place), output))
        if found.has_drift:
            raise DeclaredDriftError(
                f"what is there is not as declared: {sums(found)}",
                hint="`fluvio apply` with the same options makes it so",
            )
