"""Open files of all replicas of a process: a bounded set, shared, counted by who uses them.

A thousand replicas must live under a limit of 1,024 descriptors, so none of them owns one. A file that
is in use stays open when it falls out of the set, or when its name is removed, until its last user
releases it: a slice that is being sent can never read from a recycled descriptor.
"""

import logging
import os
import threading
from collections import OrderedDict

from fluvio_local_cluster.storage.errors import NO_DESCRIPTOR
from fluvio_local_cluster.storage.files import Files

_logger = logging.getLogger(__name__)

KEPT_FILES = 256
_FLAGS = os.O_RDWR | os.O_CLOEXEC


class OpenFile:
    """One open descriptor. `fileno()` makes it fit for `loop.sendfile`."""

    __slots__ = ("_owner", "fd", "is_kept", "users")

    def __init__(self, owner: "OpenFiles", fd: int) -> None:
        self._owner = owner
        self.fd = fd
        self.users = 1
        self.is_kept = True  # in the owner's set

    def fileno(self) -> int:
        """The descriptor; good until `release`."""
        return self.fd

    def release(self) -> None:
        """Give up one use; call once for each `acquire`."""
        self._owner._release(self)


class OpenFiles:
    """The set. Safe to use from several threads."""

    def __init__(self, limit: int = KEPT_FILES, files: Files | None = None) -> None:
        """`limit`: descriptors kept open when nobody uses them; those in use come on top."""
        if limit < 1:
            raise ValueError("at least one file must be kept open")
        self.limit = limit
        self.files = files if files is not None else Files()
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, OpenFile] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def acquire(self, path: str) -> OpenFile:
        """The file, opened for reading and writing when it is not open yet. Raises `OSError`."""
        with self._lock:
            file = self._kept.get(path)
            if file is not None:
                self._kept.move_to_end(path)
                file.users += 1
                return file
            file = OpenFile(self, self._open(path))
            self._kept[path] = file
            if len(self._kept) > self.limit:
                self._drop_oldest()
            return file

    def forget(self, path: str) -> None:
        """Stop keeping a file (it was removed, renamed or closed); its users keep theirs."""
        with self._lock:
            file = self._kept.pop(path, None)
            if file is not None:
                self._let_go(file)

    def close(self) -> None:
        """Stop keeping any file."""
        with self._lock:
            while self._kept:
                self._drop_oldest()

    def _open(self, path: str) -> int:
        try:
            return self.files.open(path, _FLAGS)
        except OSError as exc:
            if exc.errno not in NO_DESCRIPTOR or not self._kept:
                raise
            _logger.warning("no descriptor is left, closing files nobody uses, see `ulimit -n` cause=%s", exc)
        for _ in range((len(self._kept) + 1) // 2):  # others in the process need descriptors too
            self._drop_oldest()
        return self.files.open(path, _FLAGS)

    def _drop_oldest(self) -> None:
        self._let_go(self._kept.popitem(last=False)[1])

    def _let_go(self, file: OpenFile) -> None:
        file.is_kept = False
        if not file.users:
            self.files.close(file.fd)

    def _release(self, file: OpenFile) -> None:
        with self._lock:
            file.users -= 1
            if not file.users and not file.is_kept:
                self.files.close(file.fd)
