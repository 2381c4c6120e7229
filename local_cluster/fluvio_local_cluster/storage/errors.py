"""Every expected failure of storage. The SPU's handlers turn them into wire error codes."""

import errno
from pathlib import Path

from fluvio_types.errors import FluvioError

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE})


class StorageError(FluvioError):
    """Root of what storage raises."""


class InvalidSyncPolicyError(StorageError):
    """What was given as a durability policy is none."""

    def __init__(self, text: str) -> None:
        super().__init__(f"`{text}` is not a durability policy")
        self.text = text
        self.hint = "use `never`, `always`, or `interval:MS` with a number of milliseconds from 1 on"


class InvalidBatchError(StorageError):
    """A batch that was to be appended is empty, damaged or of an unknown codec; nothing was written."""


class MessageTooLargeError(StorageError):
    """A batch is larger than a request or a segment may be; nothing was written."""

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"a batch of {size_bytes} bytes is larger than the limit of {limit_bytes} bytes")
        self.size_bytes, self.limit_bytes = size_bytes, limit_bytes


class PartitionFullError(StorageError):
    """The disk (or quota) is full; nothing was written and the next append may work again."""


class StorageWriteError(StorageError):
    """A write failed; the log ends where it ended before. `errno` is the system's number."""

    def __init__(self, message: str, number: int | None) -> None:
        super().__init__(message)
        self.errno = number


class StorageSyncError(StorageWriteError):
    """An fsync failed, what it should have covered may be lost. The log must be reopened to take appends."""


class StorageReadError(StorageError):
    """A read failed. `errno` is the system's number, None when the file is shorter than it was."""

    def __init__(self, message: str, number: int | None) -> None:
        super().__init__(message)
        self.errno = number


class OffsetOutOfRangeError(StorageError):
    """The offset asked for lies after the log's end."""

    def __init__(self, offset: int, leo: int) -> None:
        super().__init__(f"start offset: {offset} is greater than leo: {leo}")
        self.offset, self.leo = offset, leo


class OffsetEvictedError(StorageError):
    """The offset asked for has been removed by retention."""

    def __init__(self, offset: int, next_available: int) -> None:
        super().__init__(f"offset {offset} was evicted, the log now starts at {next_available}")
        self.offset, self.next_available = offset, next_available
        self.hint = f"start at offset {next_available}, or use `--beginning`"


class DamagedRangeError(StorageError):
    """The offset asked for lies in a damaged part of the log: from `start` up to, not including, `stop`."""

    def __init__(self, offset: int, start: int, stop: int) -> None:
        super().__init__(f"offset {offset} cannot be read: offsets {start} to {stop - 1} are damaged on disk")
        self.offset, self.start, self.stop = offset, start, stop
        self.hint = f"continue at offset {stop}"


class UncheckedError(StorageError):
    """Something must be looked at before it can be read, which takes time. Only for who asked not to wait."""


class ReplicaMismatchError(StorageError):
    """The directory holds another replica (another cluster, topic incarnation or partition) than expected."""

    def __init__(self, directory: Path, found: str, expected: str) -> None:
        super().__init__(f"{directory} holds {found}, not {expected}")
        self.directory, self.found, self.expected = directory, found, expected


class UnsupportedFormatError(StorageError):
    """The directory was written by a later version in a format that this one does not know."""


class LogClosedError(StorageError):
    """The log was closed."""


def write_failure(exc: OSError, doing: str) -> StorageError:
    """The error that stands for a failed write of any kind (but not fsync)."""
    if exc.errno in _NO_SPACE:
        return PartitionFullError(f"{doing}: {exc.strerror}", hint="free disk space, then try again")
    return StorageWriteError(f"{doing}: {cause_of(exc)}", exc.errno)


def cause_of(exc: OSError) -> str:
    """What the system says, and what can be done about it."""
    if exc.errno in NO_DESCRIPTOR:
        return f"{exc.strerror}, raise the server's limit with `ulimit -n` and start it again"
    return exc.strerror or str(exc)


def is_no_space(exc: OSError) -> bool:
    """Whether the disk or the quota is full."""
    return exc.errno in _NO_SPACE
