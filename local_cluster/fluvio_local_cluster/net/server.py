"""A listening server: accepts, gives each connection its service, closes those that misbehave."""

import asyncio
import contextlib
import logging
from typing import Any

from fluvio_local_cluster.net.connection import Connection
from fluvio_local_cluster.net.dispatch import Service, serve_requests
from fluvio_local_cluster.net.intake import Intake
from fluvio_local_cluster.net.limits import NetLimits

_logger = logging.getLogger(__name__)

_BACKLOG = 1024
_MAX_SWEEP_S = 2.0  # deadlines are checked at least this often
_REPEAT_S = 10.0  # the log says at most so often that too much is under way


async def serve(
    host: str, port: int, service: Service, *, limits: NetLimits | None = None, name: str
) -> "Server":
    """Listen and serve until `Server.close`. Port 0 picks a free one. Raises `OSError`."""
    server = Server(service, limits if limits is not None else NetLimits(), name)
    await server.open(host, port)
    return server


class Server:
    """Made by `serve`. `port` is the one really bound."""

    def __init__(self, service: Service, limits: NetLimits, name: str) -> None:
        self.name = name
        self.host = ""
        self.port = 0
        self._service = service
        self._limits = limits
        self._intake = Intake(limits.max_unprocessed_total_bytes, on_full=self._intake_is_full)
        self._told_full_at: float | None = None  # loop time
        self._loop = asyncio.get_running_loop()
        self._connections: set[Connection] = set()
        self._numbers = 0
        self._refused = 0
        self._listener: asyncio.Server | None = None
        self._group: asyncio.TaskGroup | None = None
        self._main: asyncio.Task[None] | None = None
        self._is_stopping = asyncio.Event()
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self._sweep_handle: asyncio.TimerHandle | None = None

    @property
    def connection_count(self) -> int:
        """Open connections."""
        return len(self._connections)

    @property
    def accepted_count(self) -> int:
        """Connections that were accepted so far."""
        return self._numbers - self._refused

    @property
    def refused_count(self) -> int:
        """Connections that were refused so far, because there were too many."""
        return self._refused

    @property
    def waiting_requests(self) -> int:
        """Requests of all connections that have come whole and are not handled yet."""
        return sum(connection.waiting_requests for connection in self._connections)

    @property
    def unprocessed_bytes(self) -> int:
        """Bytes that were received and are not processed yet."""
        return self._intake.total_bytes

    @property
    def connections(self) -> frozenset[Connection]:
        """A view of the open connections."""
        return frozenset(self._connections)

    async def wait_empty(self) -> None:
        """Wait until there is no connection and all sessions are ended."""
        await self._is_empty.wait()

    async def open(self, host: str, port: int) -> None:
        """Bind and start accepting."""
        is_running = asyncio.Event()
        listener = await self._loop.create_server(self._make_connection, host, port, backlog=_BACKLOG)
        self._listener = listener
        self.host, self.port = listener.sockets[0].getsockname()[:2]
        self._main = self._loop.create_task(self._run(is_running), name=f"{self.name} server")
        await is_running.wait()

    async def close(self, grace_s: float = 2.0) -> None:
        """Stop accepting, let requests that came already be answered for `grace_s`, close all connections."""
        if self._listener is not None:
            self._listener.close()
        for connection in self.connections:
            connection.eof_received()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._is_empty.wait()
        for connection in self.connections:
            connection.abort("the server stops")
        self._is_stopping.set()
        if self._sweep_handle is not None:
            self._sweep_handle.cancel()
        if self._main is not None:
            await self._main

    async def _run(self, is_running: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            is_running.set()
            await self._is_stopping.wait()
        self._group = None

    def _make_connection(self) -> Connection:
        self._numbers += 1
        return Connection(self._numbers, self._limits, self._intake, self._accepted)

    def _accepted(self, connection: Connection) -> None:
        if self._group is None or self._is_stopping.is_set():
            connection.abort("the server stops")
            return
        if len(self._connections) >= self._limits.max_connections:
            self._refused += 1
            _logger.warning(
                "refusing a connection, see --max-connections server=%s peer=%s open=%d limit=%d",
                self.name,
                connection.peer,
                len(self._connections),
                self._limits.max_connections,
            )
            connection.abort("too many connections")
            return
        connection.deadline = self._loop.time() + self._limits.first_frame_timeout_s
        self._connections.add(connection)
        self._is_empty.clear()
        self._group.create_task(self._serve(connection), name=f"{self.name} connection {connection.id}")
        if self._sweep_handle is None:
            self._sweep()

    def _intake_is_full(self) -> None:
        now = self._loop.time()
        if self._told_full_at is None or now - self._told_full_at >= _REPEAT_S:
            self._told_full_at = now
            _logger.warning(
                "peers wait, too much is unprocessed, see --max-inflight-bytes server=%s bytes=%d limit=%d",
                self.name,
                self._intake.total_bytes,
                self._limits.max_unprocessed_total_bytes,
            )

    async def _serve(self, connection: Connection) -> None:
        session: Any = None
        try:
            session = self._service.opened(connection)
            await connection.run(serve_requests(connection, self._service.routes, session))
        except Exception:
            _logger.exception("a connection failed server=%s peer=%s", self.name, connection.peer)
        finally:
            connection.close("done")
            _logger.debug("connection ended peer=%s cause=%s", connection.peer, connection.close_reason)
            await self._end(connection, session)

    async def _end(self, connection: Connection, session: Any) -> None:
        try:
            if session is not None:
                await self._service.closed(session)
        except Exception:
            _logger.exception("ending a session failed server=%s peer=%s", self.name, connection.peer)
        finally:
            self._connections.discard(connection)
            if not self._connections:
                self._is_empty.set()

    def _sweep(self) -> None:
        """Close connections whose peer has let a deadline pass; runs while there are any."""
        self._sweep_handle = None
        if not self._connections:
            return
        now = self._loop.time()
        limits = self._limits
        for connection in self.connections:
            if connection.deadline is not None and now >= connection.deadline:
                _logger.warning("closing a silent connection server=%s peer=%s", self.name, connection.peer)
                connection.abort("the peer did not complete a frame in time")
            elif (
                connection.stalled_since is not None
                and now >= connection.stalled_since + limits.stall_timeout_s
            ):
                _logger.warning("closing a stalled connection server=%s peer=%s", self.name, connection.peer)
                connection.abort("the peer takes nothing", reset=True)
        pace = min(limits.first_frame_timeout_s, limits.frame_timeout_s, limits.stall_timeout_s) / 4
        self._sweep_handle = self._loop.call_later(min(pace, _MAX_SWEEP_S), self._sweep)
