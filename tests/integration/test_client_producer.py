"""The producer against a scripted cluster: what it sends, and what it does when things go wrong."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable

import pytest

from fluvio_client.client import Fluvio
from fluvio_client.errors import (
    ClientClosedError,
    PartitionNotFoundError,
    ProducerConfigError,
    ProducerError,
    RecordTooLargeError,
)
from fluvio_client.producer.partitioner import FixedPartitioner
from fluvio_client.producer.producer import RecordMetadata
from fluvio_client.producer.settings import Delivery, ProducerSettings
from fluvio_client.settings import ClientSettings
from fluvio_protocol.api.fetch import Isolation
from fluvio_protocol.api.produce import ProduceRequest
from fluvio_protocol.api.topic import CompressionAlgorithm, TopicReplicaParam, TopicSpec
from fluvio_protocol.batch import BatchBuilder, decode_columns, split
from fluvio_protocol.compression import Codec
from fluvio_protocol.error_code import ErrorKind, MessageTooLargeError, TopicNotFoundError
from fluvio_protocol.wire import decode
from tests.support.cancelling import CancelledAtWait
from tests.support.scripted_cluster import (
    CLOSE_AFTER,
    CLOSE_BEFORE,
    OTHER_PARTITION,
    SILENCE,
    ScriptedCluster,
    ScriptedSpu,
)
from tests.support.scripted_peer import request_body

FAST = ClientSettings(socket_timeout_s=5.0, metadata_timeout_s=0.3)


def run(
    cluster: ScriptedCluster, body: Callable[[Fluvio], Awaitable[None]], settings: ClientSettings = FAST
) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), Fluvio.connect(cluster.endpoint, settings=settings) as client:
            await body(client)

    asyncio.run(main())


def stored(spu: ScriptedSpu, topic: str = "t", partition: int = 0) -> list[bytes]:
    values = []
    for raw in spu.logs.get((topic, partition), []):
        values += decode_columns(memoryview(raw), split(raw)[0]).values
    return values


def test_one_line_makes_the_request_of_the_official_command_line() -> None:
    with ScriptedCluster({"c-plain": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            async with client.producer("c-plain") as producer:
                assert await (await producer.send(None, b"alpha")) == RecordMetadata(0, 0)

        run(cluster, body)
        sent = next(request for request in cluster.spu.raw if request.header.api_key == 0)
    official = decode(ProduceRequest, request_body("engine-cli-produce-lines-1"), 25)
    ours = decode(ProduceRequest, sent.body, 25)
    assert sent.header.api_version == 25
    assert (ours.isolation, ours.timeout_ms) == (official.isolation, official.timeout_ms)
    theirs, mine = official.topics[0].partitions[0], ours.topics[0].partitions[0]
    assert (ours.topics[0].name, mine.partition_index) == ("c-plain", theirs.partition_index)
    # All but CRC and times: base offset, length, epoch, magic; attributes, delta; ids; then the records.
    for place in (slice(0, 8), slice(12, 17), slice(21, 27), slice(43, 61)):
        assert bytes(mine.records[place]) == bytes(theirs.records[place])
    (header,) = split(theirs.records)
    value = decode_columns(memoryview(theirs.records), header).values[0]
    assert len(mine.records) == len(theirs.records) - len(value) + len(b"alpha")


def test_records_of_a_partition_keep_their_order_and_learn_their_offsets() -> None:
    with ScriptedCluster({"t": [5001, 5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            async with client.producer("t", ProducerSettings(batch_bytes=200)) as producer:
                given = await producer.send_all((b"%d" % (i % 7), b"value %d" % i) for i in range(500))
                places = [await delivery for delivery in given]
            by_partition = defaultdict(list)
            for i, place in enumerate(places):
                by_partition[place.partition].append((place.offset, b"value %d" % i))
            for partition, rows in by_partition.items():
                assert [offset for offset, _ in rows] == list(range(len(rows)))
                assert stored(cluster.spu, partition=partition) == [value for _, value in rows]
            assert sum(map(len, by_partition.values())) == 500

        run(cluster, body)


@pytest.mark.parametrize("codec", list(Codec))
def test_bulk_values_arrive_once_in_order_with_every_codec(codec: Codec) -> None:
    values = [b"line %d" % i for i in range(20_000)]
    with ScriptedCluster({"t": [5001, 5001, 5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            settings = ProducerSettings(compression=codec, max_pending_bytes=100_000)
            async with client.producer("t", settings) as producer:
                assert await producer.send_many(values) == len(values)

        run(cluster, body)
        for partition in range(3):
            assert stored(cluster.spu, partition=partition) == values[partition::3]


def test_bulk_pairs_go_by_key() -> None:
    pairs = [(b"key %d" % (i % 50), b"%d" % i) for i in range(3000)]
    with ScriptedCluster({"t": [5001, 5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            async with client.producer("t") as producer:
                assert await producer.send_pairs(iter(pairs)) == 3000
                assert await producer.send_many([b"same"] * 3, key=b"key 1") == 3

        run(cluster, body)
        both = [stored(cluster.spu, partition=partition) for partition in (0, 1)]
        assert sorted(both[0] + both[1]) == sorted([value for _, value in pairs] + [b"same"] * 3)
        numbers = [[int(value) for value in values if value != b"same"] for values in both]
        assert all(found == sorted(found) for found in numbers)


def test_batches_of_several_partitions_with_one_leader_share_a_request() -> None:
    with ScriptedCluster({"t": [5001, 5001, 5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            async with client.producer("t", ProducerSettings(linger_ms=10_000)) as producer:
                await producer.send_all((None, b"%d" % i) for i in range(9))
                await producer.flush()

        run(cluster, body)
        (request,) = cluster.spu.asked(ProduceRequest)
        assert [entry.partition_index for entry in request.topics[0].partitions] == [0, 1, 2]


def test_each_leader_gets_its_own_partitions() -> None:
    with ScriptedCluster({"t": [5001, 5002, 5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            async with client.producer("t") as producer:
                await producer.send_many(b"%d" % i for i in range(300))

        run(cluster, body)
        assert set(cluster.spus[5001].logs) == {("t", 0), ("t", 2)}
        assert stored(cluster.spus[5002], partition=1) == [b"%d" % i for i in range(1, 300, 3)]


@pytest.mark.parametrize(
    "faults",
    [
        [ErrorKind.NOT_LEADER_FOR_PARTITION] * 3,
        [CLOSE_BEFORE, CLOSE_BEFORE],
        [CLOSE_BEFORE, ErrorKind.NOT_LEADER_FOR_PARTITION],
    ],
)
def test_failed_attempts_are_repeated_and_the_order_holds(faults: list[ErrorKind | str]) -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.spu.faults.extend(faults)

        async def body(client: Fluvio) -> None:
            async with client.producer(
                "t", ProducerSettings(batch_bytes=100, first_pause_s=0.001)
            ) as producer:
                for i in range(50):
                    await producer.send(None, b"%d" % i)

        run(cluster, body)
        assert stored(cluster.spu) == [b"%d" % i for i in range(50)]
        assert not cluster.spu.faults


def test_an_answer_that_is_lost_repeats_the_records_and_loses_none() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.spu.faults.append(CLOSE_AFTER)

        async def body(client: Fluvio) -> None:
            async with client.producer("t", ProducerSettings(first_pause_s=0.001)) as producer:
                assert await (await producer.send(None, b"once or twice")) == RecordMetadata(0, 1)

        run(cluster, body)
        assert stored(cluster.spu) == [b"once or twice"] * 2


def test_an_answer_that_never_comes_is_given_up_on_another_connection() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.spu.faults.append(SILENCE)

        async def body(client: Fluvio) -> None:
            async with client.producer("t", ProducerSettings(first_pause_s=0.001)) as producer:
                await (await producer.send(None, b"x"))

        run(cluster, body, ClientSettings(socket_timeout_s=0.2))
        assert cluster.spu_peers[5001].connection_count == 2


def test_an_answer_that_is_not_to_the_request_acknowledges_nothing() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.spu.faults.append(OTHER_PARTITION)

        async def body(client: Fluvio) -> None:
            async with client.producer("t") as producer:
                delivery = await producer.send(None, b"x")
                with pytest.raises(ProducerError, match="the SPU's answer does not fit the request"):
                    await delivery

        run(cluster, body)


def test_a_connection_that_is_given_up_fails_nobody_else() -> None:
    with ScriptedCluster({"t": [5001, 5001]}) as cluster:
        cluster.spu.faults.extend([SILENCE, SILENCE])

        async def body(client: Fluvio) -> None:
            to = [ProducerSettings(partitioner=FixedPartitioner(n), first_pause_s=0.001) for n in (0, 1)]
            async with client.producer("t", to[0]) as early, client.producer("t", to[1]) as late:
                first = await early.send(None, b"first")
                await asyncio.to_thread(cluster.spu.wait_for, ProduceRequest, 1)
                second = await late.send(None, b"second")  # under way when the first is given up
                assert ((await first).partition, (await second).partition) == (0, 1)

        run(cluster, body, ClientSettings(socket_timeout_s=0.3))


@pytest.mark.parametrize("error", [RuntimeError("a bug"), ProducerError("no such codec")])
def test_what_nobody_foresaw_is_told_to_whoever_waits(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(builder: BatchBuilder, codec: Codec) -> bytearray:
        raise error

    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # it is logged
            async with client.producer("t") as producer:
                await (await producer.send(None, b"x"))  # connects: from now on nothing needs a task
                monkeypatch.setattr(BatchBuilder, "build", build)
                delivery = await producer.send(None, b"y")
                with pytest.raises(ProducerError, match=str(error)):
                    await delivery

        run(cluster, body)


def test_a_leader_that_moved_is_followed_at_once_when_the_metadata_tell() -> None:
    with ScriptedCluster({"t": [5001], "other": [5002]}) as cluster:
        cluster.spu.faults.extend([ErrorKind.NOT_LEADER_FOR_PARTITION] * 100)

        async def body(client: Fluvio) -> None:
            settings = ProducerSettings(
                first_pause_s=15.0, most_pause_s=15.0
            )  # longer than the test may take
            async with client.producer("t", settings) as producer:
                delivery = await producer.send(None, b"x")
                await asyncio.to_thread(cluster.spu.wait_for, ProduceRequest)
                cluster.lead("t", [5002])
                async with asyncio.timeout(10):
                    assert await delivery == RecordMetadata(0, 0)

        run(cluster, body)
        assert stored(cluster.spus[5002]) == [b"x"]


def test_a_refused_batch_fails_its_records_and_later_ones_go_on() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.spu.faults.append(ErrorKind.MESSAGE_TOO_LARGE)

        async def body(client: Fluvio) -> None:
            async with client.producer("t") as producer:
                delivery = await producer.send(None, b"bad")
                with pytest.raises(ProducerError, match="Producer received an error code: ") as caught:
                    await delivery
                assert isinstance(caught.value.__cause__, MessageTooLargeError)
                assert await (await producer.send(None, b"good")) == RecordMetadata(0, 0)

        run(cluster, body)
        assert len(cluster.spu.asked(ProduceRequest)) == 2  # an error code is not repeated


def test_a_failure_that_nobody_awaited_is_raised_by_flush_once() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.spu.faults.append(ErrorKind.STORAGE_ERROR)

        async def body(client: Fluvio) -> None:
            async with client.producer("t") as producer:
                await producer.send(None, b"bad")
                with pytest.raises(ProducerError, match="storage"):
                    await producer.flush()
                await producer.flush()

        run(cluster, body)


def test_a_leader_that_stays_away_is_an_error_in_bounded_time() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.set_online(5001, False)

        async def body(client: Fluvio) -> None:
            settings = ProducerSettings(delivery_timeout_s=0.3, most_pause_s=0.05)
            async with client.producer("t", settings) as producer:
                delivery = await producer.send(None, b"x")
                with pytest.raises(ProducerError, match="timeout limit reached") as caught:
                    await delivery
                assert "SPU 5001 is offline" in str(caught.value.hint)

        run(cluster, body)


def test_what_does_not_exist_is_an_error_at_once() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            with pytest.raises(TopicNotFoundError, match="Topic not found: nope"):
                await client.producer("nope").open()
            async with client.producer("t", ProducerSettings(partitioner=FixedPartitioner(9))) as producer:
                with pytest.raises(PartitionNotFoundError, match="Partition not found: t-9"):
                    await producer.send(None, b"x")
                with pytest.raises(PartitionNotFoundError):
                    await producer.send_many([b"x"])
                with pytest.raises(PartitionNotFoundError):
                    await producer.send_pairs([(b"k", b"x")])

        run(cluster, body)


def test_a_topic_that_is_deleted_fails_what_was_given_and_what_comes() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.spu.faults.extend([ErrorKind.NOT_LEADER_FOR_PARTITION] * 1000)

        async def body(client: Fluvio) -> None:
            async with client.producer(
                "t", ProducerSettings(first_pause_s=0.01, most_pause_s=0.01)
            ) as producer:
                delivery = await producer.send(None, b"x")
                cluster.forget("t")
                with pytest.raises(TopicNotFoundError):
                    await delivery
                with pytest.raises(TopicNotFoundError):
                    await producer.send(None, b"y")

        run(cluster, body)


def test_a_record_that_is_too_large_is_refused_with_the_official_words() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            settings = ProducerSettings(max_request_bytes=1000)
            async with client.producer("t", settings) as producer:
                with pytest.raises(RecordTooLargeError, match="exceeded maximum request size"):
                    await producer.send(None, b"x" * 1000)
                with pytest.raises(RecordTooLargeError):
                    await producer.send_many([b"ok", b"x" * 1000])

        run(cluster, body)
        assert stored(cluster.spu) == [b"ok"]


def test_the_topics_compression_counts() -> None:
    spec = TopicSpec(replicas=TopicReplicaParam(), compression_type=CompressionAlgorithm.ZSTD)
    with ScriptedCluster({"t": [5001]}, spec=spec) as cluster:

        async def body(client: Fluvio) -> None:
            with pytest.raises(ProducerConfigError, match=r"\(lz4\) does not match .* \(zstd\)"):
                await client.producer("t", ProducerSettings(compression=Codec.LZ4)).open()
            async with client.producer("t") as producer:
                await producer.send(None, b"x")

        run(cluster, body)
        (raw,) = cluster.spu.logs["t", 0]
        assert split(raw)[0].codec_number == Codec.ZSTD


def test_read_committed_travels_as_minus_one_with_its_timeout() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            settings = ProducerSettings(isolation=Isolation.READ_COMMITTED, timeout_ms=77)
            async with client.producer("t", settings) as producer:
                await producer.send(None, b"x")

        run(cluster, body)
        (request,) = cluster.spu.asked(ProduceRequest)
        assert (request.isolation, request.timeout_ms) == (-1, 77)


def test_at_most_once_does_not_wait_for_answers() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.spu.faults.append(SILENCE)

        async def body(client: Fluvio) -> None:
            settings = ProducerSettings(delivery=Delivery.AT_MOST_ONCE)
            async with client.producer("t", settings) as producer:
                assert await (await producer.send(None, b"x")) == RecordMetadata(0, -1)
                await asyncio.to_thread(cluster.spu.wait_for, ProduceRequest)

        run(cluster, body)


def test_memory_is_bounded_and_senders_wait() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.set_online(5001, False)

        async def body(client: Fluvio) -> None:
            async with client.producer("t", ProducerSettings(max_pending_bytes=10_000)) as producer:
                async with asyncio.TaskGroup() as group:
                    sending = group.create_task(producer.send_many(b"x" * 100 for _ in range(2000)))
                    for _ in range(50):
                        await asyncio.sleep(0)
                    assert not sending.done()
                    assert producer._accumulator.pending_bytes < 10_000 + 16_384
                    cluster.set_online(5001, True)
                await producer.flush()

        run(cluster, body)
        assert len(stored(cluster.spu)) == 2000


def test_records_given_one_by_one_leave_while_more_are_given() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            async with client.producer("t", ProducerSettings(linger_ms=60_000)) as producer:
                first = await producer.send(None, bytes(16_000))
                while not first.is_settled:  # never waits for anything but `send` itself
                    await producer.send(None, bytes(16_000))

        run(cluster, body)


def test_leaving_by_an_exception_drops_what_was_not_sent_and_the_exception_comes_through() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        deliveries = []

        async def body(client: Fluvio) -> None:
            async with client.producer("t", ProducerSettings(linger_ms=60_000)) as producer:
                deliveries.append(await producer.send(None, b"x"))
                raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            run(cluster, body)
        assert deliveries[0].is_settled
        assert stored(cluster.spu) == []


def test_a_closed_producer_takes_nothing() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            producer = await client.producer("t").open()
            await producer.close()
            await producer.close()
            with pytest.raises(ClientClosedError):
                await producer.send(None, b"x")
            with pytest.raises(ClientClosedError):
                await producer.send_many([b"x"])

        run(cluster, body)


async def _whole_life(client: Fluvio) -> None:
    async with client.producer("t", ProducerSettings(batch_bytes=100)) as producer:
        delivery = await producer.send(b"k", b"v")
        await producer.send_many([b"w"] * 3)
        await delivery
        await producer.flush()


@pytest.mark.parametrize("number", range(12))
def test_cancelled_at_any_wait_a_producer_leaves_the_client_usable(number: int) -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:

        async def body(client: Fluvio) -> None:
            before = len(asyncio.all_tasks())
            try:
                await CancelledAtWait(_whole_life(client), number)
            except asyncio.CancelledError:
                pass
            for _ in range(5):
                await asyncio.sleep(0)
            assert len(asyncio.all_tasks()) == before
            async with client.producer("t") as producer:
                await (await producer.send(None, b"after"))

        run(cluster, body)
        assert stored(cluster.spu)[-1] == b"after"
