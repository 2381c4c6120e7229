"""The private port: SPUs register, are told what there is, and report.

Messages and versions: docs/protocol.md, "SPU registers with the SC". After the answer to its registration a
connection carries one-way messages in both directions. What an SPU is told, in this order whenever it
changed: SPUs, SmartModules, replicas, mirrors; first each in full (an empty store is left out), then changes.

Every accepted registration is a session with a number. Only the newest session of an SPU speaks for it: a
new one closes the older, whose end then no longer takes the SPU offline.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from fluvio_local_cluster.net.connection import Connection
from fluvio_local_cluster.net.dispatch import Route
from fluvio_local_cluster.sc.controller import Controller
from fluvio_local_cluster.sc.model import pushes
from fluvio_local_cluster.sc.model.objects import Kind, Partition
from fluvio_local_cluster.sc.model.partitions import differs_in_state, merged, resolved
from fluvio_local_cluster.sc.model.spus import after_loss, after_return, with_resolution
from fluvio_protocol.api.partition import PartitionResolution
from fluvio_protocol.api.sc_spu import (
    OWN_SPU_MARK,
    LrsRequest,
    RegisterSpuRequest,
    RegisterSpuResponse,
    ReplicaRemovedRequest,
    ScPrivateKey,
    UpdateLrsRequest,
    UpdateMirrorStatRequest,
    UpdatePartitionStatRequest,
)
from fluvio_protocol.api.spu import SpuStatusResolution
from fluvio_protocol.error_code import ErrorKind, code
from fluvio_protocol.frame import RequestHeader, encode_response
from fluvio_protocol.wire import DecodeError

_logger = logging.getLogger(__name__)

_MAX_REFUSED = 1024
_REPORTED_RESOLUTIONS = frozenset(  # what only the leader knows: whether its log can be used
    {PartitionResolution.ONLINE, PartitionResolution.OFFLINE, PartitionResolution.OUT_OF_STORAGE}
)


@dataclass(slots=True, eq=False)
class SpuSession:
    """One connection of the private port; `spu_id` is None until its registration was accepted."""

    connection: Connection
    heard_at: float  # loop time of the last message
    spu_id: int | None = None
    number: int = 0
    is_own: bool = False  # our SPU: it knows our extension of the protocol
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    watchdog: asyncio.TimerHandle | None = None


class SpuSessions:
    """The service of the private port."""

    def __init__(
        self, controller: Controller, *, heartbeat_timeout_s: float, full_sync_interval_s: float
    ) -> None:
        self._controller = controller
        self._cluster = controller.cluster
        self._heartbeat_timeout_s = heartbeat_timeout_s
        self._full_sync_interval_s = full_sync_interval_s
        self._loop = asyncio.get_running_loop()
        self._sessions: dict[int, SpuSession] = {}  # the newest of each SPU id
        self._numbers = 0
        self._refused: set[int] = set()  # unknown SPU ids that were logged
        self.is_stopping = False  # then connections end because of us, and SPUs do not go offline by that
        self.routes: Mapping[int, Route] = {
            ScPrivateKey.REGISTER_SPU: Route(RegisterSpuRequest, self._register),
            ScPrivateKey.UPDATE_LRS: Route(UpdateLrsRequest, self._update_lrs),
            ScPrivateKey.REPLICA_REMOVED: Route(ReplicaRemovedRequest, self._replica_removed),
            ScPrivateKey.UPDATE_MIRROR_STAT: Route(UpdateMirrorStatRequest, self._update_mirrors),
            ScPrivateKey.UPDATE_PARTITION_STAT: Route(UpdatePartitionStatRequest, self._update_partitions),
        }

    # --- life of a session --------------------------------------------------------------------------------

    def opened(self, connection: Connection) -> SpuSession:
        """Somebody has connected; who it is tells its registration."""
        return SpuSession(connection, self._loop.time())

    async def closed(self, session: SpuSession) -> None:
        """The connection is gone: if it spoke for an SPU, that is offline from now."""
        if session.watchdog is not None:
            session.watchdog.cancel()
        spu_id = session.spu_id
        if spu_id is None or self._sessions.get(spu_id) is not session or self.is_stopping:
            return
        del self._sessions[spu_id]
        _logger.warning(
            "spu offline id=%d session=%d cause=%s", spu_id, session.number, session.connection.close_reason
        )
        self._show_offline(spu_id)

    def dismiss(self, spu_id: int) -> None:
        """Close the connection of an SPU that was unregistered."""
        session = self._sessions.pop(spu_id, None)
        if session is not None:
            session.connection.close("the SPU was unregistered")
            self._show_partitions(after_loss(spu_id, self._cluster.partitions))

    def expire_absent(self) -> None:
        """The grace period after the controller's start is over: who has not registered is offline."""
        for spu in list(self._cluster.spus):
            if spu.status.resolution is SpuStatusResolution.INIT and self._was_seen_before(spu.spec.id):
                _logger.warning("spu offline id=%d cause=not back since the controller started", spu.spec.id)
                self._show_offline(spu.spec.id)

    def _was_seen_before(self, spu_id: int) -> bool:
        """An SPU that was registered a moment ago and never started stays Init, as upstream shows it."""
        return any(spu_id in partition.spec.replicas for partition in self._cluster.partitions)

    def _show_offline(self, spu_id: int) -> None:
        spu = self._cluster.spu_by_id(spu_id)
        if spu is not None:
            self._controller.observe(Kind.SPU, [with_resolution(spu, SpuStatusResolution.OFFLINE)], soon=True)
        self._show_partitions(after_loss(spu_id, self._cluster.partitions))

    def _show_partitions(self, partitions: list[Partition], *, soon: bool = True) -> None:
        self._controller.observe(Kind.PARTITION, partitions, soon=soon)

    async def _register(
        self, session: SpuSession, header: RequestHeader, request: RegisterSpuRequest
    ) -> None:
        if session.spu_id is not None:
            raise DecodeError("a second registration on one connection")
        connection, spu = session.connection, self._cluster.spu_by_id(request.spu)
        if spu is None:
            if request.spu not in self._refused and len(self._refused) < _MAX_REFUSED:
                self._refused.add(request.spu)  # it tries again every few seconds: one line is enough
                _logger.warning("refusing an unknown spu id=%d peer=%s", request.spu, connection.peer)
            refusal = RegisterSpuResponse(error_code=code(ErrorKind.SPU_REGISTRATION_FAILED))
            await connection.send(encode_response(refusal, header.api_version, header.correlation_id))
            connection.close("the SPU is not known")
            return
        self._refused.discard(request.spu)
        self._numbers += 1
        session.spu_id, session.number = request.spu, self._numbers
        session.is_own = header.client_id.endswith(OWN_SPU_MARK)
        older = self._sessions.get(request.spu)
        self._sessions[request.spu] = session
        if older is not None:
            older.connection.close("a newer registration of the same SPU")
            self._show_partitions(after_loss(request.spu, self._cluster.partitions))
        self._heard(session)
        self._watch_heartbeat(session)
        _logger.info("spu online id=%d session=%d peer=%s", request.spu, session.number, connection.peer)
        self._controller.observe(Kind.SPU, [with_resolution(spu, SpuStatusResolution.ONLINE)], soon=True)
        if not session.is_own:
            self._show_partitions(after_return(request.spu, self._cluster.partitions))
        accepted = RegisterSpuResponse()
        connection.write(encode_response(accepted, header.api_version, header.correlation_id))
        connection.spawn(f"spu {request.spu} pushes", self._push(session))

    def _heard(self, session: SpuSession) -> int:
        """Note a sign of life; returns the id of the SPU. Raises `DecodeError` before its registration."""
        if session.spu_id is None:
            raise DecodeError("a report before the registration")
        session.heard_at = self._loop.time()
        return session.spu_id

    def _watch_heartbeat(self, session: SpuSession) -> None:
        """Close the session when nothing was heard for the heartbeat timeout; looks again until then."""
        due = session.heard_at + self._heartbeat_timeout_s
        if due <= self._loop.time():
            session.connection.abort(f"no message for {self._heartbeat_timeout_s:g} s")
            return
        session.watchdog = self._loop.call_at(due, self._watch_heartbeat, session)

    # --- what an SPU is told ------------------------------------------------------------------------------

    async def _push(self, session: SpuSession) -> None:
        """Tell everything, then what changes; everything again after a quiet interval, as upstream does.

        Topics that waited for this SPU are placed before that.
        """
        await self._controller.reconcile()
        connection, stores = session.connection, self._cluster.stores
        own_cluster_id = self._cluster.id if session.is_own else None
        listeners = [stores[kind].listen(session.woken.set, spec_only=True) for kind in pushes.ORDER]
        try:
            while True:
                session.woken.clear()
                for listener in listeners:
                    frames = pushes.frames(
                        listener.store.kind,
                        listener.take(),
                        own_cluster_id,
                        is_whole=not self._cluster.lost,
                    )
                    if frames:
                        connection.write(*frames)
                await connection.drain()
                try:
                    async with asyncio.timeout(self._full_sync_interval_s):
                        await session.woken.wait()
                except TimeoutError:
                    for listener in listeners:
                        listener.restart()
        finally:
            for listener in listeners:
                listener.close()

    # --- what an SPU reports ------------------------------------------------------------------------------

    async def _update_lrs(
        self, session: SpuSession, header: RequestHeader, request: UpdateLrsRequest
    ) -> None:
        spu_id = self._heard(session)
        if self._sessions.get(spu_id) is not session:
            return
        in_state: list[Partition] = []
        in_offsets: list[Partition] = []
        for report in request.replicas:
            partition = self._led_partition(spu_id, report)
            if partition is None:
                continue
            status = merged(partition.spec, partition.status, report)
            changed = in_state if differs_in_state(partition.status, status) else in_offsets
            changed.append(partition.changed(status=status))
        self._show_partitions(in_state)
        self._show_partitions(in_offsets, soon=False)

    def _led_partition(self, spu_id: int, report: LrsRequest) -> Partition | None:
        """The partition of a report, if its sender leads it: one bad entry must not spoil the others."""
        partition = self._cluster.partitions.get(str(report.id))
        if partition is None or partition.spec.leader != spu_id or report.leader.spu != spu_id:
            _logger.debug("passing over a report spu=%d replica=%s", spu_id, report.id)
            return None
        return partition

    async def _update_partitions(
        self, session: SpuSession, header: RequestHeader, request: UpdatePartitionStatRequest
    ) -> None:
        spu_id = self._heard(session)
        changed: list[Partition] = []
        for report in request.stats:
            partition = self._cluster.partitions.get(str(report.replica_key))
            if (
                partition is None
                or partition.spec.leader != spu_id
                or report.resolution not in _REPORTED_RESOLUTIONS
            ):
                _logger.debug("passing over a state spu=%d replica=%s", spu_id, report.replica_key)
                continue
            changed.append(partition.changed(status=resolved(partition.status, report.resolution)))
        if self._sessions.get(spu_id) is session:
            self._show_partitions(changed)

    async def _update_mirrors(
        self, session: SpuSession, header: RequestHeader, request: UpdateMirrorStatRequest
    ) -> None:
        self._heard(session)
        mirrors = ((self._cluster.mirrors.get(report.mirror_id), report) for report in request.stats)
        changed = [mirror.changed(status=report.status) for mirror, report in mirrors if mirror is not None]
        self._controller.observe(Kind.MIRROR, changed, soon=False)

    async def _replica_removed(
        self, session: SpuSession, header: RequestHeader, request: ReplicaRemovedRequest
    ) -> None:
        """Nothing waits for it: the metadata was gone before the SPU was told."""
        spu_id = self._heard(session)
        _logger.debug("replica removed spu=%d replica=%s confirm=%s", spu_id, request.id, request.confirm)
