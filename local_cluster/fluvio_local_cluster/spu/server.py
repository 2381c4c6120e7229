"""The SPU: puts its parts together, starts and stops them in order.

Clients are answered from the start, also before the SC is there; replicas are served as the SC names them.
"""

import asyncio
import logging
import signal
from collections.abc import Mapping

from fluvio_local_cluster.net import Connection, Route, Server, serve
from fluvio_local_cluster.spu.catalogue import Catalogue
from fluvio_local_cluster.spu.control import Control
from fluvio_local_cluster.spu.handlers.api_versions import handle_api_versions
from fluvio_local_cluster.spu.handlers.consumer_offsets import ConsumerOffsetsHandler
from fluvio_local_cluster.spu.handlers.fetch import FetchHandler
from fluvio_local_cluster.spu.handlers.offsets import OffsetsHandler
from fluvio_local_cluster.spu.handlers.peers import PeerService
from fluvio_local_cluster.spu.handlers.produce import ProduceHandler
from fluvio_local_cluster.spu.handlers.stream_fetch import StreamFetchHandler
from fluvio_local_cluster.spu.leader import LeaderReplica
from fluvio_local_cluster.spu.monitoring import Monitoring
from fluvio_local_cluster.spu.offset_router import OffsetRouter
from fluvio_local_cluster.spu.offset_store import OFFSETS_KEY, OffsetStore
from fluvio_local_cluster.spu.replicas import ReplicaManager
from fluvio_local_cluster.spu.session import ClientSession
from fluvio_local_cluster.spu.settings import SpuSettings
from fluvio_local_cluster.spu.upkeep import Upkeep
from fluvio_local_cluster.storage import Files
from fluvio_protocol.api.api_versions import API_VERSIONS_KEY, ApiVersionsRequest
from fluvio_protocol.api.consumer_offsets import (
    DELETE_CONSUMER_OFFSET_KEY,
    FETCH_CONSUMER_OFFSETS_KEY,
    UPDATE_CONSUMER_OFFSET_KEY,
    DeleteConsumerOffsetRequest,
    FetchConsumerOffsetsRequest,
    UpdateConsumerOffsetRequest,
)
from fluvio_protocol.api.fetch import FETCH_KEY, STREAM_FETCH_KEY, FetchRequest, StreamFetchRequest
from fluvio_protocol.api.offsets import (
    FETCH_OFFSETS_KEY,
    UPDATE_OFFSETS_KEY,
    FetchOffsetsRequest,
    UpdateOffsetsRequest,
)
from fluvio_protocol.api.produce import PRODUCE_KEY, ProduceRequest

_logger = logging.getLogger(__name__)

_CHECKPOINT_S = 5.0  # high watermarks are checkpointed this often
_PURGE_S = 300.0  # the trash is looked through this often
_GRACE_S = 2.0  # requests that came before the stop are answered within this time


class ClientService:
    """The public port."""

    def __init__(self, spu: "Spu") -> None:
        replicas, modules = spu.replicas, spu.catalogue.smartmodules
        produce = ProduceHandler(replicas, modules)
        fetch = FetchHandler(replicas)
        streams = self.streams = StreamFetchHandler(replicas, modules, spu.settings.max_streams)
        offsets = OffsetsHandler(replicas, spu.router)
        consumers = ConsumerOffsetsHandler(spu.offsets, spu.router, replicas.assignment)
        self.routes: Mapping[int, Route] = {
            API_VERSIONS_KEY: Route(ApiVersionsRequest, handle_api_versions),
            PRODUCE_KEY: Route(ProduceRequest, produce.handle),
            FETCH_KEY: Route(FetchRequest, fetch.handle),
            FETCH_OFFSETS_KEY: Route(FetchOffsetsRequest, offsets.handle),
            STREAM_FETCH_KEY: Route(StreamFetchRequest, streams.handle),
            UPDATE_OFFSETS_KEY: Route(UpdateOffsetsRequest, streams.handle_update_offsets),
            UPDATE_CONSUMER_OFFSET_KEY: Route(UpdateConsumerOffsetRequest, consumers.handle_update),
            DELETE_CONSUMER_OFFSET_KEY: Route(DeleteConsumerOffsetRequest, consumers.handle_delete),
            FETCH_CONSUMER_OFFSETS_KEY: Route(FetchConsumerOffsetsRequest, consumers.handle_fetch),
        }

    def opened(self, connection: Connection) -> ClientSession:
        """A client has connected."""
        return ClientSession(connection)

    async def closed(self, session: ClientSession) -> None:
        """Its streams have ended with their tasks."""
        session.streams.clear()


class Spu:
    """One streaming processing unit. `run` serves until `stop` is called."""

    def __init__(self, settings: SpuSettings, files: Files | None = None) -> None:
        """`files`: how the disk is reached; tests let it fail."""
        self.settings = settings
        self.replicas = ReplicaManager(settings, files)
        self.upkeep = Upkeep(self.replicas, settings.retention_tick_s, check_tick_s=settings.check_tick_s)
        self.catalogue = Catalogue()
        incarnations = self.replicas.assignment.incarnations
        self.offsets = OffsetStore(incarnations, settings.consumer_offset_ttl_s)
        self.router = OffsetRouter(self.offsets, self.replicas.assignment, self.catalogue.spus)
        self.control = Control(settings, self.replicas, self.catalogue)
        self.clients = ClientService(self)
        self.monitoring = Monitoring(self)
        self.public: Server | None = None
        self.private: Server | None = None
        self.is_listening = asyncio.Event()
        self._is_stopping = asyncio.Event()
        self.replicas.on_opened.append(self._opened)
        self.replicas.on_forgotten.append(self.offsets.forget)
        self.replicas.on_complete.append(self._all_known)
        self.replicas.on_pushed.append(self.offsets.forget_strangers)
        self.replicas.on_cleaned.append(self.offsets.cleaned)

    @property
    def open_streams(self) -> int:
        """Streams of consumers."""
        return self.clients.streams.open_streams

    def stop(self) -> None:
        """Let `run` end orderly."""
        self._is_stopping.set()

    async def run(self) -> None:
        """Serve until `stop`. Raises `OSError` when a port cannot be bound."""
        settings = self.settings
        limits = settings.limits
        self.public = await serve(
            settings.public.host,
            settings.public.port,
            self.clients,
            limits=limits,
            tls=None if settings.tls is None else settings.tls.context(),
            name="public",
        )
        try:
            await self.monitoring.open()
            self.private = await serve(
                settings.private.host,
                settings.private.port,
                PeerService(self.offsets, self.replicas),
                limits=limits,
                name="private",
            )
            try:
                await self._serve(self.public, self.private)
            finally:
                await self.private.close(0.0)
        finally:
            self.monitoring.close()
            await self.public.close(0.0)
            await self.replicas.close()
        _logger.info("SPU is stopped spu=%d", settings.spu_id)

    async def _serve(self, public: Server, private: Server) -> None:
        _logger.info(
            "SPU is listening spu=%d public=%d private=%d", self.settings.spu_id, public.port, private.port
        )
        async with asyncio.TaskGroup() as group:
            self.replicas.start(group)
            tasks = [
                group.create_task(self.control.run(), name="control"),
                group.create_task(self.offsets.run(), name="consumer offsets"),
                group.create_task(self._upkeep(), name="upkeep"),
                group.create_task(self.upkeep.run_retention(), name="retention"),
                group.create_task(self.upkeep.run_space(), name="disk space"),
                group.create_task(self.upkeep.run_checks(), name="checks"),
            ]
            await self.monitoring.start(group)
            self.is_listening.set()
            await self._is_stopping.wait()
            _logger.info("SPU is stopping spu=%d", self.settings.spu_id)
            await public.close(_GRACE_S)
            await private.close(0.0)
            for task in tasks:
                task.cancel()
            self.monitoring.close()
            self.replicas.stop()

    async def _upkeep(self) -> None:
        last_purge = 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if now - last_purge >= _PURGE_S or last_purge == 0.0:
                last_purge = now
                await self.replicas.purge()
            await asyncio.sleep(_CHECKPOINT_S)
            await self.replicas.checkpoint()

    async def _opened(self, leader: LeaderReplica) -> None:
        await self.offsets.opened(leader)
        if leader.key == OFFSETS_KEY:
            self.offsets.forget_strangers()
            if self.replicas.assignment.is_complete:
                self._all_known()

    def _all_known(self) -> None:
        """Consumers of partitions that were deleted while this SPU was away are forgotten."""
        assignment = self.replicas.assignment
        if assignment.cluster_id is not None:
            self.offsets.forget_others(assignment.known)

    def describe(self) -> None:
        """Write replicas and tasks to the log."""
        for key, leader in sorted(self.replicas.leaders.items()):
            log = leader.log
            _logger.info("replica=%s-%d start=%d hw=%d leo=%d", *key, log.log_start, log.hw, log.leo)
        for server in (self.public, self.private):
            if server is not None:
                _logger.info("server=%s connections=%d", server.name, server.connection_count)
        for task in sorted(asyncio.all_tasks(), key=lambda task: task.get_name()):
            _logger.info("task=%s", task.get_name())


def install_signals(spu: Spu) -> None:
    """SIGTERM and SIGINT stop the SPU, SIGUSR1 lets it describe itself."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, spu.stop)
    loop.add_signal_handler(signal.SIGUSR1, spu.describe)
