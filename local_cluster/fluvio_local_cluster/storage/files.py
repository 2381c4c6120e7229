"""The calls on files that storage makes, in one object so that tests can fail or record any of them.

`Files` adds no cost to the hot calls: `pread` and `pwrite` are the system's own. A test derives from it
and overrides what shall go wrong. Every method raises `OSError`, as the system does.
"""

import errno
import os
import sys
from pathlib import Path

if sys.platform == "darwin":
    import fcntl

    def _fsync(fd: int) -> None:
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)  # the plain one leaves data in the drive's cache
else:
    _fsync = os.fsync

TEMPORARY_SUFFIX = ".tmp"


class Files:
    """The real file system."""

    open = staticmethod(os.open)
    close = staticmethod(os.close)
    pread = staticmethod(os.pread)
    pwrite = staticmethod(os.pwrite)
    truncate = staticmethod(os.ftruncate)
    fsync = staticmethod(_fsync)
    unlink = staticmethod(os.unlink)
    replace = staticmethod(os.replace)
    listdir = staticmethod(os.listdir)
    mkdir = staticmethod(os.mkdir)
    utime = staticmethod(os.utime)

    def size(self, path: str | Path) -> int | None:
        """Bytes of a file, or None when there is none."""
        try:
            return os.stat(path).st_size
        except FileNotFoundError:
            return None

    def facts(self, path: str | Path) -> tuple[int, int] | None:
        """Size in bytes and time of the last change (ms since 1970) of a file, or None when there is none."""
        try:
            found = os.stat(path)
        except FileNotFoundError:
            return None
        return found.st_size, found.st_mtime_ns // 1_000_000

    def disk_space(self, path: str | Path) -> tuple[int, int]:
        """Free bytes, as far as this user may take them, and bytes in all of a file system."""
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize

    def sync_directory(self, path: str | Path) -> None:
        """Make creations and removals in a directory survive a power loss."""
        fd = self.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.fsync(fd)
        finally:
            self.close(fd)

    def make_directories(self, path: Path) -> bool:
        """Create a directory and its missing parents durably; False when it was there."""
        if path.is_dir():
            return False
        if path.parent != path:
            self.make_directories(path.parent)
        try:
            self.mkdir(path)
        except FileExistsError:
            return False
        self.sync_directory(path.parent)
        return True

    def read(self, path: str | Path) -> bytes | None:
        """The whole of a small file, or None when there is none."""
        try:
            fd = self.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            parts: list[bytes] = []
            position = 0
            while part := self.pread(fd, 1 << 20, position):
                parts.append(part)
                position += len(part)
            return b"".join(parts)
        finally:
            self.close(fd)

    def write_all(self, fd: int, data: bytes | bytearray | memoryview, position: int) -> None:
        """Write every byte of `data` at `position`; a short write is continued, so that its cause shows."""
        written = self.pwrite(fd, data, position)
        if written == len(data):
            return
        view = memoryview(data)
        while written < len(data):
            more = self.pwrite(fd, view[written:], position + written)
            if more == 0:
                raise OSError(errno.EIO, "the system wrote nothing")
            written += more

    def write_new(
        self, path: str | Path, data: bytes, *, durable: bool, changed_ms: int | None = None
    ) -> None:
        """Create or empty a file and fill it; `durable` waits until its bytes are on the disk.

        `changed_ms` is given to the file as the time of its last change (ms since 1970).
        """
        fd = self.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            if data:
                self.write_all(fd, data, 0)
            if changed_ms is not None:
                self.utime(fd, ns=(changed_ms * 1_000_000, changed_ms * 1_000_000))
            if durable:
                self.fsync(fd)
        finally:
            self.close(fd)

    def write_atomically(self, path: str | Path, data: bytes, *, durable: bool) -> None:
        """Replace a file so that a reader, also one after a crash, sees the old bytes or the new.

        `durable` waits until the bytes are on the disk; the caller syncs the directory when the
        name must be, too.
        """
        temporary = f"{path}{TEMPORARY_SUFFIX}"
        self.write_new(temporary, data, durable=durable)
        self.replace(temporary, path)

    def remove_if_there(self, path: str | Path) -> bool:
        """Unlink; False when there was no such file."""
        try:
            self.unlink(path)
        except FileNotFoundError:
            return False
        return True
