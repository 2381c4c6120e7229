"""The codecs derived from declarations: primitives, structs, gates, unions, choices, generics."""

import copy
import dataclasses
import enum
from typing import Annotated, Generic, TypeVar

import pytest

from fluvio_protocol.wire import (
    DecodeError,
    EncodeError,
    Reader,
    TaggedAs,
    WireChoice,
    blob,
    codec,
    decode,
    encode,
    field,
    i8,
    i16,
    i32,
    i64,
    since,
    type_name,
    u8,
    u16,
    u32,
    u64,
    union,
    varbytes,
    varint,
    wire_choice,
    wire_struct,
)

T = TypeVar("T")


class Colour(enum.IntEnum):
    RED = 0
    BLUE = 3


@wire_struct
class Point:
    x: i16
    y: i16 = 0


@wire_struct
class Circle:
    centre: Point
    radius: u32 = since(2, until=4, default=7)
    tags: list[str] = since(3, default_factory=list)


Shape = Annotated[Point | Circle, union({0: Point, 5: Circle})]


@wire_struct
class Drawing:
    name: str = "new"
    shapes: list[Shape] = field(default_factory=list)
    colour: Colour = Colour.RED


@wire_struct
class Page(Generic[T]):
    number: u8
    items: list[T]


@wire_struct
class Named:
    name: str


@wire_struct
class NamedPoint(Named):
    at: Point

    @property
    def text(self) -> str:
        return f"{self.name} at {self.at.x}"


class Kind(enum.IntEnum):
    NOTHING = 0
    TEXT = 1
    PAIR = -2


@wire_choice(Kind, {Kind.TEXT: (str,), Kind.PAIR: (u8, str | None)}, tag_format="h")
class Word(WireChoice):
    __slots__ = ()


@pytest.mark.parametrize(
    ("wire_type", "value", "hexadecimal"),
    [
        (u8, 5, "05"),
        (i8, -1, "ff"),
        (u16, 1001, "03e9"),
        (i16, -2, "fffe"),
        (u32, 0xFFFF_FFFF, "ffffffff"),
        (i32, -1, "ffffffff"),
        (u64, 1 << 63, "8000000000000000"),
        (i64, 1555478494747, "0000016a29be3e1b"),
        (bool, True, "01"),
        (str, "ключ", "0008d0bad0bbd18ed187"),
        (bytes, b"\xde\xad", "00000002dead"),
        (list[u8], b"\xde\xad", "00000002dead"),
        (blob, b"\xde\xad", "00000002dead"),
        (varbytes, b"dog", "06646f67"),
        (varint, -134217729, "8180808001"),
        (varint, (1 << 63) - 1, "feffffffffffffffff01"),
        (varint, -(1 << 63), "ffffffffffffffffff01"),
        (str | None, None, "00"),
        (str | None, "wo", "010002776f"),
        (list[u16], [1, 2], "0000000200010002"),
        (dict[str, u8], {"b": 2, "a": 1}, "00020001610100016202"),
        (Colour, Colour.BLUE, "03"),
        (Annotated[Colour, TaggedAs("H")], Colour.BLUE, "0003"),
    ],
)
def test_basic_types_have_the_documented_bytes(wire_type, value, hexadecimal):
    assert encode(value, 0, wire_type).hex() == hexadecimal
    assert decode(wire_type, bytes.fromhex(hexadecimal), 0) == value


@pytest.mark.parametrize(
    ("wire_type", "hexadecimal", "message"),
    [
        (bool, "02", "no boolean at byte 0: 02"),
        (bool, "", "no boolean at byte 0: end"),
        (str, "0003 6162", "3 bytes announced at byte 2, 2 are left"),
        (str, "0001 ff", "not UTF-8"),
        (bytes, "00000005 00", "5 bytes announced at byte 4, 1 are left"),
        (u32, "000000", "4 bytes wanted at byte 0, 3 are left"),
        (varint, "ffffffffffffffffff02", "no valid varint at byte 0"),
        (varint, "80808080808080808080 00", "no valid varint"),
        (varint, "80", "no valid varint"),
        (varbytes, "01", "-1 bytes announced"),
        (Colour, "01", "1 is not a Colour"),
        (list[u16], "00000003 0001 0002", "3 elements announced at byte 4, 4 bytes are left"),
        (dict[u8, u8], "0002 0101 02", "2 entries|2 elements announced"),
        (Shape, "01", "unknown variant 1 at byte 0"),
        (Word, "0003", "3 is not a Kind"),
    ],
)
def test_malformed_bytes_raise_a_decode_error_that_says_what_and_where(wire_type, hexadecimal, message):
    with pytest.raises(DecodeError, match=message):
        decode(wire_type, bytes.fromhex(hexadecimal), 0)


@pytest.mark.parametrize(
    ("wire_type", "hexadecimal", "value"),
    [(str, "8000", ""), (str, "ffff", ""), (bytes, "ffffffff", b""), (list[u16], "80000000", [])],
)
def test_negative_lengths_read_as_nothing_as_official_readers_have_it(wire_type, hexadecimal, value):
    assert decode(wire_type, bytes.fromhex(hexadecimal), 0) == value


@pytest.mark.parametrize(
    ("wire_type", "value", "message"),
    [
        (str, "x" * 32_768, "a string of 32768 bytes is longer than 32767"),
        (str, "\ud800", "surrogates not allowed"),
        (u8, 256, "u8 v0: .*255"),
        (i16, 1 << 15, "i16 v0: .*32767"),
        (varint, 1 << 63, "does not fit a 64 bit varint"),
        (dict[u32, u8], dict.fromkeys(range(65_536), 0), "too big"),
        (Point, Circle(centre=Point(x=1)), "no attribute"),
        (Shape, "text", "str is no variant"),
        (list[str], [None], "NoneType"),
    ],
)
def test_values_that_do_not_fit_raise_an_encode_error(wire_type, value, message):
    with pytest.raises(EncodeError, match=message):
        encode(value, 0, wire_type)


def test_the_longest_string_fits():
    text = "x" * 32_767
    assert decode(str, encode(text, 0, str), 0) == text


def test_a_blob_is_a_view_of_the_frame_and_bytes_are_a_copy():
    frame = bytearray.fromhex("00000001 61")
    view, copied = decode(blob, frame, 0), decode(bytes, frame, 0)
    frame[4] = 0x62
    assert (bytes(view), copied) == (b"b", b"a")


@pytest.mark.parametrize(
    ("version", "hexadecimal"),
    [
        (1, "0001 0002"),
        (2, "0001 0002 00000009"),
        (3, "0001 0002 00000009 00000001 0001 74"),
        (4, "0001 0002 00000009 00000001 0001 74"),
        (5, "0001 0002 00000001 0001 74"),
    ],
)
def test_a_field_is_on_the_wire_in_its_versions_only(version, hexadecimal):
    data = bytes.fromhex(hexadecimal)
    assert encode(Circle(centre=Point(x=1, y=2), radius=9, tags=["t"]), version) == data
    decoded = decode(Circle, data, version)
    assert decoded.radius == (9 if 2 <= version <= 4 else 7)
    assert decoded.tags == (["t"] if version >= 3 else [])


def test_defaults_of_absent_fields_are_not_shared():
    first, second = (decode(Circle, bytes(4), 0) for _ in range(2))
    first.tags.append("mine")
    assert second.tags == []


def test_a_union_writes_the_tag_of_the_variant_and_its_fields():
    drawing = Drawing(name="d", shapes=[Point(x=1), Circle(centre=Point(x=2))], colour=Colour.BLUE)
    data = bytes.fromhex("0001 64 00000002 00 0001 0000 05 0002 0000 03")
    assert encode(drawing, 0) == data
    assert decode(Drawing, data, 0) == drawing


@pytest.mark.parametrize(
    ("word", "hexadecimal"),
    [
        (Word(Kind.NOTHING), "0000"),
        (Word(Kind.TEXT, "a"), "0001 0001 61"),
        (Word(Kind.PAIR, 7, None), "fffe 07 00"),
    ],
)
def test_a_choice_writes_its_tag_and_payload(word, hexadecimal):
    assert encode(word, 0) == bytes.fromhex(hexadecimal)
    assert decode(Word, bytes.fromhex(hexadecimal), 0) == word


def test_a_choice_is_equal_by_value_and_refuses_a_payload_that_it_does_not_have():
    assert Word(Kind.TEXT, "a") == Word(1, "a") != Word(Kind.TEXT, "b")
    assert len({Word(Kind.TEXT, "a"), Word(Kind.TEXT, "a")}) == 1
    assert repr(Word(Kind.PAIR, 1, None)) == "Word(PAIR, 1, None)"
    with pytest.raises(TypeError, match="Word TEXT does not have 0 values"):
        Word(Kind.TEXT)


def test_a_generic_struct_has_a_codec_of_its_own_for_each_argument():
    points, names = Page[Point], Page[str]
    assert encode(Page(number=1, items=[Point(x=1)]), 0, points).hex() == "010000000100010000"
    assert decode(names, bytes.fromhex("01 00000001 0001 61"), 0) == Page(number=1, items=["a"])
    assert codec(points, 0) is codec(points, 0) is not codec(names, 0)
    assert type_name(Page[Page[Point]]) == "Page[Page[Point]]"
    assert type_name(Page[list[u16 | None]]) == "Page[list[u16 | None]]"
    assert type_name(Shape) == "Point | Circle"


def test_a_derived_struct_has_the_fields_of_its_base_first_and_keeps_its_own_properties():
    value = NamedPoint(name="n", at=Point(x=3))
    assert encode(value, 0).hex() == "00016e00030000"
    assert decode(NamedPoint, encode(value, 0), 0).text == "n at 3"


def test_a_struct_is_a_value_with_slots():
    point = Point(x=1)
    assert repr(point) == "Point(x=1, y=0)"
    assert point == Point(x=1, y=0) != Point(x=2)
    assert point != Named(name="x")
    assert copy.copy(point) == point == copy.deepcopy(point)
    with pytest.raises(AttributeError):
        point.z = 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(point)


def test_the_constructor_says_what_is_missing_and_what_it_does_not_know():
    with pytest.raises(TypeError, match="Point lacks x"):
        Point(y=1)
    with pytest.raises(TypeError, match="Point has no field `z`"):
        Point(x=1, z=2)
    with pytest.raises(TypeError, match="Point has no field `z`"):
        Point(z=2)
    with pytest.raises(TypeError):
        Point(1, 2)


def test_declarations_that_would_go_wrong_later_are_refused():
    with pytest.raises(TypeError, match="a mutable default needs `default_factory`"):

        @wire_struct
        class Wrong:
            items: list[str] = []  # noqa: RUF012

    with pytest.raises(TypeError, match="needs a default"):
        since(3)
    with pytest.raises(TypeError, match="needs `union"):
        codec(Point | Circle, 0)
    with pytest.raises(TypeError, match="not a wire type"):
        codec(float, 0)


def test_the_functions_of_dataclasses_work_on_wire_structs():
    circle = Circle(centre=Point(x=1), tags=["a"])
    assert [each.name for each in dataclasses.fields(Circle)] == ["centre", "radius", "tags"]
    assert dataclasses.replace(circle, radius=1) == Circle(centre=Point(x=1), radius=1, tags=["a"])
    assert dataclasses.asdict(circle) == {"centre": {"x": 1, "y": 0}, "radius": 7, "tags": ["a"]}


def test_bytes_after_a_value_are_left_alone():
    reader = Reader(bytes.fromhex("0001 0002 ff"))
    assert decode(Point, reader, 0) == Point(x=1, y=2)
    assert (reader.position, reader.remaining) == (4, 1)


def test_errors_name_the_type_and_the_version():
    with pytest.raises(DecodeError, match=r"Page\[Point\] v3: "):
        decode(Page[Point], b"", 3)
    with pytest.raises(EncodeError, match="Point v3: "):
        encode(Point(x=1 << 20), 3)
