"""What differs from run to run in what commands print, and what documents and pictures show in its place.

One table for both. A substitution is made on text as it was printed, before it is laid out or compared; ports
are translated by `tests.support.documented_home`.
"""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Substitution:
    """`pattern`, a regular expression, becomes `shown`; `reason` says why it cannot stay."""

    pattern: str
    shown: str
    reason: str


SUBSTITUTIONS = (
    Substitution(r"\b\d+ seconds elapsed", "0 seconds elapsed", "a busy machine takes longer"),
    Substitution(r"\bpid \d+", "pid 4711", "process ids are the system's choice"),
    Substitution(r"\(os error 61\)", "(os error 111)", "macOS numbers `connection refused` otherwise"),
)


def settled(text: str, home: Path) -> str:
    """`text` without what differs from run to run; `home` is where it was printed."""
    text = text.replace(str(home), "/home/you")  # a new directory each time
    for each in SUBSTITUTIONS:
        text = re.sub(each.pattern, each.shown, text)
    return text
