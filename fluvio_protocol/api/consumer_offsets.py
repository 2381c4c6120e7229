"""Offsets kept for consumers, and how they lie in the log of `consumer-offset`.

Layout: docs/protocol.md, "Consumer offsets".
"""

from typing import Annotated

from fluvio_protocol.api.produce import SPU_VERSION
from fluvio_protocol.error_code import OK, ErrorCode, ReplicaKey
from fluvio_protocol.wire import i64, request, since, u32, u64, union, wire_struct

UPDATE_CONSUMER_OFFSET_KEY, DELETE_CONSUMER_OFFSET_KEY, FETCH_CONSUMER_OFFSETS_KEY = 1006, 1007, 1008


@wire_struct
class UpdateConsumerOffsetResponse:
    """Answer to UpdateConsumerOffset."""

    offset: i64
    error_code: ErrorCode = OK


@request(
    side="spu",
    key=UPDATE_CONSUMER_OFFSET_KEY,
    versions=range(SPU_VERSION + 1),
    response=UpdateConsumerOffsetResponse,
)
@wire_struct
class UpdateConsumerOffsetRequest:
    """Record the last consumed offset for the consumer of a stream on the same connection."""

    offset: i64
    session_id: u32


@wire_struct
class DeleteConsumerOffsetResponse:
    """Answer to DeleteConsumerOffset."""

    error_code: ErrorCode = OK


@request(
    side="spu",
    key=DELETE_CONSUMER_OFFSET_KEY,
    versions=range(SPU_VERSION + 1),
    response=DeleteConsumerOffsetResponse,
)
@wire_struct
class DeleteConsumerOffsetRequest:
    """Forget a consumer's offset."""

    replica_id: ReplicaKey
    consumer_id: str


@wire_struct
class FilterOpts:
    """What is given must match."""

    replica_id: ReplicaKey | None = None
    consumer_id: str | None = None


@wire_struct
class ConsumerOffset:
    """`offset` is the last consumed record's; `modified_time` in seconds since 1970."""

    consumer_id: str
    replica_id: ReplicaKey
    offset: i64
    modified_time: u64


@wire_struct
class FetchConsumerOffsetsResponse:
    """Answer to FetchConsumerOffsets."""

    error_code: ErrorCode = OK
    consumers: list[ConsumerOffset]


@request(
    side="spu",
    key=FETCH_CONSUMER_OFFSETS_KEY,
    versions=range(SPU_VERSION + 1),
    response=FetchConsumerOffsetsResponse,
)
@wire_struct
class FetchConsumerOffsetsRequest:
    """List consumers' offsets."""

    filter_opts: FilterOpts | None = since(24, default=None)


# --- the log of `consumer-offset`: each record's value is one of these, all at version 0 -------------------


@wire_struct
class ConsumerOffsetKey:
    """Which consumer, of which partition."""

    replica_id: ReplicaKey
    consumer_id: str


@wire_struct
class ConsumerOffsetValue:
    """What is kept of it."""

    offset: i64
    modified_time: u64


@wire_struct
class RecordUpdated:
    """An offset was stored; `key` and `value` are an encoded ConsumerOffsetKey and ConsumerOffsetValue."""

    key: bytes
    value: bytes


@wire_struct
class RecordDeleted:
    """An offset was deleted."""

    key: bytes


@wire_struct
class Checkpoint:
    """All live entries follow; what stands before may be forgotten."""


ConsumerOffsetRecord = Annotated[
    RecordUpdated | RecordDeleted | Checkpoint, union({0: RecordUpdated, 1: RecordDeleted, 2: Checkpoint})
]
