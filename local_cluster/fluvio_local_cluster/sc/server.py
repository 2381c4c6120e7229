"""One controller: opens its directory, listens on both ports, and ends in order."""

import asyncio
import logging
import os
import signal

from fluvio_local_cluster.net.server import Server, serve
from fluvio_local_cluster.sc.controller import Controller
from fluvio_local_cluster.sc.fixed_topics import fix_topics
from fluvio_local_cluster.sc.handlers.public import PublicService
from fluvio_local_cluster.sc.model.healing import heal
from fluvio_local_cluster.sc.model.objects import AnyObject, Kind
from fluvio_local_cluster.sc.model.stores import Cluster
from fluvio_local_cluster.sc.monitoring import Monitoring
from fluvio_local_cluster.sc.settings import ScSettings
from fluvio_local_cluster.sc.spu_sessions import SpuSessions
from fluvio_local_cluster.sc.store import MetadataDirectory
from fluvio_types.defaults import PLATFORM_VERSION

_logger = logging.getLogger(__name__)


def load_cluster(
    directory: MetadataDirectory, cluster_id: str | None
) -> tuple[Cluster, list[tuple[Kind, AnyObject]]]:
    """The cluster that a directory holds, and what of it must be written again. Raises `MetadataError`."""
    cluster = Cluster(directory.cluster_id(cluster_id))
    loaded = directory.load()
    for kind, store in cluster.stores.items():
        store.apply([stored for other, stored in loaded.objects if other is kind])
    healed = heal(cluster)
    cluster.lost = directory.lost(lambda kind, key: key in cluster.stores[kind])
    for (kind, key), path in cluster.lost.items():
        _logger.error(
            "an object is lost: mend its file and move it back, or remove it, then restart the controller; "
            "until then SPUs keep the records of topics that they are not told of kind=%s key=%s file=%s",
            kind.value,
            key,
            path,
        )
    _logger.info(
        "metadata loaded directory=%s cluster=%s topics=%d partitions=%d spus=%d damaged=%d healed=%d "
        "lost=%d",
        directory.path,
        cluster.id,
        len(cluster.topics),
        len(cluster.partitions),
        len(cluster.spus),
        len(loaded.damaged),
        len(healed),
        len(cluster.lost),
    )
    return cluster, healed


class ScServer:
    """Run it with `run`; `is_listening` is set when both ports are open, `stop` ends it."""

    def __init__(self, settings: ScSettings) -> None:
        self.settings = settings
        self.is_listening = asyncio.Event()
        self.public: Server | None = None
        self.private: Server | None = None
        self.controller: Controller | None = None
        self.monitoring: Monitoring | None = None
        self._is_stopping = asyncio.Event()

    def stop(self) -> None:
        """Begin the orderly end."""
        self._is_stopping.set()

    async def run(self) -> None:
        """Serve until `stop`. Raises `MetadataError` or `OSError` when it cannot begin."""
        settings = self.settings
        directory = MetadataDirectory.open(settings.metadata)
        try:
            cluster, healed = load_cluster(directory, settings.cluster_id)
            controller = Controller(cluster, directory, flush_interval_s=settings.flush_interval_s)
            self.controller = controller
            async with asyncio.TaskGroup() as group:
                group.create_task(controller.run(), name="controller")
                try:
                    controller.mark_unwritten(healed)
                    if settings.read_only is not None:
                        await fix_topics(controller, settings.read_only)
                    await controller.reconcile()  # the consumer offsets' topic is there before any client
                    await self._serve(controller, group)
                finally:
                    controller.stop()
        finally:
            directory.close()
        _logger.info("controller stopped")

    async def _serve(self, controller: Controller, group: asyncio.TaskGroup) -> None:
        settings, loop = self.settings, asyncio.get_running_loop()
        spus = SpuSessions(
            controller,
            heartbeat_timeout_s=settings.heartbeat_timeout_s,
            full_sync_interval_s=settings.full_sync_interval_s,
        )
        clients = PublicService(controller, spus, topic_wait_s=settings.topic_wait_s)
        self.private = await serve(
            settings.private.host, settings.private.port, spus, limits=settings.limits, name="sc-private"
        )
        try:
            self.public = await serve(
                settings.public.host,
                settings.public.port,
                clients,
                limits=settings.limits,
                tls=None if settings.tls is None else settings.tls.context(),
                name="sc-public",
            )
            grace = loop.call_later(settings.startup_grace_s, spus.expire_absent)
            try:
                if settings.metrics is not None:
                    self.monitoring = Monitoring(controller, [self.public, self.private])
                    await self.monitoring.open(settings.metrics, group)
                self._say_ready()
                await self._is_stopping.wait()
            finally:
                _logger.info("controller stopping")
                grace.cancel()
                if self.monitoring is not None:
                    self.monitoring.close()
                await self.public.close(settings.shutdown_grace_s)
        finally:
            spus.is_stopping = True
            await self.private.close(0)

    def _say_ready(self) -> None:
        assert self.public is not None
        assert self.private is not None
        _logger.info(
            "controller ready public=%s:%d private=%s:%d platform=%s pid=%d",
            self.public.host,
            self.public.port,
            self.private.host,
            self.private.port,
            PLATFORM_VERSION,
            os.getpid(),
        )
        self.is_listening.set()
        if self.settings.ready_fd is not None:
            ports = [self.public.port, self.private.port]
            if self.monitoring is not None:
                ports.append(self.monitoring.endpoint.port)
            try:
                os.write(self.settings.ready_fd, f"ready {' '.join(map(str, ports))}\n".encode())
                os.close(self.settings.ready_fd)
            except OSError as exc:
                _logger.warning("nobody heard that the controller is ready cause=%s", exc)


async def serve_until_signalled(settings: ScSettings) -> None:
    """Run one controller until SIGTERM or SIGINT."""
    server = ScServer(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.run()
