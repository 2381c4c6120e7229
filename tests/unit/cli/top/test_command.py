"""When the live view cannot be shown, and what its interval may be."""

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from fluvio_cli.commands.top import ScreenUnavailableError, _refuse_without_screen, parse_interval
from fluvio_cli.failures import USAGE, describe
from fluvio_cli.output.printer import Printer


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def context(stdin: io.StringIO, stdout: io.StringIO, stderr: io.StringIO, **environment: str) -> Any:
    return SimpleNamespace(printer=Printer(stdout, stderr, environment), stdin=stdin)


def test_without_textual_the_error_names_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual", None)  # as if it was not installed
    with pytest.raises(ScreenUnavailableError) as caught:
        _refuse_without_screen(context(Terminal(), Terminal(), Terminal()))
    failure = describe(caught.value)
    assert failure.exit_code == USAGE
    assert "pip install 'fluvio-cli[tui]'" in (failure.message or "")
    assert "-O json" in (failure.hint or "")


@pytest.mark.parametrize("piped", [0, 1, 2])
def test_the_view_wants_terminals_on_all_sides(piped: int) -> None:
    streams: list[io.StringIO] = [Terminal(), Terminal(), Terminal()]
    streams[piped] = io.StringIO()
    with pytest.raises(ScreenUnavailableError, match="needs a terminal"):
        _refuse_without_screen(context(*streams))


def test_a_terminal_that_cannot_draw_is_none() -> None:
    with pytest.raises(ScreenUnavailableError, match="needs a terminal"):
        _refuse_without_screen(context(Terminal(), Terminal(), Terminal(), TERM="dumb"))
    _refuse_without_screen(context(Terminal(), Terminal(), Terminal(), TERM="xterm"))


def test_an_interval_is_a_duration_that_is_not_too_short() -> None:
    assert [parse_interval(text) for text in ("1s", "100ms", "2m")] == [1.0, 0.1, 120.0]
    with pytest.raises(ValueError, match="100ms or more"):
        parse_interval("99ms")
