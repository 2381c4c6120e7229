"""The cluster of a test session, and a client of it without `async`."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fluvio_cli.testing.records import Record, Records
from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig
from fluvio_local_cluster.lifecycle.ephemeral import EphemeralCluster, ephemeral_cluster
from fluvio_local_cluster.lifecycle.progress import Silent
from fluvio_protocol.api.topic import TopicReplicaParam, TopicSpec

_CLIENT_ID = "FLUVIO_PYTEST"
_FOREIGN = ("FLUVIO_PROFILE", "FLV_PROFILE_PATH")
Value = bytes | str


class TestCluster:
    """A running cluster; `env` is the environment in which every client and command finds it."""

    __test__ = False  # no class of tests

    def __init__(self, cluster: EphemeralCluster, environment: Mapping[str, str]) -> None:
        self._cluster = cluster
        self.endpoint = cluster.endpoint  # host:port of the controller
        self.directory = cluster.directory
        self.log_dir = cluster.log_dir  # what the servers print
        self.profile_path = cluster.places.profile_file
        self.env = {**environment, **cluster.variables()}
        self.connection = Connection(self.endpoint)

    def fluvio(self, *words: str, stdin: Value = b"", check: bool = True) -> str:
        """Run the `fluvio` command on it, and return what it prints. Raises `CalledProcessError`."""
        command = [sys.executable, "-P", "-m", "fluvio_cli", *words]
        done = subprocess.run(command, input=_bytes(stdin), capture_output=True, env=self.env, check=check)
        return done.stdout.decode()

    def keep(self) -> None:
        """Leave its files when the session ends."""
        self._cluster.keeps_files = True

    def output_ends(self) -> dict[Path, int]:
        """How much each server has printed so far (bytes)."""
        return {path: path.stat().st_size for path in sorted(self.log_dir.glob("*.log"))}

    def output_since(self, ends: Mapping[Path, int], most_bytes: int = 8_000) -> Iterator[tuple[str, str]]:
        """What servers have printed since then: name and the end of the text."""
        for path, end in self.output_ends().items():
            begin = max(ends.get(path, 0), end - most_bytes)
            if begin < end:
                with path.open("rb") as file:
                    file.seek(begin)
                    yield path.stem, file.read(end - begin).decode(errors="replace")


class Connection:
    """One async client in a thread of its own, for callers without `async` and for such in an event loop."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Future[Fluvio] = Future()
        self._is_ending = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name="fluvio client", daemon=True)

    def run(self, work: "Callable[[Fluvio], Coroutine[Any, Any, None]]") -> None:
        """Do it there, and wait for it. Raises what it raises."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread.start()
        asyncio.run_coroutine_threadsafe(work(self._client.result()), self._loop).result()

    def close(self) -> None:
        """End the client, if there is one."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._is_ending.set)
            self._thread.join()
            self._loop.close()

    def _serve(self) -> None:
        assert self._loop is not None
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._hold())

    async def _hold(self) -> None:
        try:
            async with Fluvio.connect(self._endpoint) as client:
                self._client.set_result(client)
                await self._is_ending.wait()
        except BaseException as exc:
            if self._client.done():
                raise
            self._client.set_exception(exc)


@contextmanager
def running_cluster(spu_count: int) -> Iterator[TestCluster]:
    """A cluster for the length of the block; nothing is left of it. Raises what a start raises."""
    outside = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    with ephemeral_cluster(outside, _CLIENT_ID, Silent(), spu_count=spu_count) as cluster:
        made = TestCluster(cluster, outside)
        try:
            yield made
        finally:
            made.connection.close()


class TestClient:
    """Topics and records of a cluster. Raises what the client raises: `FluvioError`s."""

    __test__ = False

    def __init__(self, cluster: TestCluster) -> None:
        self.cluster = cluster

    def create_topic(self, name: str, partitions: int = 1) -> None:
        """Create a topic and wait until it can be used."""

        spec = TopicSpec(replicas=TopicReplicaParam(partitions=partitions))

        async def create(client: Fluvio) -> None:
            await client.admin.create_topic(name, spec)

        self._run(create)

    def delete_topic(self, name: str) -> None:
        """Delete a topic with its records."""

        async def delete(client: Fluvio) -> None:
            await client.admin.delete_topic(name)

        self._run(delete)

    def produce(self, topic: str, records: "Iterable[Value | tuple[Value | None, Value]]") -> None:
        """Store values, or (key, value) pairs; returns when all are acknowledged."""
        pairs = [
            (None if each[0] is None else _bytes(each[0]), _bytes(each[1]))
            if isinstance(each, tuple)
            else (None, _bytes(each))
            for each in records
        ]

        async def produce(client: Fluvio) -> None:
            async with client.producer(topic) as producer:
                await producer.send_pairs(pairs)
                await producer.flush()

        self._run(produce)

    def records(self, topic: str, partition: int | None = None) -> Records:
        """All records that the topic holds now, partition after partition."""
        return self._read(topic, partition, None, 0.0)

    def wait_for_records(
        self, topic: str, count: int, *, timeout_s: float = 10.0, partition: int | None = None
    ) -> Records:
        """The first `count` records, waiting for those that are not there yet.

        Raises `AssertionError` with what came when `timeout_s` have passed.
        """
        return self._read(topic, partition, count, timeout_s)

    def _read(self, topic: str, partition: int | None, count: int | None, timeout_s: float) -> Records:
        found: list[Record] = []
        config = ConsumerConfig(
            topic,
            partitions=() if partition is None else (partition,),
            start=Offset.beginning(),
            disable_continuous=count is None,
        )

        async def read(client: Fluvio) -> None:
            async with client.consumer(config) as consumer:
                async for record in consumer:
                    found.append(
                        Record(record.value, record.key, record.offset, record.partition, record.timestamp)
                    )
                    if len(found) == count:
                        return

        async def read_in_time(client: Fluvio) -> None:
            async with asyncio.timeout(timeout_s):
                await read(client)

        if count == 0:
            return Records(())
        try:
            self._run(read if count is None else read_in_time)
        except TimeoutError:
            raise AssertionError(
                f"{len(found)} of {count} records came to `{topic}` within {timeout_s:g} s: {Records(found)}"
            ) from None
        return Records(sorted(found, key=lambda record: (record.partition, record.offset)))

    def _run(self, work: "Callable[[Fluvio], Coroutine[Any, Any, None]]") -> None:
        self.cluster.connection.run(work)


def _bytes(value: Value) -> bytes:
    return value.encode() if isinstance(value, str) else value
