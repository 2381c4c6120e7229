"""Create: topics, custom SPUs and table formats. A topic is answered when it can be used."""

import asyncio
from typing import Any

from fluvio_local_cluster.sc.controller import Plan
from fluvio_local_cluster.sc.handlers.session import Session, status_of
from fluvio_local_cluster.sc.model.objects import Kind, Topic
from fluvio_local_cluster.sc.model.spus import default_name, new_custom_spu
from fluvio_local_cluster.sc.model.stores import Cluster
from fluvio_local_cluster.sc.model.table_formats import check_new_table_format, new_table_format
from fluvio_local_cluster.sc.model.topics import new_topic, online_count, provision, waiting_text
from fluvio_local_cluster.sc.model.validation import (
    Refusal,
    check_may_change,
    check_new_custom_spu,
    check_new_topic,
    not_supported_yet,
    partition_count,
)
from fluvio_protocol.api.admin import CreateEnvelope, CreateRequest, Status, unwrap
from fluvio_protocol.api.spu import CustomSpuSpec
from fluvio_protocol.api.table_format import TableFormatSpec
from fluvio_protocol.api.topic import TopicSpec
from fluvio_protocol.error_code import ErrorKind, code, other
from fluvio_protocol.frame import RequestHeader, encode_response
from fluvio_types.errors import FluvioError

_NOT_YET = {Kind.SPU_GROUP, Kind.SMARTMODULE, Kind.MIRROR}


async def handle_create(session: Session, header: RequestHeader, request: CreateEnvelope) -> Status | None:
    """A topic's answer may come after answers to later requests: it waits for the topic's leaders."""
    label = request.type
    if label not in ("Topic", "CustomSpu", "TableFormat", *_NOT_YET):
        text = "unknown admin object type"
        return Status(name="create error", error_code=other(text))
    payload: CreateRequest[Any] = unwrap(request, header.api_version)
    name = payload.common.name
    try:
        check_may_change(name, label, session.cluster)
        if label == "Topic":
            return await _create_topic(session, header, payload)
        if label == "CustomSpu":
            return await _create_custom_spu(session, payload)
        if label == "TableFormat":
            return await _create_table_format(session, payload)
        raise not_supported_yet(name, f"creating a {label}")
    except FluvioError as exc:
        return status_of(name, exc)


async def _create_topic(
    session: Session, header: RequestHeader, payload: CreateRequest[TopicSpec]
) -> Status | None:
    name, cluster = payload.common.name, session.cluster
    if payload.common.dry_run:
        check_new_topic(name, payload.request, cluster)
        return status_of(name)

    created = new_topic(name, payload.request)

    def decide() -> Plan:
        check_new_topic(name, payload.request, cluster)
        return Plan(put=provision(cluster, [created]).objects)

    await session.controller.change(decide)
    session.connection.spawn(f"create {name}", _answer_when_online(session, header, created))
    return None


async def _answer_when_online(session: Session, header: RequestHeader, created: Topic) -> None:
    """Answer when all partitions are online, or say after the topic wait how far it got.

    The wait is `FLV_TOPIC_WAIT`, 90 s unless set, also when no SPU is there at all: official clients rely
    on the topic being usable once the answer is ok, and one may join. A client that does not want to wait
    so long bounds the request itself; the topic stays and is provisioned later in either case.
    """
    cluster, name = session.cluster, created.key
    changed = asyncio.Event()
    listeners = [store.listen(changed.set) for store in (cluster.partitions, cluster.topics)]
    answer = status_of(name)
    try:
        async with asyncio.timeout(session.topic_wait_s):
            while not _is_online(cluster, created):
                changed.clear()
                for listener in listeners:
                    listener.skip()
                await changed.wait()
    except TimeoutError:
        text = waiting_text(cluster.topics.get(name) or created, cluster)
        answer = status_of(name, Refusal(name, code(ErrorKind.TOPIC_NOT_PROVISIONED), text))
    except Refusal as exc:
        answer = status_of(name, exc)
    finally:
        for listener in listeners:
            listener.close()
    # Clients look the topic up in their watched stores as soon as they have the answer.
    await session.watches.delivered((cluster.topics, cluster.partitions))
    await session.connection.send(encode_response(answer, header.api_version, header.correlation_id))


def _is_online(cluster: Cluster, created: Topic) -> bool:
    """Whether all its partitions can be read. Raises `Refusal` when the topic is gone."""
    topic = cluster.topics.get(created.key)
    if topic is None or topic.runtime != created.runtime:
        text = f"topic '{created.key}' was deleted before it was provisioned"
        raise Refusal(created.key, code(ErrorKind.TOPIC_NOT_FOUND), text)
    return online_count(topic, cluster) >= partition_count(topic.spec.replicas)


async def _create_custom_spu(session: Session, payload: CreateRequest[CustomSpuSpec]) -> Status:
    spec, cluster = payload.request, session.cluster
    name = payload.common.name or default_name(spec.id)
    if payload.common.dry_run:
        check_new_custom_spu(name, spec, cluster)
        return Status(name="")

    def decide() -> Plan:
        check_new_custom_spu(name, spec, cluster)
        return Plan(put=[(Kind.SPU, new_custom_spu(name, spec))])

    await session.controller.change(decide)
    await session.watches.delivered([cluster.spus])
    return status_of(name)


async def _create_table_format(session: Session, payload: CreateRequest[TableFormatSpec]) -> Status:
    name, cluster = payload.common.name, session.cluster
    if payload.common.dry_run:
        check_new_table_format(name, cluster)
        return status_of(name)

    def decide() -> Plan:
        check_new_table_format(name, cluster)
        return Plan(put=[(Kind.TABLE_FORMAT, new_table_format(name, payload.request))])

    await session.controller.change(decide)
    await session.watches.delivered([cluster.stores[Kind.TABLE_FORMAT]])
    return status_of(name)
