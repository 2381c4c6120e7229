"""`produce --ndjson`: records of JSON lines, the way back from what `consume -O ndjson` prints.

Form: docs/cli-json-output.md, "consume -O ndjson". Only `value` has to be there. A value that is neither a
text nor `{"base64": "..."}` is stored as it stands in the line, to the digit.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

_KNOWN = ("topic", "partition", "offset", "timestamp", "key", "value")
_SPACE = re.compile(r"[ \t\r\n]*")


def read_record(line: bytes) -> tuple[bytes | None, bytes]:
    """(key, value) of a line. Raises `ValueError` with the reason why it is none."""
    members: dict[str, tuple[Any, str]] = {}
    try:
        for name, data, text in _members(line.decode()):
            if name not in _KNOWN:
                raise ValueError(f"`{name}` is no member of a record: {', '.join(_KNOWN)}")
            members[name] = data, text
    except (json.JSONDecodeError, RecursionError) as exc:
        raise ValueError(f"it is no JSON object: {exc}") from None
    if "value" not in members:
        raise ValueError("it has no `value`")
    key, value = members.get("key", (None, "")), members["value"]
    if not (key[0] is None or _is_bytes(key[0])):
        raise ValueError('its `key` is neither a text, null nor {"base64": "..."}')
    return None if key[0] is None else _bytes(key[0]), (
        _bytes(value[0]) if _is_bytes(value[0]) else value[1].encode()
    )


def _is_bytes(data: Any) -> bool:
    return isinstance(data, str) or (isinstance(data, dict) and list(data) == ["base64"])


def _bytes(data: str | dict[str, Any]) -> bytes:
    if isinstance(data, str):
        return data.encode()
    from base64 import b64decode

    text = data["base64"]
    if not isinstance(text, str):
        raise ValueError("`base64` is no text")
    try:
        return b64decode(text, validate=True)
    except ValueError as exc:
        raise ValueError(f"`base64` cannot be decoded: {exc}") from None


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _number(text: str) -> int:
    return 0  # whatever its length, nobody looks at it


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_refuse)


def _members(text: str) -> Iterator[tuple[str, Any, str]]:
    """Name, data, and the very text of each member's value. Raises `JSONDecodeError` and `ValueError`."""
    place = _expect(text, 0, "{")
    if text[place : place + 1] != "}":
        while True:
            name, place = _DECODER.raw_decode(text, place)
            if not isinstance(name, str):
                raise json.JSONDecodeError("Expecting the name of a member", text, place)
            begin = _expect(text, place, ":")
            data, end = _DECODER.raw_decode(text, begin)
            yield name, data, text[begin:end]
            place = _after_space(text, end)
            if text[place : place + 1] != ",":
                break
            place = _after_space(text, place + 1)
    if _expect(text, place, "}") != len(text):
        raise json.JSONDecodeError("Extra data", text, place + 1)


def _expect(text: str, place: int, sign: str) -> int:
    """Where something else comes after `sign`, which must stand at `place`, spaces aside."""
    place = _after_space(text, place)
    if text[place : place + 1] != sign:
        raise json.JSONDecodeError(f"Expecting '{sign}'", text, place)
    return _after_space(text, place + 1)


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    assert found is not None
    return found.end()
