"""One soak: start everything, restart servers as planned, stop, read all partitions whole, judge."""

import asyncio
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig, Evicted
from tests.soak.child import Child, ChildFailedError
from tests.soak.figures import LatencyBook
from tests.soak.ledger import load_ledgers
from tests.soak.plan import SPU_COUNT, TOPICS, Plan
from tests.soak.servers import Servers
from tests.soak.values import DamagedValueError, read_value
from tests.soak.verdict import Verdict
from tests.support.throwaway_home import CommandError, ThrowawayHome

SAMPLE_S = 1.0
REPORT_S = 60.0
_BEFORE_S, _AFTER_S = 1.0, 5.0  # records given so long around a restart count as given during it


@dataclass(slots=True)
class Progress:
    """What the processes told last."""

    producers: dict[str, dict[str, Any]] = field(default_factory=dict)
    consumers: dict[str, Any] = field(default_factory=dict)
    latencies: LatencyBook = field(default_factory=LatencyBook)

    def total(self, name: str) -> int:
        """Of all producers."""
        return sum(told.get(name, 0) for told in self.producers.values())

    def errors(self) -> list[str]:
        """What processes complained of."""
        told = [*self.producers.values(), self.consumers]
        return [error for each in told for error in each.get("errors", [])]

    def take_consumers(self, told: dict[str, Any]) -> None:
        """A line of the consumers."""
        self.latencies.put_in(told["latencies"])
        self.consumers = told


class Soak:
    """`await Soak(plan, factor, say).run()`; then its attributes have all there is to report."""

    def __init__(self, plan: Plan, factor: float, say: Callable[["Soak"], None]) -> None:
        """`say` is called each minute."""
        self.plan, self._factor, self._say = plan, factor, say
        self.progress = Progress()
        self.verdict: Verdict | None = None
        self.errors: list[str] = []
        self.begin_s = self.load_s = 0.0
        self.has_official = importlib.util.find_spec("fluvio") is not None
        self.warm_up_s = min(60.0, plan.duration_s / 10)
        self._children: list[Child] = []

    async def run(self) -> None:
        """All of it. What goes wrong is in `errors`."""
        home = ThrowawayHome("fluvio-soak-")
        self.home = home
        try:
            with home:
                home.start_cluster("--spu", str(SPU_COUNT))
                for topic in TOPICS:
                    home.fluvio("topic", "create", topic.name, "-p", str(topic.partitions), *topic.options)
                self.servers = Servers(home)
                await self._run_load()
                self.verdict = await self._judge()
        except (CommandError, ChildFailedError) as exc:
            self.errors.append(str(exc))
        finally:
            for child in self._children:
                child.kill()

    @property
    def windows(self) -> list[tuple[float, float]]:
        """Restarts, with what belongs to them before and after."""
        return [(begin - _BEFORE_S, end + _AFTER_S) for begin, end in self.servers.all_windows]

    async def _run_load(self) -> None:
        producing, consuming = self._make_children()
        self._children = [consuming, *producing]
        for child in self._children:
            await child.start()
        self.begin_s = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            watching = {
                child: tasks.create_task(self._watch(child), name=child.name) for child in self._children
            }
            regular = [
                tasks.create_task(_each(SAMPLE_S, self.servers.look), name="samples"),
                tasks.create_task(_each(REPORT_S, lambda: self._say(self)), name="reports"),
            ]
            restarts = tasks.create_task(self._restart_as_planned(), name="restarts")
            early, _ = await asyncio.wait(
                watching.values(), return_when=asyncio.FIRST_COMPLETED, timeout=self.plan.duration_s
            )
            if early:
                restarts.cancel()  # a process has failed, and `_watch` has noted it
            await asyncio.wait([restarts])
            self.load_s = time.monotonic() - self.begin_s
            for child in producing:
                await self._finish(child, watching[child])
            await self._finish(consuming, watching[consuming], await self._ends())
            for task in regular:
                task.cancel()
        self.errors += self.progress.errors()

    def _make_children(self) -> tuple[list[Child], Child]:
        folder, endpoint, seed = str(self.home.path), self.servers.endpoint, str(self.plan.seed)
        modules = ["producing"] + (["official_producing"] if self.has_official else [])
        producing = [
            Child(
                name,
                f"tests.soak.{name}",
                [endpoint, folder, seed, str(self._factor)],
                partial(self.progress.producers.__setitem__, name),
            )
            for name in modules
        ]
        consuming = Child("consuming", "tests.soak.consuming", [endpoint, seed], self.progress.take_consumers)
        return producing, consuming

    async def _watch(self, child: Child) -> None:
        try:
            await child.watch()
        except ChildFailedError as exc:
            self.errors.append(str(exc))

    async def _finish(self, child: Child, watching: "asyncio.Task[None]", word: Any = None) -> None:
        try:
            await child.finish(watching, word)
        except ChildFailedError as exc:
            self.errors.append(str(exc))

    async def _restart_as_planned(self) -> None:
        for restart in self.plan.restarts:
            await asyncio.sleep(max(0.0, self.begin_s + restart.at_s - time.monotonic()))
            try:
                await self.servers.restart(restart)
            except CommandError as exc:
                self.errors.append(str(exc))
                return

    async def _ends(self) -> dict[str, dict[int, int]]:
        """Where the logs end, as the controller's partitions say when asked of their leaders."""
        ends: dict[str, dict[int, int]] = {}
        async with Fluvio.connect(self.servers.endpoint) as client:
            for topic in TOPICS:
                config = ConsumerConfig(topic.name, start=Offset.end())
                async with client.consumer(config) as consumer:
                    ends[topic.name] = consumer.positions()
        return ends

    async def _judge(self) -> Verdict:
        """Read every partition from its oldest record to its end."""
        ledgers = {ledger.producer: ledger for ledger in load_ledgers(self.home.path)}
        verdict = Verdict(ledgers, self.servers.windows)
        async with Fluvio.connect(self.servers.endpoint) as client:
            for topic in TOPICS:
                starts = {}
                for partition in range(topic.partitions):
                    starts[partition] = await self._read_whole(client, topic.name, partition, verdict)
                verdict.close_topic(topic.name, starts)
        return verdict

    async def _read_whole(self, client: Fluvio, topic: str, partition: int, verdict: Verdict) -> int:
        """Returns the offset of the oldest record; retention may go on meanwhile."""
        skipped: dict[int, int] = {}
        config = ConsumerConfig(
            topic,
            partitions=(partition,),
            start=Offset.beginning(),
            disable_continuous=True,
            evicted=Evicted.CONTINUE,
            on_skipped=lambda _, offset, following: skipped.__setitem__(offset, following),
        )
        async with client.consumer(config) as consumer:
            start = following = consumer.positions()[partition]
            async for batch in consumer.batches():
                while following in skipped:
                    start = following = skipped.pop(following)
                for record in batch.records():
                    if record.offset != following:
                        self.errors.append(f"{topic}-{partition}: {record.offset} came, not {following}")
                    following = record.offset + 1
                    try:
                        stamp = read_value(record.value, record.key)
                    except DamagedValueError as exc:
                        self.errors.append(f"{topic}-{partition} offset {record.offset}: {exc}")
                        continue
                    verdict.take(topic, partition, record.offset, stamp, len(record.value))
        while following in skipped:
            start = following = skipped.pop(following)
        return start


async def _each(seconds: float, action: Callable[[], None]) -> None:
    """Again and again, at a steady pace."""
    begin, turns = time.monotonic(), 0
    while True:
        turns += 1
        await asyncio.sleep(max(0.0, begin + turns * seconds - time.monotonic()))
        action()
