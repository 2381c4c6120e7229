"""`fluvio explain`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.values import Choice

if TYPE_CHECKING:
    from fluvio_cli.explanation import Explanation


@rules(
    examples=(
        ("What a failure means and what to do", "fluvio explain connection-failed"),
        ("What an exit code means", "fluvio explain 4"),
        ("All names and exit codes", "fluvio explain"),
    )
)
def command(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="name", help="Name of a failure, or an exit code; all when absent")
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "-O",
            "--output",
            metavar="type",
            parser=Choice("table", "yaml", "json", ignore_case=True),
            help="Output format",
        ),
    ] = "table",
) -> None:
    """Explain why a command failed, and what to do.

    Errors name themselves at their end where a person watches, and as `code` with `-O json`.
    """
    from fluvio_cli import explanations

    cli: CliContext = ctx.obj
    if name is None:
        _list_all(cli, output)
        return
    if name.isascii() and name.isdigit():
        found = explanations.EXIT_CODES.get(int(name))
        if found is None:
            raise _unknown(name)
        kind, text = found
        view: dict[str, object] = {"exit_code": int(name), "kind": kind, "meaning": text}
        plain = f"exit code {name} ({kind}): {text}\n"
    else:
        explanation = explanations.explanation_of(name)
        if explanation is None:
            raise _unknown(name)
        view = {
            "code": name,
            "meaning": explanation.meaning,
            "causes": list(explanation.causes),
            "steps": list(explanation.steps),
        }
        plain = _as_text(name, explanation)
    if output == "table":
        cli.printer.data(plain)
        return
    from fluvio_cli.output.structured import render_structured

    cli.printer.data(render_structured(view, output))


def _as_text(name: str, explanation: "Explanation") -> str:
    parts = [f"{name}\n\n  {explanation.meaning}\n"]
    for title, lines in (("Usual causes", explanation.causes), ("What to do", explanation.steps)):
        if lines:
            parts.append(f"\n{title}\n" + "".join(f"  - {line}\n" for line in lines))
    return "".join(parts)


def _list_all(cli: CliContext, output: str) -> None:
    from fluvio_cli.explanations import BY_NAME, EXIT_CODES

    if output != "table":
        from fluvio_cli.output.structured import render_structured

        view = {
            "exit_codes": [
                {"exit_code": code, "kind": kind, "meaning": text}
                for code, (kind, text) in EXIT_CODES.items()
            ],
            "failures": [{"code": name, "meaning": found.meaning} for name, found in sorted(BY_NAME.items())],
        }
        cli.printer.data(render_structured(view, output))
        return
    width = max(map(len, BY_NAME))
    lines = ["Exit codes", *(f"  {code:>3}  {text}" for code, (_, text) in EXIT_CODES.items())]
    lines += ["", "Failures", *(f"  {name:<{width}}  {BY_NAME[name].meaning}" for name in sorted(BY_NAME))]
    cli.printer.data("\n".join(lines) + "\n")


def _unknown(name: str) -> Exception:
    from fluvio_cli.explanations import BY_NAME
    from fluvio_cli.failures import UnknownNameError
    from fluvio_cli.usage import suggestion

    similar = suggestion(name, list(BY_NAME))
    hint = f"do you mean `{similar}`?" if similar else "`fluvio explain` lists all names"
    return UnknownNameError(f"no failure is called `{name}`", hint=hint)
