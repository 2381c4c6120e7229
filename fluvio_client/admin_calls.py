"""Calls on the controller as values: what to send, and what the answer means.

Source: docs/protocol.md, "SC public API". A `Call` holds the payload of one request and turns its answer
into a result or an exception. `blocking` and `admin` run the same calls over different transports.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from fluvio_protocol.api.admin import (
    CommonCreateRequest,
    CreateEnvelope,
    CreateRequest,
    DeleteCustomSpuById,
    DeleteCustomSpuByName,
    DeleteEnvelope,
    DeleteRequest,
    ListEnvelope,
    ListFilter,
    ListRequest,
    Metadata,
    Status,
    TypedPayload,
    UpdateEnvelope,
    UpdateTopicRequest,
    unwrap,
    wrap,
)
from fluvio_protocol.api.partition import PartitionSpec, PartitionStatus
from fluvio_protocol.api.spu import CustomSpuSpec, SpuSpec, SpuStatus
from fluvio_protocol.api.topic import AddPartition, TopicSpec, TopicStatus
from fluvio_protocol.error_code import exception_for
from fluvio_protocol.wire import DecodeError

if TYPE_CHECKING:
    from fluvio_protocol.api.table_format import TableFormatSpec, TableFormatStatus

TopicObject: TypeAlias = Metadata[TopicSpec, TopicStatus]
PartitionObject: TypeAlias = Metadata[PartitionSpec, PartitionStatus]
SpuObject: TypeAlias = Metadata[SpuSpec, SpuStatus]
CustomSpuObject: TypeAlias = Metadata[CustomSpuSpec, SpuStatus]
TableFormatObject: TypeAlias = "Metadata[TableFormatSpec, TableFormatStatus]"

R = TypeVar("R")


@dataclass(slots=True, frozen=True)
class Call(Generic[R]):
    """One request to the controller. `finish` gets the answer and the version it is encoded at."""

    envelope: type[TypedPayload]
    label: str
    payload: Any
    finish: Callable[[Any, int], R]

    def request(self, version: int) -> TypedPayload:
        """The request's body at `version`."""
        return wrap(self.envelope, self.label, self.payload, version)


def _finish_status(answer: Status, _version: int) -> None:
    if not answer.error_code.is_ok:
        raise exception_for(answer.error_code, answer.error_message or None)


def _list(label: str, filters: Sequence[str], system: bool) -> Call[list[Any]]:
    def finish(answer: TypedPayload, version: int) -> list[Any]:
        if answer.type != label:
            raise DecodeError(f"a list of `{answer.type[:64]}` came for `{label}`")
        return list(unwrap(answer, version, answer_to=ListEnvelope).inner)

    request = ListRequest(name_filters=[ListFilter(name=text) for text in filters], system=system)
    return Call(ListEnvelope, label, request, finish)


def list_topics(filters: Sequence[str] = (), *, system: bool = False) -> Call[list[TopicObject]]:
    """Topics whose name contains any of `filters` (none: all); either system topics only, or none of them."""
    return _list("Topic", filters, system)


def list_partitions(*, system: bool = False) -> Call[list[PartitionObject]]:
    """All partitions; of system topics only, or of none of them."""
    return _list("Partition", (), system)


def list_spus(filters: Sequence[str] = ()) -> Call[list[SpuObject]]:
    """All SPUs whose name contains any of `filters` (none: all)."""
    return _list("SPU", filters, False)


def list_custom_spus(filters: Sequence[str] = ()) -> Call[list[CustomSpuObject]]:
    """SPUs that somebody registered, without those of SPU groups."""
    return _list("CustomSpu", filters, False)


def _create(label: str, name: str, spec: Any, dry_run: bool) -> Call[None]:
    common = CommonCreateRequest(name=name, dry_run=dry_run)
    return Call(CreateEnvelope, label, CreateRequest(common=common, request=spec), _finish_status)


def create_topic(name: str, spec: TopicSpec, *, dry_run: bool = False) -> Call[None]:
    """Create a topic; answered when all its partitions are online."""
    return _create("Topic", name, spec, dry_run)


def create_custom_spu(name: str, spec: CustomSpuSpec, *, dry_run: bool = False) -> Call[None]:
    """Register an SPU whose process somebody else starts."""
    return _create("CustomSpu", name, spec, dry_run)


def delete_topic(name: str, *, force: bool = False) -> Call[None]:
    """Delete a topic; system topics only by `force`."""
    return Call(DeleteEnvelope, "Topic", DeleteRequest(key=name, force=force), _finish_status)


def delete_custom_spu(key: str | int, *, force: bool = False) -> Call[None]:
    """Unregister an SPU by its name or id; the only holder of a partition only by `force`."""
    payload: DeleteCustomSpuById | DeleteCustomSpuByName
    if isinstance(key, int):
        payload = DeleteCustomSpuById(id=key, force=force)
    else:
        payload = DeleteCustomSpuByName(name=key, force=force)
    return Call(DeleteEnvelope, "CustomSpu", payload, _finish_status)


def add_partitions(topic: str, count: int) -> Call[None]:
    """Give a topic `count` partitions more."""
    payload = UpdateTopicRequest(key=topic, action=AddPartition(count=count))
    return Call(UpdateEnvelope, "Topic", payload, _finish_status)


def list_table_formats(filters: Sequence[str] = ()) -> "Call[list[TableFormatObject]]":
    """Table formats whose name contains any of `filters` (none: all)."""
    return _list("TableFormat", filters, False)


def create_table_format(spec: "TableFormatSpec") -> Call[None]:
    """Store a table layout under its own name."""
    return _create("TableFormat", spec.name, spec, False)


def delete_table_format(name: str) -> Call[None]:
    """Delete a table layout."""
    return Call(DeleteEnvelope, "TableFormat", DeleteRequest(key=name), _finish_status)
