"""An SC that does what a test says: takes one SPU's registration, pushes, and remembers what it is told."""

import asyncio
from collections.abc import Mapping
from typing import Any

from fluvio_local_cluster.net import Connection, Route, Server, serve
from fluvio_protocol.api.admin import MsgType
from fluvio_protocol.api.partition import PartitionResolution
from fluvio_protocol.api.sc_spu import (
    UPDATE_REPLICA_VERSION,
    UPDATE_SMARTMODULE_VERSION,
    UPDATE_SPU_VERSION,
    ControlMessage,
    LrsRequest,
    RegisterSpuRequest,
    RegisterSpuResponse,
    Replica,
    ReplicaIncarnation,
    ReplicaRemovedRequest,
    ScPrivateKey,
    UpdateIncarnationsRequest,
    UpdateLrsRequest,
    UpdatePartitionStatRequest,
    UpdateReplicaRequest,
    UpdateSmartModuleRequest,
    UpdateSpuRequest,
)
from fluvio_protocol.api.spu import Endpoint, IngressAddr, IngressPort, SpuSpec
from fluvio_protocol.error_code import ErrorKind, ReplicaKey, code
from fluvio_protocol.frame import RequestHeader, encode_request

CLUSTER = "11111111-2222-3333-4444-555555555555"
Key = tuple[str, int]


def replica(topic: str, partition: int = 0, leader: int = 5001, **fields: Any) -> Replica:
    """A replica as the SC describes it."""
    return Replica(
        id=ReplicaKey(topic=topic, partition=partition),
        leader=leader,
        replicas=fields.pop("replicas", [leader]),
        **fields,
    )


def spu_spec(spu_id: int, private_port: int) -> SpuSpec:
    """An SPU of which only the private port matters."""
    return SpuSpec(
        id=spu_id,
        public_endpoint=IngressPort(port=1, ingress=[IngressAddr(hostname="127.0.0.1")]),
        private_endpoint=Endpoint(port=private_port, host="127.0.0.1"),
    )


class _Session:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection


class ScriptedSc:
    """`async with ScriptedSc() as sc`. Several SPUs may register; pushes go to all of them."""

    def __init__(self, *, cluster_id: str | None = CLUSTER, refuse: bool = False) -> None:
        self.cluster_id = cluster_id
        self.incarnations: dict[Key, str] = {}
        self.refuse = refuse
        self.is_whole = True  # what it does not name was deleted
        self.reports: dict[Key, LrsRequest] = {}
        self.empty_reports = 0
        self.removed: list[Key] = []
        self.offline: list[Key] = []
        self.states: dict[Key, PartitionResolution] = {}
        self.registrations: list[tuple[int, str]] = []
        self.server: Server | None = None
        self._spus: list[Connection] = []
        self._changed = asyncio.Condition()
        self.routes: Mapping[int, Route] = {
            ScPrivateKey.REGISTER_SPU: Route(RegisterSpuRequest, self._register),
            ScPrivateKey.UPDATE_LRS: Route(UpdateLrsRequest, self._take_reports),
            ScPrivateKey.REPLICA_REMOVED: Route(ReplicaRemovedRequest, self._take_removal),
            ScPrivateKey.UPDATE_PARTITION_STAT: Route(UpdatePartitionStatRequest, self._take_stats),
        }

    @property
    def port(self) -> int:
        assert self.server is not None
        return self.server.port

    async def __aenter__(self) -> "ScriptedSc":
        await self.listen(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def listen(self, port: int) -> None:
        """Start (again)."""
        self.server = await serve("127.0.0.1", port, self, name="scripted SC")

    async def stop(self) -> None:
        """Close the port and all connections."""
        if self.server is not None:
            server, self.server = self.server, None
            await server.close(0.0)

    def opened(self, connection: Connection) -> _Session:
        return _Session(connection)

    async def closed(self, session: _Session) -> None:
        if session.connection in self._spus:
            self._spus.remove(session.connection)
            await self._note()

    # --- what the SPU says ------------------------------------------------------------------------------

    async def _register(self, session: _Session, header: RequestHeader, request: RegisterSpuRequest) -> Any:
        self.registrations.append((request.spu, header.client_id))
        if self.refuse:
            await self._note()
            return RegisterSpuResponse(error_code=code(ErrorKind.SPU_REGISTRATION_FAILED))
        self._spus.append(session.connection)
        await self._note()
        return RegisterSpuResponse()

    async def _take_reports(
        self, session: _Session, header: RequestHeader, request: UpdateLrsRequest
    ) -> None:
        self.empty_reports += not request.replicas
        for entry in request.replicas:
            self.reports[entry.id.topic, entry.id.partition] = entry
        await self._note()

    async def _take_removal(
        self, session: _Session, header: RequestHeader, request: ReplicaRemovedRequest
    ) -> None:
        assert request.confirm
        self.removed.append((request.id.topic, request.id.partition))
        await self._note()

    async def _take_stats(
        self, session: _Session, header: RequestHeader, request: UpdatePartitionStatRequest
    ) -> None:
        for stat in request.stats:
            key = (stat.replica_key.topic, stat.replica_key.partition)
            self.states[key] = stat.resolution
            if stat.resolution is PartitionResolution.OFFLINE:
                self.offline.append(key)
        await self._note()

    async def _note(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # --- what a test waits for --------------------------------------------------------------------------

    async def until(self, predicate: Any) -> None:
        """Wait until `predicate()` holds after something the SPU said."""
        async with asyncio.timeout(15), self._changed:
            await self._changed.wait_for(predicate)

    async def registered(self, count: int = 1) -> None:
        """Wait for so many registrations altogether."""
        await self.until(lambda: len(self.registrations) >= count and (self.refuse or self._spus))

    async def until_left(self) -> None:
        """Wait until no SPU is connected."""
        await self.until(lambda: not self._spus)

    async def told(self, topic: str, partition: int = 0, leo: int | None = None) -> LrsRequest:
        """Wait for a report of a replica (with this LEO)."""
        key = (topic, partition)
        await self.until(lambda: key in self.reports and (leo is None or self.reports[key].leader.leo == leo))
        return self.reports[key]

    # --- what it says -----------------------------------------------------------------------------------

    async def send(self, request: Any, version: int) -> None:
        """Push to every SPU."""
        for connection in list(self._spus):
            await connection.send(encode_request(request, version, 1, "sc"))

    async def push_all(self, *replicas: Replica) -> None:
        """All replicas there are, incarnations first."""
        await self._push_incarnations(replicas)
        await self.send(UpdateReplicaRequest(epoch=1, all=list(replicas)), UPDATE_REPLICA_VERSION)

    async def push(self, *replicas: Replica, kind: MsgType = MsgType.UPDATE) -> None:
        """Changed replicas."""
        await self._push_incarnations(replicas)
        changes = [ControlMessage(header=kind, content=entry) for entry in replicas]
        await self.send(UpdateReplicaRequest(epoch=2, changes=changes), UPDATE_REPLICA_VERSION)

    async def _push_incarnations(self, replicas: Any) -> None:
        if self.cluster_id is None:
            return
        entries = [
            ReplicaIncarnation(
                id=entry.id,
                incarnation=self.incarnations.get((entry.id.topic, entry.id.partition), "life 1"),
            )
            for entry in replicas
        ]
        request = UpdateIncarnationsRequest(
            cluster_id=self.cluster_id, is_whole=self.is_whole, incarnations=entries
        )
        await self.send(request, 0)

    async def push_spus(self, *specs: SpuSpec) -> None:
        """All SPUs there are."""
        await self.send(UpdateSpuRequest(epoch=1, all=list(specs)), UPDATE_SPU_VERSION)

    async def push_smartmodules(self, update: UpdateSmartModuleRequest) -> None:
        """SmartModules."""
        await self.send(update, UPDATE_SMARTMODULE_VERSION)
