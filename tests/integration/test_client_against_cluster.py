"""Our client against our own servers, as real processes."""

import asyncio
import signal
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from fluvio_client.admin import TopicReplicaParam, TopicSpec
from fluvio_client.blocking import BlockingAdmin
from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig, OffsetStrategy
from fluvio_client.errors import PartitionNotFoundError
from fluvio_client.producer.partitioner import siphash_2_4
from fluvio_client.producer.producer import RecordMetadata
from fluvio_client.producer.settings import ProducerSettings
from fluvio_protocol.batch import BatchBuilder
from fluvio_protocol.compression import Codec
from fluvio_protocol.error_code import (
    ApiError,
    InvalidTopicError,
    TopicAlreadyExistsError,
    TopicNotFoundError,
)
from tests.support.running_cluster import RunningCluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    with RunningCluster(tmp_path_factory.mktemp("cluster"), spus=2) as running:
        yield running


def run(cluster: RunningCluster, body: Callable[[Fluvio], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60), Fluvio.connect(cluster.endpoint) as client:
            await body(client)

    asyncio.run(main())


def topic(partitions: int) -> TopicSpec:
    return TopicSpec(replicas=TopicReplicaParam(partitions=partitions))


def from_beginning(name: str, **settings: object) -> ConsumerConfig:
    return ConsumerConfig(name, start=Offset.beginning(), disable_continuous=True, **settings)  # type: ignore[arg-type]


async def read_by_partition(client: Fluvio, config: ConsumerConfig) -> dict[int, list[bytes]]:
    found: defaultdict[int, list[bytes]] = defaultdict(list)
    async with client.consumer(config) as consumer:
        async for batch in consumer.batches():
            found[batch.partition] += batch.values()
    return dict(found)


def test_topics_are_created_listed_extended_and_deleted_by_both_admins(cluster: RunningCluster) -> None:
    async def body(client: Fluvio) -> None:
        await client.admin.create_topic("made", topic(2))
        with pytest.raises(TopicAlreadyExistsError, match="'made'"):
            await client.admin.create_topic("made", topic(2))
        with pytest.raises(InvalidTopicError):
            await client.admin.create_topic("Bad_Name", topic(1))
        await client.admin.create_topic("dry", topic(1), dry_run=True)
        await client.admin.add_partitions("made", 1)
        assert [item.name for item in await client.admin.list_topics(["mad"])] == ["made"]
        assert await client.admin.platform_version()

    run(cluster, body)
    with BlockingAdmin.connect(cluster.endpoint) as admin:
        assert "dry" not in {item.name for item in admin.list_topics()}
        assert [item.name for item in admin.list_topics(system=True)] == ["consumer-offset"]
        assert [item.spec.id for item in admin.list_spus()] == [5001, 5002]
        assert {item.name for item in admin.list_custom_spus()} == {"custom-spu-5001", "custom-spu-5002"}
        admin.delete_topic("made")
        with pytest.raises(TopicNotFoundError):
            admin.delete_topic("made")
        with pytest.raises(ApiError, match="system topic 'consumer-offset'"):
            admin.delete_topic("consumer-offset")


@pytest.mark.parametrize("codec", list(Codec))
def test_bulk_over_two_spus_comes_back_complete_and_in_order(cluster: RunningCluster, codec: Codec) -> None:
    values = [b"%06d " % i + b"x" * (i % 80) for i in range(30_000)]
    name = f"bulk-{codec.name.lower()}"

    async def body(client: Fluvio) -> None:
        await client.admin.create_topic(name, topic(4))
        async with client.producer(name, ProducerSettings(compression=codec)) as producer:
            await producer.send_many(values)
        found = await read_by_partition(client, from_beginning(name, max_bytes=50_000))
        assert found == {partition: values[partition::4] for partition in range(4)}

    run(cluster, body)


def test_keys_stay_together_with_offsets_and_timestamps(cluster: RunningCluster) -> None:
    async def body(client: Fluvio) -> None:
        await client.admin.create_topic("keyed", topic(3))
        async with client.producer("keyed") as producer:
            given = await producer.send_all((b"key-%d" % (i % 20), b"%d" % i) for i in range(400))
            places = [await delivery for delivery in given]
        async with client.consumer(from_beginning("keyed")) as consumer:
            records = [record async for record in consumer]
        assert len(records) == 400
        for record in records:
            assert record.key is not None
            assert record.partition == siphash_2_4(record.key) % 3
            assert places[int(record.value)] == RecordMetadata(record.partition, record.offset)
            assert record.timestamp > 1_700_000_000_000

    run(cluster, body)


def test_finished_batches_are_stored_as_they_are_and_partitions_start_where_they_are_told(
    cluster: RunningCluster,
) -> None:
    async def body(client: Fluvio) -> None:
        await client.admin.create_topic("finished", topic(2))
        async with client.producer("finished") as producer:
            for partition in (0, 1, 0):
                builder = BatchBuilder(1000)
                builder.append(b"k", b"v%d" % partition, 1000)
                builder.append(None, b"w%d" % partition, 1005)
                delivery = await producer.send_batch(partition, builder.build(Codec.LZ4))
                stored = await delivery
            assert stored == RecordMetadata(0, 2)
            assert producer.stored_count == 6
            with pytest.raises(PartitionNotFoundError):
                await producer.send_batch(2, builder.build())
        config = from_beginning("finished", starts={0: Offset.absolute(3)})
        async with client.consumer(config) as consumer:
            found = sorted([record async for record in consumer])
        assert found == [(0, 3, 1005, None, b"w0"), (1, 0, 1000, b"k", b"v1"), (1, 1, 1005, None, b"w1")]

    run(cluster, body)


def test_starts_are_found_by_the_servers_offsets(cluster: RunningCluster) -> None:
    async def body(client: Fluvio) -> None:
        await client.admin.create_topic("starts", topic(1))
        async with client.producer("starts") as producer:
            await producer.send_many(b"%d" % i for i in range(100))
        for start, first in ((Offset.end(10), 90), (Offset.beginning(5), 5), (Offset.absolute(42), 42)):
            config = ConsumerConfig("starts", start=start, disable_continuous=True)
            found = await read_by_partition(client, config)
            assert found[0] == [b"%d" % i for i in range(first, 100)]
        async with client.consumer(ConsumerConfig("starts", start=Offset.absolute(101))) as consumer:
            with pytest.raises(ApiError, match="start offset: 101 is greater than leo: 100"):
                await anext(consumer)

    run(cluster, body)


def test_managed_offsets_resume_after_the_last_consumed_record(cluster: RunningCluster) -> None:
    async def body(client: Fluvio) -> None:
        await client.admin.create_topic("managed", topic(2))
        async with client.producer("managed") as producer:
            await producer.send_many(b"%d" % i for i in range(100))
        config = from_beginning("managed", consumer_id="me", offset_strategy=OffsetStrategy.AUTO)
        seen = []
        async with client.consumer(config) as consumer:
            async for record in consumer:
                seen.append(record.value)
                if len(seen) == 30:
                    break
        async with client.consumer(config) as consumer:
            seen += [record.value async for record in consumer]
        assert sorted(seen, key=int) == [b"%d" % i for i in range(100)]
        async with client.consumer(config) as consumer:
            assert [record async for record in consumer] == []

    run(cluster, body)


def test_a_consumer_follows_while_records_are_produced(cluster: RunningCluster) -> None:
    async def body(client: Fluvio) -> None:
        await client.admin.create_topic("live", topic(1))
        async with client.consumer(ConsumerConfig("live")) as consumer, client.producer("live") as producer:
            for i in range(200):
                await (await producer.send(None, b"%d" % i))
                assert (await anext(consumer)).value == b"%d" % i

    run(cluster, body)


def test_a_killed_and_restarted_spu_loses_no_acknowledged_record_and_no_order(tmp_path: Path) -> None:
    count = 20_000

    async def body(client: Fluvio) -> None:
        await client.admin.create_topic("t", topic(1))
        acknowledged: list[int] = []
        async with client.consumer(ConsumerConfig("t", start=Offset.beginning())) as consumer:
            settings = ProducerSettings(batch_bytes=2000, max_pending_bytes=50_000)
            async with client.producer("t", settings) as producer:
                for i in range(count):
                    delivery = await producer.send(None, b"%06d" % i)
                    if i == count // 2:
                        await delivery
                        await asyncio.to_thread(running.kill_spu, 5001)
                        await asyncio.to_thread(running.start_spu, 5001)
                await producer.flush()
            async for record in consumer:
                acknowledged.append(int(record.value))
                if acknowledged[-1] == count - 1:
                    break
        first_seen = list(dict.fromkeys(acknowledged))
        assert first_seen == list(range(count))  # all there, each first met in order; repeats are allowed

    with RunningCluster(tmp_path / "cluster") as running:
        run(running, body)


def test_a_restarted_controller_is_found_again(tmp_path: Path) -> None:
    async def body(client: Fluvio) -> None:
        await client.admin.create_topic("t", topic(1))
        async with client.producer("t") as producer:
            await (await producer.send(None, b"before"))
            assert running.controller is not None
            await asyncio.to_thread(running.controller.stop, signal.SIGKILL)
            await (await producer.send(None, b"without a controller"))
            await asyncio.to_thread(running.start_controller)
        await client.admin.create_topic("later", topic(1))
        assert {item.name for item in await client.admin.list_topics()} == {"t", "later"}

    with RunningCluster(tmp_path / "cluster") as running:
        run(running, body)
