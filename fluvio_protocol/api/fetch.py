"""One-shot fetch and stream fetch. Layout: docs/protocol.md, "Fetch" and "StreamFetch"."""

import enum

from fluvio_protocol.api.produce import SPU_VERSION
from fluvio_protocol.api.smartmodule_invocation import DerivedStreamInvocation, SmartModuleInvocation
from fluvio_protocol.error_code import OK, ErrorCode
from fluvio_protocol.wire import blob, i32, i64, request, since, u32, wire_struct
from fluvio_types.defaults import FETCH_MAX_BYTES

FETCH_KEY, STREAM_FETCH_KEY = 1, 1003
MIN_STREAM_FETCH_VERSION = 17  # the lowest that we send, and what is sent when no version is shared


class Isolation(enum.IntEnum):
    """Which records may be seen: all the leader has, or the committed ones."""

    READ_UNCOMMITTED = 0
    READ_COMMITTED = 1


@wire_struct
class AbortedTransaction:
    """Never used."""

    producer_id: i64
    first_offset: i64


@wire_struct
class FetchablePartitionResponse:
    """Batches of one partition; `records` must stay the last field, servers send it from the file."""

    partition_index: u32
    error_code: ErrorCode = OK
    high_watermark: i64 = 0
    next_filter_offset: i64 = since(11, default=0)
    log_start_offset: i64 = 0
    aborted: list[AbortedTransaction] | None = None
    records: blob = b""


@wire_struct
class FetchableTopicResponse:
    """Answers for one topic."""

    name: str
    partitions: list[FetchablePartitionResponse]


@wire_struct
class FetchResponse:
    """Answer to the one-shot fetch."""

    throttle_time_ms: i32 = 0
    error_code: ErrorCode = OK
    session_id: i32 = 0
    topics: list[FetchableTopicResponse]


@wire_struct
class FetchPartition:
    """One partition of a one-shot fetch."""

    partition_index: u32
    current_leader_epoch: i32 = since(9, default=-1)
    fetch_offset: i64
    log_start_offset: i64 = since(5, default=-1)
    max_bytes: i32 = FETCH_MAX_BYTES


@wire_struct
class FetchableTopic:
    """One topic of a one-shot fetch."""

    name: str
    fetch_partitions: list[FetchPartition]


@wire_struct
class ForgottenTopic:
    """Ignored."""

    name: str = since(7, default="")
    forgotten_partition_indexes: list[i32] = since(7, default_factory=list)


@request(side="spu", key=FETCH_KEY, versions=range(SPU_VERSION + 1), response=FetchResponse)
@wire_struct
class FetchRequest:
    """Read once, at most `max_bytes` of each partition."""

    max_wait: i32 = 0
    min_bytes: i32 = 0
    max_bytes: i32 = since(3, default=FETCH_MAX_BYTES)
    isolation_level: Isolation = since(4, default=Isolation.READ_UNCOMMITTED)
    topics: list[FetchableTopic]
    forgotten: list[ForgottenTopic] = since(7, default_factory=list)


@wire_struct
class StreamFetchResponse:
    """One push of a stream; `stream_id` names it in UpdateOffsets on the same connection."""

    topic: str
    stream_id: u32
    partition: FetchablePartitionResponse


@request(
    side="spu",
    key=STREAM_FETCH_KEY,
    versions=range(MIN_STREAM_FETCH_VERSION, SPU_VERSION + 1),
    response=StreamFetchResponse,
)
@wire_struct
class StreamFetchRequest:
    """Ask one partition for a stream of batches, from the one that holds `fetch_offset` (absolute) on.

    Version 17 carries one SmartModule at most, in `smartmodule`; `smartmodules` is lost there.
    """

    topic: str
    partition: u32 = 0
    fetch_offset: i64
    max_bytes: i32 = FETCH_MAX_BYTES
    isolation: Isolation = Isolation.READ_UNCOMMITTED
    wasm_module: bytes = since(11, until=18, default=b"")
    smartmodule: SmartModuleInvocation | None = since(16, until=18, default=None)
    derivedstream: DerivedStreamInvocation | None = since(16, until=18, default=None)
    smartmodules: list[SmartModuleInvocation] = since(18, default_factory=list)
    consumer_id: str | None = since(23, default=None)
