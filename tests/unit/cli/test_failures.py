"""How each exception ends the command."""

import errno
import io
import json
from typing import TYPE_CHECKING

import pytest

from fluvio_cli import failures
from fluvio_cli.failures import UsageError, describe, report
from fluvio_cli.output.printer import Printer
from fluvio_protocol.error_code import ErrorKind, TopicNotFoundError, code
from fluvio_types.errors import FluvioError, NotSupportedYetError

if TYPE_CHECKING:
    from fluvio_types.errors import Kind


@pytest.mark.parametrize(
    ("error", "exit_code", "message"),
    [
        (FluvioError("no"), 1, "no"),
        (NotSupportedYetError("x"), 1, "not supported yet: x"),
        (UsageError("error: x"), 2, "error: x"),
        (KeyboardInterrupt(), 130, None),
        (BrokenPipeError(), 0, None),
        (FileNotFoundError(errno.ENOENT, "No such file", "f"), 1, "f: No such file (os error 2)"),
        (ExceptionGroup("tasks", [ValueError("x"), FluvioError("known")]), 1, "known"),
        (BaseExceptionGroup("tasks", [KeyboardInterrupt()]), 130, None),
    ],
)
def test_expected_ends_have_their_code_and_text(
    error: BaseException, exit_code: int, message: str | None
) -> None:
    failure = describe(error)
    assert (failure.exit_code, failure.message) == (exit_code, message)


@pytest.mark.parametrize(("kind", "code"), failures.EXIT_CODES.items())
def test_every_kind_of_failure_has_its_exit_code(kind: "Kind", code: int) -> None:
    error = FluvioError("no")
    error.kind = kind
    assert describe(error).exit_code == code


def test_a_bug_says_that_it_is_one_and_how_to_see_more() -> None:
    failure = describe(ValueError("odd"))
    assert failure.exit_code == failures.BUG
    assert failure.message is not None
    assert failure.message.startswith("unexpected ValueError: odd\n")
    assert failures.TRACEBACK_VARIABLE in failure.message


def said(error: BaseException, environment: dict[str, str], *, terminal: bool = False) -> str:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    stderr = Stream()
    report(error, Printer(io.StringIO(), stderr, environment), environment)
    return stderr.getvalue()


def test_a_hint_is_shown_to_people_only() -> None:
    error = FluvioError("no", hint="do this")
    assert said(error, {}) == "no\n"
    assert said(error, {}, terminal=True) == "no\n\nhint: do this\n      `fluvio explain failed` says more\n"


def test_wrong_usage_has_no_more_to_explain_than_its_text() -> None:
    assert said(UsageError("error: x"), {}, terminal=True) == "error: x\n"


def test_a_program_gets_one_line_of_json() -> None:
    stderr = io.StringIO()
    printer = Printer(io.StringIO(), stderr, {})
    printer.errors_as_json = True
    assert report(TopicNotFoundError(code(ErrorKind.TOPIC_NOT_FOUND), hint="look"), printer, {}) == 3
    assert stderr.getvalue().count("\n") == 1
    assert json.loads(stderr.getvalue()) == {
        "error": {
            "code": "topic-not-found",
            "kind": "not-found",
            "message": "Topic not found",
            "hint": "look",
            "exit_code": 3,
        }
    }


def test_causes_are_told_when_asked_for_and_errors_also_when_quiet() -> None:
    error = FluvioError("no")
    error.__cause__ = OSError("disk")
    stderr = io.StringIO()
    printer = Printer(io.StringIO(), stderr, {})
    printer.is_quiet = printer.is_verbose = True
    printer.note("a remark")
    report(error, printer, {})
    assert stderr.getvalue() == "no\ncaused by: OSError: disk\n"


def test_a_traceback_is_shown_when_asked_for() -> None:
    assert "Traceback" not in said(ValueError("x"), {})
    assert "ValueError: x" in said(ValueError("x"), {failures.TRACEBACK_VARIABLE: "1"})
