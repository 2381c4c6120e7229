"""Records as tests compare them, and what to say when they are not what was wanted. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

_MOST_LINES = 40
_MOST_SHOWN = 120  # characters of a record in a difference


class Record(NamedTuple):
    """One record. `timestamp` in ms since 1970."""

    value: bytes
    key: bytes | None
    offset: int
    partition: int
    timestamp: int

    @property
    def text(self) -> str:
        """The value as UTF-8."""
        return self.value.decode()

    def json(self) -> Any:
        """The value as JSON."""
        import json

        return json.loads(self.value)


class Records(Sequence[Record]):
    """Records in the order of each partition.

    Equal to a list (or tuple) of wanted records, each of which is a value, as bytes or text, or a pair of key
    and value; the key None means a record without one.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = tuple(records)

    def __getitem__(self, place: Any) -> Any:
        found = self._records[place]
        return Records(found) if isinstance(place, slice) else found

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"Records({[_shown(record) for record in self._records]})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Records):
            return self._records == other._records
        if not isinstance(other, list | tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(is_wanted, self._records, other))

    __hash__ = None  # type: ignore[assignment]

    @property
    def values(self) -> list[bytes]:
        """The values alone."""
        return [record.value for record in self._records]

    @property
    def texts(self) -> list[str]:
        """The values as UTF-8."""
        return [record.text for record in self._records]


def is_wanted(record: Record, wanted: object) -> bool:
    """Whether a record is what a test wrote down."""
    if isinstance(wanted, tuple):
        if len(wanted) != 2:
            return False
        key, value = wanted
        return record.key == (None if key is None else _as_bytes(key)) and record.value == _as_bytes(value)
    return record.value == _as_bytes(wanted)


def differences(found: Records, wanted: Sequence[object]) -> list[str]:
    """Lines that say what is missing, what is too much and what is elsewhere; none when they are equal."""
    from difflib import SequenceMatcher

    if found == list(wanted):
        return []
    left, right = [_key_of(record, wanted) for record in found], [_normal(each) for each in wanted]
    lines = [f"{_count(len(found))} found, {len(wanted)} wanted"]
    for what, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if what == "equal":
            lines.append(f"  {_count(b - a)} as wanted")
            continue
        lines += [
            f"- {_shown(found[place])}  (partition {found[place].partition}, offset {found[place].offset})"
            for place in range(a, b)
        ]
        lines += [
            f"+ {_shown_wanted(wanted[place])}  (wanted as number {place + 1})" for place in range(c, d)
        ]
    if sorted(map(repr, left)) == sorted(map(repr, right)):
        lines.insert(1, "the same records in another order")
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"... {len(lines) - _MOST_LINES} more lines"]
    return lines


def _key_of(record: Record, wanted: Sequence[object]) -> object:
    return (record.key, record.value) if any(isinstance(each, tuple) for each in wanted) else record.value


def _normal(wanted: object) -> object:
    if isinstance(wanted, tuple) and len(wanted) == 2:
        key, value = wanted
        return (None if key is None else _as_bytes(key), _as_bytes(value))
    return _as_bytes(wanted)


def _as_bytes(value: object) -> object:
    return value.encode() if isinstance(value, str) else value


def _shown(record: Record) -> str:
    value = _text(record.value)
    return value if record.key is None else f"[{_text(record.key)}] {value}"


def _shown_wanted(wanted: object) -> str:
    if isinstance(wanted, tuple) and len(wanted) == 2:
        key, value = wanted
        return _text(value) if key is None else f"[{_text(key)}] {_text(value)}"
    return _text(wanted)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            value = repr(value)
    text = value if isinstance(value, str) else repr(value)
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."


def _count(number: int) -> str:
    return "1 record" if number == 1 else f"{number} records"
