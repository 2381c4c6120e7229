"""Commands run at a pseudo-terminal, and what its screen shows in the end.

Spinners and progress lines write over themselves, so bytes alone do not tell what a person sees: pyte plays
the terminal.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pyte

# What pyte does not know: a terminal is asked what it can do, and told which keys it should tell apart.
_UNKNOWN = re.compile(r"\x1b\[(?:[<>=][0-9;]*[a-zA-Z]|\?[0-9;]*\$p)")
_EMOJI = "\ufe0f"  # variation selector 16: draw the character before it in colours
PATIENCE_S = 60.0  # for one answer of a command on a busy machine


@dataclass(frozen=True, slots=True)
class Style:
    """How a stretch of text looks; colours by pyte's names (`green`, `brightred`) or six hex digits."""

    colour: str = "default"
    background: str = "default"
    bold: bool = False
    italics: bool = False
    underlined: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Successive characters of one line in one style; `cells` is their width on the screen."""

    text: str
    cells: int
    style: Style

    @property
    def is_even(self) -> bool:
        """Whether each character takes one cell. Others stand alone, so that no font moves what follows."""
        return self.cells == len(self.text)


Line = tuple[Stretch, ...]


class Screen:
    """A terminal of `columns` by `rows` cells that is written to from its top on; it must not run over.

    With `is_whole` a program draws on all of it.
    """

    def __init__(self, columns: int, rows: int, *, is_whole: bool = False) -> None:
        self.columns, self.rows, self._is_whole = columns, rows, is_whole
        self._screen = pyte.Screen(columns, rows)
        self._screen.set_mode(pyte.modes.LNM)
        self._stream = pyte.Stream(self._screen)
        self._drawn_as_emoji: set[str] = set()

    def write(self, text: str) -> None:
        """Take what a program printed. Raises `ValueError` when it does not fit on the screen."""
        # At a variation selector pyte drops what follows it, so these are put back when lines are read.
        self._drawn_as_emoji.update(re.findall(f"(.){_EMOJI}", text))
        self._stream.feed(_UNKNOWN.sub("", text).replace(_EMOJI, ""))
        if not self._is_whole and self._screen.cursor.y == self.rows - 1:
            raise ValueError(f"more than {self.rows} rows were printed: take a larger screen")

    def lines(self) -> list[Line]:
        """What is to be seen, without empty lines at the end and blanks at the ends of lines."""
        lines = [self._stretches(self._screen.buffer[row]) for row in range(self.rows)]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def _stretches(self, row: Mapping[int, pyte.screens.Char]) -> Line:
        cells = [row[column] for column in range(self.columns)]
        while cells and cells[-1].data == " " and cells[-1].bg == "default":
            cells.pop()
        found: list[Stretch] = []
        for column, cell in enumerate(cells):
            if not cell.data:
                continue  # the second half of a wide character
            text = cell.data + (_EMOJI if cell.data in self._drawn_as_emoji else "")
            width = 2 if column + 1 < len(cells) and not cells[column + 1].data else 1
            style = Style(cell.fg, cell.bg, cell.bold, cell.italics, cell.underscore)
            stretch = Stretch(text, width, style)
            if found and found[-1].style == style and found[-1].is_even and stretch.is_even:
                found[-1] = Stretch(found[-1].text + text, found[-1].cells + width, style)
            else:
                found.append(stretch)
        return tuple(found)


def run(
    command: str,
    *,
    directory: Path,
    environment: Mapping[str, str],
    size: tuple[int, int],
    typed: Sequence[tuple[str, str]] = (),
    expect: int = 0,
) -> str:
    """Run a line of shell at a terminal of `size` (columns, rows); returns all that it printed.

    `typed`: what to wait for, and the line that is typed then; after the last one the input ends. Raises
    `AssertionError` when the command ends otherwise than with `expect`, or says nothing for a minute.
    """
    columns, rows = size
    child = pexpect.spawn(
        "bash",
        ["-c", command],
        cwd=str(directory),
        env=dict(environment),
        dimensions=(rows, columns),
        encoding="utf-8",
        timeout=PATIENCE_S,
    )
    printed: list[str] = []
    try:
        for awaited, line in typed:
            child.expect_exact(awaited)
            printed += [str(child.before), awaited]
            child.sendline(line)
        if typed:
            child.expect_exact(typed[-1][0])
            printed += [str(child.before), typed[-1][0]]
            child.sendeof()
        child.expect(pexpect.EOF)
        printed.append(str(child.before))
    except pexpect.ExceptionPexpect as exc:
        raise AssertionError(f"`{command}`: {exc}") from exc
    finally:
        child.close()
    text = "".join(printed)
    assert child.exitstatus == expect, f"`{command}` ended with {child.exitstatus}, not {expect}:\n{text}"
    return text
