"""Frames that tell an SPU what there is. Layout: docs/protocol.md, "SPU registers with the SC"."""

from collections.abc import Callable
from typing import Any

from fluvio_local_cluster.sc.model.objects import AnyObject, Kind
from fluvio_local_cluster.sc.model.partitions import replica_of
from fluvio_local_cluster.sc.model.stores import Changes
from fluvio_protocol.api.admin import MsgType
from fluvio_protocol.api.sc_spu import (
    UPDATE_MIRROR_VERSION,
    UPDATE_REPLICA_VERSION,
    UPDATE_SMARTMODULE_VERSION,
    UPDATE_SPU_VERSION,
    ControlMessage,
    Mirror,
    ReplicaIncarnation,
    SmartModule,
    UpdateIncarnationsRequest,
    UpdateMirrorRequest,
    UpdateReplicaRequest,
    UpdateSmartModuleRequest,
    UpdateSpuRequest,
)
from fluvio_protocol.frame import encode_request

CLIENT_ID = "sc"
CORRELATION_ID = 1  # of every one-way message; ids carry no meaning here
INCARNATIONS_VERSION = 0
ORDER = (Kind.SPU, Kind.SMARTMODULE, Kind.PARTITION, Kind.MIRROR)

Convert = Callable[[Any], Any]

_REQUESTS: dict[Kind, tuple[Any, int, Convert]] = {
    Kind.SPU: (UpdateSpuRequest, UPDATE_SPU_VERSION, lambda stored: stored.spec),
    Kind.SMARTMODULE: (
        UpdateSmartModuleRequest,
        UPDATE_SMARTMODULE_VERSION,
        lambda stored: SmartModule(name=stored.key, spec=stored.spec),
    ),
    Kind.PARTITION: (UpdateReplicaRequest, UPDATE_REPLICA_VERSION, replica_of),
    Kind.MIRROR: (
        UpdateMirrorRequest,
        UPDATE_MIRROR_VERSION,
        lambda stored: Mirror(name=stored.key, spec=stored.spec),
    ),
}


def frames(
    kind: Kind, changes: Changes[AnyObject], own_cluster_id: str | None, *, is_whole: bool
) -> list[bytearray]:
    """What to send for changes of one store, nothing when there are none.

    Objects that were deleted and made anew are told in two messages. `own_cluster_id` is given when the SPU
    is ours: then each message about replicas follows one that says their incarnations, and whether the
    store holds all that the cluster has (`is_whole`).
    """
    anew = Changes(changes.epoch, deleted=changes.replaced)
    rest = Changes(changes.epoch, changes.all, [], changes.updated, changes.deleted)
    out: list[bytearray] = []
    for part in (anew, rest):
        if part.is_empty:
            continue
        if kind is Kind.PARTITION and own_cluster_id is not None:
            out.append(_incarnations(own_cluster_id, part, is_whole=is_whole))
        out.append(_frame(kind, part))
    return out


def _frame(kind: Kind, changes: Changes[AnyObject]) -> bytearray:
    request, version, convert = _REQUESTS[kind]
    messages = [
        *(ControlMessage(header=MsgType.UPDATE, content=convert(stored)) for stored in changes.updated),
        *(ControlMessage(header=MsgType.DELETE, content=convert(stored)) for stored in changes.deleted),
    ]
    everything = [convert(stored) for stored in changes.all or ()]
    body = request(epoch=changes.epoch, changes=messages, all=everything)
    return encode_request(body, version, CORRELATION_ID, CLIENT_ID)


def _incarnations(cluster_id: str, changes: Changes[AnyObject], *, is_whole: bool) -> bytearray:
    """Ours: which topic's life each replica of the update that follows belongs to."""
    named = (*(changes.all or ()), *changes.updated, *changes.deleted)
    incarnations = [
        ReplicaIncarnation(id=replica_of(stored).id, incarnation=stored.runtime.incarnation)
        for stored in named
    ]
    body = UpdateIncarnationsRequest(cluster_id=cluster_id, is_whole=is_whole, incarnations=incarnations)
    return encode_request(body, INCARNATIONS_VERSION, CORRELATION_ID, CLIENT_ID)
