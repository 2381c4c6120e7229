"""A check and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from fluvio_cli.doctor.facts import Facts


class Fix(Enum):
    """What `--fix` may do: nothing that could lose data, and nothing to a process."""

    NOTE_STOPPED = "note in the state file that the cluster is stopped"
    REMOVE_FILE = "remove the file, which nothing uses any more"


@dataclass(slots=True, frozen=True)
class Repair:
    """One safe repair; `place` is the data directory or the file."""

    fix: Fix
    place: Path


@dataclass(slots=True, frozen=True)
class Problem:
    """Something that is wrong."""

    evidence: str  # what was seen
    cause: str
    remedy: str
    repair: Repair | None = None


@dataclass(slots=True, frozen=True)
class Check:
    """One known failure: `about` says what is looked at."""

    name: str
    about: str
    look: Callable[[Facts], Iterator[Problem]]


@dataclass(slots=True)
class Result:
    """What a check found; nothing when all is well."""

    check: Check
    problems: list[Problem] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As plain data, for `-O json`."""
        return {
            "name": self.check.name,
            "about": self.check.about,
            "ok": not self.problems,
            "problems": [
                {
                    "evidence": problem.evidence,
                    "cause": problem.cause,
                    "remedy": problem.remedy,
                    "fixable": problem.repair is not None,
                }
                for problem in self.problems
            ],
        }
