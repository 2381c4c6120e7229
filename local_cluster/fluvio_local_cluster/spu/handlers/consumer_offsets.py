"""Offsets kept for consumers: update, delete, fetch. Layout: docs/protocol.md, "Consumer offsets"."""

from fluvio_local_cluster.spu.offset_router import OffsetRouter
from fluvio_local_cluster.spu.offset_store import OffsetStore
from fluvio_local_cluster.spu.replica.assignment import Assignment
from fluvio_local_cluster.spu.session import ClientSession
from fluvio_local_cluster.storage import StorageError
from fluvio_protocol.api.consumer_offsets import (
    DeleteConsumerOffsetRequest,
    DeleteConsumerOffsetResponse,
    FetchConsumerOffsetsRequest,
    FetchConsumerOffsetsResponse,
    UpdateConsumerOffsetRequest,
    UpdateConsumerOffsetResponse,
)
from fluvio_protocol.error_code import ApiError, ErrorKind, code, other
from fluvio_protocol.frame import RequestHeader


class ConsumerOffsetsHandler:
    """Updates are taken by every SPU; only the leader of `consumer-offset` deletes and lists."""

    def __init__(self, store: OffsetStore, router: OffsetRouter, assignment: Assignment) -> None:
        self._store = store
        self._router = router
        self._assignment = assignment

    async def handle_update(
        self, session: ClientSession, header: RequestHeader, request: UpdateConsumerOffsetRequest
    ) -> UpdateConsumerOffsetResponse:
        """Store the offset for the consumer of a stream on the same connection."""
        answer = UpdateConsumerOffsetResponse(offset=request.offset)
        stream = session.streams.get(request.session_id)
        if stream is None:
            answer.error_code = code(ErrorKind.FETCH_SESSION_NOT_FOUND)
        elif not stream.consumer_id:
            answer.error_code = other("stream without consumer id")
        else:
            try:
                consumer = (*stream.key, stream.consumer_id)
                await self._router.commit(consumer, request.offset, stream.incarnation)
            except ApiError as exc:
                answer.error_code = exc.code
        return answer

    async def handle_delete(
        self, session: ClientSession, header: RequestHeader, request: DeleteConsumerOffsetRequest
    ) -> DeleteConsumerOffsetResponse:
        """Forget a consumer; an unknown one is fine."""
        if not self._store.is_leader:
            return DeleteConsumerOffsetResponse(error_code=code(ErrorKind.PARTITION_NOT_LEADER))
        replica = request.replica_id
        try:
            await self._store.delete((replica.topic, replica.partition, request.consumer_id))
        except StorageError:
            return DeleteConsumerOffsetResponse(error_code=code(ErrorKind.STORAGE_ERROR))
        return DeleteConsumerOffsetResponse()

    async def handle_fetch(
        self, session: ClientSession, header: RequestHeader, request: FetchConsumerOffsetsRequest
    ) -> FetchConsumerOffsetsResponse:
        """List consumers of partitions that exist."""
        if not self._store.is_leader:
            return FetchConsumerOffsetsResponse(error_code=code(ErrorKind.PARTITION_NOT_LEADER), consumers=[])
        consumers = self._store.listed(request.filter_opts, self._assignment.known)
        return FetchConsumerOffsetsResponse(consumers=consumers)
