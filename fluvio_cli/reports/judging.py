"""Gathers the cases of one command, and writes report, annotations and summary when it ends.

Where reports go is looked at before the command's work begins. A report that cannot be written in the end
makes a command fail that was content; one that has failed keeps its own failure, and the other is told.
"""

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from fluvio_cli.reports import annotations
from fluvio_cli.reports.cases import Case, Outcome, one_line
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_cli.output.printer import Printer

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
SERVERS = "the servers"
_MOST_ANNOTATIONS = 10  # of a step: GitHub shows no more


class ReportError(FluvioError):
    """A report cannot be written where it was to go."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"the report cannot be written to {path}: {why}")
        self.path = path


@dataclass(slots=True)
class Wish:
    """Which reports there are to be."""

    junit: Path | None = None
    summary: Path | None = None
    system: annotations.System | None = None

    def __bool__(self) -> bool:
        return self.junit is not None or self.summary is not None or self.system is not None


def wish_of(environment: Mapping[str, str], junit: str | None) -> Wish:
    """What option and environment ask for. Raises `ReportError` where the report could not be written."""
    wish = Wish(None if junit is None else checked_place(junit))
    if not annotations.is_off(environment):
        wish.system = annotations.system_of(environment)
        named = environment.get(SUMMARY_VARIABLE)
        wish.summary = Path(named) if named else None
    return wish


def checked_place(text: str, *, or_directory: bool = False) -> Path:
    """The path of a file, or directory, that is to be written later. Raises `ReportError` if it could not."""
    path = Path(os.path.abspath(os.path.expanduser(text)))
    if path.is_dir():
        if or_directory and os.access(path, os.W_OK):
            return path
        raise ReportError(path, "it is a directory")
    if not path.parent.is_dir():
        raise ReportError(path, f"there is no directory {path.parent}")
    if not os.access(path if path.exists() and not path.is_file() else path.parent, os.W_OK):
        raise ReportError(path, "it may not be written there")
    return path


@dataclass(slots=True)
class Verdict:
    """The cases so far; `group` is that of the command, `started` a reading of the monotonic clock."""

    command: str
    wish: Wish
    cases: list[Case] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def group(self) -> str:
        """`fluvio.cluster.health`."""
        return self.command.replace(" ", ".")

    @property
    def seconds(self) -> float:
        """Since the command began."""
        return time.monotonic() - self.started

    def add(
        self,
        name: str,
        problem: str | None = None,
        *,
        seconds: float = 0.0,
        detail: str = "",
        outcome: Outcome = Outcome.FAILED,
    ) -> None:
        """Note one case: it has passed unless there is a `problem`, which is then its `outcome`."""
        if problem is None:
            self.cases.append(Case(self.group, name, seconds=seconds))
        else:
            self.cases.append(Case(self.group, name, outcome, seconds, one_line(problem), detail or problem))

    def skip(self, name: str, why: str) -> None:
        """Note one that was not looked at."""
        self.cases.append(Case(self.group, name, Outcome.SKIPPED, message=why))

    def attach_output(self, logs: Sequence[Path]) -> None:
        """Give the first bad case the end of what servers have printed to `logs`."""
        for number, case in enumerate(self.cases):
            if case.is_bad:
                self.cases[number] = replace(case, output=tails(logs), output_name=SERVERS)
                return

    def add_error(self, error: BaseException) -> None:
        """Note what ended the command, unless cases tell of it already."""
        expected = isinstance(error, FluvioError)
        if expected and any(case.is_bad for case in self.cases):
            return
        self.cases.append(error_case(self.group, self.command, error, self.seconds))


@contextmanager
def judged(cli: "CliContext", command: str, junit: str | None = None) -> Iterator[Verdict]:
    """`with judged(cli, "fluvio cluster health", junit) as verdict: ...`

    While the block runs SIGTERM ends it as Ctrl-C does, if there are reports to write. Raises `ReportError`.
    """
    verdict = Verdict(command, wish_of(cli.environment, junit))
    if not verdict.wish:
        yield verdict
        return
    with ending_by_terminate():
        try:
            yield verdict
        except BaseException as exc:
            verdict.add_error(exc)
            try:
                write(verdict.wish, command, verdict.cases, verdict.started, cli.printer, cli.environment)
            except ReportError as problem:
                cli.printer.note(f"warning: {problem}")
            raise
    write(verdict.wish, command, verdict.cases, verdict.started, cli.printer, cli.environment)


@contextmanager
def ending_by_terminate() -> Iterator[None]:
    """While the block runs SIGTERM raises `KeyboardInterrupt`, if it would end the process without a word."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def error_case(group: str, name: str, error: BaseException, seconds: float) -> Case:
    """A case for what ended a command before it had judged."""
    from fluvio_cli import failures
    from fluvio_cli.manners import limit

    found = failures.innermost(error)
    if isinstance(found, KeyboardInterrupt):
        if limit.has_passed:
            found = failures.CommandTimeoutError(limit.text)
        else:
            return Case(group, name, Outcome.ERROR, seconds, "interrupted", "ended by Ctrl-C or SIGTERM")
    told = failures.describe(found)
    text = told.message or "interrupted"
    detail = text if told.hint is None else f"{text}\nhint: {told.hint}"
    output, output_name = server_output(found)
    return Case(group, name, Outcome.ERROR, seconds, one_line(text), detail, output, output_name)


def server_output(error: BaseException) -> tuple[str, str]:
    """The end of a server's output that an error brings, and the name of its file; empty without any."""
    from fluvio_local_cluster.lifecycle.errors import ServerFailedError

    if isinstance(error, ServerFailedError):
        return "\n".join(error.output), error.log.name
    return "", ""


def tails(logs: Sequence[Path]) -> str:
    """The last lines of each file that can be read."""
    from fluvio_local_cluster.lifecycle.output import tail

    return "\n".join(line for path in logs for line in (f"--- {path.name}", *tail(path, 0)))


def write(
    wish: Wish,
    title: str,
    cases: Sequence[Case],
    started: float,
    printer: "Printer",
    environment: Mapping[str, str],
) -> None:
    """Write all reports, without secrets: annotations first, which cannot fail.

    Raises `ReportError` for the file.
    """
    if not wish:
        return
    from fluvio_cli.diagnostics.masking import Masking

    masking = Masking(environment)
    cases = [case.cleaned(masking.text) for case in cases]
    seconds = time.monotonic() - started
    if wish.system is not None:
        _annotate(wish.system, cases, printer)
    if wish.summary is not None:
        _summarise(wish.summary, title, cases, seconds, printer)
    if wish.junit is not None:
        from fluvio_cli.reports import junit

        begun = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - seconds))
        _put(wish.junit, junit.document(title, cases, begun, seconds))


def _annotate(system: annotations.System, cases: Sequence[Case], printer: "Printer") -> None:
    bad = [case for case in cases if case.is_bad]
    for number, case in enumerate(bad[:_MOST_ANNOTATIONS]):
        last = number + 1 == _MOST_ANNOTATIONS and len(bad) > _MOST_ANNOTATIONS
        more = f" (and {len(bad) - _MOST_ANNOTATIONS} more failures)" if last else ""
        line = annotations.error(system, f"{case.group.replace('.', ' ')}: {case.name}", case.message + more)
        if line is not None:
            printer.workflow(f"{line}\n")
    for number, case in enumerate(case for case in cases if case.output):
        name = f"output of {case.output_name}"
        lines = case.output.splitlines()
        printer.workflow(annotations.group(system, name, lines, number, time.time()))


def _summarise(path: Path, title: str, cases: Sequence[Case], seconds: float, printer: "Printer") -> None:
    from fluvio_cli.reports import summary

    try:
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(summary.table(title, cases, seconds))
    except OSError as exc:
        printer.note(f"warning: the summary cannot be written to {path}: {exc.strerror or exc}")


def _put(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all; a device or pipe is written to. Raises `ReportError`."""
    if path.exists() and not path.is_file():
        try:
            path.write_bytes(content)
        except OSError as exc:
            raise ReportError(path, exc.strerror or str(exc)) from exc
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as exc:
        temporary.unlink(missing_ok=True)
        raise ReportError(path, exc.strerror or str(exc)) from exc
