"""A peer that may send a server anything, and a well-behaved client that notices when it is served late."""

import socket
import threading
import time
from typing import Any, Self

from fluvio_client.blocking import BlockingAdmin
from fluvio_protocol.api.api_versions import ApiVersionsRequest
from fluvio_protocol.api.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from fluvio_protocol.error_code import ErrorCode
from fluvio_protocol.frame import encode_request, read_correlation_id
from fluvio_protocol.wire import Reader, decode, request_info
from tests.support.raw_cluster import HOST, RawCluster
from tests.support.record_sets import one_batch

VERSION = 25
_ANSWER_S = 10.0
_PAUSE_S = 0.01  # between two requests of the steady client


class RawPeer:
    """One blocking connection. Every wait ends after `timeout_s` with `TimeoutError`."""

    def __init__(self, port: int, timeout_s: float = _ANSWER_S) -> None:
        self._socket = socket.create_connection((HOST, port), timeout=timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local_port: int = self._socket.getsockname()[1]
        self._last_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()

    def send(self, data: bytes | bytearray) -> None:
        """Send bytes as they are; what a server that has closed already makes of them does not matter."""
        try:
            self._socket.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            pass

    def end_sending(self) -> None:
        """Say that nothing more will come; answers can still be read."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # closed already

    def ask(self, request: Any, version: int = VERSION) -> Any:
        """Send a request and return its answer. Raises `ConnectionError` if the server closes instead."""
        self._last_id += 1
        self._socket.sendall(encode_request(request, version, self._last_id))
        payload = self._receive(int.from_bytes(self._receive(4), "big"))
        reader = Reader(payload)
        assert read_correlation_id(reader) == self._last_id
        return decode(request_info(type(request)).response, reader, version)

    def shake_hands(self) -> None:
        """Do what every client does first."""
        answer = self.ask(ApiVersionsRequest(client_version="0.1.0", client_os="", client_arch=""), 2)
        assert answer.api_keys

    def _receive(self, size: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            data = self._socket.recv(size - len(received))
            if not data:
                raise ConnectionResetError("closed by the server")
            received += data
        return bytes(received)

    def read_to_end(self, timeout_s: float = _ANSWER_S) -> int:
        """Wait until the server closes; returns how many bytes came. Raises `TimeoutError`."""
        deadline, size = time.monotonic() + timeout_s, 0
        while True:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self._socket.recv(1 << 20)
            except ConnectionResetError:
                return size
            if not data:
                return size
            size += len(data)

    def is_closed_within(self, timeout_s: float) -> bool:
        """Whether the server closes in that time."""
        try:
            self.read_to_end(timeout_s)
        except TimeoutError:
            return False
        return True


class SteadyClient:
    """Lists topics and produces, over and over, in a thread, while its `with` block runs.

    It has two connections. Leaving the block raises what went wrong, and fails if an answer took longer than
    `bound_s`.
    """

    def __init__(self, cluster: RawCluster, topic: str, bound_s: float = 1.0) -> None:
        self._admin: BlockingAdmin = cluster.admin()
        self._spu = RawPeer(cluster.spus[0].public_port)
        self._spu.shake_hands()
        self._topic, self._bound_s = topic, bound_s
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failure: BaseException | None = None
        self.slowest_s = 0.0
        self.answers = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._is_over.set()
        self._thread.join(2 * _ANSWER_S)
        self._admin.close()
        self._spu.close()
        if kind is None:
            if self._failure is not None:
                raise AssertionError(f"the steady client failed: {self._failure!r}") from self._failure
            assert self.answers > 0
            assert self.slowest_s < self._bound_s, f"an answer took {self.slowest_s:.3f} s"

    def _run(self) -> None:
        try:
            while not self._is_over.is_set():
                self._one_round()
                self._is_over.wait(_PAUSE_S)
        except BaseException as exc:  # noqa: BLE001 - raised in __exit__
            self._failure = exc

    def _one_round(self) -> None:
        begin = time.monotonic()
        assert [topic.name for topic in self._admin.list_topics([self._topic])] == [self._topic]
        listed = time.monotonic()
        assert produce(self._spu, self._topic, one_batch(b"steady")).is_ok
        self.slowest_s = max(self.slowest_s, listed - begin, time.monotonic() - listed)
        self.answers += 2


def produce(peer: RawPeer, topic: str, records: bytes | bytearray) -> ErrorCode:
    """Produce one record set to partition 0; returns what the SPU says."""
    entry = PartitionProduceData(partition_index=0, records=bytes(records))
    answer = peer.ask(ProduceRequest(topics=[TopicProduceData(name=topic, partitions=[entry])]))
    code: ErrorCode = answer.responses[0].partitions[0].error_code
    return code
