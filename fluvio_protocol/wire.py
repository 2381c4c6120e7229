"""Declarations of the wire: a struct is written once, its codec at each version is derived from it.

Encoding rules: docs/protocol.md, "Primitive encoding" (positional, big-endian, no field numbers). A field's
annotation is its wire type; `since(...)` says in which versions it exists. `codec(type, version)` derives
an encoder and a bounded decoder once and caches them.

How the pieces fit:

* scalars are annotations (`u8` ... `i64`, `bool`, `varint`); `str`, `bytes`, `list[T]`, `dict[K, V]`,
  `T | None`, `IntEnum` subclasses and `@wire_struct` classes are used directly; `blob` is a byte field
  that decodes to a view of the frame, so no record is copied;
* `union({tag: Struct, ...})` is a sum of structs, `@wire_choice` a sum whose variants carry at most a
  few values (`ErrorCode`);
* a struct may be generic: `ListResponse[TopicSpec, TopicStatus]` has a codec of its own.

A decoder never trusts a length: it is compared with what is left of the frame, at the least size that the
announced elements can have, before anything is allocated. Every failure is a `DecodeError`.
"""

import dataclasses
import enum
import struct
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, dataclass_transform, get_args, get_origin

from fluvio_types.errors import FluvioError

ANY_VERSION = 1 << 15  # above every version: the upper bound of a field that was never removed
MAX_STRING_BYTES = 32_767  # readers take the u16 length as signed


class DecodeError(FluvioError):
    """Bytes from a peer or a file do not have the declared layout."""


class EncodeError(FluvioError):
    """A value does not fit its declared wire type."""


@dataclass(slots=True, frozen=True)
class Scalar:
    """A fixed-size number; `format` is its `struct` character."""

    format: str


class _Marker(enum.Enum):
    VARINT = "varint"
    BLOB = "blob"
    VARBYTES = "varbytes"


u8 = Annotated[int, Scalar("B")]
i8 = Annotated[int, Scalar("b")]
u16 = Annotated[int, Scalar("H")]
i16 = Annotated[int, Scalar("h")]
u32 = Annotated[int, Scalar("I")]
i32 = Annotated[int, Scalar("i")]
u64 = Annotated[int, Scalar("Q")]
i64 = Annotated[int, Scalar("q")]
varint = Annotated[int, _Marker.VARINT]
blob = Annotated[bytes | memoryview, _Marker.BLOB]  # u32 length, then bytes; decodes to a view, not a copy
varbytes = Annotated[bytes, _Marker.VARBYTES]  # varint length, then bytes


@dataclass(slots=True, frozen=True)
class TaggedAs:
    """In `Annotated[SomeIntEnum, TaggedAs("h")]`: the struct format of an enum's tag, where it is not u8."""

    format: str


@dataclass(slots=True, frozen=True)
class _Union:
    variants: tuple[tuple[int, Any], ...]


def union(variants: Mapping[int, type]) -> Any:
    """Metadata of `Annotated[A | B, union({0: A, 1: B})]`: u8 tag, then the variant's fields."""
    return _Union(tuple(variants.items()))


@dataclass(slots=True, frozen=True)
class _Gate:
    since: int
    until: int  # last version that has the field


def since(
    version: int, *, until: int = ANY_VERSION, default: Any = dataclasses.MISSING, default_factory: Any = None
) -> Any:
    """A field that exists in versions `version..until` only; elsewhere it reads as its default."""
    metadata = {"gate": _Gate(version, until)}
    if default_factory is not None:
        return dataclasses.field(default_factory=default_factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


_T = TypeVar("_T")


@dataclass_transform(kw_only_default=True, field_specifiers=(dataclasses.field, since))
def wire_struct(cls: type[_T]) -> type[_T]:
    """Declare a struct: its annotations, in order, are its fields on the wire."""
    return dataclass(slots=True, kw_only=True)(cls)


class WireChoice:
    """A tag and the few values that belong to it: `kind` and `payload` (a tuple, often empty).

    Subclasses are made by `@wire_choice`; equality is by value.
    """

    __slots__ = ("kind", "payload")
    tag_format: typing.ClassVar[str]
    kinds: typing.ClassVar[type[enum.IntEnum]]
    payload_types: typing.ClassVar[Mapping[Any, tuple[Any, ...]]]

    def __init__(self, kind: Any = 0, *payload: Any) -> None:
        self.kind: Any = self.kinds(kind)
        self.payload: tuple[Any, ...] = payload

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and (other.kind, other.payload) == (self.kind, self.payload)

    def __hash__(self) -> int:
        return hash((type(self), self.kind, self.payload))

    def __repr__(self) -> str:
        inner = "".join(f", {value!r}" for value in self.payload)
        return f"{type(self).__name__}({self.kind.name}{inner})"


def wire_choice(
    kinds: type[enum.IntEnum], payload_types: Mapping[Any, tuple[Any, ...]], *, tag_format: str = "B"
) -> Callable[[type[_T]], type[_T]]:
    """Declare a `WireChoice` subclass: the enum of its tags, and the types of the payload of some of them."""

    def declare(cls: type[_T]) -> type[_T]:
        choice = typing.cast("type[WireChoice]", cls)
        choice.kinds, choice.payload_types, choice.tag_format = kinds, payload_types, tag_format
        return cls

    return declare


class Reader:
    """A bounded cursor over one frame. `data` must outlive every view that was taken from it."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.data = data if isinstance(data, memoryview) else memoryview(data)
        self.position = 0
        self.end = len(self.data)

    @property
    def remaining(self) -> int:
        """Bytes not yet read."""
        return self.end - self.position

    def take(self, size: int) -> memoryview:
        """The next `size` bytes, as a view; raises `DecodeError` when there are fewer."""
        start = self.position
        stop = start + size
        if size < 0 or stop > self.end:
            raise DecodeError(f"{size} bytes announced at byte {start}, {self.end - start} are left")
        self.position = stop
        return self.data[start:stop]

    def read_varint(self) -> int:
        """A zigzag LEB128 number of at most 64 bits."""
        data, position, end = self.data, self.position, self.end
        result = shift = 0
        while position < end:
            byte = data[position]
            position += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                if result >> 64:
                    break
                self.position = position
                return (result >> 1) ^ -(result & 1)
            shift += 7
            if shift > 63:
                break
        raise DecodeError(f"no valid varint at byte {self.position}")


def encode_varint(value: int) -> bytes:
    """Zigzag, then 7 bits a byte, low group first. Raises `EncodeError` outside 64 bits."""
    if not -(1 << 63) <= value < 1 << 63:
        raise EncodeError(f"{value} does not fit a 64 bit varint")
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


Encoder = Callable[[bytearray, Any], None]
Decoder = Callable[[Reader], Any]


@dataclass(slots=True, frozen=True)
class Codec:
    """Both directions of one type at one version; `min_bytes` is the least size of an encoded value."""

    encode: Encoder
    decode: Decoder
    min_bytes: int


_codecs: dict[tuple[Any, int], Codec] = {}


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
    except (struct.error, UnicodeEncodeError, AttributeError, TypeError) as exc:
        raise EncodeError(f"{type(value).__name__} v{version}: {exc}") from exc


def decode(wire_type: type[_T], data: bytes | bytearray | memoryview | Reader, version: int) -> _T:
    """Read one value; bytes after it are left alone. Raises `DecodeError` naming the type and version."""
    reader = data if isinstance(data, Reader) else Reader(data)
    try:
        return codec(wire_type, version).decode(reader)  # type: ignore[no-any-return]
    except DecodeError as exc:
        raise DecodeError(f"{type_name(wire_type)} v{version}: {exc}") from exc


def type_name(wire_type: Any) -> str:
    """A readable name: `ListResponse[TopicSpec, TopicStatus]`."""
    arguments = get_args(wire_type)
    origin = get_origin(wire_type)
    if origin is None or not isinstance(origin, type):
        return getattr(wire_type, "__name__", str(wire_type))
    return f"{origin.__name__}[{', '.join(type_name(a) for a in arguments)}]"


# --- deriving -------------------------------------------------------------------------------------------


def _derive(wire_type: Any, version: int) -> Codec:
    origin = get_origin(wire_type)
    if origin is Annotated:
        return _derive_annotated(wire_type, version)
    if origin is list:
        (item,) = get_args(wire_type)
        return _bytes_codec() if item is u8 else _list_codec(codec(item, version))
    if origin is dict:
        key, value = get_args(wire_type)
        return _map_codec(codec(key, version), codec(value, version))
    if origin in (typing.Union, types.UnionType):
        inner = [argument for argument in get_args(wire_type) if argument is not type(None)]
        if len(inner) != 1:
            raise TypeError(f"{wire_type} needs `union(...)` metadata")
        return _option_codec(codec(inner[0], version))
    if isinstance(origin, type) and dataclasses.is_dataclass(origin):
        substitution = dict(zip(origin.__parameters__, get_args(wire_type), strict=True))  # type: ignore[attr-defined]
        return _struct_codec(origin, version, substitution)
    if wire_type is bool:
        return Codec(_encode_bool, _decode_bool, 1)
    if wire_type is str:
        return Codec(_encode_string, _decode_string, 2)
    if wire_type is bytes:
        return _bytes_codec()
    if isinstance(wire_type, type):
        if issubclass(wire_type, enum.IntEnum):
            return _enum_codec(wire_type, "B")
        if issubclass(wire_type, WireChoice):
            return _choice_codec(wire_type, version)
        if dataclasses.is_dataclass(wire_type):
            return _struct_codec(wire_type, version, {})
    raise TypeError(f"{wire_type!r} is not a wire type")


def _derive_annotated(wire_type: Any, version: int) -> Codec:
    base, *metadata = get_args(wire_type)
    for mark in metadata:
        if isinstance(mark, Scalar):
            return _scalar_codec(mark.format)
        if isinstance(mark, TaggedAs):
            return _enum_codec(base, mark.format)
        if isinstance(mark, _Union):
            return _union_codec(mark, version)
        if mark is _Marker.VARINT:
            return Codec(lambda out, value: out.extend(encode_varint(value)), Reader.read_varint, 1)
        if mark is _Marker.VARBYTES:
            return Codec(_encode_varbytes, lambda reader: bytes(reader.take(reader.read_varint())), 1)
        if mark is _Marker.BLOB:
            return Codec(_encode_bytes, _decode_blob, 4)
    return codec(base, version)


def _scalar_codec(format_character: str) -> Codec:
    layout = struct.Struct(">" + format_character)
    size, pack, unpack = layout.size, layout.pack, layout.unpack_from

    def decode_scalar(reader: Reader) -> Any:
        start = reader.position
        if start + size > reader.end:
            raise DecodeError(f"{size} bytes wanted at byte {start}, {reader.end - start} are left")
        reader.position = start + size
        return unpack(reader.data, start)[0]

    return Codec(lambda out, value: out.extend(pack(value)), decode_scalar, size)


_U8, _U16, _I32, _U32 = (_scalar_codec(character) for character in "BHiI")


def _encode_bool(out: bytearray, value: bool) -> None:
    out.append(1 if value else 0)


def _decode_bool(reader: Reader) -> bool:
    byte: int = _U8.decode(reader)
    if byte > 1:
        raise DecodeError(f"{byte} is not a boolean, at byte {reader.position - 1}")
    return byte == 1


def _encode_string(out: bytearray, value: str) -> None:
    data = value.encode()
    if len(data) > MAX_STRING_BYTES:
        raise EncodeError(f"a string of {len(data)} bytes is longer than {MAX_STRING_BYTES}")
    out += len(data).to_bytes(2, "big")
    out += data


def _decode_string(reader: Reader) -> str:
    length = _U16.decode(reader)
    if length == 0 or length > MAX_STRING_BYTES:  # negative as i16: upstream reads it as empty
        return ""
    try:
        return str(reader.take(length), "utf-8")
    except UnicodeDecodeError as exc:
        raise DecodeError(f"a string is not UTF-8: {exc.reason}") from exc


def _encode_bytes(out: bytearray, value: bytes | memoryview) -> None:
    out += len(value).to_bytes(4, "big")
    out += value


def _decode_blob(reader: Reader) -> memoryview:
    return reader.take(max(_I32.decode(reader), 0))


def _bytes_codec() -> Codec:
    return Codec(_encode_bytes, lambda reader: bytes(_decode_blob(reader)), 4)


def _encode_varbytes(out: bytearray, value: bytes) -> None:
    out += encode_varint(len(value))
    out += value


def _list_codec(item: Codec) -> Codec:
    encode_item, decode_item, least = item.encode, item.decode, max(item.min_bytes, 1)

    def encode_list(out: bytearray, values: list[Any]) -> None:
        out.extend(len(values).to_bytes(4, "big"))
        for value in values:
            encode_item(out, value)

    def decode_list(reader: Reader) -> list[Any]:
        count = _I32.decode(reader)
        if count * least > reader.end - reader.position:
            raise DecodeError(
                f"{count} elements announced at byte {reader.position}, {reader.remaining} bytes are left"
            )
        return [decode_item(reader) for _ in range(count)]

    return Codec(encode_list, decode_list, 4)


def _map_codec(key: Codec, value: Codec) -> Codec:
    least = key.min_bytes + value.min_bytes

    def encode_map(out: bytearray, values: dict[Any, Any]) -> None:
        out.extend(len(values).to_bytes(2, "big"))
        for name in sorted(values):
            key.encode(out, name)
            value.encode(out, values[name])

    def decode_map(reader: Reader) -> dict[Any, Any]:
        count = _U16.decode(reader)
        if count * least > reader.remaining:
            raise DecodeError(
                f"{count} entries announced at byte {reader.position}, {reader.remaining} bytes are left"
            )
        return {key.decode(reader): value.decode(reader) for _ in range(count)}

    return Codec(encode_map, decode_map, 2)


def _option_codec(inner: Codec) -> Codec:
    def encode_option(out: bytearray, value: Any) -> None:
        if value is None:
            out.append(0)
        else:
            out.append(1)
            inner.encode(out, value)

    def decode_option(reader: Reader) -> Any:
        return inner.decode(reader) if _decode_bool(reader) else None

    return Codec(encode_option, decode_option, 1)


def _enum_codec(kinds: type[enum.IntEnum], tag_format: str) -> Codec:
    tag = _scalar_codec(tag_format)
    members: dict[int, enum.IntEnum] = {member.value: member for member in kinds}

    def decode_enum(reader: Reader) -> enum.IntEnum:
        number = tag.decode(reader)
        member = members.get(number)
        if member is None:
            raise DecodeError(f"{number} is not a {kinds.__name__}")
        return member

    return Codec(tag.encode, decode_enum, tag.min_bytes)


def _choice_codec(choice: type[WireChoice], version: int) -> Codec:
    tag = _enum_codec(choice.kinds, choice.tag_format)
    payloads = {
        kind: tuple(codec(wire_type, version) for wire_type in wire_types)
        for kind, wire_types in choice.payload_types.items()
    }

    def encode_choice(out: bytearray, value: WireChoice) -> None:
        tag.encode(out, value.kind)
        for inner, part in zip(payloads.get(value.kind, ()), value.payload, strict=True):
            inner.encode(out, part)

    def decode_choice(reader: Reader) -> WireChoice:
        kind = tag.decode(reader)
        return choice(kind, *[inner.decode(reader) for inner in payloads.get(kind, ())])

    return Codec(encode_choice, decode_choice, tag.min_bytes)


def _union_codec(mark: _Union, version: int) -> Codec:
    decoders = {tag: codec(variant, version).decode for tag, variant in mark.variants}
    encoders = {
        get_origin(variant) or variant: (tag, codec(variant, version).encode)
        for tag, variant in mark.variants
    }

    def encode_union(out: bytearray, value: Any) -> None:
        found = encoders.get(type(value))
        if found is None:
            raise EncodeError(f"{type(value).__name__} is no variant of this union")
        out.append(found[0])
        found[1](out, value)

    def decode_union(reader: Reader) -> Any:
        tag = _U8.decode(reader)
        decode_variant = decoders.get(tag)
        if decode_variant is None:
            raise DecodeError(f"unknown variant {tag} at byte {reader.position - 1}")
        return decode_variant(reader)

    return Codec(encode_union, decode_union, 1)


def _substitute(wire_type: Any, substitution: Mapping[Any, Any]) -> Any:
    if not substitution:
        return wire_type
    if isinstance(wire_type, TypeVar):
        return substitution[wire_type]
    parameters = getattr(wire_type, "__parameters__", ())
    if parameters:
        return wire_type[tuple(substitution[parameter] for parameter in parameters)]
    return wire_type


def _struct_codec(cls: type, version: int, substitution: Mapping[Any, Any]) -> Codec:
    fields: list[tuple[str, Codec]] = []
    annotations = typing.get_type_hints(cls, include_extras=True)
    for declared in dataclasses.fields(cls):
        gate: _Gate | None = declared.metadata.get("gate")
        if gate is None or gate.since <= version <= gate.until:
            fields.append(
                (declared.name, codec(_substitute(annotations[declared.name], substitution), version))
            )
    encoders = tuple((name, field_codec.encode) for name, field_codec in fields)
    decoders = tuple((name, field_codec.decode) for name, field_codec in fields)

    def encode_struct(out: bytearray, value: Any) -> None:
        for name, encode_field in encoders:
            encode_field(out, getattr(value, name))

    def decode_struct(reader: Reader) -> Any:
        return cls(**{name: decode_field(reader) for name, decode_field in decoders})

    return Codec(encode_struct, decode_struct, sum(field_codec.min_bytes for _, field_codec in fields))


# --- requests -------------------------------------------------------------------------------------------

Side = Literal["sc", "spu", "sc-private", "spu-private", "mirror"]


@dataclass(slots=True, frozen=True)
class RequestInfo:
    """What a request's class declares about itself beside its fields."""

    side: Side  # which port serves it
    key: int
    min_version: int  # lowest version our client sends
    max_version: int  # highest version that is defined
    response: Any  # wire type of the answer; None: one-way


_requests: dict[type, RequestInfo] = {}


def request(*, side: Side, key: int, versions: range, response: Any) -> Callable[[type[_T]], type[_T]]:
    """Declare a struct to be the body of a request: its API key, versions and the type of its answer."""

    def declare(cls: type[_T]) -> type[_T]:
        _requests[cls] = RequestInfo(side, int(key), versions[0], versions[-1], response)
        return cls

    return declare


def request_info(cls: type) -> RequestInfo:
    """What `@request` recorded for `cls`; raises `KeyError` when it is no request."""
    return _requests[cls]


def declared_requests() -> Mapping[type, RequestInfo]:
    """Every request declared by the API modules imported so far."""
    return types.MappingProxyType(_requests)
