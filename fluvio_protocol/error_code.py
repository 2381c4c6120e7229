"""Error codes of the wire, and the exceptions they become: one table for both.

Source: docs/protocol.md, "Error codes". On the wire an i16, then the payload of that code. Official clients
cannot decode a number they do not know, so none is invented here: use `OTHER` with a text.
"""

import enum
import re
from typing import Any

from fluvio_protocol.wire import WireChoice, i64, u32, u64, varbytes, wire_choice, wire_struct
from fluvio_types.errors import FluvioError


class ErrorKind(enum.IntEnum):
    """Every code that Fluvio defines."""

    UNKNOWN_SERVER_ERROR = -1
    NONE = 0
    OFFSET_OUT_OF_RANGE = 1
    OTHER = 2
    NOT_LEADER_FOR_PARTITION = 6
    REQUEST_TIMED_OUT = 7
    MESSAGE_TOO_LARGE = 10
    PERMISSION_DENIED = 13
    STORAGE_ERROR = 56
    INVALID_CREATE_REQUEST = 60
    INVALID_DELETE_REQUEST = 61
    OFFSET_EVICTED = 71
    PARTITION_FULL = 72
    PARTITION_SHORT_CIRCUITED = 73
    SPU_ERROR = 1000
    SPU_REGISTRATION_FAILED = 1001
    SPU_OFFLINE = 1002
    SPU_NOT_FOUND = 1003
    SPU_ALREADY_EXISTS = 1004
    TOPIC_ERROR = 2000
    TOPIC_NOT_FOUND = 2001
    TOPIC_ALREADY_EXISTS = 2002
    TOPIC_PENDING_INITIALIZATION = 2003
    TOPIC_INVALID_CONFIGURATION = 2004
    TOPIC_NOT_PROVISIONED = 2005
    TOPIC_INVALID_NAME = 2006
    TOPIC_DELETED = 2007
    TOPIC_INVALID_REPLICA_TYPE = 2008
    PARTITION_PENDING_INITIALIZATION = 3000
    PARTITION_NOT_LEADER = 3001
    FETCH_SESSION_NOT_FOUND = 3002
    OFFSET_FLUSH_REQUEST_ERROR = 3003
    OFFSET_MANAGEMENT_DISABLED = 3004
    MAX_RETRY_REACHED = 3005
    MANAGED_CONNECTOR_ERROR = 5000
    MANAGED_CONNECTOR_NOT_FOUND = 5001
    MANAGED_CONNECTOR_ALREADY_EXISTS = 5002
    SMARTMODULE_ERROR = 6000
    SMARTMODULE_NOT_FOUND = 6001
    SMARTMODULE_INVALID = 6002
    SMARTMODULE_INVALID_EXPORTS = 6003
    SMARTMODULE_RUNTIME_ERROR = 6004
    SMARTMODULE_CHAIN_INIT_ERROR = 6005
    SMARTMODULE_INIT_ERROR = 6006
    SMARTMODULE_LOOKBACK_ERROR = 6007
    SMARTMODULE_MEMORY_LIMIT_EXCEEDED = 6008
    TABLE_FORMAT_ERROR = 7000
    TABLE_FORMAT_NOT_FOUND = 7001
    TABLE_FORMAT_ALREADY_EXISTS = 7002
    DERIVED_STREAM_OBJECT_ERROR = 8000
    DERIVED_STREAM_NOT_FOUND = 8001
    DERIVED_STREAM_JOIN_FETCH_ERROR = 8002
    DERIVED_STREAM_INVALID = 8003
    COMPRESSION_ERROR = 9000
    DEDUPLICATION_SMARTMODULE_NOT_LOADED = 10000
    DEDUPLICATION_SMARTMODULE_NAME_INVALID = 10001
    MIRROR_NOT_FOUND = 11001
    MIRROR_ALREADY_EXISTS = 11002
    MIRROR_PRODUCE_FROM_HOME = 11003
    MIRROR_DELETE_FROM_REMOTE = 11004
    MIRROR_INVALID_TYPE = 11005
    MIRROR_PRODUCE_FROM_REMOTE_NOT_ALLOWED = 11006
    SYSTEM_SPEC_DELETION_ATTEMPT = 12001
    SYSTEM_SPEC_UPDATING_ATTEMPT = 12002


class RequestKind(enum.IntEnum):
    """Which request timed out."""

    PRODUCE = 0


class RuntimeErrorSmartModuleKind(enum.IntEnum):
    """Kind of SmartModule that failed on a record."""

    FILTER = 0
    MAP = 1
    ARRAY_MAP = 2
    AGGREGATE = 3
    FILTER_MAP = 4
    JOIN = 5
    GENERIC = 6


@wire_struct
class ReplicaKey:
    """One replica: a partition of a topic."""

    topic: str
    partition: u32

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"


@wire_struct
class SmartModuleTransformRuntimeError:
    """Where a SmartModule failed."""

    hint: str
    offset: i64
    kind: RuntimeErrorSmartModuleKind
    record_key: varbytes | None
    record_value: varbytes


@wire_struct
class SmartModuleInitRuntimeError:
    """Why a SmartModule's init function failed."""

    hint: str


K = ErrorKind


@wire_choice(
    ErrorKind,
    {
        K.OTHER: (str,),
        K.REQUEST_TIMED_OUT: (u64, RequestKind),
        K.OFFSET_EVICTED: (i64, i64),
        K.PARTITION_FULL: (ReplicaKey,),
        K.OFFSET_FLUSH_REQUEST_ERROR: (str,),
        K.SMARTMODULE_NOT_FOUND: (str,),
        K.SMARTMODULE_INVALID: (str, str | None),
        K.SMARTMODULE_INVALID_EXPORTS: (str, str),
        K.SMARTMODULE_RUNTIME_ERROR: (SmartModuleTransformRuntimeError,),
        K.SMARTMODULE_CHAIN_INIT_ERROR: (str,),
        K.SMARTMODULE_INIT_ERROR: (SmartModuleInitRuntimeError,),
        K.SMARTMODULE_LOOKBACK_ERROR: (str,),
        K.SMARTMODULE_MEMORY_LIMIT_EXCEEDED: (u64, u64),
        K.DERIVED_STREAM_NOT_FOUND: (str,),
        K.DERIVED_STREAM_INVALID: (str,),
        K.DEDUPLICATION_SMARTMODULE_NAME_INVALID: (str,),
        K.SYSTEM_SPEC_DELETION_ATTEMPT: (str, str),
        K.SYSTEM_SPEC_UPDATING_ATTEMPT: (str, str),
    },
    tag_format="h",
)
class ErrorCode(WireChoice):
    """A code with its payload: `ErrorCode(ErrorKind.OFFSET_EVICTED, 0, 7)`."""

    __slots__ = ()

    @property
    def is_ok(self) -> bool:
        """Whether this is the code of success."""
        return bool(self.kind == ErrorKind.NONE)

    @property
    def text(self) -> str:
        """What the code means, payload included, for people."""
        template = _TEXTS.get(self.kind)
        if template is None:
            return str(self.kind.name).lower().replace("_", " ")
        return template.format(*self.payload)


OK = ErrorCode(ErrorKind.NONE)

# Texts as official clients show them, as far as they were seen; ours where none was.
_TEXTS: dict[ErrorKind, str] = {
    K.UNKNOWN_SERVER_ERROR: "an unknown server error occurred",
    K.NONE: "ok",
    K.OFFSET_OUT_OF_RANGE: "offset out of range",
    K.OTHER: "{0}",
    K.NOT_LEADER_FOR_PARTITION: "the given SPU is not the leader for the partition",
    K.REQUEST_TIMED_OUT: "the request '{1.name}' exceeded the timeout {0} ms",
    K.MESSAGE_TOO_LARGE: "the message is too large to send",
    K.PERMISSION_DENIED: "permission denied",
    K.STORAGE_ERROR: "an error occurred on storage",
    K.OFFSET_EVICTED: "Offset {0} is evicted. The next available is {1}",
    K.PARTITION_FULL: "partition {0} is full: the disk has no space left",
    K.PARTITION_SHORT_CIRCUITED: "the partition takes no records after an earlier write failure",
    K.SPU_ERROR: "an error occurred on the SPU",
    K.SPU_REGISTRATION_FAILED: "SPU registration failed",
    K.SPU_OFFLINE: "SPU is offline",
    K.SPU_NOT_FOUND: "SPU not found",
    K.SPU_ALREADY_EXISTS: "SPU already exists",
    K.TOPIC_ERROR: "topic error",
    K.TOPIC_NOT_FOUND: "Topic not found",
    K.TOPIC_ALREADY_EXISTS: "Topic already exists",
    K.TOPIC_PENDING_INITIALIZATION: "topic is not initialised yet",
    K.TOPIC_INVALID_CONFIGURATION: "topic configuration is invalid",
    K.TOPIC_NOT_PROVISIONED: "topic was not provisioned in time",
    K.TOPIC_INVALID_NAME: (
        "Invalid topic name: topic name may only include lowercase letters (a-z), numbers (0-9), "
        "and hyphens (-)."
    ),
    K.TOPIC_DELETED: "the topic was deleted",
    K.TOPIC_INVALID_REPLICA_TYPE: "invalid replica type",
    K.PARTITION_PENDING_INITIALIZATION: "partition is not initialised yet",
    K.PARTITION_NOT_LEADER: "the SPU does not lead the partition",
    K.FETCH_SESSION_NOT_FOUND: "fetch session not found",
    K.OFFSET_FLUSH_REQUEST_ERROR: "flushing the offset failed: {0}",
    K.OFFSET_MANAGEMENT_DISABLED: "offset management is disabled",
    K.MAX_RETRY_REACHED: "max retry attempts reached",
    K.SMARTMODULE_ERROR: "SmartModule error",
    K.SMARTMODULE_NOT_FOUND: "SmartModule {0} was not found",
    K.SMARTMODULE_INVALID: "SmartModule is invalid: {0}",
    K.SMARTMODULE_INVALID_EXPORTS: "SmartModule of kind {1} lacks its exports: {0}",
    K.SMARTMODULE_RUNTIME_ERROR: "SmartModule failed at offset {0.offset}: {0.hint}",
    K.SMARTMODULE_CHAIN_INIT_ERROR: "SmartModule chain could not be initialised: {0}",
    K.SMARTMODULE_INIT_ERROR: "SmartModule init failed: {0.hint}",
    K.SMARTMODULE_LOOKBACK_ERROR: "SmartModule look-back failed: {0}",
    K.SMARTMODULE_MEMORY_LIMIT_EXCEEDED: "SmartModule needs {0} bytes of memory, {1} are allowed",
    K.TABLE_FORMAT_ERROR: "TableFormat error",
    K.TABLE_FORMAT_NOT_FOUND: "TableFormat not found",
    K.TABLE_FORMAT_ALREADY_EXISTS: "TableFormat already exists",
    K.COMPRESSION_ERROR: "the batch's compression is not what the topic demands",
    K.DEDUPLICATION_SMARTMODULE_NOT_LOADED: "the deduplication SmartModule is not loaded",
    K.DEDUPLICATION_SMARTMODULE_NAME_INVALID: "the deduplication SmartModule's name is invalid: {0}",
    K.MIRROR_NOT_FOUND: "Mirror not found",
    K.MIRROR_ALREADY_EXISTS: "Mirror already exists",
    K.MIRROR_PRODUCE_FROM_HOME: "produce from home is not allowed",
    K.MIRROR_DELETE_FROM_REMOTE: "cannot delete mirrored topic from remote",
    K.MIRROR_INVALID_TYPE: "the mirror has another type",
    K.MIRROR_PRODUCE_FROM_REMOTE_NOT_ALLOWED: "produce from remote target is not allowed",
    K.SYSTEM_SPEC_DELETION_ATTEMPT: "system {0} '{1}' can only be deleted forcibly",
    K.SYSTEM_SPEC_UPDATING_ATTEMPT: "system {0} '{1}' cannot be updated",
}


class ApiError(FluvioError):
    """A peer answered with an error code; `code` is that code, the text the peer's own when it sent one."""

    def __init__(self, code: ErrorCode, message: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(message or code.text, hint=hint)
        self.code = code
        if type(self) is ApiError and code.kind.name.endswith("_NOT_FOUND"):
            self.kind = "not-found"

    @property
    def slug(self) -> str:
        """Codes without a class of their own are told apart by the code's name."""
        if type(self) is not ApiError:
            return super().slug
        return str(self.code.kind.name).lower().replace("_", "-")


class TopicNotFoundError(ApiError):
    """No topic of that name."""

    kind = "not-found"


class TopicAlreadyExistsError(ApiError):
    """A topic of that name exists."""


class TopicNotProvisionedError(ApiError):
    """The topic exists, but its partitions did not come online in time."""

    kind = "timed-out"


class InvalidTopicError(ApiError):
    """The topic's name or settings were refused."""


class TopicDeletedError(ApiError):
    """The topic was deleted while it was being read."""

    kind = "not-found"


class NotLeaderError(ApiError):
    """The SPU asked does not lead the partition: look the leader up again."""

    kind = "unhealthy"


class OffsetEvictedError(ApiError):
    """Retention removed the offset; `offset` was asked, `next_available` is there."""

    def __init__(self, code: ErrorCode, message: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(
            code, message, hint=hint or f"start at offset {code.payload[1]}, or use `--beginning`"
        )
        self.offset: int = code.payload[0]
        self.next_available: int = code.payload[1]


class DamagedRecordsError(ApiError):
    """Records `first` up to, not including, `next_readable` of a partition are damaged on the SPU's disk."""

    def __init__(self, code: ErrorCode, message: str | None, found: "re.Match[str]") -> None:
        self.first, last, self.topic, self.partition = (
            int(found[1]),
            int(found[2]),
            found[3],
            int(found[4]),
        )
        self.next_readable = last + 1
        super().__init__(
            code,
            message,
            hint=f"to read what follows, use `--start {self.next_readable}`, and `-p {self.partition}` "
            "where the topic has several partitions",
        )


class RequestTimedOutError(ApiError):
    """Committed records were written but not confirmed in time."""

    kind = "timed-out"


class MessageTooLargeError(ApiError):
    """A batch is larger than the SPU or its segment takes."""

    def __init__(self, code: ErrorCode, message: str | None = None, *, hint: str | None = None) -> None:
        usual = "a batch must fit into a request of 32 MiB and into a segment of its topic (`--segment-size`)"
        super().__init__(code, message, hint=hint or usual)


class PermissionDeniedError(ApiError):
    """The cluster does not allow this."""


class PartitionFullError(ApiError):
    """The SPU's disk is full."""

    def __init__(self, code: ErrorCode, message: str | None = None, *, hint: str | None = None) -> None:
        usual = (
            "free space on the disk of the SPU, or keep records for less time: then it takes more by itself"
        )
        super().__init__(code, message, hint=hint or usual)


class SpuNotFoundError(ApiError):
    """No such SPU."""

    kind = "not-found"


class SpuAlreadyExistsError(ApiError):
    """The SPU's id or name is taken."""


_EXCEPTIONS: dict[ErrorKind, type[ApiError]] = {
    K.TOPIC_NOT_FOUND: TopicNotFoundError,
    K.TOPIC_ALREADY_EXISTS: TopicAlreadyExistsError,
    K.TOPIC_NOT_PROVISIONED: TopicNotProvisionedError,
    K.TOPIC_INVALID_NAME: InvalidTopicError,
    K.TOPIC_INVALID_CONFIGURATION: InvalidTopicError,
    K.TOPIC_ERROR: InvalidTopicError,
    K.TOPIC_DELETED: TopicDeletedError,
    K.NOT_LEADER_FOR_PARTITION: NotLeaderError,
    K.PARTITION_NOT_LEADER: NotLeaderError,
    K.OFFSET_EVICTED: OffsetEvictedError,
    K.REQUEST_TIMED_OUT: RequestTimedOutError,
    K.MESSAGE_TOO_LARGE: MessageTooLargeError,
    K.PERMISSION_DENIED: PermissionDeniedError,
    K.PARTITION_FULL: PartitionFullError,
    K.SPU_NOT_FOUND: SpuNotFoundError,
    K.SPU_ALREADY_EXISTS: SpuAlreadyExistsError,
}


def exception_for(code: ErrorCode, message: str | None = None) -> ApiError:
    """The exception that stands for `code`; `message` is the peer's own text, if it sent one."""
    if code.kind is ErrorKind.OTHER and (found := _DAMAGED.fullmatch(code.text)) is not None:
        return DamagedRecordsError(code, message, found)
    return _EXCEPTIONS.get(code.kind, ApiError)(code, message)


# No number is free for it, so its text is what clients know it by.
_DAMAGED = re.compile(
    r"records (\d+) to (\d+) of (\S+)-(\d+) are damaged on the disk and cannot be read, go on at offset \d+"
)


def damaged(replica: ReplicaKey, start: int, stop: int) -> ErrorCode:
    """The code for records `start` up to, not including, `stop` that are damaged on the disk."""
    return other(
        f"records {start} to {stop - 1} of {replica} are damaged on the disk and cannot be read, "
        f"go on at offset {stop}"
    )


def other(text: str) -> ErrorCode:
    """The code for whatever has no number of its own."""
    return ErrorCode(ErrorKind.OTHER, text)


def code(kind: ErrorKind, *payload: Any) -> ErrorCode:
    """Shorthand for `ErrorCode(kind, *payload)`."""
    return ErrorCode(kind, *payload)
