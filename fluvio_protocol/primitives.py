"""What every codec is made of: a bounded reader, the two errors, and the codecs of the basic types.

Encoding rules: docs/protocol.md, "Primitive encoding". A decoder never trusts a length: it is compared with
what is left of the input, at the least size that the announced elements can have, before anything is
allocated; and one input may announce `MAX_ELEMENTS` elements in all. So decoding takes memory and time in
proportion to the input, whatever it says.
"""

import enum
import struct
from collections.abc import Callable
from typing import Any

from fluvio_types.errors import FluvioError

MAX_STRING_BYTES = 32_767  # readers take the u16 length as signed
MAX_ELEMENTS = 1_000_000  # of all lists and maps in one input; far above what any cluster needs


class DecodeError(FluvioError):
    """Bytes from a peer or a file do not have the declared layout."""


class EncodeError(FluvioError):
    """A value does not fit its declared wire type."""


class Reader:
    """A bounded cursor over one frame. `data` must outlive every view that was taken from it."""

    __slots__ = ("data", "elements_left", "end", "position")

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.data = data if isinstance(data, memoryview) else memoryview(data)
        self.position = 0
        self.end = len(self.data)
        self.elements_left = MAX_ELEMENTS

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
        while position < end and shift <= 63:
            byte = data[position]
            position += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                if result >> 64:
                    break
                self.position = position
                return (result >> 1) ^ -(result & 1)
            shift += 7
        raise DecodeError(f"no valid varint at byte {self.position}")

    def admit(self, count: int, least_bytes: int) -> int:
        """Check that `count` elements of at least `least_bytes` can follow; less than none are none."""
        if count <= 0:
            return 0
        if count * least_bytes > self.end - self.position:
            raise DecodeError(
                f"{count} elements announced at byte {self.position}, {self.remaining} bytes are left"
            )
        self.elements_left -= count
        if self.elements_left < 0:
            raise DecodeError(f"more than {MAX_ELEMENTS} elements announced at byte {self.position}")
        return count


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


class Codec:
    """Both directions of one type at one version; `min_bytes` is the least size of an encoded value.

    `format` is the `struct` character with which a fixed-size value is packed, else empty: neighbours of
    that kind are encoded at once.
    """

    __slots__ = ("decode", "encode", "format", "min_bytes")

    def __init__(self, encode: Encoder, decode: Decoder, min_bytes: int, format_character: str = "") -> None:
        self.encode = encode
        self.decode = decode
        self.min_bytes = min_bytes
        self.format = format_character


def _scalar(format_character: str) -> Codec:
    layout = struct.Struct(">" + format_character)
    size, pack, unpack = layout.size, layout.pack, layout.unpack_from

    def decode_scalar(reader: Reader) -> Any:
        start = reader.position
        stop = start + size
        if stop > reader.end:
            raise DecodeError(f"{size} bytes wanted at byte {start}, {reader.end - start} are left")
        reader.position = stop
        return unpack(reader.data, start)[0]

    def encode_scalar(out: bytearray, value: Any) -> None:
        out += pack(value)

    return Codec(encode_scalar, decode_scalar, size, format_character)


SCALARS = {character: _scalar(character) for character in "BbHhIiQq"}
_read_u16 = struct.Struct(">H").unpack_from
_read_i32 = struct.Struct(">i").unpack_from


def encode_bool(out: bytearray, value: bool) -> None:
    """One byte, 0 or 1."""
    out.append(1 if value else 0)


def decode_bool(reader: Reader) -> bool:
    """One byte; all but 0 and 1 is an error."""
    start = reader.position
    byte = reader.data[start] if start < reader.end else 2
    if byte > 1:
        raise DecodeError(
            f"no boolean at byte {start}: {bytes(reader.data[start : start + 1]).hex() or 'end'}"
        )
    reader.position = start + 1
    return byte == 1


def encode_string(out: bytearray, value: str) -> None:
    """u16 length in bytes, UTF-8. Raises `EncodeError` when it is too long for readers."""
    data = value.encode()
    if len(data) > MAX_STRING_BYTES:
        raise EncodeError(f"a string of {len(data)} bytes is longer than {MAX_STRING_BYTES}")
    out += len(data).to_bytes(2, "big")
    out += data


def decode_string(reader: Reader) -> str:
    """A length that is negative as i16 reads as the empty string, as official readers have it."""
    start = reader.position + 2
    if start > reader.end:
        raise DecodeError(f"2 bytes wanted at byte {start - 2}, {reader.remaining} are left")
    length: int = _read_u16(reader.data, start - 2)[0]
    reader.position = start
    if length == 0 or length > MAX_STRING_BYTES:
        return ""
    try:
        return str(reader.take(length), "utf-8")
    except UnicodeDecodeError as exc:
        raise DecodeError(f"a string is not UTF-8: {exc.reason}") from exc


def encode_bytes(out: bytearray, value: bytes | memoryview) -> None:
    """u32 length, then the bytes."""
    out += len(value).to_bytes(4, "big")
    out += value


def decode_blob(reader: Reader) -> memoryview:
    """A view into the input; a length that is negative as i32 reads as nothing."""
    return reader.take(max(_read_length(reader), 0))


def _read_length(reader: Reader) -> int:
    start = reader.position
    if start + 4 > reader.end:
        raise DecodeError(f"4 bytes wanted at byte {start}, {reader.remaining} are left")
    reader.position = start + 4
    length: int = _read_i32(reader.data, start)[0]
    return length


def decode_bytes(reader: Reader) -> bytes:
    """The same, copied out of the input."""
    return bytes(decode_blob(reader))


def _encode_varint_into(out: bytearray, value: int) -> None:
    out += encode_varint(value)


def _encode_varbytes(out: bytearray, value: bytes) -> None:
    out += encode_varint(len(value))
    out += value


def _decode_varbytes(reader: Reader) -> bytes:
    return bytes(reader.take(reader.read_varint()))


BOOL = Codec(encode_bool, decode_bool, 1, "?")
STRING = Codec(encode_string, decode_string, 2)
BYTES = Codec(encode_bytes, decode_bytes, 4)
BLOB = Codec(encode_bytes, decode_blob, 4)
VARINT = Codec(_encode_varint_into, Reader.read_varint, 1)
VARBYTES = Codec(_encode_varbytes, _decode_varbytes, 1)


def list_codec(item: Codec) -> Codec:
    """u32 count (read as i32), then the elements."""
    # An element of no bytes counts as one byte, or a few bytes could announce any number of them.
    encode_item, decode_item, least = item.encode, item.decode, max(item.min_bytes, 1)

    def encode_list(out: bytearray, values: list[Any]) -> None:
        out += len(values).to_bytes(4, "big")
        for value in values:
            encode_item(out, value)

    def decode_list(reader: Reader) -> list[Any]:
        count = reader.admit(_read_length(reader), least)
        return [decode_item(reader) for _ in range(count)]

    return Codec(encode_list, decode_list, 4)


def map_codec(key: Codec, value: Codec) -> Codec:
    """u16 count, then key and value in turn, by ascending key."""
    least = max(key.min_bytes + value.min_bytes, 1)

    def encode_map(out: bytearray, values: dict[Any, Any]) -> None:
        out += len(values).to_bytes(2, "big")
        for name in sorted(values):
            key.encode(out, name)
            value.encode(out, values[name])

    def decode_map(reader: Reader) -> dict[Any, Any]:
        count = reader.admit(SCALARS["H"].decode(reader), least)
        return {key.decode(reader): value.decode(reader) for _ in range(count)}

    return Codec(encode_map, decode_map, 2)


def option_codec(inner: Codec) -> Codec:
    """A bool, then the value when it is true."""
    encode_inner, decode_inner = inner.encode, inner.decode

    def encode_option(out: bytearray, value: Any) -> None:
        if value is None:
            out.append(0)
        else:
            out.append(1)
            encode_inner(out, value)

    def decode_option(reader: Reader) -> Any:
        return decode_inner(reader) if decode_bool(reader) else None

    return Codec(encode_option, decode_option, 1)


def enum_codec(kinds: type[enum.IntEnum], tag_format: str) -> Codec:
    """The number of a member, as a scalar; an unknown number is an error."""
    tag = SCALARS[tag_format]
    decode_tag = tag.decode
    members: dict[int, enum.IntEnum] = {member.value: member for member in kinds}

    def decode_enum(reader: Reader) -> enum.IntEnum:
        number = decode_tag(reader)
        member = members.get(number)
        if member is None:
            raise DecodeError(f"{number} is not a {kinds.__name__}")
        return member

    return Codec(tag.encode, decode_enum, tag.min_bytes, tag_format)
