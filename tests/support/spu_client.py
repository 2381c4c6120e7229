"""A client of one SPU connection: sends requests, takes answers and pushes by their correlation ids."""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from typing import Any

from fluvio_local_cluster.net import Connection, dial
from fluvio_protocol.api.fetch import StreamFetchRequest, StreamFetchResponse
from fluvio_protocol.api.offsets import OffsetUpdate, UpdateOffsetsRequest
from fluvio_protocol.api.produce import (
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    TopicProduceData,
)
from fluvio_protocol.batch import decode_records, split
from fluvio_protocol.frame import encode_request, read_correlation_id
from fluvio_protocol.wire import Reader, decode, request_info

VERSION = 25


class SpuClient:
    """See the module; made by `connect`. For one task."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._last_id = 0
        self._answers: defaultdict[int, deque[Reader]] = defaultdict(deque)

    async def send(self, request: Any, version: int = VERSION) -> int:
        """Send; returns the correlation id."""
        self._last_id += 1
        await self.connection.send(encode_request(request, version, self._last_id))
        return self._last_id

    async def answer(self, correlation_id: int, answer_type: Any, version: int = VERSION) -> Any:
        """The next answer to that request."""
        async with asyncio.timeout(15):
            while not self._answers[correlation_id]:
                reader = Reader(await self.connection.next_frame())
                self._answers[read_correlation_id(reader)].append(reader)
        reader = self._answers[correlation_id].popleft()
        answer = decode(answer_type, reader, version)
        assert reader.remaining == 0
        return answer

    def has_answer(self, correlation_id: int) -> bool:
        """Whether an answer has come that nobody took."""
        return bool(self._answers[correlation_id])

    async def ask(self, request: Any, version: int = VERSION) -> Any:
        """Send, and take the answer."""
        correlation_id = await self.send(request, version)
        return await self.answer(correlation_id, request_info(type(request)).response, version)

    async def produce(
        self, topic: str, *record_sets: bytes | bytearray, partition: int = 0, **fields: Any
    ) -> list[PartitionProduceResponse]:
        """Produce record sets, one partition entry each."""
        entries = [PartitionProduceData(partition_index=partition, records=bytes(r)) for r in record_sets]
        request = ProduceRequest(topics=[TopicProduceData(name=topic, partitions=entries)], **fields)
        answer = await self.ask(request)
        return list(answer.responses[0].partitions)

    async def stream(self, topic: str, offset: int = 0, **fields: Any) -> "StreamReader":
        """Open a stream."""
        request = StreamFetchRequest(topic=topic, fetch_offset=offset, **fields)
        return StreamReader(self, await self.send(request))


class StreamReader:
    """One stream of a client."""

    def __init__(self, client: SpuClient, correlation_id: int) -> None:
        self.client = client
        self.correlation_id = correlation_id

    async def push(self) -> StreamFetchResponse:
        """The next push."""
        answer: StreamFetchResponse = await self.client.answer(self.correlation_id, StreamFetchResponse)
        return answer

    async def acknowledge(self, push: StreamFetchResponse, offset: int | None = None) -> Any:
        """Acknowledge a push (or seek)."""
        end = next_offset_of(push) if offset is None else offset
        update = OffsetUpdate(offset=end, session_id=push.stream_id)
        return await self.client.ask(UpdateOffsetsRequest(offsets=[update]), 0)

    async def read_to(self, end: int) -> list[tuple[int, bytes]]:
        """Records until offset `end` (exclusive), acknowledging every push; checks that batches are whole."""
        found: list[tuple[int, bytes]] = []
        while True:
            push = await self.push()
            found += records_of(push)
            await self.acknowledge(push)
            if next_offset_of(push) >= end:
                return found


def next_offset_of(push: StreamFetchResponse) -> int:
    """Where a consumer goes on after a push."""
    return split(push.partition.records)[-1].next_offset


def records_of(push: StreamFetchResponse) -> list[tuple[int, bytes]]:
    """Offsets and values of a push, which must consist of whole batches."""
    data = memoryview(push.partition.records)
    headers = split(data)
    assert sum(header.size_bytes for header in headers) == len(data)
    return [(record.offset, record.value) for header in headers for record in decode_records(data, header)]


@contextlib.asynccontextmanager
async def connect(port: int) -> AsyncIterator[SpuClient]:
    """A connection to the public port of an SPU."""
    async with dial("127.0.0.1", port) as connection:
        yield SpuClient(connection)
