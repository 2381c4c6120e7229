"""Reading the YAML files that people hand to commands: bounded, and with errors that name the file.

The types are those of YAML 1.2, as the official command line has them: in YAML 1.1, which PyYAML speaks by
itself, a topic named `on` is true and `2024-01-01` a date. A key that is there twice is an error: one of
the two values would be lost without a word. What `*aliases` repeat counts each time, so that a small file
cannot stand for a huge document.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

MOST_BYTES = 1 << 20  # of a file; what people write has some hundred
_MOST_NODES = 1 << 20  # as many as a file of this size can have without aliases
_MOST_LEVELS = 64


def load_yaml(path: Path, what: str, failure: Callable[[str], Exception]) -> Any:
    """The document of a file that is to be `what`.

    Raises `OSError`, and what `failure` makes of a text where it is too large or no YAML.
    """
    return parse_yaml(read_bounded(path, what, failure), str(path), failure)


def read_bounded(path: Path, what: str, failure: Callable[[str], Exception]) -> bytes:
    """The bytes of a file that is to be `what`. Raises `OSError`, and `failure` where it is too large."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise failure(f"{path} is larger than {MOST_BYTES} bytes: it is no {what}")
    return content


def parse_yaml(content: bytes | str, place: str, failure: Callable[[str], Exception]) -> Any:
    """The one document of a text; None for an empty one. Raises `failure`, whose text begins with `place`."""
    import yaml

    try:
        loader = _loader()(content)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _measure(node, {}, 0)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as exc:
        raise failure(f"{place} is not YAML: {exc}") from exc


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
        ("merge", "<<", ["<"]),  # of 1.1, and what people know of it
    ):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(f"(?:{pattern})$"), first)
    Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
    return Loader


def _construct_int(loader: Any, node: Any) -> int:
    text: str = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _measure(node: Any, known: dict[int, int], level: int) -> int:
    """Nodes of the document from `node` on, aliases followed. Raises `ValueError` for what must not be."""
    if id(node) in known:
        count = known[id(node)]
        if not count:
            raise ValueError("an alias stands within what it repeats")
        return count
    if level > _MOST_LEVELS:
        raise ValueError(f"more than {_MOST_LEVELS} levels")
    known[id(node)] = 0
    count = 1
    if node.id == "mapping":
        keys: set[tuple[str, str]] = set()
        for key, value in node.value:
            if key.id != "scalar":
                raise ValueError(f"a key that is no text, {_place(key)}")
            if (key.tag, key.value) in keys:
                raise ValueError(f"the key `{key.value}` is there twice, {_place(key)}")
            keys.add((key.tag, key.value))
            count += 1 + _measure(value, known, level + 1)
    elif node.id == "sequence":
        count += sum(_measure(item, known, level + 1) for item in node.value)
    if count > _MOST_NODES:
        raise ValueError(f"with its aliases it has more than {_MOST_NODES} values")
    known[id(node)] = count
    return count


def _place(node: Any) -> str:
    return f"line {node.start_mark.line + 1}, column {node.start_mark.column + 1}"
