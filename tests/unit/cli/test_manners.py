"""`--quiet`, `--verbose` and `--timeout`: where they may stand, and what wins."""

import logging
import signal
from collections.abc import Iterator

import pytest

from fluvio_cli import manners
from fluvio_cli.failures import UsageError
from fluvio_cli.grammar import Parameter
from tests.unit.cli.test_app import Invocation, invocation

__all__ = ["invocation"]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handler, level = signal.getsignal(signal.SIGALRM), logging.getLogger().level
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, handler)
    logging.getLogger().setLevel(level)
    manners.limit = manners._Limit()


@pytest.mark.parametrize(
    "line",
    [
        ("--quiet", "profile", "list"),
        ("profile", "--quiet", "list"),
        ("profile", "list", "--quiet"),
        ("profile", "current", "--quiet"),
    ],
)
def test_they_stand_before_and_after_any_word_of_a_command(
    line: tuple[str, ...], invocation: Invocation
) -> None:
    assert invocation.run(*line) == 0
    assert invocation.cli.printer.is_quiet
    assert "nable to find" not in invocation.stderr.getvalue()


def test_a_command_keeps_its_own_flag_of_that_name() -> None:
    own = Parameter("verbose", ("-v", "--verbose"), takes_value=False)
    assert [option.name for option in manners.beside((own,))] == ["quiet", "timeout"]


def test_a_time_limit_is_set_wherever_it_stands(invocation: Invocation) -> None:
    invocation.run("profile", "current", "--timeout", "1h")
    left_s, _ = signal.getitimer(signal.ITIMER_REAL)
    assert 3590 < left_s <= 3600
    invocation.run("--timeout", "2h", "profile", "current")
    assert signal.getitimer(signal.ITIMER_REAL)[0] > 7000


@pytest.mark.parametrize("text", ["", "soon", "5", "0"])
def test_a_time_limit_is_a_duration(text: str, invocation: Invocation) -> None:
    with pytest.raises(UsageError, match=f"invalid value '{text}' for '--timeout <duration>'"):
        invocation.run("profile", "list", f"--timeout={text}")


def test_the_environment_counts_where_no_option_stands() -> None:
    found = manners.from_environment({"FLUVIO_QUIET": "1", "FLUVIO_VERBOSE": "", "FLUVIO_TIMEOUT": "1s"})
    assert found == {"quiet": True, "timeout": ("1s", 1.0)}
    with pytest.raises(UsageError, match="FLUVIO_TIMEOUT"):
        manners.from_environment({"FLUVIO_TIMEOUT": "soon"})


def test_verbose_tells_what_the_client_does(invocation: Invocation) -> None:
    invocation.run("profile", "current", "--verbose")
    assert logging.getLogger().isEnabledFor(logging.INFO)
    assert invocation.cli.printer.is_verbose


@pytest.mark.parametrize(
    "line",
    [
        ("topic", "list", "-O", "json"),
        ("topic", "list", "-Ojson"),
        ("topic", "list", "--output=JSON", "--bogus"),
    ],
)
def test_errors_are_json_where_json_was_asked_for(line: tuple[str, ...], invocation: Invocation) -> None:
    with pytest.raises(Exception):
        invocation.run(*line)
    assert invocation.cli.printer.errors_as_json


def test_errors_are_text_otherwise(invocation: Invocation) -> None:
    with pytest.raises(Exception):
        invocation.run("topic", "list", "-O", "yaml")
    assert not invocation.cli.printer.errors_as_json
