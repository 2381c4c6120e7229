"""Retention on a running SPU: what goes, what the SC hears, what readers are told."""

import time
from pathlib import Path

from fluvio_local_cluster.spu.server import Spu
from fluvio_local_cluster.spu.upkeep import Upkeep
from fluvio_protocol.api.fetch import FetchableTopic, FetchPartition, FetchRequest, StreamFetchResponse
from fluvio_protocol.api.topic import SegmentBasedPolicy, TopicStorageConfig
from fluvio_protocol.error_code import ErrorKind
from tests.integration.test_spu_consumer_offsets import commit, listed
from tests.support.record_sets import one_batch
from tests.support.running_spu import public_port, run_with_spu
from tests.support.scripted_sc import ScriptedSc, replica
from tests.support.spu_client import SpuClient, connect

SMALL = TopicStorageConfig(segment_size=1024, max_partition_size=2048)
ROOMY = TopicStorageConfig(segment_size=1024)


async def produce(client: SpuClient, count: int, topic: str = "t") -> None:
    """Batches of 300 bytes or so, four to a segment of 1024."""
    for i in range(count):
        answer = (await client.produce(topic, one_batch(b"%0230d" % i)))[0]
        assert answer.error_code.kind is ErrorKind.NONE


class Clocks:
    """Both clocks of `Upkeep`, moved by the test."""

    def __init__(self) -> None:
        self.wall_s, self.steady_s = time.time(), 1000.0

    def run(self, seconds: float) -> None:
        self.wall_s += seconds
        self.steady_s += seconds

    def upkeep(self, spu: Spu) -> Upkeep:
        return Upkeep(spu.replicas, 3600, lambda: self.wall_s, lambda: self.steady_s)


def test_a_log_that_is_too_large_is_cleaned_and_the_sc_hears_of_it(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(replica("t", storage=SMALL))
        await sc.told("t")
        async with connect(public_port(spu)) as client:
            await produce(client, 30)
            await sc.until(lambda: sc.reports["t", 0].base_offset > 0 and sc.reports["t", 0].size <= 3072)
            leader = spu.replicas.find("t", 0)
            assert leader is not None
            await sc.until(lambda: sc.reports["t", 0].base_offset == leader.log.log_start)
            start = leader.log.log_start
            found = await (await client.stream("t", start)).read_to(30)
            assert [offset for offset, _ in found] == list(range(start, 30))

    run_with_spu(tmp_path, body, retention_tick_s=0.05)


def test_settings_that_change_count_at_once(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        clocks = Clocks()
        upkeep = clocks.upkeep(spu)
        week = SegmentBasedPolicy(time_in_seconds=10 * 365 * 86_400)
        await sc.push_all(replica("t", storage=ROOMY, cleanup_policy=week))
        await sc.told("t")
        async with connect(public_port(spu)) as client:
            await produce(client, 30)
            await upkeep.clean()
            leader = spu.replicas.find("t", 0)
            assert leader is not None
            assert leader.log.log_start == 0
            await sc.push(replica("t", storage=SMALL, cleanup_policy=week))
            await sc.until(lambda: leader.log.settings.retention.max_bytes == 2048)
            await upkeep.clean()
            assert leader.log.size_bytes <= 3072
            assert leader.log.log_start > 0

    run_with_spu(tmp_path, body)


def test_old_records_go_also_those_of_the_last_segment_but_not_when_the_clock_jumps(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        clocks = Clocks()
        upkeep = clocks.upkeep(spu)
        await sc.push_all(replica("t", storage=ROOMY, cleanup_policy=SegmentBasedPolicy(time_in_seconds=10)))
        await sc.told("t")
        async with connect(public_port(spu)) as client:
            await produce(client, 8)
            leader = spu.replicas.find("t", 0)
            assert leader is not None
            clocks.wall_s += 1  # after the newest append
            await upkeep.clean()  # closed segments: their records say that they are of 2023
            closed_until = leader.log.log_start
            assert 0 < closed_until < 8
            clocks.wall_s += 7200
            await upkeep.clean()
            assert leader.log.log_start == closed_until
            clocks.wall_s -= 7200
            await sc.until(lambda: sc.reports["t", 0].base_offset == closed_until)
            clocks.run(12)
            await upkeep.clean()  # closes the last segment
            await upkeep.clean()
            assert (leader.log.log_start, leader.log.size_bytes) == (8, 0)
            await sc.until(lambda: sc.reports["t", 0].base_offset == 8 and sc.reports["t", 0].size == 0)
            await produce(client, 1)
            assert [offset for offset, _ in await (await client.stream("t", 8)).read_to(9)] == [8]

    run_with_spu(tmp_path, body)


def test_a_log_that_is_opened_just_after_the_clock_jumped_loses_nothing(tmp_path: Path) -> None:
    """It has seen no other clock; the SPU has."""

    async def body(sc: ScriptedSc, spu: Spu) -> None:
        clocks = Clocks()
        upkeep = clocks.upkeep(spu)
        clocks.wall_s += 365 * 86_400
        await sc.push_all(replica("t", storage=ROOMY, cleanup_policy=SegmentBasedPolicy(time_in_seconds=10)))
        await sc.told("t")
        async with connect(public_port(spu)) as client:
            await produce(client, 8)
            leader = spu.replicas.find("t", 0)
            assert leader is not None
            await upkeep.clean()
            assert leader.log.log_start == 0
            clocks.run(3600)  # for so long it has gone on evenly: it is believed
            await upkeep.clean()
            assert leader.log.log_start > 0

    run_with_spu(tmp_path, body)


def test_readers_of_what_is_gone_are_told_where_to_go_on(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        clocks = Clocks()
        upkeep = clocks.upkeep(spu)
        await sc.push_all(replica("t", storage=SMALL))
        await sc.told("t")
        async with connect(public_port(spu)) as client:
            await produce(client, 8)
            behind = await client.stream("t", 0, max_bytes=1)
            push = await behind.push()
            await produce(client, 22)
            await upkeep.clean()
            leader = spu.replicas.find("t", 0)
            assert leader is not None
            start = leader.log.log_start
            late = await (await client.stream("t", 3)).push()
            assert evicted(late) == (3, start)
            await behind.acknowledge(push)  # it was open all the time
            assert evicted(await behind.push()) == (1, start)
            partition = FetchPartition(partition_index=0, fetch_offset=5)
            wanted = FetchableTopic(name="t", fetch_partitions=[partition])
            answer = await client.ask(FetchRequest(topics=[wanted]), 10)
            fetched = answer.topics[0].partitions[0]
            assert fetched.error_code.payload == (5, start)

    run_with_spu(tmp_path, body)


def evicted(push: StreamFetchResponse) -> tuple[int, int]:
    code = push.partition.error_code
    assert code.kind is ErrorKind.OFFSET_EVICTED
    asked, following = code.payload
    return asked, following


def test_offsets_of_a_consumer_that_sleeps_outlive_the_retention_of_their_log(tmp_path: Path) -> None:
    offsets = replica("consumer-offset", storage=SMALL, cleanup_policy=SegmentBasedPolicy(time_in_seconds=10))

    async def body(sc: ScriptedSc, spu: Spu) -> None:
        clocks = Clocks()
        upkeep = clocks.upkeep(spu)
        await sc.push_all(offsets, replica("t"))
        await sc.told("consumer-offset")
        await sc.told("t")
        async with connect(public_port(spu)) as client:
            await produce(client, 1)
            await commit(client, "t", "sleeps", 0)
            log = spu.replicas.leaders["consumer-offset", 0].log
            for commits in (90, 90):
                for i in range(commits):
                    await commit(client, "t", "works", i)
                clocks.run(20)
                await upkeep.clean()
                clocks.run(20)
                await upkeep.clean()
            assert log.log_start > 0  # what is before the checkpoint does go

    async def after_restart(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(offsets, replica("t"))
        await sc.told("consumer-offset")
        async with connect(public_port(spu)) as client:
            assert await listed(client) == [("t", "sleeps", 0), ("t", "works", 89)]

    run_with_spu(tmp_path, body)
    run_with_spu(tmp_path, after_restart)
