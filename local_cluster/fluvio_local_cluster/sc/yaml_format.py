"""YAML text of metadata documents, read and written so that the official controller agrees.

Reading is PyYAML's (in C where it has that), but knows the types of YAML 1.2 only: in YAML 1.1, which
PyYAML speaks by itself, a topic named `on` is true and `2024-01-01` a date. Writing is our own, since the
documents are plain: block style, one scalar a line, whatever either YAML would mistake quoted. It is 8 times
as fast as PyYAML's and spares a controller that has nothing to read the import (25 ms, measured).
"""

import re
from functools import cache
from typing import Any

from fluvio_local_cluster.sc.model.tree import Tagged, Tree
from fluvio_types.errors import FluvioError


class YamlError(FluvioError):
    """A text is no YAML, or not one document."""


# --- reading ----------------------------------------------------------------------------------------------


def parse(text: bytes | str) -> Tree:
    """The one document of a text; None for an empty text. Raises `YamlError`."""
    import yaml

    try:
        return yaml.load(text, Loader=_loader())
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as exc:
        raise YamlError(f"no valid YAML: {' '.join(str(exc).split())}") from exc


@cache
def _loader() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - its own, not shared with the base

    for name, pattern, first in (
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
        (
            "float",
            r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
            list("-+.0123456789"),
        ),
    ):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(f"(?:{pattern})$"), first)
    Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
    Loader.add_multi_constructor("!", _construct_tagged)
    return Loader


def _construct_int(loader: Any, node: Any) -> int:
    text: str = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _construct_tagged(loader: Any, suffix: str, node: Any) -> Tagged:
    value: Tree
    if node.id == "mapping":
        value = loader.construct_mapping(node, deep=True)
    elif node.id == "sequence":
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_scalar(node)
    return Tagged(suffix, value)


# --- writing ----------------------------------------------------------------------------------------------


def render(tree: Tree) -> bytes:
    """The text of a tree, keys in their order."""
    lines: list[str] = []
    _emit(lines, "", tree, 0, is_in_list=False)
    return ("\n".join(lines) + "\n").encode()


def _emit(lines: list[str], head: str, value: Tree, indent: int, *, is_in_list: bool) -> None:
    """Append `value` after `head`, which ends in `:` or `-` (or is empty); its lines are indented so far."""
    tags = ""
    while isinstance(value, Tagged):
        tags, value = f" !{value.tag}", value.value
    if not isinstance(value, dict | list) or not value:
        line = f"{head}{tags} {_scalar(value)}"
        lines.append(line if head else line.lstrip())
        return
    pad = " " * indent
    is_compact = is_in_list and not tags  # the first entry stands on the line of the dash
    if not is_compact and head + tags:
        lines.append(f"{head}{tags}" if head else tags.lstrip())
    first = f"{head} " if is_compact else pad
    if isinstance(value, list):
        for number, item in enumerate(value):
            _emit(lines, f"{pad if number else first}-", item, indent + 2, is_in_list=True)
        return
    for number, (key, item) in enumerate(value.items()):
        inner = item.value if isinstance(item, Tagged) else item
        deeper = indent if isinstance(inner, list) else indent + 2
        _emit(lines, f"{pad if number else first}{_scalar(key)}:", item, deeper, is_in_list=False)


def _scalar(value: Tree) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case float():
            return _NON_FINITE.get(repr(value), repr(value))
        case dict():
            return "{}"
        case list():
            return "[]"
    return str(value)


_NON_FINITE = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
# What no YAML takes for anything but text: words, addresses, durations, base64.
_PLAIN = re.compile(
    r"[A-Za-z_][A-Za-z0-9_./@+=-]*(:[A-Za-z0-9_./@+=-]+)*|\d+(\.\d+){3}(:\d+)?|\d+[a-z]+( \d+[a-z]+)*"
)
_WORDS = frozenset(("y", "yes", "n", "no", "on", "off", "true", "false", "null"))


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
