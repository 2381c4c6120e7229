"""Produce: append batches to replicas that this SPU leads. Layout: docs/protocol.md, "Produce".

For each partition entry: find the leader replica, split the record set by batch headers (records are never
decoded), check codec and CRC, append; the log stamps the base offsets. Clients send an entry for each batch
of 16 KiB, up to hundreds in a row for one partition: those are appended together, with one write. Producers
that want the commit get their answer when the high watermark has passed their records, all others at once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from fluvio_local_cluster.spu.handlers.failures import smartmodule_refusal, write_code_for
from fluvio_local_cluster.spu.leader import LeaderReplica
from fluvio_local_cluster.spu.metrics import ProduceCall
from fluvio_local_cluster.spu.replicas import ReplicaManager
from fluvio_local_cluster.spu.session import ClientSession
from fluvio_local_cluster.storage import LogClosedError, StorageError
from fluvio_protocol.api.produce import (
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceResponse,
)
from fluvio_protocol.batch import BatchError, BatchHeader, split
from fluvio_protocol.error_code import ErrorCode, ErrorKind, RequestKind, code, other
from fluvio_protocol.frame import RequestHeader, encode_response
from fluvio_types.defaults import CONSUMER_OFFSET_TOPIC

_NOT_LEADER = code(ErrorKind.NOT_LEADER_FOR_PARTITION)
_MAX_UNSYNCED = 256  # produce requests of one connection that wait for the disk
_RUN_BYTES = 1024 * 1024  # of entries appended together: as much as an append may hold up the event loop


@dataclass(slots=True)
class _Entry:
    """One partition entry that may be appended, and its answer."""

    response: PartitionProduceResponse
    leader: LeaderReplica
    records: bytes | bytearray | memoryview
    headers: list[BatchHeader]


@dataclass(slots=True)
class _Uncommitted:
    """An answer that waits for its records to be committed, or to be on the disk."""

    response: PartitionProduceResponse
    leader: LeaderReplica
    leo: int


@dataclass(slots=True)
class _Waiting:
    """Answers of a request that may not be given yet. A commit implies the disk (`LeaderReplica`)."""

    wants_commit: bool
    call: ProduceCall
    answers: list[_Uncommitted] = field(default_factory=list)

    def add(self, response: PartitionProduceResponse, leader: LeaderReplica, leo: int) -> None:
        """Records below `leo` were appended."""
        if leader.hw < leo if self.wants_commit else leader.acknowledges_synced:
            self.answers.append(_Uncommitted(response, leader, leo))

    async def wait(self, timeout_ms: int) -> None:
        """Until all may be given; those whose records may be lost get an error instead."""
        if self.wants_commit:
            await _wait_for_commits(self.answers, timeout_ms)
        else:
            await _wait_for_disk(self.answers)


class ProduceHandler:
    """Handles Produce; `smartmodules` are the names of those that exist."""

    def __init__(self, replicas: ReplicaManager, smartmodules: set[str]) -> None:
        self._replicas = replicas
        self._smartmodules = smartmodules
        self._joining: bytearray | None = None  # memory for joined entries while nobody uses it

    async def handle(
        self, session: ClientSession, header: RequestHeader, request: ProduceRequest
    ) -> ProduceResponse | None:
        """Append all entries in the order of the request; one answer for each, in the same order.

        An answer that waits for the disk comes later (None), so that requests behind it on the connection are
        appended before the next fsync.
        """
        refusal = smartmodule_refusal(request.smartmodules, self._smartmodules)
        waiting = _Waiting(request.isolation < 0, self._replicas.metrics.begin_produce(header.client_id))
        responses: list[TopicProduceResponse] = []
        for topic in request.topics:
            entries = [PartitionProduceResponse(partition_index=p.partition_index) for p in topic.partitions]
            if refusal is None:
                await self._append_all(topic.name, topic.partitions, entries, waiting)
            else:
                for entry in entries:
                    entry.error_code = refusal
            responses.append(TopicProduceResponse(name=topic.name, partitions=entries))
        answer = ProduceResponse(responses=responses)
        if not waiting.answers:
            waiting.call.answered()
            return answer
        if waiting.wants_commit or session.unsynced_produces >= _MAX_UNSYNCED:
            await waiting.wait(request.timeout_ms)
            waiting.call.answered()
            return answer
        _LaterAnswer(session, header, answer, waiting).begin()
        return None

    async def _append_all(
        self,
        topic: str,
        partitions: Sequence[PartitionProduceData],
        responses: Sequence[PartitionProduceResponse],
        waiting: "_Waiting",
    ) -> None:
        """Append in order, neighbours of one partition together."""
        run: list[_Entry] = []
        run_bytes = 0
        for data, response in zip(partitions, responses, strict=True):
            entry = self._checked(topic, data, response)
            size = len(data.records)
            if run and (entry is None or entry.leader is not run[0].leader or run_bytes + size > _RUN_BYTES):
                await self._append_run(run, waiting)
                run, run_bytes = [], 0
            if entry is None:
                continue
            if not entry.headers:
                response.base_offset = entry.leader.leo
                continue
            run.append(entry)
            run_bytes += size
        await self._append_run(run, waiting)

    async def _append_run(self, run: list[_Entry], waiting: "_Waiting") -> None:
        """Append entries of one partition with one write; when that is refused, each for itself."""
        if len(run) < 2:
            for entry in run:
                await _append(entry, waiting)
            return
        memory, self._joining = self._joining or bytearray(_RUN_BYTES), None
        joined, headers = _join(run, memory)
        leader = run[0].leader
        try:
            result = await leader.append(joined, headers)
        except StorageError:  # of one batch among them, maybe: each entry has an answer of its own
            self._joining = memory
            for entry in run:
                entry.headers = split(entry.records)
                await _append(entry, waiting)
            return
        self._joining = memory  # not after a cancellation: the append may go on then
        waiting.call.appended(result, len(headers), len(joined))
        offset = result.base_offset
        for entry in run:
            entry.response.base_offset = offset
            offset += sum([header.record_count for header in entry.headers])
            waiting.add(entry.response, leader, offset)

    def _checked(
        self, topic: str, data: PartitionProduceData, response: PartitionProduceResponse
    ) -> _Entry | None:
        """The entry, if it may be appended as far as this is not the log's to say; else it has its answer."""
        leader = self._replicas.find(topic, data.partition_index)
        if leader is None:
            response.error_code = _NOT_LEADER
            return None
        try:
            headers = split(data.records)
        except BatchError as exc:
            response.error_code = other(str(exc))
            return None
        refusal = _refusal(topic, leader, data.records, headers)
        if refusal is not None:
            response.error_code = refusal
            return None
        return _Entry(response, leader, data.records, headers)


def _join(run: list[_Entry], memory: bytearray) -> tuple[memoryview, list[BatchHeader]]:
    """The batches of all entries one behind the other, in `memory` (large enough), and their headers."""
    headers: list[BatchHeader] = []
    view, start = memoryview(memory), 0
    for entry in run:
        for header in entry.headers:
            header.position += start
        headers += entry.headers
        stop = start + len(entry.records)
        view[start:stop] = entry.records
        start = stop
    return view[:start], headers


async def _append(entry: _Entry, waiting: "_Waiting") -> None:
    leader, response = entry.leader, entry.response
    try:
        result = await leader.append(entry.records, entry.headers)  # type: ignore[arg-type]  # writable
    except StorageError as exc:
        response.error_code = write_code_for(exc, *leader.key)
        return
    response.base_offset = result.base_offset
    waiting.call.appended(result, len(entry.headers), len(entry.records))
    waiting.add(response, leader, result.leo)


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


class _LaterAnswer:
    """Sends an answer when the disk has all its records, or nobody knows. Called back, it needs no task."""

    __slots__ = ("_answer", "_header", "_missing", "_session", "_waiting")

    def __init__(
        self, session: ClientSession, header: RequestHeader, answer: ProduceResponse, waiting: _Waiting
    ) -> None:
        self._session, self._header, self._answer, self._waiting = session, header, answer, waiting
        self._missing = len(waiting.answers)

    def begin(self) -> None:
        """The answer may have been given when this returns."""
        self._session.unsynced_produces += 1
        self._session.connection.owe()
        for entry in self._waiting.answers:
            try:
                if entry.leader.when_on_disk(entry.leo, partial(self._known, entry)):
                    self._known(entry, None)
            except StorageError as exc:
                self._known(entry, exc)

    def _known(self, entry: _Uncommitted, error: BaseException | None) -> None:
        if error is not None:
            entry.response.error_code = _unsynced_code(entry.leader, error)
        self._missing -= 1
        if self._missing:
            return
        self._waiting.call.answered()
        self._session.unsynced_produces -= 1
        connection, header = self._session.connection, self._header
        if not connection.is_closed:  # else the producer has gone: nobody waits for the answer
            connection.write_soon(encode_response(self._answer, header.api_version, header.correlation_id))
        connection.settle()


def _unsynced_code(leader: LeaderReplica, error: BaseException) -> ErrorCode:
    """What a producer is told whose records may not be on the disk."""
    if not isinstance(error, StorageError):
        return code(ErrorKind.STORAGE_ERROR)
    ended = leader.ended if isinstance(error, LogClosedError) else None
    return ended or write_code_for(error, *leader.key)


async def _wait_for_disk(waiting: list[_Uncommitted]) -> None:
    for entry in waiting:
        try:
            await entry.leader.on_disk(entry.leo)
        except StorageError as exc:
            entry.response.error_code = _unsynced_code(entry.leader, exc)


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
