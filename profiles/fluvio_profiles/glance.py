"""The chosen profile's cluster and protection, read as fast as can be: shell prompts ask at every line.

`tomllib` takes as long to import as the interpreter takes to start. The profile file is written by programs
and has, as a rule, tables with one plain `key = value` a line; `scan` reads exactly that and gives up at
anything else (escapes, strings of many lines, arrays, dotted keys), for which `tomllib` is loaded after all.
What `scan` does read, it reads as TOML says: a test compares the two.
"""

import os

from fluvio_profiles.protection import level_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class NotPlainError(Exception):
    """The text needs the real parser."""


def glance(path: str, name: str | None) -> tuple[str, str, str] | None:
    """Profile, cluster and protection of profile `name`, or of the current one.

    None when there is none of this name, or its cluster is missing. Raises OSError and ValueError (the
    file does not parse).
    """
    with open(path, "rb") as file:
        text = file.read().decode()
    try:
        document = scan(text)
    except NotPlainError:
        import tomllib

        document = tomllib.loads(text)
    name = document.get("current_profile") if name is None else name
    profile = _table(document, "profile").get(name)
    cluster_name = profile.get("cluster") if isinstance(profile, dict) else None
    cluster = _table(document, "cluster").get(cluster_name)
    if not (isinstance(name, str) and isinstance(cluster_name, str) and isinstance(cluster, dict)):
        return None
    return name, cluster_name, level_of(_table(cluster, "metadata"))


def profile_path(environment: "Mapping[str, str]") -> str:
    """The profile file, as `store.profile_path` says."""
    return environment.get("FLV_PROFILE_PATH") or os.path.join(os.path.expanduser("~"), ".fluvio", "config")


def scan(text: str) -> "dict[str, Any]":
    """Read plain TOML; raises `NotPlainError` for anything but tables and one-line values."""
    document: dict[str, Any] = {}
    table = document
    headers: set[tuple[str, ...]] = set()
    for line in text.split("\n"):
        line = line.strip(" \t\r")
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            keys = _header(line)
            if keys in headers:
                raise NotPlainError
            headers.add(keys)
            table = _below(document, keys)
            continue
        key, equals, value = line.partition("=")
        key = key.strip(" \t")
        if not equals or not key or not _BARE.issuperset(key) or key in table:
            raise NotPlainError
        table[key] = _value(value.strip(" \t"))
    return document


def _header(line: str) -> tuple[str, ...]:
    """The keys of `[a.b."c d"]`."""
    if not line.endswith("]") or line.startswith("[["):
        raise NotPlainError
    keys, rest = [], line[1:-1]
    while True:
        if rest.startswith('"'):
            key, quote, rest = rest[1:].partition('"')
            if not quote or "\\" in key or not key.isprintable():
                raise NotPlainError
        else:
            dot = rest.find(".")
            key, rest = (rest, "") if dot < 0 else (rest[:dot], rest[dot:])
            if not key or not _BARE.issuperset(key):
                raise NotPlainError
        keys.append(key)
        if not rest:
            return tuple(keys)
        if not rest.startswith("."):
            raise NotPlainError
        rest = rest[1:]


def _below(document: "dict[str, Any]", keys: tuple[str, ...]) -> "dict[str, Any]":
    table = document
    for key in keys:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise NotPlainError
    return table


def _value(text: str) -> "str | bool | int":
    if text in ("true", "false"):
        return text == "true"
    if text.isascii() and text.isdigit() and (text == "0" or text[0] != "0"):
        return int(text)
    inner = text[1:-1]
    if len(text) < 2 or text[0] != '"' or text[-1] != '"' or '"' in inner or "\\" in inner:
        raise NotPlainError
    if not inner.isprintable():
        raise NotPlainError
    return inner


def _table(document: "dict[str, Any]", key: str) -> "dict[Any, Any]":
    table = document.get(key)
    return table if isinstance(table, dict) else {}
