"""Snippets of Markdown documents: fenced blocks, and the marks in comments that say how they are tested.

A mark is a comment `<!-- NAME: TEXT -->` right above a block; a reader does not see it, and several may stand
there:

    not run: REASON     the block cannot run in a test
    file: NAME          the block is a file of that name in the working directory, for all commands
    needs: TOOLCHAIN    what the block runs is built or read by it (tests/support/toolchains.py)
    first: SCRIPT       runs before the block: in the same shell, or in bash when the block is none of a shell
    then: SCRIPT        runs after the block, in the same shell; fails when the block did not do its work
    until: SCRIPT       the block would go on for ever: it runs at a terminal while this is repeated until it
                        succeeds, with what was printed in the file $OUTPUT; then the block gets Ctrl-C
    exit code: NUMBER   the block ends with it, not with 0
    output of: SCRIPT   the block is what this prints
    input of: SCRIPT    the block is the standard input of this, which must succeed
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parents[2]
SHELLS = ("bash", "zsh", "fish")
DATA = ("json", "toml", "yaml")
PROGRAMS = ("javascript", "rust", "go", "java")  # files, for the toolchains of shells' blocks
LANGUAGES = (*SHELLS, *DATA, *PROGRAMS, "python", "text")
# Files that a toolchain finds by their names, so no command has them.
FOUND_BY_NAME = {"rust": ("Cargo.toml", "src/*.rs", "tests/*.rs"), "node": (), "go": (), "java": ()}
SCRIPTS = ("first", "then", "until", "output of", "input of")
MARKS = ("not run", "file", "needs", "exit code", *SCRIPTS)
# A `text` block is no place for commands: nobody would run them.
_COMMAND = re.compile(
    r"^ *(?:\$ |(?:fluvio|flv|make|pip|pipx|uv|python3?|pytest|curl|git|source|sudo|docker|npm|cargo) [\w-])",
    re.M,
)
_FENCE = re.compile(r"^( *)(`{3,}|~{3,})(.*)$")
_COMMENT = re.compile(r"<!--(.*?)-->\s*\Z", re.S)
_MARK = re.compile(r"\s*([a-z][a-z ]*[a-z]):\s*(.*?)\s*\Z", re.S)
_LIST_ITEM = re.compile(r" {0,3}(?:[-*+]|\d+[.)]) ")


class DocumentError(ValueError):
    """A document has a block that the rules above do not allow; the text names the place."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """One fenced block. `line` is that of its first fence, from 1."""

    place: str
    language: str
    text: str
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def is_shell(self) -> bool:
        """Whether a shell reads it."""
        return self.language in SHELLS

    @property
    def scripts(self) -> str:
        """All that is run for it."""
        is_run = (self.is_shell or self.language == "python") and not {"not run", "file"} & set(self.marks)
        own = self.text if is_run else ""
        return "\n".join([own, *(self.marks.get(name, "") for name in SCRIPTS)])


def unused_files(snippets: list[Snippet]) -> list[str]:
    """Files that no command is given, and no toolchain finds."""
    scripts = "\n".join(snippet.scripts for snippet in snippets)
    needed = {snippet.marks["needs"] for snippet in snippets if "needs" in snippet.marks}
    patterns = [pattern for toolchain in needed for pattern in FOUND_BY_NAME[toolchain]]
    names = [snippet.marks["file"] for snippet in snippets if "file" in snippet.marks]
    return [name for name in names if name not in scripts and not any(map(PurePath(name).match, patterns))]


def documents() -> list[Path]:
    """README.md and all of docs, in a fixed order."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def snippets_of(text: str, name: str) -> list[Snippet]:
    """The blocks of a document. Raises `DocumentError` for what is no valid block or mark."""
    found = [_checked(snippet) for snippet in _blocks(text, name)]
    _refuse_indented(text, name)
    return found


def _blocks(text: str, name: str) -> Iterator[Snippet]:
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence is None:
            number += 1
            continue
        indent, marker, language = fence[1], fence[2], fence[3].strip()
        place = f"{name}:{number + 1}"
        end = number + 1
        while end < len(lines) and not re.fullmatch(rf" *{marker[0]}{{{len(marker)},}} *", lines[end]):
            end += 1
        if end == len(lines):
            raise DocumentError(f"{place}: the block does not end")
        body = "".join(f"{line.removeprefix(indent)}\n" for line in lines[number + 1 : end])
        yield Snippet(place, language, body, _marks_above("\n".join(lines[:number]), place))
        number = end + 1


def _marks_above(text: str, place: str) -> dict[str, str]:
    marks: dict[str, str] = {}
    while comment := _COMMENT.search(text):
        start = text.rindex("<!--")  # the pattern alone would begin at the first comment of the document
        mark = _MARK.match(text[start + 4 : comment.end()].rstrip().removesuffix("-->"))
        if mark is not None:
            if mark[1] not in MARKS or mark[1] in marks or not mark[2]:
                raise DocumentError(f"{place}: `{mark[1]}` is unknown, empty or there twice")
            marks[mark[1]] = mark[2]
        text = text[:start].rstrip()
    return marks


def _checked(snippet: Snippet) -> Snippet:
    marks = set(snippet.marks)
    wrong = ""
    if "not run" in marks and len(marks) > 1:
        wrong = "what is not run has no other mark"
    elif "not run" in marks:
        return snippet
    elif snippet.language not in LANGUAGES:
        wrong = f"language `{snippet.language}`: one of {', '.join(LANGUAGES)}, or say why it is not run"
    elif marks & {"then", "until", "exit code", "needs"} and not snippet.is_shell:
        wrong = "only a shell's block has a condition after it, an exit code, or needs"
    elif snippet.marks.get("needs", "go") not in FOUND_BY_NAME:
        wrong = f"no toolchain `{snippet.marks['needs']}`: one of {', '.join(FOUND_BY_NAME)}"
    elif snippet.language in PROGRAMS and "file" not in marks:
        wrong = f"`{snippet.language}` is the language of files: one that a shell's block runs"
    elif marks & {"file", "output of", "input of"} and snippet.is_shell:
        wrong = "a shell's block is neither a file nor output"
    elif snippet.language == "text" and not marks and _COMMAND.search(snippet.text):
        wrong = "commands in a block of text: nobody would run them"
    if wrong:
        raise DocumentError(f"{snippet.place}: {wrong}")
    return snippet


def _refuse_indented(text: str, name: str) -> None:
    """Blocks without fences have no language, so nobody could tell what they are."""
    inside, in_list, blank_before = "", False, True
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if inside or fence:
            if fence and not inside:
                inside = fence[2]
            elif inside and line.strip().startswith(inside):
                inside = ""
            blank_before = True
            continue
        if not line.strip():
            blank_before = True
            continue
        if line.startswith("    ") and blank_before and not in_list:
            raise DocumentError(f"{name}:{number}: an indented block; put it between fences, with a language")
        if not line.startswith(" ") or _LIST_ITEM.match(line):
            in_list = bool(_LIST_ITEM.match(line))
        blank_before = False
