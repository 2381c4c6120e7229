"""The consumer against an SPU that cuts slices as the official one does, and against faults."""

import asyncio
import struct
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable

import pytest

from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.positions import PartitionPosition
from fluvio_client.consumer.settings import ConsumerConfig, Evicted, OffsetStrategy
from fluvio_client.errors import ClientClosedError, ConsumerError, CorruptBatchError, PartitionNotFoundError
from fluvio_client.settings import ClientSettings
from fluvio_protocol.api.consumer_offsets import FetchConsumerOffsetsRequest, UpdateConsumerOffsetRequest
from fluvio_protocol.api.fetch import Isolation, StreamFetchRequest, StreamFetchResponse
from fluvio_protocol.api.offsets import FetchOffsetsRequest, UpdateOffsetsRequest
from fluvio_protocol.api.produce import ProduceRequest
from fluvio_protocol.batch import BatchBuilder, split
from fluvio_protocol.compression import Codec
from fluvio_protocol.error_code import ErrorCode, ErrorKind, OffsetEvictedError, TopicNotFoundError, other
from fluvio_protocol.wire import decode
from fluvio_types.defaults import FETCH_MAX_BYTES
from tests.support.cancelling import CancelledAtWait
from tests.support.scripted_cluster import ScriptedCluster, ScriptedSpu
from tests.support.scripted_peer import request_body, response_body

NOW = 1_700_000_000_000
FAST = ClientSettings(socket_timeout_s=5.0, metadata_timeout_s=0.5)
BEGINNING = Offset.beginning()


def run(cluster: ScriptedCluster, body: Callable[[Fluvio], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), Fluvio.connect(cluster.endpoint, settings=FAST) as client:
            await body(client)

    asyncio.run(main())


def fill(
    spu: ScriptedSpu, count: int, *, partition: int = 0, codec: Codec | None = Codec.NONE
) -> list[bytes]:
    """Records in batches of several sizes (and, without `codec`, of every codec in turn)."""
    values = [b"%05d " % i + b"x" * (i * 7 % 90) for i in range(count)]
    start = number = 0
    while start < count:
        size = [1, 5, 20, 2][number % 4]
        builder = BatchBuilder(NOW)
        builder.extend(values[start : start + size], 0, 1 << 30, NOW)
        chosen = list(Codec)[number % 5] if codec is None else codec
        spu.append("t", partition, bytes(builder.build(chosen)))
        start, number = start + size, number + 1
    return values


async def read_all(client: Fluvio, config: ConsumerConfig) -> list[bytes]:
    async with client.consumer(config) as consumer:
        return [record.value async for record in consumer]


def everything(**settings: object) -> ConsumerConfig:
    return ConsumerConfig("t", start=BEGINNING, disable_continuous=True, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("max_bytes", [1, 30, 60, 400, 1000, 5000, 1_048_890])
@pytest.mark.parametrize("codec", [Codec.NONE, None])
def test_slices_cut_anywhere_lose_nothing_and_never_stall(max_bytes: int, codec: Codec | None) -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 400, codec=codec)

        async def body(client: Fluvio) -> None:
            assert await read_all(client, everything(max_bytes=max_bytes)) == values

        run(cluster, body)
        ends = {header.next_offset for raw in cluster.spu.logs["t", 0] for header in split(raw)}
        acknowledged = [update.offsets[0].offset for update in cluster.spu.asked(UpdateOffsetsRequest)]
        assert acknowledged == sorted(acknowledged)
        acks_by_base = {split(raw)[0].base_offset for raw in cluster.spu.logs["t", 0]} | ends | {400}
        assert set(acknowledged) <= acks_by_base


def test_the_cut_slice_that_made_official_clients_lose_records_is_taken_up_to_its_last_whole_batch() -> None:
    body = decode(StreamFetchResponse, response_body("engine-py-consume-max-bytes-small-2"), 24)
    position = PartitionPosition("t-plain", 0, 0, 400)
    sighted = position.sight(body.partition.records)
    taken = position.take(sighted)
    whole = split(body.partition.records)
    assert len(body.partition.records) == 400 > sum(header.size_bytes for header in whole)
    assert sighted.acknowledge == whole[-1].next_offset
    assert sum(batch.count for batch in taken.batches) == whole[-1].next_offset


def test_the_official_requests_are_sent_for_consuming_from_the_beginning() -> None:
    with ScriptedCluster({"c-plain": [5001]}) as cluster:
        builder = BatchBuilder(NOW)
        builder.append(None, b"x", NOW)
        cluster.spu.append("c-plain", 0, bytes(builder.build()))

        async def body(client: Fluvio) -> None:
            config = ConsumerConfig("c-plain", start=BEGINNING, max_bytes=FETCH_MAX_BYTES)
            async with client.consumer(config) as consumer:
                assert (await anext(consumer)).value == b"x"
                await asyncio.to_thread(cluster.spu.wait_for, UpdateOffsetsRequest)

        run(cluster, body)
        sent = {request.header.api_key: request for request in cluster.spu.raw}
    for key, official in ((1002, "engine-cli-consume-beginning-1"), (1003, "engine-cli-consume-beginning-3")):
        assert sent[key].body == request_body(official)
        assert sent[key].header.api_version == 25
    assert sent[1005].body == struct.pack(">IqI", 1, 1, 1)  # one stream, offset 1, session 1
    assert sent[1005].header.api_version == 0


@pytest.mark.parametrize(
    ("start", "first"),
    [
        (Offset.absolute(123), 123),
        (Offset.beginning(7), 7),
        (Offset.end(10), 190),
        (Offset.end(9999), 0),
    ],
)
def test_reading_starts_at_the_very_record_that_was_asked_for(start: Offset, first: int) -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 200)

        async def body(client: Fluvio) -> None:
            config = ConsumerConfig("t", start=start, disable_continuous=True, max_bytes=700)
            async with client.consumer(config) as consumer:
                records = [record async for record in consumer]
            assert [record.value for record in records] == values[first:]
            assert [record.offset for record in records] == list(range(first, 200))

        run(cluster, body)


def test_disable_continuous_ends_where_the_log_ended_at_the_start() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 30)

        async def body(client: Fluvio) -> None:
            async with client.consumer(everything()) as consumer:
                fill(cluster.spu, 30)
                assert [record.value async for record in consumer] == values
            assert (
                await read_all(client, ConsumerConfig("t", start=Offset.end(), disable_continuous=True)) == []
            )

        run(cluster, body)


def test_new_records_are_delivered_as_they_come() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            async with client.consumer(ConsumerConfig("t")) as consumer:
                await asyncio.to_thread(cluster.spu.wait_for, StreamFetchRequest)
                for _ in range(3):
                    values = fill(cluster.spu, 5)
                    assert [(await anext(consumer)).value for _ in range(5)] == values

        run(cluster, body)


def test_several_partitions_of_several_spus_are_merged() -> None:
    with ScriptedCluster({"t": [5001, 5002, 5001]}) as cluster:
        wanted = {
            partition: fill(cluster.spus[spu_id], 50 + partition, partition=partition)
            for partition, spu_id in enumerate([5001, 5002, 5001])
        }

        async def body(client: Fluvio) -> None:
            got = defaultdict(list)
            async with client.consumer(everything(max_bytes=500)) as consumer:
                async for batch in consumer.batches():
                    got[batch.partition] += batch.values()
            assert got == wanted
            async with client.consumer(everything(partitions=(2,))) as consumer:
                assert [record.value async for record in consumer] == wanted[2]

        run(cluster, body)


def test_read_committed_is_asked_for() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        fill(cluster.spu, 1)

        async def body(client: Fluvio) -> None:
            await read_all(client, everything(isolation=Isolation.READ_COMMITTED))

        run(cluster, body)
        assert cluster.spu.asked(StreamFetchRequest)[0].isolation is Isolation.READ_COMMITTED


def test_after_a_lost_connection_each_partition_goes_on_where_it_was() -> None:
    with ScriptedCluster({"t": [5001, 5002]}) as cluster:
        wanted = {
            partition: fill(cluster.spus[spu_id], 300 - 100 * partition, partition=partition)
            for partition, spu_id in enumerate([5001, 5002])
        }

        async def body(client: Fluvio) -> None:
            got = defaultdict(list)
            seen = 0
            async with client.consumer(everything(max_bytes=600, first_pause_s=0.001)) as consumer:
                async for record in consumer:
                    got[record.partition].append(record.value)
                    seen += 1
                    if seen % 100 == 0:
                        cluster.spu_peers[5001 + seen // 100 % 2].drop_all()
            assert got == wanted

        run(cluster, body)
        assert sum(peer.connection_count for peer in cluster.spu_peers.values()) > 2


def test_slices_that_came_before_the_connection_was_lost_are_not_lost_with_it() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 200)

        async def body(client: Fluvio) -> None:
            async with client.consumer(everything(max_bytes=1000, first_pause_s=0.001)) as consumer:
                # One slice waits in the queue, one in its reader's hands, one in the stream.
                await asyncio.to_thread(cluster.spu.wait_for, UpdateOffsetsRequest, 2)
                cluster.spu_peers[5001].drop_all()
                await consumer._connections[5001].wait_lost()
                assert [record.value async for record in consumer] == values

        run(cluster, body)


def test_an_idle_stream_that_is_lost_now_and_then_is_not_out_of_reach() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            # A stream counts as having been open when it was so for longer than the longest pause.
            config = ConsumerConfig("t", reconnect_timeout_s=0.1, first_pause_s=0.001, most_pause_s=0.0)
            async with client.consumer(config) as consumer:
                started = time.monotonic()
                opened = 0
                while time.monotonic() - started < 0.3:
                    opened += 1
                    await asyncio.to_thread(cluster.spu.wait_for, StreamFetchRequest, opened)
                    cluster.spu_peers[5001].drop_all()
                await asyncio.to_thread(cluster.spu.wait_for, StreamFetchRequest, opened + 1)
                values = fill(cluster.spu, 3)
                assert [(await anext(consumer)).value for _ in range(3)] == values

        run(cluster, body)


def test_a_leader_that_moves_is_followed() -> None:
    with ScriptedCluster({"t": [5001], "other": [5002]}) as cluster:
        values = fill(cluster.spus[5002], 20)
        cluster.spu.stream_errors.extend([ErrorCode(ErrorKind.NOT_LEADER_FOR_PARTITION)] * 3)

        async def body(client: Fluvio) -> None:
            config = ConsumerConfig("t", start=Offset.absolute(0), first_pause_s=0.01)
            async with client.consumer(config) as consumer:
                await asyncio.to_thread(cluster.spu.wait_for, StreamFetchRequest, 2)
                cluster.lead("t", [5002])
                assert [(await anext(consumer)).value for _ in range(20)] == values

        run(cluster, body)


def test_a_partition_out_of_reach_is_an_error_after_its_time() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.spu.stream_errors.extend([ErrorCode(ErrorKind.PARTITION_NOT_LEADER)] * 1000)

        async def body(client: Fluvio) -> None:
            config = ConsumerConfig("t", reconnect_timeout_s=0.2, first_pause_s=0.01, most_pause_s=0.05)
            async with client.consumer(config) as consumer:
                with pytest.raises(ConsumerError, match=r"t-0 could not be read for 0.2 s"):
                    await anext(consumer)

        run(cluster, body)


def test_an_spu_that_stays_away_is_an_error_after_its_time_however_long_the_stream_was_open() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            config = ConsumerConfig("t", reconnect_timeout_s=0.2, first_pause_s=0.001, most_pause_s=0.001)
            async with client.consumer(config) as consumer:
                await asyncio.to_thread(cluster.spu.wait_for, StreamFetchRequest)
                cluster.set_online(5001, False)
                cluster.spu_peers[5001].drop_all()
                with pytest.raises(
                    ConsumerError, match=r"could not be read for 0.2 s: .*SPU 5001 is offline"
                ):
                    await anext(consumer)

        run(cluster, body)


def test_an_offset_above_the_end_is_told_in_the_servers_words() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.spu.stream_errors.append(other("start offset: 7 is greater than leo: 5"))

        async def body(client: Fluvio) -> None:
            async with client.consumer(ConsumerConfig("t", start=Offset.absolute(7))) as consumer:
                with pytest.raises(Exception, match="start offset: 7 is greater than leo: 5"):
                    await anext(consumer)

        run(cluster, body)


@pytest.mark.parametrize("policy", list(Evicted))
def test_evicted_records_are_an_error_or_left_out_as_asked(policy: Evicted) -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 50)
        cluster.spu.stream_errors.append(ErrorCode(ErrorKind.OFFSET_EVICTED, 3, 20))

        async def body(client: Fluvio) -> None:
            skipped: list[tuple[int, int, int]] = []
            config = ConsumerConfig(
                "t",
                start=Offset.absolute(3),
                disable_continuous=True,
                evicted=policy,
                on_skipped=lambda *where: skipped.append(where),
            )
            if policy is Evicted.CONTINUE:
                assert await read_all(client, config) == values[20:]
                assert skipped == [(0, 3, 20)]
            else:
                with pytest.raises(OffsetEvictedError, match="next available is 20"):
                    await read_all(client, config)

        run(cluster, body)


def test_a_damaged_batch_is_an_error_after_the_good_ones_before_it() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 100)
        log = cluster.spu.logs["t", 0]
        damaged = bytearray(log[10])
        damaged[-2] ^= 1
        first_bad = split(damaged)[0].base_offset
        log[10] = bytes(damaged)

        async def body(client: Fluvio) -> None:
            async with client.consumer(everything()) as consumer:
                for value in values[:first_bad]:
                    assert (await anext(consumer)).value == value
                with pytest.raises(CorruptBatchError, match=f"batch at offset {first_bad} of t-0"):
                    await anext(consumer)

        run(cluster, body)


def test_a_topic_that_was_created_just_now_is_found_though_the_client_was_not_told_yet() -> None:
    with ScriptedCluster({"told": [5001]}) as cluster:
        cluster.untold.append("t")
        cluster.on_list = lambda: cluster.lead("t", [5001])

        async def body(client: Fluvio) -> None:
            async with (
                client.consumer(from_beginning("told")),
                client.consumer(from_beginning("t")) as consumer,
            ):
                assert consumer.positions() == {0: 0}

        run(cluster, body)


def from_beginning(topic: str) -> ConsumerConfig:
    return ConsumerConfig(topic, start=BEGINNING)


def test_what_does_not_exist_is_an_error_at_once() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            with pytest.raises(TopicNotFoundError, match="Topic not found: nope"):
                await client.consumer(ConsumerConfig("nope")).open()
            with pytest.raises(PartitionNotFoundError, match="Partition not found: t-9"):
                await client.consumer(ConsumerConfig("t", partitions=(9,))).open()

        run(cluster, body)


# --- keeping offsets


def kept(strategy: OffsetStrategy, **settings: object) -> ConsumerConfig:
    return everything(consumer_id="me", offset_strategy=strategy, **settings)


def test_manual_offsets_store_what_was_committed_and_resume_after_it() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 20)

        async def body(client: Fluvio) -> None:
            async with client.consumer(kept(OffsetStrategy.MANUAL)) as consumer:
                for _ in range(8):
                    await anext(consumer)
                consumer.commit()
                await anext(consumer)  # handed out, not committed
                await consumer.flush()
                await consumer.flush()  # nothing changed: nothing is sent
            assert cluster.spu.stored == {("me", "t", 0): 7}
            assert await read_all(client, kept(OffsetStrategy.MANUAL)) == values[8:]

        run(cluster, body)
        assert len(cluster.spu.asked(UpdateConsumerOffsetRequest)) == 1


def test_a_manual_commit_covers_every_partition_that_was_read() -> None:
    with ScriptedCluster({"t": [5001, 5001]}) as cluster:
        fill(cluster.spu, 20)
        fill(cluster.spu, 20, partition=1)

        async def body(client: Fluvio) -> None:
            async with client.consumer(kept(OffsetStrategy.MANUAL)) as consumer:
                seen = {record.partition: record.offset async for record in consumer}
                assert seen == {0: 19, 1: 19}
                consumer.commit()
                await consumer.flush()

        run(cluster, body)
        assert cluster.spu.stored == {("me", "t", 0): 19, ("me", "t", 1): 19}


def test_auto_offsets_are_stored_at_the_end_up_to_the_last_record_handed_out() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 20)

        async def body(client: Fluvio) -> None:
            async with client.consumer(kept(OffsetStrategy.AUTO)) as consumer:
                async for record in consumer:
                    if record.offset == 11:
                        break
            assert cluster.spu.stored == {("me", "t", 0): 11}
            assert await read_all(client, kept(OffsetStrategy.AUTO)) == values[12:]
            assert await read_all(client, kept(OffsetStrategy.AUTO)) == []

        run(cluster, body)


def test_auto_offsets_are_stored_from_time_to_time_without_the_record_being_worked_on() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        fill(cluster.spu, 20)

        async def body(client: Fluvio) -> None:
            async with client.consumer(kept(OffsetStrategy.AUTO, flush_interval_s=0.02)) as consumer:
                for _ in range(5):
                    await anext(consumer)
                await asyncio.to_thread(cluster.spu.wait_for, UpdateConsumerOffsetRequest)
                assert cluster.spu.stored == {("me", "t", 0): 3}

        run(cluster, body)


def test_a_record_that_failed_its_user_is_read_again() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 20)

        async def body(client: Fluvio) -> None:
            async def fail_at_four() -> None:
                async with client.consumer(kept(OffsetStrategy.AUTO)) as consumer:
                    async for record in consumer:
                        assert record.offset != 4

            with pytest.raises(AssertionError):
                await fail_at_four()
            assert await read_all(client, kept(OffsetStrategy.AUTO)) == values[4:]

        run(cluster, body)


def test_whole_batches_count_when_the_next_is_asked_for_or_at_the_end() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        fill(cluster.spu, 20)

        async def body(client: Fluvio) -> None:
            async with client.consumer(kept(OffsetStrategy.AUTO)) as consumer:
                first = await consumer.next_batch()
                second = await consumer.next_batch()
                assert first is not None
                assert second is not None
            assert cluster.spu.stored == {("me", "t", 0): second.stop_offset - 1}

        run(cluster, body)


def test_an_absolute_start_does_not_ask_for_stored_offsets() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 20)
        cluster.spu.stored["me", "t", 0] = 15

        async def body(client: Fluvio) -> None:
            config = ConsumerConfig("t", start=Offset.absolute(2), disable_continuous=True, consumer_id="me")
            assert await read_all(client, config) == values[2:]

        run(cluster, body)
        assert cluster.spu.asked(FetchConsumerOffsetsRequest) == []
        assert cluster.spu.asked(StreamFetchRequest)[0].consumer_id == "me"


# --- living together, and ending


def test_a_consumer_that_does_not_read_holds_up_neither_producer_nor_other_consumers() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 2000)

        async def body(client: Fluvio) -> None:
            async with client.consumer(everything(max_bytes=2000)) as lazy:
                await anext(lazy)
                async with client.producer("t") as producer:
                    for i in range(50):
                        await (await producer.send(None, b"%d" % i))
                config = ConsumerConfig("t", start=BEGINNING, max_bytes=2000)
                async with client.consumer(config) as keen:
                    for i in range(2050):
                        assert (await anext(keen)).offset == i
                assert [record.value async for record in lazy] == values[1:]

        run(cluster, body)
        asked = [stream.fetch_offset for stream in cluster.spu.asked(StreamFetchRequest)]
        assert asked == [0, 0]
        assert len(cluster.spu.asked(ProduceRequest)) == 50
        assert len(cluster.spu.asked(FetchOffsetsRequest)) == 2


def test_closing_wakes_whoever_waits_and_frees_the_connection() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            consumer = await client.consumer(ConsumerConfig("t")).open()

            async def wait() -> None:
                with pytest.raises(ClientClosedError):
                    await consumer.next_batch()

            async with asyncio.TaskGroup() as group:
                group.create_task(wait())
                await asyncio.to_thread(cluster.spu.wait_for, StreamFetchRequest)
                await consumer.close()

        run(cluster, body)


async def _whole_life(client: Fluvio) -> int:
    seen = 0
    config = kept(OffsetStrategy.AUTO, max_bytes=300)
    async with client.consumer(config) as consumer:
        async for batch in consumer.batches():
            seen += batch.count
    return seen


@pytest.mark.parametrize("number", range(30))
def test_cancelled_at_any_wait_a_consumer_leaves_the_client_usable_and_no_task(number: int) -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 40)

        async def body(client: Fluvio) -> None:
            before = len(asyncio.all_tasks())
            try:
                await CancelledAtWait(_whole_life(client), number)
            except asyncio.CancelledError:
                pass
            for _ in range(5):
                await asyncio.sleep(0)
            assert len(asyncio.all_tasks()) == before
            assert await read_all(client, everything()) == values

        run(cluster, body)


def test_a_cancelled_wait_for_a_record_loses_nothing() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        values = fill(cluster.spu, 60)

        async def body(client: Fluvio) -> None:
            got = []
            async with client.consumer(everything(max_bytes=200)) as consumer:
                cancelled = 0
                while True:
                    try:
                        got.append((await CancelledAtWait(consumer.__anext__(), cancelled % 2)).value)
                    except StopAsyncIteration:
                        break
                    except asyncio.CancelledError:
                        pass
                    cancelled += 1
                    await asyncio.sleep(0)
            assert got == values

        run(cluster, body)
