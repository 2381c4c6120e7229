"""Keeps the replicas of this SPU as the SC wishes: opens, changes, removes, closes their logs.

Each replica is brought from what it is to what it shall be by a task of its own, which does one thing at a
time, in a worker thread where the disk is involved, and tries again when it fails; replicas never wait for
each other. Whoever uses a replica looks it up by key each time.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from fluvio_local_cluster.spu.leader import LeaderReplica
from fluvio_local_cluster.spu.metrics import SpuMetrics
from fluvio_local_cluster.spu.replica.assignment import Assignment, Key, Wish, refusal
from fluvio_local_cluster.spu.settings import SpuSettings
from fluvio_local_cluster.storage import (
    DiskSpace,
    Files,
    LogSettings,
    OpenFiles,
    ReplicaIdentity,
    ReplicaLog,
    ReplicaMismatchError,
    RetentionRules,
    StorageError,
    purge_trash,
    remove,
    replica_directory,
)
from fluvio_local_cluster.storage.markers import read_identity
from fluvio_protocol.api.sc_spu import Replica, UpdateReplicaRequest
from fluvio_protocol.error_code import ErrorKind, code
from fluvio_types.defaults import PARTITION_BYTES, RETENTION_S, SEGMENT_BYTES
from fluvio_types.errors import FluvioError

_logger = logging.getLogger(__name__)

_MAX_OPENING = 4  # recoveries at a time: they read whole segments
_MAX_OPENING_OF_TOPIC = 2  # of them, so that a topic of many partitions does not hold up others
_SYNC_THREADS = 8  # fsyncs at a time; threads of their own, so that a slow disk occupies no others
_RETRY_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)  # pauses before a replica that failed to open is tried again

T = TypeVar("T")


class TooManyPartitionsError(FluvioError):
    """The SPU keeps as many partitions as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"this SPU keeps at most {limit} partitions, see `--max-partitions`")
        self.limit = limit


@dataclasses.dataclass(slots=True)
class _Slot:
    """One replica: what it shall be (`wish`; None: gone) and what it is."""

    wish: Wish | None
    turn: asyncio.Semaphore  # of its topic: how many may be opened at a time
    leader: LeaderReplica | None = None
    has_place: bool = False  # it counts among the partitions that the SPU may keep
    wants_place: bool = False  # there was none
    wake: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)


class ReplicaManager:
    """See the module. Its tasks live in the group that `start` is given."""

    def __init__(self, settings: SpuSettings, files: Files | None = None) -> None:
        """`files`: how the disk is reached; tests let it fail."""
        self.metrics = SpuMetrics()  # counted by all who use the replicas
        self.assignment = Assignment(settings.spu_id)
        self.leaders: dict[Key, LeaderReplica] = {}
        self.dirty: set[LeaderReplica] = set()  # LEO or HW moved since the SC was told
        self.news = asyncio.Event()  # `dirty` is not empty
        self.ready = asyncio.Event()  # a replica has become ready: tell the SC at once
        self.removed: list[Key] = []  # to be confirmed to the SC
        self.failed: set[Key] = set()  # replicas that could not be opened
        self.full: set[Key] = set()  # replicas that take no records for want of space
        self.refused = asyncio.Event()  # `full` is not empty: somebody must see when it can be again
        self.on_opened: list[Callable[[LeaderReplica], Awaitable[None]]] = []  # before a replica is served
        self.on_forgotten: list[Callable[[set[Key]], None]] = []  # partitions that are gone everywhere
        self.on_complete: list[Callable[[], None]] = []  # all partitions of the cluster are known now
        self.on_pushed: list[Callable[[], None]] = []  # incarnations may have changed
        self.on_cleaned: list[Callable[[LeaderReplica], None]] = []  # after each look of retention
        self._settings = settings
        self._base: Path = settings.log_base_dir
        self._open_files = OpenFiles(settings.kept_files, files)
        self.space = DiskSpace(self._base, settings.space_reserve, files=files)
        self._sync_threads = ThreadPoolExecutor(_SYNC_THREADS, "fsync")  # none is started before it is needed
        self._boot_id = settings.boot_id
        self._slots: dict[Key, _Slot] = {}
        self._places = settings.max_partitions  # for so many more partitions
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Semaphore(_MAX_OPENING)
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()  # kept by slots
        self._checkpoint_due: set[LeaderReplica] = set()

    def start(self, group: asyncio.TaskGroup) -> None:
        """From here on wishes are fulfilled by tasks of `group`."""
        self._group = group

    def stop(self) -> None:
        """End the tasks; what they are doing on the disk is finished, logs stay open until `close`."""
        for task in self._tasks:
            task.cancel()

    def find(self, topic: str, partition: int) -> LeaderReplica | None:
        """The replica, if this SPU leads it and it is open."""
        return self.leaders.get((topic, partition))

    # --- what the SC says -------------------------------------------------------------------------------

    def apply(self, update: UpdateReplicaRequest) -> None:
        """Take a push of the SC; what it asks for is done by tasks."""
        change = self.assignment.apply(update)
        for key in change.removed:
            self._wish(key, None)
        for key, wish in change.wanted.items():
            self._wish(key, wish)
        if change.is_complete:
            self._remove_strays()
            for on_complete in self.on_complete:
                on_complete()
        elif change.forgotten:
            self._forget(change.forgotten)
        for on_pushed in self.on_pushed:
            on_pushed()

    def _wish(self, key: Key, wish: Wish | None) -> None:
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = _Slot(wish, self._turn_of(key[0]))
            self._spawn(self._keep(key, slot), f"replica {key[0]}-{key[1]}")
        elif slot.wish == wish:
            return
        slot.wish = wish
        slot.wake.set()

    def _turn_of(self, topic: str) -> asyncio.Semaphore:
        turn = self._turns.get(topic)
        if turn is None:
            turn = self._turns[topic] = asyncio.Semaphore(_MAX_OPENING_OF_TOPIC)
        return turn

    def _remove_strays(self) -> None:
        """Directories of our cluster that the SC does not know: deleted while we were away."""
        cluster_id = self.assignment.cluster_id
        if cluster_id is not None:
            self._spawn(self._sweep_strays(cluster_id), "stray replicas")

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        assert self._group is not None
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sweep_strays(self, cluster_id: str) -> None:
        parent = replica_directory(self._base, self._settings.spu_id, "x", 0).parent
        expected = {f"{topic}-{partition}" for topic, partition in self.assignment.known}

        def sweep() -> list[str]:
            found = []
            for directory in sorted(parent.iterdir()) if parent.is_dir() else []:
                if directory.name in expected or not directory.is_dir():
                    continue
                identity = read_identity(directory, self._open_files.files)
                if identity is None or identity.cluster != cluster_id:
                    _logger.warning("leaving a directory that is not of this cluster path=%s", directory)
                    continue
                remove(directory)
                found.append(directory.name)
            return found

        try:
            for name in await asyncio.to_thread(sweep):
                _logger.info("replica was deleted while this SPU was away replica=%s", name)
        except (OSError, StorageError) as exc:
            _logger.error("looking for deleted replicas failed cause=%s", exc)

    # --- one replica ------------------------------------------------------------------------------------

    async def _keep(self, key: Key, slot: _Slot) -> None:
        attempt = 0
        while True:
            slot.wake.clear()
            wish = slot.wish
            try:
                if wish is None:
                    await self._remove(key, slot)
                else:
                    await self._open_or_change(key, slot, wish)
                attempt = 0
                self.failed.discard(key)
                pause = None
            except Exception as exc:  # whatever it is concerns this replica only
                pause = _RETRY_S[min(attempt, len(_RETRY_S) - 1)]
                attempt += 1
                self.failed.add(key)
                self.news.set()
                is_expected = isinstance(exc, (FluvioError, OSError))
                _logger.error(
                    "replica failed replica=%s-%d retry_s=%s cause=%s",
                    *key,
                    pause,
                    exc,
                    exc_info=None if is_expected else exc,
                )
            if slot.wish is None and wish is None and pause is None:
                del self._slots[key]
                return
            try:
                async with asyncio.timeout(pause):
                    await slot.wake.wait()
            except TimeoutError:
                pass

    async def _open_or_change(self, key: Key, slot: _Slot, wish: Wish) -> None:
        reason = refusal(wish.replica, self._settings.spu_id)
        if reason is not None:
            _logger.error("replica is not served replica=%s-%d cause=%s", *key, reason)
            if slot.leader is not None:
                await self._stop(slot, ErrorKind.NOT_LEADER_FOR_PARTITION)
            return
        settings = self._log_settings(wish)
        leader = slot.leader
        held = None if leader is None else leader.log.settings.identity
        wished = settings.identity
        if wished is None or (held is not None and wished.admits(held)):  # whosever it was
            settings = dataclasses.replace(settings, identity=held)
        if leader is not None and held != settings.identity:
            if (
                held is None
            ):  # the SC did not say when it was opened: the directory may, when it is opened again
                await self._stop(slot, ErrorKind.NOT_LEADER_FOR_PARTITION)
            else:
                await self._remove(key, slot)
                self._forget({key})
            leader = None
        if leader is not None and leader.log.must_reopen:
            await self._stop(slot, ErrorKind.NOT_LEADER_FOR_PARTITION)
            leader = None
        if leader is not None:
            leader.replica = wish.replica
            leader.log.settings = settings
            return
        await self._open_anew(key, slot, wish, settings)

    async def _open_anew(self, key: Key, slot: _Slot, wish: Wish, settings: LogSettings) -> None:
        slot.wants_place = not slot.has_place and not self._places
        if slot.wants_place:
            raise TooManyPartitionsError(self._settings.max_partitions)
        if not slot.has_place:
            slot.has_place = True
            self._places -= 1
        try:
            await self._open_in_place(key, slot, wish, settings)
        except BaseException:
            self._give_up_place(slot)
            raise

    def _give_up_place(self, slot: _Slot) -> None:
        if slot.has_place:
            slot.has_place = False
            self._places += 1
            for other in self._slots.values():
                if other.wants_place:
                    other.wake.set()

    async def _open_in_place(self, key: Key, slot: _Slot, wish: Wish, settings: LogSettings) -> None:
        async with slot.turn, self._opening:
            log, was_older = await self.in_thread(lambda: self._open(key, settings))
        if was_older:
            self._forget({key})
        for line in log.report.lines():
            _logger.warning("replica was mended replica=%s-%d found=%s", *key, line)
        leader = LeaderReplica(wish.replica, log, self._moved, self._refused)
        leader.sync_as(self._settings.fsync, self._sync_threads, self.metrics.fsync_s)
        try:
            for callback in self.on_opened:
                await callback(leader)
        except BaseException:
            leader.end(code(ErrorKind.NOT_LEADER_FOR_PARTITION))
            log.abandon()
            raise
        slot.leader = self.leaders[key] = leader
        self.dirty.add(leader)
        self.news.set()
        self.ready.set()
        _logger.info("replica is ready replica=%s-%d start=%d leo=%d", *key, log.log_start, log.leo)

    def _forget(self, partitions: set[Key]) -> None:
        for callback in self.on_forgotten:
            callback(partitions)

    def _open(self, key: Key, settings: LogSettings) -> tuple[ReplicaLog, bool]:
        """The log, and whether data of an earlier topic of that name had to be set aside."""
        directory = replica_directory(self._base, self._settings.spu_id, *key)

        def attempt() -> ReplicaLog:
            self._open_files.files.make_directories(self._base)  # the space is looked at there
            return ReplicaLog.open(
                directory, settings, open_files=self._open_files, single_replica=True, space=self.space
            )

        try:
            return attempt(), False
        except ReplicaMismatchError as exc:
            found = read_identity(directory, self._open_files.files)
            if found is None or settings.identity is None or found.cluster != settings.identity.cluster:
                raise  # only its own cluster may give it up
            _logger.warning("setting an older replica aside path=%s found=%s", directory, exc.found)
            remove(directory)
            return attempt(), True

    async def _remove(self, key: Key, slot: _Slot) -> None:
        """Delete the replica's data: out of sight at once, off the disk after the grace time."""
        await self._stop(slot, ErrorKind.TOPIC_DELETED)
        directory = replica_directory(self._base, self._settings.spu_id, *key)
        await self.in_thread(lambda: remove(directory))
        self.removed.append(key)
        self.news.set()
        self.ready.set()
        _logger.info("replica is removed replica=%s-%d", *key)

    async def _stop(self, slot: _Slot, kind: ErrorKind) -> None:
        leader, slot.leader = slot.leader, None
        if leader is None:
            return
        self.leaders.pop(leader.key, None)
        self.dirty.discard(leader)
        self._checkpoint_due.discard(leader)
        self.full.discard(leader.key)
        leader.end(code(kind))
        log = leader.log
        try:
            await self.in_thread(log.abandon if kind is ErrorKind.TOPIC_DELETED else log.close)
        finally:
            self._give_up_place(slot)

    def _log_settings(self, wish: Wish) -> LogSettings:
        replica: Replica = wish.replica
        storage = replica.storage
        identity = None
        if wish.cluster_id is not None and wish.incarnation is not None:
            identity = ReplicaIdentity(wish.cluster_id, wish.incarnation, str(replica.id))
        return LogSettings(
            segment_bytes=(storage.segment_size if storage is not None else None) or SEGMENT_BYTES,
            index_interval_bytes=self._settings.index_interval_bytes,
            identity=identity,
            boot_id=self._boot_id,
            retention=_retention_of(replica),
        )

    def _moved(self, leader: LeaderReplica) -> None:
        self.dirty.add(leader)
        self._checkpoint_due.add(leader)
        self.news.set()

    def cleaned(self, leader: LeaderReplica) -> None:
        """Retention removed something: the SC is told of the new start and size."""
        if leader.ended is None:
            self.dirty.add(leader)
            self.news.set()

    def rolled(self, leader: LeaderReplica) -> None:
        """A segment was closed without an append."""
        for on_cleaned in self.on_cleaned:
            on_cleaned(leader)

    def _refused(self, leader: LeaderReplica) -> None:
        """The disk refused something."""
        self.check(leader)
        if leader.ended is None and not leader.log.must_reopen and leader.key not in self.full:
            self.set_full(set(self.leaders) if self.space.is_full else {*self.full, leader.key})
            self.refused.set()

    def check(self, leader: LeaderReplica) -> None:
        """An fsync may have failed: then the replica is led no more until it was opened again."""
        slot = self._slots.get(leader.key)
        if leader.ended is None and leader.log.must_reopen and slot is not None and slot.leader is leader:
            self.leaders.pop(leader.key, None)
            leader.end(code(ErrorKind.NOT_LEADER_FOR_PARTITION))
            slot.wake.set()

    def set_full(self, full: set[Key]) -> None:
        """These replicas take no records for want of space, and no others."""
        if full != self.full:
            self.full = full
            self.news.set()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run `work` to its end, also when the caller is cancelled: files must not be left half moved."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, work))

    # --- upkeep -----------------------------------------------------------------------------------------

    async def checkpoint(self) -> None:
        """Write the high watermarks that moved since the last call."""
        due, self._checkpoint_due = self._checkpoint_due, set()

        def write() -> None:
            for leader in due:
                try:
                    leader.log.checkpoint_hw()
                except StorageError as exc:
                    _logger.error("checkpoint failed replica=%s-%d cause=%s", *leader.key, exc)

        if due:
            await self.in_thread(write)

    async def purge(self) -> None:
        """Free what was deleted longer ago than the grace time."""
        grace_s = self._settings.trash_grace_s
        count = await self.in_thread(lambda: purge_trash(self._base, grace_s))
        if count:
            _logger.info("deleted replicas are purged count=%d", count)

    async def close(self) -> None:
        """End all streams and close all logs, so that the next start need not verify them."""
        leaders = list(self.leaders.values())
        self.leaders.clear()
        for leader in leaders:
            leader.end(code(ErrorKind.NOT_LEADER_FOR_PARTITION))

        def close_one(leader: LeaderReplica) -> None:
            try:
                leader.log.close()
            except StorageError as exc:
                _logger.error("closing failed replica=%s-%d cause=%s", *leader.key, exc)

        await asyncio.gather(*(asyncio.to_thread(close_one, leader) for leader in leaders))
        self._open_files.close()
        self._sync_threads.shutdown(wait=False)


def _retention_of(replica: Replica) -> RetentionRules:
    policy, storage = replica.cleanup_policy, replica.storage
    max_bytes = storage.max_partition_size if storage is not None else None
    return RetentionRules(
        retention_s=float(policy.time_in_seconds) if policy is not None else float(RETENTION_S),
        max_bytes=max_bytes or PARTITION_BYTES,
    )
