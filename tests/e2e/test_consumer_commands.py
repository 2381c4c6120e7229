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


def described(cluster: LocalCluster) -> list[tuple[int, int, int, int]]:
    rows = json.loads(cluster.run("consumer", "describe", "two", "-O", "json").stdout)
    return [(row["partition"], row["offset"], row["end"], row["lag"]) for row in rows]


def test_the_lag_grows_with_new_records_and_goes_with_reading(cluster: LocalCluster) -> None:
    assert described(cluster) == [(0, 1, 2, 0), (1, 1, 2, 0)]
    cluster.run("produce", "read-by-two", "-p", "1", stdin="e\nf\ng\n")
    assert described(cluster) == [(0, 1, 2, 0), (1, 1, 5, 3)]
    lines = cluster.run("consumer", "describe", "two").stdout.splitlines()
    assert lines[0].split() == ["TOPIC", "PARTITION", "OFFSET", "START", "END", "LAG", "LAST", "SEEN"]
    assert [line.split()[:6] for line in lines[1:]] == [
        ["read-by-two", "0", "1", "0", "2", "0"],
        ["read-by-two", "1", "1", "0", "5", "3"],
    ]
    assert cluster.run("consume", "read-by-two", "-d", "--consumer", "two").stdout == "e\nf\ng\n"
    assert described(cluster) == [(0, 1, 2, 0), (1, 4, 5, 0)]


@pytest.mark.parametrize(
    ("options", "moved", "count"),
    [
        (("--to", "start"), 2, 4),
        (("--to", "end"), 2, 0),
        (("--to", "1"), 2, 2),
        (("--to", "0", "-t", "read-by-two", "-p", "1"), 1, 2),
    ],
)
def test_a_consumer_that_was_moved_goes_on_there(
    options: tuple[str, ...], moved: int, count: int, cluster: LocalCluster
) -> None:
    done = cluster.run("consumer", "reset", "two", *options)
    assert done.stdout.count('consumer "two" on topic "read-by-two" and partition ') == moved
    again = cluster.run("consume", "read-by-two", "-d", "--consumer", "two").stdout.split()
    assert len(again) == count
    assert cluster.run("consume", "read-by-two", "-d", "--consumer", "two").stdout == ""


def test_an_offset_that_one_partition_has_not_changes_nothing_anywhere(cluster: LocalCluster) -> None:
    cluster.run("produce", "read-by-two", "-p", "0", stdin="e\nf\n")
    before = listed(cluster)
    refused = cluster.run("consumer", "reset", "two", "--to", "4", check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "read-by-two-1 has no offset 4: it begins at 0 and ends before 2\n"
    assert listed(cluster) == before


@pytest.mark.parametrize("words", [("describe", "nobody"), ("reset", "nobody", "--to", "end")])
def test_a_consumer_that_nobody_knows_is_not_found(words: tuple[str, ...], cluster: LocalCluster) -> None:
    done = cluster.run("consumer", *words, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "no offset is kept for consumer `nobody`\n"
