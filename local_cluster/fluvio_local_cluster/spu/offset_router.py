"""Consumer offsets from wherever a client asks: kept here, or on the SPU that leads `consumer-offset`.

Layout of the forwarded requests: docs/protocol.md, "Consumer offsets across SPUs": each on a connection of
its own, to the private port of the leader.
"""

import logging
from collections.abc import Mapping
from typing import Any

from fluvio_local_cluster.net import ask, dial
from fluvio_local_cluster.spu.offset_store import OFFSETS_KEY, OffsetStore, TopicReplacedError
from fluvio_local_cluster.spu.replica.assignment import Assignment
from fluvio_local_cluster.spu.replica.consumer_offsets import ConsumerKey
from fluvio_local_cluster.storage import StorageError
from fluvio_protocol.api.replication import (
    INCARNATION_MARK,
    PEER_CONSUMER_OFFSET_VERSION,
    PeerFetchConsumerOffsetRequest,
    PeerUpdateConsumerOffsetRequest,
)
from fluvio_protocol.api.spu import SpuSpec
from fluvio_protocol.error_code import ApiError, ErrorKind, ReplicaKey, code, exception_for, other
from fluvio_types.errors import FluvioError

_logger = logging.getLogger(__name__)

_CLIENT_ID = "dummy"  # as the official engine sends
_TIMEOUT_S = 5.0


class OffsetRouter:
    """See the module. All failures are `ApiError`s, whose codes go to the client."""

    def __init__(self, store: OffsetStore, assignment: Assignment, spus: Mapping[int, SpuSpec]) -> None:
        self._store = store
        self._assignment = assignment
        self._spus = spus

    async def commit(self, key: ConsumerKey, offset: int, incarnation: str | None) -> None:
        """Store a consumer's last consumed offset. `incarnation`: of the topic that it consumes, if known."""
        if self._store.is_leader:
            await commit_here(self._store, key, offset, incarnation)
            return
        await self._ask(
            PeerUpdateConsumerOffsetRequest(replica_id=_replica(key), consumer_id=key[2], offset=offset),
            _CLIENT_ID if incarnation is None else f"{_CLIENT_ID}{INCARNATION_MARK}{incarnation}",
        )

    async def fetch(self, key: ConsumerKey) -> int | None:
        """The last consumed offset, or None when nothing is stored."""
        if self._store.is_leader:
            stored = self._store.get(key)
            return None if stored is None else stored.offset
        answer = await self._ask(PeerFetchConsumerOffsetRequest(replica_id=_replica(key), consumer_id=key[2]))
        return None if answer.consumer is None else int(answer.consumer.offset)

    async def _ask(self, request: Any, client_id: str = _CLIENT_ID) -> Any:
        leader_id = self._assignment.leader_of(OFFSETS_KEY)
        spec = self._spus.get(leader_id) if leader_id is not None else None
        if leader_id is None or spec is None or leader_id == self._assignment.spu_id:
            raise exception_for(other("the leader of `consumer-offset` is not ready"))
        endpoint = spec.private_endpoint
        try:
            async with dial(endpoint.host, endpoint.port, timeout_s=_TIMEOUT_S) as connection:
                answer = await ask(
                    connection,
                    request,
                    PEER_CONSUMER_OFFSET_VERSION,
                    client_id=client_id,
                    timeout_s=_TIMEOUT_S,
                )
        except (OSError, TimeoutError, FluvioError) as exc:
            _logger.warning("consumer offset was not forwarded leader=%d cause=%s", leader_id, exc)
            raise exception_for(
                other(f"SPU {leader_id}, which keeps consumer offsets, does not answer")
            ) from exc
        if not answer.error_code.is_ok:
            raise ApiError(answer.error_code)
        return answer


async def commit_here(store: OffsetStore, key: ConsumerKey, offset: int, incarnation: str | None) -> None:
    """Store an offset where offsets are kept. Raises `ApiError` with the code for whoever asked."""
    try:
        await store.commit(key, offset, incarnation)
    except TopicReplacedError as exc:
        raise exception_for(code(ErrorKind.TOPIC_DELETED)) from exc
    except StorageError as exc:
        raise exception_for(code(ErrorKind.STORAGE_ERROR), str(exc)) from exc


def _replica(key: ConsumerKey) -> ReplicaKey:
    return ReplicaKey(topic=key[0], partition=key[1])
