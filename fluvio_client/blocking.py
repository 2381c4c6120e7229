"""One server, mostly the controller, over a plain blocking socket: for commands that ask once and end.

Loads no asyncio: that alone costs a short command several times the interpreter's own start. The
conversation is `session`'s and the calls are `admin_calls`', so nothing is decided here.
"""

import socket
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

from fluvio_client import admin_calls
from fluvio_client.admin_calls import Call, CustomSpuObject, PartitionObject, SpuObject, TopicObject
from fluvio_client.errors import (
    CONNECT_HINT,
    ConnectionFailedError,
    ConnectionLostError,
    HandshakeError,
    ResponseTimeoutError,
    describe_os_error,
)
from fluvio_client.session import DEFAULT_CLIENT_ID, Answer, SentRequest, Session
from fluvio_client.target import Address, ClusterTarget, Endpoint, resolve_address
from fluvio_protocol.api.admin import MetadataUpdate, WatchEnvelope, WatchRequest, unwrap, wrap
from fluvio_protocol.api.spu import CustomSpuSpec
from fluvio_protocol.api.topic import TopicSpec
from fluvio_protocol.frame import FrameSplitter
from fluvio_protocol.wire import DecodeError
from fluvio_types.defaults import SOCKET_WAIT_S

if TYPE_CHECKING:
    from fluvio_client.admin_calls import TableFormatObject
    from fluvio_client.security import Security
    from fluvio_protocol.api.table_format import TableFormatSpec

R = TypeVar("R")
_READ_BYTES = 65_536
_MOST_UPDATES = 10_000  # of a watch, while the answer to another call is awaited


class _Deadline:
    """A point in time, and how long the wait for it is as a whole (s)."""

    __slots__ = ("at", "wait_s")

    def __init__(self, wait_s: float) -> None:
        self.at, self.wait_s = time.monotonic() + wait_s, wait_s


class BlockingConnection:
    """A connection to one server, used by one thread, one call at a time.

    Every method sends one request, waits for its answer at most `timeout_s` (that of `open` where the
    method has none), and raises `ConnectionLostError`, `ResponseTimeoutError`, `IncompatibleServerError`
    (the server is too old for the call), `DecodeError`; the connection is of no use then: close it.
    """

    def __init__(self, sock: socket.socket, endpoint: Endpoint, session: Session, timeout_s: float) -> None:
        """Use `open`. Takes over `sock`, on which the handshake has not been done yet."""
        self._socket, self._endpoint, self._session, self._timeout_s = sock, endpoint, session, timeout_s
        self._splitter = FrameSplitter()
        self._payloads: list[memoryview] = []  # frames that came together with one that was wanted
        self._updates: dict[int, list[Any]] = {}  # of watches, while another answer was awaited

    @classmethod
    def open(
        cls,
        endpoint: Endpoint,
        *,
        is_controller: bool = False,
        security: "Security | None" = None,
        client_id: str = DEFAULT_CLIENT_ID,
        timeout_s: float = SOCKET_WAIT_S,
    ) -> Self:
        """Connect and shake hands, each within `timeout_s`; without `security` nothing is encrypted.

        Raises `ConnectionFailedError`, `HandshakeError` (no Fluvio server), `IncompatibleServerError`,
        `ResponseTimeoutError`.
        """
        try:
            sock = socket.create_connection((endpoint.host, endpoint.port), timeout=timeout_s)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except socket.gaierror as exc:
            reason = f"failed to lookup address information: {exc.strerror}"
            raise ConnectionFailedError(str(endpoint), reason) from exc
        except TimeoutError as exc:
            raise ConnectionFailedError(str(endpoint), "timed out", hint=CONNECT_HINT) from exc
        except OSError as exc:
            raise ConnectionFailedError(str(endpoint), describe_os_error(exc), hint=CONNECT_HINT) from exc
        try:
            if security is not None:
                sock = _protected(sock, endpoint, security)
            session = Session(client_id=client_id, is_controller=is_controller)
            connection = cls(sock, endpoint, session, timeout_s)
            connection._shake_hands(security)
        except BaseException:
            sock.close()
            raise
        return connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def platform_version(self) -> str:
        """Version of the cluster, as its controller reports it; SPUs report 0.0.0."""
        return self._session.platform_version

    def close(self) -> None:
        """Close the connection; more than once does no harm."""
        self._socket.close()

    def call(self, body: Any, timeout_s: float | None = None) -> Any:
        """Send a request and return its decoded answer, whatever error code that holds."""
        sent = self._send(body)
        return self._answer(sent, _Deadline(self._timeout_s if timeout_s is None else timeout_s))

    def begin_stream(self, body: Any) -> None:
        """Send a request that is answered again and again. Its answers are read with others, and dropped."""
        sent = self._send(body, is_stream=True)
        self._updates[sent.correlation_id] = []

    def _shake_hands(self, security: "Security | None") -> None:
        frame = self._session.handshake()
        wanted = SentRequest(1, frame, 18, 2, None, False)
        try:
            self._transmit(frame)
            payload = self._payload(_Deadline(self._timeout_s), wanted)
            self._session.handshake_done(payload)
        except ConnectionLostError as exc:
            if security is not None:
                raise security.refusal(self._endpoint, exc.__cause__) from exc
            raise HandshakeError(str(self._endpoint), was_closed=True) from exc
        except DecodeError as exc:
            raise HandshakeError(str(self._endpoint)) from exc

    def _send(self, body: Any, *, is_stream: bool = False) -> SentRequest:
        sent = self._session.request(body, is_stream=is_stream)
        self._transmit(sent.frame)
        return sent

    def _transmit(self, frame: bytearray) -> None:
        try:
            self._socket.settimeout(self._timeout_s)
            self._socket.sendall(frame)
        except OSError as exc:
            raise ConnectionLostError(str(self._endpoint), describe_os_error(exc)) from exc

    def _answer(self, sent: SentRequest, deadline: _Deadline) -> Any:
        while True:
            answer: Answer | None = self._session.receive(self._payload(deadline, sent))
            if answer is None:
                continue
            if answer.request is sent:
                return answer.body
            if answer.request.is_stream:
                waiting = self._updates[answer.request.correlation_id]
                if len(waiting) >= _MOST_UPDATES:
                    raise ConnectionLostError(
                        str(self._endpoint), "a watch that is not read has too many updates"
                    )
                waiting.append(answer.body)

    def _payload(self, deadline: _Deadline, wanted: SentRequest) -> memoryview:
        while not self._payloads:
            left = deadline.at - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError
                self._socket.settimeout(left)
                data = self._socket.recv(_READ_BYTES)
            except TimeoutError as exc:
                raise ResponseTimeoutError(deadline.wait_s, wanted.api_key, wanted.correlation_id) from exc
            except OSError as exc:
                raise ConnectionLostError(str(self._endpoint), describe_os_error(exc)) from exc
            if not data:
                raise ConnectionLostError(str(self._endpoint))
            self._payloads.extend(self._splitter.feed(data))
        return self._payloads.pop(0)


class BlockingAdmin(BlockingConnection):
    """A connection to the controller.

    Beside what `BlockingConnection` tells, every method raises `ApiError` and its kinds when the cluster
    refuses; the connection can be used on after that.
    """

    @classmethod
    def connect(
        cls,
        target: str | ClusterTarget,
        *,
        client_id: str = DEFAULT_CLIENT_ID,
        timeout_s: float = SOCKET_WAIT_S,
    ) -> Self:
        """`open` the controller of `target`, which is host:port or a resolved profile.

        Raises what `open` does, and `CertificateError` (TLS).
        """
        return cls.at(resolve_address(target), client_id=client_id, timeout_s=timeout_s)

    @classmethod
    def at(
        cls, address: Address, *, client_id: str = DEFAULT_CLIENT_ID, timeout_s: float = SOCKET_WAIT_S
    ) -> Self:
        """As `connect`, for a target that is resolved."""
        return cls.open(
            address.endpoint,
            is_controller=True,
            security=address.security,
            client_id=client_id,
            timeout_s=timeout_s,
        )

    def list_topics(self, filters: Sequence[str] = (), *, system: bool = False) -> list[TopicObject]:
        """Topics whose name contains any of `filters` (none: all); system topics only with `system`."""
        return self._run(admin_calls.list_topics(filters, system=system))

    def list_partitions(self, *, system: bool = False) -> list[PartitionObject]:
        """All partitions; with `system` those of system topics, else those of the others."""
        return self._run(admin_calls.list_partitions(system=system))

    def list_spus(self, filters: Sequence[str] = ()) -> list[SpuObject]:
        """All SPUs whose name contains any of `filters` (none: all)."""
        return self._run(admin_calls.list_spus(filters))

    def list_custom_spus(self, filters: Sequence[str] = ()) -> list[CustomSpuObject]:
        """SPUs that somebody registered, without those of SPU groups."""
        return self._run(admin_calls.list_custom_spus(filters))

    def create_topic(
        self, name: str, spec: TopicSpec, *, dry_run: bool = False, timeout_s: float | None = None
    ) -> None:
        """Create a topic, or with `dry_run` have it checked only.

        Answered when all its partitions are online, which may take the controller up to 90 s: it then
        raises `TopicNotProvisionedError`, and the topic stays. `ResponseTimeoutError` leaves open whether
        it was created.
        """
        self._run(admin_calls.create_topic(name, spec, dry_run=dry_run), timeout_s)

    def delete_topic(self, name: str, *, force: bool = False) -> None:
        """Delete a topic; system topics only by `force`. Answered before its data are gone."""
        self._run(admin_calls.delete_topic(name, force=force))

    def add_partitions(self, topic: str, count: int) -> None:
        """Give a topic `count` partitions more; answered before they are online."""
        self._run(admin_calls.add_partitions(topic, count))

    def create_custom_spu(self, name: str, spec: CustomSpuSpec, *, dry_run: bool = False) -> None:
        """Register an SPU whose process somebody else starts."""
        self._run(admin_calls.create_custom_spu(name, spec, dry_run=dry_run))

    def delete_custom_spu(self, key: str | int, *, force: bool = False) -> None:
        """Unregister an SPU by its name or id; the only holder of a partition only by `force`."""
        self._run(admin_calls.delete_custom_spu(key, force=force))

    def list_table_formats(self, filters: Sequence[str] = ()) -> "list[TableFormatObject]":
        """Table formats whose name contains any of `filters` (none: all)."""
        return self._run(admin_calls.list_table_formats(filters))

    def create_table_format(self, spec: "TableFormatSpec") -> None:
        """Store a table layout under its own name. Raises `TableFormatAlreadyExistsError` beside the rest."""
        self._run(admin_calls.create_table_format(spec))

    def delete_table_format(self, name: str) -> None:
        """Delete a table layout. Raises `TableFormatNotFoundError` beside the rest."""
        self._run(admin_calls.delete_table_format(name))

    def watch(self, label: str, *, timeout_s: float) -> Iterator[MetadataUpdate[Any, Any]]:
        """Yield the store of `label` (`Topic`, `Partition`, `SPU`) at once, then each change as it happens.

        Ends when `timeout_s` have passed since the call, however many updates there were. Other calls may
        be made between two updates. Raises like any call.
        """
        version = self._session.version_of(WatchEnvelope)
        sent = self._send(wrap(WatchEnvelope, label, WatchRequest(), version), is_stream=True)
        deadline = _Deadline(timeout_s)
        waiting = self._updates.setdefault(sent.correlation_id, [])
        try:
            while True:
                try:
                    body = waiting.pop(0) if waiting else self._answer(sent, deadline)
                except ResponseTimeoutError:
                    return
                yield unwrap(body, version, answer_to=WatchEnvelope)
        finally:
            self._session.forget(sent.correlation_id)
            self._updates.pop(sent.correlation_id, None)

    def _run(self, call: Call[R], timeout_s: float | None = None) -> R:
        version = self._session.version_of(call.envelope)
        return call.finish(self.call(call.request(version), timeout_s), version)


def _protected(sock: socket.socket, endpoint: Endpoint, security: "Security") -> socket.socket:
    """`sock` with TLS. Raises `ConnectionFailedError`."""
    try:
        return security.context.wrap_socket(sock, server_hostname=security.server_name(endpoint))
    except TimeoutError as exc:
        raise ConnectionFailedError(str(endpoint), "timed out", hint=CONNECT_HINT) from exc
    except OSError as exc:
        raise security.failure(endpoint, exc) from exc
