"""The rows: each engine does the same tasks in turn, each in a topic of its own."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from statistics import median

import psutil

from tests.bench.helper_process import HelperProcess
from tests.bench.loopback import receive_seconds, send_seconds
from tests.bench.measuring import BenchError, Row, Samples, Target, at_least, at_most
from tests.bench.null_server import make_batches
from tests.bench.peers import page_cache
from tests.bench.peers.client_process import ClientProcess
from tests.bench.peers.comparison import Comparison, Missing, ProcessorTime
from tests.bench.peers.engine import (
    WARM_UP_TICKS,
    Client,
    Job,
    Outcome,
    Server,
    UnavailableError,
    checksum,
    percentile,
    values,
)
from tests.bench.peers.jetstream import JetStreamClient, JetStreamServer
from tests.bench.peers.kafka import KafkaClient, KafkaServer
from tests.bench.peers.ours import OurClient, OurServer
from tests.bench.sizes import Sizes

OURS = OurServer.name
PEERS = (JetStreamServer.name, KafkaServer.name)
_SEND, _RECEIVE = "socket + write", "sendfile"


@dataclass(slots=True)
class _Engine:
    """A server that runs, and a client of it."""

    server: Server
    kind: type[Client]
    client: ClientProcess
    topics: int = 0

    @contextmanager
    def topic(self, job: Job) -> Iterator[Job]:
        """A new topic; the job names it and the endpoint."""
        self.topics += 1
        own = replace(job, endpoint=self.server.endpoint, topic=f"bench-{self.topics}")
        self.client.run("create", own)
        yield own
        self.client.run("drop", own)

    def measure(self, task: str, job: Job) -> tuple[Outcome, ProcessorTime]:
        """A task's outcome, and what both ends spent."""
        before = _spent_s(self.server.processes())
        outcome = self.client.measure(task, job)
        server_s = _spent_s(self.server.processes()) - before
        return outcome, ProcessorTime(outcome.processor_s, server_s, outcome.seconds)

    def memory_mb(self) -> float:
        """Resident memory of all processes of the server together, in MB (10^6 bytes)."""
        return float(sum(process.memory_info().rss for process in self.server.processes()) / 1e6)


@dataclass(slots=True)
class _Taken:
    """Samples of one quantity by engine or reference; and what both ends spent."""

    samples: dict[str, Samples] = field(default_factory=dict)
    processor: dict[str, list[ProcessorTime]] = field(default_factory=dict)

    def add(self, name: str, value: float, spent: ProcessorTime | None = None) -> None:
        self.samples.setdefault(name, Samples()).values.append(value)
        if spent is not None:
            self.processor.setdefault(name, []).append(spent)

    def medians(self) -> dict[str, ProcessorTime]:
        return {
            name: ProcessorTime(
                median(times.client_s for times in all_),
                median(times.server_s for times in all_),
                median(times.wall_s for times in all_),
            )
            for name, all_ in self.processor.items()
        }


class _Ledger:
    """All samples by row key. `is_counting` is off during warm-up."""

    def __init__(self) -> None:
        self.taken: dict[str, _Taken] = {}
        self.is_counting = True

    def add(self, key: str, name: str, value: float, spent: ProcessorTime | None = None) -> None:
        if self.is_counting:
            self.taken.setdefault(key, _Taken()).add(name, value, spent)

    def rounds(self, count: int, warm_ups: int = 1) -> Iterator[None]:
        """Some rounds that do not count, then `count` that do."""
        self.is_counting = False
        for _ in range(warm_ups):
            yield
        self.is_counting = True
        for _ in range(count):
            yield


def peer_rows(sizes: Sizes) -> list[Row]:
    """All of them; peers that cannot be had say so in their columns."""
    run = _Run(sizes)
    with ExitStack() as stack:
        run.start(stack)
        for number, size_bytes in enumerate(sizes.peer_bytes):
            run.transfers(size_bytes, warm_ups=1 if number else sizes.peer_warm_ups)
        run.singles()
        run.latencies()
        run.memory("memory/loaded")
    return list(run.rows())


class _Run:
    def __init__(self, sizes: Sizes) -> None:
        self._sizes, self._ledger = sizes, _Ledger()
        self._engines: dict[str, _Engine] = {}
        self._missing: dict[str, Missing] = {}
        self._what: dict[str, str] = {}  # by engine: programs and versions

    # --- servers

    def start(self, stack: ExitStack) -> None:
        """Start what can be had, as often as start-up is measured; the last stay until the stack ends."""
        kinds: Sequence[tuple[Callable[[], Server], type[Client]]] = (
            (OurServer, OurClient),
            (JetStreamServer, JetStreamClient),
            (KafkaServer, KafkaClient),
        )
        for make, kind in kinds:
            server = make()
            if server.name != OURS and not self._sizes.with_peers:
                self._missing[server.name] = Missing("not asked for")
                continue
            _say(f"starting {server.name}")
            try:
                self._what[server.name] = server.prepare()
                stack.callback(server.stop)
                client = stack.enter_context(ClientProcess(kind))
                self._engines[server.name] = _Engine(server, kind, client)
                self._start_ups(server)
            except UnavailableError as exc:
                if server.name == OURS:
                    raise BenchError(str(exc)) from exc
                self._engines.pop(server.name, None)
                self._missing[server.name] = Missing(str(exc))
                _say(f"{server.name} cannot be measured: {exc}")

    def _start_ups(self, server: Server) -> None:
        engine = self._engines[server.name]
        for _ in range(self._sizes.peer_startups):
            server.stop()
            begin = time.perf_counter()
            server.start()
            with engine.topic(Job("", "", count=1, acknowledged=True)) as job:
                engine.client.run("send_singly", job)
                self._ledger.add("startup", server.name, time.perf_counter() - begin)
                self._ledger.add("memory/idle", server.name, engine.memory_mb())

    def memory(self, key: str) -> None:
        """Take the memory of all servers."""
        for name, engine in self._engines.items():
            self._ledger.add(key, name, engine.memory_mb())

    # --- produce and consume

    def transfers(self, size_bytes: int, warm_ups: int) -> None:
        """Produce, then consume warm and cold, each in turn with the references."""
        count = self._sizes.peer_bytes[size_bytes] // size_bytes
        job = Job("", "", count=count, size_bytes=size_bytes)
        batches = make_batches(count, size_bytes, job.batch_bytes)
        _say(f"{count:,} records of {size_bytes:,} B")
        with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
            file = Path(folder) / "batches"
            file.write_bytes(b"".join(batches))
            with HelperProcess("tests.bench.loopback", str(file)) as loopback:
                references = _References(file, batches, *map(int, loopback.words))
                for _ in self._ledger.rounds(self._sizes.peer_runs, warm_ups):
                    self._references(references, job)
                    for engine in self._engines.values():
                        most = min(count, engine.server.most_records)
                        self._transfer(engine, replace(job, count=most))

    def _references(self, references: "_References", job: Job) -> None:
        add, size = self._ledger.add, job.size_bytes
        add(f"produce/{size}", _SEND, _mb_per_s(job, references.send()))
        add(f"consume/{size}", _RECEIVE, _mb_per_s(job, references.receive()))
        if page_cache.CAN_DROP:
            page_cache.drop([references.file])
            add(f"consume-cold/{size}", _RECEIVE, _mb_per_s(job, references.receive()))

    def _transfer(self, engine: _Engine, job: Job) -> None:
        size, is_ours = job.size_bytes, engine.server.name == OURS
        with engine.topic(job) as own:
            self._rate(engine, f"produce/{size}", "produce", own)
            checked = self._rate(engine, f"decode/{size}", "consume", own)
            if checked.checksum != _expected(job.count, size):
                raise BenchError(f"{engine.server.name}: what was consumed is not what was produced")
            batches = replace(own, decode=False)
            if is_ours:  # peers have no batches to hand over: their figure stands in both rows
                self._rate(engine, f"consume/{size}", "consume", batches)
            if page_cache.CAN_DROP:
                page_cache.drop(engine.server.data_files())
                self._rate(engine, f"consume-cold/{size}", "consume", batches)

    def _rate(self, engine: _Engine, key: str, task: str, job: Job) -> Outcome:
        outcome, spent = engine.measure(task, job)
        self._ledger.add(key, engine.server.name, _mb_per_s(job, outcome.seconds), spent)
        if key.startswith("decode/") and engine.server.name != OURS:
            consume = key.replace("decode/", "consume/")
            self._ledger.add(consume, engine.server.name, _mb_per_s(job, outcome.seconds), spent)
        return outcome

    # --- latency

    def latencies(self) -> None:
        """Paced records from one process to another."""
        _say("latency at 1,000 records/s")
        ticks = self._sizes.peer_ticks + WARM_UP_TICKS
        job = Job("", "", count=ticks, size_bytes=1_000)
        with ExitStack() as stack:
            receivers = {
                name: stack.enter_context(ClientProcess(engine.kind))
                for name, engine in self._engines.items()
            }
            for _ in self._ledger.rounds(self._sizes.peer_runs):
                for name, engine in self._engines.items():
                    with engine.topic(job) as own:
                        milliseconds, spent = _latencies(engine, receivers[name], own)
                    for percent in (50, 99):
                        figure = percentile(milliseconds, percent)
                        self._ledger.add(f"latency/p{percent}", name, figure, spent)

    # --- one by one

    def singles(self) -> None:
        """Both loops; what they sent is read back and compared."""
        _say("records one by one")
        counts = {True: self._sizes.peer_acknowledged, False: self._sizes.peer_singles}
        for _ in self._ledger.rounds(self._sizes.peer_runs):
            for acknowledged, count in counts.items():
                job = Job("", "", count=count, size_bytes=1_000, acknowledged=acknowledged)
                for engine in self._engines.values():
                    self._single(engine, job)

    def _single(self, engine: _Engine, job: Job) -> None:
        key = "singles/acknowledged" if job.acknowledged else "singles/flushed"
        with engine.topic(job) as own:
            outcome, spent = engine.measure("send_singly", own)
            self._ledger.add(key, engine.server.name, job.count / outcome.seconds, spent)
            read = engine.client.measure("consume", own)
        if read.checksum != _expected(job.count, job.size_bytes):
            raise BenchError(f"{engine.server.name}: what came back is not what was sent one by one")

    # --- rows

    def rows(self) -> Iterator[Row]:
        """In the order of the table."""
        sizes = self._sizes.peer_bytes
        batches = "1 MB batches"
        for size in sizes:
            name = f"produce, {size:,} B, {batches}"
            yield self._row(name, "MB/s", f"produce/{size}", _SEND, _share(0.6), beat=True)
        for size in sizes:
            name = f"consume, ours reading batches, {size:,} B"
            yield self._row(name, "MB/s", f"consume/{size}", _RECEIVE, _share(0.7), beat=True)
        for size in sizes if page_cache.CAN_DROP else ():
            name = f"consume, ours reading batches, cold cache, {size:,} B"
            yield self._row(name, "MB/s", f"consume-cold/{size}", _RECEIVE, _share(0.7), beat=True)
        for size in sizes:
            yield self._row(f"consume, every record decoded, {size:,} B", "MB/s", f"decode/{size}")
        rate = "1,000 records/s of 1,000 B"
        yield self._row(f"end-to-end latency, {rate}, p50", "ms", "latency/p50")
        yield self._row(
            f"end-to-end latency, {rate}, p99", "ms", "latency/p99", targets=[at_most(3)], beat=True
        )
        yield self._row(
            "one by one, each acknowledged before the next, 1,000 B",
            "records/s",
            "singles/acknowledged",
            note="`await (await producer.send(...))`; `await js.publish(...)`; `produce(...)`, `flush()`",
        )
        yield self._row(
            "one by one, flushed at the end, 1,000 B",
            "records/s",
            "singles/flushed",
            beat=True,
            note="`await producer.send(...)`; `await js.publish_async(...)`; `produce(...)` and `poll(0)`",
        )
        versions = "; ".join(f"{name}: {what}" for name, what in self._what.items())
        yield self._row("start, new topic, first acknowledged record", "s", "startup", note=versions)
        yield self._row("memory after the first record", "MB", "memory/idle")
        yield self._row("memory after all of the above", "MB", "memory/loaded")

    def _row(
        self,
        name: str,
        unit: str,
        key: str,
        reference: str = "",
        targets: Sequence[Target] = (),
        *,
        beat: bool = False,
        note: str = "",
    ) -> Comparison:
        taken = self._ledger.taken[key]
        return Comparison(
            name,
            unit,
            taken.samples[OURS],
            taken.samples.get(reference),
            reference,
            targets,
            note,
            key,
            {peer: self._missing.get(peer) or taken.samples[peer] for peer in PEERS},
            taken.medians(),
            beat,
        )


@dataclass(slots=True, frozen=True)
class _References:
    """The same batches over bare loopback, to and from a process that knows no protocol."""

    file: Path
    batches: Sequence[bytes]
    sink_port: int
    source_port: int

    def send(self) -> float:
        return send_seconds(self.sink_port, self.batches)

    def receive(self) -> float:
        return receive_seconds(self.source_port, self.file.stat().st_size)


def _latencies(engine: _Engine, receiver: ClientProcess, job: Job) -> tuple[list[float], ProcessorTime]:
    """Milliseconds from each tick to the record's arrival, without those of the warm-up."""
    sender = engine.client
    sender.run("send_singly", replace(job, count=1))  # the receiver is ready when it has this one
    receiver.begin("receive_paced", job)
    receiver.wait_until_ready()
    clients, servers = [sender.process, receiver.process], engine.server.processes()
    begin, clients_s, servers_s = time.perf_counter(), _spent_s(clients), _spent_s(servers)
    sender.run("send_paced", job)
    taken: list[int] = receiver.result("receive_paced")
    spent = ProcessorTime(
        _spent_s(clients) - clients_s, _spent_s(servers) - servers_s, time.perf_counter() - begin
    )
    return [nanoseconds / 1e6 for nanoseconds in taken[WARM_UP_TICKS:]], spent


@cache
def _expected(count: int, size_bytes: int) -> int:
    return checksum(values(count, size_bytes))


def _spent_s(processes: Iterable[psutil.Process]) -> float:
    """Processor seconds of these so far, all threads."""
    times = [process.cpu_times() for process in processes]
    return float(sum(time.user + time.system for time in times))


def _mb_per_s(job: Job, seconds: float) -> float:
    """MB (10^6 bytes) of values per second: what goes around them differs between the engines."""
    return job.count * job.size_bytes / seconds / 1e6


def _share(of_limit: float) -> list[Target]:
    return [at_least(of_limit, of_reference=True)]


def _say(what: str) -> None:
    print(f"  {what} ...", file=sys.stderr, flush=True)
