"""Apache Kafka: one broker in KRaft mode, and confluent-kafka with acks=1.

What is acknowledged is in the page cache (Kafka's default: it leaves syncing to the kernel), as with our SPU.
"""

import importlib
import importlib.util
import os
import subprocess
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from tests.support.ports import free_ports

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message, Producer

_START_S = 60.0
_TASK_S = 120.0
_CLUSTER_ID = "YmVuY2gtYmVuY2gtYmVuYw"  # any 16 bytes will do
_CHUNK = 1_000  # records per call
# What Kafka's own start script passes, with a fixed heap.
_JVM = [
    "-server",
    "-Xms1g",
    "-Xmx1g",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
]
_QUIET = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
_SAYS_STARTED = ["-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info"]
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
"""


class KafkaServer(ForeignServer):
    """One JVM, broker and controller, in a temporary directory."""

    name = "Apache Kafka"
    most_records = 1_000_000
    data_files_named = "*.log"

    def prepare(self) -> str:
        if importlib.util.find_spec("confluent_kafka") is None:
            raise UnavailableError("`confluent-kafka` is not installed: pip install 'fluvio-cli[bench]'")
        self._java, version = provisioning.java()
        self._jars = provisioning.kafka_jars()
        client = metadata.version("confluent-kafka")
        return f"Kafka {provisioning.KAFKA_VERSION} on Java {version}, heap 1 GiB, confluent-kafka {client}"

    def start(self) -> None:
        """Formats the directory first: Kafka does not start without."""
        folder = self._new_folder()
        broker, controller = free_ports(2)
        config = folder / "server.properties"
        data = folder / "data"
        config.write_text(_PROPERTIES.format(broker=broker, controller=controller, folder=data))
        program = [self._java, "-cp", f"{self._jars}/*", *_QUIET]
        done = subprocess.run(
            [*program, "kafka.tools.StorageTool", *_format_arguments(config)],
            capture_output=True,
            text=True,
            timeout=_START_S,
            check=False,
        )
        if done.returncode != 0:
            raise UnavailableError(f"formatting failed: {provisioning.first_complaint(done.stderr)}")
        self._process = ServerProcess(
            [*program, *_SAYS_STARTED, *_JVM, "kafka.Kafka", str(config)],
            "Kafka Server started",
            folder,
            os.environ,
        )
        self._process.wait_until_ready(_START_S)
        self._endpoint = f"127.0.0.1:{broker}"


def _format_arguments(config: Path) -> list[str]:
    return ["format", "--standalone", "--cluster-id", _CLUSTER_ID, "--config", str(config)]


class KafkaClient:
    """Every task connects anew, and knows where the partition is before its time begins."""

    def __init__(self) -> None:
        importlib.import_module("confluent_kafka.admin")  # before tasks, whose time counts

    def create(self, job: Job) -> None:
        from confluent_kafka.cimpl import NewTopic

        admin = _admin(job)  # its results come only as long as it is there
        admin.create_topics([NewTopic(job.topic, 1, 1)])[job.topic].result(_TASK_S)

    def drop(self, job: Job) -> None:
        admin = _admin(job)
        admin.delete_topics([job.topic])[job.topic].result(_TASK_S)

    def produce(self, job: Job) -> Outcome:
        sent = values(job.count, job.size_bytes)

        def work(producer: "Producer") -> None:
            for start in range(0, len(sent), _CHUNK):
                waiting: list[Any] = [{"value": value} for value in sent[start : start + _CHUNK]]
                while waiting:
                    taken = producer.produce_batch(job.topic, waiting, partition=0)
                    # What is above `queue.buffering.max.kbytes` is refused: all after the first such.
                    waiting = [{"value": refused["value"]} for refused in waiting[taken:]]
                    producer.poll(_TASK_S if waiting else 0)

        return _timed(job, work)

    def send_singly(self, job: Job) -> Outcome:
        sent = values(job.count, job.size_bytes)

        def acknowledged(producer: "Producer") -> None:
            for value in sent:
                producer.produce(job.topic, value, partition=0)
                producer.flush(_TASK_S)

        def flushed(producer: "Producer") -> None:
            for value in sent:
                while True:
                    try:
                        producer.produce(job.topic, value, partition=0)
                        break
                    except BufferError:  # as many as `queue.buffering.max.kbytes` are under way
                        producer.poll(_TASK_S)
                producer.poll(0)

        if job.acknowledged:
            return _timed(job, acknowledged, linger_ms=0)
        return _timed(job, flushed)

    def consume(self, job: Job) -> Outcome:
        consumer = _consumer(job)
        try:
            begin, processor = time.perf_counter(), time.process_time()
            _assign(consumer, job)
            seen, so_far, update = 0, 0, crc32c.crc32c
            while seen < job.count:
                messages = consumer.consume(min(_CHUNK, job.count - seen), _TASK_S)
                if not messages:
                    raise RuntimeError(f"{seen} records of {job.count} came")
                for message in messages:
                    so_far = update(_value(message), so_far)
                seen += len(messages)
            return Outcome(time.perf_counter() - begin, time.process_time() - processor, seen, so_far)
        finally:
            consumer.close()

    def send_paced(self, job: Job) -> None:
        producer = _producer(job, linger_ms=0)
        with Pacer(job.count, TICKS_PER_SECOND) as pacer:
            while stamps := pacer.wait():
                for stamp in stamps:
                    producer.produce(job.topic, stamped_value(stamp, job.size_bytes), partition=0)
                    producer.poll(0)
        producer.flush(_TASK_S)

    def receive_paced(self, job: Job, ready: Callable[[], None]) -> list[int]:
        consumer = _consumer(job)
        try:
            _assign(consumer, job)
            _value(consumer.poll(_TASK_S))
            ready()
            taken: list[int] = []
            while len(taken) < job.count:
                value = _value(consumer.poll(_TASK_S))
                taken.append(time.monotonic_ns() - stamp_of(value))
            return taken
        finally:
            consumer.close()


def _admin(job: Job) -> Any:
    from confluent_kafka.admin import AdminClient

    return AdminClient({"bootstrap.servers": job.endpoint})


def _producer(job: Job, *, linger_ms: float | None = None) -> "Producer":
    """One that is connected to the partition's leader. `linger_ms` None: the client's own default."""
    from confluent_kafka import Producer

    settings: dict[str, Any] = {
        "bootstrap.servers": job.endpoint,
        "acks": 1,
        "batch.size": job.batch_bytes,
        "queue.buffering.max.kbytes": max(1, job.in_flight_bytes // 1024),
    }
    if linger_ms is not None:
        settings["linger.ms"] = linger_ms
    producer = Producer(settings)
    producer.list_topics(job.topic, timeout=_TASK_S)
    return producer


def _timed(job: Job, work: "Callable[[Producer], None]", *, linger_ms: float | None = None) -> Outcome:
    producer = _producer(job, linger_ms=linger_ms)
    begin, processor = time.perf_counter(), time.process_time()
    work(producer)
    left = producer.flush(_TASK_S)
    outcome = Outcome(time.perf_counter() - begin, time.process_time() - processor, job.count)
    if left:
        raise RuntimeError(f"{left} records were not acknowledged")
    return outcome


def _consumer(job: Job) -> "Consumer":
    """One that has the metadata. No pause of its own between fetches: the default is up to a second."""
    from confluent_kafka import Consumer

    consumer = Consumer(
        {
            "bootstrap.servers": job.endpoint,
            "group.id": "bench",
            "enable.auto.commit": False,
            "queued.min.messages": 1_000_000,
            "queued.max.messages.kbytes": 1_000_000,
            "fetch.queue.backoff.ms": 1,
        }
    )
    consumer.list_topics(job.topic, timeout=_TASK_S)
    return consumer


def _assign(consumer: "Consumer", job: Job) -> None:
    from confluent_kafka import TopicPartition

    consumer.assign([TopicPartition(job.topic, 0, 0)])


def _value(message: "Message | None") -> bytes:
    if message is None:
        raise RuntimeError("no record came in time")
    if message.error() is not None:
        raise RuntimeError(str(message.error()))
    value = message.value()
    assert isinstance(value, bytes)
    return value
