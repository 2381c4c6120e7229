"""Delete: topics with partitions, custom SPUs, table formats. Answered when the metadata is gone for good."""

from fluvio_local_cluster.sc.controller import Plan
from fluvio_local_cluster.sc.handlers.session import Session, status_of
from fluvio_local_cluster.sc.model.objects import Kind, Spu
from fluvio_local_cluster.sc.model.table_formats import check_table_format_deletion
from fluvio_local_cluster.sc.model.validation import (
    Refusal,
    check_may_change,
    check_spu_removal,
    check_topic_deletion,
    existing_topic,
    unsupported_deletion,
)
from fluvio_protocol.api.admin import (
    DeleteCustomSpuById,
    DeleteCustomSpuByName,
    DeleteEnvelope,
    DeleteRequest,
    Status,
    unwrap,
)
from fluvio_protocol.error_code import ErrorKind, code, other
from fluvio_protocol.frame import RequestHeader
from fluvio_types.defaults import CONSUMER_OFFSET_TOPIC
from fluvio_types.errors import FluvioError

_NOT_YET = {Kind.SPU_GROUP, Kind.SMARTMODULE, Kind.MIRROR}


async def handle_delete(session: Session, header: RequestHeader, request: DeleteEnvelope) -> Status:
    """SPUs may be away: they drop what is no longer theirs when they come back."""
    label = request.type
    if label not in ("Topic", "CustomSpu", "TableFormat", *_NOT_YET):
        return Status(name="create error", error_code=other("unknown admin object type"))
    payload = unwrap(request, header.api_version)
    name = _named(payload)
    try:
        check_may_change(name, label, session.cluster)
        if label == "CustomSpu":
            await _delete_custom_spu(session, payload, name)
        elif label == "Topic":
            await _delete_topic(session, payload)
        elif label == "TableFormat":
            await _delete_table_format(session, payload.key)
        else:
            raise unsupported_deletion(Kind(label), payload.key, session.cluster)
    except FluvioError as exc:
        return status_of(name, exc)
    return status_of(name)


def _named(payload: DeleteRequest | DeleteCustomSpuByName | DeleteCustomSpuById) -> str:
    if isinstance(payload, DeleteRequest):
        return payload.key
    return payload.name if isinstance(payload, DeleteCustomSpuByName) else f"spu-{payload.id}"


async def _delete_topic(session: Session, payload: DeleteRequest) -> None:
    cluster = session.cluster

    def decide() -> Plan:
        topic = existing_topic(payload.key, cluster)
        check_topic_deletion(topic, force=payload.force)
        # Partitions first: after a crash in between the topic is whole again, not forgotten by halves.
        partitions = [(Kind.PARTITION, x.key) for x in cluster.partitions_of(topic.key)]
        return Plan(remove=[*partitions, (Kind.TOPIC, topic.key)])

    await session.controller.change(decide)
    await session.watches.delivered((cluster.partitions, cluster.topics))
    if payload.key == CONSUMER_OFFSET_TOPIC:
        await session.controller.reconcile()  # it must exist: it comes back, empty


async def _delete_custom_spu(
    session: Session, payload: DeleteCustomSpuByName | DeleteCustomSpuById, name: str
) -> None:
    cluster = session.cluster
    removed: list[Spu] = []

    def decide() -> Plan:
        if isinstance(payload, DeleteCustomSpuByName):
            spu = cluster.spus.get(payload.name)
        else:
            spu = cluster.spu_by_id(payload.id)
        if spu is None:
            raise Refusal(name, code(ErrorKind.SPU_NOT_FOUND), "not found")
        check_spu_removal(spu, cluster, force=payload.force)
        removed.append(spu)
        return Plan(remove=[(Kind.SPU, spu.key)])

    await session.controller.change(decide)
    for spu in removed:
        session.spus.dismiss(spu.spec.id)
    await session.watches.delivered([cluster.spus])


async def _delete_table_format(session: Session, name: str) -> None:
    cluster = session.cluster

    def decide() -> Plan:
        check_table_format_deletion(name, cluster)
        return Plan(remove=[(Kind.TABLE_FORMAT, name)])

    await session.controller.change(decide)
    await session.watches.delivered([cluster.stores[Kind.TABLE_FORMAT]])
