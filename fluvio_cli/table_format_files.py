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

_HINT = "docs/table-formats.md lists the keys"


class TableFormatFileError(FluvioError):
    """A file does not define a table layout; the text says what is wrong, and at which key."""


def read_table_format_file(path: Path) -> TableFormatSpec:
    """The layout that a file defines. Raises `TableFormatFileError`, `OSError`."""
    document = load_yaml(path, "table format", TableFormatFileError)
    found = _taken("", document, _SPEC, "name")
    return TableFormatSpec(**found)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"text is expected, not `{value}`")
    return value


def _width(value: Any) -> str:
    # The wire has text here, and people write numbers.
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"a number of characters is expected, not `{value}`")
    text = str(value)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**16:
        raise ValueError(f"a number of characters from 1 to {2**16 - 1} is expected, not `{value}`")
    return text


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"true or false is expected, not `{value}`")
    return value


def _word(kind: type[enum.IntEnum]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if isinstance(value, str) and value in kind.__members__:
            return kind[value]
        known = ", ".join(f"`{name}`" for name in kind.__members__)
        raise ValueError(f"unknown variant `{value}`, expected one of {known}")

    return read


_COLUMN: dict[str, tuple[str, Callable[[Any], Any]]] = {
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
_SPEC: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "name": ("name", _text),
    "inputFormat": ("input_format", _word(DataFormat)),
    "columns": ("columns", lambda value: _columns(value)),
    "smartmodule": ("smartmodule", _text),
}


def _columns(value: Any) -> list[TableFormatColumnConfig]:
    if not isinstance(value, list):
        raise ValueError("a list of columns is expected")
    return [
        TableFormatColumnConfig(**_taken(f"columns[{position}]", content, _COLUMN, "keyPath"))
        for position, content in enumerate(value)
    ]


def _taken(
    place: str, content: Any, keys: Mapping[str, tuple[str, Callable[[Any], Any]]], required: str
) -> dict[str, Any]:
    """The fields of one mapping of the document; a key that is null counts as absent."""
    if not isinstance(content, Mapping):
        raise TableFormatFileError(f"{place or 'the file'}: keys and their values are expected", hint=_HINT)
    prefix = f"{place}." if place else ""
    if unknown := [key for key in content if key not in keys]:
        names = ", ".join(f"`{prefix}{key}`" for key in unknown)
        raise TableFormatFileError(f"unknown key {names}", hint=_HINT)
    if content.get(required) is None:
        raise TableFormatFileError(f"{place}: missing field `{required}`".removeprefix(": "), hint=_HINT)
    fields = {}
    for key, value in content.items():
        if value is None:
            continue
        field, read = keys[key]
        try:
            fields[field] = read(value)
        except ValueError as exc:
            raise TableFormatFileError(f"{prefix}{key}: {exc}", hint=_HINT) from exc
    return fields
