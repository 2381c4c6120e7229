"""Starts by time, and several consumers as one, against SPUs that cut slices in the middle of a batch."""

import asyncio
import math
from collections.abc import Awaitable, Callable

import pytest

from fluvio_client.client import Fluvio
from fluvio_client.consumer.consumer import Consumer
from fluvio_client.consumer.merged import MergedConsumers
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig, OffsetStrategy
from fluvio_client.settings import ClientSettings
from fluvio_protocol.api.consumer_offsets import FetchConsumerOffsetsRequest
from fluvio_protocol.api.fetch import FetchRequest
from fluvio_protocol.batch import BatchBuilder
from fluvio_protocol.compression import Codec
from fluvio_protocol.error_code import ErrorCode, ErrorKind, TopicNotFoundError
from tests.support.scripted_cluster import ScriptedCluster, ScriptedSpu

NOW = 1_700_000_000_000
FAST = ClientSettings(socket_timeout_s=5.0, metadata_timeout_s=0.5)


def run(cluster: ScriptedCluster, body: Callable[[Fluvio], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), Fluvio.connect(cluster.endpoint, settings=FAST) as client:
            await body(client)

    asyncio.run(main())


def append(
    spu: ScriptedSpu, topic: str, values: list[bytes], time: int = NOW, codec: Codec = Codec.NONE
) -> None:
    builder = BatchBuilder(time)
    for value in values:
        builder.append(None, value, time)
    spu.append(topic, 0, bytes(builder.build(codec)))


@pytest.mark.parametrize("codec", [Codec.NONE, Codec.ZSTD])
def test_a_time_is_found_with_few_requests_although_slices_are_cut(codec: Codec) -> None:
    batches, size = 300, 7
    with ScriptedCluster({"t": [5001]}) as cluster:
        for number in range(batches):
            append(
                cluster.spu, "t", [b"%d-%d" % (number, i) for i in range(size)], NOW + number * 1000, codec
            )

        async def body(client: Fluvio) -> None:
            for since, first in ((0, 0), (1, 1), (123_000, 123), (123_001, 124), (299_001, 300)):
                before = len(cluster.spu.asked(FetchRequest))
                config = ConsumerConfig(
                    "t", start=Offset.since(NOW + since), disable_continuous=True, max_bytes=100
                )
                async with client.consumer(config) as consumer:
                    records = [record async for record in consumer]
                assert [record.offset for record in records] == list(range(first * size, batches * size))
                asked = len(cluster.spu.asked(FetchRequest)) - before
                assert asked <= math.log2(batches * size) + 1

        run(cluster, body)


def test_a_start_by_time_does_not_ask_where_the_consumer_stopped() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        append(cluster.spu, "t", [b"a", b"b"])
        cluster.spu.stored["c", "t", 0] = 0

        async def body(client: Fluvio) -> None:
            config = ConsumerConfig(
                "t",
                start=Offset.since(NOW),
                disable_continuous=True,
                consumer_id="c",
                offset_strategy=OffsetStrategy.AUTO,
            )
            async with client.consumer(config) as consumer:
                assert [record.value async for record in consumer] == [b"a", b"b"]

        run(cluster, body)
        assert cluster.spu.asked(FetchConsumerOffsetsRequest) == []
        assert cluster.spu.stored["c", "t", 0] == 1


def kept(topic: str, **settings: object) -> ConsumerConfig:
    return ConsumerConfig(
        topic,
        start=Offset.beginning(),
        consumer_id="c",
        offset_strategy=OffsetStrategy.AUTO,
        **settings,  # type: ignore[arg-type]
    )


async def opened(client: Fluvio, *configs: ConsumerConfig) -> list[Consumer]:
    return [await client.consumer(config).open() for config in configs]


def test_merged_consumers_give_every_batch_of_every_topic_and_end_with_the_last() -> None:
    with ScriptedCluster({"t": [5001], "u": [5002], "empty": [5001]}) as cluster:
        for number in range(30):
            append(cluster.spus[5001], "t", [b"t%d" % number])
            append(cluster.spus[5002], "u", [b"u%d" % number])

        async def body(client: Fluvio) -> None:
            got: dict[str, list[bytes]] = {"t": [], "u": []}
            configs = (kept(name, disable_continuous=True, max_bytes=200) for name in ("t", "u", "empty"))
            consumers = await opened(client, *configs)
            async with MergedConsumers(consumers) as merged:
                while (batch := await merged.next_batch()) is not None:
                    got[batch.topic] += batch.values()
            assert got == {name: [b"%b%d" % (name.encode(), i) for i in range(30)] for name in ("t", "u")}
            for consumer in consumers:
                await consumer.close()

        run(cluster, body)
        assert cluster.spus[5001].stored["c", "t", 0] == 29
        assert cluster.spus[5002].stored["c", "u", 0] == 29
        assert ("c", "empty", 0) not in cluster.spu.stored


def test_what_was_taken_and_not_handed_out_is_not_stored_as_consumed() -> None:
    with ScriptedCluster({"t": [5001], "u": [5001]}) as cluster:
        append(cluster.spu, "t", [b"1", b"2", b"3"])
        append(cluster.spu, "u", [b"1", b"2", b"3"])

        async def body(client: Fluvio) -> None:
            consumers = await opened(client, kept("t"), kept("u"))
            async with MergedConsumers(consumers) as merged:
                batch = await merged.next_batch()
                assert batch is not None
                batch.stop_offset = batch.first_offset + 2  # as `consume -n 2` does
                taken = await merged._taken.get()  # the other one, which nobody has asked for yet
                merged._taken.put_nowait(taken)
            for consumer in consumers:
                await consumer.close()

        run(cluster, body)
        assert list(cluster.spu.stored.values()) == [1]


def test_an_error_of_one_topic_comes_out_as_it_is() -> None:
    with ScriptedCluster({"t": [5001], "u": [5001]}) as cluster:
        cluster.spu.stream_errors += [ErrorCode(ErrorKind.TOPIC_NOT_FOUND)] * 2

        async def body(client: Fluvio) -> None:
            consumers = await opened(client, ConsumerConfig("t"), ConsumerConfig("u"))
            with pytest.raises(TopicNotFoundError):
                async with MergedConsumers(consumers) as merged:
                    await merged.next_batch()

        run(cluster, body)


def test_a_cancelled_wait_of_merged_consumers_loses_nothing() -> None:
    with ScriptedCluster({"t": [5001], "u": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            consumers = await opened(client, kept("t"), kept("u"))
            async with MergedConsumers(consumers) as merged:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0):
                        await merged.next_batch()
                append(cluster.spu, "u", [b"x"])
                batch = await merged.next_batch()
                assert batch is not None
                assert batch.values() == [b"x"]

        run(cluster, body)
