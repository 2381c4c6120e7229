"""The full table as a screen: which rows and columns are in view, its lines, and what keys do. Pure.

A frame is as many lines as the terminal has: a border with the title, the header, rows, a border with
remarks. The view follows the newest row until somebody moves it, and again once it is at the end.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fluvio_cli.output.full_table import Column, Key, TableRows
from fluvio_cli.output.table import fit, text_width
from fluvio_protocol.api.table_format import Color

_GAP = 2  # terminal columns between two columns
_LEAST_WIDTH = 8  # a column is not made narrower so that all fit
_USUAL_WIDTH = 24  # of a column at most, when they do not fit anyway
_LEAST_SCREEN = 4  # columns; a narrower terminal shows nothing
_FRAME_ROWS = 3  # borders and header
_FOREGROUNDS = {Color.BLUE: 34, Color.YELLOW: 33, Color.GREEN: 32}
_RESET = "\x1b[0m"


class Press(enum.Enum):
    """What a key asks for."""

    LEAVE = enum.auto()
    CLEAR = enum.auto()
    REDRAW = enum.auto()
    UP = enum.auto()
    DOWN = enum.auto()
    PAGE_UP = enum.auto()
    PAGE_DOWN = enum.auto()
    FIRST = enum.auto()
    LAST = enum.auto()
    LEFT = enum.auto()
    RIGHT = enum.auto()


_LETTERS = {ord("q"): Press.LEAVE, ord("c"): Press.CLEAR, 12: Press.REDRAW}  # 12: Ctrl-L
# What terminals send behind `ESC [` or `ESC O`.
_SEQUENCES = {
    b"A": Press.UP,
    b"B": Press.DOWN,
    b"C": Press.RIGHT,
    b"D": Press.LEFT,
    b"H": Press.FIRST,
    b"F": Press.LAST,
    b"1~": Press.FIRST,
    b"7~": Press.FIRST,
    b"4~": Press.LAST,
    b"8~": Press.LAST,
    b"5~": Press.PAGE_UP,
    b"6~": Press.PAGE_DOWN,
}
_ESCAPE = 27
_MOST_SEQUENCE = 32  # bytes


@dataclass(slots=True)
class KeyReader:
    """What a terminal sends, as presses. Sequences may come in pieces."""

    _pending: bytes = b""

    @property
    def is_waiting(self) -> bool:
        """Whether a sequence has begun. If nothing follows soon it was the key Esc: call `flush`."""
        return bool(self._pending)

    def flush(self) -> list[Press]:
        """Nothing follows any more."""
        is_escape, self._pending = self._pending == b"\x1b", b""
        return [Press.LEAVE] if is_escape else []

    def feed(self, data: bytes) -> list[Press]:
        """What the bytes mean; other keys mean nothing."""
        data = self._pending + data
        self._pending = b""
        found: list[Press] = []
        place = 0
        while place < len(data):
            if data[place] != _ESCAPE:
                if (press := _LETTERS.get(data[place])) is not None:
                    found.append(press)
                place += 1
                continue
            end = _sequence_end(data, place)
            if end is None:
                if len(data) - place < _MOST_SEQUENCE:
                    self._pending = data[place:]
                return found
            if end == place + 1:
                found.append(Press.LEAVE)
            elif (press := _SEQUENCES.get(data[place + 2 : end])) is not None:
                found.append(press)
            place = end
        return found


def _sequence_end(data: bytes, start: int) -> int | None:
    """Behind the sequence that begins with the Esc at `start`; None: it is not complete."""
    introducer = data[start + 1 : start + 2]
    if not introducer:
        return None
    if introducer not in (b"[", b"O"):
        return start + 1  # the key Esc, and then another
    for place in range(start + 2, len(data)):
        if 0x40 <= data[place] <= 0x7E:
            return place + 1
        if not 0x20 <= data[place] < 0x40:
            return place
    return None


@dataclass(slots=True)
class TableView:
    """A window over the rows. `has_keys`: there is a keyboard, of which the title tells."""

    rows: TableRows
    colours: bool = True
    has_boxes: bool = True  # the terminal has letters for borders
    has_keys: bool = True
    remark: str = ""  # said last, such as that a connection was lost
    _top: Key | None = None  # the first row in view; None: the view follows the newest one
    _left: int = 0  # the first column in view
    _page: int = 1  # rows in view

    def press(self, press: Press) -> None:
        """Do what a key asks for, if it is about the view."""
        match press:
            case Press.UP:
                self._move(-1)
            case Press.DOWN:
                self._move(1)
            case Press.PAGE_UP:
                self._move(1 - self._page if self._page > 1 else -1)
            case Press.PAGE_DOWN:
                self._move(self._page - 1 if self._page > 1 else 1)
            case Press.FIRST:
                self._move(-len(self.rows))
            case Press.LAST:
                self._top = None
            case Press.LEFT:
                self._left = max(self._left - 1, 0)
            case Press.RIGHT:
                self._left += 1  # `frame` knows how far one can go
            case Press.CLEAR:
                self.rows.clear()
                self._top, self.remark = None, ""

    def _move(self, count: int) -> None:
        keys = self.rows.order()
        last = max(len(keys) - self._page, 0)
        start = max(self._start(keys) + count, 0)
        self._top = None if start >= last else keys[start]

    def _start(self, keys: Sequence[Key]) -> int:
        last = max(len(keys) - self._page, 0)
        if self._top is None:
            return last
        try:
            return min(keys.index(self._top), last)
        except ValueError:  # it was given up for newer ones
            return 0

    def frame(self, width: int, height: int) -> list[str]:
        """The lines of the screen, as many as the terminal has and as wide, colours included."""
        self._page = max(height - _FRAME_ROWS, 1)
        if width < _LEAST_SCREEN:
            return [""] * height
        keys = self.rows.order()
        start = self._start(keys)
        view = self._in_view(width - 2)
        lines = [self._border(self._title(len(keys)), width, is_top=True), self._header(view, width)]
        stop = start + height - _FRAME_ROWS
        lines += [self._row(self.rows.cells(key), view, width) for key in keys[start : max(stop, start)]]
        lines += [self._row((), view, width)] * (height - 1 - len(lines))
        lines.append(self._border(self._notice(view), width, is_top=False))
        return lines[:height]

    def _in_view(self, space: int) -> "list[_Shown]":
        """The columns that have room, with their widths there. Moves the view if it is too far right."""
        columns, needed = self.rows.columns, [min(width, space) for width in self.rows.widths]
        widths = _squeezed(needed, [column.width is not None for column in columns], space)
        if widths is not None:
            self._left = 0
            return [_Shown(*each) for each in zip(range(len(columns)), columns, widths, strict=True)]
        widths = [
            min(width, _USUAL_WIDTH) if column.width is None else width
            for column, width in zip(columns, needed, strict=True)
        ]
        self._left = min(self._left, len(columns) - _count_fitting(widths[::-1], space))
        stop = self._left + _count_fitting(widths[self._left :], space)
        return [_Shown(place, columns[place], widths[place]) for place in range(self._left, stop)]

    def _title(self, count: int) -> str:
        keys = "('c' to clear table | 'q' or ESC to exit) | " if self.has_keys else ""
        return f"{keys}Items: {count}"

    def _notice(self, view: "list[_Shown]") -> str:
        said = []
        if len(view) < len(self.rows.columns):
            said.append(f"columns {view[0].place + 1} to {view[-1].place + 1} of {len(self.rows.columns)}")
        if self.remark:
            said.append(self.remark)
        return " | ".join([*said, *self.rows.remarks()])

    def _border(self, text: str, width: int, *, is_top: bool) -> str:
        first, line, last = ("┌─┐" if is_top else "└─┘") if self.has_boxes else "+-+"
        if text_width(text) > width - 2:
            text = fit(text, width - 2)
        return f"{first}{text}{line * (width - 2 - text_width(text))}{_at_end(text, width)}{last}"

    def _header(self, view: "list[_Shown]", width: int) -> str:
        styles = [_header_style(shown.column) for shown in view]
        return self._row([column.label for column in self.rows.columns], view, width, styles)

    def _row(self, cells: Sequence[str], view: "list[_Shown]", width: int, styles: Sequence[str] = ()) -> str:
        edge = "│" if self.has_boxes else "|"
        texts = [
            fit(cells[shown.place] if shown.place < len(cells) else "", shown.width, shown.column.alignment)
            for shown in view
        ]
        spare = width - 2 - _total([shown.width for shown in view])
        gaps = [*[" " * _GAP] * (len(view) - 1), " " * spare] if view else [" " * (width - 2)]
        texts = [text + gap for text, gap in zip(texts or [""], gaps, strict=True)]
        end = _at_end("".join(texts), width)
        if self.colours and styles:
            texts = [f"{style}{text}{_RESET}" for style, text in zip(styles, texts, strict=True)]
        return f"{edge}{''.join(texts)}{end}{edge}"


class _Shown(NamedTuple):
    """A column in view: the how-manyeth, and its width there."""

    place: int
    column: Column
    width: int


def _squeezed(needed: Sequence[int], is_fixed: Sequence[bool], space: int) -> list[int] | None:
    """The widths with which all columns have room, the widest made narrower first; None: they have not."""

    def with_most(most: int) -> list[int]:
        pairs = zip(needed, is_fixed, strict=True)
        return [width if fixed else min(width, most) for width, fixed in pairs]

    least, most = _LEAST_WIDTH, max(needed, default=0)
    if _total(needed) <= space:
        return list(needed)
    if _total(with_most(least)) > space:
        return None
    while most - least > 1:  # `least` fits, `most` does not
        middle = (least + most) // 2
        least, most = (middle, most) if _total(with_most(middle)) <= space else (least, middle)
    return with_most(least)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * max(len(widths) - 1, 0)


def _count_fitting(widths: Sequence[int], space: int) -> int:
    """How many of the columns, from the first on, have room; one at least."""
    used = -_GAP
    for count, width in enumerate(widths):
        used += width + _GAP
        if used > space:
            return max(count, 1)
    return len(widths)


def _header_style(column: Column) -> str:
    text = Color.YELLOW if column.text_colour is None else column.text_colour
    background = Color.BLUE if column.background is None else column.background
    return f"\x1b[1;{_FOREGROUNDS[text]};{_FOREGROUNDS[background] + 10}m"


def _at_end(text: str, width: int) -> str:
    """Goes to the last column: terminals do not agree on how wide letters beyond ASCII are."""
    return "" if text.isascii() else f"\x1b[{width}G"
