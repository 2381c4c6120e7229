"""A replica that this SPU leads: its log, its high watermark, and who waits for them to move."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from fluvio_local_cluster.metrics import Histogram
from fluvio_local_cluster.spu.disk_sync import DiskSync, OnDisk
from fluvio_local_cluster.spu.replica.assignment import Key
from fluvio_local_cluster.spu.replica.report import ReplicaFacts
from fluvio_local_cluster.storage import (
    AppendResult,
    PartitionFullError,
    ReplicaLog,
    Slice,
    StorageError,
    SyncMode,
    SyncPolicy,
    UncheckedError,
)
from fluvio_protocol.api.sc_spu import Replica
from fluvio_protocol.api.topic import CompressionAlgorithm
from fluvio_protocol.batch import BatchHeader
from fluvio_protocol.compression import Codec
from fluvio_protocol.error_code import ErrorCode

_INLINE_BYTES = 1024 * 1024  # a larger append would hold up all other connections
_NO_EPOCH = -1  # as the official engine keeps it


class LeaderReplica:
    """Belongs to the event loop; only appends that wait for the disk run in a thread, one at a time."""

    __slots__ = (
        "_append_lock",
        "_check_lock",
        "_disk",
        "_movers",
        "_on_failed",
        "_on_moved",
        "_watchers",
        "ended",
        "is_alone",
        "keep_from",
        "key",
        "log",
        "replica",
    )

    def __init__(
        self,
        replica: Replica,
        log: ReplicaLog,
        on_moved: Callable[["LeaderReplica"], None],
        on_failed: Callable[["LeaderReplica"], None] | None = None,
    ) -> None:
        """`on_moved` is called after each change of LEO or HW; `on_failed` when the disk refuses."""
        self.key: Key = (replica.id.topic, replica.id.partition)
        self.replica = replica
        self.log = log
        self.ended: ErrorCode | None = None  # why nothing can be done with it any more
        self.is_alone = len(replica.replicas) == 1  # nobody else has to confirm: HW = LEO
        self.keep_from: int | None = None  # records from here on are not for retention to remove
        self._disk: DiskSync | None = None
        self._on_moved, self._on_failed = on_moved, on_failed
        self._watchers: set[asyncio.Event] = set()
        self._movers: set[asyncio.Event] = set()
        self._append_lock = asyncio.Lock()
        self._check_lock = asyncio.Lock()  # many readers of one place: one checks for all

    def sync_as(self, policy: SyncPolicy, executor: Executor, fsync_s: Histogram) -> None:
        """Put records on the disk as `policy` says, in threads of `executor`; `fsync_s` counts how long."""
        if policy.mode is SyncMode.NEVER:
            return
        self._disk = DiskSync(self.log, policy, executor, self._synced, fsync_s)
        if self.log.unsynced_bytes:  # what a crash of the process had left
            self._disk.appended(self.log.leo)

    @property
    def acknowledges_synced(self) -> bool:
        """Whether producers are answered when their records are on the disk, which `on_disk` waits for."""
        return self._disk is not None and self._disk.policy.acknowledges_synced

    @property
    def leo(self) -> int:
        """Log end offset."""
        return self.log.leo

    @property
    def hw(self) -> int:
        """High watermark."""
        return self.log.hw

    @property
    def facts(self) -> ReplicaFacts:
        """What the SC wants to know."""
        log = self.log
        return ReplicaFacts(self.key, log.leo, log.hw, log.size_bytes, log.log_start)

    @property
    def incarnation(self) -> str | None:
        """The life of the topic that the records are of; None when the SC does not say."""
        identity = self.log.settings.identity
        return None if identity is None else identity.incarnation

    @property
    def required_codec(self) -> Codec | None:
        """The codec that the topic demands, or None when any will do."""
        wanted = self.replica.compression_type
        return None if wanted is CompressionAlgorithm.ANY else Codec[wanted.name]

    def watch(self, event: asyncio.Event) -> None:
        """Set `event` when the replica ends."""
        self._watchers.add(event)

    def unwatch(self, event: asyncio.Event) -> None:
        """Set `event` no more."""
        self._watchers.discard(event)
        self._movers.discard(event)

    def watch_move(self, event: asyncio.Event) -> None:
        """Set `event` when LEO or HW move the next time, once."""
        self._movers.add(event)

    async def read(self, start: int, max_bytes: int, upper: int) -> Slice | None:
        """As `ReplicaLog.read`. What was not checked yet since it was written is, before, in a thread."""
        log = self.log
        try:
            if not log.needs_check(start, max_bytes):
                return log.read(start, max_bytes, upper, wait=False)
        except UncheckedError:
            pass
        async with self._check_lock:
            await asyncio.to_thread(_check, log, start, max_bytes, upper)
        return log.read(start, max_bytes, upper)

    async def append(self, records: bytearray | memoryview, headers: Sequence[BatchHeader]) -> AppendResult:
        """Append all batches of a record set, or none. Raises `storage.StorageError`.

        An append that was begun is finished even when the caller is cancelled.
        """
        size = len(records)
        if size <= _INLINE_BYTES and not self._append_lock.locked() and not self.log.will_roll(size):
            try:
                result = self.log.append(records, headers, _NO_EPOCH)
            except StorageError as exc:
                self._refused(exc)
                raise
            self._moved()
            return result
        async with self._append_lock:
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(None, self.log.append, records, headers, _NO_EPOCH)
            running.add_done_callback(self._append_ended)
            try:
                return await asyncio.shield(running)
            finally:  # it holds its error, whose traceback holds this frame: a cycle with the records in it
                del running

    def _append_ended(self, running: "asyncio.Future[AppendResult]") -> None:
        if running.cancelled():
            return
        exc = running.exception()
        if exc is None:
            self._moved()
        else:
            self._refused(exc)

    def _refused(self, exc: BaseException) -> None:
        if self._on_failed is not None and (self.log.must_reopen or isinstance(exc, PartitionFullError)):
            self._on_failed(self)

    def _moved(self) -> None:
        if self.is_alone and not self.acknowledges_synced:
            self.log.set_hw(self.log.leo)
        if self._disk is not None:
            self._disk.appended(self.log.leo)
        self._tell()

    def _synced(self, leo: int | None) -> None:
        if leo is None:
            if self._on_failed is not None and self.ended is None:
                self._on_failed(self)
        elif self.is_alone and self.acknowledges_synced:  # what is committed stays, whatever happens
            self.raise_hw(leo)

    async def on_disk(self, offset: int) -> None:
        """With `always`: wait until everything below `offset` is on the disk. Raises `StorageError`."""
        if self._disk is not None:
            await self._disk.wait(offset)

    def when_on_disk(self, offset: int, tell: OnDisk) -> bool:
        """With `always`: whether everything below `offset` is on the disk; if not, `tell` is called later.

        Raises `LogClosedError`.
        """
        return self._disk is None or self._disk.when(offset, tell)

    def raise_hw(self, hw: int) -> None:
        """Records below `hw` are committed."""
        self.log.set_hw(hw)
        self._tell()

    def _tell(self) -> None:
        self._on_moved(self)
        if self._movers:
            movers, self._movers = self._movers, set()
            for event in movers:
                event.set()

    async def committed(self, offset: int) -> bool:
        """Wait until everything below `offset` is committed; False when the replica ends before."""
        if self.log.hw >= offset:
            return True
        event = asyncio.Event()
        self.watch(event)
        try:
            while self.log.hw < offset:
                if self.ended is not None:
                    return False
                self.watch_move(event)
                await event.wait()
                event.clear()
        finally:
            self.unwatch(event)
        return True

    def end(self, code: ErrorCode) -> None:
        """End all streams and waits with `code`; the log is the caller's to close."""
        self.ended = code
        if self._disk is not None:
            self._disk.end()
        for event in self._watchers:
            event.set()


def _check(log: ReplicaLog, start: int, max_bytes: int, upper: int) -> None:
    """Read, so that what is read was checked."""
    piece = log.read(start, max_bytes, upper)
    if piece is not None:
        piece.release()
