"""The official Rust client (the crate `fluvio`), unchanged, against our controller and SPUs."""

from itertools import groupby

import pytest

from tests.support.installers import required
from tests.support.official_rust import RustClient, install
from tests.support.raw_cluster import RawCluster


@pytest.fixture(scope="module")
def rust() -> RustClient:
    return required(install)


def test_topics_partitions_and_spus_are_found_and_topics_created_and_deleted(
    cluster: RawCluster, rust: RustClient
) -> None:
    found = rust.run(cluster.endpoint, "admin", topic="rust-admin", partitions=3)
    assert found["created"] == [["rust-admin", 3]]
    assert "rust-admin" in found["topics"]
    assert "rust-admin" not in found["afterwards"]
    leaders = {name: leader for name, leader in found["partitions"] if name.startswith("rust-admin-")}
    assert set(leaders) == {"rust-admin-0", "rust-admin-1", "rust-admin-2"}
    assert set(leaders.values()) == {5001, 5002}
    assert sorted(found["spus"]) == [[5001, True], [5002, True]]


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_each_compression_comes_back(cluster: RawCluster, rust: RustClient, compression: str) -> None:
    topic = f"rust-{compression}"
    cluster.create_topic(topic)
    records = [[f"k{number}", f"value {number} " * 20] for number in range(300)]
    places = rust.run(cluster.endpoint, "produce", topic=topic, records=records, compression=compression)
    assert places == [[0, offset] for offset in range(300)]
    found = rust.run(cluster.endpoint, "consume", topic=topic, count=300)
    assert found == [[0, offset, key, value] for offset, (key, value) in enumerate(records)]


def test_all_partitions_are_consumed_and_each_key_stays_in_order(
    cluster: RawCluster, rust: RustClient
) -> None:
    cluster.create_topic("rust-many", partitions=4)  # on two SPUs
    records = [[f"k{number % 16}", f"{number}"] for number in range(1000)]
    places = rust.run(cluster.endpoint, "produce", topic="rust-many", records=records, committed=True)
    assert {partition for partition, _ in places} == {0, 1, 2, 3}
    found = rust.run(cluster.endpoint, "consume", topic="rust-many", count=1000)
    assert sorted([partition, offset] for partition, offset, _, _ in found) == sorted(places)
    by_key = sorted(((key, int(value)) for _, _, key, value in found), key=lambda pair: pair[0])
    for key, pairs in groupby(by_key, key=lambda pair: pair[0]):
        assert [value for _, value in pairs] == list(range(int(key[1:]), 1000, 16))


def test_a_record_without_a_key_is_another_one_than_that_of_an_empty_key(
    cluster: RawCluster, rust: RustClient
) -> None:
    cluster.create_topic("rust-keys")
    rust.run(cluster.endpoint, "produce", topic="rust-keys", records=[[None, "none"], ["", "empty"]])
    found = rust.run(cluster.endpoint, "consume", topic="rust-keys", partition=0, start=0, count=2)
    assert found == [[0, 0, None, "none"], [0, 1, "", "empty"]]


def test_a_consumer_goes_on_where_it_committed(cluster: RawCluster, rust: RustClient) -> None:
    cluster.create_topic("rust-managed")
    records = [["k", f"{number}"] for number in range(10)]
    rust.run(cluster.endpoint, "produce", topic="rust-managed", records=records)
    managed = {"topic": "rust-managed", "partition": 0, "consumer": "rust-reader"}
    first = rust.run(cluster.endpoint, "consume", count=6, **managed)
    assert [value for *_, value in first] == ["0", "1", "2", "3", "4", "5"]
    second = rust.run(cluster.endpoint, "consume", count=4, **managed)
    assert [value for *_, value in second] == ["6", "7", "8", "9"]
    assert ["rust-reader", "rust-managed", 0, 9] in rust.run(cluster.endpoint, "consumers")


def test_what_cannot_be_done_is_refused_at_once(cluster: RawCluster, rust: RustClient) -> None:
    cluster.create_topic("rust-taken")
    refused = rust.run(cluster.endpoint, "refused", topic="rust-taken")
    for call, wanted in {"create": "exists", "delete": "not found", "produce": "not found"}.items():
        text, milliseconds = refused[call]
        assert wanted in text.lower(), (call, text)
        assert milliseconds < 5000
