"""`fluvio consumer` against a real cluster."""

import json
from collections.abc import Iterator

import pytest

from tests.support.local_cluster import LocalCluster


@pytest.fixture
def cluster(local_cluster: LocalCluster) -> Iterator[LocalCluster]:
    """The shared cluster, with a topic whose two partitions a consumer has read to the end."""
    local_cluster.run("topic", "create", "read-by-two", "-p", "2")
    local_cluster.run("produce", "read-by-two", stdin="a\nb\nc\nd\n")
    local_cluster.run("consume", "read-by-two", "-B", "-d", "--consumer", "two")
    yield local_cluster
    local_cluster.run("consumer", "delete", "two")
    local_cluster.run("topic", "delete", "read-by-two")


def listed(cluster: LocalCluster) -> list[tuple[str, int, int]]:
    rows = json.loads(cluster.run("consumer", "list", "-O", "json").stdout)
    return [(row["topic"], row["partition"], row["offset"]) for row in rows if row["consumer_id"] == "two"]


def test_a_consumer_without_its_offset_begins_anew_in_that_partition_only(cluster: LocalCluster) -> None:
    assert listed(cluster) == [("read-by-two", 0, 1), ("read-by-two", 1, 1)]
    assert cluster.run("consume", "read-by-two", "-B", "-d", "--consumer", "two").stdout == ""
    done = cluster.run("consumer", "delete", "two", "--topic", "read-by-two", "--partition", "1")
    assert done.stdout == 'consumer "two" on topic "read-by-two" and partition "1" deleted\n'
    assert listed(cluster) == [("read-by-two", 0, 1)]
    again = cluster.run("consume", "read-by-two", "-B", "-d", "--consumer", "two").stdout
    assert sorted(again.split()) in (["a", "c"], ["b", "d"])


def test_deleting_a_consumer_of_a_topic_leaves_those_of_others(cluster: LocalCluster) -> None:
    assert cluster.run("consumer", "delete", "two", "-t", "nope").stdout == "no consumers found\n"
    assert len(listed(cluster)) == 2
    done = cluster.run("consumer", "delete", "two", "-t", "read-by-two")
    assert len(done.stdout.splitlines()) == 2
    assert listed(cluster) == []


def test_the_table_shows_what_json_shows(cluster: LocalCluster) -> None:
    lines = cluster.run("consumer", "list").stdout.splitlines()
    assert lines[0].split() == ["CONSUMER", "TOPIC", "PARTITION", "OFFSET", "LAST", "SEEN"]
    rows = [line.split()[:4] for line in lines[1:] if " two " in line]
    assert rows == [["two", "read-by-two", "0", "1"], ["two", "read-by-two", "1", "1"]]
