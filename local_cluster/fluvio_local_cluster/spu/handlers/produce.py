"""Produce: append batches to replicas that this SPU leads. Layout: docs/protocol.md, "Produce".

For each partition entry: find the leader replica, split the record set by batch headers (records are never
decoded), check codec and CRC, append; the log stamps the base offsets. Producers that want the commit get
their answer when the high watermark has passed their records, all others at once.
"""

import asyncio
from dataclasses import dataclass

from fluvio_local_cluster.spu.handlers.failures import smartmodule_refusal, write_code_for
from fluvio_local_cluster.spu.leader import LeaderReplica
from fluvio_local_cluster.spu.replicas import ReplicaManager
from fluvio_local_cluster.spu.session import ClientSession
from fluvio_local_cluster.storage import StorageError
from fluvio_protocol.api.produce import (
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceResponse,
)
from fluvio_protocol.batch import BatchError, BatchHeader, split
from fluvio_protocol.error_code import ErrorCode, ErrorKind, RequestKind, code, other
from fluvio_protocol.frame import RequestHeader
from fluvio_types.defaults import CONSUMER_OFFSET_TOPIC

_NOT_LEADER = code(ErrorKind.NOT_LEADER_FOR_PARTITION)


@dataclass(slots=True)
class _Uncommitted:
    """An answer that waits for its records to be committed."""

    response: PartitionProduceResponse
    leader: LeaderReplica
    leo: int


class ProduceHandler:
    """Handles Produce; `smartmodules` are the names of those that exist."""

    def __init__(self, replicas: ReplicaManager, smartmodules: set[str]) -> None:
        self._replicas = replicas
        self._smartmodules = smartmodules

    async def handle(
        self, session: ClientSession, header: RequestHeader, request: ProduceRequest
    ) -> ProduceResponse:
        """Append all entries in the order of the request; one answer for each, in the same order."""
        refusal = smartmodule_refusal(request.smartmodules, self._smartmodules)
        waiting: list[_Uncommitted] | None = [] if request.isolation < 0 else None
        responses: list[TopicProduceResponse] = []
        for topic in request.topics:
            name = topic.name
            entries: list[PartitionProduceResponse] = []
            for data in topic.partitions:
                response = PartitionProduceResponse(partition_index=data.partition_index)
                if refusal is not None:
                    response.error_code = refusal
                else:
                    await self._append(name, data, response, waiting)
                entries.append(response)
            responses.append(TopicProduceResponse(name=name, partitions=entries))
        if waiting:
            await _wait_for_commits(waiting, request.timeout_ms)
        return ProduceResponse(responses=responses)

    async def _append(
        self,
        topic: str,
        data: PartitionProduceData,
        response: PartitionProduceResponse,
        waiting: list[_Uncommitted] | None,
    ) -> None:
        partition, records = data.partition_index, data.records
        leader = self._replicas.find(topic, partition)
        if leader is None:
            response.error_code = _NOT_LEADER
            return
        try:
            headers = split(records)
        except BatchError as exc:
            response.error_code = other(str(exc))
            return
        refusal = _refusal(topic, leader, records, headers)
        if refusal is not None:
            response.error_code = refusal
            return
        if not headers:
            response.base_offset = leader.leo
            return
        try:
            result = await leader.append(records, headers)  # type: ignore[arg-type]  # frames are writable
        except StorageError as exc:
            response.error_code = write_code_for(exc, topic, partition)
            return
        response.base_offset = result.base_offset
        if waiting is not None and leader.hw < result.leo:
            waiting.append(_Uncommitted(response, leader, result.leo))


def _refusal(
    topic: str, leader: LeaderReplica, records: bytes | memoryview, headers: list[BatchHeader]
) -> ErrorCode | None:
    """Why a record set cannot be taken, as far as this is not the log's to say."""
    covered = headers[-1].position + headers[-1].size_bytes if headers else 0
    if covered != len(records):
        return other(f"{len(records) - covered} bytes after the last batch are not a batch")
    if topic == CONSUMER_OFFSET_TOPIC:
        return other(f"`{CONSUMER_OFFSET_TOPIC}` is written by the cluster only")
    if leader.replica.deduplication is not None:
        return other("not supported yet: deduplication")
    wanted = leader.required_codec
    if wanted is not None and any(header.codec_number != wanted for header in headers):
        return code(ErrorKind.COMPRESSION_ERROR)
    return None


async def _wait_for_commits(waiting: list[_Uncommitted], timeout_ms: int) -> None:
    """Wait until all are committed, together at most `timeout_ms`; the rest is told that it was not."""
    timed_out = code(ErrorKind.REQUEST_TIMED_OUT, max(timeout_ms, 0), RequestKind.PRODUCE)
    open_ones = list(waiting)
    try:
        async with asyncio.timeout(max(timeout_ms, 0) / 1000):
            while open_ones:
                entry = open_ones[0]
                if not await entry.leader.committed(entry.leo):
                    entry.response.error_code = entry.leader.ended or _NOT_LEADER
                open_ones.pop(0)
    except TimeoutError:
        for entry in open_ones:
            if entry.leader.hw < entry.leo:
                entry.response.error_code = timed_out
