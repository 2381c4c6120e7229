"""FetchOffsets: where partitions begin and end. Layout: docs/protocol.md, "FetchOffsets"."""

from fluvio_local_cluster.spu.offset_router import OffsetRouter
from fluvio_local_cluster.spu.replicas import ReplicaManager
from fluvio_local_cluster.spu.session import ClientSession
from fluvio_protocol.api.offsets import (
    FetchOffsetPartitionResponse,
    FetchOffsetsRequest,
    FetchOffsetsResponse,
    FetchOffsetTopicResponse,
)
from fluvio_protocol.error_code import ApiError, ErrorKind, code
from fluvio_protocol.frame import RequestHeader


class OffsetsHandler:
    """Handles FetchOffsets; version 23 may ask on behalf of a consumer, whose start is its next offset."""

    def __init__(self, replicas: ReplicaManager, router: OffsetRouter) -> None:
        self._replicas = replicas
        self._router = router

    async def handle(
        self, session: ClientSession, header: RequestHeader, request: FetchOffsetsRequest
    ) -> FetchOffsetsResponse:
        """Log start and HW of each partition asked for, in the order of the request."""
        topics: list[FetchOffsetTopicResponse] = []
        for topic in request.topics:
            answers = [
                await self._answer(topic.name, partition.partition_index, request.consumer_id)
                for partition in topic.partitions
            ]
            topics.append(FetchOffsetTopicResponse(name=topic.name, partitions=answers))
        return FetchOffsetsResponse(topics=topics)

    async def _answer(
        self, topic: str, partition: int, consumer_id: str | None
    ) -> FetchOffsetPartitionResponse:
        answer = FetchOffsetPartitionResponse(partition_index=partition)
        leader = self._replicas.find(topic, partition)
        if leader is None:
            answer.error_code = code(ErrorKind.PARTITION_NOT_LEADER)
            return answer
        answer.start_offset, answer.last_stable_offset = leader.log.log_start, leader.hw
        if consumer_id:
            try:
                stored = await self._router.fetch((topic, partition, consumer_id))
            except ApiError as exc:
                answer.error_code = exc.code
                return answer
            if stored is not None:
                answer.start_offset = stored + 1
        return answer
