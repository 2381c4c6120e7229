"""The helpers of `consume -F`, in Handlebars' form of a call: `{{hex value}}`, `{{json value "a.b[0]"}}`.

    hex FIELD           the bytes of `key` or `value` as hexadecimal digits
    base64 FIELD        ... in Base64
    size FIELD          ... how many
    json FIELD ["EXPR"] the JSON data in `key` or `value`, or what a JMESPath expression selects from it;
                        a text without its quotation marks
    strftime time "FMT" the time in UTC, by the codes of strftime

What is not there is the word `null`, as `{{key}}` has it: a missing key, bytes that are no JSON, nothing
selected. A record without a time has `NA`, as `{{time}}` has it.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

_WORD = re.compile(
    r"""\s*(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<bare>[^\s"']+))""", re.DOTALL
)
_ESCAPE = re.compile(r"""\\(["'\\])""")
_NULL = "null"


class RawFields(NamedTuple):
    """What helpers work on: bytes, and the time in ms since 1970 (below 0: none)."""

    key: bytes | None
    value: bytes
    time: int


Helper = Callable[[RawFields], str]


class HelperError(ValueError):
    """A call that cannot be read; `position` counts characters from the start of the call."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.reason, self.position = reason, position


class _Argument(NamedTuple):
    text: str
    is_text: bool  # in quotation marks
    position: int


def read_call(inside: str) -> Helper:
    """The helper that stands between the braces. Raises `HelperError`."""
    name, *arguments = _words(inside)
    make = _MAKERS.get(name.text) if not name.is_text else None
    if make is None:
        raise HelperError(f"there is no helper `{name.text}`", name.position)
    if not arguments:
        raise HelperError(f"`{name.text}` needs a field", len(inside))
    most = 2 if name.text in ("json", "strftime") else 1
    if len(arguments) > most:
        raise HelperError(f"`{name.text}` takes no more than {most} arguments", arguments[most].position)
    return make(arguments, len(inside))


def _words(inside: str) -> list[_Argument]:
    words, position = [], 0
    while inside[position:].strip():
        match = _WORD.match(inside, position)
        if match is None:
            start = position + len(inside[position:]) - len(inside[position:].lstrip())
            raise HelperError("a quotation mark is not closed", start)
        quoted = match["double"] if match["double"] is not None else match["single"]
        start = match.end() - len(match[0].lstrip())
        text = match["bare"] if quoted is None else _ESCAPE.sub(r"\1", quoted)
        words.append(_Argument(text, quoted is not None, start))
        position = match.end()
    return words


def _bytes_field(argument: _Argument) -> Callable[[RawFields], bytes | None]:
    if argument.text == "key" and not argument.is_text:
        return lambda fields: fields.key
    if argument.text == "value" and not argument.is_text:
        return lambda fields: fields.value
    raise HelperError("`key` or `value` is expected", argument.position)


def _bytes_helper(show: Callable[[bytes], str]) -> Callable[[Sequence[_Argument], int], Helper]:
    def make(arguments: Sequence[_Argument], end: int) -> Helper:
        field = _bytes_field(arguments[0])

        def fill(fields: RawFields) -> str:
            data = field(fields)
            return _NULL if data is None else show(data)

        return fill

    return make


def _base64(data: bytes) -> str:
    from base64 import b64encode

    return b64encode(data).decode()


def _json_helper(arguments: Sequence[_Argument], end: int) -> Helper:
    from fluvio_cli.output.queries import NOT_JSON, Query, QueryError, parse_json

    field = _bytes_field(arguments[0])
    query: Query | None = None
    if len(arguments) > 1:
        expression = arguments[1]
        if not expression.is_text:
            raise HelperError("an expression in quotation marks is expected", expression.position)
        try:
            query = Query(expression.text)
        except QueryError as exc:
            raise HelperError(exc.reason, expression.position + 1 + (exc.position or 0)) from None

    def fill(fields: RawFields) -> str:
        raw = field(fields)
        data = NOT_JSON if raw is None else parse_json(raw)
        if data is NOT_JSON:
            return _NULL
        return _json_text(data if query is None else query.search(data))

    return fill


def _json_text(data: Any) -> str:
    import json

    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _strftime(arguments: Sequence[_Argument], end: int) -> Helper:
    from datetime import UTC, datetime

    field = arguments[0]
    if field.text != "time" or field.is_text:
        raise HelperError("`time` is expected", field.position)
    if len(arguments) < 2 or not arguments[1].is_text:
        position = arguments[1].position if len(arguments) > 1 else end
        raise HelperError("a format in quotation marks is expected", position)
    form = arguments[1].text
    try:
        datetime.fromtimestamp(0, UTC).strftime(form)
    except ValueError:
        raise HelperError("this is no format of strftime", arguments[1].position) from None

    def fill(fields: RawFields) -> str:
        if fields.time < 0:
            return "NA"
        seconds, milliseconds = divmod(fields.time, 1000)
        try:
            moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)
            return moment.strftime(form)
        except (ValueError, OverflowError, OSError):
            return "NA"

    return fill


_MAKERS: dict[str, Callable[[Sequence[_Argument], int], Helper]] = {
    "hex": _bytes_helper(bytes.hex),
    "base64": _bytes_helper(_base64),
    "size": _bytes_helper(lambda data: str(len(data))),
    "json": _json_helper,
    "strftime": _strftime,
}
