"""Consumers' offsets on the SPU that leads `consumer-offset`: a table in memory, kept by a log.

Changes that come in one turn of the event loop are written as one batch; whoever asked for them gets the
answer when they are written.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from fluvio_local_cluster.spu.leader import LeaderReplica
from fluvio_local_cluster.spu.replica.assignment import Key
from fluvio_local_cluster.spu.replica.consumer_offsets import (
    ConsumerKey,
    OffsetTable,
    StoredOffset,
    batch_of,
    encode_delete,
    encode_update,
    is_checkpoint,
    replay_all,
)
from fluvio_local_cluster.storage import DamagedRangeError, ReplicaLog, Slice, StorageError
from fluvio_protocol.api.consumer_offsets import ConsumerOffset, FilterOpts
from fluvio_protocol.batch import decode_records, split
from fluvio_protocol.wire import DecodeError
from fluvio_types.defaults import CONSUMER_OFFSET_TOPIC
from fluvio_types.errors import FluvioError

_logger = logging.getLogger(__name__)

OFFSETS_KEY: Key = (CONSUMER_OFFSET_TOPIC, 0)
_READ_BYTES = 1024 * 1024

_Pending = tuple[ConsumerKey, StoredOffset | None, "asyncio.Future[None]"]


class OffsetStore:
    """See the module. `leader` is None while this SPU does not lead `consumer-offset`."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock`: seconds since 1970."""
        self._clock = clock
        self._leader: LeaderReplica | None = None
        self._table = OffsetTable()
        self._pending: list[_Pending] = []
        self._wake = asyncio.Event()

    @property
    def is_leader(self) -> bool:
        """Whether offsets are kept here."""
        return self._leader is not None and self._leader.ended is None

    async def opened(self, leader: LeaderReplica) -> None:
        """A replica was opened: when it is that of the offsets, read them. Raises `StorageError`."""
        if leader.key != OFFSETS_KEY:
            return
        table, unreadable, keep_from = await asyncio.to_thread(load, leader.log)
        if unreadable:
            _logger.error("records of consumer offsets could not be read count=%d", unreadable)
        self._table, self._leader = table, leader
        leader.keep_from = keep_from
        _logger.info("consumer offsets are loaded count=%d", len(table.entries))

    def get(self, key: ConsumerKey) -> StoredOffset | None:
        """What is stored."""
        return self._table.entries.get(key)

    def listed(self, filter_opts: FilterOpts | None, existing: Iterable[Key]) -> list[ConsumerOffset]:
        """What is stored for partitions that exist."""
        return self._table.listed(filter_opts, existing)

    async def commit(self, key: ConsumerKey, offset: int) -> None:
        """Store the last consumed offset; returns when it is written. Raises `StorageError`."""
        await self._change(key, StoredOffset(offset, int(self._clock())))

    async def delete(self, key: ConsumerKey) -> None:
        """Forget a consumer; one that is unknown is forgotten already. Raises `StorageError`."""
        if key in self._table.entries:
            await self._change(key, None)

    def forget(self, partitions: Iterable[Key]) -> None:
        """Partitions are gone: so are the offsets of their consumers."""
        if self.is_leader:
            for key in self._table.of_partitions(partitions):
                self._add(key, None)

    def forget_others(self, existing: Iterable[Key]) -> None:
        """Only these partitions exist."""
        gone = {key[:2] for key in self._table.entries} - set(existing)
        self.forget(gone)

    async def _change(self, key: ConsumerKey, stored: StoredOffset | None) -> None:
        await asyncio.shield(self._add(key, stored))

    def _add(self, key: ConsumerKey, stored: StoredOffset | None) -> "asyncio.Future[None]":
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_retrieve)
        self._pending.append((key, stored, done))
        self._wake.set()
        return done

    async def run(self) -> None:
        """Write changes as they come, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            pending, self._pending = self._pending, []
            if pending:
                await self._write(pending)

    async def _write(self, pending: list[_Pending]) -> None:
        try:
            await self._append(
                [
                    encode_delete(key) if stored is None else encode_update(key, stored)
                    for key, stored, _ in pending
                ]
            )
        except FluvioError as exc:
            _logger.error("consumer offsets could not be written cause=%s", exc)
            for _, _, done in pending:
                done.set_exception(exc)
            return
        for key, stored, done in pending:
            if stored is None:
                self._table.delete(key)
            else:
                self._table.update(key, stored)
            done.set_result(None)
        if self._table.needs_checkpoint:
            try:
                checkpoint = await self._append(self._table.checkpoint_values())
                if self._leader is not None:
                    self._leader.keep_from = checkpoint  # retention may take what is before, and nothing else
                self._table.checkpoint_written()
            except StorageError as exc:  # the changes themselves are written: try again after the next
                _logger.error("no checkpoint of consumer offsets cause=%s", exc)

    async def _append(self, values: list[bytes]) -> int:
        leader = self._leader
        if leader is None or leader.ended is not None:
            raise StorageError("this SPU does not lead `consumer-offset` any more")
        batch = batch_of(values, int(self._clock() * 1000))
        result = await leader.append(batch, split(batch))
        await leader.on_disk(result.leo)
        return result.base_offset


def _retrieve(done: "asyncio.Future[None]") -> None:
    if not done.cancelled():
        done.exception()  # whoever waits gets it; of a forgotten partition nobody waits


def load(log: ReplicaLog) -> tuple[OffsetTable, int, int]:
    """The table that a log makes, how many records could not be read, and where the reading began.

    That is at the last checkpoint: nothing before it is needed any more.

    Raises `StorageError`.
    """
    starts: list[int] = []
    position = log.log_start
    while position < log.leo:
        piece = _read(log, position)
        if piece is None:
            break
        with piece:
            starts.append(piece.first_offset)
            position = piece.next_offset
    tail: list[list[bytes]] = []
    keep_from = log.log_start
    for start in reversed(starts):
        values = _values(log, start)
        last = max((i for i, value in enumerate(values) if is_checkpoint(value)), default=None)
        tail.append(values if last is None else values[last:])
        if last is not None:
            keep_from = start
            break
    table, unreadable = replay_all(value for values in reversed(tail) for value in values)
    return table, unreadable, keep_from


def _read(log: ReplicaLog, start: int) -> Slice | None:
    while start < log.leo:
        try:
            return log.read(start, _READ_BYTES, log.leo)
        except DamagedRangeError as exc:
            _logger.error("consumer offsets are damaged on disk start=%d stop=%d", exc.start, exc.stop)
            start = max(exc.stop, start + 1)
    return None


def _values(log: ReplicaLog, start: int) -> list[bytes]:
    piece = _read(log, start)
    if piece is None:
        return []
    with piece:
        data = memoryview(piece.read_bytes())
    values: list[bytes] = []
    for header in split(data):
        try:
            values += [record.value for record in decode_records(data, header)]
        except DecodeError as exc:
            _logger.error(
                "a batch of consumer offsets is skipped offset=%d cause=%s", header.base_offset, exc
            )
    return values
