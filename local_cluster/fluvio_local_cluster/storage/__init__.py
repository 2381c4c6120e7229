"""The segmented log of one replica, on disk: append, read, recover. No sockets, no tasks.

`log.ReplicaLog` is what the SPU uses. Behind it: `opening` (what a directory holds, repairs) over
`verifying` (how much of it is looked at) and `recovery` (what bytes are worth, pure); `appending` (all or
nothing); `slices` (what a reader gets) over `reading` (finding whole batches, pure) and `checking` (rot);
`retention` (what is too old, pure) and `cleaning` (its removal); `segment` and `index` (what is known of a
file); `open_files` (a bounded set of descriptors for all replicas); `checkpoint`, `progress` and `markers`
(the small files); `layout` (names); `removal` (deletion); `files` (the calls on files, replaceable in
tests). Beside it, for the SPU: `syncing` (when an fsync is due, pure) and `space` (a reserve of the disk).
Formats and rules: docs/storage-format.md; what survives what: docs/durability.md.
"""

from fluvio_local_cluster.storage.cleaning import Cleaning, RemovedSegment
from fluvio_local_cluster.storage.errors import (
    DamagedRangeError,
    InvalidBatchError,
    InvalidSyncPolicyError,
    LogClosedError,
    MessageTooLargeError,
    OffsetEvictedError,
    OffsetOutOfRangeError,
    PartitionFullError,
    ReplicaMismatchError,
    StorageError,
    StorageReadError,
    StorageSyncError,
    StorageWriteError,
    UncheckedError,
    UnsupportedFormatError,
)
from fluvio_local_cluster.storage.files import Files
from fluvio_local_cluster.storage.layout import replica_directory
from fluvio_local_cluster.storage.log import AppendResult, LogSettings, ReplicaLog
from fluvio_local_cluster.storage.markers import Hole, ReplicaIdentity, read_boot_id
from fluvio_local_cluster.storage.open_files import OpenFiles
from fluvio_local_cluster.storage.recovery import RecoveryReport, TornTail
from fluvio_local_cluster.storage.removal import purge_trash, remove
from fluvio_local_cluster.storage.retention import RetentionPlan, RetentionRules
from fluvio_local_cluster.storage.slices import Slice
from fluvio_local_cluster.storage.space import DiskSpace, SpaceReserve
from fluvio_local_cluster.storage.syncing import GroupCommit, SyncMode, SyncPolicy

__all__ = [
    "AppendResult",
    "Cleaning",
    "RemovedSegment",
    "DiskSpace",
    "SpaceReserve",
    "GroupCommit",
    "SyncMode",
    "SyncPolicy",
    "RetentionPlan",
    "RetentionRules",
    "LogSettings",
    "OpenFiles",
    "ReplicaIdentity",
    "ReplicaLog",
    "Slice",
    "Files",
    "read_boot_id",
    "replica_directory",
    "purge_trash",
    "remove",
    "Hole",
    "RecoveryReport",
    "TornTail",
    "DamagedRangeError",
    "InvalidBatchError",
    "InvalidSyncPolicyError",
    "LogClosedError",
    "MessageTooLargeError",
    "OffsetEvictedError",
    "OffsetOutOfRangeError",
    "PartitionFullError",
    "ReplicaMismatchError",
    "StorageError",
    "StorageReadError",
    "StorageSyncError",
    "StorageWriteError",
    "UncheckedError",
    "UnsupportedFormatError",
]
