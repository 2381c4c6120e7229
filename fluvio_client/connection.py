"""One multiplexed connection to a server, in asyncio.

`call` sends a request and waits for its answer, `start` sends it and leaves the waiting to the caller,
`stream` opens a stream. Any number may be under way: answers find their request by correlation id. The
conversation itself is `session`'s. No task runs here: the transport calls back, futures resolve.

While a large frame comes in, the system wakes us for each MiB of it and for its end, not for each packet.

Streams do not hold up anything else. A slice is put into its stream's own queue and the reading goes on; the
protocol's window (a server sends no more before the last slice is acknowledged) keeps that queue short. A
server that ignores the window fails that stream, at `STREAM_QUEUE_LIMIT` slices, and nothing but it.
"""

import asyncio
import socket
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from fluvio_client.errors import (
    CONNECT_HINT,
    ClientClosedError,
    ConnectionFailedError,
    ConnectionLostError,
    ConsumerError,
    HandshakeError,
    ResponseTimeoutError,
    describe_os_error,
)
from fluvio_client.receiving import FrameReceiver
from fluvio_client.session import DEFAULT_CLIENT_ID, SentRequest, Session
from fluvio_client.target import Endpoint
from fluvio_protocol.wire import DecodeError
from fluvio_types.defaults import SOCKET_WAIT_S
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_client.security import Security

STREAM_QUEUE_LIMIT = 16  # slices; official clients stop reading at 10
_WAKE_BYTES = 1024 * 1024


class Stream:
    """Answers to one stream request, in order. One task at a time may wait in `next`."""

    __slots__ = ("_answers", "_connection", "_ended", "_waiter", "request")

    def __init__(self, connection: "Connection", request: SentRequest) -> None:
        self._connection, self.request = connection, request
        self._answers: deque[Any] = deque()
        self._ended: FluvioError | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def next(self) -> Any:
        """The next answer; waits without limit, as long as the connection is there.

        Raises what ended the stream (`ConnectionLostError`, ...) after the answers that came before it.
        Cancelling loses no answer.
        """
        while not self._answers:
            if self._ended is not None:
                raise self._ended
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._answers.popleft()

    def close(self) -> None:
        """Stop listening. The server is not told (there is no request for it): it waits for a window."""
        self._connection.forget(self.request)
        self._end(ClientClosedError("the stream was closed"))
        self._answers.clear()

    def fail(self, reason: FluvioError) -> None:
        """End the stream: `next` raises `reason` after the answers that are there already."""
        self._connection.forget(self.request)
        self._end(reason)

    def _push(self, body: Any) -> None:
        if len(self._answers) >= STREAM_QUEUE_LIMIT:
            self.fail(ConsumerError("the server sends slices without waiting for acknowledgements"))
            return
        self._answers.append(body)
        self._wake()

    def _end(self, reason: FluvioError) -> None:
        if self._ended is None:
            self._ended = reason
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Connection(asyncio.BufferedProtocol):
    """A connection after its handshake; `open` makes one. Used from one event loop."""

    def __init__(
        self, endpoint: Endpoint, session: Session, timeout_s: float, security: "Security | None" = None
    ) -> None:
        """Use `open`."""
        self.endpoint, self.timeout_s = endpoint, timeout_s
        self._security = security
        self._session = session
        self._receiver = FrameReceiver()
        self._wake_at: Callable[[int], None] | None = None  # sets how many bytes wake us
        self._wakes_at = 1
        self._transport: asyncio.Transport | None = None
        self._handshake: asyncio.Future[None] | None = None
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._told: dict[int, tuple[Callable[[Any], None], Callable[[FluvioError], None]]] = {}
        self._streams: dict[int, Callable[[Any], None]] = {}
        self._stream_ends: dict[int, Callable[[FluvioError], None]] = {}
        self._lost: FluvioError | None = None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writable: asyncio.Future[None] | None = None  # there while the write buffer is too full

    @classmethod
    async def open(
        cls,
        endpoint: Endpoint,
        *,
        is_controller: bool,
        security: "Security | None" = None,
        client_id: str = DEFAULT_CLIENT_ID,
        timeout_s: float = SOCKET_WAIT_S,
    ) -> Self:
        """Connect and shake hands within `timeout_s`, which is also how long calls wait for an answer.

        Without `security` nothing is encrypted. Raises `ConnectionFailedError`, `HandshakeError` (no Fluvio
        server), `IncompatibleServerError`.
        A cancelled call leaves no connection behind.
        """
        loop = asyncio.get_running_loop()
        session = Session(client_id=client_id, is_controller=is_controller)
        try:
            async with asyncio.timeout(timeout_s):
                transport, connection = await loop.create_connection(
                    lambda: cls(endpoint, session, timeout_s, security),
                    endpoint.host,
                    endpoint.port,
                    ssl=None if security is None else security.context,
                    server_hostname=None if security is None else security.server_name(endpoint),
                )
                try:
                    await connection._shake_hands(transport)
                except BaseException:
                    transport.abort()
                    raise
        except TimeoutError as exc:
            raise ConnectionFailedError(str(endpoint), "timed out", hint=CONNECT_HINT) from exc
        except socket.gaierror as exc:
            reason = f"failed to lookup address information: {exc.strerror}"
            raise ConnectionFailedError(str(endpoint), reason) from exc
        except OSError as exc:
            if security is not None:
                raise security.failure(endpoint, exc) from exc
            raise ConnectionFailedError(str(endpoint), describe_os_error(exc), hint=CONNECT_HINT) from exc
        return connection

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        self._handshake = asyncio.get_running_loop().create_future()
        transport.write(self._session.handshake())
        if self._lost is not None:
            raise self._refused(None)
        await self._handshake

    def _refused(self, exc: BaseException | None) -> FluvioError:
        """The server has closed the connection instead of answering the first request."""
        if self._security is not None:
            return self._security.refusal(self.endpoint, exc)
        return HandshakeError(str(self.endpoint), was_closed=True)

    @property
    def is_lost(self) -> bool:
        """Whether the connection has ended, for whatever reason."""
        return self._lost is not None

    @property
    def platform_version(self) -> str:
        """What the server reported in the handshake."""
        return self._session.platform_version

    def version_of(self, request_type: type) -> int:
        """The version at which `request_type` is sent here. Raises `IncompatibleServerError`."""
        return self._session.version_of(request_type)

    async def call(self, body: Any, *, timeout_s: float | None = None) -> Any:
        """Send a request and return its answer, waiting at most `timeout_s` (else the connection's).

        Raises `ResponseTimeoutError`, `ConnectionLostError`, `IncompatibleServerError`. After a time-out or
        when cancelled the answer is dropped when it comes, and the connection stays usable.
        """
        request, answer = self._begin(body)
        wait_s = self.timeout_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(wait_s):
                return await answer
        except TimeoutError as exc:
            raise ResponseTimeoutError(wait_s, request.api_key, request.correlation_id) from exc
        finally:
            if request.correlation_id in self._calls:
                self.forget(request)

    def start(self, body: Any) -> "asyncio.Future[Any]":
        """Send a request at once and return the future of its answer, to pipeline requests.

        Requests go out in the order of the calls. The future fails when the connection is lost; nothing
        bounds the wait for it. Cancelling it drops the answer. Raises like `call`.
        """
        request, answer = self._begin(body)

        def forget_cancelled(done: "asyncio.Future[Any]") -> None:
            if done.cancelled():
                self.forget(request)

        answer.add_done_callback(forget_cancelled)
        return answer

    def begin(
        self, body: Any, on_answer: Callable[[Any], None], on_lost: Callable[[FluvioError], None]
    ) -> SentRequest:
        """Send a request at once; one of the two is called once, from the event loop, unless it is forgotten.

        Without a future the answer is used in the same turn of the loop. Both must be quick and not raise.
        Raises like `call`.
        """
        request = self._transmit(body)
        self._told[request.correlation_id] = on_answer, on_lost
        return request

    def send(self, body: Any) -> None:
        """Send a request whose answer does not matter. Raises `ConnectionLostError`."""
        self.forget(self._transmit(body))

    def stream(self, body: Any) -> Stream:
        """Open a stream, whose answers `Stream.next` returns. Raises `ConnectionLostError`."""
        request = self._transmit(body, is_stream=True)
        opened = Stream(self, request)
        self._streams[request.correlation_id] = opened._push
        self._stream_ends[request.correlation_id] = opened._end
        return opened

    def watch(self, body: Any, on_answer: Callable[[Any], None]) -> None:
        """Open a stream that lasts as long as the connection; `on_answer` must be quick and not raise."""
        request = self._transmit(body, is_stream=True)
        self._streams[request.correlation_id] = on_answer

    def forget(self, request: SentRequest) -> None:
        """Drop answers to `request` from now on."""
        number = request.correlation_id
        self._session.forget(number)
        self._calls.pop(number, None)
        self._told.pop(number, None)
        self._streams.pop(number, None)
        self._stream_ends.pop(number, None)

    async def drained(self) -> None:
        """Wait until the write buffer is not too full. Raises what ended the connection, if it is lost."""
        while self._writable is not None:
            await asyncio.shield(self._writable)
        if self._lost is not None:
            raise self._lost

    def close(self) -> None:
        """Close at once: everything under way fails with `ClientClosedError`. Does not wait."""
        self.give_up(ClientClosedError("the connection was closed"))

    def give_up(self, reason: FluvioError) -> None:
        """Close at once: everything under way fails with `reason`."""
        self._lose(reason)

    async def wait_lost(self) -> FluvioError:
        """Wait until the connection has ended, and return why."""
        await asyncio.shield(self._closed)
        assert self._lost is not None
        return self._lost

    def _begin(self, body: Any) -> "tuple[SentRequest, asyncio.Future[Any]]":
        request = self._transmit(body)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._calls[request.correlation_id] = answer
        return request, answer

    def _transmit(self, body: Any, *, is_stream: bool = False) -> SentRequest:
        if self._lost is not None or self._transport is None:
            raise self._lost or ConnectionLostError(str(self.endpoint))
        request = self._session.request(body, is_stream=is_stream)
        self._transport.write(request.frame)
        request.frame = _NO_FRAME  # the transport has it: do not keep a copy until the answer comes
        return request

    def _lose(self, reason: FluvioError) -> None:
        if self._lost is not None:
            return
        self._lost = reason
        if self._transport is not None:
            self._transport.abort()
        if self._handshake is not None and not self._handshake.done():
            was_closed = isinstance(reason, ConnectionLostError)
            self._handshake.set_exception(HandshakeError(str(self.endpoint), was_closed=was_closed))
        calls, self._calls = self._calls, {}
        for answer in calls.values():
            if not answer.done():
                answer.set_exception(reason)
                answer.exception()  # whoever awaits it gets it; nobody else needs to be warned
        told, self._told = self._told, {}
        for _, on_lost in told.values():
            on_lost(reason)
        ends, self._stream_ends = self._stream_ends, {}
        self._streams.clear()
        for end in ends.values():
            end(reason)
        self.resume_writing()
        if not self._closed.done():
            self._closed.set_result(None)

    # --- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if sys.platform == "linux" and transport.get_extra_info("sslcontext") is None:
                self._wake_at = partial(sock.setsockopt, socket.SOL_SOCKET, socket.SO_RCVLOWAT)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._handshake is not None and not self._handshake.done():
            self._handshake.set_exception(self._refused(exc))
        reason = describe_os_error(exc) if isinstance(exc, OSError) else "Socket closed"
        self._lose(ConnectionLostError(str(self.endpoint), reason))

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        waiting, self._writable = self._writable, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._receiver.buffer()

    def buffer_updated(self, nbytes: int) -> None:
        receiver = self._receiver
        try:
            payloads = receiver.received(nbytes)
            if self._wake_at is not None and (receiver.missing or self._wakes_at > 1):
                self._set_wake(min(receiver.missing, _WAKE_BYTES) or 1)
            for payload in payloads:
                self._dispatch(payload)
        except FluvioError as exc:
            self._lose(exc if self._handshake_failed(exc) else _lost_by(self.endpoint, exc))

    def _set_wake(self, at_bytes: int) -> None:
        if at_bytes == self._wakes_at or self._wake_at is None:
            return
        try:
            self._wake_at(at_bytes)
            self._wakes_at = at_bytes
        except OSError:
            self._wake_at = None if self._wakes_at == 1 else self._wake_at  # else it must be set back later

    def eof_received(self) -> bool:
        return False  # close our side too

    def _handshake_failed(self, reason: FluvioError) -> bool:
        """While shaking hands, what the server said is the error itself; rubbish is a HandshakeError."""
        if self._handshake is None or self._handshake.done():
            return False
        if not isinstance(reason, DecodeError):
            self._handshake.set_exception(reason)
        return True

    def _dispatch(self, payload: bytes | memoryview) -> None:
        if self._handshake is not None and not self._handshake.done():
            self._session.handshake_done(payload)
            self._handshake.set_result(None)
            return
        answer = self._session.receive(payload)
        if answer is None:
            return
        number = answer.request.correlation_id
        if answer.request.is_stream:
            deliver = self._streams.get(number)
            if deliver is not None:
                deliver(answer.body)
            return
        told = self._told.pop(number, None)
        if told is not None:
            told[0](answer.body)
            return
        waiting = self._calls.pop(number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.body)


_NO_FRAME = bytearray()


def _lost_by(endpoint: Endpoint, cause: FluvioError) -> ConnectionLostError:
    lost = ConnectionLostError(str(endpoint), f"{endpoint} sent what cannot be read: {cause}")
    lost.__cause__ = cause
    return lost
