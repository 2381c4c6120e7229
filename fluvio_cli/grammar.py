"""The argument grammar of the official command line, as pure code: tokens in, values or an error out.

Accepted: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`, joined flags, `--` to end the
options. Long options are never abbreviated; an option that is not repeatable may come once; a word that
starts with `-` is a value only when joined with `=` or after `--`. Errors carry the texts and exit code
of the official tool; `usage` puts the blocks together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fluvio_cli.effect import Effect


class InvalidChoiceError(ValueError):
    """A value is none of an enumeration's words."""

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(f"possible values: {', '.join(choices)}")
        self.choices = tuple(choices)


@dataclass(slots=True, frozen=True)
class Parameter:
    """One option or positional of a command."""

    name: str  # of the function's parameter
    flags: tuple[str, ...] = ()  # `-p`, `--partitions`; empty: a positional
    value_name: str = ""  # shown as <value_name>
    takes_value: bool = True
    repeatable: bool = False
    required: bool = False
    parse: Callable[[str], Any] = str  # raises ValueError with the text to show
    default: Any = None
    help: str = ""
    hidden: bool = False
    choices: tuple[str, ...] = ()
    panel: str = ""  # title under which help shows it; empty: `Options`

    @property
    def is_positional(self) -> bool:
        """Whether the place on the line says what it is."""
        return not self.flags

    @property
    def label(self) -> str:
        """How errors and usage lines show it: `--start <integer>`, `<topic>`, `[name]`."""
        if self.is_positional:
            dots = "..." if self.repeatable else ""
            return f"<{self.value_name}>{dots}" if self.required else f"[{self.value_name}]{dots}"
        flag = self.long_flag or self.flags[0]
        return f"{flag} <{self.value_name}>" if self.takes_value else flag

    @property
    def long_flag(self) -> str | None:
        """The first `--name`, if there is one."""
        return next((flag for flag in self.flags if flag.startswith("--")), None)


@dataclass(slots=True, frozen=True)
class Rules:
    """What ties the parameters of one command together; all names are function parameters."""

    conflicts: tuple[tuple[str, ...], ...] = ()  # of each tuple at most one may be given
    stands_alone: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # excludes all of these
    requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # needs all of these
    one_of: tuple[tuple[str, ...], ...] = ()  # of each tuple at least one must be given
    examples: tuple[tuple[str, str], ...] = ()  # what it does, the command line
    long_help_only: frozenset[str] = frozenset()  # options that `-h` does not list
    panels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # title -> options, for help
    effect: "Effect | None" = None  # what it does to the cluster


class UsageProblem(Exception):
    """A command line breaks the grammar. `used` fills the usage line: None no line, () the full one."""

    def __init__(
        self,
        text: str,
        *details: str,
        tip: str | None = None,
        used: tuple[Parameter, ...] | None = (),
        unknown: str | None = None,
        known: Sequence[str] = (),
    ) -> None:
        super().__init__(text)
        self.text, self.details, self.tip, self.used = text, details, tip, used
        self.unknown = unknown  # the word nobody knows, for suggestions
        self.known = known  # the words of which it can be meant for one; none: those of the place


class HelpRequested(Exception):
    """`-h` or `--help` was met."""

    def __init__(self, *, long: bool) -> None:
        super().__init__()
        self.long = long


@dataclass(slots=True)
class Parsed:
    """What the tokens say: values of the parameters given, in the order given, and what follows."""

    given: dict[str, Any] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)  # from the first positional on, with `stop_at_word`


class _Parser:
    """One pass over the tokens of one command."""

    def __init__(self, parameters: Sequence[Parameter], *, stop_at_word: bool) -> None:
        self._by_flag = {flag: parameter for parameter in parameters for flag in parameter.flags}
        self._positionals = [parameter for parameter in parameters if parameter.is_positional]
        self._next_positional = 0
        self._stop_at_word = stop_at_word
        self.parsed = Parsed()

    def run(self, tokens: Sequence[str]) -> Parsed:
        position = 0
        while position < len(tokens):
            token = tokens[position]
            position += 1
            if token == "--":
                if self._stop_at_word:
                    self.parsed.rest = list(tokens[position:])
                    return self.parsed
                for word in tokens[position:]:
                    self._word(word)
                break
            if token.startswith("--"):
                position = self._long(token, tokens, position)
            elif token.startswith("-") and token != "-":
                position = self._short(token, tokens, position)
            elif self._stop_at_word:
                self.parsed.rest = list(tokens[position - 1 :])
                return self.parsed
            else:
                self._word(token)
        return self.parsed

    def _long(self, token: str, tokens: Sequence[str], position: int) -> int:
        flag, equals, value = token.partition("=")
        if flag == "--help" and not equals:
            raise HelpRequested(long=True)
        parameter = self._by_flag.get(flag)
        if parameter is None:
            raise self._unexpected(flag)
        if not parameter.takes_value:
            if equals:
                raise UsageProblem(
                    f"unexpected value '{value}' for '{parameter.label}' found; no more were expected"
                )
            self._set(parameter, True)
            return position
        if equals:
            self._value(parameter, value)
            return position
        return self._following_value(parameter, tokens, position)

    def _short(self, token: str, tokens: Sequence[str], position: int) -> int:
        for index in range(1, len(token)):
            flag = f"-{token[index]}"
            if flag == "-h" and flag not in self._by_flag:
                raise HelpRequested(long=False)
            parameter = self._by_flag.get(flag)
            if parameter is None:
                raise self._unexpected(flag)
            if parameter.takes_value:
                joined = token[index + 1 :]
                if joined:
                    self._value(parameter, joined.removeprefix("="))
                    return position
                return self._following_value(parameter, tokens, position)
            self._set(parameter, True)
        return position

    def _following_value(self, parameter: Parameter, tokens: Sequence[str], position: int) -> int:
        token = tokens[position] if position < len(tokens) else None
        if token is None or (token.startswith("-") and token != "-"):
            if token is not None and token != "--" and not self._is_known(token):
                raise self._unexpected(token if token.startswith("--") else token[:2])
            raise UsageProblem(
                f"a value is required for '{parameter.label}' but none was supplied",
                *_possible_values(parameter.choices),
                used=None,
            )
        self._value(parameter, token)
        return position + 1

    def _is_known(self, token: str) -> bool:
        flag = token.partition("=")[0] if token.startswith("--") else token[:2]
        return flag in self._by_flag or flag in ("-h", "--help")

    def _word(self, token: str) -> None:
        if self._next_positional == len(self._positionals):
            raise UsageProblem(f"unexpected argument '{token}' found")
        parameter = self._positionals[self._next_positional]
        if not parameter.repeatable:
            self._next_positional += 1
        self._value(parameter, token)

    def _value(self, parameter: Parameter, text: str) -> None:
        try:
            value = parameter.parse(text)
        except InvalidChoiceError as exc:
            problem = f"invalid value '{text}' for '{parameter.label}'"
            raise UsageProblem(
                problem, *_possible_values(exc.choices), used=None, unknown=text, known=exc.choices
            ) from exc
        except ValueError as exc:
            raise UsageProblem(f"invalid value '{text}' for '{parameter.label}': {exc}", used=None) from exc
        self._set(parameter, value)

    def _set(self, parameter: Parameter, value: Any) -> None:
        given = self.parsed.given
        if parameter.repeatable:
            given.setdefault(parameter.name, []).append(value)
        elif parameter.name in given:
            raise UsageProblem(f"the argument '{parameter.label}' cannot be used multiple times")
        else:
            given[parameter.name] = value

    def _unexpected(self, flag: str) -> UsageProblem:
        tip = f"to pass '{flag}' as a value, use '-- {flag}'" if self._positionals else None
        return UsageProblem(f"unexpected argument '{flag}' found", tip=tip, unknown=flag)


def _possible_values(choices: Sequence[str]) -> tuple[str, ...]:
    return (f"[possible values: {', '.join(choices)}]",) if choices else ()


def parse(
    parameters: Sequence[Parameter], tokens: Sequence[str], rules: Rules, *, stop_at_word: bool = False
) -> Parsed:
    """Read `tokens` and check the rules; raises `UsageProblem` or `HelpRequested`.

    With `stop_at_word` everything from the first word that is no option goes to `rest`, unread: root
    and groups use it. Defaults are not filled in.
    """
    parsed = _Parser(parameters, stop_at_word=stop_at_word).run(tokens)
    by_name = {parameter.name: parameter for parameter in parameters}
    _check_conflicts(by_name, parsed.given, rules)
    _check_required(by_name, parsed.given, rules)
    return parsed


def _check_conflicts(by_name: Mapping[str, Parameter], given: Mapping[str, Any], rules: Rules) -> None:
    for name in given:
        others = {other for names in rules.conflicts if name in names for other in names if other != name}
        clashing = [by_name[other] for other in by_name if other in others and other in given]
        members = rules.stands_alone.get(name, ())
        if any(member in given for member in members):
            clashing = [by_name[member] for member in members if member in by_name]
        elif clashing:
            members = tuple(parameter.name for parameter in clashing)
        if not clashing:
            continue
        label = by_name[name].label
        kept = [other for other in given if other not in members]
        used = tuple(by_name[other] for other in by_name if other in kept)
        if len(clashing) == 1:
            raise UsageProblem(f"the argument '{label}' cannot be used with '{clashing[0].label}'", used=used)
        labels = (parameter.label for parameter in clashing)
        raise UsageProblem(f"the argument '{label}' cannot be used with:", *labels, used=used)


def _check_required(by_name: Mapping[str, Parameter], given: Mapping[str, Any], rules: Rules) -> None:
    alone = any(name in given for name in rules.stands_alone)
    missing = [
        name
        for name, parameter in by_name.items()
        if name not in given
        and (
            (parameter.required and not alone)
            or any(name in rules.requires.get(other, ()) for other in given)
        )
    ]
    missing += [names[0] for names in rules.one_of if not any(name in given for name in names)]
    if missing:
        used = tuple(parameter for name, parameter in by_name.items() if name in given or name in missing)
        raise UsageProblem(
            "the following required arguments were not provided:",
            *(by_name[name].label for name in missing),
            used=used,
        )
