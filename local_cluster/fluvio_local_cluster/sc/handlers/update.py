"""Update: more partitions for a topic."""

from fluvio_local_cluster.sc.controller import Plan
from fluvio_local_cluster.sc.handlers.session import Session, status_of
from fluvio_local_cluster.sc.model.topics import provision
from fluvio_local_cluster.sc.model.validation import (
    check_may_change,
    existing_topic,
    refuse_mirror_addition,
    with_more_partitions,
)
from fluvio_protocol.api.admin import Status, UpdateEnvelope, UpdateTopicRequest, unwrap
from fluvio_protocol.api.topic import AddMirror
from fluvio_protocol.error_code import other
from fluvio_protocol.frame import RequestHeader
from fluvio_types.errors import FluvioError


async def handle_update(session: Session, header: RequestHeader, request: UpdateEnvelope) -> Status:
    """Answered when the new partitions are stored and shown; they come online with their leaders' reports."""
    if request.type != "Topic":
        return Status(name="update error", error_code=other("unknown admin object type"))
    payload: UpdateTopicRequest = unwrap(request, header.api_version)
    cluster, action = session.cluster, payload.action

    def decide() -> Plan:
        topic = existing_topic(payload.key, cluster)
        if isinstance(action, AddMirror):
            raise refuse_mirror_addition(topic, action.remote_cluster, cluster)
        grown = topic.changed(spec=with_more_partitions(topic, action.count))
        made = provision(cluster, [grown])
        return Plan(put=made.objects)

    try:
        check_may_change(payload.key, request.type, cluster)
        await session.controller.change(decide)
    except FluvioError as exc:
        return status_of(payload.key, exc)
    await session.watches.delivered((cluster.topics, cluster.partitions))
    return status_of(payload.key)
