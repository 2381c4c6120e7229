"""Records as rows of one table: its columns, and the rows that are kept. Pure.

`consume -O full-table` shows them: `full_table_view` as a screen, else as a block of text. `-O table` uses
the columns. A stored table format gives the columns and says which of them are primary keys: a record with
known values there replaces its row. Without one every key of every record is a column. Format:
docs/table-formats.md.

Whoever wrote the records and the format may be anybody. So what is kept has bounds, and texts are made
harmless here, once: a terminal would obey control characters.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from fluvio_cli.output.queries import NOT_JSON, parse_json
from fluvio_cli.output.table import CUT, Alignment, bordered, text_width
from fluvio_protocol.api.table_format import Color, TableFormatColumnConfig, TableFormatSpec

MOST_ROWS = 10_000
MOST_CHARACTERS = 8 * 1024 * 1024  # in the cells of all rows together
MOST_COLUMNS = 64
MOST_CELL = 256  # characters
_MOST_PATH = 1024  # characters
_MOST_KEY = 256  # characters; of a longer one a digest is kept
_MISSING = object()

Key = str | int  # what identifies a row: the text of its primary keys, or else its number


@dataclass(slots=True, frozen=True)
class Column:
    """One column; `label` is safe to print."""

    path: tuple[str, ...]  # the key; then, if it has dots, the keys that lead down to it
    label: str
    width: int | None = None  # terminal columns; None: as its cells need
    alignment: Alignment = "left"
    text_colour: Color | None = None
    background: Color | None = None

    def text_in(self, record: Mapping[str, Any]) -> str:
        """The cell of a record; empty when it has none."""
        found = _value_at(record, self.path)
        return "" if found is _MISSING else cell_text(found)


@dataclass(slots=True, frozen=True)
class Layout:
    """What a table format says. Without columns they are those of the records."""

    columns: tuple[Column, ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()  # paths of the primary keys, which may be hidden
    has_more: bool = False  # the format has more columns than are shown


def layout_of(spec: TableFormatSpec) -> Layout:
    """The layout that a stored format defines; what makes no sense in it counts as not given."""
    given = spec.columns or []
    shown = [column for column in given if column.display is not False]
    keys = [_path(column.key_path) for column in given if column.primary_key]
    return Layout(
        tuple(_column(column) for column in shown[:MOST_COLUMNS]),
        tuple(keys[:MOST_COLUMNS]),
        has_more=len(shown) > MOST_COLUMNS,
    )


def _column(config: TableFormatColumnConfig) -> Column:
    label = config.key_path if config.header_label is None else config.header_label
    return Column(
        _path(config.key_path),
        harmless(label),
        _width(config.width),
        ALIGNMENTS.get(config.alignment.name, "left") if config.alignment is not None else "left",
        config.header_text_color,
        config.header_bg_color,
    )


ALIGNMENTS: dict[str, Alignment] = {"LEFT": "left", "RIGHT": "right", "CENTER": "center"}


def _path(text: str) -> tuple[str, ...]:
    text = text[:_MOST_PATH]
    return (text, *text.split(".")) if "." in text else (text,)


def _width(text: str | None) -> int | None:
    # Text on the wire, so that it may be anything.
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) == 0:
        return None
    return min(int(text), MOST_CELL)


def _value_at(record: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    whole, *steps = path
    if whole in record or not steps:
        return record.get(whole, _MISSING)
    found: Any = record
    for step in steps:
        if not isinstance(found, dict) or step not in found:
            return _MISSING
        found = found[step]
    return found


def cell_text(data: Any) -> str:
    """JSON data on one line that is safe to print: text as it is, all else as JSON."""
    if isinstance(data, str):
        return harmless(data)
    try:
        return harmless(json.dumps(data, sort_keys=True, ensure_ascii=False))
    except RecursionError:  # it could just be read
        return CUT


def harmless(text: str) -> str:
    r"""At most `MOST_CELL` characters of `text`; those that command a terminal as `\n` or `\u001b`."""
    if len(text) > MOST_CELL:
        text = text[: MOST_CELL - 1] + CUT
    return text if text.isprintable() else "".join(map(_printable, text))


@lru_cache(maxsize=1024)
def _printable(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace() and character not in "\n\r\t\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029":
        return " "
    return json.dumps(character)[1:-1]


def objects_in(value: bytes) -> tuple[list[dict[str, Any]], bool]:
    """The JSON objects of a record, one or a list of them, and whether it holds nothing else."""
    data = parse_json(value)
    if isinstance(data, dict):
        return [data], True
    if data is NOT_JSON or not isinstance(data, list):
        return [], False
    found = [item for item in data if isinstance(item, dict)]
    return found, bool(found) and len(found) == len(data)


@dataclass(slots=True)
class TableRows:
    """The newest rows of a table, at most so many, with at most so many characters.

    A row that is replaced keeps its place, and is as new as what replaced it.
    """

    layout: Layout = field(default_factory=Layout)
    most_rows: int = MOST_ROWS
    most_characters: int = MOST_CHARACTERS
    tells_unknown: bool = True  # whether `remarks` speak of records that make no row
    columns: list[Column] = field(init=False)
    widths: list[int] = field(init=False)  # terminal columns that each column needs
    dropped: int = 0  # rows that were given up for newer ones
    unknown: int = 0  # records that are no JSON object, nor a list of them
    has_more_columns: bool = field(init=False)
    _rows: dict[Key, tuple[str, ...]] = field(
        default_factory=dict
    )  # in the order shown; short of new columns
    _ages: "OrderedDict[Key, None]" = field(default_factory=OrderedDict)  # the same keys, the oldest first
    _characters: int = 0
    _places: set[str] = field(default_factory=set)  # the keys that are columns, when records make them
    _next_number: int = 0

    def __post_init__(self) -> None:
        self.columns = list(self.layout.columns)
        self.widths = [_own_width(column) for column in self.columns]
        self.has_more_columns = self.layout.has_more

    def __len__(self) -> int:
        return len(self._rows)

    def order(self) -> list[Key]:
        """What identifies the rows, in their order."""
        return list(self._rows)

    def cells(self, key: Key) -> Sequence[str]:
        """The cells of a row; it may be shorter than the columns."""
        return self._rows[key]

    def add(self, value: bytes) -> None:
        """Take in one record."""
        objects, is_all = objects_in(value)
        if not is_all:
            self.unknown += 1
        for record in objects:
            self._add(record)

    def clear(self) -> None:
        """Forget the rows, and what was counted."""
        self._rows.clear()
        self._ages.clear()
        self._characters = self.dropped = self.unknown = 0
        self.widths = [_own_width(column) for column in self.columns]

    def remarks(self) -> list[str]:
        """What a reader should know of what is not shown."""
        found = []
        if self.unknown and self.tells_unknown:
            found.append(f"records that are no JSON objects: {self.unknown}")
        if self.dropped:
            found.append(f"older rows that are no longer shown: {self.dropped}")
        if self.has_more_columns:
            found.append(f"only the first {MOST_COLUMNS} columns are shown")
        return found

    def as_text(self) -> Iterator[str]:
        """The table as lines of text, as `-O table` prints one record; nothing when there are no rows."""
        if self._rows and self.columns:
            labels = [column.label for column in self.columns]
            sides = [column.alignment for column in self.columns]
            yield from bordered(labels, self._rows.values(), self.widths, sides)

    def _add(self, record: dict[str, Any]) -> None:
        if not self.layout.columns:
            self._learn_columns(record)
        key = self._key(record)
        cells = tuple([column.text_in(record) for column in self.columns])
        self._characters += sum(map(len, cells)) - sum(map(len, self._rows.get(key, ())))
        self._rows[key] = cells
        self._ages[key] = None
        self._ages.move_to_end(key)
        for place, cell in enumerate(cells):
            if len(cell) > self.widths[place] or not cell.isascii():
                self._widen(place, cell)
        while len(self._rows) > self.most_rows or self._characters > self.most_characters:
            oldest, _ = self._ages.popitem(last=False)
            self._characters -= sum(map(len, self._rows.pop(oldest)))
            self.dropped += 1

    def _widen(self, place: int, cell: str) -> None:
        if self.columns[place].width is None:
            self.widths[place] = max(self.widths[place], text_width(cell))

    def _learn_columns(self, record: dict[str, Any]) -> None:
        if record.keys() <= self._places:
            return
        for name in sorted(record.keys() - self._places):
            if len(self.columns) == MOST_COLUMNS:
                self.has_more_columns = True
                return
            self._places.add(name)
            column = Column((name,), harmless(name))
            self.columns.append(column)
            self.widths.append(_own_width(column))

    def _key(self, record: dict[str, Any]) -> Key:
        """That of the row which the record replaces; a new one unless it has all primary keys."""
        values = [_value_at(record, path) for path in self.layout.keys]
        if values and _MISSING not in values:
            try:
                text = json.dumps(values, sort_keys=True)
            except RecursionError:
                text = ""
            if text:
                return text if len(text) <= _MOST_KEY else hashlib.blake2b(text.encode()).hexdigest()
        self._next_number += 1
        return self._next_number


def _own_width(column: Column) -> int:
    return column.width if column.width is not None else text_width(column.label)
