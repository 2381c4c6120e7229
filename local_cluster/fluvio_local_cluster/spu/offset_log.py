"""Reads the log of `consumer-offset` back to its last checkpoint. Waits for the disk, so: in a thread.

What cannot be read, for damage on the disk or of a record, is left out and told; everything else counts.
"""

import logging
from dataclasses import dataclass

from fluvio_local_cluster.spu.replica.consumer_offsets import LogEntry, OffsetTable, is_checkpoint, replay_all
from fluvio_local_cluster.storage import DamagedRangeError, ReplicaLog, Slice
from fluvio_protocol.batch import decode_records, split
from fluvio_protocol.wire import DecodeError

_logger = logging.getLogger(__name__)

_READ_BYTES = 1024 * 1024


@dataclass(slots=True)
class Loaded:
    """What a log says. `keep_from`: nothing before this offset is needed any more."""

    table: OffsetTable
    unreadable: int  # records that could not be read
    keep_from: int


def load(log: ReplicaLog) -> Loaded:
    """The table that a log makes. Raises `StorageError`."""
    starts: list[int] = []
    position = log.log_start
    while position < log.leo:
        piece = _read(log, position)
        if piece is None:
            break
        with piece:
            starts.append(piece.first_offset)
            position = piece.next_offset
    tail: list[list[LogEntry]] = []
    keep_from = log.log_start
    for start in reversed(starts):
        entries = _entries(log, start)
        last = max((i for i, entry in enumerate(entries) if is_checkpoint(entry.value)), default=None)
        tail.append(entries if last is None else entries[last:])
        if last is not None:
            keep_from = start
            break
    table, unreadable = replay_all(entry for entries in reversed(tail) for entry in entries)
    return Loaded(table, unreadable, keep_from)


def _read(log: ReplicaLog, start: int) -> Slice | None:
    while start < log.leo:
        try:
            return log.read(start, _READ_BYTES, log.leo)
        except DamagedRangeError as exc:
            _logger.error("consumer offsets are damaged on disk start=%d stop=%d", exc.start, exc.stop)
            start = max(exc.stop, start + 1)
    return None


def _entries(log: ReplicaLog, start: int) -> list[LogEntry]:
    piece = _read(log, start)
    if piece is None:
        return []
    with piece:
        data = memoryview(piece.read_bytes())
    entries: list[LogEntry] = []
    for header in split(data):
        try:
            entries += [LogEntry(record.value, record.key) for record in decode_records(data, header)]
        except DecodeError as exc:
            _logger.error(
                "a batch of consumer offsets is skipped offset=%d cause=%s", header.base_offset, exc
            )
    return entries
