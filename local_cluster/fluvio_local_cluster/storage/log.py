"""The log of one replica: append, read, sync, clean, checkpoint. Synchronous; methods wait only for the disk.

Files: docs/storage-format.md. The caller decides which thread runs what: an append that does not roll
(`will_roll`) and a read at the end of the log take microseconds; rolling, `sync`, `clean`, `checkpoint_hw`,
`open`, `close` and reads far back wait for the disk and belong into a worker thread. One append runs at a
time; reads, `sync`, `clean` and `checkpoint_hw` may run beside it, in other threads.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fluvio_local_cluster.storage import checkpoint, markers
from fluvio_local_cluster.storage.appending import Appender, check_batches
from fluvio_local_cluster.storage.checking import Checker
from fluvio_local_cluster.storage.cleaning import Cleaning, RemovedSegment, forget_holes, remove_first
from fluvio_local_cluster.storage.errors import (
    LogClosedError,
    OffsetEvictedError,
    OffsetOutOfRangeError,
    StorageReadError,
    write_failure,
)
from fluvio_local_cluster.storage.index import LARGEST
from fluvio_local_cluster.storage.markers import CleanMarker, Hole, ReplicaIdentity
from fluvio_local_cluster.storage.open_files import OpenFiles
from fluvio_local_cluster.storage.opening import Opened, open_directory
from fluvio_local_cluster.storage.progress import STEP_BYTES, End, ProgressKeeper
from fluvio_local_cluster.storage.retention import (
    ClockWatch,
    RetentionPlan,
    RetentionRules,
    plan_retention,
)
from fluvio_local_cluster.storage.segment import SegmentSet
from fluvio_local_cluster.storage.slices import Slice, Slicer
from fluvio_local_cluster.storage.space import DiskSpace
from fluvio_protocol.batch import BatchHeader
from fluvio_protocol.checksum import crc32c
from fluvio_types.defaults import INDEX_INTERVAL_BYTES, MAX_REQUEST_BYTES, SEGMENT_BYTES

_KEEP_ALL = RetentionRules()


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What a log needs to know from outside.

    Replacing `ReplicaLog.settings` takes effect at once for `segment_bytes` and `max_batch_bytes`, the sizes
    that bound appends, and for `retention`; for the rest at the next open.
    """

    segment_bytes: int = SEGMENT_BYTES  # no segment and no batch becomes larger
    index_interval_bytes: int = INDEX_INTERVAL_BYTES
    max_batch_bytes: int = MAX_REQUEST_BYTES
    identity: ReplicaIdentity | None = None  # None: whatever the directory holds is ours
    boot_id: str | None = None  # `markers.read_boot_id()`
    retention: RetentionRules = _KEEP_ALL  # what `clean` removes
    verified_tail_bytes: int = 64 * 1024  # at the end of the log CRCs are checked whatever markers say
    mark_step_bytes: int = STEP_BYTES  # growth after which `checkpoint_hw` makes another mark

    def __post_init__(self) -> None:
        if not 0 < self.segment_bytes <= LARGEST:
            raise ValueError(f"a segment has 1 to {LARGEST} bytes, not {self.segment_bytes}")


@dataclass(slots=True)
class AppendResult:
    """Where the appended records are: `base_offset` up to, not including, `leo`."""

    base_offset: int
    leo: int


class ReplicaLog:
    """See the module. Made by `ReplicaLog.open`; `report` says what opening found."""

    def __init__(
        self,
        directory: Path,
        settings: LogSettings,
        open_files: OpenFiles,
        opened: Opened,
        hw: int,
        clock: Callable[[], float],
        space: DiskSpace | None,
    ) -> None:
        self.directory = directory
        self.settings = settings
        self.report = opened.report
        self._open_files = open_files
        self._files = open_files.files
        self._segments = SegmentSet(directory, opened.segments, list(opened.report.holes), open_files)
        self._appender = Appender(self._segments, settings.index_interval_bytes)
        self._checker = Checker(self._segments, settings.index_interval_bytes, lambda: self._end)
        self._slicer = Slicer(self._segments, self._checker)
        self._progress = ProgressKeeper(self._segments, opened.progress, settings.mark_step_bytes)
        self._space = space
        self._clock = clock
        self._clock_watch = ClockWatch(max(segment.last_append_ms for segment in self._segments))
        self._clean_lock = threading.Lock()  # taken before the append lock
        self._append_lock = threading.Lock()
        self._is_rolling = False  # by `clean`
        self._has_undone = False  # an append since the last sync: a power loss could bring it back
        active = self._segments.active
        self._leo = active.next_offset
        self._end = End(self._leo, active, active.size_bytes)  # what is published
        is_synced = opened.synced_position == active.size_bytes
        self._synced = self._end if is_synced else End(opened.synced_leo, active, opened.synced_position)
        self._hw = hw
        self._checkpointed_hw = opened.checkpointed_hw
        self._size_bytes = sum(segment.size_bytes for segment in self._segments)
        self._is_closed = False

    @classmethod
    def open(
        cls,
        directory: Path,
        settings: LogSettings,
        *,
        open_files: OpenFiles | None = None,
        clock: Callable[[], float] = time.time,
        single_replica: bool = False,
        space: DiskSpace | None = None,
    ) -> "ReplicaLog":
        """Create the directory, or recover what it holds (may read a whole segment or two).

        `open_files` is shared by the logs of a process. `clock`: seconds since 1970. `single_replica`: nobody
        else has the data, so all of it is committed and HW := LEO. `space`: shared by the logs of a disk;
        None: no reserve is kept. Raises `StorageError`; when it does, a directory that holds another replica
        is as it was.
        """
        if open_files is None:
            open_files = OpenFiles()
        opened = open_directory(
            directory,
            identity=settings.identity,
            boot_id=settings.boot_id,
            interval_bytes=settings.index_interval_bytes,
            tail_bytes=settings.verified_tail_bytes,
            files=open_files.files,
            clock=clock,
        )
        hw = opened.segments[-1].next_offset if single_replica else opened.hw
        log = cls(directory, settings, open_files, opened, hw, clock, space)
        if not opened.report.was_clean:
            log._mark_progress()  # what was verified now need not be when the next crash comes at once
        return log

    @property
    def log_start(self) -> int:
        """The first offset that is there."""
        return self._segments.first_offset

    @property
    def leo(self) -> int:
        """Log end offset: the next record gets it."""
        return self._leo

    @property
    def hw(self) -> int:
        """High watermark: where the committed part ends."""
        return self._hw

    @property
    def active_base_offset(self) -> int:
        """Where the segment begins that takes appends; it moves when that is closed and another begun."""
        return self._end.segment.base_offset

    @property
    def size_bytes(self) -> int:
        """Bytes of all batches."""
        return self._size_bytes

    @property
    def holes(self) -> list[Hole]:
        """Damaged ranges that cannot be read, ascending; empty when all is well."""
        return list(self._segments.holes)

    @property
    def synced_leo(self) -> int:
        """Records below this offset are on the disk, whatever happens to the machine."""
        synced, end = self._synced, self._end
        return max(synced.leo, min(end.segment.base_offset, end.leo))

    @property
    def unsynced_bytes(self) -> int:
        """What `sync` would wait for; 0: nothing to be done."""
        synced, end = self._synced, self._end
        return end.position - (synced.position if synced.segment is end.segment else 0)

    @property
    def must_reopen(self) -> bool:
        """Whether an fsync failed: nothing can be appended until the log was closed and opened again."""
        return self._appender.has_failed

    def will_roll(self, size_bytes: int) -> bool:
        """Whether appending so many bytes waits for an fsync: it closes a segment, or one is being closed."""
        active = self._segments.active
        return self._is_rolling or (
            active.size_bytes > 0 and active.size_bytes + size_bytes > self.settings.segment_bytes
        )

    def append(
        self, records: bytearray | memoryview, headers: Sequence[BatchHeader], leader_epoch: int
    ) -> AppendResult:
        """Append all batches of a record set, or none.

        `headers` are those of `batch.split(records)` and must cover `records` wholly. Base offsets and epoch
        are written into `records`, which stays the caller's. Raises `InvalidBatchError`,
        `MessageTooLargeError`, `PartitionFullError`, `StorageWriteError`, `LogClosedError`.
        """
        segment_bytes = self.settings.segment_bytes
        check_batches(records, headers, min(self.settings.max_batch_bytes, segment_bytes))
        if self._space is not None:
            self._space.admit(len(records))
        now_ms = int(self._clock() * 1000)
        with self._append_lock:
            self._check_open()
            base = self._leo
            try:
                leo = self._appender.append(records, headers, base, leader_epoch, segment_bytes, now_ms)
            except BaseException:
                self._has_undone = True
                raise
            active = self._segments.active
            with self._segments.lock:
                self._leo = leo
                self._end = End(leo, active, active.size_bytes)
                self._size_bytes += len(records)
        return AppendResult(base, leo)

    def needs_check(self, start: int, max_bytes: int) -> bool:
        """Whether such a read may have to check megabytes first: then it belongs into a worker thread."""
        return self._slicer.needs_check(start, max_bytes)

    @property
    def has_unchecked(self) -> bool:
        """Whether `check_next` would find something."""
        return self._segments.has_unchecked

    def check_next(self) -> int:
        """Check some of what was not checked yet; returns how many bytes, 0 when there is nothing left.

        Waits for the disk, for 4 MiB at a time. What is damaged is in `holes` then, and read no more. Raises
        `StorageError`.
        """
        self._check_open()
        try:
            return self._checker.check_next()
        except OSError as exc:
            raise StorageReadError(f"checking {self.directory}: {exc.strerror or exc}", exc.errno) from exc

    def doubt_all(self) -> None:
        """Have everything that is there checked (again): by `check_next`, or when it is read."""
        self._checker.doubt_all()

    def read(self, start: int, max_bytes: int, upper_bound: int, *, wait: bool = True) -> Slice | None:
        """Whole batches from the one that contains `start` on, all below `upper_bound`, from one segment.

        At most `max_bytes`, but one batch at least. `upper_bound` is HW or LEO. None when there is nothing
        (yet). The caller releases the slice. Raises `OffsetOutOfRangeError`, `OffsetEvictedError`,
        `DamagedRangeError`, `StorageReadError`, `LogClosedError`. Without `wait` it raises `UncheckedError`
        rather than check what was not checked.
        """
        self._check_open()
        leo = self._leo
        if start > leo:
            raise OffsetOutOfRangeError(start, leo)
        if start < self._segments.first_offset:
            raise OffsetEvictedError(start, self._segments.first_offset)
        upper = min(upper_bound, leo)
        return self._slicer.cut(start, upper, max_bytes, wait=wait) if start < upper else None

    def set_hw(self, hw: int) -> int:
        """Raise the HW, at most to the LEO; it never goes back. Returns the HW."""
        with self._segments.lock:
            self._hw = max(self._hw, min(hw, self._leo))
            return self._hw

    def checkpoint_hw(self) -> bool:
        """Write down how far the log is, so that a crash costs little verifying; call it each second or so.

        The HW goes to `replication.chk` if it changed since the last time, which is what is returned; a log
        that grew much gets a mark. Raises `StorageError`.
        """
        if self._is_closed:
            return False
        hw = self._hw
        is_new = hw != self._checkpointed_hw
        if is_new:
            try:
                checkpoint.write_hw(self.directory, hw, self._files, durable=False)
            except OSError as exc:
                raise write_failure(exc, f"checkpointing {self.directory}") from exc
            self._checkpointed_hw = hw
        self._mark_progress()
        return is_new

    def _mark_progress(self) -> None:
        if self._appender.has_failed:
            return  # what the page cache has may not be true any more
        try:
            self._progress.advance(self._end, self._synced)
        except OSError as exc:
            raise write_failure(exc, f"checkpointing {self.directory}") from exc

    def sync(self) -> int:
        """Wait until all records appended so far are on the disk; returns the LEO up to which they are.

        Appends and reads go on meanwhile. Raises `StorageSyncError`, after which the log takes no appends
        until it was reopened; `StorageWriteError`, with no such consequence, when the file cannot be opened.
        """
        self._check_open()
        self._appender.raise_failure()
        end = self._end
        if end.segment.index is not None and (end is not self._synced or self._has_undone):
            self._has_undone = False
            try:
                self._appender.sync(end.segment)
            except FileNotFoundError:
                if end.segment.index is not None:
                    raise
                # closed, so synced, and removed in the meantime
            except OSError as exc:
                raise write_failure(exc, f"syncing {self.directory}") from exc
        with self._segments.lock:
            if end.leo >= self._synced.leo:
                self._synced = end
        return end.leo

    def plan_retention(
        self, now_s: float, *, keep_from: int | None = None, is_clock_trusted: bool = True
    ) -> RetentionPlan:
        """What `clean` would do at the time `now_s` (seconds since 1970); waits for nothing."""
        keep_from = self._hw if keep_from is None else min(keep_from, self._hw)
        with self._segments.lock:
            facts = [s.facts for s in self._segments.up_to(self._end.segment.base_offset)]
        return plan_retention(
            facts,
            self.settings.retention,
            now_ms=int(now_s * 1000),
            keep_from=keep_from,
            is_clock_trusted=is_clock_trusted,
        )

    def clean(
        self, now_s: float, mono_s: float, *, keep_from: int | None = None, distrust: str | None = None
    ) -> Cleaning:
        """Remove segments that are too old or too many, close an active one that is old. Call it each 10 s.

        `now_s`: seconds since 1970; `mono_s`: of a clock that never jumps, and that counts while the machine
        sleeps if there is such a one; `distrust`: why the caller, who may have watched it for longer, does
        not believe `now_s`. Nothing from `keep_from` (what a follower still reads) or the HW on is removed.
        Raises `StorageError`; `log_start` then says how far it came.
        """
        with self._clean_lock:
            self._check_open()
            distrust = self._clock_watch.distrust(now_s, mono_s, distrust)
            plan = self.plan_retention(now_s, keep_from=keep_from, is_clock_trusted=distrust is None)
            removed = []
            try:
                for _ in range(plan.count):
                    segment = remove_first(self._segments)
                    removed.append(
                        RemovedSegment(segment.base_offset, segment.next_offset, segment.size_bytes)
                    )
                    with self._segments.lock:
                        self._size_bytes -= segment.size_bytes
                if removed:
                    forget_holes(self._segments)
            except OSError as exc:
                raise write_failure(exc, f"cleaning {self.directory}") from exc
            if plan.roll:  # last: on a full disk it fails, and what was removed may have mended that
                self._roll()
            return Cleaning(self.log_start, removed, plan, distrust)

    def _roll(self) -> None:
        """Close the active segment because of its age; appends that come meanwhile find `will_roll` true."""
        self._is_rolling = True
        try:
            self.sync()  # the greater part, while appends still go on
            with self._append_lock:
                self._check_open()
                self._appender.roll(self._leo)
                with self._segments.lock:
                    self._end = End(self._leo, self._segments.active, 0)
        finally:
            self._is_rolling = False

    def close_segment(self, min_bytes: int) -> bool:
        """Close the active segment if it has so many bytes: nothing that is there then ever changes again.

        Checkpoints the HW as well, and says whether it closed. Waits for the disk. Raises `StorageError`.
        """
        with self._clean_lock:
            self._check_open()
            if self._segments.active.size_bytes < max(min_bytes, 1):
                return False
            self._roll()
        self.checkpoint_hw()
        return True

    def close(self) -> None:
        """Make everything durable and leave the `clean` marker, so that the next `open` need not verify.

        Slices in use stay readable. Raises `StorageError` when the disk refuses; the log is closed all the
        same, and the next `open` verifies. Does nothing when closed already.
        """
        with self._clean_lock, self._append_lock:
            if self._is_closed:
                return
            try:
                if self._appender.is_sound:
                    self._leave_clean()
            except OSError as exc:
                raise write_failure(exc, f"closing {self.directory}") from exc
            finally:
                self._let_go()

    def abandon(self) -> None:
        """Close without making anything durable, as before a deletion; the next `open` verifies."""
        with self._clean_lock, self._append_lock:
            if not self._is_closed:
                self._let_go()

    def _leave_clean(self) -> None:
        active = self._segments.active
        assert active.index is not None
        self._appender.sync(active)
        index = active.index.to_bytes()
        with self._segments.index_lock:
            self._files.write_atomically(active.index_path, index, durable=True)
        checkpoint.write_hw(self.directory, self._hw, self._files, durable=True)
        sizes = tuple((segment.base_offset, segment.size_bytes) for segment in self._segments)
        times = (active.first_append_ms, active.max_timestamp_ms)
        marker = CleanMarker(self._leo, self._hw, sizes, *times, crc32c(index))
        markers.write_clean(self.directory, marker, self._files)
        self._synced = self._end

    def _let_go(self) -> None:
        with self._segments.lock:
            self._is_closed = True
            for segment in self._segments:
                self._open_files.forget(segment.path)
                self._open_files.forget(segment.index_path)

    def _check_open(self) -> None:
        if self._is_closed:
            raise LogClosedError(f"{self.directory} is closed")
