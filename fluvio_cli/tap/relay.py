"""The sockets of a tap: listeners, connections to servers, and bytes from one to the other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from time import perf_counter_ns, time_ns

from fluvio_cli.tap.addresses import SpuAddresses
from fluvio_cli.tap.catalogue import CONTROLLER, SC, SPU
from fluvio_cli.tap.events import Closed, Direction, Event, Frame, Listening, Opened
from fluvio_cli.tap.framing import Fate, FrameFollower, Loose, Part, Pass, Room, Whole
from fluvio_cli.tap.observing import Observer
from fluvio_client.errors import describe_os_error
from fluvio_client.target import Address, Endpoint
from fluvio_protocol.frame import LENGTH
from fluvio_protocol.wire import DecodeError
from fluvio_types.errors import FluvioError

CHUNK_BYTES = 256 * 1024
LOOKED_AT_BYTES = 64 * 1024 * 1024  # of frames that are being collected, all connections together
HELD_BYTES = 64 * 1024 * 1024  # of answers that are being changed
MOST_CONNECTIONS = 512
MOST_SPUS = 1000
_CONNECT_S = 10.0
_ANY = ("0.0.0.0", "::")


class TapAddressError(FluvioError):
    """Nothing can listen at the address given."""

    def __init__(self, endpoint: Endpoint, exc: OSError) -> None:
        super().__init__(f"cannot listen at {endpoint}: {describe_os_error(exc)}")
        self.hint = "choose another port; port 0 takes a free one"


@dataclass(slots=True)
class _Listener:
    """One address of the tap, and which server is behind it."""

    side: str
    server: str
    target: Endpoint
    address: Endpoint


class Relay:
    """`async with Relay(...) as relay`: clients are served until it is left, which ends their connections."""

    def __init__(
        self,
        listen: Endpoint,
        target: Address,
        observer: Observer,
        tell: Callable[[Event], None],
        *,
        only_sc: bool = False,
    ) -> None:
        """`tell` is given every event, in order, and must be quick. Nothing is rewritten with `only_sc`."""
        self._listen, self._target, self._observer, self._tell = listen, target, observer, tell
        self._only_sc = only_sc
        self._tasks = asyncio.TaskGroup()
        self._servers: list[asyncio.Server] = []
        self._serving: list[asyncio.Task[None]] = []
        self._spus: dict[int, _Listener] = {}
        self._opening = asyncio.Lock()
        self._host = ""  # what listeners for SPUs are bound to
        self._room, self._held_room = Room(LOOKED_AT_BYTES), Room(HELD_BYTES)
        self._count = self._open_count = 0
        self._ahead_ns = time_ns() - perf_counter_ns()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve clients inside the block. Raises `TapAddressError`."""
        first = await self._bind(_Listener(SC, CONTROLLER, self._target.endpoint, self._listen))
        self._host = first.sockets[0].getsockname()[0]
        raised: Exception | None = None
        async with self._tasks:
            try:
                await first.start_serving()
                yield
            except Exception as exc:  # noqa: BLE001 - raised below: the group would wrap it
                raised = exc
            finally:
                for server in self._servers:
                    server.close()
                for task in self._serving:
                    task.cancel()
        if raised is not None:
            raise raised

    def now_ns(self) -> int:
        """Nanoseconds since 1970, by a clock that does not jump; whole microseconds, as recorded."""
        return (self._ahead_ns + perf_counter_ns()) // 1000 * 1000

    async def _bind(self, listener: _Listener) -> asyncio.Server:
        """Listen at the listener's address, whose port is known then. Raises `TapAddressError`."""
        listen = listener.address

        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._count += 1
            task = self._tasks.create_task(
                self._serve(listener, self._count, reader, writer), name=f"connection {self._count}"
            )
            self._serving.append(task)
            task.add_done_callback(self._serving.remove)

        try:
            opened = await asyncio.start_server(
                accepted, listen.host, listen.port, limit=CHUNK_BYTES, start_serving=False
            )
        except OSError as exc:
            raise TapAddressError(listen, exc) from exc
        self._servers.append(opened)
        listener.address = Endpoint(listen.host, opened.sockets[0].getsockname()[1])
        self._tell_where(listener)
        return opened

    def _tell_where(self, listener: _Listener) -> None:
        address, target = str(listener.address), str(listener.target)
        self._tell(Listening(self.now_ns(), listener.server, address, target))

    # --- one connection

    async def _serve(
        self,
        listener: _Listener,
        connection: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        peer = writer.get_extra_info("peername")
        client = str(Endpoint(peer[0], peer[1])) if peer else "a client that has left"
        self._tell(
            Opened(self.now_ns(), connection, listener.side, listener.server, client, str(listener.target))
        )
        reason = "the tap ended"
        self._open_count += 1
        try:
            if self._open_count > MOST_CONNECTIONS:
                reason = f"refused: there are {MOST_CONNECTIONS} connections already"
            else:
                reason = await self._both_ways(listener, connection, reader, writer)
        finally:
            self._open_count -= 1
            writer.close()
            self._tell(Closed(self.now_ns(), connection, reason))

    async def _both_ways(
        self,
        listener: _Listener,
        connection: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> str:
        """Returns why it is over."""
        try:
            server_reader, server_writer = await self._dial(listener.target)
        except (OSError, FluvioError) as exc:
            text = describe_os_error(exc) if isinstance(exc, OSError) else str(exc)
            return f"{listener.server} at {listener.target} cannot be reached: {text}"
        ended: list[str] = []
        host = writer.get_extra_info("sockname")[0]
        requests = _Way(self, connection, "request", host, ended)
        answers = _Way(self, connection, "answer", host, ended)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(requests.run(reader, server_writer), name=f"requests {connection}")
                group.create_task(answers.run(server_reader, writer), name=f"answers {connection}")
        except* OSError as errors:
            first = errors.exceptions[0]
            ended.append(describe_os_error(first) if isinstance(first, OSError) else str(first))
        finally:
            server_writer.close()
        return ended[0]

    async def _dial(self, target: Endpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        security = self._target.security
        context = None if security is None else security.context
        name = None if security is None else security.server_name(target)
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await asyncio.open_connection(
                    target.host, target.port, limit=CHUNK_BYTES, ssl=context, server_hostname=name
                )
        except TimeoutError:
            raise
        except OSError as exc:
            if security is None:
                raise
            raise security.failure(target, exc) from exc

    # --- what a way needs

    def follower(self, connection: int, direction: Direction) -> FrameFollower:
        """What follows one direction of a connection."""
        has_addresses = direction == "answer" and not self._only_sc

        def fate_of(begin: bytes) -> Fate:
            call = self._observer.call_of(connection, begin) if has_addresses else None
            return Fate.HOLD if call is not None and call.tells_addresses else Fate.PASS

        return FrameFollower(self._room, self._held_room, fate_of)

    def take(self, frame: Frame) -> None:
        """A frame went by."""
        self._tell(frame)

    async def rewritten(self, connection: int, payload: bytes, host: str) -> tuple[bytes, str]:
        """An answer with this tap's addresses, and a remark where it was left as it is."""
        call = self._observer.call_of(connection, payload)
        assert call is not None
        try:
            found = SpuAddresses(payload, call, use_local_address=self._target.use_spu_local_address)
            places = {
                spu_id: (
                    host if self._host in _ANY else self._host,
                    await self._port_of(spu_id, endpoint),
                )
                for spu_id, endpoint in found.endpoints().items()
            }
            return (found.with_addresses(places), "") if places else (payload, "")
        except (DecodeError, TapAddressError) as exc:
            return payload, f"the addresses in it were left as they are: {exc}"

    async def _port_of(self, spu_id: int, endpoint: Endpoint) -> int:
        async with self._opening:
            listener = self._spus.get(spu_id)
            if listener is None:
                if len(self._spus) >= MOST_SPUS:
                    raise TapAddressError(endpoint, OSError(f"more than {MOST_SPUS} SPUs"))
                listener = _Listener(SPU, f"SPU {spu_id}", endpoint, Endpoint(self._host, 0))
                server = await self._bind(listener)
                await server.start_serving()
                self._spus[spu_id] = listener
            elif listener.target != endpoint:
                listener.target = endpoint
                self._tell_where(listener)
            return listener.address.port


class _Way:
    """One direction of one connection."""

    def __init__(
        self, relay: Relay, connection: int, direction: Direction, host: str, ended: list[str]
    ) -> None:
        """`host`: where the client found the tap; `ended` gets why the direction is over."""
        self._relay, self._connection, self._direction = relay, connection, direction
        self._host, self._ended = host, ended
        self._follower = relay.follower(connection, direction)

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the sender has no more. Raises `OSError`."""
        try:
            while data := await reader.read(CHUNK_BYTES):
                at_ns = self._relay.now_ns()
                for step in self._follower.feed(data):
                    if isinstance(step, Whole) and step.is_held:
                        await self._pass_changed(at_ns, step.payload, writer)
                    else:
                        self._pass(at_ns, step, writer)
                await writer.drain()
        finally:
            rest = self._follower.end()
        if rest is not None:
            self._pass(self._relay.now_ns(), rest, writer)
        self._ended.append("closed by the client" if self._direction == "request" else "closed by the server")
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()

    def _pass(self, at_ns: int, step: Pass | Whole | Part | Loose, writer: asyncio.StreamWriter) -> None:
        if isinstance(step, Pass):
            writer.write(step.data)
        elif isinstance(step, Whole):
            self._take(at_ns, step.payload, len(step.payload))
        elif isinstance(step, Part):
            self._take(at_ns, step.payload, step.size, step.number, step.reason)
        else:
            writer.write(step.data)
            self._take(at_ns, step.data, 0, reason=step.reason)

    async def _pass_changed(self, at_ns: int, payload: bytes, writer: asyncio.StreamWriter) -> None:
        changed, remark = await self._relay.rewritten(self._connection, payload, self._host)
        self._take(at_ns, payload, len(payload), remark=remark, is_rewritten=changed != payload)
        writer.write(LENGTH.pack(len(changed)) + changed)

    def _take(
        self,
        at_ns: int,
        payload: bytes,
        size: int,
        part: int | None = None,
        reason: str = "",
        *,
        remark: str = "",
        is_rewritten: bool = False,
    ) -> None:
        self._relay.take(
            Frame(at_ns, self._connection, self._direction, payload, size, part, reason, remark, is_rewritten)
        )
