"""The controller's answer to scrapes, if `--metrics` says where."""

import asyncio
from collections.abc import Callable, Sequence

from fluvio_local_cluster.metrics import Family, LoopLag, MetricsEndpoint, load_renderer
from fluvio_local_cluster.metrics.process import process_families, read_process
from fluvio_local_cluster.net.server import Server
from fluvio_local_cluster.sc.controller import Controller
from fluvio_local_cluster.sc.metrics import sc_families
from fluvio_local_cluster.sc.settings import Address


class Monitoring:
    """Of one controller; made where metrics are wanted. `open`, in the end `close`."""

    def __init__(self, controller: Controller, servers: Sequence[Server]) -> None:
        """Raises `MetricsUnavailableError`."""
        self._controller, self._servers = controller, servers
        self._lag = LoopLag()
        self.endpoint = MetricsEndpoint(self._figures, load_renderer())

    async def open(self, address: Address, group: asyncio.TaskGroup) -> None:
        """Listen, and answer by tasks of `group`. Raises `OSError`."""
        await self.endpoint.open(address.host, address.port)
        await self.endpoint.start(group)
        self._lag.start()

    def close(self) -> None:
        """Tell no more."""
        self.endpoint.close()
        self._lag.stop()

    def _figures(self) -> Callable[[], list[Family]]:
        controller = self._controller
        families = [
            *sc_families(controller.metrics, controller.cluster, controller.waiting_jobs, self._servers),
            self._lag.family(),
            *process_families(read_process()),
        ]
        return lambda: families
