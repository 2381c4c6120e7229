"""Consumers' offsets on the SPU that leads `consumer-offset`: a table in memory, kept by a log.

Rules: docs/storage-format.md, "Log of consumer offsets". One task writes: a change at once if nothing was
written in the last 10 ms, else together with all others that come until these have passed. Whoever asked for
a change gets the answer when it is written.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping

from fluvio_local_cluster.spu.leader import LeaderReplica
from fluvio_local_cluster.spu.offset_log import load
from fluvio_local_cluster.spu.replica.assignment import Key
from fluvio_local_cluster.spu.replica.consumer_offsets import (
    CHECKPOINT_ENTRY,
    ConsumerKey,
    LogEntry,
    OffsetTable,
    StoredOffset,
    batches_of,
    delete_entry,
    is_of,
    update_entry,
)
from fluvio_local_cluster.spu.upkeep import steady_clock
from fluvio_local_cluster.storage import MessageTooLargeError, StorageError
from fluvio_local_cluster.storage.retention import ClockWatch
from fluvio_protocol.api.consumer_offsets import ConsumerOffset, FilterOpts
from fluvio_protocol.api.sc_spu import ADOPTED
from fluvio_protocol.batch import split
from fluvio_types.defaults import CONSUMER_OFFSET_TOPIC, CONSUMER_OFFSET_TTL_S
from fluvio_types.errors import FluvioError

_logger = logging.getLogger(__name__)

OFFSETS_KEY: Key = (CONSUMER_OFFSET_TOPIC, 0)
_PACE_S = 0.010  # batches are written at most this often
_INLINE_ENTRIES = 500  # more are encoded in a thread: 10 us each
_BATCH_OVERHEAD = 128  # bytes: more than the header of a batch and what a record has besides key and value

_Pending = tuple[ConsumerKey, StoredOffset | None, "asyncio.Future[None]"]


class TopicReplacedError(FluvioError):
    """An offset was stored for a topic that was deleted, while another one of that name is there already."""

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(f"{topic}-{partition} is not the topic any more whose offset this is")
        self.topic, self.partition = topic, partition


class OffsetStore:
    """See the module. Belongs to the event loop."""

    def __init__(
        self,
        incarnations: Mapping[Key, str],
        ttl_s: int = CONSUMER_OFFSET_TTL_S,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = steady_clock,
        pace_s: float = _PACE_S,
    ) -> None:
        """`incarnations`: of all partitions, as the SC says; it is looked at, not copied.

        `ttl_s`: entries that were stored longer ago are dropped; 0: none are. `clock`: seconds since 1970;
        `steady`: of a clock that never jumps.
        """
        self._incarnations, self._ttl_s = incarnations, ttl_s
        self._clock, self._steady, self._pace_s = clock, steady, pace_s
        self._clock_watch = ClockWatch()
        self._leader: LeaderReplica | None = None  # None while this SPU does not lead `consumer-offset`
        self._table = OffsetTable()
        self._covered_base = -1  # base offset of the active segment at the last checkpoint
        self._wants_checkpoint = False
        self._pending: list[_Pending] = []
        self._doomed: set[ConsumerKey] = set()  # those of them that are to be deleted
        self._wake = asyncio.Event()

    @property
    def is_leader(self) -> bool:
        """Whether offsets are kept here."""
        return self._leader is not None and self._leader.ended is None

    async def opened(self, leader: LeaderReplica) -> None:
        """A replica was opened: when it is that of the offsets, read them. Raises `StorageError`."""
        if leader.key != OFFSETS_KEY:
            return
        found = await asyncio.to_thread(load, leader.log)
        if found.unreadable:
            _logger.error("records of consumer offsets could not be read count=%d", found.unreadable)
        self._clock_watch.distrust(self._clock(), self._steady())  # a first look, to compare later ones with
        self._table, self._leader, self._wants_checkpoint = found.table, leader, False
        leader.keep_from = found.keep_from
        active = leader.log.active_base_offset
        self._covered_base = active if found.keep_from >= active else -1
        self._wake.set()
        _logger.info("consumer offsets are loaded count=%d", len(found.table.entries))

    def cleaned(self, leader: LeaderReplica) -> None:
        """Retention looked at a replica: it may have closed the segment that has the checkpoint."""
        if leader is self._leader and leader.log.active_base_offset != self._covered_base:
            self._wake.set()

    # --- the table ----------------------------------------------------------------------------------------

    def get(self, key: ConsumerKey) -> StoredOffset | None:
        """What is stored for the topic that is there now."""
        stored = None if key in self._doomed else self._table.entries.get(key)
        return stored if stored is not None and is_of(key, stored, self._incarnations) else None

    def listed(self, filter_opts: FilterOpts | None, existing: Iterable[Key]) -> list[ConsumerOffset]:
        """What is stored for partitions that exist."""
        return self._table.listed(filter_opts, existing, self._incarnations, self._doomed)

    async def commit(self, key: ConsumerKey, offset: int, incarnation: str | None = None) -> None:
        """Store the last consumed offset, in whatever direction; returns when it is written.

        `incarnation`: of the topic that was consumed; None: of the one that is there now. Raises
        `TopicReplacedError`, `StorageError`.
        """
        current = self._incarnations.get(key[:2])
        if incarnation is not None and current not in (None, ADOPTED, incarnation):
            raise TopicReplacedError(*key[:2])
        await self._change(key, StoredOffset(offset, int(self._clock()), incarnation or current))

    async def delete(self, key: ConsumerKey) -> None:
        """Forget a consumer; one that is unknown is forgotten already. Raises `StorageError`."""
        if key in self._table.entries:
            await self._change(key, None)

    def forget(self, partitions: Iterable[Key]) -> None:
        """Partitions are gone (others may have their names by now), and so are their consumers' offsets."""
        if not self.is_leader:
            return
        entries, incarnations = self._table.entries, self._incarnations
        for key in self._table.of_partitions(partitions):
            incarnation = entries[key].incarnation
            if incarnation is None or incarnation != incarnations.get(key[:2]):
                self._add(key, None)

    def forget_others(self, existing: Iterable[Key]) -> None:
        """Only these partitions exist, and all of their incarnations are known."""
        if not self.is_leader:
            return
        self.forget({key[:2] for key in self._table.entries} - set(existing))
        if self._table.adopt(self._incarnations):
            self._wants_checkpoint = True
            self._wake.set()

    def forget_strangers(self) -> None:
        """Incarnations may have changed: what belongs to a topic's earlier life is forgotten."""
        if self.is_leader:
            for key in self._table.strangers(self._incarnations):
                self._add(key, None)

    async def _change(self, key: ConsumerKey, stored: StoredOffset | None) -> None:
        await asyncio.shield(self._add(key, stored))

    def _add(self, key: ConsumerKey, stored: StoredOffset | None) -> "asyncio.Future[None]":
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_retrieve)
        self._pending.append((key, stored, done))
        if stored is None:
            self._doomed.add(key)
        else:
            self._doomed.discard(key)
        self._wake.set()
        return done

    # --- the log ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Write changes as they come, until cancelled."""
        while True:
            await self._wake.wait()
            await self.flush()
            await asyncio.sleep(self._pace_s)

    async def flush(self) -> None:
        """Write the changes that wait, and a checkpoint if it is due. Not beside `run`."""
        self._wake.clear()
        pending, self._pending = self._pending, []
        if pending:
            await self._write(pending)
        if self.is_leader and self._is_checkpoint_due():
            await self._checkpoint()

    async def _write(self, pending: list[_Pending]) -> None:
        entries: list[LogEntry] = []
        written: list[_Pending] = []
        try:
            leader = self._writable()
            limit = _batch_limit(leader)
            for key, stored, done in pending:
                entry = delete_entry(key) if stored is None else update_entry(key, stored)
                size = len(entry.value) + len(entry.key or b"") + _BATCH_OVERHEAD
                if size > limit:
                    done.set_exception(MessageTooLargeError(size, limit))
                else:
                    entries.append(entry)
                    written.append((key, stored, done))
            if entries:
                await self._append(leader, entries)
        except FluvioError as exc:
            _logger.error("consumer offsets could not be written cause=%s", exc)
            for key, _, done in pending:
                self._doomed.discard(key)
                if not done.done():
                    done.set_exception(exc)
            return
        for key, stored, done in written:
            if stored is None:
                self._table.delete(key)
                self._doomed.discard(key)
            else:
                self._table.update(key, stored)
            done.set_result(None)

    def _is_checkpoint_due(self) -> bool:
        leader = self._writable()
        active = leader.log.active_base_offset
        if active != self._covered_base and not self._table.entries:
            # Whatever part of the log retention leaves, its records end with nothing.
            leader.keep_from, self._covered_base = leader.log.leo, active
        return self._wants_checkpoint or self._table.needs_checkpoint or active != self._covered_base

    async def _checkpoint(self) -> None:
        """Write all that lives anew. When that fails, the changes are written: it is tried again later."""
        table, now_s = self._table, self._clock()
        living = dict(table.entries)
        if self._may_expire(now_s):
            living = table.living(now_s - self._ttl_s)
        expired = len(table.entries) - len(living)
        try:
            leader = self._writable()
            first = await self._write_whole(leader, living, table)
        except StorageError as exc:
            _logger.error("no checkpoint of consumer offsets cause=%s", exc)
            return
        if leader is not self._leader or table is not self._table:
            return  # it was closed and loaded again meanwhile
        leader.keep_from = first  # retention may take what is before, and nothing else
        self._covered_base = leader.log.active_base_offset
        self._wants_checkpoint = False
        table.checkpoint_written(living)
        if expired:
            _logger.info("consumer offsets have expired count=%d", expired)

    async def _write_whole(
        self, leader: LeaderReplica, living: dict[ConsumerKey, StoredOffset], table: OffsetTable
    ) -> int:
        """Write a checkpoint, or as good as one; returns the offset from which on the log is enough."""
        now_ms, limit = int(self._clock() * 1000), _batch_limit(leader)

        def build() -> list[bytearray]:
            updates = [update_entry(key, stored) for key, stored in living.items()]
            whole = list(batches_of([CHECKPOINT_ENTRY, *updates], now_ms, limit))
            if len(whole) == 1:
                return whole
            # A checkpoint in several batches could be cut in two by a crash, and would then have forgotten
            # some. Without the mark each batch only repeats what is known.
            deletions = [delete_entry(key) for key in table.entries.keys() - living.keys()]
            return list(batches_of([*deletions, *updates], now_ms, limit))

        is_large = len(table.entries) > _INLINE_ENTRIES
        batches = await asyncio.to_thread(build) if is_large else build()
        offsets = [await self._append_batch(leader, batch) for batch in batches]
        return offsets[0]

    def _may_expire(self, now_s: float) -> bool:
        if not self._ttl_s:
            return False
        reason = self._clock_watch.distrust(now_s, self._steady())
        if reason is not None:
            _logger.warning("no consumer offset expires cause=%s", reason)
        return reason is None

    def _writable(self) -> LeaderReplica:
        leader = self._leader
        if leader is None or leader.ended is not None:
            raise StorageError("this SPU does not lead `consumer-offset` any more")
        return leader

    async def _append(self, leader: LeaderReplica, entries: list[LogEntry]) -> None:
        for batch in batches_of(entries, int(self._clock() * 1000), _batch_limit(leader)):
            await self._append_batch(leader, batch)

    async def _append_batch(self, leader: LeaderReplica, batch: bytearray) -> int:
        result = await leader.append(batch, split(batch))
        await leader.on_disk(result.leo)
        return result.base_offset


def _batch_limit(leader: LeaderReplica) -> int:
    settings = leader.log.settings
    return min(settings.max_batch_bytes, settings.segment_bytes)


def _retrieve(done: "asyncio.Future[None]") -> None:
    if not done.cancelled():
        done.exception()  # whoever waits gets it; of a forgotten partition nobody waits
