"""F-09: the wall clock of a server jumps by a year while it runs, to and fro, and nothing follows.

No record goes before its time, SPUs stay online, topics are made, records come and go; what waits for a time
waits by a clock that does not jump. Rules: docs/durability.md, "Retention".
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fluvio_client.client import Fluvio
from fluvio_client.consumer.consumer import Consumer
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig, OffsetStrategy
from fluvio_protocol.api.spu import SpuStatusResolution
from fluvio_protocol.api.topic import CleanupPolicy, TopicReplicaParam, TopicSpec, TopicStorageConfig
from tests.support.clocks import YEAR_S, MovedClock
from tests.support.raw_cluster import RawCluster

DEADLINE_S = 20
RECORDS = 12  # at a time: three segments


@dataclass
class Moved:
    """A cluster, and the clocks of its processes."""

    cluster: RawCluster
    clocks: dict[str, MovedClock]
    count: int = 0  # records of topic `kept`

    def move(self, who: str, ahead_s: int) -> None:
        """Let the clock of `sc`, `spu` or `both` jump."""
        for name, clock in self.clocks.items():
            if who in (name, "both"):
                clock.move_to(ahead_s)

    def await_said(self, text: str, times: int) -> None:
        """Wait until the SPU's output has `text` so often."""
        deadline = time.monotonic() + DEADLINE_S
        with self.cluster.admin() as admin:
            while self.cluster.spus[0].said().count(text) < times:
                admin.list_topics()  # a round trip: the servers had their turn
                assert time.monotonic() < deadline, f"not said: {text}\n{self.cluster.spus[0].said()[-2000:]}"


def limited(retention_s: int) -> TopicSpec:
    return TopicSpec(
        replicas=TopicReplicaParam(partitions=1),
        cleanup_policy=CleanupPolicy(time_in_seconds=retention_s),
        storage=TopicStorageConfig(segment_size=1024),
    )


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[Moved]:
    """An SPU that cleans every 50 ms, and a topic that keeps an hour."""
    clocks = {name: MovedClock(tmp_path / f"{name}.clock") for name in ("sc", "spu")}
    cluster = RawCluster(tmp_path, spu_options=["--retention-tick-ms", "50"])
    cluster.sc.run_under(*clocks["sc"].wrapper)
    cluster.spus[0].run_under(*clocks["spu"].wrapper)
    with cluster:
        with cluster.admin() as admin:
            admin.create_topic("kept", limited(3600))
        yield Moved(cluster, clocks)


async def produce(client: Fluvio, moved: Moved) -> None:
    """Some batches, each acknowledged: four make a segment."""
    async with client.producer("kept") as producer:
        for _ in range(RECORDS):
            delivery = await producer.send(None, b"%0200d" % moved.count)
            await producer.flush()
            assert (await delivery).offset == moved.count
            moved.count += 1


async def read(consumer: Consumer, first: int, stop: int) -> None:
    """Exactly these records come next."""
    for offset in range(first, stop):
        record = await anext(consumer)
        assert (record.offset, int(record.value)) == (offset, offset)


def check_cluster(moved: Moved, topic: str) -> None:
    """The SPU is online, no record is gone, a topic can be made."""
    with moved.cluster.admin() as admin:
        (spu,) = admin.list_spus()
        assert spu.status.resolution is SpuStatusResolution.ONLINE
        admin.create_topic(topic, limited(3600))  # answers when its partition is online
        (kept,) = [p for p in admin.list_partitions() if p.name == "kept-0"]
        assert kept.status.base_offset == 0
    assert "retention removed" not in moved.cluster.spus[0].said()


@pytest.mark.parametrize("who", ["sc", "spu", "both"])
def test_a_clock_that_jumps_by_a_year_while_all_run_removes_stops_and_delays_nothing(
    moved: Moved, who: str
) -> None:
    async def body() -> None:
        everything = ConsumerConfig("kept", start=Offset.beginning())
        managed = ConsumerConfig(
            "kept", start=Offset.beginning(), consumer_id="c", offset_strategy=OffsetStrategy.MANUAL
        )
        async with (
            Fluvio.connect(moved.cluster.endpoint) as client,
            client.consumer(everything) as consumer,
            client.consumer(managed) as committing,
        ):
            distrusted = trusted = 0
            for number, ahead_s in enumerate((0, YEAR_S, -YEAR_S, YEAR_S, 0)):
                moved.move(who, ahead_s)
                first = moved.count
                await produce(client, moved)
                await read(consumer, first, moved.count)
                await read(committing, first, moved.count)
                committing.commit()
                await committing.flush()
                if who != "sc" and ahead_s and not distrusted:
                    distrusted = 1
                    await asyncio.to_thread(
                        moved.await_said, "is removed for its age replica=kept-0 cause=the clock jumped", 1
                    )
                elif who != "sc" and not ahead_s and distrusted:
                    trusted = 1
                    await asyncio.to_thread(moved.await_said, "records age again replica=kept-0", 1)
                await asyncio.to_thread(check_cluster, moved, f"topic-{number}")
                assert "spu offline" not in moved.cluster.sc.said()
            assert (distrusted, trusted) == ((0, 0) if who == "sc" else (1, 1))
        async with Fluvio.connect(moved.cluster.endpoint) as client:
            from_start = ConsumerConfig("kept", start=Offset.beginning(), disable_continuous=True)
            async with client.consumer(from_start) as consumer:
                await read(consumer, 0, moved.count)
            async with client.consumer(managed) as consumer:  # its offsets are of no time at all
                await produce(client, moved)
                await read(consumer, moved.count - RECORDS, moved.count)

    asyncio.run(asyncio.wait_for(body(), 3 * DEADLINE_S))


def test_a_start_with_a_clock_a_year_behind_keeps_all_records_until_the_clock_is_right(moved: Moved) -> None:
    cluster, spu = moved.cluster, moved.cluster.spus[0]

    async def use(first: int) -> None:
        async with Fluvio.connect(cluster.endpoint) as client:
            await produce(client, moved)
            from_start = ConsumerConfig("kept", start=Offset.absolute(first), disable_continuous=True)
            async with client.consumer(from_start) as consumer:
                await read(consumer, first, moved.count)

    asyncio.run(asyncio.wait_for(use(0), DEADLINE_S))
    for times, stop in ((1, spu.stop), (2, spu.kill)):
        stop()
        moved.move("both", -YEAR_S)
        cluster.sc.stop()
        cluster.sc.start()
        spu.start()
        cluster.await_online()
        moved.await_said("before the newest append on the disk", times)
        asyncio.run(asyncio.wait_for(use(0), DEADLINE_S))
        moved.move("both", 0)
    check_cluster(moved, "another")
    asyncio.run(asyncio.wait_for(use(0), DEADLINE_S))


def test_records_that_are_a_year_old_by_a_clock_that_is_believed_are_removed(moved: Moved) -> None:
    """The other side: without it the tests above would prove nothing of retention."""
    cluster, spu = moved.cluster, moved.cluster.spus[0]

    async def fill() -> None:
        async with Fluvio.connect(cluster.endpoint) as client:
            await produce(client, moved)

    asyncio.run(asyncio.wait_for(fill(), DEADLINE_S))
    spu.stop()
    moved.move("spu", YEAR_S)
    spu.start()
    cluster.await_online()
    moved.await_said("retention removed segments replica=kept-0", 1)
