"""A disk that remembers which writes were synced, and can be left as a power loss would leave it.

Every call goes to the real file system and is noted. `fail_after` cuts the run short at any call that changes
something; `leave_as_after_power_loss` then builds a directory in which everything synced is there, and of the
rest any part, in any order: writes missing, torn or swapped, names missing or reappeared, files longer with
zeros. Model: a file's bytes are safe after an fsync of the file, its name after one of the directory; a
rename is atomic.
"""

import errno
import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fluvio_local_cluster.storage import Files


class PowerLossError(BaseException):
    """The power went: nothing after this reaches the disk. Not an `Exception`: nobody handles it."""


@dataclass(slots=True)
class _Inode:
    synced: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)  # (position, bytes) or (size, None)


def _apply(content: bytearray, position: int, data: bytes | None) -> None:
    if data is None:
        if len(content) > position:
            del content[position:]
        else:
            content.extend(bytes(position - len(content)))
        return
    if len(content) < position:
        content.extend(bytes(position - len(content)))
    content[position : position + len(data)] = data


class RecordedDisk(Files):
    """The real file system below one directory, with a memory; see the module."""

    def __init__(self, root: Path) -> None:
        """`root` holds what is on the disk already."""
        self._root = root
        self._names: dict[str, _Inode] = {}
        self._synced_names: dict[str, _Inode] = {}
        self._pending_names: dict[str, list[tuple[str, str, _Inode | None]]] = {}  # by directory
        self._descriptors: dict[int, _Inode | str] = {}
        self.calls_left: int | None = None  # so many changes are still made
        self.is_off = False
        self.failing_syncs = 0  # so many file syncs from now on fail and lose what they should have covered
        self.refused_write: int | None = (
            None  # so many writes from now on succeed, then one finds the disk full
        )
        self.changes = 0
        for directory, _, names in os.walk(root):
            for name in names:
                path = os.path.join(directory, name)
                self._names[path] = self._synced_names[path] = _Inode(bytearray(Path(path).read_bytes()))

    def _change(self) -> None:
        if self.is_off or self.calls_left == 0:
            self.is_off = True
            raise PowerLossError
        if self.calls_left is not None:
            self.calls_left -= 1
        self.changes += 1

    def _note_name(self, path: str, kind: str, inode: _Inode | None) -> None:
        self._pending_names.setdefault(os.path.dirname(path), []).append((kind, path, inode))

    def open(self, path, flags, mode=0o777):
        path = str(path)
        if os.path.isdir(path):
            fd = os.open(path, flags, mode)
            self._descriptors[fd] = path
            return fd
        inode = self._names.get(path)
        if inode is None and flags & os.O_CREAT:
            self._change()
            inode = self._names[path] = _Inode()
            self._note_name(path, "link", inode)
        elif flags & os.O_TRUNC:
            self._change()
            inode.pending.append((0, None))
        fd = os.open(path, flags, mode)
        self._descriptors[fd] = inode
        return fd

    def pwrite(self, fd, data, position):
        self._change()
        if self.refused_write is not None:
            self.refused_write -= 1
            if self.refused_write < 0:
                self.refused_write = None
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._descriptors[fd].pending.append((position, bytes(data)))
        return os.pwrite(fd, data, position)

    def truncate(self, fd, size):
        self._change()
        self._descriptors[fd].pending.append((size, None))
        os.ftruncate(fd, size)

    def fsync(self, fd):
        self._change()
        subject = self._descriptors[fd]
        if isinstance(subject, str):
            for change in self._pending_names.pop(subject, ()):
                self._settle(self._synced_names, change)
            return
        if self.failing_syncs:
            self.failing_syncs -= 1
            subject.pending.clear()  # the system drops the pages, and readers still see them
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        for position, data in subject.pending:
            _apply(subject.synced, position, data)
        subject.pending.clear()

    def unlink(self, path):
        self._change()
        os.unlink(path)
        del self._names[str(path)]
        self._note_name(str(path), "unlink", None)

    def replace(self, source, target):
        self._change()
        os.replace(source, target)
        inode = self._names[str(target)] = self._names.pop(str(source))
        self._note_name(str(target), f"rename {source}", inode)

    @staticmethod
    def _settle(names: dict[str, _Inode], change: tuple[str, str, _Inode | None]) -> None:
        kind, path, inode = change
        if inode is None:
            names.pop(path, None)
            return
        names[path] = inode
        if kind.startswith("rename "):
            names.pop(kind.removeprefix("rename "), None)

    def leave_as_after_power_loss(self, rng: random.Random | None, target: Path) -> None:
        """Write into `target`, which must not exist, what a power loss now could leave of the root.

        Without `rng` nothing is left that was not synced.
        """
        names = dict(self._synced_names)
        for changes in self._pending_names.values():
            for change in _some(rng, changes):
                self._settle(names, change)
        target.mkdir()
        for path, inode in names.items():
            content = bytearray(inode.synced)
            for position, data in _some(rng, inode.pending):
                if data and rng is not None and rng.random() < 0.3:  # torn
                    start = rng.randrange(len(data))
                    stop = rng.randrange(start, len(data)) + 1
                    position, data = position + start, data[start:stop]
                _apply(content, position, data)
            place = target / Path(path).relative_to(self._root)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


class SharedDisk(RecordedDisk):
    """A recorded disk for a program with several threads, which does not notice that the power has gone.

    From then on its calls work as ever, but nothing of what they do counts: what was answered while `is_off`
    was false was answered before. `on_off` is called at that moment, in whatever thread; nothing changes
    meanwhile. `on_sync` is called after each fsync.
    """

    def __init__(self, root: Path, on_off: Callable[[], None], on_sync: Callable[[], None]) -> None:
        super().__init__(root)
        self._lock = threading.RLock()
        self._on_off, self._on_sync = on_off, on_sync

    def is_synced(self, directory: str) -> bool:
        """Whether no byte of a segment in a directory of that name would be lost now."""
        with self._lock:
            return not any(
                inode.pending
                for path, inode in self._names.items()
                if f"/{directory}/" in path and path.endswith(".log")
            )

    def switch_off(self) -> None:
        """The power goes now."""
        with self._lock:
            if not self.is_off:
                self._on_off()
                self.is_off = True

    def _counts(self) -> bool:
        """Whether the call that is about to be made still happens, for the disk."""
        if self.calls_left == 0:
            self.switch_off()
        return not self.is_off

    def open(self, path, flags, mode=0o777):
        with self._lock:
            return super().open(path, flags, mode) if self._counts() else os.open(path, flags, mode)

    def pwrite(self, fd, data, position):
        with self._lock:
            if self._counts():
                return super().pwrite(fd, data, position)
        return os.pwrite(fd, data, position)

    def truncate(self, fd, size):
        with self._lock:
            return super().truncate(fd, size) if self._counts() else os.ftruncate(fd, size)

    def fsync(self, fd):
        with self._lock:
            if self._counts():
                super().fsync(fd)
        self._on_sync()

    def unlink(self, path):
        with self._lock:
            return super().unlink(path) if self._counts() else os.unlink(path)

    def replace(self, source, target):
        with self._lock:
            return super().replace(source, target) if self._counts() else os.replace(source, target)


def _some(rng: random.Random | None, items):
    """None of them, all, the first few, any, or any in any order."""
    if rng is None:
        return []
    kind = rng.randrange(5)
    if kind == 0:
        return []
    if kind == 1:
        return list(items)
    if kind == 2:
        return list(items)[: rng.randint(0, len(items))]
    chosen = [item for item in items if rng.random() < 0.5]
    if kind == 4:
        rng.shuffle(chosen)
    return chosen
