"""Reads `fluvio` command lines in texts by the program's own grammar, without running them."""

import shlex
from collections.abc import Iterator

from fluvio_cli import app, grammar, manners
from fluvio_cli.app import ROOT_OPTIONS
from fluvio_cli.command import Command
from fluvio_cli.command_table import ROOT, Leaf
from fluvio_cli.grammar import Rules, UsageProblem

PROGRAMS = ("fluvio", "flv")


def command_lines(script: str) -> Iterator[list[str]]:
    """The words behind each `fluvio` of a script; raises `ValueError` when a line does not close a quote."""
    for line in script.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] | None = None
        for word in lexer:
            if set(word) <= set(lexer.punctuation_chars):
                if words is not None:
                    yield words
                words = None
            elif words is not None:
                words.append(word)
            elif word in PROGRAMS:
                words = []
        if words is not None:
            yield words


def check(words: list[str]) -> None:
    """Raises `UsageProblem` when the words are no command line of ours."""
    rest = grammar.parse(ROOT_OPTIONS, words, Rules(), stop_at_word=True).rest
    place = ROOT
    path = app.PROGRAM
    while rest:
        member = place.members.get(rest[0])
        if member is None:
            raise UsageProblem(f"unrecognized subcommand '{rest[0]}'")
        path = f"{path} {rest[0]}"
        if isinstance(member, Leaf):
            if member.parameterless:
                grammar.parse(manners.OPTIONS, rest[1:], Rules())
                return
            command = Command(path, app.imported(member.target))
            command.parse(rest[1:], manners.beside(command.parameters))
            return
        place = member
        rest = grammar.parse(manners.OPTIONS, rest[1:], Rules(), stop_at_word=True).rest
