"""One thing that a command has looked at, and what came of it."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

MOST_NAME = 120  # characters


class Outcome(StrEnum):
    """As JUnit has them: a failure is what was looked for, an error kept the look from coming to its end."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(slots=True, frozen=True)
class Case:
    """`group` stands before the name, with dots, such as `fluvio.doctor`. `message` is one line, for people.

    `detail` is all that is known more; `output` the end of what a server printed, or nothing.
    """

    group: str
    name: str
    outcome: Outcome = Outcome.PASSED
    seconds: float = 0.0
    message: str = ""
    detail: str = ""
    output: str = ""
    output_name: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether the command cannot be content."""
        return self.outcome in (Outcome.FAILED, Outcome.ERROR)

    def cleaned(self, clean: Callable[[str], str]) -> "Case":
        """The case with each text as `clean` makes it."""
        return replace(
            self,
            name=clean(self.name),
            message=clean(self.message),
            detail=clean(self.detail),
            output=clean(self.output),
        )

    def to_document(self) -> dict[str, Any]:
        """As plain data, for another process."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Case":
        """From `to_document`. Raises `KeyError`, `TypeError`, `ValueError`."""
        return cls(**{**document, "outcome": Outcome(document["outcome"])})


def count(cases: Iterable[Case], outcome: Outcome) -> int:
    """How many have it."""
    return sum(case.outcome is outcome for case in cases)


def one_line(text: str) -> str:
    """The first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def shortened(text: str) -> str:
    """`text` as a name: on one line, and cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= MOST_NAME else f"{line[: MOST_NAME - 1]}…"
