"""From a Typer function to parameters, help and a call."""

import io
from pathlib import Path
from typing import Annotated

import pytest
import typer

from fluvio_cli import usage, values
from fluvio_cli.command import Command, rules
from fluvio_cli.context import CliContext
from fluvio_cli.grammar import UsageProblem
from fluvio_cli.output.printer import Printer
from fluvio_profiles.resolve import TargetOptions


@rules(
    conflicts=(("size", "dry_run"),),
    examples=(("Make it", "fluvio make x"),),
    long_help_only=("secret",),
)
def make(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="name", help="Names")],
    size: Annotated[
        int | None,
        typer.Option("-s", "--size", metavar="bytes", parser=values.parse_byte_size, help="Size"),
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, max=9)] = 1,
    labels: Annotated[list[str] | None, typer.Option("-l", "--label-name")] = None,
    file: Annotated[Path | None, typer.Option("--file")] = None,
    dry_run: Annotated[bool, typer.Option("-d", "--dry-run")] = False,
    secret: Annotated[bool, typer.Option("--secret")] = False,
    unlisted: Annotated[bool, typer.Option("--unlisted", hidden=True)] = False,
) -> None:
    """Make things.

    More about it.
    """
    cli: CliContext = ctx.obj
    cli.printer.message(repr((names, size, count, labels, file, dry_run, secret, unlisted)))
    if dry_run:
        raise typer.Exit(3)


def run(*tokens: str) -> tuple[int, str]:
    stdout = io.StringIO()
    cli = CliContext(
        environment={},
        home=Path("/h"),
        profile_path=Path("/h/c"),
        target_options=TargetOptions(),
        printer=Printer(stdout, io.StringIO(), {}),
        stdin=io.StringIO(),
        executable=Path("/bin/fluvio"),
    )
    command = Command("fluvio make", make)
    return command.run(command.parse(tokens), cli), stdout.getvalue().rstrip("\n")


def test_defaults_are_the_functions_own() -> None:
    assert run("a") == (0, "(['a'], None, 1, None, None, False, False, False)")


def test_values_arrive_converted() -> None:
    code, text = run("a", "b", "-s=2Ki", "--count", "9", "-lx", "-l", "y", "--file", "f", "--unlisted")
    assert (code, text) == (0, f"(['a', 'b'], 2048, 9, ['x', 'y'], {Path('f')!r}, False, False, True)")


def test_a_command_chooses_its_exit_code() -> None:
    assert run("a", "-d")[0] == 3


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (("a", "--count", "10"), "invalid value '10' for '--count <COUNT>': 10 is not in 1..=9"),
        (("a", "--label-name"), "a value is required for '--label-name <LABELS>' but none was supplied"),
        (("a", "-s1", "-d"), "the argument '--size <bytes>' cannot be used with '--dry-run'"),
        ((), "the following required arguments were not provided:"),
    ],
)
def test_errors_show_options_as_declared(tokens: tuple[str, ...], text: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        Command("fluvio make", make).parse(tokens)
    assert caught.value.text == text


def help_page(*, long: bool) -> str:
    command = Command("fluvio make", make)
    return usage.command_help("fluvio make", command.about, command.parameters, command.rules, long=long)


def test_short_help_is_one_line_each() -> None:
    assert help_page(long=False) == (
        "Make things.\n\n"
        "Usage: fluvio make [OPTIONS] <name>...\n\n"
        "Arguments:\n"
        "  <name>...  Names\n\n"
        "Options:\n"
        "  -s, --size <bytes>         Size\n"
        "      --count <COUNT>        [default: 1]\n"
        "  -l, --label-name <LABELS>\n"
        "      --file <FILE>\n"
        "  -d, --dry-run\n"
        "  -h, --help                 Print help"
    )


def test_long_help_has_everything_but_what_is_hidden_and_ends_in_examples() -> None:
    page = help_page(long=True)
    assert "More about it." in page
    assert "--secret" in page
    assert "--unlisted" not in page
    assert page.endswith("Examples:\n  # Make it\n  fluvio make x")
