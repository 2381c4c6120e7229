"""Usage lines, help pages and the blocks of usage errors, as text. Layout: the official command line's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from fluvio_cli.grammar import Parameter, Rules, UsageProblem

if TYPE_CHECKING:
    from fluvio_cli.command_table import Group

HELP = Parameter("help", ("-h", "--help"), takes_value=False, help="Print help")


def usage_line(path: str, parameters: Sequence[Parameter], used: Sequence[Parameter] = ()) -> str:
    """`fluvio consume [OPTIONS] <topic>`, or with `used` the options and words a line had or lacks."""
    options = [parameter for parameter in parameters if not parameter.is_positional]
    words = [parameter for parameter in parameters if parameter.is_positional]
    if used:
        shown = [parameter.label for parameter in used if not parameter.is_positional]
        shown += [_as_given(word) for word in words if word in used or word.required]
        return " ".join([path, *shown])
    parts = [path]
    if any(not option.required and not option.hidden for option in options):
        parts.append("[OPTIONS]")
    parts += [option.label for option in options if option.required]
    parts += [word.label for word in words]
    return " ".join(parts)


def _as_given(word: Parameter) -> str:
    return f"<{word.value_name}>" + ("..." if word.repeatable else "")


def error_blocks(problem: UsageProblem, path: str, parameters: Sequence[Parameter]) -> str:
    """The blocks of a usage error, without a final line end."""
    return blocks(problem, None if problem.used is None else usage_line(path, parameters, problem.used))


def blocks(problem: UsageProblem, usage: str | None) -> str:
    """As `error_blocks`, for a usage line that is already known."""
    first = "\n".join([f"error: {problem.text}", *(f"  {detail}" for detail in problem.details)])
    parts = [first]
    if problem.tip is not None:
        parts.append(f"  tip: {problem.tip}")
    if usage is not None:
        parts.append(f"Usage: {usage}")
    parts.append("For more information, try '--help'.")
    return "\n\n".join(parts)


def suggestion(word: str, known: Sequence[str]) -> str | None:
    """The known word that `word` may have been meant for; only shown on a terminal."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return close[0] if close else None


def command_help(
    path: str,
    about: str,
    parameters: Sequence[Parameter],
    rules: Rules,
    *,
    long: bool,
    everywhere: Sequence[Parameter] = (),
) -> str:
    """The help page of one command; `long` gives each parameter its own paragraph, and examples.

    `everywhere`: options of all commands; the long page lists them after its own.
    """
    about = about.strip()
    shown = [p for p in parameters if not p.hidden and (long or p.name not in rules.long_help_only)]
    words = [parameter for parameter in shown if parameter.is_positional]
    options = [parameter for parameter in shown if not parameter.is_positional]
    parts = [about if long else about.split("\n\n")[0], f"Usage: {usage_line(path, parameters)}"]
    if words:
        parts.append(_section("Arguments", words, long=long))
    parts += _panels([*options, HELP], rules.panels, long=long)
    if long and everywhere:
        parts.append(_section("Options of all commands", everywhere, long=False))
    if long and rules.examples:
        parts.append("Examples:\n" + "\n".join(f"  # {what}\n  {line}" for what, line in rules.examples))
    return "\n\n".join(parts)


def group_help(path: str, group: "Group", parameters: Sequence[Parameter], extra: Mapping[str, str]) -> str:
    """The help page of a group; `extra` are commands beyond its table (plugins)."""
    rows = {
        name: member.help for name, member in group.members.items() if not getattr(member, "hidden", False)
    }
    rows.update(extra)
    width = max(map(len, rows))
    commands = "\n".join(f"  {name:<{width}}  {text}" for name, text in rows.items())
    parts = [
        group.help,
        f"Usage: {group_usage(path, group, parameters)}",
        f"Commands:\n{commands}",
        *_panels([*parameters, HELP], (), long=False),
    ]
    return "\n\n".join(parts)


def group_usage(path: str, group: "Group", parameters: Sequence[Parameter] = ()) -> str:
    """`fluvio topic <COMMAND>`."""
    command = "[COMMAND]" if group.default else "<COMMAND>"
    return " ".join([path, *(["[OPTIONS]"] if parameters else []), command])


def in_panels(options: Sequence[Parameter], titles: Iterable[str]) -> dict[str, list[Parameter]]:
    """Options by the title of their panel: `titles` first, in their order, then others, `Options` last."""
    panels: dict[str, list[Parameter]] = {title: [] for title in titles}
    rest: list[Parameter] = []
    for option in options:
        (panels.setdefault(option.panel, []) if option.panel else rest).append(option)
    return {title: found for title, found in [*panels.items(), ("Options", rest)] if found}


def _panels(options: Sequence[Parameter], titles: Iterable[str], *, long: bool) -> list[str]:
    return [_section(title, found, long=long) for title, found in in_panels(options, titles).items()]


def _section(title: str, parameters: Sequence[Parameter], *, long: bool) -> str:
    if long:
        entries = (f"  {_left(p)}\n{_indented(_help_text(p, long=True))}".rstrip() for p in parameters)
        return f"{title}:\n" + "\n\n".join(entries)
    lefts = [_left(parameter) for parameter in parameters]
    width = max(map(len, lefts))
    lines = (
        f"  {left:<{width}}  {_help_text(parameter, long=False)}".rstrip()
        for left, parameter in zip(lefts, parameters, strict=True)
    )
    return f"{title}:\n" + "\n".join(lines)


def _left(parameter: Parameter) -> str:
    if parameter.is_positional:
        return parameter.label
    short = next((flag for flag in parameter.flags if not flag.startswith("--")), None)
    long = parameter.long_flag
    flags = ", ".join(flag for flag in (short, long) if flag) if short else f"    {long}"
    return f"{flags} <{parameter.value_name}>" if parameter.takes_value else flags


def help_line(parameter: Parameter) -> str:
    """What a parameter is, in one line, with its default and its values."""
    return _help_text(parameter, long=False)


def _help_text(parameter: Parameter, *, long: bool) -> str:
    text = parameter.help.strip()
    facts = []
    if parameter.takes_value and parameter.default not in (None, "", [], ()):
        facts.append(f"[default: {parameter.default}]")
    if parameter.choices:
        facts.append(f"[possible values: {', '.join(parameter.choices)}]")
    if long:
        return "\n\n".join([text, *facts] if text else facts)
    return " ".join([text.split("\n\n")[0], *facts]).strip()


def _indented(text: str) -> str:
    return "\n".join(f"          {line}".rstrip() for line in text.split("\n"))
