"""One-shot fetch: read once from some partitions. Layout: docs/protocol.md, "Fetch"."""

from time import perf_counter

from fluvio_local_cluster.spu.handlers.failures import code_for
from fluvio_local_cluster.spu.replicas import ReplicaManager
from fluvio_local_cluster.spu.session import ClientSession
from fluvio_local_cluster.storage import Slice, StorageError
from fluvio_protocol.api.fetch import (
    FetchablePartitionResponse,
    FetchableTopicResponse,
    FetchPartition,
    FetchRequest,
    FetchResponse,
    Isolation,
)
from fluvio_protocol.error_code import ErrorKind, code
from fluvio_protocol.frame import RequestHeader
from fluvio_types.defaults import MAX_FRAME_BYTES, MAX_REQUEST_BYTES

_MAX_ANSWER_BYTES = MAX_FRAME_BYTES - MAX_REQUEST_BYTES  # all partitions together; one batch may come on top


class FetchHandler:
    """Handles Fetch. `max_wait`, `min_bytes` and `forgotten` are ignored, as upstream does."""

    def __init__(self, replicas: ReplicaManager) -> None:
        self._replicas = replicas

    async def handle(
        self, session: ClientSession, header: RequestHeader, request: FetchRequest
    ) -> FetchResponse:
        """Whole batches from the one that holds each partition's offset, at most `max_bytes` a partition."""
        began_s, metrics = perf_counter(), self._replicas.metrics
        room = _MAX_ANSWER_BYTES
        topics: list[FetchableTopicResponse] = []
        for topic in request.topics:
            answers: list[FetchablePartitionResponse] = []
            for wanted in topic.fetch_partitions:
                max_bytes = min(max(request.max_bytes, 0), room)
                answer, piece = await self._read(
                    topic.name, wanted, max_bytes, request.isolation_level, room > 0
                )
                if piece is not None:
                    metrics.sent(header.client_id, piece)
                room -= len(answer.records)
                answers.append(answer)
            topics.append(FetchableTopicResponse(name=topic.name, partitions=answers))
        metrics.fetch_s.observe(perf_counter() - began_s)
        return FetchResponse(topics=topics)

    async def _read(
        self, topic: str, wanted: FetchPartition, max_bytes: int, isolation: Isolation, has_room: bool
    ) -> tuple[FetchablePartitionResponse, Slice | None]:
        """The answer, and the slice that it copied, released."""
        answer = FetchablePartitionResponse(partition_index=wanted.partition_index)
        leader = self._replicas.find(topic, wanted.partition_index)
        if leader is None:
            answer.error_code = code(ErrorKind.NOT_LEADER_FOR_PARTITION)
            return answer, None
        answer.high_watermark, answer.log_start_offset = leader.hw, leader.log.log_start
        upper = leader.hw if isolation is Isolation.READ_COMMITTED else leader.leo
        try:
            piece = await leader.read(wanted.fetch_offset, max_bytes, upper) if has_room else None
            if piece is not None:
                with piece:
                    answer.records = piece.read_bytes()
        except StorageError as exc:
            answer.error_code = code_for(exc, topic, wanted.partition_index)
            return answer, None
        return answer, piece
