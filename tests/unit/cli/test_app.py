"""From arguments to a command: root options, groups, help, suggestions, start-up cost."""

import io
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from fluvio_cli import app
from fluvio_cli.command import Command
from fluvio_cli.command_table import ROOT, Group, Leaf
from fluvio_cli.context import CliContext
from fluvio_cli.failures import UsageError
from fluvio_cli.output.printer import Printer
from fluvio_profiles.errors import TargetError
from fluvio_profiles.resolve import TargetOptions


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Invocation:
    """Runs the root command in memory, in a home that is empty."""

    def __init__(self, home: Path, *, terminal: bool = False) -> None:
        self.home = home
        self.stdout = io.StringIO()
        self.stderr = Terminal() if terminal else io.StringIO()

    def context(self, root_options: dict[str, Any]) -> CliContext:
        self.cli = CliContext(
            environment={},
            home=self.home,
            profile_path=self.home / ".fluvio" / "config",
            target_options=TargetOptions(**root_options),
            printer=Printer(self.stdout, self.stderr, {}),
            stdin=io.StringIO(),
            executable=self.home / "fluvio",
        )
        return self.cli

    def run(self, *arguments: str) -> int:
        return app.run(arguments, self.context)


@pytest.fixture
def invocation(tmp_path: Path) -> Invocation:
    return Invocation(tmp_path)


def leaves(group: Group, path: tuple[str, ...] = ()) -> list[tuple[str, Leaf]]:
    found: list[tuple[str, Leaf]] = []
    for name, member in group.members.items():
        below = (*path, name)
        found += leaves(member, below) if isinstance(member, Group) else [(" ".join(below), member)]
    return found


@pytest.mark.parametrize(("path", "leaf"), leaves(ROOT), ids=[path for path, _ in leaves(ROOT)])
def test_every_command_of_the_table_exists_and_shows_its_help(
    path: str, leaf: Leaf, invocation: Invocation
) -> None:
    module, _, attribute = leaf.target.partition(":")
    assert callable(getattr(import_module(module), attribute))
    for flag in ("-h", "--help"):
        assert invocation.run(*path.split(), flag) == 0
    assert f"Usage: fluvio {path}" in invocation.stdout.getvalue()
    assert invocation.stderr.getvalue() == ""


@pytest.mark.parametrize("arguments", [(), ("-h",), ("--help",), ("help",), ("help", "topic")])
def test_root_help_goes_to_standard_output(arguments: tuple[str, ...], invocation: Invocation) -> None:
    assert invocation.run(*arguments) == 0
    assert "Commands:\n  consume " in invocation.stdout.getvalue()


def test_a_group_without_a_command_prints_its_help_to_standard_error(invocation: Invocation) -> None:
    assert invocation.run("cluster", "spu") == 2
    assert "Usage: fluvio cluster spu <COMMAND>" in invocation.stderr.getvalue()
    assert invocation.stdout.getvalue() == ""


def test_profile_alone_is_profile_current(invocation: Invocation) -> None:
    assert invocation.run("profile") == 0
    assert invocation.stdout.getvalue() == "no profile can be found\n"


def test_root_options_stand_before_the_command(invocation: Invocation) -> None:
    assert invocation.run("-P", "x", "--tls", "profile") == 0
    assert invocation.cli.target_options == TargetOptions(profile="x", tls=True)
    with pytest.raises(TargetError):
        invocation.cli.target()
    with pytest.raises(UsageError, match="unexpected argument '-P' found"):
        invocation.run("profile", "-P", "x")


def test_an_unknown_command_of_a_group_is_a_usage_error(invocation: Invocation) -> None:
    with pytest.raises(UsageError) as caught:
        invocation.run("topic", "lst")
    assert str(caught.value) == (
        "error: unrecognized subcommand 'lst'\n\n"
        "Usage: fluvio topic <COMMAND>\n\n"
        "For more information, try '--help'."
    )


def test_a_typo_gets_a_suggestion_on_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tip: a similar one exists: 'list'"):
        Invocation(tmp_path, terminal=True).run("topic", "lst")
    with pytest.raises(UsageError, match="tip: a similar one exists: '--output'"):
        Invocation(tmp_path, terminal=True).run("profile", "list", "--outpt", "json")


def test_a_typo_in_any_command_or_option_is_put_right_on_a_terminal(tmp_path: Path) -> None:
    def suggested(*words: str) -> str:
        with pytest.raises(UsageError) as caught:
            Invocation(tmp_path, terminal=True).run(*words)
        return str(caught.value)

    def mistyped(word: str) -> str:
        return word[:-2] + word[-1]

    for path, leaf in leaves(ROOT):
        *group, name = path.split()
        if group and len(name) > 3 and not leaf.hidden:
            assert f"tip: a similar one exists: '{name}'" in suggested(*group, mistyped(name)), path
        if leaf.parameterless:
            continue
        for option in Command(path, app.imported(leaf.target)).parameters:
            flag = option.long_flag
            if flag is not None and len(flag) > 6:
                assert "tip: a similar one exists: '--" in suggested(*path.split(), mistyped(flag)), flag


@pytest.mark.parametrize(
    ("words", "tip"),
    [
        (("topic", "list", "-O", "jsn"), "a similar one exists: 'json'"),
        (("topic", "--verbos", "list"), "a similar one exists: '--verbose'"),
        (("topic", "list", "--timeot", "1s"), "a similar one exists: '--timeout'"),
        (
            ("topic", "list", "--profile", "x"),
            "'--profile' stands before the command: `fluvio --profile ...`",
        ),
        (("topic", "list", "-P", "x"), "'-P' stands before the command: `fluvio -P ...`"),
        (("--profle", "x", "topic", "list"), "a similar one exists: '--profile'"),
    ],
)
def test_what_stands_in_the_wrong_place_or_is_a_wrong_value_gets_a_tip(
    words: tuple[str, ...], tip: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        Invocation(tmp_path, terminal=True).run(*words)
    assert f"\n\n  tip: {tip}\n\n" in str(caught.value)
    with pytest.raises(UsageError) as caught:
        Invocation(tmp_path).run(*words)
    assert "tip:" not in str(caught.value), "scripts compare the official text"


def test_an_unknown_word_is_looked_for_as_a_plugin(invocation: Invocation) -> None:
    assert invocation.run("foo", "a") == 3
    assert invocation.stdout.getvalue().startswith("Unable to find plugin 'fluvio-foo'.")


FORBIDDEN = {"asyncio", "rich", "httpx", "yaml", "cramjam", "fluvio_client", "importlib.metadata", "socket"}


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--version"], FORBIDDEN | {"typer", "re", "dataclasses", "pathlib", "typing"}),
        (["--help"], FORBIDDEN | {"typer", "tomllib"}),
        (["topic", "--help"], FORBIDDEN | {"typer", "tomllib"}),
        (["profile"], FORBIDDEN | {"typer"}),
        (["profile", "switch", "x"], FORBIDDEN),
        (["profile", "list"], FORBIDDEN),
    ],
)
def test_a_command_imports_only_what_it_needs(
    arguments: list[str], forbidden: set[str], tmp_path: Path
) -> None:
    program = (
        "import sys; before = set(sys.modules); from fluvio_cli.__main__ import main\n"
        "sys.argv = ['fluvio', *sys.argv[1:]]; main()\n"
        "print(*(set(sys.modules) - before), file=sys.stderr, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path)},
        timeout=30,
        check=True,
    )
    assert forbidden.isdisjoint(done.stderr.split())
