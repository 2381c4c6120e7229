"""Storage failures as wire error codes: one table."""

from fluvio_local_cluster.storage import (
    DamagedRangeError,
    InvalidBatchError,
    LogClosedError,
    MessageTooLargeError,
    OffsetEvictedError,
    PartitionFullError,
    StorageError,
    StorageSyncError,
)
from fluvio_protocol.api.smartmodule_invocation import PredefinedWasm, SmartModuleInvocation
from fluvio_protocol.error_code import ErrorCode, ErrorKind, ReplicaKey, code, damaged, other


def code_for(error: StorageError, topic: str, partition: int) -> ErrorCode:
    """What a client is told."""
    match error:
        case MessageTooLargeError():
            return code(ErrorKind.MESSAGE_TOO_LARGE)
        case PartitionFullError():
            return code(ErrorKind.PARTITION_FULL, ReplicaKey(topic=topic, partition=partition))
        case StorageSyncError():
            return code(ErrorKind.PARTITION_SHORT_CIRCUITED)
        case OffsetEvictedError():
            return code(ErrorKind.OFFSET_EVICTED, error.offset, error.next_available)
        case DamagedRangeError():
            return damaged(ReplicaKey(topic=topic, partition=partition), error.start, error.stop)
        case LogClosedError():
            return code(ErrorKind.NOT_LEADER_FOR_PARTITION)
        case InvalidBatchError():
            return other(str(error))
    return other(str(error))


def write_code_for(error: StorageError, topic: str, partition: int) -> ErrorCode:
    """What a producer is told: failures without a code of their own are storage errors."""
    found = code_for(error, topic, partition)
    if found.kind is ErrorKind.OTHER and not isinstance(error, InvalidBatchError):
        return code(ErrorKind.STORAGE_ERROR)
    return found


def smartmodule_refusal(invocations: list[SmartModuleInvocation], known: set[str]) -> ErrorCode | None:
    """The code for a request with SmartModules, which are not run yet; None when there are none.

    A code of SmartModules, so that official clients show it as what it is.
    """
    for invocation in invocations:
        wasm = invocation.wasm
        if isinstance(wasm, PredefinedWasm) and wasm.name not in known:
            return code(ErrorKind.SMARTMODULE_NOT_FOUND, wasm.name)
    if invocations:
        return code(ErrorKind.SMARTMODULE_CHAIN_INIT_ERROR, "not supported yet: running SmartModules")
    return None
