"""The JSON socket: whoever connects gets one JSON object with the SPU's traffic, and is hung up on.

The object is upstream's (`SpuMetrics.as_document`). Upstream has one fixed path for all SPUs of a machine;
here each SPU has its own, beside its records, and one more where the environment names it. A socket file
of a killed SPU is replaced, one that somebody listens at never. Nothing here keeps an SPU from starting.
"""

import asyncio
import errno
import logging
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

_logger = logging.getLogger(__name__)

VARIABLE = "FLUVIO_METRIC_SPU"  # path of a further socket
_BACKLOG = 16
_TRIES = 4  # others may come and go meanwhile


class PathTakenError(OSError):
    """Somebody listens there, or it is no socket."""


def default_path(log_base_dir: Path, spu_id: int) -> Path:
    """Where the socket of an SPU is."""
    return log_base_dir / f"spu-{spu_id}.sock"


def make_directory(path: Path) -> None:
    """Make the directory for a socket; when it cannot be made, `MetricSockets.open` says why."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        _logger.debug("no directory for a socket path=%s cause=%s", path, exc)


class MetricSockets:
    """Listens at several paths. `read` gives the JSON text."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._open: list[tuple[asyncio.Server, Path, os.stat_result]] = []

    @property
    def paths(self) -> list[Path]:
        """Where it listens."""
        return [path for _, path, _ in self._open]

    async def open(self, path: Path) -> None:
        """Listen at `path`, too. When that cannot be, it is logged and that is all."""
        try:
            listener, made = listen(path)
            loop = asyncio.get_running_loop()
            server = await loop.create_unix_server(lambda: _Teller(self._read), sock=listener)
        except OSError as exc:
            cause = exc.strerror or str(exc)
            _logger.warning("no metrics are told there path=%s cause=%s", path, cause)
            return
        self._open.append((server, path, made))
        _logger.info("metrics are told as JSON path=%s", path)

    def close(self) -> None:
        """Listen no more, and remove the files that are still ours."""
        for server, path, made in self._open:
            server.close()
            try:
                if os.path.samestat(path.lstat(), made):
                    path.unlink()
            except OSError as exc:
                _logger.debug("a socket file is left path=%s cause=%s", path, exc)
        self._open.clear()


class _Teller(asyncio.Protocol):
    """One connection."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the transport. The few bytes fit into the system's buffer: nobody waits for the peer."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._read())
        if transport.get_write_buffer_size():
            transport.abort()
        else:
            transport.close()


def listen(path: Path) -> tuple[socket.socket, os.stat_result]:
    """A socket that listens at `path`, for its owner only, and its file. Raises `OSError`, `PathTakenError`.

    It is made under another name and then linked to `path`, which fails when there is something: so whatever
    is there listens already, unless it is dead.
    """
    aside = path.with_name(f".{os.getpid()}")
    listener = _listener(aside)
    try:
        for _ in range(_TRIES):
            try:
                os.link(aside, path)
            except FileExistsError:
                _remove_dead(path)
            else:
                return listener, aside.stat()
        raise PathTakenError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    except BaseException:
        listener.close()
        raise
    finally:
        aside.unlink(missing_ok=True)


def _listener(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)  # of an earlier process of this number
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        listener.bind(str(path))
        os.chmod(path, 0o600)  # before it listens, so nobody comes through before
        listener.listen(_BACKLOG)
    except OSError as exc:
        listener.close()
        if exc.errno is None:  # the only such case; Python's own words do not say how long
            raise OSError(
                errno.ENAMETOOLONG,
                f"paths of sockets have about 100 bytes at most; {VARIABLE} may name a shorter one",
            ) from exc
        raise
    return listener


def _remove_dead(path: Path) -> None:
    """Remove the socket at `path` if nobody listens. Raises `PathTakenError`, `OSError`.

    It is moved away first and looked at again: another SPU may have put its own there a moment ago, which is
    then put back.
    """
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise PathTakenError(errno.EEXIST, "there is a file that is no socket")
    if _is_alive(path):
        raise PathTakenError(errno.EADDRINUSE, "another process listens there")
    moved = path.with_name(f".{os.getpid()}-")
    os.rename(path, moved)
    if _is_alive(moved):
        os.link(moved, path)
    moved.unlink(missing_ok=True)


def _is_alive(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.setblocking(False)
        try:
            caller.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except BlockingIOError:  # its queue is full
            return True
    return True
