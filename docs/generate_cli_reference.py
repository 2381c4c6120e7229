"""Writes docs/cli.md and the man pages in docs/man from the command tree: they say what `--help` says.

    python docs/generate_cli_reference.py [--check]

How an example is tested says docs/cli-examples.toml, by its command line; a mark that no example has is an
error.

`--check` changes nothing and exits with 1 when one of them is out of date, is missing, or is of a command
that is gone. A man page is made for `fluvio` and for each command below it; the wheel installs them.
"""

import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parent.parent
DOCUMENT, PAGES = Path(__file__).with_name("cli.md"), Path(__file__).with_name("man")
MARKS = Path(__file__).with_name("cli-examples.toml")

if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))

from fluvio_cli import manners, usage  # noqa: E402
from fluvio_cli.app import PROGRAM, ROOT_OPTIONS, imported  # noqa: E402
from fluvio_cli.command import Command  # noqa: E402
from fluvio_cli.command_table import ROOT, Group, Leaf  # noqa: E402
from fluvio_cli.explanations import EXIT_CODES  # noqa: E402
from fluvio_cli.grammar import Parameter  # noqa: E402

_INTRODUCTION = """\
# Every command

Written by `python docs/generate_cli_reference.py` from what `--help` shows; `man fluvio`, `man fluvio-topic`
and so on say the same. Root options stand before the command. Exit codes: [exit-codes.md](exit-codes.md).
"""


class _Entry(NamedTuple):
    """A command or group, ready to be written."""

    path: str
    about: str
    usage: str
    words: tuple[Parameter, ...]
    options: tuple[Parameter, ...]
    panels: tuple[str, ...]
    examples: tuple[tuple[str, str], ...]
    members: dict[str, str]


def _entries(path: str, member: Group | Leaf) -> Iterator[_Entry]:
    if isinstance(member, Group):
        options = ROOT_OPTIONS if member is ROOT else ()
        members = {
            name: each.help for name, each in member.members.items() if not getattr(each, "hidden", False)
        }
        line = usage.group_usage(path, member, options)
        yield _Entry(path, f"{member.help}.", line, (), tuple(options), (), (), members)
        for name in members:
            yield from _entries(f"{path} {name}", member.members[name])
        return
    if member.parameterless:
        yield _Entry(path, f"{member.help}.", usage.usage_line(path, ()), (), (), (), (), {})
        return
    command = Command(path, imported(member.target))
    shown = [parameter for parameter in command.parameters if not parameter.hidden]
    words = tuple(parameter for parameter in shown if parameter.is_positional)
    options = tuple(parameter for parameter in shown if not parameter.is_positional)
    line, rules = usage.usage_line(path, command.parameters), command.rules
    yield _Entry(path, command.about, line, words, options, tuple(rules.panels), rules.examples, {})


def _label(parameter: Parameter) -> str:
    if parameter.is_positional:
        return parameter.label
    flags = ", ".join(sorted(parameter.flags, key=len))
    return f"{flags} <{parameter.value_name}>" if parameter.takes_value else flags


# --- Markdown ----------------------------------------------------------------------------------------------


def document() -> str:
    """The text of docs/cli.md."""
    marks = tomllib.loads(MARKS.read_text(encoding="utf-8"))
    entries = list(_entries(PROGRAM, ROOT))
    unknown = set(marks) - {line for entry in entries for _, line in entry.examples}
    if unknown:
        raise ValueError(f"{MARKS.name} has marks for what is no example: {sorted(unknown)}")
    return _INTRODUCTION + "".join(_section(entry, marks) for entry in entries) + _everywhere()


def _section(entry: _Entry, marks: dict[str, dict[str, str]]) -> str:
    depth = "##" if " " not in entry.path or entry.members else "###"
    parts = [f"\n{depth} `{entry.path}`\n\n{entry.about}\n\nUsage: `{entry.usage}`\n"]
    if entry.members:
        rows = "".join(f"| `{entry.path} {name}` | {text} |\n" for name, text in entry.members.items())
        parts.append(f"\n| command | |\n|---|---|\n{rows}")
    for title, parameters in _panels(entry).items():
        rows = "".join(
            f"| `{_cell(_label(each))}` | {_cell(usage.help_line(each))} |\n" for each in parameters
        )
        parts.append(f"\n| {title} | |\n|---|---|\n{rows}")
    if entry.examples:
        parts.append(_examples(entry.examples, marks))
    return "".join(parts)


def _panels(entry: _Entry) -> dict[str, Sequence[Parameter]]:
    """Arguments and options as `--help` groups them."""
    options = usage.in_panels(entry.options, entry.panels)
    if len(options) < 2:
        parameters = (*entry.words, *entry.options)
        return {"Argument or option": parameters} if parameters else {}
    return {**({"Arguments": entry.words} if entry.words else {}), **options}


def _examples(examples: tuple[tuple[str, str], ...], marks: dict[str, dict[str, str]]) -> str:
    """Blocks of examples; one with marks begins a block of its own, which the next one without continues."""
    parts: list[str] = []
    is_open = False
    for what, line in examples:
        own = dict(marks.get(line, {}))
        shell = own.pop("shell", "bash")
        if own or shell != "bash" or not is_open:
            parts += ["```\n"] if is_open else []
            parts.append("\n" + "".join(f"<!-- {name}: {text.strip()} -->\n" for name, text in own.items()))
            parts.append(f"```{shell}\n")
        parts.append(f"# {what}\n{line}\n")
        # What is marked to be judged by itself ends here; what only wants something first may go on.
        is_open = shell == "bash" and set(own) <= {"first"}
        parts += [] if is_open else ["```\n"]
    return "".join([*parts, "```\n" if is_open else ""])


def _everywhere() -> str:
    rows = "".join(f"| `{_label(each)}` | {_cell(usage.help_line(each))} |\n" for each in manners.OPTIONS)
    told = "\nFLUVIO_QUIET=1, FLUVIO_VERBOSE=1 and FLUVIO_TIMEOUT=DURATION count where no option stands.\n"
    return f"\n## Options of all commands\n\n| option | |\n|---|---|\n{rows}{told}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


# --- man pages ---------------------------------------------------------------------------------------------


def pages() -> dict[str, str]:
    """The text of each page by its file name."""
    entries = list(_entries(PROGRAM, ROOT))
    found = {f"{PROGRAM}.1": _page([entries[0]], list(ROOT.members))}
    for name, member in ROOT.members.items():
        if getattr(member, "hidden", False):
            continue
        below = [entry for entry in entries if (entry.path + " ").startswith(f"{PROGRAM} {name} ")]
        found[f"{PROGRAM}-{name}.1"] = _page(below, [])
    return found


def _page(entries: list[_Entry], others: list[str]) -> str:
    first = entries[0]
    title = first.path.replace(" ", "-")
    lines = [
        f'.TH {title.upper()} 1 "" "fluvio-cli" "Fluvio commands"',
        ".SH NAME",
        f"{_roff(title)} \\- {_roff(first.about.splitlines()[0].rstrip('.').lower())}",
        ".SH SYNOPSIS",
    ]
    for entry in entries:
        if not entry.members or len(entries) == 1:
            lines += [f".B {_roff(entry.usage)}", ".br"]
    for entry in entries:
        lines += [f".SH {_roff(entry.path.upper())}", *_paragraphs(entry.about)]
        for title, parameters in _panels(entry).items():
            if len(_panels(entry)) > 1:
                lines += [f".SS {_roff(title)}"]
            for parameter in parameters:
                lines += [".TP", f".B {_roff(_label(parameter))}", _roff(usage.help_line(parameter))]
        for name, text in entry.members.items():
            lines += [".TP", f".B {_roff(name)}", _roff(text)]
        if entry.examples:
            lines += [".PP", "Examples:", ".RS", ".nf"]
            lines += [_roff(line) for what, command in entry.examples for line in (f"# {what}", command)]
            lines += [".fi", ".RE"]
    lines.append(".SH OPTIONS OF ALL COMMANDS")
    for option in manners.OPTIONS:
        lines += [".TP", f".B {_roff(_label(option))}", _roff(usage.help_line(option))]
    lines.append(".SH EXIT STATUS")
    for code, (_, text) in EXIT_CODES.items():
        lines += [".TP", f".B {code}", _roff(text)]
    shown = [name for name in others if not getattr(ROOT.members[name], "hidden", False)]
    seen = [f".BR {_roff(f'{PROGRAM}-{name}')} (1)" for name in shown]
    lines += [".SH SEE ALSO", *(seen or [f".BR {PROGRAM} (1)"])]
    return "\n".join(lines) + "\n"


def _paragraphs(text: str) -> list[str]:
    lines = []
    for paragraph in text.split("\n\n"):
        lines += [".PP", *(_roff(line.strip()) for line in paragraph.splitlines())]
    return lines


def _roff(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text


def main(arguments: list[str]) -> int:
    """Write, or compare; returns the exit code."""
    wanted = {DOCUMENT: document()} | {PAGES / name: text for name, text in pages().items()}
    left = set(PAGES.glob("*.1")) - set(wanted)
    if "--check" in arguments:
        return int(
            bool(left) or any(not path.exists() or path.read_text() != wanted[path] for path in wanted)
        )
    PAGES.mkdir(exist_ok=True)
    for path in left:
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
