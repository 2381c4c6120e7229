"""The form of a file that people read: one JSON object a line and record. Pure.

    {"topic":"t","partition":0,"offset":7,"timestamp":"2026-01-31T08:00:00.000Z","key":null,"value":{"a":1}}

Members, their order and their meaning are those of `consume -O ndjson` (docs/cli-json-output.md), so what
that prints can be imported. Two things are stricter, so that every byte comes back: a JSON value that has
line breaks, or space around it, is written as a text, and a time that RFC 3339 cannot say as a number of ms.

Both directions work on many lines at a time: a loop in Python over records, with a test for each field,
takes several times as long.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, NoReturn

from fluvio_cli.output.ndjson import json_text, json_value
from fluvio_cli.output.queries import NOT_JSON, parse_json
from fluvio_cli.transfer.pieces import Columns, Piece
from fluvio_protocol.batch import NO_TIMESTAMP

_Refuse = Callable[[str], NoReturn]
_ESCAPED = re.compile(rb'[\x00-\x1f"\\]')
# Values that begin otherwise are texts, whatever follows; so are JSON texts.
_NESTED = frozenset((b"{", b"["))
_JSON_STARTS = _NESTED | frozenset(bytes((byte,)) for byte in b"-0123456789tfn")
_is_scalar = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null").fullmatch
_CACHED = 65_536
_EPOCH, _MS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)

_LINE = re.compile(
    rb'^\{"topic":"([^"\\\n]*)","partition":(\d{1,10}),"offset":(\d{1,19}),'
    rb'"timestamp":(?:null|"([^"\\\n]*)"|(-?\d{1,19})),"key":(null|"(?:[^"\\\n]|\\[^\n])*"|\{"base64":"[^"\\\n]*"\}),'
    rb'"value":(?:"([^"\\\n]*)"|([^\n]+))\}\r?\n',
    re.MULTILINE,
)

_PLACE = re.compile(rb'^\{"topic":"[^"\\\n]*","partition":(\d{1,10}),', re.MULTILINE)


class BadLineError(ValueError):
    """A line that is no record; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


class LineWriter:
    """Makes lines of the records of one topic."""

    def __init__(self, topic: str) -> None:
        self._lead = b'{"topic":%b,"partition":' % json.dumps(topic, ensure_ascii=False).encode()
        self._times: dict[int, bytes] = {}
        self._keys: dict[bytes | None, bytes] = {None: b"null"}

    def lines(self, piece: Piece) -> bytes:
        """The lines of its records. Raises `DecodeError` for a batch that is damaged inside."""
        timestamps, keys, values = piece.columns()
        shown = _plain_values(values)
        if shown is None:
            shown = [_value(value) for value in values]
        times = self._times_of(timestamps)
        lead = b'%b%d,"offset":' % (self._lead, piece.partition)
        if keys.count(None) == len(keys):
            return b"".join(
                [
                    b'%b%d,"timestamp":%b,"key":null,"value":%b}\n' % (lead, offset, moment, value)
                    for offset, moment, value in zip(piece.offsets, times, shown, strict=True)
                ]
            )
        return b"".join(
            [
                b'%b%d,"timestamp":%b,"key":%b,"value":%b}\n' % (lead, offset, moment, key, value)
                for offset, moment, key, value in zip(
                    piece.offsets, times, self._keys_of(keys), shown, strict=True
                )
            ]
        )

    def _times_of(self, timestamps: list[int]) -> list[bytes]:
        first = timestamps[0]
        if timestamps.count(first) == len(timestamps):
            return [_moment(first)] * len(timestamps)
        known = self._times
        if len(known) > _CACHED:
            known.clear()
        for timestamp in set(timestamps):
            if timestamp not in known:
                known[timestamp] = _moment(timestamp)
        return [known[timestamp] for timestamp in timestamps]

    def _keys_of(self, keys: list[bytes | None]) -> list[bytes]:
        known = self._keys
        if len(known) > _CACHED:
            known.clear()
            known[None] = b"null"
        found = []
        for key in keys:
            text = known.get(key)
            if text is None:
                assert key is not None
                text = known[key] = json_text(key)
            found.append(text)
        return found


def _plain_values(values: list[bytes]) -> list[bytes] | None:
    """The values as JSON texts, if none of them needs a closer look; else None."""
    together = b",".join(values)
    if _ESCAPED.search(together) is not None:
        return None
    try:
        together.decode()
    except UnicodeDecodeError:
        return None
    starts = _JSON_STARTS
    return [b'"%b"' % value if value[:1] not in starts else _value(value, is_plain=True) for value in values]


def _value(value: bytes, *, is_plain: bool = False) -> bytes:
    """A value as JSON; `is_plain`: it would stand in a JSON text as it is."""
    if value[:1] in _NESTED:
        is_tight = value[-1:] in (b"}", b"]") and b"\n" not in value and b"\r" not in value
        return json_value(value) if is_tight else json_text(value)
    if _is_scalar(value):
        return value
    return b'"%b"' % value if is_plain else json_text(value)


def _moment(timestamp_ms: int) -> bytes:
    from fluvio_cli.output.records import NO_TIME, format_timestamp

    if timestamp_ms == NO_TIMESTAMP:
        return b"null"
    text = format_timestamp(timestamp_ms)
    return b"%d" % timestamp_ms if text == NO_TIME else b'"%b"' % text.encode()


class LineReader:
    """Makes records of lines. `number` is that of the last line read."""

    def __init__(self) -> None:
        self.number = 0
        self.topic: str | None = None  # that of the last line that names one
        self._times: dict[bytes, int] = {b"": NO_TIMESTAMP}
        self._keys: dict[bytes, bytes | None] = {b"null": None}

    def pieces(self, text: bytes) -> list[Piece]:
        """The records of whole lines; of one piece all have one partition. Raises `BadLineError`.

        `text` ends with a line break. Empty lines are left out.
        """
        rows = _LINE.findall(text)
        count = text.count(b"\n")
        if len(rows) != count:
            found = self._one_by_one(text)
        else:
            found = []
            for partition, group in groupby(rows, key=itemgetter(1)):
                found.append(self._piece(int(partition), list(group)))
            self.topic = rows[-1][0].decode(errors="replace") if rows else self.topic
            self.number += count
        return found

    def _piece(self, partition: int, rows: list[tuple[bytes, ...]]) -> Piece:
        offsets = [int(row[2]) for row in rows]
        plain = [row[6] for row in rows]
        self._check_utf8(plain)
        values = [row[6] if not row[7] else self._value(row[7], index) for index, row in enumerate(rows)]
        keys, times = self._keys, self._times
        if len(keys) > _CACHED:
            keys.clear()
        if len(times) > _CACHED:
            times.clear()
            times[b""] = NO_TIMESTAMP
        timestamps = [
            int(row[4]) if row[4] else times[row[3]] if row[3] in times else self._time(row[3], index)
            for index, row in enumerate(rows)
        ]
        named = [
            keys[row[5]] if row[5] in keys else self._key(row[5], index) for index, row in enumerate(rows)
        ]
        return Piece(partition, _compact(offsets), Columns(timestamps, named, values))

    def _check_utf8(self, texts: list[bytes]) -> None:
        try:
            b",".join(texts).decode()
        except UnicodeDecodeError:
            index = next(index for index, text in enumerate(texts) if not _is_utf8(text))
            self._refuse(index, "its value has bytes that are no UTF-8")

    def _value(self, raw: bytes, index: int) -> bytes:
        found = parse_json(raw)
        if found is NOT_JSON:
            self._refuse(index, "its value is no JSON")
        return _bytes_of(found, raw, lambda reason: self._refuse(index, reason))

    def _key(self, raw: bytes, index: int) -> bytes | None:
        found = parse_json(raw)
        if not (found is None or isinstance(found, str | dict)):
            self._refuse(index, "its key is neither a text, null nor base64")
        key = None if found is None else _bytes_of(found, None, lambda reason: self._refuse(index, reason))
        self._keys[raw] = key
        return key

    def _time(self, text: bytes, index: int) -> int:
        try:
            moment = _parse_time(text.decode())
        except ValueError as exc:
            self._refuse(index, f"its time cannot be read: {exc}")
        self._times[text] = moment
        return moment

    def _refuse(self, index: int, reason: str) -> NoReturn:
        raise BadLineError(self.number + index + 1, reason)

    # --- lines that somebody else wrote: members in any order, some left out

    def _one_by_one(self, text: bytes) -> list[Piece]:
        found: list[tuple[int, int, int, bytes | None, bytes]] = []
        for line in text.split(b"\n")[:-1]:
            self.number += 1
            if line.strip():
                found.append(self._record(line.strip()))
        pieces = []
        for partition, group in groupby(found, key=itemgetter(0)):
            rows = list(group)
            columns = Columns([row[2] for row in rows], [row[3] for row in rows], [row[4] for row in rows])
            pieces.append(Piece(partition, _compact([row[1] for row in rows]), columns))
        return pieces

    def _record(self, line: bytes) -> tuple[int, int, int, bytes | None, bytes]:
        def refuse(reason: str) -> NoReturn:
            raise BadLineError(self.number, reason)

        try:
            members = _members(line.decode())
        except (ValueError, RecursionError):
            refuse("it is no JSON object")
        if "value" not in members:
            refuse("it has no member `value`")
        numbers = []
        for name in ("partition", "offset"):
            number = members.get(name, (0, ""))[0]
            if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**63:
                refuse(f"its `{name}` is no number of 0 or more")
            numbers.append(number)
        key = members.get("key", (None, ""))[0]
        if not (key is None or isinstance(key, str | dict)):
            refuse("its key is neither a text, null nor base64")
        value, raw = members["value"]
        topic = members.get("topic", (None, ""))[0]
        if isinstance(topic, str):
            self.topic = topic
        return (
            numbers[0],
            numbers[1],
            _time_of(members.get("timestamp", (None, ""))[0], refuse),
            None if key is None else _bytes_of(key, None, refuse),
            _bytes_of(value, raw.encode(), refuse),
        )


def highest_in_lines(text: bytes) -> int:
    """The highest number of a partition in whole lines; 0 without lines. Raises `BadLineError`."""
    found = _PLACE.findall(text)
    if len(found) != text.count(b"\n"):
        return max((piece.partition for piece in LineReader().pieces(text)), default=0)
    return max(map(int, set(found)), default=0)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _compact(offsets: list[int]) -> "list[int] | range":
    first, last = offsets[0], offsets[-1]
    follows = range(first, first + len(offsets))
    return follows if last == follows[-1] and offsets == list(follows) else offsets


def _bytes_of(found: Any, raw: bytes | None, refuse: _Refuse) -> bytes:
    """The bytes that a member stands for; `raw`: how it is written, None: it cannot stand for itself."""
    if isinstance(found, str):
        try:
            return found.encode()
        except UnicodeEncodeError:
            refuse("it has half a character: a single surrogate")
    if isinstance(found, dict) and list(found) == ["base64"] and isinstance(found["base64"], str):
        try:
            return b64decode(found["base64"], validate=True)
        except ValueError:
            refuse("its base64 cannot be read")
    if raw is None:
        refuse("its key is neither a text, null nor base64")
    return raw


def _time_of(found: Any, refuse: _Refuse) -> int:
    if found is None:
        return NO_TIMESTAMP
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    if not isinstance(found, str):
        refuse("its `timestamp` is neither RFC 3339, ms since 1970 nor null")
    try:
        return _parse_time(found)
    except ValueError as exc:
        refuse(f"its time cannot be read: {exc}")


def _parse_time(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MS


_scan = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\r\n]*")


def _members(text: str) -> dict[str, tuple[Any, str]]:
    """The members of a JSON object, each with how it is written. Raises `ValueError`."""

    def skip(position: int) -> int:
        found = _SPACE.match(text, position)
        return position if found is None else found.end()

    def expect(position: int, mark: str) -> int:
        if text[position : position + 1] != mark:
            raise ValueError(mark)
        return skip(position + 1)

    members: dict[str, tuple[Any, str]] = {}
    position = expect(0, "{")
    while True:
        name, position = _scan(text, position)
        position = expect(skip(position), ":")
        value, stop = _scan(text, position)
        if not isinstance(name, str):
            raise ValueError(name)
        members[name] = value, text[position:stop]
        position = skip(stop)
        if text[position : position + 1] == "}":
            break
        position = expect(position, ",")
    if position + 1 != len(text):
        raise ValueError(text[position:])
    return members
