"""A cluster that behaves as the official one does, in this process, with faults on demand.

One controller and some SPUs, each a `ScriptedPeer`. The SPUs keep batches in memory and cut slices at exactly
`max_bytes`, in the middle of a batch, as the official engine does. Handshakes are frames of the official
engine, so a client negotiates the versions that it would there. What was asked is kept in `requests`.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from fluvio_protocol.api.admin import (
    ListEnvelope,
    ListResponse,
    Metadata,
    MetadataMessage,
    MetadataUpdate,
    MsgType,
    TypedPayload,
    WatchEnvelope,
    unwrap,
    wrap,
)
from fluvio_protocol.api.consumer_offsets import (
    ConsumerOffset,
    DeleteConsumerOffsetRequest,
    DeleteConsumerOffsetResponse,
    FetchConsumerOffsetsRequest,
    FetchConsumerOffsetsResponse,
    UpdateConsumerOffsetRequest,
    UpdateConsumerOffsetResponse,
)
from fluvio_protocol.api.fetch import (
    FetchablePartitionResponse,
    FetchableTopicResponse,
    FetchRequest,
    FetchResponse,
    StreamFetchRequest,
    StreamFetchResponse,
)
from fluvio_protocol.api.offsets import (
    FetchOffsetPartitionResponse,
    FetchOffsetsRequest,
    FetchOffsetsResponse,
    FetchOffsetTopicResponse,
    OffsetUpdateStatus,
    UpdateOffsetsRequest,
    UpdateOffsetsResponse,
)
from fluvio_protocol.api.partition import PartitionResolution, PartitionSpec, PartitionStatus
from fluvio_protocol.api.produce import (
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceResponse,
)
from fluvio_protocol.api.spu import (
    Endpoint,
    IngressAddr,
    IngressPort,
    SpuSpec,
    SpuStatus,
    SpuStatusResolution,
)
from fluvio_protocol.api.topic import TopicReplicaParam, TopicSpec, TopicStatus
from fluvio_protocol.batch import crc_matches, split, stamp
from fluvio_protocol.error_code import OK, ErrorCode, ErrorKind, ReplicaKey
from fluvio_protocol.wire import decode, encode
from tests.support.scripted_peer import Conversation, Received, ScriptedPeer, response_body

SC_HANDSHAKE, SPU_HANDSHAKE = "engine-py-connect-2", "engine-py-produce-single-2"
CLOSE_BEFORE, CLOSE_AFTER, SILENCE = "close before storing", "close after storing", "say nothing"
OTHER_PARTITION = "answer for another partition"


@dataclass(slots=True, eq=False)
class _OpenStream:
    conversation: Conversation
    request: Received
    body: StreamFetchRequest
    stream_id: int
    offset: int  # next to send
    is_waiting: bool = False  # for records, not for an acknowledgement


@dataclass(slots=True, eq=False)
class ScriptedSpu:
    """One SPU. `faults`: what happens to the next produce requests, an error code or a word from above."""

    spu_id: int = 5001
    logs: dict[tuple[str, int], list[bytes]] = field(default_factory=dict)  # complete batches
    stored: dict[tuple[str, str, int], int] = field(default_factory=dict)  # consumer, topic, partition
    faults: deque[ErrorKind | str] = field(default_factory=deque)
    leads_offsets: bool = True  # else it refuses to list and delete stored offsets
    stream_errors: deque[ErrorCode] = field(default_factory=deque)  # answered instead of opening a stream
    log_start: int = 0
    requests: list[Any] = field(default_factory=list)  # decoded bodies, in order
    raw: list[Received] = field(default_factory=list)
    _lock: threading.Condition = field(default_factory=threading.Condition)
    _streams: list[_OpenStream] = field(default_factory=list)

    def asked(self, kind: type) -> list[Any]:
        """The requests of one kind so far."""
        with self._lock:
            return [body for body in self.requests if isinstance(body, kind)]

    def wait_for(self, kind: type, count: int = 1, timeout_s: float = 10.0) -> None:
        """Block until so many requests of one kind have come; to be called in a thread."""
        with self._lock:
            assert self._lock.wait_for(lambda: len(self.asked(kind)) >= count, timeout_s), kind

    def append(self, topic: str, partition: int, batch: bytes) -> int:
        """Store one batch and send it to whoever waits; returns its base offset."""
        with self._lock:
            log = self.logs.setdefault((topic, partition), [])
            base = self.end(topic, partition)
            stamped = bytearray(batch)
            stamp(stamped, 0, base, 0)
            log.append(bytes(stamped))
            for stream in self._streams:
                if stream.is_waiting:
                    self._push(stream)
            return base

    def end(self, topic: str, partition: int) -> int:
        """The offset that the next record gets."""
        log = self.logs.get((topic, partition))
        return split(log[-1])[0].next_offset if log else self.log_start

    def script(self, conversation: Conversation) -> None:
        """One connection."""
        state: dict[int, _OpenStream] = {}
        while (request := conversation.read()) is not None:
            with self._lock:
                self.raw.append(request)
                handler = _HANDLERS[request.header.api_key]
                if not handler(self, conversation, request, state):
                    break
        with self._lock:
            self._streams = [stream for stream in self._streams if stream.conversation is not conversation]

    def _decode(self, kind: Any, request: Received) -> Any:
        body = decode(kind, request.body, request.header.api_version)
        assert encode(body, request.header.api_version) == request.body, "bytes are left over"
        self.requests.append(body)
        self._lock.notify_all()
        return body

    def _handshake(self, conversation: Conversation, request: Received, _: Any) -> bool:
        conversation.answer(request, response_body(SPU_HANDSHAKE))
        return True

    def _produce(self, conversation: Conversation, request: Received, _: Any) -> bool:
        body: ProduceRequest = self._decode(ProduceRequest, request)
        fault = self.faults.popleft() if self.faults else None
        if fault == CLOSE_BEFORE:
            return False
        topics = []
        for topic in body.topics:
            entries = []
            for entry in topic.partitions:
                answer = PartitionProduceResponse(partition_index=entry.partition_index)
                if isinstance(fault, ErrorKind):
                    answer.error_code = ErrorCode(fault)
                else:
                    answer.base_offset = self._store(topic.name, entry.partition_index, entry.records)
                if fault == OTHER_PARTITION:
                    answer.partition_index += 1
                entries.append(answer)
            topics.append(TopicProduceResponse(name=topic.name, partitions=entries))
        if fault == CLOSE_AFTER:
            return False
        if fault != SILENCE:
            conversation.answer(
                request, encode(ProduceResponse(responses=topics), request.header.api_version)
            )
        return True

    def _store(self, topic: str, partition: int, records: bytes | memoryview) -> int:
        headers = split(records)
        assert sum(header.size_bytes for header in headers) == len(records) > 0
        first = self.end(topic, partition)
        for header in headers:
            assert crc_matches(records, header)
            raw = bytes(records[header.position : header.position + header.size_bytes])
            self.append(topic, partition, raw)
        return first

    def _offsets(self, conversation: Conversation, request: Received, _: Any) -> bool:
        body: FetchOffsetsRequest = self._decode(FetchOffsetsRequest, request)
        topics = [
            FetchOffsetTopicResponse(
                name=topic.name,
                partitions=[
                    FetchOffsetPartitionResponse(
                        partition_index=entry.partition_index,
                        start_offset=self.log_start,
                        last_stable_offset=self.end(topic.name, entry.partition_index),
                    )
                    for entry in topic.partitions
                ],
            )
            for topic in body.topics
        ]
        conversation.answer(request, encode(FetchOffsetsResponse(topics=topics), request.header.api_version))
        return True

    def _fetch(self, conversation: Conversation, request: Received, _: Any) -> bool:
        body: FetchRequest = self._decode(FetchRequest, request)
        topics = [
            FetchableTopicResponse(
                name=topic.name,
                partitions=[
                    FetchablePartitionResponse(
                        partition_index=wanted.partition_index,
                        records=self._from(topic.name, wanted.partition_index, wanted.fetch_offset)[
                            : body.max_bytes
                        ],
                    )
                    for wanted in topic.fetch_partitions
                ],
            )
            for topic in body.topics
        ]
        conversation.answer(request, encode(FetchResponse(topics=topics), request.header.api_version))
        return True

    def _from(self, topic: str, partition: int, offset: int) -> bytes:
        log = self.logs.get((topic, partition), [])
        return b"".join(raw for raw in log if split(raw)[0].next_offset > offset)

    def _stream_fetch(
        self, conversation: Conversation, request: Received, state: dict[int, _OpenStream]
    ) -> bool:
        body: StreamFetchRequest = self._decode(StreamFetchRequest, request)
        stream = _OpenStream(conversation, request, body, len(state) + 1, body.fetch_offset)
        if self.stream_errors:
            self._answer_stream(stream, b"", self.stream_errors.popleft())
            return True
        state[stream.stream_id] = stream
        self._streams.append(stream)
        self._push(stream)
        return True

    def _push(self, stream: _OpenStream) -> None:
        rest = self._from(stream.body.topic, stream.body.partition, stream.offset)
        stream.is_waiting = not rest
        if rest:
            self._answer_stream(stream, rest[: stream.body.max_bytes], OK)

    def _answer_stream(self, stream: _OpenStream, records: bytes, error: ErrorCode) -> None:
        answer = StreamFetchResponse(
            topic=stream.body.topic,
            stream_id=stream.stream_id,
            partition=FetchablePartitionResponse(
                partition_index=stream.body.partition, error_code=error, records=records
            ),
        )
        stream.conversation.answer(stream.request, encode(answer, stream.request.header.api_version))

    def _update_offsets(
        self, conversation: Conversation, request: Received, state: dict[int, _OpenStream]
    ) -> bool:
        body: UpdateOffsetsRequest = self._decode(UpdateOffsetsRequest, request)
        (update,) = body.offsets
        stream = state.get(update.session_id)
        error = OK if stream is not None else ErrorCode(ErrorKind.FETCH_SESSION_NOT_FOUND)
        status = UpdateOffsetsResponse(status=[OffsetUpdateStatus(session_id=update.session_id, error=error)])
        conversation.answer(request, encode(status, 0))
        if stream is not None:
            stream.offset = update.offset
            self._push(stream)
        return True

    def _store_consumer_offset(
        self, conversation: Conversation, request: Received, state: dict[int, _OpenStream]
    ) -> bool:
        body: UpdateConsumerOffsetRequest = self._decode(UpdateConsumerOffsetRequest, request)
        stream = state[body.session_id].body
        assert stream.consumer_id is not None
        self.stored[stream.consumer_id, stream.topic, stream.partition] = body.offset
        answer = UpdateConsumerOffsetResponse(offset=body.offset)
        conversation.answer(request, encode(answer, request.header.api_version))
        return True

    def _consumer_offsets(self, conversation: Conversation, request: Received, _: Any) -> bool:
        self._decode(FetchConsumerOffsetsRequest, request)
        consumers = [
            ConsumerOffset(
                consumer_id=consumer,
                replica_id=ReplicaKey(topic=topic, partition=partition),
                offset=offset,
                modified_time=0,
            )
            for (consumer, topic, partition), offset in self.stored.items()
        ]  # all of them, as a server does that knows no filter
        answer = FetchConsumerOffsetsResponse(consumers=consumers)
        if not self.leads_offsets:
            error = ErrorCode(ErrorKind.PARTITION_NOT_LEADER)
            answer = FetchConsumerOffsetsResponse(error_code=error, consumers=[])
        conversation.answer(request, encode(answer, request.header.api_version))
        return True

    def _delete_consumer_offset(self, conversation: Conversation, request: Received, _: Any) -> bool:
        body: DeleteConsumerOffsetRequest = self._decode(DeleteConsumerOffsetRequest, request)
        self.stored.pop((body.consumer_id, body.replica_id.topic, body.replica_id.partition), None)
        conversation.answer(request, encode(DeleteConsumerOffsetResponse(), request.header.api_version))
        return True


_HANDLERS: dict[int, Any] = {
    18: ScriptedSpu._handshake,
    0: ScriptedSpu._produce,
    1: ScriptedSpu._fetch,
    1002: ScriptedSpu._offsets,
    1003: ScriptedSpu._stream_fetch,
    1005: ScriptedSpu._update_offsets,
    1006: ScriptedSpu._store_consumer_offset,
    1007: ScriptedSpu._delete_consumer_offset,
    1008: ScriptedSpu._consumer_offsets,
}


class ScriptedCluster:
    """`with ScriptedCluster({"topic": [5001, 5002]}) as cluster`: topics, and who leads each partition."""

    def __init__(self, topics: dict[str, list[int]], *, spec: TopicSpec | None = None) -> None:
        """`spec`: of every topic."""
        self.topics = {"consumer-offset": [5001], **topics}
        self._spec = spec or TopicSpec(replicas=TopicReplicaParam())
        ids = sorted({leader for leaders in self.topics.values() for leader in leaders} | {5001})
        self.spus = {spu_id: ScriptedSpu(spu_id) for spu_id in ids}
        self.spu_peers = {spu_id: ScriptedPeer(spu.script) for spu_id, spu in self.spus.items()}
        self.controller = ScriptedPeer(self._script)
        self.offline: set[int] = set()
        self.untold: list[str] = []  # topics that are there, though who watches was not told yet
        self.on_list: Callable[[], None] | None = None  # called once somebody has listed topics
        self.on_other: Callable[[Received], bytes] | None = None  # answers creations and deletions
        self._lock = threading.RLock()
        self._watches: list[tuple[Conversation, Received, str]] = []

    @property
    def endpoint(self) -> str:
        """host:port of the controller."""
        return self.controller.endpoint

    @property
    def spu(self) -> ScriptedSpu:
        """The first SPU."""
        return self.spus[5001]

    def __enter__(self) -> Self:
        for peer in (self.controller, *self.spu_peers.values()):
            peer.__enter__()
        return self

    def __exit__(self, *failure: Any) -> None:
        kind = failure[0] if failure else None
        for peer in (self.controller, *self.spu_peers.values()):
            peer.__exit__(kind)

    def lead(self, topic: str, leaders: list[int]) -> None:
        """Give a topic (new) leaders and tell all who watch."""
        with self._lock:
            self.topics[topic] = leaders
            self._tell("Partition", self._partitions(topic), MsgType.UPDATE)
            self._tell("Topic", [self._topic(topic)], MsgType.UPDATE)

    def forget(self, topic: str) -> None:
        """Delete a topic and tell all who watch."""
        with self._lock:
            self._tell("Partition", self._partitions(topic), MsgType.DELETE)
            self._tell("Topic", [self._topic(topic)], MsgType.DELETE)
            del self.topics[topic]

    def set_online(self, spu_id: int, online: bool) -> None:
        """Take an SPU offline or bring it back, in the metadata only."""
        with self._lock:
            (self.offline.discard if online else self.offline.add)(spu_id)
            self._tell("SPU", [self._spu(spu_id)], MsgType.UPDATE)

    def _script(self, conversation: Conversation) -> None:
        while (request := conversation.read()) is not None:
            if request.header.api_key == 18:
                conversation.answer(request, response_body(SC_HANDSHAKE))
                continue
            if request.header.api_key == 1003:
                self._list(conversation, request)
                continue
            if self.on_other is not None and request.header.api_key != 1004:
                conversation.answer(request, self.on_other(request))
                continue
            assert request.header.api_key == 1004, "only watches and lists are scripted"
            label = decode(TypedPayload, request.body, request.header.api_version).type
            with self._lock:
                self._watches.append((conversation, request, label))
                everything = {
                    "SPU": [self._spu(spu_id) for spu_id in self.spus],
                    "Partition": [item for topic in self.topics for item in self._partitions(topic)],
                    "Topic": [self._topic(topic) for topic in self.topics],
                }[label]
                self._answer(conversation, request, label, MetadataUpdate(epoch=1, all=everything))

    def _list(self, conversation: Conversation, request: Received) -> None:
        version = request.header.api_version
        asked: ListEnvelope = decode(ListEnvelope, request.body, version)
        if asked.type == "Topic":
            found = [self._topic(name) for name in (*self.topics, *self.untold)]
        elif asked.type == "SPU":
            found = [self._spu(spu_id) for spu_id in self.spus]
        else:
            is_system = unwrap(asked, version).system
            topics = [topic for topic in self.topics if (topic == "consumer-offset") is is_system]
            found = [item for topic in topics for item in self._partitions(topic)]
        envelope = wrap(ListEnvelope, asked.type, ListResponse(inner=found), version)
        conversation.answer(request, encode(envelope, version, TypedPayload))
        if asked.type == "Topic" and self.on_list is not None:
            self.on_list()

    def _tell(self, label: str, items: list[Metadata[Any, Any]], kind: MsgType) -> None:
        update: MetadataUpdate[Any, Any]
        update = MetadataUpdate(
            epoch=2, changes=[MetadataMessage(header=kind, content=item) for item in items]
        )
        for conversation, request, watched in self._watches:
            if watched == label:
                self._answer(conversation, request, label, update)

    def _answer(self, conversation: Conversation, request: Received, label: str, update: Any) -> None:
        version = request.header.api_version
        envelope = wrap(WatchEnvelope, label, update, version)
        conversation.answer(request, encode(envelope, version, TypedPayload))

    def _spu(self, spu_id: int) -> Metadata[Any, Any]:
        spec = SpuSpec(
            id=spu_id,
            public_endpoint=IngressPort(
                port=self.spu_peers[spu_id].port, ingress=[IngressAddr(ip="127.0.0.1")]
            ),
            private_endpoint=Endpoint(port=1, host="127.0.0.1"),
        )
        state = SpuStatusResolution.OFFLINE if spu_id in self.offline else SpuStatusResolution.ONLINE
        return Metadata(name=f"custom-spu-{spu_id}", spec=spec, status=SpuStatus(resolution=state))

    def _partitions(self, topic: str) -> list[Metadata[Any, Any]]:
        return [
            Metadata(
                name=f"{topic}-{number}",
                spec=PartitionSpec(leader=leader, replicas=[leader]),
                status=PartitionStatus(resolution=PartitionResolution.ONLINE),
            )
            for number, leader in enumerate(self.topics[topic])
        ]

    def _topic(self, topic: str) -> Metadata[Any, Any]:
        return Metadata(name=topic, spec=self._spec, status=TopicStatus())
