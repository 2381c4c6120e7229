"""One declaration from files: YAML, or TOML and JSON by their suffix; directories stand for their files.

Layout: docs/declared-state.md and declaration.schema.json. Every file is bounded, says the version of the
layout, and may have any of the sections; a name stands in one file only.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from fluvio_cli.declared.model import Declaration, DeclarationError, Kind
from fluvio_cli.declared.profiles import check_one_cluster_each, profile_name, read_profile
from fluvio_cli.file_keys import FileKeys
from fluvio_cli.table_format_files import TableFormatFileError, read_table_format_settings
from fluvio_cli.topic_files import TopicFileError, read_topic_settings
from fluvio_cli.yaml_files import MOST_BYTES, parse_yaml, read_bounded
from fluvio_types.names import name_problem

VERSION = 1
STDIN = "-"
_SUFFIXES = (".yaml", ".yml", ".toml", ".json")
_MOST_FILES = 1000
_WHAT = "declaration"
_HINT = "docs/declared-state.md lists the keys"
_TABLE_FORMAT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")


def read_declaration(paths: Sequence[str], stdin: TextIO) -> Declaration:
    """What the files say together; `-` is standard input. Raises `DeclarationError`, `OSError`."""
    objects: dict[Kind, dict[str, Any]] = {}
    origins: dict[tuple[Kind, str], str] = {}
    for place, document in _documents(paths, stdin):
        for kind, found in _read_document(place, document).items():
            section = objects.setdefault(kind, {})
            for name, spec in found.items():
                if (kind, name) in origins:
                    raise DeclarationError(
                        f"{place}: {kind} `{name}` is declared in {origins[kind, name]} as well"
                    )
                origins[kind, name] = place
                section[name] = spec
    check_one_cluster_each(objects.get(Kind.PROFILE, {}))
    return Declaration(objects)


def read_object(kind: Kind, name: Any, content: Any) -> Any:
    """One object of a section. Raises `DeclarationError`, `TopicFileError`, `TableFormatFileError`."""
    try:
        _NAMES[kind](name)
    except ValueError as exc:
        raise DeclarationError(f"{kind.section}: `{name}` cannot be a name: {exc}") from exc
    place = f"{kind.section}.{name}"
    if content is None:
        content = {}
    if kind is Kind.TOPIC:
        return read_topic_settings(place, content)
    if kind is Kind.TABLE_FORMAT:
        return read_table_format_settings(place, name, content)
    return read_profile(place, name, content)


def _read_document(place: str, document: Any) -> dict[Kind, dict[str, Any]]:
    """The sections of one file that are there and not null."""
    found: dict[Kind, dict[str, Any]] = {}
    try:
        keys = FileKeys("", document, DeclarationError, _HINT)
        keys.take("version", _version, required=True)
        for kind in Kind:
            section = keys.take(kind.section, _mapping)
            if section is not None:
                found[kind] = {name: read_object(kind, name, content) for name, content in section.items()}
        keys.end()
    except (DeclarationError, TopicFileError, TableFormatFileError) as exc:
        raise DeclarationError(f"{place}: {exc}", hint=exc.hint) from exc
    return found


def _documents(paths: Sequence[str], stdin: TextIO) -> list[tuple[str, Any]]:
    """(where it is from, document) of all files, in the order given."""
    found: list[tuple[str, Any]] = []
    for named in paths:
        if named == STDIN:
            text = stdin.read(MOST_BYTES + 1)
            if len(text) > MOST_BYTES:
                raise DeclarationError(f"standard input is larger than {MOST_BYTES} bytes: it is no {_WHAT}")
            found.append(("standard input", parse_yaml(text, "standard input", DeclarationError)))
            continue
        path = Path(named)
        files = _files_in(path) if path.is_dir() else [path]
        found += [(str(file), _parsed(file)) for file in files]
        if len(found) > _MOST_FILES:
            raise DeclarationError(f"{path}: more than {_MOST_FILES} files")
    return found


def _files_in(directory: Path) -> list[Path]:
    """The declarations directly in a directory, by name; hidden files are none."""
    files = sorted(
        file
        for file in directory.iterdir()
        if file.suffix.lower() in _SUFFIXES and not file.name.startswith(".") and file.is_file()
    )
    if not files:
        raise DeclarationError(f"{directory} has no file that ends in {', '.join(_SUFFIXES)}")
    return files


def _parsed(path: Path) -> Any:
    suffix = path.suffix.lower()
    if suffix not in (".toml", ".json"):
        return parse_yaml(read_bounded(path, _WHAT, DeclarationError), str(path), DeclarationError)
    content = read_bounded(path, _WHAT, DeclarationError)
    parse, form = (_toml, "TOML") if suffix == ".toml" else (_json, "JSON")
    try:
        return parse(content.decode())
    except (ValueError, RecursionError) as exc:
        raise DeclarationError(f"{path} is not {form}: {exc}") from exc


def _toml(text: str) -> Any:
    import tomllib

    return tomllib.loads(text)


def _json(text: str) -> Any:
    import json

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise ValueError(f"the key `{key}` is there twice")
            found[key] = value
        return found

    return json.loads(text, object_pairs_hook=once)


def _version(value: Any) -> int:
    if isinstance(value, bool) or value != VERSION:
        raise ValueError(f"it is {VERSION} so far, not `{value}`")
    return VERSION


def _mapping(value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise ValueError("names, each with its settings, are expected")
    return value


def _topic_name(value: Any) -> None:
    problem = name_problem(_text(value))
    if problem is not None:
        raise ValueError(problem)


def _table_format_name(value: Any) -> None:
    if _TABLE_FORMAT_NAME.fullmatch(_text(value)) is None:
        raise ValueError("letters, digits, `-`, `_` and `.` are expected, at the start no `-` or `.`")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("it is no text; write it between quotes")
    return value


_NAMES: dict[Kind, Callable[[Any], object]] = {
    Kind.TOPIC: _topic_name,
    Kind.TABLE_FORMAT: _table_format_name,
    Kind.PROFILE: profile_name,
}
