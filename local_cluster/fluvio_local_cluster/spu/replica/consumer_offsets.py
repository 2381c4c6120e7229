"""The table of consumers' offsets, and the records that keep it in the log of `consumer-offset`.

Layout: docs/protocol.md, "Consumer offsets". The table is what the records since the last checkpoint say;
a checkpoint and all live entries are written as one batch when more than 100 changes stand after the last.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

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
from fluvio_protocol.batch import BatchBuilder
from fluvio_protocol.error_code import ReplicaKey
from fluvio_protocol.wire import DecodeError, decode, encode

CHANGES_PER_CHECKPOINT = 100
_CHECKPOINT = b"\x02"

ConsumerKey = tuple[str, int, str]  # topic, partition, consumer id


@dataclass(slots=True, frozen=True)
class StoredOffset:
    """The last consumed record's offset; `modified_time` in seconds since 1970."""

    offset: int
    modified_time: int


def is_checkpoint(value: bytes) -> bool:
    """Whether a record's value is a checkpoint."""
    return value[:1] == _CHECKPOINT


def encode_update(key: ConsumerKey, stored: StoredOffset) -> bytes:
    """The record's value that stores an offset."""
    value = ConsumerOffsetValue(offset=stored.offset, modified_time=stored.modified_time)
    return _encode(RecordUpdated(key=_encode_key(key), value=encode(value, 0)))


def encode_delete(key: ConsumerKey) -> bytes:
    """The record's value that deletes an offset."""
    return _encode(RecordDeleted(key=_encode_key(key)))


def _encode(record: RecordUpdated | RecordDeleted | Checkpoint) -> bytes:
    return encode(record, 0, ConsumerOffsetRecord)


def _encode_key(key: ConsumerKey) -> bytes:
    topic, partition, consumer_id = key
    replica_id = ReplicaKey(topic=topic, partition=partition)
    return encode(ConsumerOffsetKey(replica_id=replica_id, consumer_id=consumer_id), 0)


def _decode_key(data: bytes) -> ConsumerKey:
    key = decode(ConsumerOffsetKey, data, 0)
    return (key.replica_id.topic, key.replica_id.partition, key.consumer_id)


def batch_of(values: Iterable[bytes], now_ms: int) -> bytearray:
    """One batch of records without keys. `now_ms` since 1970."""
    builder = BatchBuilder(now_ms)
    for value in values:
        builder.append(None, value, now_ms)
    return builder.build()


@dataclass(slots=True)
class OffsetTable:
    """All live entries."""

    entries: dict[ConsumerKey, StoredOffset] = field(default_factory=dict)
    changes: int = 0  # since the last checkpoint

    def replay(self, value: bytes) -> None:
        """Take one record of the log, oldest first. Raises `DecodeError`."""
        record: RecordUpdated | RecordDeleted | Checkpoint = decode(ConsumerOffsetRecord, value, 0)  # type: ignore[arg-type]
        if isinstance(record, Checkpoint):
            self.entries.clear()
            self.changes = 0
            return
        self.changes += 1
        key = _decode_key(record.key)
        if isinstance(record, RecordUpdated):
            stored = decode(ConsumerOffsetValue, record.value, 0)
            self.entries[key] = StoredOffset(stored.offset, stored.modified_time)
        else:
            self.entries.pop(key, None)

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
        """Whether a checkpoint is due."""
        return self.changes > CHANGES_PER_CHECKPOINT

    def checkpoint_values(self) -> list[bytes]:
        """The records of a checkpoint."""
        return [_CHECKPOINT, *(encode_update(key, stored) for key, stored in self.entries.items())]

    def checkpoint_written(self) -> None:
        """A checkpoint was written."""
        self.changes = 0

    def of_partitions(self, partitions: Iterable[Key]) -> list[ConsumerKey]:
        """Consumers of these partitions."""
        wanted = set(partitions)
        return [key for key in self.entries if key[:2] in wanted]

    def listed(self, filter_opts: FilterOpts | None, existing: Iterable[Key]) -> list[ConsumerOffset]:
        """Consumers that match, of partitions that exist, by topic, partition and id."""
        partitions = set(existing)
        replica_id = filter_opts.replica_id if filter_opts else None
        consumer_id = filter_opts.consumer_id if filter_opts else None
        found: list[ConsumerOffset] = []
        for (topic, partition, name), stored in sorted(self.entries.items()):
            if (topic, partition) not in partitions or (consumer_id is not None and name != consumer_id):
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


def replay_all(values: Iterable[bytes]) -> tuple[OffsetTable, int]:
    """The table that records (oldest first) make, and how many of them could not be read."""
    table, unreadable = OffsetTable(), 0
    for value in values:
        try:
            table.replay(value)
        except DecodeError:
            unreadable += 1
    return table, unreadable
