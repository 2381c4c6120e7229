"""Taking connections from listening sockets.

Not by the event loop's own method: when the process has no descriptor left, that one tries a thousand times
in a row, writes a traceback for each, and lets clients wait. Here one descriptor is kept in reserve: it is
given up for a moment to take a connection that cannot be served and close it, so that its peer is told.
"""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable, Sequence

_logger = logging.getLogger(__name__)

_MAX_IN_A_ROW = 64  # connections taken before others have their turn
_PAUSE_S = 1.0  # after the system could not give what a connection needs
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_VANISHED = frozenset(
    {errno.ECONNABORTED, errno.EPROTO, errno.ENETDOWN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EPERM}
)


class Acceptor:
    """Calls `on_accepted` with each new socket, which is not blocking, until `close`. For one event loop."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        on_accepted: Callable[[socket.socket], None],
        on_exhausted: Callable[[OSError], None],
    ) -> None:
        """The listening sockets are the acceptor's from now on. `on_exhausted`: the system gives no more."""
        self._loop = asyncio.get_running_loop()
        self._listeners = list(listeners)
        self._on_accepted, self._on_exhausted = on_accepted, on_exhausted
        self._paused: dict[socket.socket, asyncio.TimerHandle] = {}
        self._reserve: int | None = None
        self._take_reserve()
        for listener in self._listeners:
            listener.setblocking(False)
            self._loop.add_reader(listener, self._accept, listener)

    def close(self) -> None:
        """Stop taking connections; those that wait are refused."""
        for handle in self._paused.values():
            handle.cancel()
        for listener in self._listeners:
            self._loop.remove_reader(listener)
            listener.close()
        self._listeners.clear()
        self._paused.clear()
        self._give_up_reserve()

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_MAX_IN_A_ROW):
            try:
                accepted = listener.accept()[0]
            except (BlockingIOError, InterruptedError):
                return
            except OSError as exc:
                if exc.errno in _VANISHED:
                    continue
                if exc.errno not in _EXHAUSTED:
                    raise
                self._on_exhausted(exc)
                if not self._refuse_one(listener):
                    self._pause(listener)
                    return
                continue
            accepted.setblocking(False)
            self._on_accepted(accepted)

    def _refuse_one(self, listener: socket.socket) -> bool:
        """Take a connection with the descriptor in reserve and close it; whether that worked."""
        if self._reserve is None and not self._take_reserve():
            return False
        self._give_up_reserve()
        try:
            listener.accept()[0].close()
        except OSError as exc:
            _logger.debug("a connection could not be refused cause=%s", exc)
            return False
        finally:
            self._take_reserve()
        return True

    def _take_reserve(self) -> bool:
        try:
            self._reserve = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as exc:
            _logger.debug("no descriptor can be kept in reserve cause=%s", exc)
            self._reserve = None
        return self._reserve is not None

    def _give_up_reserve(self) -> None:
        if self._reserve is not None:
            os.close(self._reserve)
            self._reserve = None

    def _pause(self, listener: socket.socket) -> None:
        self._loop.remove_reader(listener)
        self._paused[listener] = self._loop.call_later(_PAUSE_S, self._resume, listener)

    def _resume(self, listener: socket.socket) -> None:
        del self._paused[listener]
        self._loop.add_reader(listener, self._accept, listener)
