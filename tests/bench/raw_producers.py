"""Producers that cost next to nothing: requests made beforehand, sent over bare sockets from one process.

`python -m tests.bench.raw_producers ENDPOINT TOPIC SECONDS CONNECTIONS RECORD_BYTES RECORDS BATCHES` opens
CONNECTIONS connections to the leader of each partition of TOPIC. Each sends a request of BATCHES batches with
RECORDS records of RECORD_BYTES, waits for the answer, and sends it again, for SECONDS after a warm-up. Prints
one JSON object: requests acknowledged, seconds, batch bytes of one request.
"""

import json
import os
import select
import socket
import sys
import time
from collections.abc import Mapping

from fluvio_client.blocking import BlockingAdmin
from fluvio_client.session import Session
from fluvio_protocol.api.produce import (
    PartitionProduceData,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
)
from fluvio_protocol.batch import BatchBuilder
from fluvio_protocol.error_code import ErrorKind

_WARM_UP_S = 0.5
_ANSWER_S = 30.0


def main(
    endpoint: str, topic: str, seconds: float, connections: int, record_bytes: int, records: int, batches: int
) -> dict[str, float]:
    """See the module. Raises `RuntimeError` when a request is refused or not answered in time."""
    builder = BatchBuilder(int(time.time() * 1000))
    for _ in range(records):
        builder.append(None, os.urandom(record_bytes), builder.first_timestamp)
    batch = bytes(builder.build())
    producers = [
        _Producer(address, topic, number, [batch] * batches)
        for number, address in _leaders(endpoint, topic).items()
        for _ in range(connections)
    ]
    poll = select.epoll()
    by_descriptor = {producer.socket.fileno(): producer for producer in producers}
    for descriptor, producer in by_descriptor.items():
        poll.register(descriptor, select.EPOLLIN)
        producer.begin()
    _run(poll, by_descriptor, min(_WARM_UP_S, seconds))
    begin = time.perf_counter()
    acknowledged = _run(poll, by_descriptor, seconds)
    return {
        "acknowledged": acknowledged,
        "seconds": time.perf_counter() - begin,
        "request_bytes": len(batch) * batches,
    }


def _run(poll: select.epoll, producers: "Mapping[int, _Producer]", seconds: float) -> int:
    """Answers that came in that time; each is followed by the next request."""
    end, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        ready = poll.poll(_ANSWER_S)
        if not ready:
            raise RuntimeError(f"no answer came within {_ANSWER_S:g} s")
        for descriptor, _ in ready:
            producers[descriptor].end()
            producers[descriptor].begin()
            count += 1
    return count


class _Producer:
    """One connection, one request under way."""

    def __init__(self, address: tuple[str, int], topic: str, partition: int, batches: list[bytes]) -> None:
        self.socket = socket.create_connection(address, timeout=_ANSWER_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._session = Session(is_controller=False)
        self.socket.sendall(self._session.handshake())
        self._session.handshake_done(self._frame())
        entries = [PartitionProduceData(partition_index=partition, records=batch) for batch in batches]
        request = ProduceRequest(isolation=0, topics=[TopicProduceData(name=topic, partitions=entries)])
        self._sent = self._session.request(request, is_stream=True)  # its answers come again and again

    def begin(self) -> None:
        """Send the request."""
        self.socket.sendall(self._sent.frame)

    def end(self) -> None:
        """Take the answer."""
        answer = self._session.receive(self._frame())
        body: ProduceResponse | None = None if answer is None else answer.body
        entries = [] if body is None else [entry for topic in body.responses for entry in topic.partitions]
        if not entries or any(entry.error_code.kind is not ErrorKind.NONE for entry in entries):
            raise RuntimeError(f"a request was refused: {body}")

    def _frame(self) -> bytes:
        size = int.from_bytes(self._receive(4), "big")
        return self._receive(size)

    def _receive(self, size: int) -> bytes:
        data = self.socket.recv(size, socket.MSG_WAITALL)
        if len(data) < size:
            raise RuntimeError("the SPU has closed the connection")
        return data


def _leaders(endpoint: str, topic: str) -> dict[int, tuple[str, int]]:
    """Where the leader of each partition listens."""
    with BlockingAdmin.connect(endpoint) as admin:
        spus = {spu.spec.id: spu.spec.public_endpoint for spu in admin.list_spus()}
        found = {}
        for partition in admin.list_partitions():
            name, _, number = partition.name.rpartition("-")
            if name == topic:
                place = spus[partition.spec.leader]
                found[int(number)] = (place.host, place.port)
    return found


if __name__ == "__main__":
    text, numbers = sys.argv[1:3], sys.argv[4:8]
    print(json.dumps(main(text[0], text[1], float(sys.argv[3]), *map(int, numbers))))
