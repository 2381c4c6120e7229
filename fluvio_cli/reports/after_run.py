"""The end of `cluster run`: writes report and archive, then lets the runner remove the cluster.

The process that waits for the command loads nothing (`lifecycle.command_run`), so what was wished is kept in
a file beside the cluster's, and this module becomes its successor: `python -m fluvio_cli.reports.after_run
WORDS...`, where the words are those of `lifecycle.ephemeral` and the exit code is the last. Whatever fails
here is told, and the cluster is removed all the same.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fluvio_cli.output.printer import Printer
from fluvio_cli.reports.annotations import System
from fluvio_cli.reports.cases import Case, Outcome, one_line, shortened
from fluvio_cli.reports.judging import SERVERS, ReportError, Wish, error_case, tails, write
from fluvio_local_cluster.lifecycle import command_run, ephemeral

TITLE, GROUP = "fluvio cluster run", "fluvio.cluster.run"
_FILE = "after-run.json"
_MODULE = "fluvio_cli.reports.after_run"


@dataclass(slots=True)
class Plan:
    """What is to be done when the command has ended, and the cases before it.

    `started` and `command_started` are readings of the monotonic clock, which is the machine's: it goes on in
    the next process.
    """

    command: str
    wish: Wish
    bundle: Path | None
    cases: list[Case]
    started: float
    limit: str  # of `--timeout`, as it was typed
    command_started: float = 0.0
    _current: str = "cluster starts"
    _since: float = field(default_factory=time.monotonic)

    def __bool__(self) -> bool:
        return bool(self.wish) or self.bundle is not None

    def words(self, cluster: ephemeral.EphemeralCluster) -> list[str]:
        """Keep the plan beside the cluster; the command line that is to come after the command."""
        self.command_started = time.monotonic()
        wish = self.wish
        document = {
            "command": self.command,
            "junit": None if wish.junit is None else str(wish.junit),
            "summary": None if wish.summary is None else str(wish.summary),
            "system": None if wish.system is None else wish.system.value,
            "bundle": None if self.bundle is None else str(self.bundle),
            "cases": [case.to_document() for case in self.cases],
            "started": self.started,
            "limit": self.limit,
            "command_started": self.command_started,
        }
        (cluster.directory / _FILE).write_text(json.dumps(document), encoding="utf-8")
        return [sys.executable, "-P", "-m", _MODULE]

    def begin(self, name: str) -> None:
        """The case of this name is looked at from now on: a failure is its own, and so is the time."""
        self._current, self._since = name, time.monotonic()

    def note(self, name: str, problem: str | None = None) -> None:
        """A case has ended, with a problem or without."""
        seconds = time.monotonic() - self._since
        if problem is None:
            self.cases.append(Case(GROUP, name, seconds=seconds))
        else:
            self.cases.append(Case(GROUP, name, Outcome.FAILED, seconds, one_line(problem), problem))
        self.begin("command")

    def tell_failure(self, error: BaseException, printer: Printer, environment: Mapping[str, str]) -> None:
        """Write the reports when the command has not come to run."""
        cases = self.cases
        if not any(case.is_bad for case in cases):
            cases = [*cases, error_case(GROUP, self._current, error, time.monotonic() - self._since)]
        cases = [
            *cases,
            Case(GROUP, shortened(self.command), Outcome.SKIPPED, message="the cluster was not ready"),
        ]
        try:
            write(self.wish, TITLE, cases, self.started, printer, environment)
        except ReportError as exc:
            printer.error(f"warning: {exc}")

    @classmethod
    def kept_in(cls, directory: Path) -> "Plan":
        """The plan that `words` has kept. Raises `OSError`, `ValueError`, `LookupError`, `TypeError`."""
        kept = json.loads((directory / _FILE).read_text(encoding="utf-8"))
        wish = Wish(
            _path(kept["junit"]),
            _path(kept["summary"]),
            None if kept["system"] is None else System(kept["system"]),
        )
        cases = [Case.from_document(case) for case in kept["cases"]]
        return cls(
            kept["command"],
            wish,
            _path(kept["bundle"]),
            cases,
            kept["started"],
            kept["limit"],
            kept["command_started"],
        )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def command_case(plan: Plan, ending: str, now: float, output: tuple[str, str]) -> Case:
    """The command's own case: `ending` is an exit code, -N for signal N, or `timed-out`."""
    seconds, name = now - plan.command_started, shortened(plan.command)
    if ending == "0":
        return Case(GROUP, name, seconds=seconds)
    if ending == command_run.TIMED_OUT:
        outcome, message = Outcome.ERROR, f"the command had not ended after {plan.limit}"
    elif ending.startswith("-"):
        outcome, message = Outcome.ERROR, f"the command was ended by {_signal_name(int(ending))}"
    else:
        outcome, message = Outcome.FAILED, f"the command ended with exit code {ending}"
    return Case(GROUP, name, outcome, seconds, message, f"{message}: {plan.command}", *output)


def _signal_name(number: int) -> str:
    import signal

    try:
        return signal.Signals(-number).name
    except ValueError:
        return f"signal {-number}"


def report(arguments: Sequence[str], environment: Mapping[str, Any]) -> None:
    """What the plan in the cluster's directory wants; `arguments` as for `lifecycle.ephemeral`."""
    printer = Printer(sys.stdout, sys.stderr, environment)
    directory, ending = Path(arguments[1]), arguments[-1]
    cluster = ephemeral.EphemeralCluster(directory, -1)
    try:
        plan = Plan.kept_in(directory)
    except (OSError, ValueError, LookupError, TypeError) as exc:
        printer.error(f"warning: no report was written: {exc}")  # the command has removed the cluster's files
        return
    now = time.monotonic()
    (directory / _FILE).unlink(missing_ok=True)  # the directory may be kept, for people
    if plan.bundle is not None and ending != "0":
        from fluvio_cli.diagnostics.bundle import write_bundle

        write_bundle(plan.bundle, cluster.data_dir, cluster.places.profile_file, environment, printer)
    output = ("", "") if ending == "0" else (tails(sorted(cluster.log_dir.glob("*.log"))), SERVERS)
    cases = [*plan.cases, command_case(plan, ending, now, output)]
    try:
        write(plan.wish, TITLE, cases, plan.started, printer, environment)
    except ReportError as exc:
        printer.error(f"warning: {exc}")


def main(arguments: Sequence[str]) -> int:
    """Report, then do what `lifecycle.ephemeral` does with the same words."""
    try:
        report(arguments, os.environ)
    except Exception as exc:  # noqa: BLE001 - a bug here must not leave servers behind
        print(f"warning: no report was written: {type(exc).__name__}: {exc}", file=sys.stderr)
    return ephemeral.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
