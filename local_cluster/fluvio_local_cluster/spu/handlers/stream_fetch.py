"""Stream fetch: push batches of one partition as its consumer acknowledges them.

Layout and rules: docs/protocol.md, "StreamFetch". Each stream is a task of its connection; `StreamFlow`
decides, the task reads slices of whole batches and sends them straight from the segment file. UpdateOffsets
acknowledges, on the same connection.
"""

from time import perf_counter

from fluvio_local_cluster.net import ConnectionClosedError
from fluvio_local_cluster.spu.handlers.failures import code_for, smartmodule_refusal
from fluvio_local_cluster.spu.leader import LeaderReplica
from fluvio_local_cluster.spu.metrics import SpuMetrics
from fluvio_local_cluster.spu.replica.stream import StreamFlow, StreamState
from fluvio_local_cluster.spu.replicas import ReplicaManager
from fluvio_local_cluster.spu.session import MAX_STREAMS, ClientSession, Stream
from fluvio_local_cluster.storage import Slice, StorageError
from fluvio_protocol.api.fetch import FetchablePartitionResponse, StreamFetchRequest, StreamFetchResponse
from fluvio_protocol.api.offsets import (
    OffsetUpdateStatus,
    UpdateOffsetsRequest,
    UpdateOffsetsResponse,
)
from fluvio_protocol.error_code import OK, ErrorCode, ErrorKind, code, other
from fluvio_protocol.frame import LENGTH, RequestHeader, encode_response
from fluvio_types.defaults import SLICE_MAX_BYTES

_COPY_BYTES = 64 * 1024  # a smaller slice is cheaper to read and write than to send as a file (measured)

_NO_SESSION = code(ErrorKind.FETCH_SESSION_NOT_FOUND)


class StreamFetchHandler:
    """Handles StreamFetch and UpdateOffsets; `smartmodules` are the names of those that exist."""

    def __init__(self, replicas: ReplicaManager, smartmodules: set[str], max_streams: int) -> None:
        """`max_streams`: of all connections."""
        self._max_streams, self._count = max_streams, 0
        self._replicas = replicas
        self._smartmodules = smartmodules

    async def handle(
        self, session: ClientSession, header: RequestHeader, request: StreamFetchRequest
    ) -> None:
        """Start a stream; all its answers carry the correlation id of the request."""
        push = _Pusher(session, header, request, self._replicas.metrics)
        leader = self._replicas.find(request.topic, request.partition)
        if leader is None:
            await push.error(0, code(ErrorKind.NOT_LEADER_FOR_PARTITION))
            return
        refusal = self._refusal(session, request)
        stream_id = session.next_stream_id()
        if refusal is not None:
            await push.error(stream_id, refusal)
            return
        max_bytes = min(max(request.max_bytes, 1), SLICE_MAX_BYTES)
        flow = StreamFlow(request.fetch_offset, max_bytes, request.isolation)
        stream = Stream(stream_id, leader.key, flow, request.consumer_id, leader.incarnation)
        session.streams[stream_id] = stream
        name = f"stream {stream_id} of {request.topic}-{request.partition}"
        session.connection.spawn(name, self._run_counted(session, stream, leader, push))

    @property
    def open_streams(self) -> int:
        """Streams of all connections."""
        return self._count

    async def _run_counted(
        self, session: ClientSession, stream: Stream, leader: LeaderReplica, push: "_Pusher"
    ) -> None:
        self._count += 1
        try:
            await _run(session, stream, leader, push)
        finally:
            self._count -= 1

    def _refusal(self, session: ClientSession, request: StreamFetchRequest) -> ErrorCode | None:
        invocations = list(request.smartmodules)
        if request.smartmodule is not None:
            invocations.append(request.smartmodule)
        refusal = smartmodule_refusal(invocations, self._smartmodules)
        if refusal is not None:
            return refusal
        if request.wasm_module:
            return code(ErrorKind.SMARTMODULE_CHAIN_INIT_ERROR, "not supported yet: running SmartModules")
        if request.derivedstream is not None:
            return code(ErrorKind.DERIVED_STREAM_INVALID, request.derivedstream.stream)
        if len(session.streams) >= MAX_STREAMS:
            return other(f"a connection has at most {MAX_STREAMS} streams: close it, or use another one")
        if self._count >= self._max_streams:
            return other(f"this SPU has at most {self._max_streams} streams, see `--max-streams`")
        return None

    async def handle_update_offsets(
        self, session: ClientSession, header: RequestHeader, request: UpdateOffsetsRequest
    ) -> None:
        """Acknowledge pushes, each of which lets its stream go on from the offset given.

        The answer leaves together with the slice that follows, if there is one at once.
        """
        status: list[OffsetUpdateStatus] = []
        for update in request.offsets:
            stream = session.streams.get(update.session_id)
            if stream is None:
                status.append(OffsetUpdateStatus(session_id=update.session_id, error=_NO_SESSION))
                continue
            stream.flow.acknowledge(update.offset)
            stream.wake.set()
            status.append(OffsetUpdateStatus(session_id=update.session_id))
        answer = UpdateOffsetsResponse(status=status)
        session.connection.write_soon(encode_response(answer, header.api_version, header.correlation_id))
        await session.connection.drain()


async def _run(session: ClientSession, stream: Stream, leader: LeaderReplica, push: "_Pusher") -> None:
    """Push until the connection closes, the replica ends or reading fails."""
    flow, wake = stream.flow, stream.wake
    leader.watch(wake)
    try:
        while True:
            wake.clear()
            if leader.ended is not None:
                flow.end()
                await push.error(stream.stream_id, leader.ended)
                return
            try:
                if flow.next_read(leader.leo, leader.hw) is not None:
                    async with session.turn:  # who waits for a consumer that takes nothing holds no slice
                        if await _push_next(stream, leader, push):
                            continue
                if flow.state is StreamState.READING:
                    leader.watch_move(wake)
                await wake.wait()
            except StorageError as exc:
                if leader.ended is not None:
                    continue
                flow.end()
                await push.error(stream.stream_id, code_for(exc, *stream.key))
                return
    except ConnectionClosedError:
        return
    finally:
        leader.unwatch(wake)
        session.streams.pop(stream.stream_id, None)


async def _push_next(stream: Stream, leader: LeaderReplica, push: "_Pusher") -> bool:
    """Send what is due; whether to look again at once."""
    if leader.ended is not None:
        return True
    read = stream.flow.next_read(leader.leo, leader.hw)
    piece = None if read is None else await leader.read(read.start, read.max_bytes, read.upper)
    if piece is None:
        return False
    with piece:
        stream.flow.sent(piece.next_offset)
        await push.records(stream.stream_id, leader, piece)
    return True


class _Pusher:
    """Writes the answers of one stream."""

    __slots__ = ("_connection", "_header", "_metrics", "_request")

    def __init__(
        self, session: ClientSession, header: RequestHeader, request: StreamFetchRequest, metrics: SpuMetrics
    ) -> None:
        self._metrics = metrics
        self._connection = session.connection
        self._header = header
        self._request = request

    async def error(self, stream_id: int, error: ErrorCode) -> None:
        """An answer without records; the stream is over."""
        await self._connection.send(self._encode(stream_id, error, 0, 0))

    async def records(self, stream_id: int, leader: LeaderReplica, piece: Slice) -> None:
        """An answer with a slice of the log: its bytes are the last field, so they follow what is encoded."""
        began_s = perf_counter()
        head = self._encode(stream_id, OK, leader.hw, leader.log.log_start)
        size = piece.size_bytes
        LENGTH.pack_into(head, 0, len(head) - LENGTH.size + size)
        LENGTH.pack_into(head, len(head) - LENGTH.size, size)
        if size <= _COPY_BYTES:
            await self._connection.send(head, piece.read_bytes())
        else:
            await self._connection.send_slice(head, piece, piece.position, size)
        self._metrics.pushed(self._header.client_id, piece, began_s)

    def _encode(self, stream_id: int, error: ErrorCode, hw: int, log_start: int) -> bytearray:
        answer = StreamFetchResponse(
            topic=self._request.topic,
            stream_id=stream_id,
            partition=FetchablePartitionResponse(
                partition_index=self._request.partition,
                error_code=error,
                high_watermark=hw,
                log_start_offset=log_start,
            ),
        )
        return encode_response(answer, self._header.api_version, self._header.correlation_id)
