"""A listening server: accepts, gives each connection its service, closes those that misbehave."""

import asyncio
import contextlib
import logging
import os
import socket
from typing import TYPE_CHECKING, Any

from fluvio_local_cluster.net.accepting import Acceptor
from fluvio_local_cluster.net.connection import Connection
from fluvio_local_cluster.net.dispatch import Service, serve_requests
from fluvio_local_cluster.net.intake import Intake, Taker
from fluvio_local_cluster.net.limits import NetLimits
from fluvio_local_cluster.server_tls import HANDSHAKE_TIMEOUT_S, explain_handshake

if TYPE_CHECKING:
    import ssl

_logger = logging.getLogger(__name__)

_BACKLOG = 1024
_MAX_SWEEP_S = 2.0  # deadlines are checked at least this often
_REPEAT_S = 10.0  # the log says at most so often that a limit is reached


async def serve(
    host: str,
    port: int,
    service: Service,
    *,
    limits: NetLimits | None = None,
    tls: "ssl.SSLContext | None" = None,
    name: str,
) -> "Server":
    """Listen and serve until `Server.close`. Port 0 picks a free one. Raises `OSError`."""
    server = Server(service, limits if limits is not None else NetLimits(), name, tls)
    await server.open(host, port)
    return server


class Server:
    """Made by `serve`. `port` is the one really bound."""

    def __init__(
        self, service: Service, limits: NetLimits, name: str, tls: "ssl.SSLContext | None" = None
    ) -> None:
        self.name = name
        self.host = ""
        self.port = 0
        self._service = service
        self._limits = limits
        self._tls = tls
        self._handshakes: set[asyncio.Task[None]] = set()  # connections that are being made
        self._intake = Intake(
            limits.max_unprocessed_total_bytes, on_full=self._intake_is_full, on_busy=self._is_busy
        )
        self._told_at: dict[str, float] = {}  # loop time at which the log last said something
        self._loop = asyncio.get_running_loop()
        self._connections: set[Connection] = set()
        self._numbers = 0
        self._refused = 0
        self._acceptor: Acceptor | None = None
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
        listeners = await _bind(host, port)
        self.host, self.port = listeners[0].getsockname()[:2]
        self._main = self._loop.create_task(self._run(is_running), name=f"{self.name} server")
        await is_running.wait()
        self._acceptor = Acceptor(listeners, self._adopt, self._exhausted)

    async def close(self, grace_s: float = 2.0) -> None:
        """Stop accepting, let requests that came already be answered for `grace_s`, close all connections."""
        if self._acceptor is not None:
            self._acceptor.close()
        for handshake in self._handshakes:
            handshake.cancel()
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

    def _adopt(self, accepted: socket.socket) -> None:
        if self._group is None or self._is_stopping.is_set():
            accepted.close()
            return
        self._numbers += 1
        if self._tls and len(self._connections) + len(self._handshakes) >= self._limits.max_connections:
            self._refuse(_peer_of(accepted))
            accepted.close()
            return
        name = f"{self.name} handshake {self._numbers}"
        handshake = self._group.create_task(self._connect(accepted), name=name)
        self._handshakes.add(handshake)
        handshake.add_done_callback(self._handshakes.discard)

    async def _connect(self, accepted: socket.socket) -> None:
        connection = Connection(self._numbers, self._limits, self._intake, self._accepted)
        peer = _peer_of(accepted)
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S if self._tls else None,
            )
        except OSError as exc:
            accepted.close()
            cause = explain_handshake(exc) if self._tls else ""
            if cause and self._is_news(f"tls: {cause}"):
                _logger.info("a TLS handshake failed server=%s peer=%s cause=%s", self.name, peer, cause)
            else:
                _logger.debug("a connection was not made server=%s cause=%s", self.name, exc)

    def _accepted(self, connection: Connection) -> None:
        if self._group is None or self._is_stopping.is_set():
            connection.abort("the server stops")
            return
        if len(self._connections) >= self._limits.max_connections:
            self._refuse(connection.peer)
            connection.abort("too many connections")
            return
        connection.deadline = self._loop.time() + self._limits.first_frame_timeout_s
        self._connections.add(connection)
        self._is_empty.clear()
        self._group.create_task(self._serve(connection), name=f"{self.name} connection {connection.id}")
        if self._sweep_handle is None:
            self._sweep()

    def _refuse(self, peer: str) -> None:
        self._refused += 1
        if self._is_news("connections"):
            _logger.warning(
                "refusing a connection, see %s server=%s peer=%s open=%d limit=%d refused=%d",
                self._limits.connections_set_by,
                self.name,
                peer,
                len(self._connections),
                self._limits.max_connections,
                self._refused,
            )

    def _intake_is_full(self) -> None:
        if self._is_news("intake"):
            _logger.warning(
                "peers wait, too much is unprocessed, see --max-inflight-bytes server=%s bytes=%d limit=%d",
                self.name,
                self._intake.total_bytes,
                self._limits.max_unprocessed_total_bytes,
            )

    def _is_busy(self, taker: Taker) -> None:
        if self._is_news("busy"):
            _logger.info(
                "a peer waits until its requests are processed, see --max-inflight-requests and "
                "--max-connection-bytes server=%s peer=%s requests=%d bytes=%d",
                self.name,
                taker.peer,
                taker.waiting_requests,
                taker.unprocessed_bytes,
            )

    def _exhausted(self, exc: OSError) -> None:
        if self._is_news("descriptors"):
            _logger.warning(
                "refusing connections, the system gives no more, see `ulimit -n` server=%s open=%d cause=%s",
                self.name,
                len(self._connections),
                exc.strerror or exc,
            )

    def _is_news(self, topic: str) -> bool:
        """Whether the log should say it (again)."""
        now = self._loop.time()
        is_news = now - self._told_at.get(topic, -_REPEAT_S) >= _REPEAT_S
        if is_news:
            self._told_at[topic] = now
        return is_news

    async def _serve(self, connection: Connection) -> None:
        session: Any = None
        try:
            session = self._service.opened(connection)
            await connection.run(serve_requests(connection, self._service.routes, session))
        except Exception:
            _logger.exception("a connection failed server=%s peer=%s", self.name, connection.peer)
        finally:
            await self._end(connection, session)

    async def _end(self, connection: Connection, session: Any) -> None:
        try:
            connection.close("done")
            _logger.debug("connection ended peer=%s cause=%s", connection.peer, connection.close_reason)
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


def _peer_of(accepted: socket.socket) -> str:
    try:
        name = accepted.getpeername()
    except OSError:  # it has gone again
        return "?"
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)


async def _bind(host: str, port: int) -> list[socket.socket]:
    """Listening sockets for all addresses of `host`. Raises `OSError`."""
    bound = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port, start_serving=False)
    listeners: list[socket.socket] = []
    try:
        for each in bound.sockets:
            listeners.append(socket.socket(fileno=os.dup(each.fileno())))
            listeners[-1].listen(_BACKLOG)
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    finally:
        bound.close()
    return listeners
