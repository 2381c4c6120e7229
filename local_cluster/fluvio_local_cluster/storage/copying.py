"""Copies the directory of a replica, which may be in use, to another place.

What never changes again is shared by hard links where the file system has them, the rest is copied:

* **Linked**: closed segments, and their indexes, that end at or before the checkpointed HW. Below the HW a
  log is never taken back, its segments are synced and only ever unlinked; their indexes are replaced, not
  written over. So no opening, append, roll, retention or repair, on either side, writes into a shared file.
* **Copied**: the active segment, up to its last whole batch as it is then, and closed segments that the
  checkpoint does not cover yet: an append that fails may cut them. They get their times, by which retention
  goes. The small files are replaced whole by who writes them, so they are read whole.
* **Left out**: `clean`, `boot` and `suspect`, which speak of a life that the copy has not had; saved tails.

The copy gets a `progress` record instead, made of the source's own marks or of its `clean` marker: so opening
verifies what lies behind a place that was known to be good, and 64 KiB before it, as after a crash. The
mark is *durable* only if the copy is synced; else it holds while this machine runs, as the page cache does.
Nothing is synced here: thousands of small files are synced much faster all at once (`CopyTotals.unsynced`).

Order: first the marks and the checkpoint (they may then be older than the files, never newer), then segments
from the newest to the oldest, since retention removes the oldest first: what is missing then is a prefix.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from fluvio_local_cluster.storage import checkpoint, layout, markers, progress, recovery
from fluvio_local_cluster.storage.files import Files
from fluvio_local_cluster.storage.index import ENTRY_BYTES
from fluvio_local_cluster.storage.progress import Mark, Progress
from fluvio_local_cluster.storage.verifying import SegmentReader

CHUNK_BYTES = 32 * 1024 * 1024  # between two calls of `advance`
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EACCES)
_NO_RANGE = (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EBADF)


@dataclass(slots=True)
class CopyTotals:
    """Bytes that two directories share, bytes that were copied, and what is not on the disk yet."""

    linked_bytes: int = 0
    copied_bytes: int = 0
    unsynced: list[Path] = field(default_factory=list)  # files and directories, for the caller to sync


@dataclass(slots=True, frozen=True)
class CopySettings:
    """How replicas are copied. `boot_id`: of the machine as it runs; None: unknown."""

    boot_id: str | None
    is_at_rest: bool  # nobody has the source open, nor will as long as the copying goes on
    is_durable: bool  # also the active segment's bytes are to be synced; the rest is in any case
    cluster_id: str | None = None  # whose the copy shall be; None: whose the source is
    advance: Callable[[int], None] = lambda _: None  # told bytes that were copied; may raise, to end it


def copy_replica(
    source: Path, target: Path, settings: CopySettings, totals: CopyTotals, files: Files | None = None
) -> bool:
    """Copy the replica in `source` to `target`, which must not be there; adds to `totals`.

    The copy may be used, and may count as one, when all of `totals.unsynced` was synced, in any order.
    False, and nothing is left, when the source went away or was replaced meanwhile. Raises `OSError`, and
    what `settings.advance` does: then `target` is whatever it had become.
    """
    try:
        identity = os.stat(source)
        target.mkdir()
        _Copying(source, target, settings, totals, files or Files()).run()
        if os.path.samestat(identity, os.stat(source)):
            return True
    except FileNotFoundError:
        pass
    import shutil

    shutil.rmtree(target, ignore_errors=True)
    return False


class _Copying:
    """One `copy_replica` call."""

    def __init__(
        self, source: Path, target: Path, settings: CopySettings, totals: CopyTotals, files: Files
    ) -> None:
        self.source, self.target = source, target
        self.settings, self.totals, self.files = settings, totals, files

    def run(self) -> None:
        mark = self._mark()
        hw = checkpoint.read_hw(self.source, self.files)
        is_suspect = (self.source / layout.SUSPECT_FILE).exists()  # pages may differ from the disk
        for name in (layout.HW_FILE, layout.DAMAGE_FILE):
            self._copy_small(name)
        self._copy_identity()
        bases = sorted(
            base
            for name in self.files.listdir(str(self.source))
            if (base := layout.base_offset_of(name, layout.LOG_SUFFIX)) is not None
        )
        if bases:
            self._copy_active(bases[-1], mark)
        for base, end in reversed(list(pairwise(bases))):
            if not self._take_closed(base, may_link=end <= (hw or 0) and not is_suspect):
                break
        if mark is not None and (self.settings.is_durable or self.settings.boot_id is not None):
            held = Progress(None, durable=mark) if self.settings.is_durable else None
            held = held or Progress(self.settings.boot_id, volatile=mark)
            progress.write_progress(self.target, held, self.files, durable=False)
            self._sync(self.target / layout.PROGRESS_FILE)
        self._sync(self.target)

    def _mark(self) -> Mark | None:
        """The furthest place of the log that is known to be good."""
        if self.settings.is_at_rest and (mark := self._mark_of_shutdown()) is not None:
            return mark
        known = progress.read_progress(self.source, self.files)
        marks = [known.durable]
        if self.settings.boot_id is not None and known.boot_id == self.settings.boot_id:
            marks.append(known.volatile)
        if (self.source / layout.SUSPECT_FILE).exists():
            marks = [known.durable]
        found = [mark for mark in marks if mark is not None]
        return max(found, key=lambda mark: (mark.base_offset, mark.position), default=None)

    def _mark_of_shutdown(self) -> Mark | None:
        """The `clean` marker as a mark at the end of the log."""
        clean = markers.read_clean(self.source, self.files)
        if clean is None or not clean.segments or clean.index_crc is None:
            return None
        base_offset, size_bytes = clean.segments[-1]
        index = self.files.read(self.source / layout.index_name(base_offset)) or b""
        first_ms, newest_ms = clean.first_append_ms or 0, clean.max_timestamp_ms or 0
        return Mark(
            base_offset,
            size_bytes,
            clean.leo,
            len(index) // ENTRY_BYTES,
            clean.index_crc,
            first_ms,
            newest_ms,
        )

    def _copy_small(self, name: str) -> None:
        data = self.files.read(self.source / name)
        if data is not None:
            self._count(len(data))
            self.files.write_new(self.target / name, data, durable=False)
            self._sync(self.target / name)

    def _copy_identity(self) -> None:
        identity = markers.read_identity(self.source, self.files)
        if identity is None:
            return  # of a directory that was taken over and never opened here
        if self.settings.cluster_id is not None:
            identity = replace(identity, cluster=self.settings.cluster_id)
        markers.write_identity(self.target, identity, self.files, durable=False)
        self._sync(self.target / layout.META_FILE)

    def _copy_active(self, base_offset: int, mark: Mark | None) -> None:
        name, index_name = layout.log_name(base_offset), layout.index_name(base_offset)
        size_bytes = self._copy_file(name, durable=False)
        if (self.source / index_name).exists():
            self._copy_file(index_name, durable=self.settings.is_durable)
        path = self.target / name
        if not self.settings.is_at_rest:  # a batch may have been half written; at rest recovery shall tell
            position, offset = 0, base_offset
            if mark is not None and mark.base_offset == base_offset and mark.position <= size_bytes:
                position, offset = mark.position, mark.next_offset
            with SegmentReader(str(path), self.files) as read:
                end = recovery.scan(read, position=position, stop=size_bytes, offset=offset, check_crc=False)
            if end.position < size_bytes:
                os.truncate(path, end.position)
                self._set_times(name, self.source / name)
        if self.settings.is_durable:
            self._sync(path)

    def _take_closed(self, base_offset: int, *, may_link: bool) -> bool:
        """Link or copy a closed segment and its index; False, with nothing left, if it is being removed."""
        names = layout.log_name(base_offset), layout.index_name(base_offset)
        try:
            for name in names:
                if not (may_link and self._link(name)):
                    self._copy_file(name, durable=True)
        except FileNotFoundError:
            if not (self.source / names[0]).exists():
                for name in names:
                    self.files.remove_if_there(self.target / name)
                return False
        return True  # a lost index is made anew when the copy is opened

    def _link(self, name: str) -> bool:
        try:
            os.link(self.source / name, self.target / name)
        except OSError as exc:
            if exc.errno in _NO_LINK:
                return False
            raise
        self.totals.linked_bytes += os.stat(self.target / name).st_size
        self.settings.advance(0)
        return True

    def _copy_file(self, name: str, *, durable: bool) -> int:
        """Copy a file as long as it is now, with its times; returns how many bytes that are."""
        size_bytes = copy_file(self.source / name, self.target / name, self._count)
        self._set_times(name, self.source / name)
        if durable:
            self._sync(self.target / name)
        return size_bytes

    def _set_times(self, name: str, like: Path) -> None:
        found = os.stat(like)
        self.files.utime(self.target / name, ns=(found.st_mtime_ns, found.st_mtime_ns))

    def _sync(self, path: Path) -> None:
        self.totals.unsynced.append(path)

    def _count(self, size_bytes: int) -> None:
        self.totals.copied_bytes += size_bytes
        self.settings.advance(size_bytes)


def copy_file(source: Path, target: Path, advance: Callable[[int], None]) -> int:
    """Copy a file as long as it is at the beginning of the call; returns its size in bytes.

    The system copies where it can, without the bytes passing through here, and shares blocks where the file
    system can. `advance` is told each piece.
    """
    with open(source, "rb", buffering=0) as reader, open(target, "xb", buffering=0) as writer:
        size_bytes = os.fstat(reader.fileno()).st_size
        done = 0
        while done < size_bytes:
            count = _copy_piece(reader.fileno(), writer.fileno(), done, min(CHUNK_BYTES, size_bytes - done))
            if not count:
                break  # it was cut meanwhile
            done += count
            advance(count)
        return done


def _copy_piece(reader: int, writer: int, position: int, count: int) -> int:
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(reader, writer, count, position, position)
        except OSError as exc:
            if exc.errno not in _NO_RANGE:
                raise
    data = os.pread(reader, min(count, 1 << 20), position)
    return os.pwrite(writer, data, position) if data else 0
