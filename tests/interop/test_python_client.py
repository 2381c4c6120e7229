"""The official Python client, unchanged, against our controller and SPUs."""

import asyncio
import time
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig
from fluvio_client.producer.settings import ProducerSettings
from fluvio_protocol.compression import Codec
from tests.support import official_python as official
from tests.support.official_python import Running, run
from tests.support.raw_cluster import RawCluster

pytestmark = pytest.mark.skipif(not official.HAS_WHEEL, reason=official.NO_WHEEL)


@pytest.fixture(scope="module")
def ten_records(cluster: RawCluster) -> str:
    """A topic with one partition of ten records, `0` to `9` with keys `k0` to `k9`, in three batches."""
    cluster.create_topic("ten")
    for numbers in (range(4), range(4, 8), range(8, 10)):
        records = [[f"k{number}", f"{number}"] for number in numbers]
        run(cluster.endpoint, official.produce, topic="ten", records=records, at_once=True)
    return "ten"


def rows(numbers: range) -> list[list[Any]]:
    """What the records of `ten_records` look like to a consumer."""
    return [[number, f"k{number}", f"{number}"] for number in numbers]


# --- admin -------------------------------------------------------------------------------------------------


def test_topics_and_partitions_are_created_listed_and_deleted(cluster: RawCluster) -> None:
    specs = {
        "admin-one": {},
        "admin-three": {"partitions": 3},
        "admin-stored": {
            "retention_time": 3600,
            "segment_size": 20_000_000,
            "max_partition_size": 200_000_000,
        },
    }
    run(cluster.endpoint, official.create_topics, specs=specs)
    assert sorted(run(cluster.endpoint, official.list_topics, filters=["admin-"])) == sorted(specs)
    assert set(run(cluster.endpoint, official.list_topics, filters=[])) >= set(specs)
    partitions = {
        name for name in run(cluster.endpoint, official.list_partitions) if name.startswith("admin-")
    }
    assert partitions == {"admin-one-0", "admin-three-0", "admin-three-1", "admin-three-2", "admin-stored-0"}
    with cluster.admin() as admin:
        (stored,) = admin.list_topics(["admin-stored"])
    assert stored.spec.storage.segment_size == 20_000_000
    assert stored.spec.storage.max_partition_size == 200_000_000
    assert stored.spec.cleanup_policy.time_in_seconds == 3600

    run(cluster.endpoint, official.delete_topics, names=list(specs))
    assert run(cluster.endpoint, official.list_topics, filters=["admin-"]) == []
    assert not [name for name in run(cluster.endpoint, official.list_partitions) if name.startswith("admin-")]


def test_a_watch_shows_the_topics_and_then_what_changes(cluster: RawCluster, ten_records: str) -> None:
    snapshot, *changes = run(cluster.endpoint, official.watch_topics)
    assert {ten_records, "consumer-offset"} <= set(snapshot)
    assert {name for name, _ in changes} == {"watched"}
    assert changes[0] == ["watched", "update"]
    assert changes[-1] == ["watched", "delete"]


def test_what_cannot_be_done_is_refused_at_once_with_a_clear_text(
    cluster: RawCluster, ten_records: str
) -> None:
    expected = {
        ("create_topic", ten_records): "already exists",
        ("create_topic", "Not_a_name"): "name",
        ("delete_topic", "nowhere"): "not found",
        ("topic_producer", "nowhere"): "not found: nowhere",
        ("partition_consumer", "nowhere", 0): "not found: nowhere",
        ("partition_consumer", ten_records, 7): f"not found: {ten_records}-7",
    }
    results = run(cluster.endpoint, official.failures, calls=list(expected))
    for call, (text, seconds) in zip(expected, results, strict=True):
        assert expected[call] in text.lower(), (call, text)
        assert seconds < 5, (call, seconds)


def test_a_client_of_an_empty_cluster_learns_at_once_that_its_topic_is_missing(tmp_path: Path) -> None:
    # Clients take an empty list for one that has not come yet, and wait 60 s for it.
    with RawCluster(tmp_path) as cluster:
        calls = [["topic_producer", "nowhere"], ["partition_consumer", "nowhere", 0]]
        for text, seconds in run(cluster.endpoint, official.failures, calls=calls):
            assert "not found: nowhere" in text.lower()
            assert seconds < 5


# --- produce -----------------------------------------------------------------------------------------------


def test_single_batch_and_keyed_records_get_successive_offsets(cluster: RawCluster) -> None:
    cluster.create_topic("forms")
    endpoint = cluster.endpoint
    single = run(endpoint, official.produce, topic="forms", records=[["one"], ["two"]])
    keyed = run(endpoint, official.produce, topic="forms", records=[["k", "three"], ["", "four"]])
    batch = run(
        endpoint, official.produce, topic="forms", records=[["a", "five"], ["b", "six"]], at_once=True
    )
    assert single + keyed + batch == [[0, offset] for offset in range(6)]
    found = run(endpoint, official.consume, topic="forms", start=["beginning"])
    assert [key for _, key, _ in found] == ["", "", "k", "", "a", "b"]
    assert [value for _, _, value in found] == ["one", "two", "three", "four", "five", "six"]


@pytest.mark.parametrize("compression", ["None_", "Gzip", "Snappy", "Lz4", "Zstd"])
def test_each_compression_comes_back(cluster: RawCluster, compression: str) -> None:
    topic = f"codec-{compression.strip('_').lower()}"
    cluster.create_topic(topic)
    records = [[f"k{number}", f"value {number} " * 20] for number in range(300)]
    config = {"compression": compression}
    acks = run(cluster.endpoint, official.produce, topic=topic, records=records, config=config, at_once=True)
    assert acks == [[0, offset] for offset in range(300)]
    found = run(cluster.endpoint, official.consume, topic=topic, start=["beginning"])
    assert found == [[offset, key, value] for offset, (key, value) in enumerate(records)]


@pytest.mark.parametrize("codec", list(Codec))
def test_what_our_client_packs_the_official_one_unpacks_and_the_other_way_round(
    cluster: RawCluster, codec: Codec
) -> None:
    topic = f"both-{codec.name.lower()}"
    cluster.create_topic(topic)
    values = [f"value {number} " * 20 for number in range(300)]

    async def send() -> None:
        async with Fluvio.connect(cluster.endpoint) as client:
            async with client.producer(topic, ProducerSettings(compression=codec)) as producer:
                await producer.send_many([value.encode() for value in values])

    async def receive() -> list[str]:
        everything = ConsumerConfig(topic, start=Offset.beginning(), disable_continuous=True)
        async with Fluvio.connect(cluster.endpoint) as client, client.consumer(everything) as consumer:
            return [record.value.decode() async for record in consumer]

    asyncio.run(send())
    found = run(cluster.endpoint, official.consume, topic=topic, start=["beginning"])
    assert found == [[offset, "", value] for offset, value in enumerate(values)]
    config = {"compression": "None_" if codec is Codec.NONE else codec.name.capitalize()}
    records = [["k", value] for value in values]
    run(cluster.endpoint, official.produce, topic=topic, records=records, config=config, at_once=True)
    assert asyncio.run(receive()) == values * 2


@pytest.mark.parametrize(
    "config",
    [
        {"isolation": "ReadCommitted"},
        {"delivery_semantic": "AtMostOnce"},
        {"linger": 200, "batch_size": 1000},
        {"set_specific_partitioner": 1},
    ],
    ids=lambda config: next(iter(config)),
)
def test_producer_settings_are_honoured(cluster: RawCluster, config: dict[str, Any]) -> None:
    topic = f"settings-{next(iter(config)).replace('_', '-')}"
    cluster.create_topic(topic, partitions=2)
    records = [[f"k{number}", f"{number}"] for number in range(100)]
    run(cluster.endpoint, official.produce, topic=topic, records=records, config=config)
    # AtMostOnce does not wait for answers: the records may come a moment later, so they are awaited here.
    found = run(
        cluster.endpoint, official.consume, topic=topic, start=["beginning"], partition=None, count=100
    )
    assert sorted(int(value) for _, _, value in found) == list(range(100))
    if "set_specific_partitioner" in config:
        only = run(cluster.endpoint, official.consume, topic=topic, start=["beginning"], partition=1)
        assert len(only) == 100


# --- consume -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "numbers"),
    [
        (["beginning"], range(10)),
        (["absolute", 0], range(10)),
        (["absolute", 4], range(4, 10)),
        (["absolute", 6], range(6, 10)),  # in the middle of a batch
        (["from_beginning", 3], range(3, 10)),
        (["from_end", 4], range(6, 10)),
        (["from_end", 10_000], range(10)),
        (["end"], range(0)),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, list) else "",
)
def test_a_consumer_gets_exactly_the_records_from_its_start_offset(
    cluster: RawCluster, ten_records: str, start: list[Any], numbers: range
) -> None:
    assert run(cluster.endpoint, official.consume, topic=ten_records, start=start) == rows(numbers)
    if len(numbers):
        found = run(
            cluster.endpoint,
            official.consume_partition,
            topic=ten_records,
            start=start,
            count=len(numbers),
        )
        assert found == rows(numbers)


def test_a_consumer_at_the_end_gets_what_is_produced_afterwards(cluster: RawCluster) -> None:
    cluster.create_topic("tail")
    run(cluster.endpoint, official.produce, topic="tail", records=[["k", "before"]])
    producing = [[f"k{number}", f"{number}"] for number in range(20)]
    found = run(cluster.endpoint, official.consume_new, topic="tail", producing=producing)
    assert found == [[number + 1, f"k{number}", f"{number}"] for number in range(20)]


def test_a_limit_smaller_than_a_batch_still_gives_every_record(cluster: RawCluster, ten_records: str) -> None:
    found = run(cluster.endpoint, official.consume, topic=ten_records, start=["beginning"], max_bytes=30)
    assert found == rows(range(10))


def test_all_partitions_are_consumed_and_each_key_stays_in_order(cluster: RawCluster) -> None:
    cluster.create_topic("many", partitions=4)  # on two SPUs
    records = [[f"k{number % 16}", f"{number}"] for number in range(400)]
    acks = run(cluster.endpoint, official.produce, topic="many", records=records, at_once=True)
    assert {partition for partition, _ in acks} == {0, 1, 2, 3}
    for task in (official.consume, official.consume_partition):
        found = run(
            cluster.endpoint, task, topic="many", start=["beginning"], partition=None, count=len(records)
        )
        by_key = sorted(((key, int(value)) for _, key, value in found), key=lambda pair: pair[0])
        assert len(by_key) == 400
        for key, pairs in groupby(by_key, key=lambda pair: pair[0]):
            assert [value for _, value in pairs] == list(range(int(key[1:]), 400, 16))


# --- managed offsets ---------------------------------------------------------------------------------------


def test_a_consumer_goes_on_in_a_second_process_where_it_committed(
    cluster: RawCluster, ten_records: str
) -> None:
    managed = {"topic": ten_records, "consumer": "manual", "strategy": "MANUAL"}
    first = run(cluster.endpoint, official.consume_managed, count=6, commit=4, **managed)
    assert first == rows(range(6))
    assert ["manual", ten_records, 0, 3] in run(cluster.endpoint, official.list_consumer_offsets)
    second = run(cluster.endpoint, official.consume_managed, count=6, commit=6, **managed)
    assert second == rows(range(4, 10))
    assert ["manual", ten_records, 0, 9] in run(cluster.endpoint, official.list_consumer_offsets)
    run(cluster.endpoint, official.delete_consumer_offset, consumer="manual", topic=ten_records)
    assert "manual" not in [each[0] for each in run(cluster.endpoint, official.list_consumer_offsets)]
    third = run(cluster.endpoint, official.consume_managed, count=1, **managed)
    assert third == rows(range(1))


def test_a_consumer_with_automatic_offsets_goes_on_in_a_second_process(
    cluster: RawCluster, ten_records: str
) -> None:
    managed = {"topic": ten_records, "consumer": "auto", "strategy": "AUTO"}
    first = run(cluster.endpoint, official.consume_managed, count=5, **managed)
    assert first == rows(range(5))
    second = run(cluster.endpoint, official.consume_managed, count=1, **managed)
    assert second == rows(range(5, 6))


# --- much, and trouble -------------------------------------------------------------------------------------


def test_of_20_000_records_of_5_kb_none_is_missing(cluster: RawCluster) -> None:
    # The official engine cuts slices within batches, and its clients then lose records: 161 of these.
    cluster.create_topic("large")
    many = {"topic": "large", "count": 20_000, "size_bytes": 5_000}
    produce_s = run(cluster.endpoint, official.produce_many, timeout_s=120, **many)
    consume_s, missing = run(cluster.endpoint, official.consume_many, timeout_s=120, **many)
    assert missing == []
    print(f"{20_000 / produce_s:.0f} records/s produced, {20_000 / consume_s:.0f} records/s consumed")


def test_a_retrying_consumer_goes_on_after_its_spu_was_killed_and_started_again(tmp_path: Path) -> None:
    with RawCluster(tmp_path) as cluster:
        cluster.create_topic("restarted")
        before = [[f"k{number}", f"{number}"] for number in range(10)]
        run(cluster.endpoint, official.produce, topic="restarted", records=before)
        with Running(
            cluster.endpoint, official.consume_in_two_parts, topic="restarted", first=10, second=5
        ) as consumer:
            assert consumer.next_line() == "first part is read"
            (spu,) = cluster.spus
            spu.kill()
            spu.start()
            cluster.await_online()
            after = [[f"k{number}", f"{number}"] for number in range(10, 15)]
            begin = time.monotonic()
            acks = run(cluster.endpoint, official.produce, topic="restarted", records=after)
            assert acks == [[0, offset] for offset in range(10, 15)]
            assert consumer.result(timeout_s=30) == rows(range(15))
            assert time.monotonic() - begin < 15
