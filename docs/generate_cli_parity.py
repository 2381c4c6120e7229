"""Writes docs/cli-parity.md from the comparison in tests/parity, so that both say the same.

    python docs/generate_cli_parity.py [--check]

`--check` changes nothing and exits with 1 when the document is out of date. Reasons come from
tests/parity/deviations.py and tests/parity/scope.py; a difference without one ends the script.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
DOCUMENT = Path(__file__).with_name("cli-parity.md")

if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))

from tests.parity.comparing import Aspect, Difference, differences  # noqa: E402
from tests.parity.deviations import DEVIATIONS, Deviation, Standing, outlived, unlisted  # noqa: E402
from tests.parity.official import OfficialCommand, read_binaries  # noqa: E402
from tests.parity.ours import read_tree  # noqa: E402
from tests.parity.scope import OUT_OF_SCOPE, why_command_is_out, why_option_is_out  # noqa: E402

_INTRODUCTION = """\
# This command line beside the official one

Written by `python docs/generate_cli_parity.py`: every command and option of the official `fluvio` (0.18.2)
against the commands here. Compared are names, short flags, aliases, names of values, what values are
accepted and listed, defaults, what is required, repeatable or hidden, what excludes or needs what, and the
meaning of help texts. What commands print and how they end is another matter: [deviations.md](deviations.md).
The tests in `tests/parity` fail for a difference that this page does not tell, and for one that it tells and
that is gone.
"""


def document() -> str:
    """The whole page; raises ValueError for a difference without a reason, or a reason without one."""
    official = read_binaries()["fluvio"]
    found = differences(official, read_tree())
    stray = [*(difference.key for difference in unlisted(found)), *outlived(found)]
    if stray:
        raise ValueError(f"tests/parity/deviations.py is not what is found: {stray}")
    reasons = {key: deviation for deviation in DEVIATIONS for key in deviation.covered()}
    judged = [(difference, reasons[difference.key]) for difference in found]
    sections = [
        _INTRODUCTION,
        _commands(official, judged),
        _absent(official, judged),
        _on_purpose(judged),
        _wordings(judged),
        _out_of_scope(),
    ]
    return "\n".join(sections)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in escaped)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


_Judged = Sequence[tuple[Difference, Deviation]]


def _commands(official: OfficialCommand, judged: _Judged) -> str:
    """Each command in scope: same, deviates or absent."""
    missing = [each.command for each, _ in judged if not each.subject and each.aspect is Aspect.MISSING]
    rows, counts = [], {"same": 0, "deviates": 0, "absent": 0}
    for command in official.walk():
        if why_command_is_out(command.path) is not None:
            continue
        own = [(each, why) for each, why in judged if each.command == command.path]
        own = [(each, why) for each, why in own if why.standing is not Standing.WORDING]
        state = "deviates" if own else "same"
        if any(command.path == path or command.path.startswith(f"{path} ") for path in missing):
            state, own = "absent", []
        counts[state] += 1
        rows.append([_code(command.path), state, *(_subjects(own, standing) for standing in _COLUMNS)])
    total = ", ".join(f"{count} {state}" for state, count in counts.items())
    table = _table(["command", "state", *(standing.value for standing in _COLUMNS)], rows)
    return f"## Commands\n\nOf {sum(counts.values())} commands and groups in scope: {total}.\n\n{table}"


_COLUMNS = (Standing.ABSENT, Standing.ON_PURPOSE)


def _subjects(own: _Judged, standing: Standing) -> str:
    """What differs at one command, for a cell: each subject once."""
    names = [each.subject or each.aspect.value for each, why in own if why.standing is standing]
    return ", ".join(_code(name) for name in dict.fromkeys(names))


def _absent(official: OfficialCommand, judged: _Judged) -> str:
    """What is still to be built, with what the official tool has there."""
    recorded = {command.path: command for command in official.walk()}
    rows = []
    for each, why in judged:
        if why.standing is not Standing.ABSENT:
            continue
        if each.subject or each.aspect is not Aspect.MISSING:
            rows.append([_code(each.command), _code(each.subject), _what(each), why.reason])
            continue
        for command in recorded[each.command].walk():
            if why_command_is_out(command.path) is None:
                takes = " ".join(_code(subject) for subject in _in_scope(command))
                rows.append([_code(command.path), takes, command.about, why.reason])
    head = "## Absent so far\n\nNothing of it is shown in help; what is named is refused as unknown.\n\n"
    return head + _table(["command", "takes", "what it is", "why"], rows)


def _in_scope(command: OfficialCommand) -> list[str]:
    """Options and positionals of a command that is absent."""
    subjects = (each.subject for each in command.parameters)
    return [subject for subject in subjects if why_option_is_out(command.path, subject) is None]


def _what(each: Difference) -> str:
    return each.official if each.aspect is Aspect.MISSING else f"{each.aspect.value}: {each.official}"


def _on_purpose(judged: _Judged) -> str:
    rows = [
        [
            _code(each.command),
            _code(each.subject),
            "" if each.aspect is Aspect.EXTRA else f"{each.aspect.value}: {each.official}",
            _here(each),
            why.reason,
        ]
        for each, why in judged
        if why.standing is Standing.ON_PURPOSE
    ]
    return "## Other on purpose\n\n" + _table(["command", "at", "officially", "here", "why"], rows)


def _here(each: Difference) -> str:
    return f"{each.aspect.value}: {each.here}" if each.aspect is Aspect.EXTRA else each.here


def _wordings(judged: _Judged) -> str:
    rows = [
        [_code(each.command), _code(each.subject), each.official, each.here, why.reason]
        for each, why in judged
        if why.standing is Standing.WORDING
    ]
    head = (
        "## Same meaning in other words\n\n"
        "Help texts here are written anew. The comparison judges them by the words they share with the\n"
        "sense of the official ones; these share too few, and were judged by hand.\n\n"
    )
    return head + _table(["command", "at", "sense of the official text", "here", "why it is the same"], rows)


def _out_of_scope() -> str:
    reasons: dict[str, list[str]] = {}
    for entry in OUT_OF_SCOPE:
        flags = ", ".join(_code(flag) for flag in entry.flags)
        place = _code(entry.command)
        reasons.setdefault(entry.reason, []).append(f"{place}: {flags}" if flags else place)
    rows = [[reason, "; ".join(places)] for reason, places in reasons.items()]
    head = (
        "## Out of scope now\n\nAbsent from every `--help`, with all commands below those that are named.\n\n"
    )
    return head + _table(["why", "commands, and options of others"], rows)


def main() -> int:
    """Returns the exit code."""
    after = document()
    if "--check" not in sys.argv[1:]:
        DOCUMENT.write_text(after, encoding="utf-8")
    elif not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != after:
        print(f"{DOCUMENT.name} is out of date: run python {sys.argv[0]}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
