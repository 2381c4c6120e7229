"""FetchOffsets and UpdateOffsets. Layout: docs/protocol.md, "FetchOffsets" and "StreamFetch"."""

from fluvio_protocol.api.produce import SPU_VERSION
from fluvio_protocol.error_code import OK, ErrorCode
from fluvio_protocol.wire import i64, request, since, u32, wire_struct

FETCH_OFFSETS_KEY, UPDATE_OFFSETS_KEY = 1002, 1005


@wire_struct
class FetchOffsetPartition:
    """One partition that is asked for."""

    partition_index: u32


@wire_struct
class FetchOffsetTopic:
    """Partitions of one topic."""

    name: str
    partitions: list[FetchOffsetPartition]


@wire_struct
class FetchOffsetPartitionResponse:
    """`start_offset` is the first record still there, `last_stable_offset` the HW."""

    error_code: ErrorCode = OK
    partition_index: u32
    start_offset: i64 = 0
    last_stable_offset: i64 = 0


@wire_struct
class FetchOffsetTopicResponse:
    """Answers for one topic."""

    name: str
    partitions: list[FetchOffsetPartitionResponse]


@wire_struct
class FetchOffsetsResponse:
    """Answer to FetchOffsets."""

    topics: list[FetchOffsetTopicResponse]


@request(side="spu", key=FETCH_OFFSETS_KEY, versions=range(SPU_VERSION + 1), response=FetchOffsetsResponse)
@wire_struct
class FetchOffsetsRequest:
    """Where partitions begin and end."""

    topics: list[FetchOffsetTopic]
    consumer_id: str | None = since(23, until=23, default=None)


@wire_struct
class OffsetUpdate:
    """A stream is read up to `offset` (exclusive)."""

    offset: i64
    session_id: u32


@wire_struct
class OffsetUpdateStatus:
    """Answer for one stream."""

    session_id: u32
    error: ErrorCode = OK


@wire_struct
class UpdateOffsetsResponse:
    """Answer to UpdateOffsets."""

    status: list[OffsetUpdateStatus]


@request(side="spu", key=UPDATE_OFFSETS_KEY, versions=range(1), response=UpdateOffsetsResponse)
@wire_struct
class UpdateOffsetsRequest:
    """Acknowledge pushes: this reopens the window of a stream."""

    offsets: list[OffsetUpdate]
