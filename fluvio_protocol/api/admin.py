"""The controller's six calls, and the envelopes they share.

Layout: docs/protocol.md, "Requests and their envelopes".

Each object type travels as a label in front of an opaque payload (`TypedPayload`, the specs' TypeBuffer).
`wrap` and `unwrap` turn a payload struct into an envelope and back. The label decides which types a
payload has: `object_types` imports them when asked, so a command that lists topics loads no table formats.
"""

import enum
import functools
import importlib
from typing import Any, Generic, TypeVar

from fluvio_protocol.api.topic import UpdateTopicAction
from fluvio_protocol.error_code import OK, ErrorCode
from fluvio_protocol.wire import (
    DecodeError,
    blob,
    decode,
    encode,
    field,
    i32,
    i64,
    request,
    since,
    u32,
    wire_struct,
)

CREATE_KEY, DELETE_KEY, LIST_KEY, WATCH_KEY, MIRRORING_KEY, UPDATE_KEY = 1001, 1002, 1003, 1004, 1005, 1006
SC_VERSION = 19  # the highest version of the controller's API
MIN_SC_VERSION = 15  # older controllers cannot be watched

S = TypeVar("S")
T = TypeVar("T")


@wire_struct
class TypedPayload:
    """A label, then the payload of that object type."""

    type: str
    payload: blob


@wire_struct
class Status:
    """The answer to create, delete and update."""

    name: str
    error_code: ErrorCode = OK
    error_message: str | None = None


@request(side="sc", key=CREATE_KEY, versions=range(9, SC_VERSION + 1), response=Status)
@wire_struct
class CreateEnvelope(TypedPayload):
    """Create one object; the payload is a `CreateRequest`."""


@request(side="sc", key=DELETE_KEY, versions=range(1, SC_VERSION + 1), response=Status)
@wire_struct
class DeleteEnvelope(TypedPayload):
    """Delete one object; the payload is a `DeleteRequest`."""


@request(side="sc", key=LIST_KEY, versions=range(15, SC_VERSION + 1), response=TypedPayload)
@wire_struct
class ListEnvelope(TypedPayload):
    """List objects; the payload is a `ListRequest`, that of the answer a `ListResponse`."""


@request(side="sc", key=WATCH_KEY, versions=range(15, SC_VERSION + 1), response=TypedPayload)
@wire_struct
class WatchEnvelope(TypedPayload):
    """Watch a store; the payload is a `WatchRequest`, that of every answer a `MetadataUpdate`."""


@request(side="sc", key=UPDATE_KEY, versions=range(1, SC_VERSION + 1), response=Status)
@wire_struct
class UpdateEnvelope(TypedPayload):
    """Change one object; the payload is an `UpdateTopicRequest`."""


@wire_struct
class CommonCreateRequest:
    """Name of the new object; `timeout` in ms, used for SPU groups only."""

    name: str
    dry_run: bool = False
    timeout: u32 | None = since(7, default=None)


@wire_struct
class CreateRequest(Generic[S]):
    """Payload of create."""

    common: CommonCreateRequest
    request: S


@wire_struct
class DeleteRequest:
    """Payload of delete."""

    key: str
    force: bool = since(13, default=False)


@wire_struct
class DeleteCustomSpuByName:
    """Payload of delete for a custom SPU: the tag is the text `Name`."""

    tag: str = "Name"
    name: str
    force: bool = since(13, default=False)


@wire_struct
class DeleteCustomSpuById:
    """Payload of delete for a custom SPU: the tag is the text `Id`."""

    tag: str = "Id"
    id: i32
    force: bool = since(13, default=False)


@wire_struct
class UpdateTopicRequest:
    """Payload of update."""

    key: str
    action: UpdateTopicAction


@wire_struct
class ListFilter:
    """Matches the objects whose name contains this text."""

    name: str


@wire_struct
class ListRequest:
    """Payload of list; no filter means all."""

    name_filters: list[ListFilter] = field(default_factory=list)
    summary: bool = since(10, default=False)
    system: bool = since(13, default=False)


@wire_struct
class WatchRequest:
    """Payload of watch; the epoch is ignored by servers."""

    epoch: i64 = 0
    summary: bool = since(10, default=False)


@wire_struct
class Metadata(Generic[S, T]):
    """An object as clients see it."""

    name: str
    spec: S
    status: T


@wire_struct
class ListResponse(Generic[S, T]):
    """Payload of the answer to list."""

    inner: list[Metadata[S, T]]


class MsgType(enum.IntEnum):
    """What happened to an object."""

    UPDATE = 0
    DELETE = 1


@wire_struct
class MetadataMessage(Generic[S, T]):
    """One changed object; of a deleted one only the name matters."""

    header: MsgType
    content: Metadata[S, T]


@wire_struct
class MetadataUpdate(Generic[S, T]):
    """Payload of every watch answer: a full list in `all`, else changes; both empty changes nothing."""

    epoch: i64
    changes: list[MetadataMessage[S, T]] = field(default_factory=list)
    all: list[Metadata[S, T]] = field(default_factory=list)


# Label of an object type (case-sensitive): its module, the names of its spec and of its status.
OBJECT_TYPES: dict[str, tuple[str, str, str]] = {
    "Topic": ("topic", "TopicSpec", "TopicStatus"),
    "Partition": ("partition", "PartitionSpec", "PartitionStatus"),
    "SPU": ("spu", "SpuSpec", "SpuStatus"),
    "CustomSpu": ("spu", "CustomSpuSpec", "SpuStatus"),
    "SpuGroup": ("spu", "SpuGroupSpec", "SpuGroupStatus"),
    "SmartModule": ("smartmodule", "SmartModuleSpec", "SmartModuleStatus"),
    "TableFormat": ("table_format", "TableFormatSpec", "TableFormatStatus"),
    "Mirror": ("mirror", "MirrorSpec", "MirrorStatus"),
}


def object_types(label: str) -> tuple[type, type]:
    """Spec and status class behind a label; raises `DecodeError` for an unknown one."""
    found = OBJECT_TYPES.get(label)
    if found is None:
        raise DecodeError(f"unknown object type `{label[:64]}`")
    module = importlib.import_module(f"fluvio_protocol.api.{found[0]}")
    return getattr(module, found[1]), getattr(module, found[2])


_FIXED_PAYLOADS: dict[type, type] = {
    DeleteEnvelope: DeleteRequest,
    UpdateEnvelope: UpdateTopicRequest,
    ListEnvelope: ListRequest,
    WatchEnvelope: WatchRequest,
}
_ANSWERS: dict[type, Any] = {ListEnvelope: ListResponse, WatchEnvelope: MetadataUpdate}


@functools.cache
def payload_type(envelope: type, label: str, *, answer: bool = False) -> Any:
    """The wire type of the payload that `envelope` (or the answer to it) carries for `label`.

    Raises `DecodeError` for a label that names no object type.
    """
    spec, status = object_types(label)
    if answer:
        return _ANSWERS[envelope][spec, status]
    generic: Any = CreateRequest
    return generic[spec] if envelope is CreateEnvelope else _FIXED_PAYLOADS[envelope]


EnvelopeT = TypeVar("EnvelopeT", bound=TypedPayload)


def wrap(envelope: type[EnvelopeT], label: str, payload: Any, version: int) -> EnvelopeT:
    """Put a payload struct into an envelope; `TypedPayload` itself is the envelope of answers."""
    wire_type: Any = type(payload)
    if isinstance(payload, CreateRequest):
        wire_type = wire_type[type(payload.request)]
    elif isinstance(payload, ListResponse):
        wire_type = payload_type(ListEnvelope, label, answer=True)
    elif isinstance(payload, MetadataUpdate):
        wire_type = payload_type(WatchEnvelope, label, answer=True)
    return envelope(type=label, payload=encode(payload, version, wire_type))


def unwrap(envelope: TypedPayload, version: int, *, answer_to: type | None = None) -> Any:
    """The payload struct of an envelope; for an answer say to which envelope. Raises `DecodeError`."""
    request_envelope = answer_to or type(envelope)
    if request_envelope is DeleteEnvelope and envelope.type == "CustomSpu":
        return _unwrap_custom_spu_key(envelope, version)
    wire_type = payload_type(request_envelope, envelope.type, answer=answer_to is not None)
    return decode(wire_type, envelope.payload, version)


def _unwrap_custom_spu_key(
    envelope: TypedPayload, version: int
) -> DeleteCustomSpuByName | DeleteCustomSpuById:
    tag = decode(str, envelope.payload, version)
    if tag == "Name":
        return decode(DeleteCustomSpuByName, envelope.payload, version)
    if tag == "Id":
        return decode(DeleteCustomSpuById, envelope.payload, version)
    raise DecodeError(f"a custom SPU is named by `Name` or `Id`, not by `{tag[:64]}`")
