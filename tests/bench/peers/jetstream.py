"""NATS JetStream: nats-server with file storage, and nats-py.

What is acknowledged is in the page cache (`sync_interval` is left as it is: 2 minutes), as with our SPU.
"""

import asyncio
import importlib
import importlib.util
import os
import re
import time
from collections.abc import Awaitable, Callable
from importlib import metadata
from typing import TYPE_CHECKING, Any, TypeVar

import crc32c

from tests.bench.peers import provisioning
from tests.bench.peers.engine import (
    TICKS_PER_SECOND,
    Job,
    Outcome,
    UnavailableError,
    stamp_of,
    stamped_value,
    values,
)
from tests.bench.peers.foreign_server import ForeignServer
from tests.bench.peers.pacer import Pacer
from tests.bench.peers.server_process import ServerProcess

if TYPE_CHECKING:
    from nats.js.client import JetStreamContext

_Result = TypeVar("_Result")
_START_S = 30.0
_TASK_S = 120.0
# `max_buffered_msgs`: as many as the window of the smallest records needs; it refuses what is above 10,000.
_CONFIG = """\
host: 127.0.0.1
port: -1
max_payload: 1MB
jetstream {{ store_dir: "{folder}", max_file_store: 100GB, max_buffered_msgs: 200000 }}
"""


class JetStreamServer(ForeignServer):
    """One nats-server in a temporary directory."""

    name = "NATS JetStream"
    most_records = 100_000  # a few seconds, both ways
    data_files_named = "*.blk"

    def prepare(self) -> str:
        if importlib.util.find_spec("nats") is None:
            raise UnavailableError("`nats-py` is not installed: pip install 'fluvio-cli[bench]'")
        self._program = provisioning.nats_server()
        return f"nats-server {provisioning.NATS_VERSION}, nats-py {metadata.version('nats-py')}"

    def start(self) -> None:
        folder = self._new_folder()
        config = folder / "nats.conf"
        config.write_text(_CONFIG.format(folder=folder / "data"))
        command = [str(self._program), "--config", str(config)]
        self._process = ServerProcess(command, "Server is ready", folder, os.environ)
        self._process.wait_until_ready(_START_S)
        said = "\n".join(self._process.said)
        found = re.search(r"client connections on (127\.0\.0\.1:\d+)", said)
        if found is None:
            raise UnavailableError("it did not say where it listens")
        self._endpoint = found.group(1)


class JetStreamClient:
    """A stream per topic, with the topic as its only subject. Every task connects anew."""

    def __init__(self) -> None:
        importlib.import_module("nats")  # before tasks, whose time counts

    def create(self, job: Job) -> None:
        from nats.js import api

        _with_jetstream(
            job,
            lambda js: js.add_stream(name=job.topic, subjects=[job.topic], storage=api.StorageType.FILE),
        )

    def drop(self, job: Job) -> None:
        _with_jetstream(job, lambda js: js.delete_stream(job.topic))

    def produce(self, job: Job) -> Outcome:
        return self.send_singly(job)  # it has no other way of sending many

    def send_singly(self, job: Job) -> Outcome:
        sent = values(job.count, job.size_bytes)

        async def acknowledged(js: "JetStreamContext") -> None:
            for value in sent:
                await js.publish(job.topic, value)

        async def flushed(js: "JetStreamContext") -> None:
            acks = [await js.publish_async(job.topic, value) for value in sent]
            await js.publish_async_completed()
            for ack in acks:
                ack.result()  # raises what the server refused

        return _timed(job, acknowledged if job.acknowledged else flushed)

    def consume(self, job: Job) -> Outcome:
        """An ordered consumer with a callback: of fetching, iterating and this the fastest."""

        async def work(js: "JetStreamContext") -> Outcome:
            begin, processor = time.perf_counter(), time.process_time()
            seen, so_far, update = 0, 0, crc32c.crc32c
            is_done = asyncio.Event()

            async def take(message: Any) -> None:
                nonlocal seen, so_far
                seen += 1
                so_far = update(message.data, so_far)
                if seen == job.count:
                    is_done.set()

            subscription = await js.subscribe(job.topic, cb=take, **_ORDERED)
            async with asyncio.timeout(_TASK_S):
                await is_done.wait()
            outcome = Outcome(time.perf_counter() - begin, time.process_time() - processor, seen, so_far)
            await subscription.unsubscribe()
            return outcome

        return _with_jetstream(job, work)

    def send_paced(self, job: Job) -> None:
        async def work(js: "JetStreamContext") -> None:
            with Pacer(job.count, TICKS_PER_SECOND) as pacer:
                while stamps := await pacer.wait_async():
                    for stamp in stamps:
                        await js.publish_async(job.topic, stamped_value(stamp, job.size_bytes))
            await js.publish_async_completed()

        _with_jetstream(job, work)

    def receive_paced(self, job: Job, ready: Callable[[], None]) -> list[int]:
        async def work(js: "JetStreamContext") -> list[int]:
            taken: list[int] = []
            is_done = asyncio.Event()
            is_first = True

            async def take(message: Any) -> None:
                nonlocal is_first
                if is_first:
                    is_first = False
                    ready()
                    return
                taken.append(time.monotonic_ns() - stamp_of(message.data))
                if len(taken) == job.count:
                    is_done.set()

            subscription = await js.subscribe(job.topic, cb=take, **_ORDERED)
            async with asyncio.timeout(_TASK_S):
                await is_done.wait()
            await subscription.unsubscribe()
            return taken

        return _with_jetstream(job, work)


# No limits of what waits in the client: a push that meets one is lost, and sent again after a pause.
_ORDERED: dict[str, Any] = {
    "ordered_consumer": True,
    "manual_ack": True,
    "pending_msgs_limit": 10_000_000,
    "pending_bytes_limit": 2_000_000_000,
}


def _with_jetstream(job: Job, work: "Callable[[JetStreamContext], Awaitable[_Result]]") -> _Result:
    import nats

    async def run() -> _Result:
        connection = await nats.connect(f"nats://{job.endpoint}", pending_size=job.in_flight_bytes)
        try:
            window = max(1, job.in_flight_bytes // job.size_bytes)
            return await work(connection.jetstream(timeout=_TASK_S, publish_async_max_pending=window))
        finally:
            await connection.close()

    return asyncio.run(run())


def _timed(job: Job, work: "Callable[[JetStreamContext], Awaitable[None]]") -> Outcome:
    async def run(js: "JetStreamContext") -> Outcome:
        begin, processor = time.perf_counter(), time.process_time()
        await work(js)
        return Outcome(time.perf_counter() - begin, time.process_time() - processor, job.count)

    return _with_jetstream(job, run)
