"""Writes docs/upstream-shortcomings.md from the table in tests/parity/shortcomings.py.

    python docs/generate_upstream_shortcomings.py [--check]

`--check` changes nothing and exits with 1 when the document is out of date.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
DOCUMENT = Path(__file__).with_name("upstream-shortcomings.md")

if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))

from tests.parity.shortcomings import SHORTCOMINGS, Shortcoming  # noqa: E402

_INTRODUCTION = """\
# Shortcomings of the official command line, and what became of them here

Written by `python docs/generate_upstream_shortcomings.py`. The middle columns say what the official `fluvio`
(0.18.2) does and what the commands here do; the tests named, below `tests/`, hold it. What is out of scope
here (SmartModules, mirrors, Kubernetes, the hub) is left out. All differences: [deviations](deviations.md).
"""

_STAYS = """\
## What stays as it is

| command | shortcoming | not done, because |
|---|---|---|
"""

_FIXED = """\
## What is better here

| command | official | here | held by |
|---|---|---|---|
"""


def document() -> str:
    """The whole page."""
    fixed = [row for row in SHORTCOMINGS if row.tests]
    stays = [row for row in SHORTCOMINGS if not row.tests]
    return (
        f"{_INTRODUCTION}\n{_FIXED}"
        + _lines((row.command, row.upstream, row.ours, _held_by(row)) for row in fixed)
        + f"\n{_STAYS}"
        + _lines((row.command, row.upstream, row.ours.removeprefix("not done, because ")) for row in stays)
    )


def _held_by(row: Shortcoming) -> str:
    return "<br>".join(f"`{test.rpartition('/')[2]}`" for test in row.tests)


def _lines(rows: Iterable[Sequence[str]]) -> str:
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "".join(f"| {' | '.join(row)} |\n" for row in escaped)


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(DOCUMENT.read_text(encoding="utf-8") != document())
    DOCUMENT.write_text(document(), encoding="utf-8")
