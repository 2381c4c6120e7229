"""The table of consumers' offsets, and the records that keep it in the log of `consumer-offset`.

Layout and rules: docs/storage-format.md, "Log of consumer offsets". The table is what the records since the
last checkpoint say; a checkpoint and all live entries are one batch, so that there is never a part of them.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from fluvio_local_cluster.spu.replica.assignment import Key
from fluvio_protocol.api.consumer_offsets import (
    Checkpoint,
    ConsumerOffset,
    ConsumerOffsetKey,
    ConsumerOffsetRecord,
    ConsumerOffsetValue,
    FilterOpts,
    RecordDeleted,
    RecordUpdated,
)
from fluvio_protocol.api.sc_spu import ADOPTED
from fluvio_protocol.batch import BatchBuilder
from fluvio_protocol.error_code import ReplicaKey
from fluvio_protocol.wire import DecodeError, decode, encode

CHANGES_PER_CHECKPOINT = 100
_CHECKPOINT = b"\x02"

ConsumerKey = tuple[str, int, str]  # topic, partition, consumer id


@dataclass(slots=True, frozen=True)
class StoredOffset:
    """The last consumed record's offset; `modified_time` in seconds since 1970.

    `incarnation`: the life of the topic that the offset belongs to; None: whoever wrote it did not say.
    """

    offset: int
    modified_time: int
    incarnation: str | None = None


class LogEntry(NamedTuple):
    """One record of the log. Its key is ours: the official engine neither writes nor reads it."""

    value: bytes
    key: bytes | None = None  # the incarnation, of an update


CHECKPOINT_ENTRY = LogEntry(_CHECKPOINT)


def is_checkpoint(value: bytes) -> bool:
    """Whether a record's value is a checkpoint."""
    return value[:1] == _CHECKPOINT


def update_entry(key: ConsumerKey, stored: StoredOffset) -> LogEntry:
    """The record that stores an offset."""
    value = ConsumerOffsetValue(offset=stored.offset, modified_time=stored.modified_time)
    encoded = _encode(RecordUpdated(key=_encode_key(key), value=encode(value, 0)))
    return LogEntry(encoded, None if stored.incarnation is None else stored.incarnation.encode())


def delete_entry(key: ConsumerKey) -> LogEntry:
    """The record that deletes an offset."""
    return LogEntry(_encode(RecordDeleted(key=_encode_key(key))))


def _encode(record: RecordUpdated | RecordDeleted | Checkpoint) -> bytes:
    return encode(record, 0, ConsumerOffsetRecord)


def _encode_key(key: ConsumerKey) -> bytes:
    topic, partition, consumer_id = key
    replica_id = ReplicaKey(topic=topic, partition=partition)
    return encode(ConsumerOffsetKey(replica_id=replica_id, consumer_id=consumer_id), 0)


def _decode_key(data: bytes) -> ConsumerKey:
    key = decode(ConsumerOffsetKey, data, 0)
    return (key.replica_id.topic, key.replica_id.partition, key.consumer_id)


def batches_of(entries: Iterable[LogEntry], now_ms: int, max_bytes: int) -> Iterator[bytearray]:
    """As few batches as hold the entries, in order. `now_ms` since 1970.

    None is larger than `max_bytes`, unless a single entry is.
    """
    builder, count = BatchBuilder(now_ms), 0
    for value, key in entries:
        if count and builder.size_with(key, value, now_ms) > max_bytes:
            yield builder.build()
            builder, count = BatchBuilder(now_ms), 0
        builder.append(key, value, now_ms)
        count += 1
    if count:
        yield builder.build()


@dataclass(slots=True)
class OffsetTable:
    """All live entries."""

    entries: dict[ConsumerKey, StoredOffset] = field(default_factory=dict)
    changes: int = 0  # since the last checkpoint

    def replay(self, entry: LogEntry) -> None:
        """Take one record of the log, oldest first. Raises `DecodeError`."""
        record: RecordUpdated | RecordDeleted | Checkpoint = decode(ConsumerOffsetRecord, entry.value, 0)  # type: ignore[arg-type]
        if isinstance(record, Checkpoint):
            self.entries.clear()
            self.changes = 0
            return
        key = _decode_key(record.key)
        if isinstance(record, RecordUpdated):
            stored = decode(ConsumerOffsetValue, record.value, 0)
            incarnation = None if entry.key is None else str(entry.key, "utf-8", "replace")
            self.update(key, StoredOffset(stored.offset, stored.modified_time, incarnation))
        else:
            self.delete(key)

    def update(self, key: ConsumerKey, stored: StoredOffset) -> None:
        """An update was written."""
        self.entries[key] = stored
        self.changes += 1

    def delete(self, key: ConsumerKey) -> None:
        """A deletion was written."""
        self.entries.pop(key, None)
        self.changes += 1

    @property
    def needs_checkpoint(self) -> bool:
        """Whether a checkpoint is due: seldom enough that a large table is not written for a few changes."""
        return self.changes > max(CHANGES_PER_CHECKPOINT, len(self.entries))

    def checkpoint_written(self, entries: dict[ConsumerKey, StoredOffset]) -> None:
        """A checkpoint with these entries was written."""
        self.entries = entries
        self.changes = 0

    def living(self, oldest_s: float) -> dict[ConsumerKey, StoredOffset]:
        """Entries that were stored at `oldest_s` (seconds since 1970) or later."""
        return {key: stored for key, stored in self.entries.items() if stored.modified_time >= oldest_s}

    def adopt(self, incarnations: Mapping[Key, str]) -> bool:
        """Take offsets of unknown incarnation for the topics that are there; whether there were any.

        They come from the official engine, which has no incarnations.
        """
        found = {
            key: replace(stored, incarnation=incarnations[key[:2]])
            for key, stored in self.entries.items()
            if stored.incarnation is None and key[:2] in incarnations
        }
        self.entries.update(found)
        return bool(found)

    def strangers(self, incarnations: Mapping[Key, str]) -> list[ConsumerKey]:
        """Consumers of topics that were deleted and made again under the same name."""
        return [key for key, stored in self.entries.items() if not is_of(key, stored, incarnations)]

    def of_partitions(self, partitions: Iterable[Key]) -> list[ConsumerKey]:
        """Consumers of these partitions."""
        wanted = set(partitions)
        return [key for key in self.entries if key[:2] in wanted]

    def listed(
        self,
        filter_opts: FilterOpts | None,
        existing: Iterable[Key],
        incarnations: Mapping[Key, str],
        without: Container[ConsumerKey] = (),
    ) -> list[ConsumerOffset]:
        """Consumers that match, of partitions that exist, by topic, partition and id."""
        partitions = set(existing)
        replica_id = filter_opts.replica_id if filter_opts else None
        consumer_id = filter_opts.consumer_id if filter_opts else None
        found: list[ConsumerOffset] = []
        for key, stored in sorted(self.entries.items(), key=_first):
            topic, partition, name = key
            if (topic, partition) not in partitions or (consumer_id is not None and name != consumer_id):
                continue
            if key in without or not is_of(key, stored, incarnations):
                continue
            if replica_id is not None and (replica_id.topic, replica_id.partition) != (topic, partition):
                continue
            found.append(
                ConsumerOffset(
                    consumer_id=name,
                    replica_id=ReplicaKey(topic=topic, partition=partition),
                    offset=stored.offset,
                    modified_time=stored.modified_time,
                )
            )
        return found


def _first(item: tuple[ConsumerKey, StoredOffset]) -> ConsumerKey:
    return item[0]


def is_of(key: ConsumerKey, stored: StoredOffset, incarnations: Mapping[Key, str]) -> bool:
    """Whether an offset belongs to the topic that is there now, as far as is known."""
    current = incarnations.get(key[:2])
    return current in (None, ADOPTED, stored.incarnation) or stored.incarnation is None


def replay_all(entries: Iterable[LogEntry]) -> tuple[OffsetTable, int]:
    """The table that records (oldest first) make, and how many of them could not be read."""
    table, unreadable = OffsetTable(), 0
    for entry in entries:
        try:
            table.replay(entry)
        except DecodeError:
            unreadable += 1
    return table, unreadable
