"""Whether two help texts say the same, judged by the words they share.

Ours are written anew, so wording is free; but a text that landed at the wrong option, or says another
default, is found: our text has to share words with the official one, at least as many as with that of
any other option of the command, and to name every default the official one names.
"""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[a-z0-9]+")
_EMPTY_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at be by can do does for from has have how in is it its no not of on one or so "
        "that the them then there they this to what when where which while who with you"
    )
)
_SAME_WORDS = {
    "active": "current",
    "copies": "copy",
    "messages": "record",
    "replica": "copy",
    "replicas": "copy",
    "replicated": "commit",
    "replication": "commit",
    "committed": "commit",
    "validate": "check",
    "validates": "check",
    "rendering": "format",
    "rendered": "format",
    "kept": "keep",
    "hold": "keep",
    "erase": "delete",
    "remove": "delete",
    "forget": "delete",
    "drop": "delete",
    "deleted": "delete",
    "whole": "all",
    "every": "all",
    "everything": "all",
    "show": "print",
    "self": "register",
    "registered": "register",
    "announce": "register",
    "inspect": "view",
}
_STATED_DEFAULT = re.compile(r"\bdefault:? ([^);,]+)")


def words(text: str) -> frozenset[str]:
    """The words that carry meaning, in one form each."""
    found = set()
    for word in _WORD.findall(text.lower()):
        same = _SAME_WORDS.get(word, word)
        if same not in _EMPTY_WORDS:
            found.add(same[:-1] if len(same) > 3 and same.endswith("s") else same)
    return frozenset(found)


def likeness(one: str, other: str) -> float:
    """From 0, nothing in common, to 1, the same words."""
    left, right = words(one), words(other)
    return len(left & right) / len(left | right) if left | right else 0.0


def says_the_same(ours: str, official: str, others: Iterable[str]) -> bool:
    """Whether `ours` has more to do with `official` than with any of `others`."""
    own = likeness(ours, official)
    return own > 0 and all(likeness(ours, other) <= own for other in others)


def stated_default(default: str | None, help_text: str) -> str | None:
    """The default that an official default or help text names for the reader, if any.

    In a default that depends on the machine, `<fluvio dir>/log`, it is what follows the bracket.
    """
    if default is not None:
        return default.rpartition(">")[2] if default.startswith("<") else default
    match = _STATED_DEFAULT.search(help_text)
    return match[1].strip() if match else None


def names_default(default: str, shown: str) -> bool:
    """Whether `shown` names `default`, figures exactly, words by what they mean."""
    if default.lower() in shown.lower():
        return True
    return not any(character.isdigit() for character in default) and words(default) <= words(shown)
