"""Brings up servers of one cluster: spawn, hear that they are ready, probe, register, see them online.

`start` and `resume` share it. It notes every process in the state file before the next step, and `abandon`
ends what this run spawned, and nothing else.
"""

import select
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from fluvio_client.errors import ConnectionFailedError
from fluvio_client.target import Address, parse_endpoint
from fluvio_local_cluster.lifecycle import processes
from fluvio_local_cluster.lifecycle.errors import LocalClusterError
from fluvio_local_cluster.lifecycle.launch import LaunchedServer, launch
from fluvio_local_cluster.lifecycle.places import endpoint_of
from fluvio_local_cluster.lifecycle.progress import Progress
from fluvio_local_cluster.lifecycle.provision import await_online, register_spus
from fluvio_local_cluster.lifecycle.settings import Role, dialled, server_arguments
from fluvio_local_cluster.lifecycle.signals import Signals
from fluvio_local_cluster.lifecycle.state import ClusterState, ServerRecord, save_state

READY_TIMEOUT_S = 60.0  # from a server's start until it listens; less if all is to take less
ANSWER_TIMEOUT_S = 10.0
_ABANDON_GRACE_S = 2.0  # servers that have just started have little to put away
_LOG_FILTER_VARIABLE = "RUST_LOG"


class BringUp:
    """One run. `environment` is that of the servers, `client_id` the name given to them when asked."""

    def __init__(
        self,
        state: ClusterState,
        progress: Progress,
        signals: Signals,
        environment: Mapping[str, str],
        client_id: str,
    ) -> None:
        self._state, self._progress, self._signals = state, progress, signals
        self._environment = {**environment, _LOG_FILTER_VARIABLE: state.settings.log_filter}
        self._client_id = client_id
        tls = state.settings.tls
        self._security = None if tls is None else tls.security()
        self._launched: list[LaunchedServer] = []
        self._ready_timeout_s = READY_TIMEOUT_S

    def run(self, servers: Sequence[ServerRecord], provision_timeout_s: float) -> None:
        """Start `servers`, which are not running, and wait until all SPUs of the cluster are online.

        Raises `ServerFailedError`, `ProvisionTimeoutError`, `InterruptedOperation`, errors of the client.
        """
        self._ready_timeout_s = min(READY_TIMEOUT_S, provision_timeout_s)
        for server in servers:
            self._spawn(server)
        from fluvio_client.blocking import BlockingAdmin  # loads while the servers start

        endpoint = endpoint_of(self._state)
        self._await_ready([server for server in self._launched if server.plan.role is Role.SC])
        spus = [record.plan for record in self._state.spus]
        with self._signals.waiting(self._check_alive):
            self._progress.step(f"🖥️  Trying to connect to SC: {endpoint} 0 seconds elapsed")
            address = Address(parse_endpoint(endpoint), security=self._security)
            admin = BlockingAdmin.at(address, client_id=self._client_id, timeout_s=ANSWER_TIMEOUT_S)
        with admin:
            self._progress.step("✅ SC Launched")
            with self._signals.waiting(self._check_alive):
                register_spus(admin, spus, self._state.settings.advertise)
            self._await_ready(self._launched)
            self._progress.step(
                f"🖥️ Waiting for SPUs to be ready and have ingress... (timeout: {provision_timeout_s:g}s)"
            )
            with self._signals.waiting(self._check_alive):
                await_online(admin, spus, provision_timeout_s)
        self._probe_spus()
        self._progress.step(f"🖥️ {len(spus)}/{len(spus)} SPU confirmed, 0 seconds elapsed")
        self._progress.step(f"✅ {len(spus)} SPU launched")

    def let_go(self) -> None:
        """Leave the servers to themselves: they run on."""
        for server in self._launched:
            server.close()

    def abandon(self) -> None:
        """End what this run has spawned, the SPUs first, and note it in the state."""
        for role in (Role.SPU, Role.SC):
            started = [server for server in self._launched if server.plan.role is role]
            processes.stop([server.identity for server in started if server.identity], _ABANDON_GRACE_S)
        gone = {server.identity for server in self._launched}
        for record in self._state.servers:
            if record.process in gone:
                record.process = None
        self.let_go()

    def _spawn(self, record: ServerRecord) -> None:
        self._signals.check()
        plan, settings = record.plan, self._state.settings
        if plan.role is Role.SC:
            self._progress.step("🖥️  Starting SC server")
        else:
            number, count = self._state.spus.index(record) + 1, len(self._state.spus)
            self._progress.step(f"🤖 Starting SPU: ({number}/{count})")
        arguments = server_arguments(plan, settings, self._state.sc.plan.private, self._state.cluster_id)
        server = launch(plan, arguments, self._environment, settings.data_dir)
        self._launched.append(server)
        record.process = server.identity
        save_state(self._state)

    def _await_ready(self, servers: Sequence[LaunchedServer]) -> None:
        """Wait until all of `servers` listen; any server that ends meanwhile ends the wait."""
        deadline = time.monotonic() + self._ready_timeout_s
        while unready := [server for server in servers if not server.is_ready]:
            watched = {server.ready_pipe: server for server in self._launched if not server.is_ready}
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise unready[0].failure(f"was not ready within {self._ready_timeout_s:g} s")
            with self._signals.waiting():
                readable, _, _ = select.select(list(watched), [], [], left_s)
            for pipe in readable:
                watched[pipe].read_ready()

    def _check_alive(self) -> None:
        for server in self._launched:
            server.check_alive()

    def _probe_spus(self) -> None:
        from fluvio_client.blocking import BlockingConnection

        for server in self._launched:
            if server.plan.role is not Role.SPU:
                continue
            endpoint = replace(dialled(server.plan.public), name=server.plan.spu_name)
            try:
                with self._signals.waiting(self._check_alive):
                    BlockingConnection.open(
                        endpoint,
                        security=self._security,
                        client_id=self._client_id,
                        timeout_s=ANSWER_TIMEOUT_S,
                    ).close()
            except ConnectionFailedError as exc:
                raise LocalClusterError(f"{server.plan.label} cannot be reached: {exc}") from exc
