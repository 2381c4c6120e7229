"""Consumed records as text: the forms of `consume -O`, `-k`, `-F` and `--truncate`.

Each form turns a run of records of one partition into bytes at once, so that the common case, text
without keys, costs nothing a record: the values are joined, looked at together and written as they are.
What the official tool prints is kept to the byte, hex dumps and table blocks included.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from fluvio_cli.output.template import Template
from fluvio_cli.output.template_helpers import RawFields

if TYPE_CHECKING:
    from fluvio_cli.output.full_table import Layout

_LOOKS_BINARY_BYTES = 1024
_BINARY_STARTS = (b"%PDF", b"\x89PNG\x0d\x0a\x1a\x0a")
_TEXT_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")  # UTF-16 and UTF-32 byte order marks
NO_TIME = "NA"
_RULE = b"-" * 78 + b"\n\n"


class RecordOptions(NamedTuple):
    """How records are shown; `template`, `truncate_to` and a `form` exclude each other."""

    form: str = "dynamic"
    with_key: bool = False
    template: Template | None = None
    truncate_to: int | None = None  # characters
    suppress_unknown: bool = False
    layout: "Layout | None" = None  # columns of the form `table`; None: those of each record


class ShownRecord(Protocol):
    """What is shown of a record; `timestamp` in ms since 1970."""

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...

    @property
    def timestamp(self) -> int: ...

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes: ...


class RecordRenderer:
    """Turns runs of records into output.

    With `wants_values_only` the caller need not make records: `render_values` takes their values.
    """

    def __init__(self, options: RecordOptions) -> None:
        self._options = options
        self.wants_values_only = (
            options.template is None
            and options.truncate_to is None
            and not options.with_key
            and options.form != "ndjson"
        )
        self.leaves_out = options.suppress_unknown and options.form == "json"  # records that are no JSON
        self._has_table_begun = False
        self._is_text = self.wants_values_only and options.form in ("dynamic", "text", "raw")
        self._fillers: dict[str, _Filler | None] = {}  # topic -> what makes its lines

    def render_values(self, values: Sequence[bytes]) -> bytes:
        """The lines of records of which only the value is shown."""
        if self._is_text and values:
            joined = b"\n".join(values)
            if _is_plain_text(joined):
                return joined + b"\n"
        return b"".join([self._value(value) or b"" for value in values])

    def render(self, records: Sequence[ShownRecord], topic: str = "") -> bytes:
        """The lines of records of one topic."""
        options = self._options
        if options.form == "ndjson":
            from fluvio_cli.output.ndjson import ndjson_line

            return b"".join([ndjson_line(record, topic) for record in records])
        if options.template is not None and not options.with_key:
            if topic not in self._fillers:
                self._fillers[topic] = _filler(options.template, topic)
            filler = self._fillers[topic]
            if filler is not None:
                return b"".join(map(filler, records))
        return b"".join([self._record(record, topic) for record in records])

    def _record(self, record: ShownRecord, topic: str) -> bytes:
        options = self._options
        if options.template is not None:
            body: bytes | None = _fill(options.template, record, topic) + b"\n"
        else:
            body = self._value(record.value)
        if body is None:
            return b""
        if options.with_key and not (options.form == "table" and body.startswith(b"error")):
            return b"[%b] %b" % (b"null" if record.key is None else _as_text(record.key), body)
        if options.truncate_to is not None:
            return body.decode(errors="replace").rstrip("\n")[: options.truncate_to].encode() + b"\n"
        return body

    def _value(self, value: bytes) -> bytes | None:
        """The lines of one value; None when it is to be left out."""
        form, suppress = self._options.form, self._options.suppress_unknown
        if form == "binary" or (form == "dynamic" and looks_binary(value)):
            return hex_dump(value) + _RULE
        if form == "json":
            return _json_lines(value, suppress=suppress)
        if form == "table":
            lines = _table_lines(value, self._options.layout, with_top=not self._has_table_begun)
            self._has_table_begun = self._has_table_begun or not lines.startswith(b"error")
            return lines
        if form == "text" and not suppress and looks_binary(value):
            return b"binary: (%d bytes)\n" % len(value)
        return (value if form == "raw" else _as_text(value)) + b"\n"


def _is_plain_text(joined: bytes) -> bool:
    """Whether every value in a joined run is certainly text that can be written as it is."""
    if b"\0" in joined or _BINARY_STARTS[0] in joined or _BINARY_STARTS[1] in joined:
        return False
    if joined.isascii():
        return True
    try:
        joined.decode()
    except UnicodeDecodeError:
        return False
    return True


def _as_text(value: bytes) -> bytes:
    return value if value.isascii() else value.decode(errors="replace").encode()


def looks_binary(value: bytes) -> bool:
    """Whether a value is no text: a NUL near its start, a PDF or a PNG; byte order marks say text."""
    if value.startswith(_TEXT_MARKS):
        return False
    return b"\0" in value[:_LOOKS_BINARY_BYTES] or value.startswith(_BINARY_STARTS)


_HEX_TEXT = bytes(code if 32 <= code < 127 else 46 if code == 10 else 32 for code in range(256))


def hex_dump(value: bytes) -> bytes:
    """Rows of 16 bytes: offset, two groups of eight, and the text between bars."""
    rows = []
    for start in range(0, len(value), 16):
        row = value[start : start + 16]
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        text = row.translate(_HEX_TEXT).decode("ascii").ljust(16)
        rows.append(f"{start:08x}  {left:<23}  {right:<23}  |{text}|\n")
    return "".join(rows).encode()


def _json_lines(value: bytes, *, suppress: bool) -> bytes | None:
    import json

    try:
        data = json.loads(value)
    except (ValueError, RecursionError) as exc:
        if suppress:
            return None
        data = {"error": json_problem(value, exc)}
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def json_problem(value: bytes, error: Exception) -> str:
    """Why `value` is not JSON, in the words of the official tool's parser where it is alike."""
    import json

    if not isinstance(error, json.JSONDecodeError):
        return "expected value at line 1 column 1"
    text, place = error.doc, error.pos
    line, column = error.lineno, error.colno
    if place >= len(text):
        return f"EOF while parsing a value at line {line} column {max(column - 1, 0)}"
    if error.msg.startswith("Extra data"):
        return f"trailing characters at line {line} column {column}"
    if error.msg.startswith("Expecting value"):
        word = text[place : place + 5]
        for known in ("null", "true", "false"):
            if word[:1] == known[0]:
                matching = next(
                    (i for i, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), len(word)
                )
                return f"expected ident at line {line} column {column + matching}"
        return f"expected value at line {line} column {column}"
    return f"{error.msg[:1].lower()}{error.msg[1:]} at line {line} column {column}"


def _table_lines(value: bytes, layout: "Layout | None", *, with_top: bool) -> bytes:
    """One block; only the first of all has an edge above its header, as the official tool prints them."""
    import json

    from fluvio_cli.output.table import bordered, text_width

    try:
        data = json.loads(value)
    except (ValueError, RecursionError) as exc:
        return f"error parsing record as json: {json_problem(value, exc)}\n".encode()
    if not isinstance(data, dict):
        return b"error: Unable to parse json as object map\n"
    if layout is not None and layout.columns:
        columns = layout.columns
        names, cells = [column.label for column in columns], [column.text_in(data) for column in columns]
        fixed = [column.width for column in columns]
    else:
        columns, names = (), sorted(data)
        cells, fixed = [_cell(data[name]) for name in names], [None] * len(names)
    widths = [
        max(map(text_width, texts)) if width is None else width
        for width, *texts in zip(fixed, names, cells, strict=True)
    ]
    sides = [column.alignment for column in columns]
    return "".join(bordered(names, [cells], widths, sides, with_top=with_top)).encode()


def _cell(data: Any) -> str:
    import json

    from fluvio_cli.output.table import CUT

    try:
        return data if isinstance(data, str) else json.dumps(data, sort_keys=True, ensure_ascii=False)
    except RecursionError:  # it could just be read
        return CUT


_FIELDS: dict[str, Callable[[ShownRecord], bytes | int]] = {
    "key": lambda record: b"null" if record.key is None else _as_text(record.key),
    "value": lambda record: _as_text(record.value),
    "offset": lambda record: record.offset,
    "partition": lambda record: record.partition,
    "time": lambda record: format_timestamp(record.timestamp).encode(),
}


_Filler = Callable[[ShownRecord], bytes]


def _filler(template: Template, topic: str) -> _Filler | None:
    """What makes the line of a record, computing only the fields that the template has.

    None with blocks or helpers.
    """
    pieces = template.pieces
    if pieces is None:
        return None
    layout, fields = b"", []
    for text, is_name in pieces:
        if not is_name:
            layout += text.encode().replace(b"%", b"%%")
        elif text == "topic":
            layout += topic.encode().replace(b"%", b"%%")
        elif text in _FIELDS:
            layout += b"%d" if text in ("offset", "partition") else b"%b"
            fields.append(_FIELDS[text])
    layout += b"\n"
    return lambda record: layout % tuple([field(record) for field in fields])


def _fill(template: Template, record: ShownRecord, topic: str) -> bytes:
    return template.render(
        {
            "key": "null" if record.key is None else record.key.decode(errors="replace"),
            "value": record.value.decode(errors="replace"),
            "offset": str(record.offset),
            "partition": str(record.partition),
            "time": format_timestamp(record.timestamp),
            "topic": topic,
        },
        RawFields(record.key, record.value, record.timestamp),
    ).encode()


def format_timestamp(timestamp_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds; `NA` when there is none."""
    if timestamp_ms < 0:
        return NO_TIME
    from datetime import UTC, datetime

    seconds, milliseconds = divmod(timestamp_ms, 1000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return NO_TIME
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"
