"""What the official Python client does against one cluster, in a process of its own.

`python -m tests.bench.official_client ENDPOINT TOPIC RECORDS SIZE SINGLES` runs three tasks and prints one
JSON object: seconds to produce RECORDS records of SIZE bytes and have all acknowledged; seconds to consume
them, with the offsets that are missing counted; seconds of each of SINGLES records sent and awaited alone.
"""

import json
import sys
import time
from typing import Any

from fluvio import Fluvio, FluvioConfig, Offset  # type: ignore[import-untyped]

CHUNK = 1000  # records given to the client in one call


def produce(client: Any, topic: str, count: int, size_bytes: int) -> float:
    """Seconds until all are acknowledged. Raises if one is not."""
    producer = client.topic_producer(topic)
    value = b"x" * size_bytes
    chunks = [[(b"", value)] * min(CHUNK, count - start) for start in range(0, count, CHUNK)]
    begin = time.perf_counter()
    outcomes: list[Any] = []
    for chunk in chunks:
        outcomes += producer.send_all(chunk)
    producer.flush()
    seconds = time.perf_counter() - begin
    for outcome in outcomes:
        if outcome.wait() is None:
            raise RuntimeError("a record was not acknowledged")
    return seconds


def consume(client: Any, topic: str, first: int, count: int) -> tuple[float, int]:
    """Seconds from opening a stream to the last of `count` offsets from `first` on; how many never came.

    A record that never comes would make the client wait for ever: reading stops at the last offset.
    """
    begin = time.perf_counter()
    stream = client.partition_consumer(topic, 0).stream(Offset.absolute(first))
    seen, last = 0, first + count - 1
    for record in stream:
        seen += 1
        if record.offset() >= last:
            break
    return time.perf_counter() - begin, count - seen


def singles(client: Any, topic: str, count: int, size_bytes: int) -> list[float]:
    """Seconds from giving one record to its acknowledgement, one after another."""
    producer = client.topic_producer(topic)
    value = b"x" * size_bytes
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        producer.send(b"", value).wait()
        times.append(time.perf_counter() - begin)
    return times


def main(endpoint: str, topic: str, count: int, size_bytes: int, single_count: int) -> dict[str, Any]:
    """All three, in the order that leaves `count` records at the front of an empty topic."""
    client = Fluvio.connect_with_config(FluvioConfig.new(endpoint))
    produce_s = produce(client, topic, count, size_bytes)
    consume_s, missing = consume(client, topic, 0, count)
    return {
        "produce_s": produce_s,
        "consume_s": consume_s,
        "missing": missing,
        "single_s": singles(client, topic, single_count, size_bytes),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))))
