"""Watch: the whole store first, then what changes, for as long as the connection lives."""

import asyncio

from fluvio_local_cluster.sc.handlers.listing import as_metadata
from fluvio_local_cluster.sc.handlers.session import Session
from fluvio_local_cluster.sc.model.objects import AnyObject, Kind
from fluvio_local_cluster.sc.model.stores import Changes
from fluvio_protocol.api.admin import (
    MetadataMessage,
    MetadataUpdate,
    MsgType,
    TypedPayload,
    WatchEnvelope,
    WatchRequest,
    unwrap,
    wrap,
)
from fluvio_protocol.frame import RequestHeader, encode_response
from fluvio_protocol.wire import DecodeError

_MAX_STREAMS = 64  # of one connection; official clients open six


async def handle_watch(session: Session, header: RequestHeader, request: WatchEnvelope) -> None:
    """Streams under the request's correlation id; the epoch that the client names is not looked at."""
    payload: WatchRequest = unwrap(request, header.api_version)
    if request.type == "CustomSpu":
        raise DecodeError("custom SPUs cannot be watched, SPUs can")
    session.stream_count += 1
    if session.stream_count > _MAX_STREAMS:
        raise DecodeError(f"more than {_MAX_STREAMS} watches on one connection")
    session.connection.spawn(f"watch {request.type}", _stream(session, header, request.type, payload.summary))


async def _stream(session: Session, header: RequestHeader, label: str, summary: bool) -> None:
    """Changes that come while the client is slow to read are merged: it gets the latest state."""
    woken = asyncio.Event()
    listener = session.cluster.stores[Kind(label)].listen(woken.set)
    session.watches.listeners.add(listener)
    try:
        is_first = True
        while True:
            woken.clear()
            changes = listener.take()
            if is_first or not changes.is_empty:
                update = wrap(TypedPayload, label, _update(label, changes, summary), header.api_version)
                session.connection.write(encode_response(update, header.api_version, header.correlation_id))
                is_first = False
            session.watches.progressed()
            await session.connection.drain()
            await woken.wait()
    finally:
        listener.close()
        session.watches.listeners.discard(listener)
        session.watches.progressed()


def _update(label: str, changes: Changes[AnyObject], summary: bool) -> MetadataUpdate[object, object]:
    if changes.all is not None:
        return MetadataUpdate(
            epoch=changes.epoch, all=[as_metadata(label, stored, summary) for stored in changes.all]
        )
    messages = [
        *((MsgType.DELETE, stored) for stored in changes.replaced),
        *((MsgType.UPDATE, stored) for stored in changes.updated),
        *((MsgType.DELETE, stored) for stored in changes.deleted),
    ]
    return MetadataUpdate(
        epoch=changes.epoch,
        changes=[
            MetadataMessage(header=what, content=as_metadata(label, stored, summary))
            for what, stored in messages
        ],
    )
