"""Cases as a Markdown table, for the page of a job (GITHUB_STEP_SUMMARY)."""

import re
from collections.abc import Sequence

from fluvio_cli.reports.cases import Case, Outcome, count

MOST_ROWS = 100  # of a page that has room for a megabyte, the bad ones first
_SIGNS = {Outcome.PASSED: "✅", Outcome.FAILED: "❌", Outcome.ERROR: "❌", Outcome.SKIPPED: "⏭️"}
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@])")
_MOST_CELL = 300


def table(title: str, cases: Sequence[Case], seconds: float) -> str:
    """A heading, a line of sums and the table, with a line end before and after."""
    bad = sum(case.is_bad for case in cases)
    passed = count(cases, Outcome.PASSED)
    word = "failed" if bad else "passed"
    shown = sorted(cases, key=lambda case: not case.is_bad)[:MOST_ROWS]
    lines = [
        "",
        f"### {_SIGNS[Outcome.FAILED if bad else Outcome.PASSED]} {_cell(title)}: {word}",
        "",
        f"{passed} of {len(cases)} passed, {seconds:.1f} s",
        "",
        "| | what | seconds | message |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {_SIGNS[case.outcome]} | {_cell(case.name)} | {case.seconds:.2f} | {_cell(case.message)} |"
        for case in shown
    ]
    if len(cases) > len(shown):
        lines += ["", f"and {len(cases) - len(shown)} more"]
    return "\n".join([*lines, "", ""])


def _cell(text: str) -> str:
    text = " ".join(text.split())
    text = text if len(text) <= _MOST_CELL else f"{text[:_MOST_CELL]}…"
    return _MARKUP.sub(r"\\\1", text)
