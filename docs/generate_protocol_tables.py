"""Writes the tables of docs/protocol.md from the declarations in fluvio_protocol, so that both say the same.

    python docs/generate_protocol_tables.py [--check]

A table stands between `<!-- table: KIND NAME ... -->` and `<!-- end -->`. Kinds: `fields` (structs),
`numbers` (enums), `requests` (sides), `errors` and `defaults`. `--check` changes nothing and exits with 1
when a table is out of date.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from fluvio_protocol import compression, error_code
from fluvio_protocol.api import (
    admin,
    api_versions,
    consumer_offsets,
    fetch,
    mirror,
    mirroring,
    offsets,
    partition,
    produce,
    replication,
    sc_spu,
    smartmodule,
    smartmodule_invocation,
    spu,
    table_format,
    topic,
)
from fluvio_protocol.declarations import ANY_VERSION, Union, WireChoice, WireField
from fluvio_protocol.wire import declared_requests, is_wire_struct, type_name, wire_fields
from fluvio_types import defaults

DOCUMENT = Path(__file__).with_name("protocol.md")
MODULES = (
    admin, api_versions, compression, consumer_offsets, error_code, fetch, mirror, mirroring, offsets,
    partition, produce, replication, sc_spu, smartmodule, smartmodule_invocation, spu, table_format, topic,
)  # fmt: skip
_BLOCK = re.compile(r"(<!-- table: ([^>]*) -->\n).*?(<!-- end -->)", re.DOTALL)


def declared(name: str) -> Any:
    """The struct, enum or choice of that name."""
    for module in MODULES:
        if hasattr(module, name):
            return getattr(module, name)
    raise LookupError(f"nothing called {name} is declared")


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    escaped = ([str(cell).replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in escaped)


def _versions(field: WireField) -> str:
    if field.until != ANY_VERSION:
        return str(field.since) if field.until == field.since else f"{field.since} to {field.until}"
    return f"from {field.since}" if field.since else ""


def _shown(wire_type: Any) -> str:
    """A type in a table: a union with the tags of its variants, anything else as it is declared."""
    for part in (wire_type, *get_args(wire_type)):
        if get_origin(part) is Annotated and isinstance(get_args(part)[1], Union):
            variants = " or ".join(f"{tag}: {type_name(each)}" for tag, each in get_args(part)[1].variants)
            return type_name(wire_type).replace(type_name(part), f"({variants})", 1)
    return type_name(wire_type)


def fields_table(names: list[str]) -> str:
    """The fields of structs, in wire order."""
    rows = []
    for name in names:
        struct = declared(name)
        fields = wire_fields(struct)
        for index, field in enumerate(fields):
            shown = field.name.rstrip("_")
            rows.append(
                [
                    "" if index else f"**{name}**",
                    f"`{shown}`",
                    f"`{_shown(field.wire_type)}`",
                    _versions(field),
                ]
            )
        if not fields:
            rows.append([f"**{name}**", "(no bytes)", "", ""])
    return _table(["struct", "field", "type", "versions"], rows)


def numbers_table(names: list[str]) -> str:
    """The numbers of enums, and what belongs to the variants that have a payload."""
    rows = []
    for name in names:
        kinds, payloads = declared(name), {}
        if issubclass(kinds, WireChoice):
            kinds, payloads = kinds.kinds, kinds.payload_types
        for index, member in enumerate(kinds):
            payload = ", ".join(f"`{type_name(part)}`" for part in payloads.get(member, ()))
            rows.append(["" if index else f"**{name}**", member.value, member.name, payload])
    return _table(["enum", "number", "name", "payload"], rows)


def requests_table(sides: list[str]) -> str:
    """What the ports of these sides serve."""
    rows: list[list[Any]] = []
    for request, info in declared_requests().items():
        if info.side in sides:
            versions = str(info.max_version)
            if info.min_version != info.max_version:
                versions = f"{info.min_version} to {info.max_version}"
            answer = "none" if info.response is None else type_name(info.response)
            rows.append([info.side, info.key, request.__name__, answer, versions])
    rows.sort(key=lambda row: (sides.index(row[0]), row[1]))
    return _table(["received by", "key", "request", "answer", "versions"], rows)


def errors_table(_: list[str]) -> str:
    """Every error code with payload and exception."""
    rows = []
    for kind in error_code.ErrorKind:
        payload = error_code.ErrorCode.payload_types.get(kind, ())
        exception = error_code._EXCEPTIONS.get(kind, error_code.ApiError).__name__
        parts = ", ".join(f"`{type_name(part)}`" for part in payload)
        rows.append([kind.value, kind.name, parts, exception])
    return _table(["code", "name", "payload", "exception"], rows)


def defaults_table(_: list[str]) -> str:
    """The constants of fluvio_types.defaults."""
    rows = [[f"`{name}`", f"`{value!r}`"] for name, value in vars(defaults).items() if name.isupper()]
    return _table(["name", "value"], rows)


KINDS: dict[str, Callable[[list[str]], str]] = {
    "fields": fields_table,
    "numbers": numbers_table,
    "requests": requests_table,
    "errors": errors_table,
    "defaults": defaults_table,
}


def with_current_tables(document: str) -> str:
    """The document with every table written anew."""

    def renew(block: re.Match[str]) -> str:
        kind, *names = block[2].split()
        return f"{block[1]}\n{KINDS[kind](names)}\n{block[3]}"

    return _BLOCK.sub(renew, document)


def undocumented(document: str) -> list[str]:
    """Declared structs, enums and requests that stand in no table."""
    listed = {name for block in _BLOCK.finditer(document) for name in block[2].split()}
    found = []
    for module in MODULES:
        for name, value in inspect.getmembers(module, inspect.isclass):
            is_ours = (value.__module__, value.__name__) == (module.__name__, name)
            if is_ours and (is_wire_struct(value) or issubclass(value, IntEnum | WireChoice)):
                found.append(name)
    choices = [declared(name) for name in found if issubclass(declared(name), WireChoice)]
    tags = {choice.kinds.__name__ for choice in choices}
    return sorted(set(found) - listed - tags - {"ErrorCode"})


def main() -> int:
    """Returns the exit code."""
    before = DOCUMENT.read_text()
    after = with_current_tables(before)
    missing = undocumented(after)
    if missing:
        print(f"in no table of {DOCUMENT.name}: {', '.join(missing)}")
        return 1
    if "--check" not in sys.argv[1:]:
        DOCUMENT.write_text(after)
    elif after != before:
        print(f"the tables of {DOCUMENT.name} are out of date: run python {sys.argv[0]}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
