"""What is asked on the private port, by other SPUs and by commands of this machine.

Layout: docs/protocol.md, "Consumer offsets across SPUs" and "Closing segments".
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from fluvio_local_cluster.net import Connection, Route
from fluvio_local_cluster.spu.offset_router import commit_here
from fluvio_local_cluster.spu.offset_store import OffsetStore
from fluvio_local_cluster.spu.replicas import ReplicaManager
from fluvio_local_cluster.storage import StorageError
from fluvio_protocol.api.replication import (
    CLOSE_SEGMENTS_KEY,
    INCARNATION_MARK,
    CloseSegmentsRequest,
    CloseSegmentsResponse,
    Consumer,
    FetchConsumerOffsetResponse,
    FetchStreamRequest,
    FetchStreamResponse,
    PeerFetchConsumerOffsetRequest,
    PeerKey,
    PeerUpdateConsumerOffsetRequest,
    PeerUpdateConsumerOffsetResponse,
)
from fluvio_protocol.error_code import ApiError, ErrorKind, code
from fluvio_protocol.frame import RequestHeader

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class PeerSession:
    """A connection of another SPU."""

    connection: Connection


class PeerService:
    """The private port."""

    def __init__(self, store: OffsetStore, replicas: ReplicaManager) -> None:
        self._store, self._replicas = store, replicas
        self.routes: Mapping[int, Route] = {
            PeerKey.FETCH_STREAM: Route(FetchStreamRequest, self._refuse_follower),
            PeerKey.FETCH_CONSUMER_OFFSET: Route(PeerFetchConsumerOffsetRequest, self._fetch),
            PeerKey.UPDATE_CONSUMER_OFFSET: Route(PeerUpdateConsumerOffsetRequest, self._update),
            CLOSE_SEGMENTS_KEY: Route(CloseSegmentsRequest, self._close_segments),
        }

    def opened(self, connection: Connection) -> PeerSession:
        """Another SPU has connected."""
        return PeerSession(connection)

    async def closed(self, session: PeerSession) -> None:
        """It has gone; nothing is kept of it."""

    async def _refuse_follower(
        self, session: PeerSession, header: RequestHeader, request: FetchStreamRequest
    ) -> FetchStreamResponse:
        """Nothing is replicated yet: the answer is the one for a follower that is not known."""
        _logger.warning("a follower is refused spu=%d cause=not supported yet: replication", request.spu_id)
        return FetchStreamResponse()

    async def _fetch(
        self, session: PeerSession, header: RequestHeader, request: PeerFetchConsumerOffsetRequest
    ) -> FetchConsumerOffsetResponse:
        if not self._store.is_leader:
            return FetchConsumerOffsetResponse(error_code=code(ErrorKind.PARTITION_NOT_LEADER))
        replica = request.replica_id
        stored = self._store.get((replica.topic, replica.partition, request.consumer_id))
        return FetchConsumerOffsetResponse(
            consumer=None if stored is None else Consumer(offset=stored.offset)
        )

    async def _update(
        self, session: PeerSession, header: RequestHeader, request: PeerUpdateConsumerOffsetRequest
    ) -> PeerUpdateConsumerOffsetResponse:
        if not self._store.is_leader:
            return PeerUpdateConsumerOffsetResponse(error_code=code(ErrorKind.PARTITION_NOT_LEADER))
        replica = request.replica_id
        _, _, incarnation = header.client_id.partition(INCARNATION_MARK)
        consumer = (replica.topic, replica.partition, request.consumer_id)
        try:
            await commit_here(self._store, consumer, request.offset, incarnation or None)
        except ApiError as exc:
            return PeerUpdateConsumerOffsetResponse(error_code=exc.code)
        return PeerUpdateConsumerOffsetResponse()

    async def _close_segments(
        self, session: PeerSession, header: RequestHeader, request: CloseSegmentsRequest
    ) -> CloseSegmentsResponse:
        closed = 0
        for leader in list(self._replicas.leaders.values()):
            log = leader.log
            try:
                if await self._replicas.in_thread(partial(log.close_segment, request.min_bytes)):
                    closed += 1
                    self._replicas.rolled(leader)
            except StorageError as exc:
                _logger.error("closing a segment failed replica=%s-%d cause=%s", *leader.key, exc)
        return CloseSegmentsResponse(closed=closed)
