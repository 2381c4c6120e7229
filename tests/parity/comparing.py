"""Finds every place where our command line differs from the recorded one; pure, no judgement.

`deviations.py` holds the judgement: which differences are known, and why they are there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fluvio_cli.command_table import Group, Leaf
from fluvio_cli.grammar import Parameter, Rules, UsageProblem, parse
from tests.parity.meaning import names_default, says_the_same, stated_default
from tests.parity.official import OfficialCommand, OfficialParameter
from tests.parity.ours import OurCommand
from tests.parity.scope import why_command_is_out, why_option_is_out


class Aspect(StrEnum):
    """In what a command or parameter differs."""

    MISSING = "missing"
    EXTRA = "only here"
    ALIAS = "alias"
    HIDDEN = "hidden"
    SHORT_FLAG = "short flag"
    VALUE_NAME = "value name"
    VALUES = "values"  # what is accepted
    LISTED = "values in help"
    DEFAULT = "default"
    REPEATABLE = "repeatable"
    REQUIRED = "required"
    CONFLICTS = "conflicts"
    REQUIRES = "requires"
    ONE_OF = "one of"
    HELP = "help text"


@dataclass(slots=True, frozen=True)
class Difference:
    """One place; `subject` is a long flag, `<positional>`, or empty for the command itself."""

    command: str
    subject: str
    aspect: Aspect
    official: str = ""
    here: str = ""

    @property
    def key(self) -> tuple[str, str, Aspect]:
        """What the table of deviations knows it by."""
        return self.command, self.subject, self.aspect


def differences(official: OfficialCommand, ours: Mapping[str, OurCommand]) -> list[Difference]:
    """All of them, commands in the order of the recording, then those that only we have.

    What is out of scope is passed over. A command that is missing, or only here, counts once, with all
    below it.
    """
    found = list(_below(official, ours))
    recorded = {path for command in official.walk() for path in (command.path, *_alias_paths(command))}
    aliases = {path for command in official.walk() for path in _alias_paths(command)}
    extra: list[str] = []
    for path, mine in ours.items():
        if path not in recorded and not _is_below(path, aliases) and not _is_below(path, extra):
            extra.append(path)
            found.append(Difference(path, "", Aspect.EXTRA, here=mine.about.split("\n\n")[0]))
    return found


def _below(command: OfficialCommand, ours: Mapping[str, OurCommand]) -> Iterator[Difference]:
    if why_command_is_out(command.path) is not None:
        return
    mine = ours.get(command.path)
    if mine is None:
        yield Difference(command.path, "", Aspect.MISSING, command.about)
        return
    yield from _of_command(command, mine, ours)
    yield from of_parameters(command, mine.parameters, mine.rules)
    for subcommand in command.subcommands:
        yield from _below(subcommand, ours)


def _alias_paths(command: OfficialCommand) -> tuple[str, ...]:
    parent = command.path.rpartition(" ")[0]
    return tuple(f"{parent} {alias}" for alias in command.aliases)


def _is_below(path: str, parents: Iterable[str]) -> bool:
    return any(path == parent or path.startswith(f"{parent} ") for parent in parents)


def _of_command(
    command: OfficialCommand, mine: OurCommand, ours: Mapping[str, OurCommand]
) -> Iterator[Difference]:
    """What concerns the command as a whole."""
    for path in _alias_paths(command):
        if path not in ours or not _same_entry(ours[path], mine):
            yield Difference(command.path, "", Aspect.ALIAS, path, "missing")
    if command.hidden != mine.hidden:
        yield Difference(command.path, "", Aspect.HIDDEN, str(command.hidden), str(mine.hidden))
    if command.default != mine.default:
        yield Difference(command.path, "", Aspect.DEFAULT, command.default or "none", mine.default or "none")
    parent = command.path.rpartition(" ")[0]
    if parent and not says_the_same(mine.about, command.about, ()):
        yield Difference(command.path, "", Aspect.HELP, command.about, mine.about)


def _same_entry(one: OurCommand, other: OurCommand) -> bool:
    if isinstance(one.entry, Leaf) and isinstance(other.entry, Leaf):
        return one.entry.target == other.entry.target
    return isinstance(one.entry, Group) and isinstance(other.entry, Group) and one.entry[1] == other.entry[1]


def of_parameters(command: OfficialCommand, mine: Sequence[Parameter], rules: Rules) -> Iterator[Difference]:
    """What concerns the options and positionals of one command."""
    wanted = [each for each in command.parameters if why_option_is_out(command.path, each.subject) is None]
    pairs = _paired(wanted, mine)
    for official in wanted:
        if official.name not in pairs:
            yield Difference(command.path, official.subject, Aspect.MISSING, official.help)
            continue
        for aspect, theirs, here in _of_parameter(official, pairs[official.name], command.parameters):
            yield Difference(command.path, official.subject, aspect, theirs, here)
    used = {parameter.name for parameter in pairs.values()}
    for parameter in mine:
        if parameter.name not in used:
            subject = parameter.long_flag or parameter.label
            yield Difference(command.path, subject, Aspect.EXTRA, here=parameter.help)
    yield from _of_rules(command, pairs, mine, rules)


def _paired(wanted: Sequence[OfficialParameter], mine: Sequence[Parameter]) -> dict[str, Parameter]:
    """Our parameter for each official name: options by their long flag, positionals by their place."""
    by_flag = {parameter.long_flag: parameter for parameter in mine if not parameter.is_positional}
    places = [parameter for parameter in mine if parameter.is_positional]
    options = [each for each in wanted if each.flags]
    words = [each for each in wanted if not each.flags]
    pairs = {each.name: by_flag[each.subject] for each in options if each.subject in by_flag}
    pairs.update({each.name: place for each, place in zip(words, places, strict=False)})
    return pairs


def _of_parameter(
    official: OfficialParameter, mine: Parameter, siblings: Sequence[OfficialParameter]
) -> Iterator[tuple[Aspect, str, str]]:
    if set(official.flags) != set(mine.flags):
        yield Aspect.SHORT_FLAG, " ".join(official.flags), " ".join(mine.flags)
    here = mine.value_name if mine.takes_value else ""
    if official.value_name != here:
        yield Aspect.VALUE_NAME, official.value_name, here
    for aspect in (Aspect.REPEATABLE, Aspect.REQUIRED, Aspect.HIDDEN):
        theirs, ours = getattr(official, aspect.value), getattr(mine, aspect.value)
        if theirs != ours:
            yield aspect, str(theirs), str(ours)
    listed = official.choices if official.choices_in_help else ()
    if listed != mine.choices:
        yield Aspect.LISTED, ", ".join(listed), ", ".join(mine.choices)
    yield from ((Aspect.VALUES, *pair) for pair in _of_values(official, mine))
    yield from _of_texts(official, mine, siblings)


def _of_texts(
    official: OfficialParameter, mine: Parameter, siblings: Sequence[OfficialParameter]
) -> Iterator[tuple[Aspect, str, str]]:
    """Default and help text."""
    default = stated_default(official.default, official.help)
    shown = str(mine.default) if mine.takes_value and mine.default is not None else ""
    declared = official.default is not None and not official.default.startswith("<")
    if declared and shown != official.default:
        yield Aspect.DEFAULT, official.default or "", shown
    elif not declared and default is not None and not names_default(default, f"{mine.help} {shown}"):
        yield Aspect.DEFAULT, default, mine.help
    if not mine.help:
        yield Aspect.HELP, official.help, ""
    elif official.help:
        others = [sibling.help for sibling in siblings if sibling is not official and sibling.help]
        if not says_the_same(mine.help, official.help, others):
            yield Aspect.HELP, official.help, mine.help


_INTEGERS = {
    "u16": (0, 2**16 - 1),
    "u32": (0, 2**32 - 1),
    "u64": (0, 2**64 - 1),
    "usize": (0, 2**64 - 1),
    "i16": (-(2**15), 2**15 - 1),
    "i32": (-(2**31), 2**31 - 1),
}
_SAMPLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # accepted, refused
    "string": (("any words",), ()),
    "path": (("./a file",), ()),
    "duration": (("150ms", "1h30m", "2d 10s", "0"), ("5", "x", "")),
    "bytesize": (("2048", "10Gb", "2 Ki", "1.5 MiB"), ("x", "1 x")),
    "host:port": (("127.0.0.1:9003", "host.example:1"), ()),
    **{
        kind: ((str(low), str(high)), (str(low - 1), str(high + 1), "x", ""))
        for kind, (low, high) in _INTEGERS.items()
    },
}


def _of_values(official: OfficialParameter, mine: Parameter) -> Iterator[tuple[str, str]]:
    """Whether our parser takes and refuses what the official one does, by samples of its type."""
    if not official.takes_value or not mine.takes_value:
        if official.takes_value != mine.takes_value:
            yield f"takes a value: {official.takes_value}", f"takes a value: {mine.takes_value}"
        return
    accepted, refused = _SAMPLES.get(official.kind, ((), ()))
    if official.kind == "enum":
        other_case = [choice.swapcase() for choice in official.choices] if official.ignore_case else []
        accepted, refused = (*official.choices, *other_case), ("no-such-word", "")
    not_taken = [sample for sample in accepted if not _takes(mine, sample)]
    if not_taken:
        yield f"takes {_quoted(not_taken)}", "refused"
    taken = [sample for sample in refused if _takes(mine, sample)]
    if taken:
        yield f"refuses {_quoted(taken)}", "taken"


def _quoted(samples: Iterable[str]) -> str:
    return ", ".join(f"`{sample}`" for sample in samples)


def _takes(parameter: Parameter, text: str) -> bool:
    try:
        parameter.parse(text)
    except ValueError:
        return False
    return True


def _of_rules(
    command: OfficialCommand, pairs: Mapping[str, Parameter], mine: Sequence[Parameter], rules: Rules
) -> Iterator[Difference]:
    """What ties parameters together, as far as both have them."""
    subjects = {each.name: each.subject for each in command.parameters if each.name in pairs}
    back = {pairs[name].name: name for name in subjects}
    clashing = _clashing(rules)
    for official in command.parameters:
        if official.name not in subjects:
            continue
        own = pairs[official.name].name
        theirs = {name for name in _all_conflicts(command, official) if name in subjects}
        here = {back[other] for pair in clashing if own in pair for other in pair - {own} if other in back}
        needed = {name for name in official.requires if name in subjects}
        needs = {back[other] for other in rules.requires.get(own, ()) if other in back}
        for aspect, wished, found in ((Aspect.CONFLICTS, theirs, here), (Aspect.REQUIRES, needed, needs)):
            if wished != found:
                texts = [", ".join(sorted(subjects[name] for name in names)) for names in (wished, found)]
                yield Difference(command.path, official.subject, aspect, *texts)
    for names in command.one_of:
        if names <= set(subjects) and _parses_without(mine, rules, {pairs[name].name for name in names}):
            one = " or ".join(sorted(subjects[name] for name in names))
            yield Difference(command.path, "", Aspect.ONE_OF, one, "none is needed")


def _all_conflicts(command: OfficialCommand, official: OfficialParameter) -> frozenset[str]:
    """Its conflicts, wherever they were written down."""
    others = (each.name for each in command.parameters if official.name in each.conflicts)
    return official.conflicts | frozenset(others)


def _clashing(rules: Rules) -> set[frozenset[str]]:
    """Pairs of our parameters that may not be given together."""
    pairs = {frozenset((one, other)) for names in rules.conflicts for one in names for other in names}
    pairs |= {frozenset((key, name)) for key, names in rules.stands_alone.items() for name in names}
    return {pair for pair in pairs if len(pair) == 2}


def _parses_without(mine: Sequence[Parameter], rules: Rules, names: set[str]) -> bool:
    """Whether a line with no parameter of `names`, but whatever else is required, is accepted."""
    tokens: list[str] = []
    for parameter in mine:
        if parameter.required and parameter.name not in names:
            tokens += [] if parameter.is_positional else [parameter.flags[-1]]
            tokens.append("1")
    try:
        parse(mine, tokens, rules)
    except UsageProblem:
        return False
    return True
