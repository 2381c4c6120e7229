"""Consumers' offsets: kept, listed, deleted, forwarded, and found again after a restart."""

import asyncio
import random
import shutil
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fluvio_local_cluster.spu.server import Spu
from fluvio_protocol.api.admin import MsgType
from fluvio_protocol.api.consumer_offsets import (
    DeleteConsumerOffsetRequest,
    FetchConsumerOffsetsRequest,
    FilterOpts,
    UpdateConsumerOffsetRequest,
    UpdateConsumerOffsetResponse,
)
from fluvio_protocol.api.offsets import FetchOffsetPartition, FetchOffsetsRequest, FetchOffsetTopic
from fluvio_protocol.api.topic import TopicStorageConfig
from fluvio_protocol.batch import split
from fluvio_protocol.error_code import ErrorKind, ReplicaKey
from tests.support.record_sets import one_batch
from tests.support.running_cluster import ServerProcess, start_server
from tests.support.running_spu import public_port, run_with_spu, running_spu
from tests.support.scripted_sc import ScriptedSc, replica, spu_spec
from tests.support.spu_client import SpuClient, connect

DATA = Path(__file__).parent.parent / "data"
OFFSETS = replica("consumer-offset")


def key(topic: str) -> ReplicaKey:
    return ReplicaKey(topic=topic, partition=0)


async def ready(sc: ScriptedSc, *topics: str) -> None:
    await sc.push_all(OFFSETS, *map(replica, topics))
    for topic in ("consumer-offset", *topics):
        await sc.told(topic)


async def commit(client: SpuClient, topic: str, consumer: str | None, *offsets: int) -> list[ErrorKind]:
    """Open a stream for a consumer and commit these offsets over it."""
    stream = await client.stream(topic, consumer_id=consumer)
    push = await stream.push()
    correlation_ids = [
        await client.send(UpdateConsumerOffsetRequest(offset=offset, session_id=push.stream_id))
        for offset in offsets
    ]
    answers = [await client.answer(sent, UpdateConsumerOffsetResponse) for sent in correlation_ids]
    assert [answer.offset for answer in answers] == list(offsets)
    return [answer.error_code.kind for answer in answers]


async def listed(client: SpuClient, filter_opts: FilterOpts | None = None) -> list[tuple[str, str, int]]:
    answer = await client.ask(FetchConsumerOffsetsRequest(filter_opts=filter_opts))
    assert answer.error_code.is_ok
    return [(c.replica_id.topic, c.consumer_id, c.offset) for c in answer.consumers]


def test_offsets_are_stored_listed_filtered_and_deleted(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t", "u")
        async with connect(public_port(spu)) as client:
            for topic in ("t", "u"):
                await client.produce(topic, one_batch(b"a", b"b", b"c"))
            assert await commit(client, "t", "c1", 0, 2) == [ErrorKind.NONE] * 2
            assert await commit(client, "u", "c1", 1) == [ErrorKind.NONE]
            assert await commit(client, "t", "c2", 1, 0) == [ErrorKind.NONE] * 2  # rewinding is legal
            assert await listed(client) == [("t", "c1", 2), ("t", "c2", 0), ("u", "c1", 1)]
            assert await listed(client, FilterOpts(consumer_id="c1")) == [("t", "c1", 2), ("u", "c1", 1)]
            assert await listed(client, FilterOpts(replica_id=key("t"), consumer_id="c2")) == [("t", "c2", 0)]
            for consumer in ("c2", "unknown"):
                request = DeleteConsumerOffsetRequest(replica_id=key("t"), consumer_id=consumer)
                assert (await client.ask(request)).error_code.is_ok
            assert await listed(client) == [("t", "c1", 2), ("u", "c1", 1)]

    run_with_spu(tmp_path, body)


def test_version_23_of_fetch_offsets_starts_after_the_stored_offset(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        asked = [FetchOffsetTopic(name="t", partitions=[FetchOffsetPartition(partition_index=0)])]
        async with connect(public_port(spu)) as client:
            await client.produce("t", one_batch(b"a", b"b", b"c"))
            await commit(client, "t", "c1", 1)
            for consumer, version, start in (("c1", 23, 2), ("other", 23, 0), ("c1", 24, 0)):
                answer = await client.ask(FetchOffsetsRequest(topics=asked, consumer_id=consumer), version)
                assert answer.topics[0].partitions[0].start_offset == start

    run_with_spu(tmp_path, body)


def test_updates_without_a_stream_or_a_consumer_are_refused(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        async with connect(public_port(spu)) as client:
            answer = await client.ask(UpdateConsumerOffsetRequest(offset=1, session_id=9))
            assert answer.error_code.kind is ErrorKind.FETCH_SESSION_NOT_FOUND
            await client.produce("t", one_batch(b"a"))
            assert await commit(client, "t", None, 0) == [ErrorKind.OTHER]

    run_with_spu(tmp_path, body)


@pytest.mark.parametrize("commits", [3, 101, 130])
def test_a_restart_finds_the_last_offset_of_every_consumer(tmp_path: Path, commits: int) -> None:
    async def body() -> None:
        async with ScriptedSc() as sc:
            async with running_spu(tmp_path, sc.port) as spu:
                await sc.registered()
                await ready(sc, "t")
                async with connect(public_port(spu)) as client:
                    await client.produce("t", one_batch(b"a"))
                    await commit(client, "t", "early", 7)
                    for i in range(commits):  # one after the other: nothing to collect
                        await commit(client, "t", f"c{i % 3}", i)
                    before = await listed(client)
                    assert ("t", f"c{(commits - 1) % 3}", commits - 1) in before
            async with running_spu(tmp_path, sc.port) as spu:
                await sc.registered(2)
                sc.reports.clear()
                await ready(sc, "t")
                async with connect(public_port(spu)) as client:
                    assert await listed(client) == before

    asyncio.run(body())


def test_the_official_log_of_offsets_is_read_and_continued(tmp_path: Path) -> None:
    async def body() -> None:
        shutil.copytree(DATA / "engine-replica" / "spu-logs-5001", tmp_path / "spu-logs-5001")
        async with ScriptedSc() as sc, running_spu(tmp_path, sc.port) as spu:
            await sc.registered()
            await ready(sc, "seg", "r2", "t1")
            async with connect(public_port(spu)) as client:
                assert await listed(client) == []  # its last records delete all (see its README)
                await client.produce("seg", one_batch(b"x"))
                await commit(client, "seg", "ours", 3)
                assert ("seg", "ours", 3) in await listed(client)

    asyncio.run(body())


def test_deleting_a_topic_forgets_its_consumers(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t", "u")
        async with connect(public_port(spu)) as client:
            for topic in ("t", "u"):
                await client.produce(topic, one_batch(b"a"))
                await commit(client, topic, "c", 0)
            await sc.push(replica("t"), kind=MsgType.DELETE)
            await sc.until(lambda: ("t", 0) in sc.removed)
            sc.reports.clear()
            await sc.push(replica("t"))
            await sc.told("t")
            assert await listed(client) == [("u", "c", 0)]

    run_with_spu(tmp_path, body)


def with_two(tmp_path: Path, body: Callable[[ScriptedSc, Spu, Spu], Awaitable[None]]) -> None:
    """Two SPUs: 5001 leads `consumer-offset`, 5002 leads `t`."""

    async def main() -> None:
        async with (
            ScriptedSc() as sc,
            running_spu(tmp_path, sc.port) as one,
            running_spu(tmp_path, sc.port, 5002) as two,
        ):
            await sc.registered(2)
            assert one.private is not None
            assert two.private is not None
            await sc.push_spus(spu_spec(5001, one.private.port), spu_spec(5002, two.private.port))
            await sc.push_all(OFFSETS, replica("t", leader=5002))
            await sc.told("consumer-offset")
            await sc.told("t")
            async with asyncio.timeout(30):
                await body(sc, one, two)

    asyncio.run(main())


def test_offsets_go_to_the_spu_that_keeps_them(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, one: Spu, two: Spu) -> None:
        asked = [FetchOffsetTopic(name="t", partitions=[FetchOffsetPartition(partition_index=0)])]
        async with connect(public_port(one)) as keeper, connect(public_port(two)) as client:
            await client.produce("t", one_batch(b"a", b"b", b"c"))
            assert await commit(client, "t", "c", 0, 1) == [ErrorKind.NONE] * 2
            assert await listed(keeper) == [("t", "c", 1)]
            answer = await client.ask(FetchOffsetsRequest(topics=asked, consumer_id="c"), 23)
            assert answer.topics[0].partitions[0].start_offset == 2
            for request in (
                FetchConsumerOffsetsRequest(),
                DeleteConsumerOffsetRequest(replica_id=key("t"), consumer_id="c"),
            ):
                assert (await client.ask(request)).error_code.kind is ErrorKind.PARTITION_NOT_LEADER

    with_two(tmp_path, body)


def test_a_keeper_that_is_away_is_an_error_for_the_client(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, one: Spu, two: Spu) -> None:
        assert one.private is not None
        async with connect(public_port(two)) as client:
            await client.produce("t", one_batch(b"a"))
            await one.private.close(0.0)
            assert await commit(client, "t", "c", 0) == [ErrorKind.OTHER]

    with_two(tmp_path, body)


def test_a_topic_made_again_on_another_spu_does_not_inherit_offsets(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, one: Spu, two: Spu) -> None:
        async with connect(public_port(one)) as keeper, connect(public_port(two)) as client:
            await client.produce("t", one_batch(b"a", b"b", b"c"))
            assert await commit(client, "t", "c", 2) == [ErrorKind.NONE]
            sc.incarnations["t", 0] = "life 2"
            sc.reports.clear()
            await sc.push(replica("t", leader=5002))  # the SC never said that it was deleted
            await sc.told("t", leo=0)
            assert await listed(keeper) == []
            await client.produce("t", one_batch(b"x"))
            assert await commit(client, "t", "c", 0) == [ErrorKind.NONE]
            assert await listed(keeper) == [("t", "c", 0)]

    with_two(tmp_path, body)


def test_an_spu_that_missed_the_new_topic_cannot_store_offsets_for_it(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, one: Spu, two: Spu) -> None:
        async with connect(public_port(one)) as keeper, connect(public_port(two)) as client:
            await client.produce("t", one_batch(b"a", b"b", b"c"))
            push = await (await client.stream("t", consumer_id="c")).push()
            commit_2 = UpdateConsumerOffsetRequest(offset=2, session_id=push.stream_id)
            assert (await client.ask(commit_2)).error_code.is_ok
            one.replicas.assignment.incarnations["t", 0] = "life 2"  # it has heard, the other has not yet
            assert (await client.ask(commit_2)).error_code.kind is ErrorKind.TOPIC_DELETED
            assert await listed(keeper) == []

    with_two(tmp_path, body)


@pytest.mark.parametrize("leader", [5001, 5002], ids=["led by the same SPU", "led by another one"])
def test_offsets_of_a_topic_replaced_while_the_keeper_was_away_are_gone(tmp_path: Path, leader: int) -> None:
    async def body() -> None:
        topic = replica("t", leader=leader)
        async with ScriptedSc() as sc:

            async def start(one: Spu, two: Spu) -> int:
                assert one.private is not None
                assert two.private is not None
                await sc.push_spus(spu_spec(5001, one.private.port), spu_spec(5002, two.private.port))
                sc.reports.clear()
                await sc.push_all(OFFSETS, topic)
                await sc.told("consumer-offset")
                await sc.told("t")
                return public_port(one if leader == 5001 else two)

            async with running_spu(tmp_path, sc.port, 5002) as two:
                async with running_spu(tmp_path, sc.port) as one:
                    await sc.registered(2)
                    async with connect(await start(one, two)) as client:
                        await client.produce("t", one_batch(b"a", b"b"))
                        assert await commit(client, "t", "c", 1) == [ErrorKind.NONE]
                sc.incarnations["t", 0] = "life 2"
                async with running_spu(tmp_path, sc.port) as one:
                    await sc.registered(3)
                    port = await start(one, two)
                    await sc.told("t", leo=0)
                    async with connect(public_port(one)) as keeper, connect(port) as client:
                        assert await listed(keeper) == []
                        await client.produce("t", one_batch(b"x"))
                        assert await commit(client, "t", "c", 0) == [ErrorKind.NONE]
                        assert await listed(keeper) == [("t", "c", 0)]

    asyncio.run(body())


def test_offsets_taken_over_from_the_official_engine_belong_to_the_topics_that_are_there(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "spu-logs-5001" / "consumer-offset-0"
    shutil.copytree(DATA / "engine-replica" / "spu-logs-5001" / "consumer-offset-0", directory)
    log = directory / "00000000000000000000.log"
    whole = log.read_bytes()
    log.write_bytes(whole[: split(whole)[5].position + split(whole)[5].size_bytes])  # before all is deleted
    (directory / "replication.chk").unlink()

    async def body() -> None:
        async with ScriptedSc() as sc:
            for life, expected in (
                ("life 1", [("r2", "c1", 5), ("t1", "c2", 2)]),
                ("life 1", [("r2", "c1", 5), ("t1", "c2", 2)]),
                ("life 2", [("t1", "c2", 2)]),
            ):
                sc.incarnations["r2", 0] = life
                sc.reports.clear()
                async with running_spu(tmp_path, sc.port) as spu:
                    await sc.until(lambda: sc._spus)
                    await ready(sc, "r2", "t1")
                    async with connect(public_port(spu)) as client:
                        assert await listed(client) == expected
                await sc.until_left()

    asyncio.run(body())


def test_acknowledged_commits_survive_kill_9_amid_rolls_and_cleanings(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed={seed}")
    chance = random.Random(seed)
    small = TopicStorageConfig(segment_size=1024, max_partition_size=4096)
    offsets = replica("consumer-offset", storage=small)
    stored = {f"c{i}": -1 for i in range(4)}

    async def body() -> None:
        async with ScriptedSc() as sc:
            for life in range(3):
                server = await asyncio.to_thread(start_spu, tmp_path, sc.port)
                try:
                    await sc.registered(life + 1)
                    sc.reports.clear()
                    await sc.push_all(offsets, replica("t"))
                    await sc.told("consumer-offset")
                    await sc.told("t")
                    async with connect(server.public_port) as client, asyncio.timeout(30):
                        await commit_for_a_while(client, life, chance)
                finally:
                    server.stop(signal.SIGKILL)
                await sc.until_left()

    async def commit_for_a_while(client: SpuClient, life: int, chance: random.Random) -> None:
        found = {name: offset for _, name, offset in await listed(client)}
        assert found == {name: offset for name, offset in stored.items() if offset >= 0}
        await client.produce("t", one_batch(b"a"))
        sessions = {name: (await (await client.stream("t", consumer_id=name)).push()) for name in stored}
        for _ in range(chance.randrange(20, 60)):
            names = chance.sample(sorted(stored), chance.randrange(1, 4))  # one may sleep all the time
            requests = {name: chance.randrange(1000) for name in names}
            sent = [
                await client.send(
                    UpdateConsumerOffsetRequest(offset=offset, session_id=sessions[name].stream_id)
                )
                for name, offset in requests.items()
            ]
            for correlation_id in sent:
                answer = await client.answer(correlation_id, UpdateConsumerOffsetResponse)
                assert answer.error_code.is_ok
            stored.update(requests)

    asyncio.run(body())
    directory = tmp_path / "spu-logs-5001" / "consumer-offset-0"
    first = min(path.name for path in directory.glob("*.log"))
    assert int(first.removesuffix(".log")) > 0  # retention was at work


def start_spu(directory: Path, sc_port: int) -> ServerProcess:
    """A real process, which cleans its logs all the time."""
    arguments = ["fluvio_local_cluster.spu", "-i", "5001", "-p", "127.0.0.1:0", "-v", "127.0.0.1:0"]
    arguments += ["--sc-addr", f"127.0.0.1:{sc_port}", "--log-base-dir", str(directory)]
    arguments += ["--retention-tick-ms", "50", "--consumer-offset-ttl-s", "3600"]
    return start_server(arguments, directory / "spu.log")
