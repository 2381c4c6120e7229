"""Servers that are killed by SIGKILL amid their work, and started again with the same data."""

import asyncio
import os
import threading
from collections import Counter
from pathlib import Path

import psutil
import pytest

from fluvio_client.client import Fluvio
from fluvio_local_cluster.net import ConnectionClosedError
from fluvio_protocol.api.fetch import StreamFetchResponse
from fluvio_protocol.api.offsets import FetchOffsetPartition, FetchOffsetsRequest, FetchOffsetTopic
from fluvio_protocol.api.topic import TopicReplicaParam, TopicSpec
from fluvio_protocol.batch import Record, crc_matches, decode_records, split
from fluvio_types.errors import FluvioError
from tests.support import official_python as official
from tests.support.local_cluster import LocalCluster
from tests.support.official_python import Running
from tests.support.raw_cluster import RawCluster
from tests.support.raw_peer import RawPeer, produce
from tests.support.record_sets import one_batch
from tests.support.spu_client import connect, next_offset_of

COUNT, CHUNK = 200_000, 10_000  # records; the next chunk is sent when all of the one before were answered
KILLS = (60_000, 100_000, 140_000)  # the SPU is killed when so many records were sent
TOPIC = "numbers"


def value(number: int) -> bytes:
    """What is produced."""
    return b"%08d" % number


def spu_pid(cluster: LocalCluster) -> int:
    """The process to kill."""
    return cluster.processes()["SPU 5001"].pid


def spu_port(cluster: LocalCluster) -> int:
    """Where clients connect to the SPU."""
    return cluster.state.spus[0].plan.public.port


def tear_log(cluster: LocalCluster) -> None:
    """Leave the beginning of a batch at the end of the log, as a write does that was cut off."""
    (segment,) = cluster.data_dir.rglob(f"{TOPIC}-0/*.log")
    with segment.open("r+b") as file:
        start = file.read(100)
        file.seek(0, os.SEEK_END)
        file.write(start)


def checked_records(push: StreamFetchResponse) -> list[Record]:
    """The records of a push, which must be whole batches with right checksums."""
    assert push.partition.error_code.is_ok
    data = memoryview(push.partition.records)
    headers = split(data)
    assert sum(header.size_bytes for header in headers) == len(data), "a torn batch was served"
    for header in headers:
        assert crc_matches(data, header)
    return [record for header in headers for record in decode_records(data, header)]


async def read_log(port: int, topic: str) -> list[bytes]:
    """The values of all records that an SPU has of partition 0, by offset; offsets must be dense."""
    async with connect(port) as client:
        partition = FetchOffsetPartition(partition_index=0)
        request = FetchOffsetsRequest(topics=[FetchOffsetTopic(name=topic, partitions=[partition])])
        end = (await client.ask(request)).topics[0].partitions[0].last_stable_offset
        stream = await client.stream(topic)
        records: list[Record] = []
        while len(records) < end:
            push = await stream.push()
            records += checked_records(push)
            await stream.acknowledge(push)
    assert [record.offset for record in records] == list(range(len(records)))
    return [record.value for record in records]


def check_log(log: list[bytes], offsets: list[int | None], tries: int) -> None:
    """Compare a log with the offsets that the producer was told, None where it was told of a failure.

    Chunks were sent one after another, so a chunk whose acknowledgements are not at successive offsets, or
    that failed, was in flight when the SPU was killed: its records may be there once per try, or not at all.
    """
    acknowledged = [(number, offset) for number, offset in enumerate(offsets) if offset is not None]
    assert len(acknowledged) >= COUNT - 2 * len(KILLS) * CHUNK
    for number, offset in acknowledged:
        assert log[offset] == value(number), f"record {number} is not where it was acknowledged, at {offset}"
    in_order = [offset for _, offset in acknowledged]
    assert in_order == sorted(in_order)

    occurrences = Counter(log)
    assert set(occurrences) <= {value(number) for number in range(COUNT)}, "a record was never sent"
    assert next(number for number, offset in enumerate([*offsets, None]) if offset != number) >= KILLS[0], (
        "the order of acknowledgements broke before the kill"
    )
    unsure = [number for number in range(COUNT) if occurrences[value(number)] != 1 or offsets[number] is None]
    chunks = {number // CHUNK for number in unsure}
    doubled, refused = len(log) - len(occurrences), offsets.count(None)
    print(f"in flight: chunks {sorted(chunks)}: {doubled} doubled, {refused} refused, {len(log)} in the log")
    assert len(chunks) <= 2 * len(KILLS), (
        f"more is lost or doubled than was in flight: chunks {sorted(chunks)}"
    )
    assert max(occurrences.values()) <= tries
    lost = [number for number, _ in acknowledged if not occurrences[value(number)]]
    assert lost == []


@pytest.mark.skipif(not official.HAS_WHEEL, reason=official.NO_WHEEL)
def test_what_the_official_client_had_acknowledged_outlives_a_killed_spu(fresh_cluster: LocalCluster) -> None:
    cluster = fresh_cluster
    cluster.run("topic", "create", TOPIC)
    with Running(
        cluster.endpoint, official.produce_in_chunks, topic=TOPIC, count=COUNT, chunk=CHUNK
    ) as producer:
        for kill in KILLS:
            spu = psutil.Process(spu_pid(cluster))
            while (line := producer.next_line()) != f"sending from {kill}":
                assert line, "the client has ended too soon"
            spu.kill()
            if kill == KILLS[-1]:
                spu.wait(10)
                tear_log(cluster)
            cluster.run("cluster", "resume")
        offsets = producer.result(timeout_s=60)
    check_log(asyncio.run(read_log(spu_port(cluster), TOPIC)), offsets, tries=6)


def test_what_our_client_had_acknowledged_outlives_a_killed_spu(fresh_cluster: LocalCluster) -> None:
    cluster = fresh_cluster
    cluster.run("topic", "create", TOPIC)
    port = spu_port(cluster)
    seen: list[Record] = []

    async def watch() -> None:
        """Read along until the SPU is gone: what was served once must stay."""
        try:
            async with connect(port) as client:
                stream = await client.stream(TOPIC)
                while True:
                    push = await stream.push()
                    seen.extend(checked_records(push))
                    await stream.acknowledge(push)
        except (ConnectionClosedError, OSError):
            return

    sent = {number: threading.Event() for number in KILLS}

    def kill_and_resume() -> None:
        for number in KILLS:
            spu = psutil.Process(spu_pid(cluster))
            assert sent[number].wait(30)
            spu.kill()
            cluster.run("cluster", "resume")

    async def produce_all() -> list[int | None]:
        offsets: list[int | None] = []
        async with (
            asyncio.TaskGroup() as group,
            Fluvio.connect(cluster.endpoint) as client,
            client.producer(TOPIC) as producer,
        ):
            group.create_task(watch(), name="watch")
            group.create_task(asyncio.to_thread(kill_and_resume), name="kill and resume")
            while len(offsets) < COUNT:
                numbers = range(len(offsets), len(offsets) + CHUNK)
                deliveries = await producer.send_all([(None, value(number)) for number in numbers])
                if numbers.start in sent:
                    sent[numbers.start].set()  # these are on their way now
                for delivery in deliveries:
                    try:
                        offsets.append((await delivery).offset)
                    except FluvioError:
                        offsets.append(None)
        return offsets

    offsets = asyncio.run(asyncio.wait_for(produce_all(), 60))
    log = asyncio.run(read_log(port, TOPIC))
    check_log(log, offsets, tries=6)
    assert len(seen) > 0
    assert [record.value for record in seen] == log[: len(seen)]


def test_clients_go_on_while_the_controller_is_dead_and_find_all_topics_afterwards(tmp_path: Path) -> None:
    with RawCluster(tmp_path) as cluster:
        cluster.create_topic(TOPIC)
        (spu,) = cluster.spus

        async def use_open_connections() -> None:
            async with connect(spu.public_port) as client:
                stream = await client.stream(TOPIC)
                await client.produce(TOPIC, one_batch(b"before"))
                await stream.acknowledge(await stream.push())
                cluster.sc.kill()
                for number in range(100):
                    (answer,) = await client.produce(TOPIC, one_batch(value(number)))
                    assert answer.error_code.is_ok
                    push = await stream.push()
                    assert [record.value for record in checked_records(push)] == [value(number)]
                    assert next_offset_of(push) == number + 2
                    await stream.acknowledge(push)

        asyncio.run(use_open_connections())
        with RawPeer(spu.public_port) as late:  # nor does a new connection need the controller
            late.shake_hands()
            assert produce(late, TOPIC, one_batch(b"late")).is_ok
        cluster.sc.start()
        cluster.await_online()
        with cluster.admin() as admin:
            assert [topic.name for topic in admin.list_topics()] == [TOPIC]
            assert [partition.spec.leader for partition in admin.list_partitions()] == [5001]
        cluster.create_topic("afterwards")
        with RawPeer(spu.public_port) as peer:
            peer.shake_hands()
            assert produce(peer, "afterwards", one_batch(b"x")).is_ok
        assert len(asyncio.run(read_log(spu.public_port, TOPIC))) == 102


def test_topics_that_were_acknowledged_outlive_a_controller_killed_while_it_creates(tmp_path: Path) -> None:
    with RawCluster(tmp_path) as cluster:
        created: list[str] = []
        enough = threading.Event()

        def create_until_killed() -> None:
            spec = TopicSpec(replicas=TopicReplicaParam(partitions=2))
            try:
                with cluster.admin() as admin:
                    for number in range(1000):
                        admin.create_topic(f"t-{number:04d}", spec)
                        created.append(f"t-{number:04d}")
                        if len(created) == 25:
                            enough.set()
            except FluvioError:
                return

        creating = threading.Thread(target=create_until_killed)
        creating.start()
        assert enough.wait(30)
        cluster.sc.kill()
        creating.join(30)
        assert not creating.is_alive()
        cluster.sc.start()
        cluster.await_online()
        with cluster.admin() as admin:
            listed = [topic.name for topic in admin.list_topics()]
            partitions = {partition.name for partition in admin.list_partitions()}
        assert set(created) <= set(listed)
        assert len(listed) <= len(created) + 1  # the one in flight may be there or not
        assert {f"{name}-{index}" for name in created for index in (0, 1)} <= partitions
        with RawPeer(cluster.spus[0].public_port) as peer:
            peer.shake_hands()
            for name in created:
                assert produce(peer, name, one_batch(b"x")).is_ok
