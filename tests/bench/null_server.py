"""A controller and an SPU that do nothing: the ceiling for a client in a benchmark.

`python -m tests.bench.null_server RECORDS SIZE` serves one topic with one partition on free ports, prints
the controller's address, and ends when its standard input does. It acknowledges what is produced without
looking at it or keeping it, and answers a stream with the same RECORDS records of SIZE bytes each time,
whole batches made once, in slices of up to 1 MiB, the next one when the last is acknowledged.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Any, cast

from fluvio_protocol.api.admin import (
    ListEnvelope,
    ListResponse,
    Metadata,
    MetadataUpdate,
    TypedPayload,
    WatchEnvelope,
    wrap,
)
from fluvio_protocol.api.api_versions import ApiVersionKey, ApiVersionsResponse
from fluvio_protocol.api.fetch import FetchablePartitionResponse, StreamFetchRequest, StreamFetchResponse
from fluvio_protocol.api.offsets import (
    FetchOffsetPartitionResponse,
    FetchOffsetsResponse,
    FetchOffsetTopicResponse,
    OffsetUpdateStatus,
    UpdateOffsetsRequest,
    UpdateOffsetsResponse,
)
from fluvio_protocol.api.partition import PartitionResolution, PartitionSpec, PartitionStatus, ReplicaStatus
from fluvio_protocol.api.produce import (
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceResponse,
)
from fluvio_protocol.api.spu import (
    Endpoint,
    IngressAddr,
    IngressPort,
    SpuSpec,
    SpuStatus,
    SpuStatusResolution,
)
from fluvio_protocol.api.topic import TopicReplicaParam, TopicResolution, TopicSpec, TopicStatus
from fluvio_protocol.batch import BatchBuilder, split, stamp
from fluvio_protocol.frame import FrameSplitter, RequestHeader, encode_response, read_request_header
from fluvio_protocol.wire import Reader, decode
from fluvio_types.defaults import BATCH_BYTES, PLATFORM_VERSION

TOPIC = "bench"
SPU_ID = 5001
SLICE_BYTES = 1_048_576
_SC_KEYS = ((1001, 9, 19), (1002, 1, 19), (1003, 15, 19), (1004, 15, 19), (1005, 14, 19), (1006, 1, 19))
_SPU_KEYS = ((0, 0, 25), (1, 0, 25), (1002, 25, 25), (1003, 0, 25), (1005, 0, 0))


def make_batches(count: int, size_bytes: int, batch_bytes: int = BATCH_BYTES) -> list[bytes]:
    """`count` records of `size_bytes` in batches as clients make, at most `batch_bytes`, with offsets."""
    batches, offset, value = list[bytes](), 0, b"x" * size_bytes
    values = [value] * count
    while offset < count:
        builder = BatchBuilder(1_700_000_000_000)
        stop = builder.extend(values, offset, batch_bytes, 1_700_000_000_000)
        if stop == offset:  # a record above the limit gets a batch of its own
            builder.append(None, value, 1_700_000_000_000)
            stop = offset + 1
        batch = builder.build()
        stamp(batch, 0, offset, 0)
        batches.append(bytes(batch))
        offset = stop
    return batches


def in_slices(batches: list[bytes]) -> Iterator[bytes]:
    """Put whole batches together, as many as SLICE_BYTES hold."""
    waiting, size = list[bytes](), 0
    for batch in batches:
        if waiting and size + len(batch) > SLICE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
        waiting.append(batch)
        size += len(batch)
    if waiting:
        yield b"".join(waiting)


class _Framed(asyncio.Protocol):
    """Cuts frames, answers ApiVersions, hands the rest to `serve`."""

    keys: tuple[tuple[int, int, int], ...]
    platform_version: str

    def __init__(self) -> None:
        self.splitter = FrameSplitter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for payload in self.splitter.feed(data):
            reader = Reader(payload)
            header = read_request_header(reader)
            if header.api_key == 18:
                keys = [ApiVersionKey(api_key=k, min_version=a, max_version=b) for k, a, b in self.keys]
                self.answer(
                    header, ApiVersionsResponse(api_keys=keys, platform_version=self.platform_version)
                )
            else:
                self.serve(header, reader)

    def answer(self, header: RequestHeader, body: Any, wire_type: Any = None) -> None:
        """Send the answer to a request."""
        self.transport.write(encode_response(body, header.api_version, header.correlation_id, wire_type))

    def serve(self, header: RequestHeader, reader: Reader) -> None:
        """Answer one request."""
        raise NotImplementedError


class NullController(_Framed):
    """Shows one topic, one partition, one SPU, and never changes."""

    keys, platform_version = _SC_KEYS, PLATFORM_VERSION

    def __init__(self, spu_port: int) -> None:
        super().__init__()
        self.objects = _objects(spu_port)

    def serve(self, header: RequestHeader, reader: Reader) -> None:
        version = header.api_version
        if header.api_key == 1004:
            asked = decode(WatchEnvelope, reader, version)
            payload: Any = MetadataUpdate(epoch=1, all=self.objects.get(asked.type, []))
            answer: TypedPayload = wrap(WatchEnvelope, asked.type, payload, version)
        elif header.api_key == 1003:
            listed = decode(ListEnvelope, reader, version)
            payload = ListResponse(inner=self.objects.get(listed.type, []))
            answer = wrap(ListEnvelope, listed.type, payload, version)
        else:
            self.transport.abort()
            return
        self.answer(header, TypedPayload(type=answer.type, payload=answer.payload))


def _objects(spu_port: int) -> dict[str, list[Any]]:
    replica = ReplicaStatus(spu=SPU_ID, hw=0, leo=0)
    spu = SpuSpec(
        id=SPU_ID,
        public_endpoint=IngressPort(port=spu_port, ingress=[IngressAddr(hostname="127.0.0.1")]),
        private_endpoint=Endpoint(port=spu_port, host="127.0.0.1"),
    )
    topic = TopicSpec(replicas=TopicReplicaParam())
    partition = PartitionSpec(leader=SPU_ID, replicas=[SPU_ID])
    return {
        "SPU": [
            Metadata(
                name=f"custom-spu-{SPU_ID}", spec=spu, status=SpuStatus(resolution=SpuStatusResolution.ONLINE)
            )
        ],
        "Topic": [
            Metadata(
                name=TOPIC,
                spec=topic,
                status=TopicStatus(resolution=TopicResolution.PROVISIONED, replica_map={0: [SPU_ID]}),
            )
        ],
        "Partition": [
            Metadata(
                name=f"{TOPIC}-0",
                spec=partition,
                status=PartitionStatus(
                    resolution=PartitionResolution.ONLINE, leader=replica, replicas=[replica]
                ),
            )
        ],
    }


class NullSpu(_Framed):
    """Acknowledges everything, streams the same slices to everybody."""

    keys, platform_version = _SPU_KEYS, "0.0.0"

    def __init__(self, slices: list[bytes], count: int) -> None:
        super().__init__()
        self.slices, self.count, self.next_offset = slices, count, 0
        self.streams: dict[int, tuple[RequestHeader, Iterator[bytes]]] = {}
        self.handlers: dict[int, Callable[[RequestHeader, Reader], None]] = {
            0: self.produce,
            1002: self.fetch_offsets,
            1003: self.stream,
            1005: self.update_offsets,
        }

    def serve(self, header: RequestHeader, reader: Reader) -> None:
        self.handlers[header.api_key](header, reader)

    def produce(self, header: RequestHeader, reader: Reader) -> None:
        """Acknowledge; only batch headers are looked at, to give offsets."""
        responses = []
        for topic in decode(ProduceRequest, reader, header.api_version).topics:
            entries = []
            for data in topic.partitions:
                entries.append(
                    PartitionProduceResponse(
                        partition_index=data.partition_index, base_offset=self.next_offset
                    )
                )
                self.next_offset += sum(batch.record_count for batch in split(data.records))
            responses.append(TopicProduceResponse(name=topic.name, partitions=entries))
        self.answer(header, ProduceResponse(responses=responses))

    def fetch_offsets(self, header: RequestHeader, reader: Reader) -> None:
        """The log is as long as its slices."""
        partition = FetchOffsetPartitionResponse(partition_index=0, last_stable_offset=self.count)
        topic = FetchOffsetTopicResponse(name=TOPIC, partitions=[partition])
        self.answer(header, FetchOffsetsResponse(topics=[topic]))

    def stream(self, header: RequestHeader, reader: Reader) -> None:
        """Send the first slice, wherever the client wants to begin."""
        decode(StreamFetchRequest, reader, header.api_version)
        stream_id = len(self.streams) + 1
        self.streams[stream_id] = header, iter(self.slices)
        self.push(stream_id)

    def update_offsets(self, header: RequestHeader, reader: Reader) -> None:
        """Send the next slice."""
        request = decode(UpdateOffsetsRequest, reader, header.api_version)
        status = [OffsetUpdateStatus(session_id=update.session_id) for update in request.offsets]
        self.answer(header, UpdateOffsetsResponse(status=status))
        for update in request.offsets:
            self.push(update.session_id)

    def push(self, stream_id: int) -> None:
        """Send one slice, if one is left."""
        header, slices = self.streams[stream_id]
        records = next(slices, None)
        if records is not None:
            partition = FetchablePartitionResponse(
                partition_index=0, high_watermark=self.count, records=records
            )
            self.answer(header, StreamFetchResponse(topic=TOPIC, stream_id=stream_id, partition=partition))


async def serve(count: int, size_bytes: int) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    slices = list(in_slices(make_batches(count, size_bytes)))
    spu = await loop.create_server(lambda: NullSpu(slices, count), "127.0.0.1", 0)
    spu_port = spu.sockets[0].getsockname()[1]
    controller = await loop.create_server(lambda: NullController(spu_port), "127.0.0.1", 0)
    print(f"127.0.0.1:{controller.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    controller.close()
    spu.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
