"""What may come next on a command line. Pure: the tree, the words so far and a source of names go in."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

# Words to choose from, or a kind: `topic`, `profile`, `cluster`, `consumer`, `spu`, `file`, `directory`.
Values = tuple[str, ...] | str


class Option(NamedTuple):
    """An option; `values` is None for a flag."""

    flags: tuple[str, ...]
    values: Values | None
    help: str


class Node(NamedTuple):
    """A command or a group of commands."""

    options: tuple[Option, ...] = ()
    words: tuple[Values, ...] = ()  # of the positionals
    repeats: bool = False  # the last positional may come again
    commands: Mapping[str, str] = {}  # name -> help of the members shown


class Candidate(NamedTuple):
    """A word that fits, in full, and what it is."""

    value: str
    help: str = ""


class Answer(NamedTuple):
    """What fits. `paths`: the shell offers `file`s or `directory`s instead."""

    candidates: tuple[Candidate, ...] = ()
    paths: str | None = None


Names = Callable[[str], Sequence[str]]  # of a kind
HELP = Option(("-h", "--help"), None, "Print help")
_PATHS = ("file", "directory")


def complete(tree: Mapping[str, Node], words: Sequence[str], names: Names) -> Answer:
    """What the last of `words` can become; the others are complete. `tree`: nodes by path, "" the root."""
    *before, current = words or [""]
    place = _Place(tree)
    for word in before:
        place.take(word)
    return place.answer(current, names)


def root_options(tree: Mapping[str, Node], words: Sequence[str]) -> dict[str, str]:
    """Values of the root options before the command word, by their long flag: they choose the cluster."""
    found: dict[str, str] = {}
    pending: Option | None = None
    for word in words:
        if pending is not None:
            found[pending.flags[-1]], pending = word, None
            continue
        if not word.startswith("-"):
            break
        flag, equals, value = word.partition("=")
        option = next((option for option in tree[""].options if flag in option.flags), None)
        if option is None or option.values is None:
            continue
        if equals:
            found[option.flags[-1]] = value
        else:
            pending = option
    return found


class _Place:
    """How far the words have led."""

    def __init__(self, tree: Mapping[str, Node]) -> None:
        self._tree, self._path, self._node = tree, "", tree[""]
        self._pending: Option | None = None  # wants its value
        self._only_words = False  # after `--`
        self._given: list[str] = []  # flags
        self._count = 0  # positionals

    def take(self, word: str) -> None:
        if self._pending is not None:
            self._pending = None
        elif self._only_words or not word.startswith("-") or word == "-":
            self._word(word)
        elif word == "--":
            self._only_words = True
        else:
            self._flag(word)

    def _word(self, word: str) -> None:
        below = f"{self._path} {word}".strip()
        if not self._only_words and below in self._tree and not self._node.words:
            self._path, self._node = below, self._tree[below]
            self._given.clear()
        else:
            self._count += 1

    def _flag(self, word: str) -> None:
        flag, equals, _ = word.partition("=")
        if word.startswith("--"):
            option = self._option(flag)
            self._given.append(flag)
            if option is not None and option.values is not None and not equals:
                self._pending = option
            return
        for index in range(1, len(word)):  # joined flags
            option = self._option(f"-{word[index]}")
            self._given.append(f"-{word[index]}")
            if option is not None and option.values is not None:
                self._pending = option if index == len(word) - 1 else None
                return

    def _option(self, flag: str) -> Option | None:
        return next((option for option in self._node.options if flag in option.flags), None)

    def answer(self, current: str, names: Names) -> Answer:
        if self._pending is not None and self._pending.values is not None:
            return _values(self._pending.values, current, names)
        if current.startswith("-") and not self._only_words:
            flag, equals, value = current.partition("=")
            if not equals:
                return Answer(self._flags(current))
            option = self._option(flag)
            if option is None or option.values is None:
                return Answer()
            found = _values(option.values, value, names)
            joined = tuple(Candidate(f"{flag}={each.value}", each.help) for each in found.candidates)
            return Answer(joined, found.paths)
        node = self._node
        if node.commands and not self._only_words:
            return Answer(
                tuple(
                    Candidate(name, text) for name, text in node.commands.items() if name.startswith(current)
                )
            )
        if not node.words or (self._count >= len(node.words) and not node.repeats):
            return Answer()
        return _values(node.words[min(self._count, len(node.words) - 1)], current, names)

    def _flags(self, current: str) -> tuple[Candidate, ...]:
        shown = []
        for option in (*self._node.options, HELP):
            if any(flag in self._given for flag in option.flags):
                continue
            fitting = [flag for flag in option.flags if flag.startswith(current)]
            long = [flag for flag in fitting if flag.startswith("--")]
            shown += [Candidate(flag, option.help) for flag in (long or fitting)[:1]]
        return tuple(shown)


def _values(values: Values, current: str, names: Names) -> Answer:
    if values in _PATHS:
        return Answer(paths=str(values))
    known = names(values) if isinstance(values, str) else values
    return Answer(tuple(Candidate(value) for value in known if value.startswith(current)))
