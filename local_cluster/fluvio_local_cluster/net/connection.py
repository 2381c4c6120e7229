"""One connection: whole frames in, whole frames out, and the tasks that live as long as it does.

The transport shell over `framing.FrameAssembler`; used by servers (`server.serve`) and by whoever dials
(`dial.dial`). Frames of several tasks never interleave; reading pauses while too much is unprocessed,
`send` waits while too much is unsent.
"""

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Protocol

from fluvio_local_cluster.net.file_bytes import CAN_SENDFILE, send_file_bytes
from fluvio_local_cluster.net.framing import FrameAssembler
from fluvio_local_cluster.net.intake import Intake
from fluvio_local_cluster.net.limits import NetLimits
from fluvio_protocol.frame import FrameTooLargeError
from fluvio_types.errors import FluvioError

_logger = logging.getLogger(__name__)

_LINGER_S = 10.0  # a closed connection's unsent bytes are kept so long for a peer that does not take them
_NO_LINGER = struct.pack("ii", 1, 0)  # struct linger: on, no seconds

_RESET = struct.pack("ii", 1, 0)  # linger on, for 0 s

Buffer = bytes | bytearray | memoryview


class ConnectionClosedError(FluvioError):
    """The connection is closed; what was to be sent or received is lost."""


class FileSource(Protocol):
    """What a slice is sent from: an open file, or `storage.OpenFile`."""

    def fileno(self) -> int: ...


class Connection(asyncio.BufferedProtocol):
    """See the module. `run` must be running for `spawn` to work; it ends when the connection is closed."""

    def __init__(
        self,
        number: int,
        limits: NetLimits,
        intake: Intake,
        on_made: Callable[["Connection"], None] | None = None,
    ) -> None:
        self.id = number  # unique within the server
        self.peer = "?"  # "127.0.0.1:53211"
        self.client_version = ""  # from ApiVersions
        self.client_id = ""  # of the last request
        self.deadline: float | None = None  # loop time at which the peer must have completed a frame
        self.stalled_since: float | None = None  # loop time since when the peer takes nothing
        self.close_reason: str | None = None
        self._limits = limits
        self._intake = intake
        self._on_made = on_made
        self._loop = asyncio.get_running_loop()
        self._assembler = FrameAssembler(limits.max_frame_bytes, intake.scratch)
        self._transport: asyncio.Transport | None = None
        self._socket: Any = None
        self._is_encrypted = False
        self._frames: deque[memoryview] = deque()
        self._unprocessed_bytes = 0  # of whole frames
        self._begun_bytes = 0  # memory of the frame that is not whole yet
        self._current_bytes = 0  # of the frame that `next_frame` handed out last
        self._frame_waiter: asyncio.Future[None] | None = None
        self._drain_waiters: list[asyncio.Future[None]] = []
        self._is_write_paused = False
        self._is_reading_paused = False
        self._is_at_end = False
        self._held: list[Buffer] | None = None  # frames that wait for the end of a slice
        self._soon: list[Buffer] = []  # frames that leave before the loop waits
        self._slice_lock = asyncio.Lock()
        self._gone = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._owed = 0  # answers that come later
        self._all_settled: asyncio.Future[None] | None = None  # waited for at the end

    # --- life ---------------------------------------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._gone.is_set()

    async def run(self, body: Coroutine[Any, Any, None]) -> None:
        """Run `body` and all spawned tasks until `body` returns or the connection is gone.

        The rest is cancelled then and the connection closed. An unexpected error of any task closes the
        connection and is logged: it concerns this connection only.
        """
        task = asyncio.current_task()
        assert task is not None
        cancels = task.cancelling()
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                watch = group.create_task(self._watch_end(), name=f"connection {self.id} end")
                await group.create_task(body, name=f"connection {self.id}")
                if self._owed:
                    self._all_settled = self._loop.create_future()
                    await self._all_settled
                watch.cancel()
                self.close("done")
                raise _Ended
        except* (_Ended, ConnectionClosedError):
            pass
        except* FluvioError as group_error:
            _logger.warning("closing a connection peer=%s cause=%s", self.peer, group_error.exceptions[0])
            self.close(str(group_error.exceptions[0]))
        except* Exception as group_error:
            _logger.exception("a task of a connection failed peer=%s", self.peer, exc_info=group_error)
            self.close("an internal error")
        finally:
            body.close()  # when it was never started
            self.close("done")
            self._group = None
        if task.cancelling() > cancels:
            # a group that is ended by a task of its own at the same time raises that task's error instead
            raise asyncio.CancelledError

    async def wait_closed(self) -> None:
        """Wait until nothing can be sent or received any more."""
        await self._gone.wait()

    async def _watch_end(self) -> None:
        await self._gone.wait()
        raise _Ended

    def owe(self) -> None:
        """An answer comes later; until `settle`, a peer that has said all it had to say waits for it."""
        self._owed += 1

    def settle(self) -> None:
        """An answer that was owed is written, or nobody is there to take it."""
        self._owed -= 1
        if not self._owed and self._all_settled is not None and not self._all_settled.done():
            self._all_settled.set_result(None)

    def spawn(self, name: str, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start a task that is cancelled when the connection closes. Raises `ConnectionClosedError`."""
        if self._group is None or self._gone.is_set():
            coroutine.close()
            raise ConnectionClosedError(f"the connection to {self.peer} is closed")
        return self._group.create_task(coroutine, name=name)

    def close(self, reason: str) -> None:
        """Close after what was written has left; only the first reason counts."""
        if self.close_reason is None:
            self.close_reason = reason
        if self._transport is not None and not self._transport.is_closing():
            if self._held is None:
                self._write_collected()
                self._transport.close()
                if self._transport.get_write_buffer_size():
                    self._loop.call_later(_LINGER_S, self._transport.abort)
            else:
                self._transport.abort()  # amid a slice: the rest of the frame will never come
        self._mark_gone()

    def abort(self, reason: str, *, reset: bool = False) -> None:
        """Close at once; unsent bytes are dropped.

        With `reset` also those that the system holds: for a peer that does not take them it would keep them
        for minutes.
        """
        if self.close_reason is None:
            self.close_reason = reason
        if reset and self._socket is not None:
            try:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            except OSError as exc:
                _logger.debug("a connection cannot be reset peer=%s cause=%s", self.peer, exc)
        if self._transport is not None:
            self._transport.abort()
        self._mark_gone()

    def _mark_gone(self) -> None:
        if self._gone.is_set():
            return
        self._gone.set()
        self.deadline = self.stalled_since = None
        held, self._begun_bytes = self._unprocessed_bytes + self._begun_bytes, 0
        self._unprocessed_bytes = self._current_bytes = 0
        self._intake.leave(self, held)
        self._frames.clear()
        for waiter in (self._frame_waiter, *self._drain_waiters):
            if waiter is not None and not waiter.done():
                waiter.set_result(None)
        self._drain_waiters.clear()

    # --- asyncio's callbacks ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._socket = transport.get_extra_info("socket")
        self._is_encrypted = transport.get_extra_info("sslcontext") is not None
        name = transport.get_extra_info("peername")
        if isinstance(name, tuple) and len(name) >= 2:
            self.peer = f"{name[0]}:{name[1]}"
        transport.set_write_buffer_limits(high=self._limits.write_buffer_bytes)
        _tune(self._socket)
        if self._on_made is not None:
            self._on_made(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the transport."""
        if self.close_reason is None:
            self.close_reason = f"lost: {exc}" if exc is not None else "closed by the peer"
        self._mark_gone()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by the transport."""
        return self._assembler.buffer()

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the transport."""
        if self._gone.is_set():
            return
        was_mid_frame = self._assembler.is_mid_frame
        try:
            payloads = self._assembler.received(nbytes)
        except FrameTooLargeError as exc:
            _logger.warning("closing a connection peer=%s cause=%s", self.peer, exc)
            self.abort(str(exc))
            return
        self._take(payloads)
        if self._is_reading_paused:
            self.deadline = None  # the pause is ours, not the peer's
        elif not self._assembler.is_mid_frame:
            if payloads:
                self.deadline = None
        elif payloads or not was_mid_frame:
            self.deadline = self._loop.time() + self._limits.frame_timeout_s

    def eof_received(self) -> bool:
        """Called by the transport: what came before is still answered, then the connection is closed."""
        self._is_at_end = True
        self.deadline = None
        self._wake_reader()
        return not self._is_encrypted  # TLS knows no half of a connection: nothing could be sent any more

    def pause_writing(self) -> None:
        """Called by the transport."""
        self._is_write_paused = True
        self.stalled_since = self._loop.time()

    def resume_writing(self) -> None:
        """Called by the transport."""
        self._is_write_paused = False
        self.stalled_since = None
        waiters, self._drain_waiters = self._drain_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    # --- in -----------------------------------------------------------------------------------------------

    @property
    def has_only_begun(self) -> bool:
        """See `intake.Taker`."""
        return not self._unprocessed_bytes

    def _take(self, payloads: list[memoryview]) -> None:
        begun = self._assembler.held_bytes
        grown = begun - self._begun_bytes
        self._begun_bytes = begun
        if payloads:
            self._frames.extend(payloads)
            size = sum(map(len, payloads))
            self._unprocessed_bytes += size
            grown += size
        self._intake.total_bytes += grown
        if not self._is_reading_paused and not self._has_room() and self._transport is not None:
            self._is_reading_paused = True
            self._transport.pause_reading()
            self._wait_for_room()
        if payloads:
            self._wake_reader()

    def _has_room(self) -> bool:
        """Whether to read on. The only request of a connection may be larger than what it is granted."""
        limits, whole = self._limits, self._unprocessed_bytes
        held = whole + self._begun_bytes
        if whole and (held > limits.max_unprocessed_bytes or len(self._frames) > limits.max_requests_waiting):
            return False
        if not self._intake.is_full or held <= limits.unpaused_bytes:
            return True
        return not whole and self._intake.favoured is self

    def _wait_for_room(self) -> None:
        if self._intake.is_full:
            self._intake.wait(self)
        elif self._intake.on_busy is not None:
            self._intake.on_busy(self)

    def _wake_reader(self) -> None:
        waiter = self._frame_waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def resume_reading(self) -> None:
        """Read on if there is room, else wait (again)."""
        if not self._is_reading_paused or self._gone.is_set():
            return
        if self._has_room():
            self._is_reading_paused = False
            self._intake.waiting.pop(self, None)
            if self._assembler.is_mid_frame:
                self.deadline = self._loop.time() + self._limits.frame_timeout_s
            if self._transport is not None:
                self._transport.resume_reading()
        elif self._intake.is_full:
            self._intake.wait(self)

    @property
    def waiting_requests(self) -> int:
        """Whole frames that came and are not processed yet, with the one in hand."""
        return len(self._frames) + bool(self._current_bytes)

    @property
    def unprocessed_bytes(self) -> int:
        """Bytes of these frames."""
        return self._unprocessed_bytes

    @property
    def has_frame(self) -> bool:
        """Whether `next_frame` returns at once."""
        return bool(self._frames)

    async def next_frame(self) -> memoryview:
        """The next payload; the one before it counts as processed. For one task only.

        Writable memory that belongs to the caller. Raises `ConnectionClosedError` when the peer has closed
        its side and everything before that was handed out.
        """
        if self._current_bytes:
            size, self._current_bytes = self._current_bytes, 0
            self._unprocessed_bytes -= size
            self._intake.give_back(self, size)
            if self._is_reading_paused:
                self.resume_reading()
        while not self._frames:
            if self._is_at_end or self._gone.is_set():
                raise ConnectionClosedError(f"{self.peer} has closed the connection")
            self._frame_waiter = self._loop.create_future()
            try:
                await self._frame_waiter
            finally:
                self._frame_waiter = None
        payload = self._frames.popleft()
        self._current_bytes = len(payload)
        return payload

    # --- out ----------------------------------------------------------------------------------------------

    def write(self, *frames: Buffer) -> None:
        """Hand whole frames to the transport without waiting. Raises `ConnectionClosedError`."""
        if self._gone.is_set() or self._transport is None:
            raise ConnectionClosedError(f"the connection to {self.peer} is closed")
        if self._held is not None:
            self._held.extend(frames)
        elif self._soon:
            self._soon.extend(frames)
            self._write_collected()
        elif len(frames) == 1:
            self._transport.write(frames[0])
        else:
            self._transport.write(b"".join(frames))

    def write_soon(self, frame: Buffer) -> None:
        """As `write`, together with other frames before the loop waits for anything."""
        if not self._soon:
            self._loop.call_soon(self._write_collected)
        self._soon.append(frame)

    def _write_collected(self) -> None:
        if self._soon and not self._gone.is_set():
            frames, self._soon = self._soon, []
            self.write(*frames)

    async def send(self, frame: Buffer, *more: Buffer) -> None:
        """Write whole frames; waits while too much is unsent. Raises `ConnectionClosedError`."""
        self.write(frame, *more)
        if self._is_write_paused:
            await self._drained()

    async def drain(self) -> None:
        """Wait while too much is unsent."""
        if self._is_write_paused:
            await self._drained()

    async def _drained(self) -> None:
        while self._is_write_paused and not self._gone.is_set():
            waiter = self._loop.create_future()
            self._drain_waiters.append(waiter)
            await waiter

    async def send_slice(self, head: Buffer, file: FileSource, position: int, size_bytes: int) -> None:
        """Send `head` and then bytes of a file: together one frame, whose length the head announces.

        Other frames wait meanwhile. When it fails or is cancelled midway the connection is closed, because
        the frame cannot be completed. Raises `ConnectionClosedError`.
        """
        async with self._slice_lock:
            await self._drained()
            transport = self._transport
            if self._gone.is_set() or transport is None or transport.is_closing():
                raise ConnectionClosedError(f"the connection to {self.peer} is closed")
            self._held = []
            self.stalled_since = self._loop.time()
            frames, self._soon = [*self._soon, head], []
            try:
                with _corked(self._socket):
                    transport.write(b"".join(frames))
                    await self._send_file(transport, file, position, size_bytes)
            except OSError as exc:
                self.abort(f"sending a file failed: {exc}")
                raise ConnectionClosedError(f"sending to {self.peer} failed: {exc}") from exc
            except BaseException:
                self.abort("a frame could not be completed")
                raise
            held, self._held = self._held, None
            self.stalled_since = None
            if held:
                self.write(*held)

    async def _send_file(
        self, transport: asyncio.Transport, file: FileSource, position: int, size_bytes: int
    ) -> None:
        """By `sendfile` where the transport allows; raises `OSError` when the file or the peer ends early."""
        stop = position + size_bytes
        if CAN_SENDFILE and not self._is_encrypted:
            await self._flushed(transport)
            position = await send_file_bytes(
                self._socket.fileno(), file.fileno(), position, stop, self._progressed
            )
        while position < stop:
            self._check_open(transport)
            part = os.pread(file.fileno(), min(stop - position, self._limits.write_buffer_bytes), position)
            if not part:
                raise OSError(f"the file ended {stop - position} bytes early")
            transport.write(part)
            position += len(part)
            await self._drained()
            self._progressed()

    def _progressed(self) -> None:
        self.stalled_since = self._loop.time()

    def _check_open(self, transport: asyncio.Transport) -> None:
        if transport.is_closing() or self._gone.is_set():
            raise ConnectionResetError("the peer is gone")

    async def _flushed(self, transport: asyncio.Transport) -> None:
        """Wait until the system has taken all that was written."""
        if transport.get_write_buffer_size():
            transport.set_write_buffer_limits(high=0)
            await self._drained()
            transport.set_write_buffer_limits(high=self._limits.write_buffer_bytes)
        self._check_open(transport)


@contextlib.contextmanager
def _corked(sock: Any) -> Iterator[None]:
    """Small writes leave together with what follows them in the block, so the peer is woken once for all."""
    if (
        not hasattr(socket, "TCP_CORK")
        or sock is None
        or sock.family not in (socket.AF_INET, socket.AF_INET6)
    ):
        yield
        return
    _set_option(sock, socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    try:
        yield
    finally:
        _set_option(sock, socket.IPPROTO_TCP, socket.TCP_CORK, 0)


class _Ended(Exception):
    """Ends the TaskGroup of a connection."""


def _tune(sock: Any) -> None:
    """Small answers leave at once; a peer whose machine vanished is noticed in minutes, not hours."""
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    _set_option(sock, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _set_option(sock, socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6)):
        if hasattr(socket, option):
            _set_option(sock, socket.IPPROTO_TCP, getattr(socket, option), value)


def _set_option(sock: Any, level: int, option: int, value: int | bytes) -> None:
    try:
        sock.setsockopt(level, option, value)
    except OSError as exc:  # the peer may be gone already: `connection_lost` follows
        _logger.debug("a socket option was refused cause=%s", exc)
