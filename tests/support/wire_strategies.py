"""Random values of any declared wire type, derived from the declaration as the codecs are."""

import functools
import types
import typing
from collections.abc import Iterator
from enum import IntEnum
from typing import Annotated, Any, get_args, get_origin

from hypothesis import strategies as st

from fluvio_protocol import declarations, error_code
from fluvio_protocol.api import admin
from fluvio_protocol.wire import WireChoice, fields_at, is_wire_struct, wire_fields
from tests.support.captured_frames import API_MODULES

HIGHEST_VERSION = 26  # one above every version that is defined
_BITS = {"B": 8, "H": 16, "I": 32, "Q": 64}
_TEXT = st.text(max_size=12)
_BYTES = st.binary(max_size=24)


def declared_types() -> dict[str, Any]:
    """Every struct of the API modules by name; generics as they are used for each object type."""
    found: dict[str, Any] = {}
    for module in (*API_MODULES, error_code):
        for name, value in vars(module).items():
            if is_wire_struct(value) and not getattr(value, "__parameters__", ()):
                found.setdefault(name, value)
    for label in admin.OBJECT_TYPES:
        found[f"CreateRequest[{label}]"] = admin.payload_type(admin.CreateEnvelope, label)
        found[f"ListResponse[{label}]"] = admin.payload_type(admin.ListEnvelope, label, answer=True)
        found[f"MetadataUpdate[{label}]"] = admin.payload_type(admin.WatchEnvelope, label, answer=True)
    return found


def differing_versions(wire_type: Any) -> list[int]:
    """The versions at which the layout of a type, or of anything in it, changes; with 0 and the highest."""
    edges = {0, HIGHEST_VERSION}
    for struct in _structs_in(wire_type, set()):
        for declared in wire_fields(get_origin(struct) or struct):
            edges |= {declared.since, declared.until + 1}
    return sorted(edge for edge in edges if edge <= HIGHEST_VERSION)


def _structs_in(wire_type: Any, seen: set[Any]) -> Iterator[Any]:
    parts: tuple[Any, ...] = get_args(wire_type)
    if is_wire_struct(get_origin(wire_type) or wire_type):
        if wire_type in seen:
            return
        seen.add(wire_type)
        yield wire_type
        cls = get_origin(wire_type) or wire_type
        for declared in wire_fields(cls):
            parts += (dict(_all_fields(wire_type)).get(declared.name, declared.wire_type),)
    elif isinstance(wire_type, type) and issubclass(wire_type, WireChoice):
        parts = tuple(part for payload in wire_type.payload_types.values() for part in payload)
    for part in parts:
        yield from _structs_in(part, seen)


def _all_fields(wire_type: Any) -> Iterator[tuple[str, Any]]:
    cls = get_origin(wire_type) or wire_type
    for version in {declared.since for declared in wire_fields(cls)}:
        for declared, field_type in fields_at(wire_type, version):
            yield declared.name, field_type


@functools.cache
def values_of(wire_type: Any, version: int) -> st.SearchStrategy[Any]:
    """Values that `wire_type` can carry at `version`; fields that it lacks keep their defaults."""
    origin, arguments = get_origin(wire_type), get_args(wire_type)
    if origin is Annotated:
        return _values_of_annotated(arguments[0], arguments[1:], version)
    if origin is list:
        return st.lists(values_of(arguments[0], version), max_size=3)
    if origin is dict:
        return st.dictionaries(values_of(arguments[0], version), values_of(arguments[1], version), max_size=3)
    if origin in (typing.Union, types.UnionType):
        return st.none() | values_of(arguments[0], version)
    if is_wire_struct(origin or wire_type):
        parts = {declared.name: values_of(part, version) for declared, part in fields_at(wire_type, version)}
        return st.builds(origin or wire_type, **parts)
    if wire_type is bool:
        return st.booleans()
    if wire_type is str:
        return _TEXT
    if wire_type is bytes:
        return _BYTES
    if issubclass(wire_type, IntEnum):
        return st.sampled_from(list(wire_type))
    assert issubclass(wire_type, WireChoice)
    return st.sampled_from(list(wire_type.kinds)).flatmap(lambda kind: _choices(wire_type, kind, version))


def _choices(wire_type: Any, kind: Any, version: int) -> st.SearchStrategy[Any]:
    payload = [values_of(part, version) for part in wire_type.payload_types.get(kind, ())]
    return st.builds(wire_type, st.just(kind), *payload)


def _values_of_annotated(base: Any, metadata: tuple[Any, ...], version: int) -> st.SearchStrategy[Any]:
    (mark,) = metadata
    if isinstance(mark, declarations.Scalar):
        bits = _BITS[mark.format.upper()]
        signed = mark.format.islower()
        low = -(1 << (bits - 1)) if signed else 0
        return st.integers(low, (1 << (bits - signed)) - 1)
    if isinstance(mark, declarations.Union):
        return st.one_of(*[values_of(variant, version) for _, variant in mark.variants])
    if mark is declarations.Marker.VARINT:
        return st.integers(-(1 << 63), (1 << 63) - 1)
    if isinstance(mark, declarations.TaggedAs):
        return st.sampled_from(list(base))
    return _BYTES
