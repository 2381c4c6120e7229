"""The words in which the wire is declared: scalars, structs, choices, requests.

A struct's annotations, in order, are its fields on the wire; `wire` derives the codecs. `wire_struct` does
what a keyword-only dataclass with slots does, but generates no code: a class costs 30 µs at import instead
of 500 µs, and a short-lived command imports sixty of them. `dataclasses.fields`, `replace` and `asdict`
work on wire structs all the same.
"""

import enum
import typing
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar, dataclass_transform

ANY_VERSION = 1 << 15  # above every version: the upper bound of a field that was never removed
MISSING: Any = object()

_T = TypeVar("_T")


# --- wire types -----------------------------------------------------------------------------------------


class Scalar:
    """A fixed-size number; `format` is its `struct` character."""

    __slots__ = ("format", "name")

    def __init__(self, name: str, format_character: str) -> None:
        self.name = name
        self.format = format_character


class TaggedAs:
    """In `Annotated[SomeIntEnum, TaggedAs("h")]`: the struct format of an enum's tag, where it is not u8."""

    __slots__ = ("format",)

    def __init__(self, format_character: str) -> None:
        self.format = format_character


class Marker(enum.Enum):
    """Wire types that are neither a number of fixed size nor told by their Python type."""

    VARINT = "varint"
    BLOB = "blob"
    VARBYTES = "varbytes"


u8 = Annotated[int, Scalar("u8", "B")]
i8 = Annotated[int, Scalar("i8", "b")]
u16 = Annotated[int, Scalar("u16", "H")]
i16 = Annotated[int, Scalar("i16", "h")]
u32 = Annotated[int, Scalar("u32", "I")]
i32 = Annotated[int, Scalar("i32", "i")]
u64 = Annotated[int, Scalar("u64", "Q")]
i64 = Annotated[int, Scalar("i64", "q")]
varint = Annotated[int, Marker.VARINT]
blob = Annotated[bytes | memoryview, Marker.BLOB]  # u32 length, then bytes; decodes to a view, not a copy
varbytes = Annotated[bytes, Marker.VARBYTES]  # varint length, then bytes


class Union:
    """Metadata of a sum of structs; made by `union`."""

    __slots__ = ("variants",)

    def __init__(self, variants: Mapping[int, type]) -> None:
        self.variants = tuple(variants.items())


def union(variants: Mapping[int, type]) -> Any:
    """Metadata of `Annotated[A | B, union({0: A, 1: B})]`: u8 tag, then the variant's fields."""
    return Union(variants)


# --- structs --------------------------------------------------------------------------------------------


class WireField:
    """One declared field: the versions that have it, and what it reads as elsewhere or when left out."""

    __slots__ = ("default", "default_factory", "name", "since", "until", "wire_type")

    def __init__(self, default: Any, default_factory: Any, since: int, until: int) -> None:
        self.default = default
        self.default_factory = default_factory
        self.since = since
        self.until = until  # last version that has the field
        self.name = ""
        self.wire_type: Any = None

    def make_default(self) -> Any:
        """What the field reads as in a version that lacks it."""
        return self.default if self.default_factory is MISSING else self.default_factory()


def field(*, default: Any = MISSING, default_factory: Any = MISSING) -> Any:
    """A field that every version has, with a default that a plain value cannot give."""
    return WireField(default, default_factory, 0, ANY_VERSION)


def since(
    version: int, *, until: int = ANY_VERSION, default: Any = MISSING, default_factory: Any = MISSING
) -> Any:
    """A field that exists in versions `version..until` only; elsewhere it reads as its default."""
    if default is MISSING and default_factory is MISSING:
        raise TypeError("a field that some versions lack needs a default")
    return WireField(default, default_factory, version, until)


class _Layout:
    """What `wire_struct` found out about one class."""

    __slots__ = ("defaults", "factories", "fields")

    def __init__(self, fields: tuple[WireField, ...]) -> None:
        self.fields = fields
        self.defaults = {each.name: each.default for each in fields if each.default is not MISSING}
        self.factories = [
            (each.name, each.default_factory) for each in fields if each.default_factory is not MISSING
        ]


def wire_fields(cls: type) -> tuple[WireField, ...]:
    """The fields of a wire struct, in wire order; raises `TypeError` for any other class."""
    layout: _Layout | None = getattr(cls, "__wire_layout__", None)
    if layout is None:
        raise TypeError(f"{cls!r} is not a wire struct")
    return layout.fields


def is_wire_struct(cls: Any) -> bool:
    """Whether `wire_struct` made this class."""
    return isinstance(cls, type) and hasattr(cls, "__wire_layout__")


@dataclass_transform(kw_only_default=True, field_specifiers=(field, since))
def wire_struct(cls: type[_T]) -> type[_T]:
    """Declare a struct: its annotations, in order, are its fields on the wire (those of its base first).

    The class gets a keyword-only constructor, equality by value, a repr, and slots for its fields. It is
    not hashable, since it can be changed.
    """
    own = _own_fields(cls)
    namespace = {name: value for name, value in vars(cls).items() if name not in own}
    namespace.pop("__dict__", None)
    namespace.pop("__weakref__", None)
    inherited = tuple(each for base in cls.__bases__ if is_wire_struct(base) for each in wire_fields(base))
    namespace |= {
        "__slots__": tuple(own),
        "__wire_layout__": _Layout((*inherited, *own.values())),
        "__dataclass_fields__": _DATACLASS_VIEW,
        "__init__": _init,
        "__eq__": _eq,
        "__hash__": None,
        "__qualname__": cls.__qualname__,
    }
    namespace.setdefault("__repr__", _repr)
    metaclass: Any = type(cls)
    return typing.cast("type[_T]", metaclass(cls.__name__, cls.__bases__, namespace))


def _own_fields(cls: type) -> dict[str, WireField]:
    fields: dict[str, WireField] = {}
    for name, wire_type in vars(cls).get("__annotations__", {}).items():
        declared = vars(cls).get(name, MISSING)
        if not isinstance(declared, WireField):
            declared = WireField(declared, MISSING, 0, ANY_VERSION)
        if declared.default is not MISSING and type(declared.default).__hash__ is None:
            raise TypeError(f"{cls.__name__}.{name}: a mutable default needs `default_factory`")
        declared.name, declared.wire_type = name, wire_type
        fields[name] = declared
    return fields


def _init(self: Any, **values: Any) -> None:
    layout: _Layout = type(self).__wire_layout__
    values = {**layout.defaults, **values}
    for name, factory in layout.factories:
        if name not in values:
            values[name] = factory()
    try:
        for name, value in values.items():
            setattr(self, name, value)
    except AttributeError as exc:
        raise TypeError(f"{type(self).__name__} has no field `{name}`") from exc
    if len(values) < len(layout.fields):
        absent = ", ".join(each.name for each in layout.fields if each.name not in values)
        raise TypeError(f"{type(self).__name__} lacks {absent}")


def _eq(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return all(getattr(self, each.name) == getattr(other, each.name) for each in wire_fields(type(self)))


def _repr(self: Any) -> str:
    inner = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in wire_fields(type(self)))
    return f"{type(self).__name__}({inner})"


class _DataclassView:
    """Gives the functions of `dataclasses` the fields of a wire struct, made when they first ask."""

    def __init__(self) -> None:
        self._made: dict[type, Any] = {}

    def __get__(self, instance: object, owner: type) -> Any:
        if owner not in self._made:
            import dataclasses

            names = [(each.name, each.wire_type) for each in wire_fields(owner)]
            view = dataclasses.make_dataclass(owner.__name__, names, kw_only=True)
            self._made[owner] = vars(view)["__dataclass_fields__"]
        return self._made[owner]


_DATACLASS_VIEW = _DataclassView()


# --- choices --------------------------------------------------------------------------------------------


class WireChoice:
    """A tag and the few values that belong to it: `kind` and `payload` (a tuple, often empty).

    Subclasses are made by `@wire_choice`; equality is by value. Decoded ones are shared: never change one.
    """

    __slots__ = ("kind", "payload")
    tag_format: typing.ClassVar[str]
    kinds: typing.ClassVar[type[enum.IntEnum]]
    payload_types: typing.ClassVar[Mapping[Any, tuple[Any, ...]]]

    def __init__(self, kind: Any = 0, *payload: Any) -> None:
        self.kind: Any = self.kinds(kind)
        self.payload: tuple[Any, ...] = payload
        if len(payload) != len(self.payload_types.get(self.kind, ())):
            raise TypeError(f"{type(self).__name__} {self.kind.name} does not have {len(payload)} values")

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


# --- requests -------------------------------------------------------------------------------------------

# Which port serves a request, or who receives it on a connection that is used both ways.
Side = Literal["sc", "spu", "sc-private", "spu-control", "spu-private", "leader", "follower"]


class RequestInfo:
    """What a request's class declares about itself beside its fields."""

    __slots__ = ("key", "max_version", "min_version", "response", "side")

    def __init__(self, side: Side, key: int, versions: range, response: Any) -> None:
        self.side: Side = side
        self.key = key
        self.min_version = versions[0]  # lowest version our client sends
        self.max_version = versions[-1]  # highest version that is defined
        self.response = response  # wire type of the answer; None: one-way


_requests: dict[type, RequestInfo] = {}


def request(*, side: Side, key: int, versions: range, response: Any) -> Callable[[type[_T]], type[_T]]:
    """Declare a struct to be the body of a request: its API key, versions and the type of its answer."""

    def declare(cls: type[_T]) -> type[_T]:
        _requests[cls] = RequestInfo(side, int(key), versions, response)
        return cls

    return declare


def request_info(cls: type) -> RequestInfo:
    """What `@request` recorded for `cls`; raises `KeyError` when it is no request."""
    return _requests[cls]


def declared_requests() -> Mapping[type, RequestInfo]:
    """Every request declared by the API modules imported so far."""
    return MappingProxyType(_requests)
