"""From the structs of the wire to the trees of metadata files, and back.

A tree is what YAML holds: None, bool, int, str, list, dict and `Tagged`. The spelling is the official
controller's (docs/metadata-format.md): camelCase fields, variants as tags, enum values as words. One rule per
sort of type, and small tables for the exceptions; the structs themselves are declared in
`fluvio_protocol.api` only.
"""

import base64
import binascii
import enum
import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin

from fluvio_protocol.api import mirror, partition, smartmodule, spu, table_format, topic
from fluvio_protocol.declarations import MISSING, Union
from fluvio_protocol.wire import WireChoice, wire_fields
from fluvio_types.errors import FluvioError

Tree = Any


class DocumentError(FluvioError):
    """A tree is not what its kind demands."""


@dataclass(slots=True)
class Tagged:
    """A value with a YAML tag; `tag` without the exclamation mark."""

    tag: str
    value: Tree


# --- what differs from the rules --------------------------------------------------------------------------

_TAGS: dict[type, str] = {
    topic.AssignedReplicas: "assigned",
    topic.TopicReplicaParam: "computed",
    topic.MirrorReplicas: "mirror",
    topic.SegmentBasedPolicy: "segment",
    mirror.RemotePartitionConfig: "remote",
    mirror.HomePartitionConfig: "home",
    mirror.RemoteMirrorConfig: "remote",
    mirror.HomeMirrorConfig: "home",
    mirror.RemoteMirror: "remote",
    mirror.HomeMirror: "home",
}
_AS_MAP = {mirror.RemoteMirrorConfig, mirror.HomeMirrorConfig}  # a map of one key in the tag's place
_NEWTYPES = {topic.AssignedReplicas, topic.MirrorReplicas}  # written as their only field
_NAMES = {(spu.SpuSpec, "id"): "spuId", (topic.Transform, "with_"): "with"}
_CAPITALS = {
    spu.EncryptionEnum,
    smartmodule.SmartModuleWasmFormat,
    table_format.DataFormat,
    table_format.TableFormatAlignment,
    table_format.Color,
}
_SMALL = {smartmodule.SmartModuleVisibility}
# Unset optional fields are left out, but for these, which are written as null.
_NULLED: dict[type, frozenset[str]] = {
    partition.PartitionSpec: frozenset({"cleanup_policy", "storage", "deduplication", "mirror"}),
    spu.IngressAddr: frozenset({"hostname", "ip"}),
    spu.SpuConfig: frozenset({"rack", "replication", "storage"}),
    spu.SpuGroupStatus: frozenset({"reason"}),
    smartmodule.SmartModuleSpec: frozenset({"meta"}),
    table_format.TableFormatSpec: frozenset({"input_format", "columns"}),
    table_format.TableFormatColumnConfig: frozenset(
        field.name for field in wire_fields(table_format.TableFormatColumnConfig)
    ),
    table_format.TableFormatStatus: frozenset({"reason"}),
}
_LEFT_OUT_WHEN_FALSE = {"source", "target"}


# --- to a tree --------------------------------------------------------------------------------------------


def to_tree(wire_type: Any, value: Any) -> Tree:
    """The tree of a value of `wire_type`: a struct, or anything that a struct holds."""
    origin = get_origin(wire_type)
    if value is None:
        return None
    if origin is Annotated:
        inner, *marks = get_args(wire_type)
        if not any(isinstance(mark, Union) for mark in marks):
            return to_tree(inner, value)
        cls = type(value)
        content = to_tree(cls, value)
        return {_TAGS[cls]: content} if cls in _AS_MAP else Tagged(_TAGS[cls], content)
    if _takes_none(wire_type):
        return to_tree(_present_type(wire_type), value)
    if origin is list:
        (item_type,) = get_args(wire_type)
        return [to_tree(item_type, item) for item in value]
    if origin is dict:
        _, item_type = get_args(wire_type)
        return {key: to_tree(item_type, item) for key, item in value.items()}
    return _plain_to_tree(wire_type, value)


def _plain_to_tree(wire_type: Any, value: Any) -> Tree:
    if wire_type in (int, str, bool):
        return value
    if wire_type is bytes:
        return base64.b64encode(value).decode()
    if issubclass(wire_type, enum.IntEnum):
        return _word(value)
    if issubclass(wire_type, WireChoice):
        return Tagged(_word(value.kind), value.payload[0]) if value.payload else _word(value.kind)
    if wire_type is topic.Duration:
        return format_duration(value)
    if wire_type in _NEWTYPES:
        (field,) = _fields(wire_type)
        return to_tree(field.wire_type, getattr(value, field.name))
    content: dict[str, Tree] = {}
    for field in _fields(wire_type):
        item = getattr(value, field.name)
        if item is None and field.name not in _NULLED.get(wire_type, ()):
            continue
        if item is False and field.name in _LEFT_OUT_WHEN_FALSE:
            continue
        content[field.spelled] = to_tree(field.wire_type, item)
    return content


def _word(member: enum.IntEnum) -> str:
    if type(member) in _CAPITALS:
        return member.name
    if type(member) in _SMALL:
        return member.name.lower()
    return "".join(part.capitalize() for part in member.name.split("_"))


def format_duration(value: topic.Duration) -> str:
    """`1day 2h 3s`, as the official files have it."""
    if not value.seconds and not value.nanos:
        return "0s"
    rest, parts = value.seconds, []
    for seconds, unit in ((86_400, "day"), (3_600, "h"), (60, "m"), (1, "s")):
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count}{unit}s" if unit == "day" and count > 1 else f"{count}{unit}")
    nanos = value.nanos
    for size, unit in ((1_000_000, "ms"), (1_000, "us"), (1, "ns")):
        count, nanos = divmod(nanos, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts)


# --- from a tree ------------------------------------------------------------------------------------------


def from_tree(wire_type: Any, tree: Tree, path: str = "") -> Any:
    """The value of `wire_type` that `tree` stands for. Raises `DocumentError` naming the place."""
    origin = get_origin(wire_type)
    if origin is Annotated:
        inner, *marks = get_args(wire_type)
        for mark in marks:
            if isinstance(mark, Union):
                return _variant([variant for _, variant in mark.variants], tree, path)
        return from_tree(inner, tree, path)
    if _takes_none(wire_type):
        return None if tree is None else from_tree(_present_type(wire_type), tree, path)
    if origin is list:
        (item_type,) = get_args(wire_type)
        items = _expect(list, tree, path)
        return [from_tree(item_type, item, f"{path}[{i}]") for i, item in enumerate(items)]
    if origin is dict:
        key_type, item_type = get_args(wire_type)
        return {
            _key(key_type, key, path): from_tree(item_type, item, f"{path}.{key}")
            for key, item in _expect(dict, tree, path).items()
        }
    return _plain_from_tree(wire_type, tree, path)


def _plain_from_tree(wire_type: type, tree: Tree, path: str) -> Any:
    if wire_type is int:
        if isinstance(tree, bool):
            raise DocumentError(f"`{path}` is a boolean where a number is expected")
        return _expect(int, tree, path)
    if wire_type in (str, bool):
        return _expect(wire_type, tree, path)
    if wire_type is bytes:
        try:
            return base64.b64decode(_expect(str, tree, path), validate=True)
        except binascii.Error as exc:
            raise DocumentError(f"`{path}` is no base64: {exc}") from exc
    if issubclass(wire_type, enum.IntEnum):
        return _member(wire_type, tree, path)
    if issubclass(wire_type, WireChoice):
        if isinstance(tree, Tagged):
            return wire_type(_member(wire_type.kinds, tree.tag, path), _expect(str, tree.value, path))
        return wire_type(_member(wire_type.kinds, tree, path))
    if wire_type is topic.Duration:
        return parse_duration(_expect(str, tree, path), path)
    return _struct_from_tree(wire_type, tree, path)


def _struct_from_tree(cls: type, tree: Tree, path: str) -> Any:
    if cls in _NEWTYPES:
        (only,) = _fields(cls)
        return cls(**{only.name: from_tree(only.wire_type, tree, path)})
    content = _expect(dict, tree, path)
    values: dict[str, Any] = {}
    for field in _fields(cls):
        spelled = field.spelled if field.spelled in content else field.name
        if spelled in content:
            values[field.name] = from_tree(field.wire_type, content[spelled], f"{path}.{field.spelled}")
        elif field.is_required:
            if not _takes_none(field.wire_type):
                raise DocumentError(f"`{path}.{field.spelled}` is missing")
            values[field.name] = None
    return cls(**values)


def _variant(variants: list[type], tree: Tree, path: str) -> Any:
    if isinstance(tree, Tagged):
        tag, content = tree.tag, tree.value
    elif isinstance(tree, dict) and len(tree) == 1:
        ((tag, content),) = tree.items()
    else:
        raise DocumentError(f"`{path}` lacks the tag that says what it is")
    for variant in variants:
        if _TAGS[variant] == tag:
            return from_tree(variant, content, f"{path}.{tag}")
    raise DocumentError(f"`{path}` has the unknown tag `!{tag}`")


def _member(kinds: type[enum.IntEnum], tree: Tree, path: str) -> enum.IntEnum:
    word = _expect(str, tree, path).replace("_", "").casefold()
    for member in kinds:
        if member.name.replace("_", "").casefold() == word:
            return member
    raise DocumentError(f"`{path}` is `{tree}`, which is no {kinds.__name__}")


def _key(key_type: Any, key: Any, path: str) -> Any:
    if key_type is str:
        return _expect(str, key, path)
    try:
        return int(key)
    except (TypeError, ValueError) as exc:
        raise DocumentError(f"`{path}` has the key `{key}` where a number is expected") from exc


def _expect(wanted: type, tree: Tree, path: str) -> Any:
    if not isinstance(tree, wanted):
        raise DocumentError(f"`{path}` is a {type(tree).__name__} where a {wanted.__name__} is expected")
    return tree


_DURATION = r"(\d+)\s*([a-z]+)"
_UNITS_NS: dict[str, int] = {
    **dict.fromkeys(("nsec", "ns"), 1),
    **dict.fromkeys(("usec", "us"), 1_000),
    **dict.fromkeys(("msec", "ms"), 1_000_000),
    **dict.fromkeys(("seconds", "second", "secs", "sec", "s"), 10**9),
    **dict.fromkeys(("minutes", "minute", "mins", "min", "m"), 60 * 10**9),
    **dict.fromkeys(("hours", "hour", "hrs", "hr", "h"), 3_600 * 10**9),
    **dict.fromkeys(("days", "day", "d"), 86_400 * 10**9),
    **dict.fromkeys(("weeks", "week", "w"), 604_800 * 10**9),
}


def parse_duration(text: str, path: str = "duration") -> topic.Duration:
    """Read `5s`, `1h 30m`. Raises `DocumentError`."""
    total = 0
    for count, unit in (parts := re.findall(_DURATION, text)):
        if unit not in _UNITS_NS:
            raise DocumentError(f"`{path}` has the unknown unit `{unit}`")
        total += int(count) * _UNITS_NS[unit]
    if not parts or re.sub(_DURATION, "", text).strip():
        raise DocumentError(f"`{path}` is `{text}`, which is no duration such as `5s` or `1h 30m`")
    return topic.Duration(seconds=total // 10**9, nanos=total % 10**9)


# --- fields -----------------------------------------------------------------------------------------------


@dataclass(slots=True, frozen=True)
class _Field:
    name: str
    spelled: str
    wire_type: Any
    is_required: bool


@cache
def _fields(cls: Any) -> tuple[_Field, ...]:
    return tuple(
        _Field(
            field.name,
            _NAMES.get((cls, field.name)) or _camel(field.name),
            field.wire_type,
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in wire_fields(cls)
    )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _takes_none(wire_type: Any) -> bool:
    return type(None) in get_args(wire_type)


def _present_type(wire_type: Any) -> Any:
    (inner,) = (variant for variant in get_args(wire_type) if variant is not type(None))
    return inner


# --- what we do not know ----------------------------------------------------------------------------------


def unknown_parts(original: Tree, known: Tree) -> Tree:
    """What `original` holds and `known` (made of what was understood of it) lacks; None when nothing."""
    if isinstance(original, Tagged) and isinstance(known, Tagged) and original.tag == known.tag:
        inner = unknown_parts(original.value, known.value)
        return None if inner is None else Tagged(original.tag, inner)
    if isinstance(original, dict) and isinstance(known, dict):
        parts = {key: item for key, item in original.items() if key not in known and item is not None}
        for key in original.keys() & known.keys():
            inner = unknown_parts(original[key], known[key])
            if inner is not None:
                parts[key] = inner
        return parts or None
    if isinstance(original, list) and isinstance(known, list) and len(original) == len(known):
        items = [unknown_parts(a, b) for a, b in zip(original, known, strict=True)]
        return items if any(item is not None for item in items) else None
    return None


def with_unknown_parts(known: Tree, unknown: Tree) -> Tree:
    """`known` with the parts put back that `unknown_parts` found; what is known wins."""
    if unknown is None:
        return known
    if isinstance(unknown, Tagged) and isinstance(known, Tagged) and unknown.tag == known.tag:
        return Tagged(known.tag, with_unknown_parts(known.value, unknown.value))
    if isinstance(unknown, dict) and isinstance(known, dict):
        merged = dict(known)
        for key, item in unknown.items():
            merged[key] = with_unknown_parts(known[key], item) if key in known else item
        return merged
    if isinstance(unknown, list) and isinstance(known, list) and len(unknown) == len(known):
        return [with_unknown_parts(a, b) for a, b in zip(known, unknown, strict=True)]
    return known
