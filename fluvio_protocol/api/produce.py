"""Produce. Layout: docs/protocol.md, "Produce"."""

from fluvio_protocol.api.smartmodule_invocation import SmartModuleInvocation
from fluvio_protocol.error_code import OK, ErrorCode
from fluvio_protocol.wire import blob, field, i16, i32, i64, request, since, u32, wire_struct

PRODUCE_KEY = 0
SPU_VERSION = 25  # the highest version of the SPU's API

READ_UNCOMMITTED, READ_COMMITTED = 1, -1  # produce has an i16 of its own; any negative number is committed


@wire_struct
class PartitionProduceData:
    """Batches for one partition; the same partition may come more than once in a request."""

    partition_index: u32
    records: blob


@wire_struct
class TopicProduceData:
    """Batches for one topic; a topic without partitions is legal (clients flush with it)."""

    name: str
    partitions: list[PartitionProduceData]


@wire_struct
class PartitionProduceResponse:
    """`base_offset` is the first record's offset; answers stand in the order of the request."""

    partition_index: u32
    error_code: ErrorCode = OK
    base_offset: i64 = 0
    log_append_time_ms: i64 = since(2, default=0)
    log_start_offset: i64 = since(5, default=0)


@wire_struct
class TopicProduceResponse:
    """Answers for one topic."""

    name: str
    partitions: list[PartitionProduceResponse]


@wire_struct
class ProduceResponse:
    """Answer to produce."""

    responses: list[TopicProduceResponse]
    throttle_time_ms: i32 = since(1, default=0)


@request(side="spu", key=PRODUCE_KEY, versions=range(SPU_VERSION + 1), response=ProduceResponse)
@wire_struct
class ProduceRequest:
    """Append batches. `timeout_ms` counts only when `isolation` is negative (wait for the commit)."""

    transactional_id: str | None = None
    isolation: i16 = READ_UNCOMMITTED
    timeout_ms: i32 = 1500
    topics: list[TopicProduceData]
    smartmodules: list[SmartModuleInvocation] = field(default_factory=list)
