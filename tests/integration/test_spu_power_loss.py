"""Guarantee G3 with one replica, through the SPU: what a power loss may take of what clients were told.

A running SPU works on a disk that remembers what was synced. Producers, a consumer and commits of offsets
come over sockets until the power goes, at a random call of whatever thread. Of what was not synced anything
is lost, torn or reordered, and a new SPU opens what is left. Policy and seed are printed: the same seed
makes the same damage, though threads may run otherwise.
"""

import asyncio
import contextlib
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fluvio_local_cluster.spu.server import Spu
from fluvio_local_cluster.storage import SyncMode, SyncPolicy
from fluvio_protocol.api.consumer_offsets import (
    FetchConsumerOffsetsRequest,
    UpdateConsumerOffsetRequest,
    UpdateConsumerOffsetResponse,
)
from fluvio_protocol.api.fetch import Isolation
from fluvio_protocol.api.topic import TopicStorageConfig
from tests.support.power_loss import SharedDisk
from tests.support.record_sets import one_batch
from tests.support.running_spu import public_port, running_spu
from tests.support.scripted_sc import ScriptedSc, replica
from tests.support.spu_client import SpuClient, connect, records_of

SEEDS = 10  # for each policy
LIVES = 3
TOPICS = ("quiet", "busy")  # one producer, four producers
OFFSETS = "consumer-offset"
CONSUMER = "c"


@dataclass
class TopicModel:
    """What is known of one log."""

    there: dict[int, bytes] = field(default_factory=dict)  # what the last opening found
    sent: set[bytes] = field(default_factory=set)
    answered: dict[int, bytes] = field(default_factory=dict)  # while the power was on
    promised: int = 0  # all below was on the disk, by the log's own account, when the power went
    seen_committed: int = 0  # a read-committed consumer has seen what is below


@dataclass
class History:
    """One directory through several lives."""

    policy: SyncPolicy
    rng: random.Random
    place: Path
    topics: dict[str, TopicModel] = field(default_factory=lambda: {name: TopicModel() for name in TOPICS})
    commits: list[int] = field(default_factory=list)  # sent, in order
    stored: int | None = None  # the last one that was answered while the power was on
    count: int = 0
    life: int = 0

    def __post_init__(self) -> None:
        self.root = self.place / "life-0"
        self.root.mkdir()
        small = TopicStorageConfig(segment_size=self.rng.choice([600, 2000, 100_000]))
        self.replicas = [replica(OFFSETS), *(replica(name, storage=small) for name in TOPICS)]

    # --- one life ---------------------------------------------------------------------------------------

    async def live(self) -> None:
        """An SPU from its start to the end of the power; then what is left is the next one's."""
        running: list[Spu] = []

        def note_promises() -> None:
            for name, model in self.topics.items():
                leader = running[0].replicas.find(name, 0)
                assert leader is not None
                model.promised = leader.log.synced_leo

        loop, synced = asyncio.get_running_loop(), asyncio.Event()
        disk = SharedDisk(self.root, note_promises, lambda: _set_soon(loop, synced))
        async with ScriptedSc() as sc, self.started(sc, disk) as spu:
            async with connect(public_port(spu)) as client:
                if self.life:
                    await self.check(client)
            running.append(spu)
            disk.calls_left = self.rng.choice([None, self.rng.randint(0, 250)])
            async with asyncio.TaskGroup() as group:
                for topic in ("quiet", "busy", "busy", "busy", "busy"):
                    group.create_task(self.produce(spu, disk, topic), name=f"produce to {topic}")
                if self.policy.acknowledges_synced:
                    group.create_task(self.consume_committed(spu, disk), name="consume")
                group.create_task(self.commit(spu, disk), name="commit")
                group.create_task(self.checkpoint(spu, disk), name="checkpoint")
            if (
                self.policy.mode is SyncMode.INTERVAL
            ):  # what is promised for later comes without being asked for
                async with asyncio.timeout(10):
                    while not disk.is_off and not all(disk.is_synced(f"{name}-0") for name in TOPICS):
                        synced.clear()
                        await synced.wait()
            disk.switch_off()
        self.life += 1
        left = self.place / f"life-{self.life}"
        disk.leave_as_after_power_loss(self.rng, left)
        self.root = left

    @contextlib.asynccontextmanager
    async def started(self, sc: ScriptedSc, disk: SharedDisk) -> AsyncIterator[Spu]:
        boot = f"boot-{self.life}"
        async with running_spu(self.root, sc.port, files=disk, fsync=self.policy, boot_id=boot) as spu:
            await sc.registered()
            await sc.push_all(*self.replicas)
            for name in (OFFSETS, *TOPICS):
                await sc.told(name)
            yield spu

    async def produce(self, spu: Spu, disk: SharedDisk, topic: str) -> None:
        model = self.topics[topic]
        async with connect(public_port(spu)) as client:
            for _ in range(25):
                if disk.is_off:
                    return
                values = []
                for _ in range(self.rng.randint(1, 3)):
                    values.append(b"%d." % self.count + self.rng.randbytes(self.rng.randint(0, 100)))
                    self.count += 1
                model.sent |= set(values)
                (answer,) = await client.produce(topic, one_batch(*values))
                if answer.error_code.is_ok and not disk.is_off:
                    model.answered |= {answer.base_offset + i: value for i, value in enumerate(values)}

    async def consume_committed(self, spu: Spu, disk: SharedDisk) -> None:
        model = self.topics["busy"]
        async with connect(public_port(spu)) as client:
            stream = await client.stream(
                "busy", max(model.there, default=-1) + 1, isolation=Isolation.READ_COMMITTED
            )
            with contextlib.suppress(TimeoutError):
                while not disk.is_off:
                    async with asyncio.timeout(0.1):
                        push = await stream.push()
                    records = records_of(push)
                    if disk.is_off:
                        return
                    model.seen_committed = max(model.seen_committed, records[-1][0] + 1)
                    await stream.acknowledge(push)

    async def commit(self, spu: Spu, disk: SharedDisk) -> None:
        async with connect(public_port(spu)) as client:
            stream = await client.stream("quiet", consumer_id=CONSUMER)
            push = await stream.push()
            for _ in range(20):
                if disk.is_off:
                    return
                self.commits.append(self.count)
                request = UpdateConsumerOffsetRequest(offset=self.count, session_id=push.stream_id)
                answer = await client.answer(await client.send(request), UpdateConsumerOffsetResponse)
                if answer.error_code.is_ok and not disk.is_off:
                    self.stored = self.commits[-1]

    async def checkpoint(self, spu: Spu, disk: SharedDisk) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            if not disk.is_off:
                await spu.replicas.checkpoint()

    # --- the next one -----------------------------------------------------------------------------------

    async def check(self, client: SpuClient) -> None:
        always = self.policy.acknowledges_synced
        for name, model in self.topics.items():
            leo, found = await self.read_all(client, name)
            known = model.there | model.answered
            assert leo >= model.promised, f"{name}: {leo} < {model.promised}, which was on the disk"
            if always:
                assert leo > max(model.answered, default=-1), f"{name}: an acknowledged record is lost"
                assert leo >= model.seen_committed
            assert all(known.get(offset, found[offset]) == found[offset] for offset in range(leo))
            assert set(found.values()) <= model.sent
            assert len(set(found.values())) == len(found)
            model.there, model.answered, model.seen_committed = found, {}, min(model.seen_committed, leo)
        answer = await client.ask(FetchConsumerOffsetsRequest())
        offsets = [entry.offset for entry in answer.consumers if entry.consumer_id == CONSUMER]
        assert set(offsets) <= set(self.commits)
        if always and self.stored is not None:
            assert offsets
            assert self.commits.index(offsets[0]) >= self.commits.index(self.stored)
        self.stored = offsets[0] if offsets else None

    async def read_all(self, client: SpuClient, name: str) -> tuple[int, dict[int, bytes]]:
        """Where the log ended, and all of it after one more record."""
        last = b"first of life %d" % self.life
        self.topics[name].sent.add(last)
        (answer,) = await client.produce(name, one_batch(last))
        assert answer.error_code.is_ok
        end = answer.base_offset
        records = await (await client.stream(name)).read_to(end + 1)
        assert [offset for offset, _ in records] == list(range(end + 1))
        assert records[-1] == (end, last)
        return end, dict(records)


def _set_soon(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """From any thread; the loop may be closed by now."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(event.set)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory in memory, where there is such a one: no byte here needs a real disk."""
    memory = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="fluvio-spu-power-", dir=memory if memory.is_dir() else None))
    yield directory
    shutil.rmtree(directory)


@pytest.mark.parametrize("policy", ["never", "interval:10", "always"])
def test_what_clients_were_told_holds_after_a_power_loss_as_the_policy_says(place: Path, policy: str) -> None:
    for seed in range(SEEDS):
        print(f"policy {policy}, seed {seed}")
        directory = place / str(seed)
        directory.mkdir()
        history = History(SyncPolicy.parse(policy), random.Random(f"{policy}-{seed}"), directory)

        async def all_lives(history: History = history) -> None:
            async with asyncio.timeout(60):
                for _ in range(LIVES):
                    await history.live()

        asyncio.run(all_lives())
        shutil.rmtree(directory)
