"""Table layouts in a YAML file, for `table-format create`. Layout and names of keys are the official ones.

A key that is unknown is an error that says where, as in a topic's file. Every key: docs/table-formats.md.
"""

import enum
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fluvio_cli.yaml_files import load_yaml
from fluvio_protocol.api.table_format import (
    Color,
    DataFormat,
    TableFormatAlignment,
    TableFormatColumnConfig,
    TableFormatSpec,
)
from fluvio_types.errors import FluvioError

# Way to a value and the value, to what the wire has. Raises `ValueError`.
_Read = Callable[[str, Any], Any]
_HINT = "docs/table-formats.md lists the keys"


class TableFormatFileError(FluvioError):
    """A file does not define a table layout; the text says what is wrong, and at which key."""


def read_table_format_file(path: Path) -> TableFormatSpec:
    """The layout that a file defines. Raises `TableFormatFileError`, `OSError`."""
    document = load_yaml(path, "table format", TableFormatFileError)
    found = _taken("", document, _SPEC, "name")
    return TableFormatSpec(**found)


def read_table_format_settings(place: str, name: str, content: Any) -> TableFormatSpec:
    """The layout `name` whose keys, without `name`, a mapping of another file holds.

    `place` is the way to it, for the text of `TableFormatFileError`.
    """
    keys = {key: field for key, field in _SPEC.items() if key != "name"}
    return TableFormatSpec(name=name, **_taken(place, content, keys, None))


def _text(_place: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"text is expected, not `{value}`")
    return value


def _width(_place: str, value: Any) -> str:
    # The wire has text here, and people write numbers.
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"a number of characters is expected, not `{value}`")
    text = str(value)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**16:
        raise ValueError(f"a number of characters from 1 to {2**16 - 1} is expected, not `{value}`")
    return text


def _flag(_place: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"true or false is expected, not `{value}`")
    return value


def _word(kind: type[enum.IntEnum]) -> _Read:
    def read(_place: str, value: Any) -> Any:
        if isinstance(value, str) and value in kind.__members__:
            return kind[value]
        known = ", ".join(f"`{name}`" for name in kind.__members__)
        raise ValueError(f"unknown variant `{value}`, expected one of {known}")

    return read


_COLUMN: dict[str, tuple[str, _Read]] = {
    "headerLabel": ("header_label", _text),
    "width": ("width", _width),
    "alignment": ("alignment", _word(TableFormatAlignment)),
    "keyPath": ("key_path", _text),
    "format": ("format", _text),
    "display": ("display", _flag),
    "primaryKey": ("primary_key", _flag),
    "headerBgColor": ("header_bg_color", _word(Color)),
    "headerTextColor": ("header_text_color", _word(Color)),
}
_SPEC: dict[str, tuple[str, _Read]] = {
    "name": ("name", _text),
    "inputFormat": ("input_format", _word(DataFormat)),
    "columns": ("columns", lambda place, value: _columns(place, value)),
    "smartmodule": ("smartmodule", _text),
}


def _columns(place: str, value: Any) -> list[TableFormatColumnConfig]:
    if not isinstance(value, list):
        raise ValueError("a list of columns is expected")
    return [
        TableFormatColumnConfig(**_taken(f"{place}[{position}]", content, _COLUMN, "keyPath"))
        for position, content in enumerate(value)
    ]


def _taken(
    place: str, content: Any, keys: Mapping[str, tuple[str, _Read]], required: str | None
) -> dict[str, Any]:
    """The fields of one mapping of the document; a key that is null counts as absent."""
    if not isinstance(content, Mapping):
        raise TableFormatFileError(f"{place or 'the file'}: keys and their values are expected", hint=_HINT)
    prefix = f"{place}." if place else ""
    if unknown := [key for key in content if key not in keys]:
        names = ", ".join(f"`{prefix}{key}`" for key in unknown)
        raise TableFormatFileError(f"unknown key {names}", hint=_HINT)
    if required is not None and content.get(required) is None:
        raise TableFormatFileError(f"{place}: missing field `{required}`".removeprefix(": "), hint=_HINT)
    fields = {}
    for key, value in content.items():
        if value is None:
            continue
        field, read = keys[key]
        try:
            fields[field] = read(f"{prefix}{key}", value)
        except ValueError as exc:
            raise TableFormatFileError(f"{prefix}{key}: {exc}", hint=_HINT) from exc
    return fields
