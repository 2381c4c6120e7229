"""F-15: everything is stopped and started twenty times, in order and by kill -9; SPUs come and go.

After each start all records ever acknowledged are there, at their offsets, and a consumer goes on where it
was.
"""

import asyncio
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig, OffsetStrategy
from fluvio_client.producer.partitioner import FixedPartitioner
from fluvio_client.producer.settings import ProducerSettings
from fluvio_client.settings import ClientSettings
from fluvio_protocol.api.partition import PartitionResolution
from fluvio_types.errors import FluvioError
from tests.support.raw_cluster import RawCluster, ServerProcess

ROUNDS = 20
PARTITIONS = 3
TOPIC = "numbers"
DEADLINE_S = 30


@dataclass
class Model:
    """What was acknowledged, by partition and offset, and how far the consumer came."""

    values: dict[int, list[bytes]] = field(default_factory=lambda: {p: [] for p in range(PARTITIONS)})
    consumed: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(PARTITIONS), 0))
    count: int = 0

    def note(self, partition: int, offset: int, value: bytes) -> None:
        """A record was acknowledged."""
        assert offset == len(self.values[partition]), "offsets are dense"
        self.values[partition].append(value)


async def use(endpoint: str, model: Model) -> None:
    """Read everything; go on as the consumer; produce some more and consume a part of it."""
    async with Fluvio.connect(endpoint) as client:
        await read_all(client, model)
        await consume_on(client, model)
        sent = []
        async with client.producer(TOPIC) as producer:
            for _ in range(30):
                value = b"%d" % model.count
                model.count += 1
                sent.append((value, await producer.send(None, value)))
            await producer.flush()
            for value, delivery in sent:
                where = await delivery
                model.note(where.partition, where.offset, value)


async def read_all(client: Fluvio, model: Model) -> None:
    found: dict[int, list[bytes]] = {p: [] for p in range(PARTITIONS)}
    config = ConsumerConfig(TOPIC, start=Offset.beginning(), disable_continuous=True)
    async with client.consumer(config) as consumer:
        async for record in consumer:
            assert record.offset == len(found[record.partition])
            found[record.partition].append(record.value)
    assert found == model.values


async def consume_on(client: Fluvio, model: Model) -> None:
    """As the consumer `c`: exactly what it has not read, and its offsets are kept."""
    config = ConsumerConfig(
        TOPIC,
        start=Offset.beginning(),
        disable_continuous=True,
        consumer_id="c",
        offset_strategy=OffsetStrategy.MANUAL,
    )
    async with client.consumer(config) as consumer:
        async for record in consumer:
            assert record.offset == model.consumed[record.partition], "read twice, or left out"
            model.consumed[record.partition] += 1
        consumer.commit()
        await consumer.flush()
    assert model.consumed == {p: len(values) for p, values in model.values.items()}


def start_all(servers: list[ServerProcess]) -> None:
    """All at once, as a machine does that comes up."""
    with ThreadPoolExecutor(len(servers)) as pool:
        for started in [pool.submit(server.start) for server in servers]:
            started.result()


def test_twenty_restarts_of_everything_lose_no_record_and_no_consumer_offset(tmp_path: Path) -> None:
    rng = random.Random(15)
    model = Model()
    with RawCluster(tmp_path, spu_count=2) as cluster:
        cluster.create_topic(TOPIC, PARTITIONS)
        servers = [cluster.sc, *cluster.spus]
        for number in range(ROUNDS):
            print(f"round {number}")
            asyncio.run(asyncio.wait_for(use(cluster.endpoint, model), DEADLINE_S))
            order = rng.sample(servers, len(servers))
            for server in order:
                server.stop() if number % 2 else server.kill()
            start_all(servers)
            cluster.await_online()
        asyncio.run(asyncio.wait_for(use(cluster.endpoint, model), DEADLINE_S))
        cluster.create_topic("afterwards")
    assert sum(len(values) for values in model.values.values()) == 30 * (ROUNDS + 1)


# --- SPUs that come and go ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawCluster]:
    with RawCluster(tmp_path_factory.mktemp("cluster"), spu_count=1) as cluster:
        yield cluster


def known(cluster: RawCluster) -> list[int]:
    """Ids of the SPUs that the controller knows."""
    with cluster.admin() as admin:
        return [item.spec.id for item in admin.list_spus()]


def leaders(cluster: RawCluster, topic: str) -> list[int]:
    """Of each partition, in order."""
    with cluster.admin() as admin:
        partitions = [p for p in admin.list_partitions() if p.name.startswith(f"{topic}-")]
    return [p.spec.leader for p in sorted(partitions, key=lambda p: p.name)]


def test_spus_that_are_added_get_partitions_and_an_empty_one_can_go_again(cluster: RawCluster) -> None:
    cluster.create_topic("one", 2)
    cluster.add_spu()
    cluster.add_spu()
    cluster.create_topic("three", 3)
    assert leaders(cluster, "one") == [5001, 5001]
    assert {5002, 5003} <= set(leaders(cluster, "three"))  # they had none

    with cluster.admin() as admin:
        with pytest.raises(FluvioError, match=r"5003.* is the only holder of partition `three-\d`"):
            admin.delete_custom_spu(5003)
        admin.delete_topic("three")
        admin.delete_custom_spu(5003)  # it holds nothing now
    assert sorted(known(cluster)) == [5001, 5002]
    cluster.forget_spu(5003)
    start_all_again(cluster)
    cluster.create_topic("two", 4)
    assert set(leaders(cluster, "two")) == {5001, 5002}


def start_all_again(cluster: RawCluster) -> None:
    servers = [*cluster.spus, cluster.sc]
    for server in servers:
        server.stop()
    start_all(servers)
    cluster.await_online()


def test_an_spu_that_is_gone_with_its_partitions_is_told_at_once_and_others_go_on(
    cluster: RawCluster,
) -> None:
    spu = cluster.add_spu()
    number = max(known(cluster))
    cluster.create_topic("spread", 8)
    placed = leaders(cluster, "spread")
    lost = placed.index(number)
    kept = next(i for i, leader in enumerate(placed) if leader != number)
    spu.kill()

    async def produce_to(partition: int) -> int:
        settings = ClientSettings(metadata_timeout_s=2.0)
        async with Fluvio.connect(cluster.endpoint, settings=settings) as client:
            producing = ProducerSettings(partitioner=FixedPartitioner(partition), delivery_timeout_s=2.0)
            async with client.producer("spread", producing) as producer:
                delivery = await producer.send(None, b"x")
                await producer.flush()
                return (await delivery).offset

    assert asyncio.run(asyncio.wait_for(produce_to(kept), DEADLINE_S)) == 0
    with pytest.raises(FluvioError) as caught:
        asyncio.run(asyncio.wait_for(produce_to(lost), DEADLINE_S))
    assert "timeout limit reached" in str(caught.value)  # the official client's words
    with cluster.admin() as admin:
        states = {p.name: p.status.resolution for p in admin.list_partitions()}
        assert states[f"spread-{lost}"] is PartitionResolution.LEADER_OFFLINE
        assert states[f"spread-{kept}"] is PartitionResolution.ONLINE
        admin.delete_topic("spread")  # does not wait for the SPU that is gone
        admin.delete_custom_spu(number)
    cluster.forget_spu(number)
    start_all_again(cluster)
    cluster.create_topic("spread", 2)
    assert asyncio.run(asyncio.wait_for(produce_to(0), DEADLINE_S)) == 0
