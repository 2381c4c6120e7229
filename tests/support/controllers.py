"""A controller in this process on free ports, and its peers: a client and an SPU that follow a script.

Everything runs in one event loop: `run_scenario` gives it a deadline. Peers read frames into queues, so a
test waits for the very frame it needs.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from fluvio_local_cluster.sc.server import ScServer
from fluvio_local_cluster.sc.settings import Address, ScSettings
from fluvio_protocol.api.admin import (
    CommonCreateRequest,
    CreateEnvelope,
    CreateRequest,
    DeleteCustomSpuById,
    DeleteEnvelope,
    DeleteRequest,
    ListEnvelope,
    ListFilter,
    ListRequest,
    MetadataUpdate,
    MsgType,
    Status,
    TypedPayload,
    UpdateEnvelope,
    UpdateTopicRequest,
    WatchEnvelope,
    WatchRequest,
    unwrap,
    wrap,
)
from fluvio_protocol.api.partition import ReplicaStatus
from fluvio_protocol.api.sc_spu import (
    OWN_SPU_MARK,
    LrsRequest,
    RegisterSpuRequest,
    RegisterSpuResponse,
    Replica,
    UpdateIncarnationsRequest,
    UpdateLrsRequest,
    UpdateMirrorRequest,
    UpdateReplicaRequest,
    UpdateSmartModuleRequest,
    UpdateSpuRequest,
)
from fluvio_protocol.api.spu import CustomSpuSpec, Endpoint, IngressAddr, IngressPort
from fluvio_protocol.api.topic import AddPartition, TopicReplicaParam, TopicSpec
from fluvio_protocol.frame import (
    FrameSplitter,
    encode_request,
    read_correlation_id,
    read_request_header,
)
from fluvio_protocol.wire import Reader, decode, request_info

DEADLINE_S = 20.0
_PUSHES = {
    request_info(request).key: request
    for request in (
        UpdateSpuRequest,
        UpdateSmartModuleRequest,
        UpdateReplicaRequest,
        UpdateMirrorRequest,
        UpdateIncarnationsRequest,
    )
}


def run_scenario(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine to its end, or fail at the deadline."""

    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE_S):
            await scenario

    asyncio.run(bounded())


def settings_for(directory: Path, **changes: Any) -> ScSettings:
    """Settings of a controller on free ports of 127.0.0.1."""
    local = Address("127.0.0.1", 0)
    values: dict[str, Any] = {"topic_wait_s": 5.0, "shutdown_grace_s": 0.2} | changes
    return ScSettings(directory, local, local, **values)


@contextlib.asynccontextmanager
async def controller(directory: Path, **changes: Any) -> AsyncIterator[ScServer]:
    """A running controller; stopped in order at the end."""
    server = ScServer(settings_for(directory, **changes))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.run(), name="controller under test")
        await server.is_listening.wait()
        try:
            yield server
        finally:
            server.stop()


class Peer:
    """A connection that sends frames and keeps what comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self._splitter = FrameSplitter()
        self._frames: list[bytes] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    @classmethod
    async def connect(cls, port: int) -> Self:
        """Connect to a port of 127.0.0.1."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def next_frame(self) -> bytes | None:
        """The next frame without its length; None when the other side has closed."""
        while not self._frames:
            data = await self._reader.read(65536)
            if not data:
                return None
            self._frames += [bytes(payload) for payload in self._splitter.feed(data)]
        return self._frames.pop(0)


class Client(Peer):
    """An official client as far as the controller sees one."""

    version = 19
    _correlation = 0

    def send(self, body: Any, client_id: str = "fluvio") -> int:
        """Send a request; returns its correlation id."""
        self._correlation += 1
        self.writer.write(encode_request(body, self.version, self._correlation, client_id))
        return self._correlation

    async def answer(self, correlation_id: int, wire_type: Any = Status) -> Any:
        """The next frame, which must be the answer to that request."""
        frame = await self.next_frame()
        assert frame is not None, "the connection was closed"
        reader = Reader(frame)
        assert read_correlation_id(reader) == correlation_id
        return decode(wire_type, reader, self.version)

    async def update(self, correlation_id: int) -> MetadataUpdate[Any, Any]:
        """The next frame, which must belong to that watch."""
        answer = await self.answer(correlation_id, TypedPayload)
        return unwrap(answer, self.version, answer_to=WatchEnvelope)  # type: ignore[no-any-return]

    def watch(self, label: str, *, summary: bool = False) -> int:
        """Open a watch; returns its correlation id."""
        return self.send(wrap(WatchEnvelope, label, WatchRequest(summary=summary), self.version), "dummy")

    async def list(self, label: str, *filters: str, summary: bool = False, system: bool = False) -> list[Any]:
        """List objects."""
        request = ListRequest(
            name_filters=[ListFilter(name=text) for text in filters], summary=summary, system=system
        )
        answer = await self.answer(self.send(wrap(ListEnvelope, label, request, self.version)), TypedPayload)
        assert answer.type == label
        return list(unwrap(answer, self.version, answer_to=ListEnvelope).inner)

    def send_create(self, label: str, name: str, spec: Any, *, dry_run: bool = False) -> int:
        """Ask for an object; returns the correlation id."""
        common = CommonCreateRequest(name=name, dry_run=dry_run)
        return self.send(
            wrap(CreateEnvelope, label, CreateRequest(common=common, request=spec), self.version)
        )

    async def create_topic(
        self, name: str, spec: TopicSpec | None = None, *, dry_run: bool = False
    ) -> Status:
        """Create a topic and wait for the answer."""
        spec = topic_spec() if spec is None else spec
        return await self.answer(self.send_create("Topic", name, spec, dry_run=dry_run))  # type: ignore[no-any-return]

    async def register(self, spu_id: int, name: str = "") -> Status:
        """Register a custom SPU."""
        return await self.answer(  # type: ignore[no-any-return]
            self.send_create("CustomSpu", name or f"custom-spu-{spu_id}", custom_spu(spu_id))
        )

    async def delete(self, label: str, key: str, *, force: bool = False) -> Status:
        """Delete an object named by a text."""
        payload = DeleteRequest(key=key, force=force)
        return await self.answer(self.send(wrap(DeleteEnvelope, label, payload, self.version)))  # type: ignore[no-any-return]

    async def unregister(self, spu_id: int, *, force: bool = False) -> Status:
        """Unregister a custom SPU by its id."""
        payload = DeleteCustomSpuById(id=spu_id, force=force)
        return await self.answer(self.send(wrap(DeleteEnvelope, "CustomSpu", payload, self.version)))  # type: ignore[no-any-return]

    async def add_partitions(self, topic: str, count: int) -> Status:
        """Give a topic more partitions."""
        payload = UpdateTopicRequest(key=topic, action=AddPartition(count=count))
        return await self.answer(self.send(wrap(UpdateEnvelope, "Topic", payload, self.version)))  # type: ignore[no-any-return]


@dataclass(slots=True)
class Told:
    """What an SPU was told so far."""

    frames: list[Any] = field(default_factory=list)
    keys: list[tuple[int, int]] = field(default_factory=list)  # API key and version of each frame
    replicas: dict[str, Replica] = field(default_factory=dict)
    incarnations: dict[str, str] = field(default_factory=dict)


class SpuDouble(Peer):
    """An SPU that registers, takes what it is told, and reports what it leads."""

    spu_id = 0
    told: Told

    @classmethod
    async def register(cls, port: int, spu_id: int, *, own: bool = True) -> "SpuDouble":
        """Connect and register; fails when the controller refuses."""
        spu, answer = await cls.try_register(port, spu_id, own=own)
        assert answer.error_code.is_ok, answer
        return spu

    @classmethod
    async def try_register(
        cls, port: int, spu_id: int, *, own: bool = True
    ) -> tuple["SpuDouble", RegisterSpuResponse]:
        """Connect and register; the answer may be a refusal."""
        spu = await cls.connect(port)
        spu.spu_id, spu.told = spu_id, Told()
        client_id = f"spu: {spu_id}" + (OWN_SPU_MARK if own else "")
        spu.writer.write(encode_request(RegisterSpuRequest(spu=spu_id), 0, 1, client_id))
        frame = await spu.next_frame()
        assert frame is not None
        reader = Reader(frame)
        assert read_correlation_id(reader) == 1
        return spu, decode(RegisterSpuResponse, reader, 0)

    async def next_push(self) -> Any:
        """The next message of the controller, also kept in `told`; None when it closed the connection."""
        frame = await self.next_frame()
        if frame is None:
            return None
        reader = Reader(frame)
        header = read_request_header(reader)
        body = decode(_PUSHES[header.api_key], reader, header.api_version)
        assert reader.remaining == 0
        self.told.frames.append(body)
        self.told.keys.append((header.api_key, header.api_version))
        self._take(body)
        return body

    def _take(self, body: Any) -> None:
        told = self.told
        if isinstance(body, UpdateIncarnationsRequest):
            told.incarnations |= {str(entry.id): entry.incarnation for entry in body.incarnations}
        elif isinstance(body, UpdateReplicaRequest):
            if body.all:
                told.replicas = {str(replica.id): replica for replica in body.all}
            for message in body.changes:
                if message.header is MsgType.DELETE:
                    told.replicas.pop(str(message.content.id), None)
                else:
                    told.replicas[str(message.content.id)] = message.content

    async def wait_for(self, condition: Callable[[Told], bool]) -> None:
        """Read messages until the condition holds."""
        while not condition(self.told):
            assert await self.next_push() is not None, "the controller closed the connection"

    async def wait_for_replica(self, *keys: str) -> None:
        """Read messages until these replicas were told."""
        await self.wait_for(lambda told: all(key in told.replicas for key in keys))

    def report(self, *keys: str, leo: int = 0, leader: int | None = None) -> None:
        """Report these replicas as their leader (or in the name of another one)."""
        spu = self.spu_id if leader is None else leader
        reports = [
            LrsRequest(
                id=self.told.replicas[key].id,
                leader=ReplicaStatus(spu=spu, hw=leo, leo=leo),
                size=leo * 70,
            )
            for key in keys
        ]
        self.send_one_way(UpdateLrsRequest(replicas=reports), 1)

    def send_one_way(self, body: Any, version: int = 0) -> None:
        """Send a message that nobody answers."""
        self.writer.write(encode_request(body, version, 1, "dummy"))

    async def serve(self) -> None:
        """Report every replica that this SPU leads as soon as it is told of it; until cancelled."""
        reported: dict[str, str | None] = {}
        while True:
            led = [
                key
                for key, replica in self.told.replicas.items()
                if replica.leader == self.spu_id and reported.get(key, "") != self.told.incarnations.get(key)
            ]
            if led:
                self.report(*led)
                reported |= {key: self.told.incarnations.get(key) for key in led}
            if await self.next_push() is None:
                return


def custom_spu(spu_id: int) -> CustomSpuSpec:
    """A custom SPU of that id on this machine."""
    return CustomSpuSpec(
        id=spu_id,
        public_endpoint=IngressPort(port=9010, ingress=[IngressAddr(hostname="127.0.0.1")]),
        private_endpoint=Endpoint(port=9011, host="127.0.0.1"),
    )


def topic_spec(partitions: int = 1, replication: int = 1) -> TopicSpec:
    """A topic with placement computed by the controller."""
    return TopicSpec(replicas=TopicReplicaParam(partitions=partitions, replication_factor=replication))
