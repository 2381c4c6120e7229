"""The codec of a declared type at one version: derived once, then encodes and decodes.

This is the module that others import: it also offers the words of `declarations` and the errors and the
reader of `primitives`. How the pieces fit:

* scalars are annotations (`u8` ... `i64`, `bool`, `varint`); `str`, `bytes`, `list[T]`, `dict[K, V]`,
  `T | None`, `IntEnum` subclasses and `@wire_struct` classes are used directly; `blob` is a byte field
  that decodes to a view of the frame, so no record is copied;
* `since(...)` says in which versions a field exists;
* `union({tag: Struct, ...})` is a sum of structs, `@wire_choice` a sum whose variants carry at most a
  few values (`ErrorCode`);
* a struct may be generic: `ListResponse[TopicSpec, TopicStatus]` has a codec of its own.

Every failure is a `DecodeError` or an `EncodeError` that names the type and the version.
"""

import enum
import itertools
import struct
import types
import typing
from collections.abc import Mapping
from operator import attrgetter
from typing import Annotated, Any, TypeVar, get_args, get_origin

from fluvio_protocol.declarations import (
    ANY_VERSION,
    Marker,
    RequestInfo,
    Scalar,
    Side,
    TaggedAs,
    Union,
    WireChoice,
    WireField,
    blob,
    declared_requests,
    field,
    i8,
    i16,
    i32,
    i64,
    is_wire_struct,
    request,
    request_info,
    since,
    u8,
    u16,
    u32,
    u64,
    union,
    varbytes,
    varint,
    wire_choice,
    wire_fields,
    wire_struct,
)
from fluvio_protocol.primitives import (
    BLOB,
    BOOL,
    BYTES,
    MAX_ELEMENTS,
    MAX_STRING_BYTES,
    SCALARS,
    STRING,
    VARBYTES,
    VARINT,
    Codec,
    DecodeError,
    EncodeError,
    Encoder,
    Reader,
    encode_varint,
    enum_codec,
    list_codec,
    map_codec,
    option_codec,
)

__all__ = [
    # declaring
    "ANY_VERSION", "Side", "TaggedAs", "WireChoice", "WireField", "blob", "field", "i8", "i16", "i32", "i64",
    "is_wire_struct", "request", "since", "u8", "u16", "u32", "u64", "union", "varbytes", "varint",
    "wire_choice", "wire_fields", "wire_struct",
    # asking
    "RequestInfo", "declared_requests", "fields_at", "request_info",
    # coding
    "MAX_ELEMENTS", "MAX_STRING_BYTES", "Codec", "DecodeError", "EncodeError", "Reader", "codec", "decode",
    "encode", "encode_into", "encode_varint", "type_name",
]  # fmt: skip

_T = TypeVar("_T")
_codecs: dict[tuple[Any, int], Codec] = {}
_SUMS = (typing.Union, types.UnionType)


def codec(wire_type: Any, version: int) -> Codec:
    """The codec of `wire_type` at `version`, derived on first use."""
    key = (wire_type, version)
    found = _codecs.get(key)
    if found is None:
        found = _codecs[key] = _derive(wire_type, version)
    return found


def encode(value: Any, version: int, wire_type: Any = None) -> bytes:
    """The bytes of `value` (a wire struct, or anything with `wire_type` given). Raises `EncodeError`."""
    out = bytearray()
    encode_into(out, value, version, wire_type)
    return bytes(out)


def encode_into(out: bytearray, value: Any, version: int, wire_type: Any = None) -> None:
    """Append the bytes of `value` to `out`; what was appended before an `EncodeError` stays there."""
    try:
        codec(wire_type or type(value), version).encode(out, value)
    except (struct.error, ValueError, OverflowError, AttributeError, TypeError, EncodeError) as exc:
        name = type_name(wire_type or type(value))
        raise EncodeError(f"{name} v{version}: {exc}") from exc


def decode(wire_type: type[_T], data: bytes | bytearray | memoryview | Reader, version: int) -> _T:
    """Read one value; bytes after it are left alone. Raises `DecodeError` naming the type and version."""
    reader = data if isinstance(data, Reader) else Reader(data)
    try:
        return codec(wire_type, version).decode(reader)  # type: ignore[no-any-return]
    except DecodeError as exc:
        raise DecodeError(f"{type_name(wire_type)} v{version}: {exc}") from exc


def type_name(wire_type: Any) -> str:
    """As it is declared: `ListResponse[TopicSpec, TopicStatus]`, `dict[u32, list[i32]]`, `i64 | None`."""
    arguments = get_args(wire_type)
    origin = get_origin(wire_type)
    if wire_type is type(None):
        return "None"
    if origin is None:
        return getattr(wire_type, "__name__", str(wire_type))
    if origin is Annotated:
        return _annotated_name(arguments[0], arguments[1])
    if origin in _SUMS:
        return " | ".join(type_name(argument) for argument in arguments)
    return f"{origin.__name__}[{', '.join(type_name(argument) for argument in arguments)}]"


def _annotated_name(base: Any, mark: Any) -> str:
    if isinstance(mark, Scalar):
        return mark.name
    return mark.value if isinstance(mark, Marker) else type_name(base)


# --- deriving -------------------------------------------------------------------------------------------


def _derive(wire_type: Any, version: int) -> Codec:
    origin = get_origin(wire_type)
    if origin is Annotated:
        return _derive_annotated(wire_type, version)
    if origin is list:
        (item,) = get_args(wire_type)
        return BYTES if item is u8 else list_codec(codec(item, version))
    if origin is dict:
        key, value = get_args(wire_type)
        return map_codec(codec(key, version), codec(value, version))
    if origin in _SUMS:
        inner = [argument for argument in get_args(wire_type) if argument is not type(None)]
        if len(inner) != 1:
            raise TypeError(f"{wire_type} needs `union(...)` metadata")
        return option_codec(codec(inner[0], version))
    if is_wire_struct(origin or wire_type):
        return _struct_codec(wire_type, version)
    if wire_type in _PLAIN:
        return _PLAIN[wire_type]
    if isinstance(wire_type, type) and issubclass(wire_type, enum.IntEnum):
        return enum_codec(wire_type, "B")
    if isinstance(wire_type, type) and issubclass(wire_type, WireChoice):
        return _choice_codec(wire_type, version)
    raise TypeError(f"{wire_type!r} is not a wire type")


_PLAIN: dict[Any, Codec] = {bool: BOOL, str: STRING, bytes: BYTES}
_MARKED = {Marker.VARINT: VARINT, Marker.VARBYTES: VARBYTES, Marker.BLOB: BLOB}


def _derive_annotated(wire_type: Any, version: int) -> Codec:
    base, *metadata = get_args(wire_type)
    for mark in metadata:
        if isinstance(mark, Scalar):
            return SCALARS[mark.format]
        if isinstance(mark, TaggedAs):
            return enum_codec(base, mark.format)
        if isinstance(mark, Union):
            return _union_codec(mark, version)
        if isinstance(mark, Marker):
            return _MARKED[mark]
    return codec(base, version)


def _choice_codec(choice: type[WireChoice], version: int) -> Codec:
    tag = enum_codec(choice.kinds, choice.tag_format)
    decode_tag = tag.decode
    payloads = {
        kind: tuple(codec(wire_type, version) for wire_type in wire_types)
        for kind, wire_types in choice.payload_types.items()
    }
    bare = {kind: choice(kind) for kind in choice.kinds if kind not in payloads}  # most answers: `NONE`

    def encode_choice(out: bytearray, value: WireChoice) -> None:
        tag.encode(out, value.kind)
        for inner, part in zip(payloads.get(value.kind, ()), value.payload, strict=True):
            inner.encode(out, part)

    def decode_choice(reader: Reader) -> WireChoice:
        kind = decode_tag(reader)
        return bare.get(kind) or choice(kind, *[inner.decode(reader) for inner in payloads[kind]])

    return Codec(encode_choice, decode_choice, tag.min_bytes)


def _union_codec(mark: Union, version: int) -> Codec:
    decoders = {tag: codec(variant, version).decode for tag, variant in mark.variants}
    encoders = {
        get_origin(variant) or variant: (tag, codec(variant, version).encode)
        for tag, variant in mark.variants
    }
    decode_tag = SCALARS["B"].decode

    def encode_union(out: bytearray, value: Any) -> None:
        found = encoders.get(type(value))
        if found is None:
            raise EncodeError(f"{type(value).__name__} is no variant of this union")
        out.append(found[0])
        found[1](out, value)

    def decode_union(reader: Reader) -> Any:
        tag = decode_tag(reader)
        decode_variant = decoders.get(tag)
        if decode_variant is None:
            raise DecodeError(f"unknown variant {tag} at byte {reader.position - 1}")
        return decode_variant(reader)

    return Codec(encode_union, decode_union, 1)


def fields_at(wire_type: Any, version: int) -> list[tuple[WireField, Any]]:
    """The fields that a struct has at a version, each with its type; a generic's parameters are filled in."""
    cls = get_origin(wire_type) or wire_type
    arguments = get_args(wire_type)
    substitution = dict(zip(cls.__parameters__, arguments, strict=True)) if arguments else {}
    return [
        (declared, _substitute(declared.wire_type, substitution))
        for declared in wire_fields(cls)
        if declared.since <= version <= declared.until
    ]


def _substitute(wire_type: Any, substitution: Mapping[Any, Any]) -> Any:
    if isinstance(wire_type, TypeVar):
        return substitution[wire_type]
    parameters = getattr(wire_type, "__parameters__", ()) if substitution else ()
    if parameters:
        return wire_type[tuple(substitution[parameter] for parameter in parameters)]
    return wire_type


def _struct_codec(wire_type: Any, version: int) -> Codec:
    """Runs of neighbouring scalars are encoded at once; decoding fills the slots, past the constructor."""
    cls = get_origin(wire_type) or wire_type
    present = [
        (declared.name, codec(field_type, version)) for declared, field_type in fields_at(wire_type, version)
    ]
    absent = [declared for declared in wire_fields(cls) if not declared.since <= version <= declared.until]
    encoders = _fused_encoders(present)
    decoders = tuple((name, part.decode) for name, part in present)
    new = cls.__new__

    def encode_struct(out: bytearray, value: Any) -> None:
        for read_fields, encode_fields in encoders:
            encode_fields(out, read_fields(value))

    def decode_struct(reader: Reader) -> Any:
        value = new(cls)
        for name, decode_field in decoders:
            setattr(value, name, decode_field(reader))
        for declared in absent:
            setattr(value, declared.name, declared.make_default())
        return value

    return Codec(encode_struct, decode_struct, sum(part.min_bytes for _, part in present))


def _fused_encoders(parts: list[tuple[str, Codec]]) -> tuple[tuple[Any, Encoder], ...]:
    """Pairs of (what reads one field or a run of them, what encodes that)."""
    fused: list[tuple[Any, Encoder]] = []
    for has_format, run in itertools.groupby(parts, lambda part: bool(part[1].format)):
        members = list(run)
        if has_format and len(members) > 1:
            names, parts_of_run = zip(*members, strict=True)
            layout = struct.Struct(">" + "".join(part.format for part in parts_of_run))
            fused.append((attrgetter(*names), _run_encoder(layout)))
        else:
            fused += [(attrgetter(name), part.encode) for name, part in members]
    return tuple(fused)


def _run_encoder(layout: struct.Struct) -> Encoder:
    pack = layout.pack

    def encode_run(out: bytearray, values: tuple[Any, ...]) -> None:
        out += pack(*values)

    return encode_run
