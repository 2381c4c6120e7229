"""What the official Python client (`fluvio` from the registry) is made to do, in a process of its own.

`run(endpoint, task, ...)` runs one of the functions below in a new interpreter with a time limit, and returns
what it returned (as JSON carries it). The client keeps the interpreter lock while it waits for a record, so a
test that used it in its own process could neither time out nor do anything else meanwhile.
"""

import inspect
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

# Where there is one it must be installed, as `make setup` does: without it the tests fail.
HAS_WHEEL = sys.version_info < (3, 14)
NO_WHEEL = "the official client has no wheel for this Python"

ROOT = Path(__file__).parent.parent.parent
_RESULT = "result "


# --- this side: the test -----------------------------------------------------------------------------------


class Running:
    """A task that is running. Leave the `with` block and its process is gone."""

    def __init__(self, endpoint: str, task: Callable[..., Any], **arguments: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, endpoint, task.__name__, json.dumps(arguments)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def next_line(self) -> str:
        """The next line that the task says (see `say`); an empty one when it has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def result(self, timeout_s: float) -> Any:
        """Wait for the end; fails with the error output of the task if it raised or takes too long."""
        try:
            out, err = self._process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            out, err = self._process.communicate()
            raise AssertionError(
                f"the client has not ended within {timeout_s} s: {out[-500:]}{err}"
            ) from None
        assert self._process.returncode == 0, f"the client failed: {err}"
        last = out.splitlines()[-1]
        assert last.startswith(_RESULT)
        return json.loads(last.removeprefix(_RESULT))


def run(endpoint: str, task: Callable[..., Any], timeout_s: float = 30.0, **arguments: Any) -> Any:
    """Run `task` to its end against the cluster at `endpoint`."""
    with Running(endpoint, task, **arguments) as running:
        return running.result(timeout_s)


# --- the other side: tasks, each called with the endpoint --------------------------------------------------


def say(text: str) -> None:
    """Tell the test something while the task runs."""
    print(text, flush=True)


def _client(endpoint: str) -> Any:
    from fluvio import Fluvio, FluvioConfig

    return Fluvio.connect_with_config(FluvioConfig.new(endpoint))


def _admin(endpoint: str) -> Any:
    from fluvio import FluvioAdmin, FluvioConfig

    return FluvioAdmin.connect_with_config(FluvioConfig.new(endpoint))


def _offset(start: list[Any]) -> Any:
    """From a name and arguments: ["absolute", 3]."""
    from fluvio import Offset

    return getattr(Offset, start[0])(*start[1:])


def _rows(records: Iterator[Any]) -> list[list[Any]]:
    """[offset, key, value] of each; the client shows an absent key as an empty one."""
    return [[record.offset(), record.key_string(), record.value_string()] for record in records]


def create_topics(endpoint: str, specs: dict[str, dict[str, Any]]) -> None:
    """Create topics; a spec names what `TopicSpec.create().with_...` takes."""
    from fluvio import TopicSpec

    admin = _admin(endpoint)
    for name, settings in specs.items():
        spec = TopicSpec.create()
        for setting, value in settings.items():
            spec = getattr(spec, f"with_{setting}")(value)
        admin.create_topic(name, spec.build())


def delete_topics(endpoint: str, names: list[str]) -> None:
    """Delete topics."""
    admin = _admin(endpoint)
    for name in names:
        admin.delete_topic(name)


def list_topics(endpoint: str, filters: list[str]) -> list[str]:
    """Names of topics; no filters: of all."""
    admin = _admin(endpoint)
    found = admin.list_topics(filters) if filters else admin.all_topics()
    return [topic.name() for topic in found]


def list_partitions(endpoint: str) -> list[str]:
    """Names of partitions."""
    return [partition.name() for partition in _admin(endpoint).list_partitions([])]


def watch_topics(endpoint: str) -> list[list[str]]:
    """Names in the snapshot, then of what one creation and one deletion change, with what happened."""
    admin, seen = _admin(endpoint), []
    watch = admin.watch_topic()
    for update in islice(watch, 1):
        seen.append(sorted(topic.name() for topic in update.all()))
    other = _admin(endpoint)
    other.create_topic("watched")
    other.delete_topic("watched")
    for update in watch:
        for change in update.changes():
            name = change.metadata_topic_spec().name()
            seen.append([name, "update" if change.is_update() else "delete"])
            if change.is_delete():
                return seen
    raise AssertionError("the watch has ended")


def failures(endpoint: str, calls: list[list[Any]]) -> list[list[Any]]:
    """[text of the error or "no error", seconds] of each call: ["delete_topic", "name"]."""
    results: list[list[Any]] = []
    for name, *arguments in calls:
        target = _admin(endpoint) if name.endswith("_topic") else _client(endpoint)
        begin = time.monotonic()
        try:
            getattr(target, name)(*arguments)
            if name == "partition_consumer":
                getattr(target, name)(*arguments).stream(_offset(["beginning"]))
            text = "no error"
        except Exception as exc:  # noqa: BLE001 - the client raises what it likes; the test judges the text
            text = str(exc)
        results.append([text, time.monotonic() - begin])
    return results


def produce(
    endpoint: str,
    topic: str,
    records: list[list[str]],
    config: dict[str, Any] | None = None,
    at_once: bool = False,
) -> list[list[int]]:
    """Produce [key, value]s one by one or `at_once`; returns [partition, offset] of each.

    A record without a key goes through `send_string`. `config` names methods of the client's builder.
    """
    from fluvio import Compression, DeliverySemantic, Isolation, TopicProducerConfigBuilder

    kinds = {
        "compression": Compression,
        "isolation": Isolation,
        "delivery_semantic": DeliverySemantic,
    }
    builder = TopicProducerConfigBuilder()
    for name, value in (config or {}).items():
        getattr(builder, name)(getattr(kinds[name], value) if name in kinds else value)
    producer = _client(endpoint).topic_producer_with_config(topic, builder.build())
    if at_once:
        outcomes = producer.send_all([(key.encode(), value.encode()) for key, value in records])
    else:
        outcomes = [
            producer.send(record[0].encode(), record[1].encode())
            if len(record) == 2
            else producer.send_string(record[0])
            for record in records
        ]
    producer.flush()
    answers = [outcome.wait() for outcome in outcomes]
    return [[answer.partition_id(), answer.offset()] for answer in answers]


def consume(
    endpoint: str,
    topic: str,
    start: list[Any],
    count: int | None = None,
    partition: int | None = 0,
    max_bytes: int | None = None,
) -> list[list[Any]]:
    """Read `count` records, or else to the end as it was at the beginning. No partition: all of them."""
    from fluvio import ConsumerConfigExtBuilder

    builder = ConsumerConfigExtBuilder(topic)
    builder.offset_start(_offset(start))
    if partition is not None:
        builder.partition(partition)
    if max_bytes is not None:
        builder.max_bytes(max_bytes)
    if count is None:
        builder.disable_continuous()
    return _rows(islice(_client(endpoint).consumer_with_config(builder.build()), count))


def consume_partition(
    endpoint: str, topic: str, start: list[Any], count: int, partition: int | None = 0
) -> list[list[Any]]:
    """As `consume`, by the client's older interface, which does not reconnect."""
    client = _client(endpoint)
    if partition is None:
        consumer = client.multi_partition_consumer(topic)
    else:
        consumer = client.partition_consumer(topic, partition)
    return _rows(islice(consumer.stream(_offset(start)), count))


def consume_new(endpoint: str, topic: str, producing: list[list[str]]) -> list[list[Any]]:
    """Open a stream at the end, then produce, then read what was produced."""
    client = _client(endpoint)
    stream = client.partition_consumer(topic, 0).stream(_offset(["end"]))
    producer = client.topic_producer(topic)
    for key, value in producing:
        producer.send(key.encode(), value.encode())
    producer.flush()
    return _rows(islice(stream, len(producing)))


def consume_managed(
    endpoint: str, topic: str, consumer: str, count: int, strategy: str, commit: int = 0
) -> list[list[Any]]:
    """Read `count` records as a consumer whose offsets the cluster keeps.

    MANUAL: after `commit` records the offset is committed, and flushed at the end. AUTO: the client commits
    each record, and sends the last offset some time after the stream was dropped: this is awaited.
    """
    from fluvio import ConsumerConfigExtBuilder, Offset, OffsetManagementStrategy

    builder = ConsumerConfigExtBuilder(topic)
    builder.offset_start(Offset.beginning())
    builder.offset_strategy(getattr(OffsetManagementStrategy, strategy))
    builder.offset_consumer(consumer)
    builder.partition(0)
    client = _client(endpoint)
    stream = client.consumer_with_config(builder.build())
    rows: list[list[Any]] = []
    for number in range(1, count + 1):
        rows += _rows(iter([next(stream)]))
        if number == commit:
            stream.offset_commit()
    if commit:
        stream.offset_flush()
    if strategy == "AUTO":
        del stream
        deadline = time.monotonic() + 10
        wanted = (consumer, rows[-1][0])
        while wanted not in [(each.consumer_id, each.offset) for each in client.consumer_offsets()]:
            assert time.monotonic() < deadline, "the client has not sent its last offset"
    return rows


def list_consumer_offsets(endpoint: str) -> list[list[Any]]:
    """[consumer, topic, partition, offset] of each."""
    return [
        [each.consumer_id, each.topic, each.partition, each.offset]
        for each in _client(endpoint).consumer_offsets()
    ]


def delete_consumer_offset(endpoint: str, consumer: str, topic: str) -> None:
    """Forget one."""
    _client(endpoint).delete_consumer_offset(consumer, topic, 0)


def produce_many(endpoint: str, topic: str, count: int, size_bytes: int) -> float:
    """Produce numbered records and have all acknowledged; returns the seconds that took."""
    producer = _client(endpoint).topic_producer(topic)
    outcomes: list[Any] = []
    begin = time.monotonic()
    for start in range(0, count, 1000):
        numbers = range(start, min(start + 1000, count))
        outcomes += producer.send_all([(b"", f"{number:0{size_bytes}d}".encode()) for number in numbers])
    producer.flush()
    for number, outcome in enumerate(outcomes):
        assert outcome.wait().offset() == number
    return time.monotonic() - begin


def consume_many(endpoint: str, topic: str, count: int, size_bytes: int) -> tuple[float, list[int]]:
    """Read to offset `count` - 1; returns the seconds that took and the numbers that are missing or wrong."""
    stream = _client(endpoint).partition_consumer(topic, 0).stream(_offset(["beginning"]))
    begin = time.monotonic()
    missing, expected = [], 0
    for record in stream:
        offset, value = record.offset(), record.value_string()
        missing += range(expected, offset)
        expected = offset + 1
        if len(value) != size_bytes or int(value[-10:]) != offset:
            missing.append(offset)
        if offset == count - 1:
            break
    return time.monotonic() - begin, missing


def consume_in_two_parts(endpoint: str, topic: str, first: int, second: int) -> list[list[Any]]:
    """Read `first` records, say so, and read `second` more from the same stream, whatever happens."""
    from fluvio import ConsumerConfigExtBuilder

    builder = ConsumerConfigExtBuilder(topic)
    builder.offset_start(_offset(["beginning"]))
    builder.partition(0)
    stream = _client(endpoint).consumer_with_config(builder.build())
    rows = _rows(islice(stream, first))
    say("first part is read")
    return rows + _rows(islice(stream, second))


def consume_until_it_fails(endpoint: str, topic: str) -> list[Any]:
    """Read from the beginning, say each record; returns the number of records and the failure.

    With the client's older interface: the newer one takes every error for one that passes, opens the stream
    again some twenty times, and then panics.
    """
    stream = _client(endpoint).partition_consumer(topic, 0).stream(_offset(["beginning"]))
    count = 0
    try:
        for record in stream:
            count += 1
            say(f"read {record.value_string()}")
    except Exception as exc:  # noqa: BLE001 - the client raises what it likes; the test judges the text
        return [count, str(exc)]
    return [count, "no error"]


def produce_in_chunks(endpoint: str, topic: str, count: int, chunk: int) -> list[int | None]:
    """Produce numbered records, a chunk at a time; before each, say so.

    Returns the offset at which each was acknowledged, None for those that were not. A producer whose record
    failed is replaced: it may stay broken after its connection was lost.
    """
    client = _client(endpoint)
    producer = client.topic_producer(topic)
    offsets: list[int | None] = []
    while len(offsets) < count:
        numbers = range(len(offsets), min(len(offsets) + chunk, count))
        outcomes: list[Any] = []
        failure = None
        say(f"sending from {len(offsets)}")
        try:
            outcomes = producer.send_all([(b"", b"%08d" % number) for number in numbers])
            producer.flush()
        except Exception as exc:  # noqa: BLE001 - the client raises what it likes
            failure = exc
        acknowledged: list[int | None] = []
        for outcome in outcomes:
            try:
                acknowledged.append(outcome.wait().offset())
            except Exception as exc:  # noqa: BLE001
                acknowledged.append(None)
                failure = exc
        offsets += acknowledged + [None] * (len(numbers) - len(acknowledged))
        if failure is not None:
            say(f"failed {failure}")
            producer = client.topic_producer(topic)
    return offsets


def main(endpoint: str, task: str, arguments: str) -> None:
    """Run one task and print its result."""
    function = globals()[task]
    assert inspect.isfunction(function)
    result = function(endpoint, **json.loads(arguments))
    say(_RESULT + json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:4])
