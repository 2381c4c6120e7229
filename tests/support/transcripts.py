"""Replays recorded runs of the official command line with ours, and says where the two differ.

What has to agree: the class of the exit code (0, 1 with our finer failures, 2), which stream says something,
the structure of standard output (keys of JSON, columns of tables, else the lines in any order), and the first
block of usage errors. Wording of help and of other errors is free. `DEVIATIONS` in `transcript_deviations.py`
names the runs in which we differ on purpose.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fluvio_cli.failures import EXIT_CODES, FAILED, USAGE

RECORDING = Path(__file__).parent.parent / "e2e" / "transcripts.json"


@dataclass(slots=True, frozen=True)
class Run:
    """One recorded run."""

    id: str
    argv: tuple[str, ...]
    stage: str
    exit_code: int | None  # None: the recorder killed it
    stdout: str = ""
    stderr: str = ""
    stdin: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    on_terminal: bool = False
    scenario: str = ""


@dataclass(slots=True, frozen=True)
class Result:
    """What our command line did."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(slots=True, frozen=True)
class Place:
    """Where runs happen: home and working directory, the executable, variables to add.

    A fixture with a running cluster hands in the home whose profile file points at it.
    """

    home: Path
    working_directory: Path
    executable: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def recorded_runs(stage: str) -> list[Run]:
    """The runs of one stage, in the order recorded."""
    return [
        Run(
            id=entry["id"],
            argv=tuple(entry["argv"][1:]),
            stage=entry["stage"],
            exit_code=entry["exit_code"],
            stdout=entry.get("stdout", ""),
            stderr=entry.get("stderr", ""),
            stdin=entry.get("stdin") if isinstance(entry.get("stdin"), str) else None,
            environment=entry.get("env", {}),
            on_terminal=entry.get("tty", False),
            scenario=entry.get("scenario", ""),
        )
        for entry in _recording()["transcripts"]
        if entry["stage"] == stage
    ]


def profile_files() -> dict[str, str]:
    """The profile files of the stages `file:<name>`, by name."""
    files: dict[str, str] = _recording()["files"]
    return files


def _class_of(exit_code: int) -> int:
    """Ours tell failures apart (docs/exit-codes.md), the official ones are all 1."""
    return FAILED if exit_code in EXIT_CODES.values() and exit_code != USAGE else exit_code


def _recording() -> Any:
    return json.loads(RECORDING.read_text(encoding="utf-8"))


def replay(run: Run, place: Place, timeout_s: float = 30) -> Result:
    """Run our command line as `run` says, on pipes."""
    home = str(place.home)
    variables = {key: value.replace("{HOME}", home) for key, value in run.environment.items()}
    words = [word.replace("{HOME}", home).replace("{CWD}", str(place.working_directory)) for word in run.argv]
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "SYSTEMROOT") if key in os.environ}
    done = subprocess.run(
        [place.executable, *words],
        input=(run.stdin or "").encode(),
        capture_output=True,
        timeout=timeout_s,
        cwd=place.working_directory,
        env={**kept, "HOME": home, **place.environment, **variables},
        check=False,
    )
    return Result(
        done.returncode,
        done.stdout.decode(errors="backslashreplace"),  # never taken for what was recorded
        done.stderr.decode(errors="backslashreplace"),
    )


def differences(run: Run, result: Result, place: Place) -> list[str]:
    """Where `result` is not what a drop-in has to do; empty when it is."""
    expected_stdout = _placed(run.stdout, place)
    expected_stderr = _placed(run.stderr, place)
    found = []
    expected_code = min(run.exit_code, 1) if run.exit_code not in (2, None) else run.exit_code
    if expected_code is not None and _class_of(result.exit_code) != expected_code:
        found.append(f"exit code {result.exit_code} instead of {expected_code}")
    for name, expected, actual in (
        ("standard output", expected_stdout, result.stdout),
        ("standard error", expected_stderr, result.stderr),
    ):
        if bool(expected.strip()) != bool(actual.strip()):
            found.append(f"{name} is {actual!r} instead of {expected!r}")
    if expected_stdout.strip() and result.stdout.strip():
        wanted, got = structure(expected_stdout), structure(result.stdout)
        if wanted != got:
            found.append(f"standard output has the structure {got!r} instead of {wanted!r}")
    if expected_stderr.startswith("error: "):
        wanted_block, got_block = (text.split("\n\n")[0] for text in (expected_stderr, result.stderr))
        if wanted_block != got_block:
            found.append(f"usage error {got_block!r} instead of {wanted_block!r}")
    return found


def _placed(text: str, place: Place) -> str:
    return text.replace("{HOME}", str(place.home)).replace("{CWD}", str(place.working_directory))


# Which SPU leads, free ports and the time differ from run to run.
_VARYING = re.compile(r"\b50\d\d\b|127\.0\.0\.1:\d+|(?<=modified_time: )(\d+|\{UNIX\})")


def structure(text: str) -> Any:
    """What of standard output programs rely on."""
    if "\nOptions:\n" in text:
        return "help"
    try:
        return _shape(json.loads(text.replace("{UNIX}", "0")))
    except ValueError:
        pass
    lines = text.rstrip("\n").split("\n")
    if lines[0].startswith("  ") and lines[0] == lines[0].upper():
        return ("table", tuple(lines[0].split()), len(lines))
    return tuple(sorted(_VARYING.sub("*", line.rstrip()) for line in lines if line.strip()))


def _shape(value: Any) -> Any:
    """JSON without its scalar values: keys of objects, and of a list its first item."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value[:1]]
    return type(value).__name__
