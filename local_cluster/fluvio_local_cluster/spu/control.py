"""The connection to the SC: register, take pushes, report.

Layout: docs/protocol.md, "SPU registers with the SC".

While the SC is away everything that is open goes on being served; the connection is tried again and again.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fluvio_local_cluster.net import Connection, Route, ask, dial, serve_requests
from fluvio_local_cluster.spu.catalogue import Catalogue
from fluvio_local_cluster.spu.replica.assignment import ForeignClusterError
from fluvio_local_cluster.spu.replica.report import ReportBook
from fluvio_local_cluster.spu.replicas import ReplicaManager
from fluvio_local_cluster.spu.settings import SpuSettings
from fluvio_protocol.api.partition import PartitionResolution
from fluvio_protocol.api.sc_spu import (
    OWN_SPU_MARK,
    UPDATE_LRS_VERSION,
    PartitionStatRequest,
    RegisterSpuRequest,
    ReplicaRemovedRequest,
    SpuControlKey,
    UpdateIncarnationsRequest,
    UpdateLrsRequest,
    UpdateMirrorRequest,
    UpdatePartitionStatRequest,
    UpdateReplicaRequest,
    UpdateSmartModuleRequest,
    UpdateSpuRequest,
)
from fluvio_protocol.error_code import ReplicaKey
from fluvio_protocol.frame import RequestHeader, encode_request
from fluvio_protocol.wire import request_info
from fluvio_types.errors import FluvioError

_logger = logging.getLogger(__name__)

_FIRST_RETRY_S, _LAST_RETRY_S = 0.02, 3.0  # a new cluster registers its SPUs while they start
_FOREIGN_RETRY_S = 30.0  # another cluster's SC is where ours should be
_HEARTBEAT_S = 0.4  # something is sent at least this often
_PACE_S = 0.1  # and changes at most this often, except that new replicas are told at once
_SEND_TIMEOUT_S = 10.0
_CLIENT_ID = "dummy"  # as the official engine sends


class RefusedError(FluvioError):
    """The SC does not know this SPU."""


@dataclass(slots=True)
class _ControlSession:
    connection: Connection


class Control:
    """See the module."""

    def __init__(self, settings: SpuSettings, replicas: ReplicaManager, catalogue: Catalogue) -> None:
        self.is_connected = False
        self._has_met_stranger = False
        self._settings = settings
        self._replicas = replicas
        self._catalogue = catalogue
        self._last_failure = ""
        self.routes: Mapping[int, Route] = {
            SpuControlKey.UPDATE_SPU: Route(UpdateSpuRequest, self._update_spus),
            SpuControlKey.UPDATE_REPLICA: Route(UpdateReplicaRequest, self._update_replicas),
            SpuControlKey.UPDATE_SMARTMODULE: Route(UpdateSmartModuleRequest, self._update_smartmodules),
            SpuControlKey.UPDATE_MIRROR: Route(UpdateMirrorRequest, self._update_mirrors),
            request_info(UpdateIncarnationsRequest).key: Route(
                UpdateIncarnationsRequest, self._update_incarnations
            ),
        }

    async def run(self) -> None:
        """Stay connected until cancelled."""
        retry_s = _FIRST_RETRY_S
        while True:
            try:
                await self._connect()
                self._note_failure("the SC has closed the connection")
            except (OSError, TimeoutError, FluvioError) as exc:
                self._note_failure(str(exc) or type(exc).__name__)
            if self.is_connected:
                self.is_connected, retry_s = False, _FIRST_RETRY_S
            if self._has_met_stranger:
                self._has_met_stranger, retry_s = False, _FOREIGN_RETRY_S
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, _LAST_RETRY_S)

    def _note_failure(self, cause: str) -> None:
        """One line per cause, not one per attempt."""
        if cause != self._last_failure:
            _logger.warning(
                "not connected to the SC, trying again sc=%s:%d cause=%s",
                self._settings.sc.host,
                self._settings.sc.port,
                cause,
            )
        self._last_failure = cause

    async def _connect(self) -> None:
        spu_id = self._settings.spu_id
        async with dial(self._settings.sc.host, self._settings.sc.port) as connection:
            request = RegisterSpuRequest(spu=spu_id)
            answer = await ask(connection, request, 0, client_id=f"spu: {spu_id}{OWN_SPU_MARK}")
            if not answer.error_code.is_ok:
                raise RefusedError(answer.error_message or answer.error_code.text)
            self.is_connected, self._last_failure = True, ""
            _logger.info("registered with the SC spu=%d", spu_id)
            await connection.run(self._exchange(connection))

    async def _exchange(self, connection: Connection) -> None:
        connection.spawn("report to the SC", self._report(connection))
        await serve_requests(connection, self.routes, _ControlSession(connection))

    # --- reports ----------------------------------------------------------------------------------------

    async def _report(self, connection: Connection) -> None:
        replicas = self._replicas
        book = ReportBook(self._settings.spu_id)
        reported_failed: set[tuple[str, int]] = set()
        reported_full = set(replicas.leaders)  # whatever the SC has kept from another time
        is_first = True
        replicas.dirty.update(replicas.leaders.values())
        while True:
            replicas.news.clear()
            replicas.ready.clear()
            frames: list[bytearray] = []
            removed, replicas.removed = replicas.removed, []
            for key in removed:
                book.forget(key)
                request = ReplicaRemovedRequest(id=ReplicaKey(topic=key[0], partition=key[1]))
                frames.append(_encode(request, 0))
            dirty, replicas.dirty = replicas.dirty, set()
            changes = book.changes(leader.facts for leader in dirty if leader.ended is None)
            frames.append(_encode(UpdateLrsRequest(replicas=changes), UPDATE_LRS_VERSION))
            if replicas.failed != reported_failed:
                offline = replicas.failed - reported_failed
                frames.append(_encode(_states(offline, PartitionResolution.OFFLINE), 0))
                reported_failed = set(replicas.failed)
            if replicas.full or reported_full:
                full = replicas.full & replicas.leaders.keys()
                mended = (reported_full - full) & replicas.leaders.keys()
                if full - reported_full or is_first:
                    frames.append(_encode(_states(full, PartitionResolution.OUT_OF_STORAGE), 0))
                if mended:
                    frames.append(_encode(_states(mended, PartitionResolution.ONLINE), 0))
                reported_full = full
            is_first = False
            try:
                async with asyncio.timeout(_SEND_TIMEOUT_S):
                    await connection.send(*frames)
            except TimeoutError:
                connection.abort("the SC takes nothing")
                return
            if await _is_set_within(replicas.ready, _PACE_S):
                continue
            await _is_set_within(replicas.news, _HEARTBEAT_S - _PACE_S)

    # --- pushes -----------------------------------------------------------------------------------------

    async def _update_spus(self, session: Any, header: RequestHeader, request: UpdateSpuRequest) -> None:
        self._catalogue.apply_spus(request)

    async def _update_smartmodules(
        self, session: Any, header: RequestHeader, request: UpdateSmartModuleRequest
    ) -> None:
        self._catalogue.apply_smartmodules(request)

    async def _update_mirrors(
        self, session: Any, header: RequestHeader, request: UpdateMirrorRequest
    ) -> None:
        """Nothing is kept of mirrors: their partitions are refused one by one (`assignment.refusal`)."""
        if request.all or request.changes:
            _logger.warning("mirrors are not supported yet count=%d", len(request.all) + len(request.changes))

    async def _update_incarnations(
        self, session: Any, header: RequestHeader, request: UpdateIncarnationsRequest
    ) -> None:
        try:
            self._replicas.assignment.learn_incarnations(request)
        except ForeignClusterError:
            self._has_met_stranger = True
            raise  # nothing that follows may be taken: this closes the connection

    async def _update_replicas(
        self, session: Any, header: RequestHeader, request: UpdateReplicaRequest
    ) -> None:
        self._replicas.apply(request)


def _encode(request: Any, version: int) -> bytearray:
    return encode_request(request, version, 1, _CLIENT_ID)


def _states(keys: set[tuple[str, int]], resolution: PartitionResolution) -> UpdatePartitionStatRequest:
    return UpdatePartitionStatRequest(
        stats=[
            PartitionStatRequest(
                replica_key=ReplicaKey(topic=topic, partition=partition),
                resolution=resolution,
            )
            for topic, partition in sorted(keys)
        ]
    )


async def _is_set_within(event: asyncio.Event, timeout_s: float) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
