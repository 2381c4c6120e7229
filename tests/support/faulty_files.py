"""A file layer whose calls can be made to fail, write short, or be recorded."""

import errno
import os
from collections.abc import Callable

from fluvio_local_cluster.storage import Files


def failing(number: int) -> Callable[[], None]:
    """A fault: the call raises `OSError` with this errno."""

    def fail() -> None:
        raise OSError(number, os.strerror(number))

    return fail


NO_SPACE = failing(errno.ENOSPC)
IO_ERROR = failing(errno.EIO)


class FaultyFiles(Files):
    """The real file system until told otherwise.

    `faults[name]` is called before each call of that name and may raise. `space` limits the bytes that
    `pwrite` still takes: a write that does not fit is short, the next one finds the disk full.
    """

    def __init__(self) -> None:
        self.faults: dict[str, Callable[[], None]] = {}
        self.calls: list[tuple[str, object]] = []
        self.space: int | None = None

    def _enter(self, name: str, subject: object) -> None:
        self.calls.append((name, subject))
        fault = self.faults.get(name)
        if fault is not None:
            fault()

    def open(self, path, flags, mode=0o777):
        self._enter("open", str(path))
        return os.open(path, flags, mode)

    def pread(self, fd, size, position):
        self._enter("pread", fd)
        return os.pread(fd, size, position)

    def pwrite(self, fd, data, position):
        self._enter("pwrite", fd)
        if self.space is not None:
            if self.space == 0:
                NO_SPACE()
            data = memoryview(data)[: self.space]
        written = os.pwrite(fd, data, position)
        if self.space is not None:
            self.space -= written
        return written

    def truncate(self, fd, size):
        self._enter("truncate", fd)
        return os.ftruncate(fd, size)

    def fsync(self, fd):
        self._enter("fsync", os.readlink(f"/proc/self/fd/{fd}") if os.path.exists("/proc/self/fd") else fd)
        return os.fsync(fd)

    def utime(self, target, *, ns):
        self._enter("utime", target)
        os.utime(target, ns=ns)

    def unlink(self, path):
        self._enter("unlink", str(path))
        return os.unlink(path)

    def replace(self, source, target):
        self._enter("replace", str(target))
        return os.replace(source, target)
