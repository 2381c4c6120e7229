"""One operation on a data directory at a time: an advisory lock on `<data>/lock`, held by a command.

The file holds the pid of the command, so that whoever comes second can name it; in the moment between
the lock and the pid it cannot. The system lets go of the lock when the command ends, however it ends;
servers do not inherit it.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fluvio_local_cluster.lifecycle.errors import ClusterBusyError
from fluvio_local_cluster.lifecycle.processes import identify

LOCK_FILE = "lock"


@contextmanager
def data_directory_lock(data_dir: Path) -> Iterator[None]:
    """Hold the lock of `data_dir`, which must be there; raises `ClusterBusyError` when it is taken."""
    path = data_dir / LOCK_FILE
    descriptor = _acquire(path, data_dir)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.ftruncate(descriptor, 0)  # the next holder is not to be taken for this one
        os.close(descriptor)


def is_locked(data_dir: Path) -> bool:
    """Whether a command is at work on `data_dir` at this moment."""
    try:
        descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR)
    except OSError:
        return False  # nobody has locked it yet, or the directory is gone
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


def _acquire(path: Path, data_dir: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            is_ours = try_lock(descriptor)
        except OSError:
            os.close(descriptor)
            raise
        if not is_ours:
            pid = _holder(descriptor)
            os.close(descriptor)
            raise ClusterBusyError(data_dir, pid)
        if is_still_at(descriptor, path):
            return descriptor
        os.close(descriptor)  # whoever held it removed the file: lock the new one


def try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed; False when somebody else has locked it. Raises `OSError`."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True


def is_still_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is the one at `path`, and not one that was removed or replaced since."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _holder(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    pid = int(text) if text.isdigit() else None
    return None if pid is None or identify(pid) is None else pid  # else of a holder that was killed
