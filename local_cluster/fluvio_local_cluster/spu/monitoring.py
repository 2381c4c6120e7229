"""How an SPU tells what it counts: by JSON sockets, always, and to scrapes where `--metrics` says."""

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from fluvio_local_cluster.metrics import Family, LoopLag, MetricsEndpoint, load_renderer
from fluvio_local_cluster.metrics.process import process_families, read_process
from fluvio_local_cluster.spu.metric_families import (
    SpuFacts,
    partition_families,
    partition_rows,
    spu_families,
)
from fluvio_local_cluster.spu.metric_sockets import MetricSockets, default_path, make_directory

if TYPE_CHECKING:
    from fluvio_local_cluster.spu.server import Spu


class Monitoring:
    """Of one SPU. `open`, then `start`, in the end `close`."""

    def __init__(self, spu: "Spu") -> None:
        self._spu = spu
        self.sockets = MetricSockets(self._document)
        self.endpoint: MetricsEndpoint | None = None
        self._lag: LoopLag | None = None

    async def open(self) -> None:
        """Bind what shall be served. Raises `OSError` and `MetricsUnavailableError`, for `--metrics` only."""
        settings = self._spu.settings
        if settings.metrics is not None:
            self.endpoint = MetricsEndpoint(self._figures, load_renderer())
            await self.endpoint.open(settings.metrics.host, settings.metrics.port)
        make_directory(settings.log_base_dir)
        paths = [default_path(settings.log_base_dir, settings.spu_id)]
        if settings.metric_socket is not None and settings.metric_socket not in paths:
            paths.append(settings.metric_socket)
        for path in paths:
            await self.sockets.open(path)

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Answer scrapes, by tasks of `group`, and measure what only they show."""
        if self.endpoint is not None:
            self._lag = LoopLag()
            self._lag.start()
            await self.endpoint.start(group)

    def close(self) -> None:
        """Tell no more."""
        self.sockets.close()
        if self.endpoint is not None:
            self.endpoint.close()
        if self._lag is not None:
            self._lag.stop()

    def _document(self) -> bytes:
        return json.dumps(self._spu.replicas.metrics.as_document()).encode()

    def _figures(self) -> Callable[[], list[Family]]:
        spu = self._spu
        replicas = spu.replicas
        facts = SpuFacts(
            partitions=len(replicas.leaders),
            failed_replicas=len(replicas.failed),
            full_replicas=len(replicas.full),
            is_out_of_storage=replicas.space.is_full,
            open_streams=spu.open_streams,
            servers=[server for server in (spu.public, spu.private) if server is not None],
        )
        families = spu_families(replicas.metrics, facts)
        if self._lag is not None:
            families.append(self._lag.family())
        families += process_families(read_process())
        rows = partition_rows(replicas.leaders)
        return lambda: [*families, *partition_families(rows)]
