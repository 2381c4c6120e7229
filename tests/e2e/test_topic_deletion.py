"""A topic is deleted while it is consumed: readers are told, and nothing of it is left for the next one."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.support import official_python as official
from tests.support.local_cluster import LocalCluster, cluster_in_new_home
from tests.support.official_python import Running

WAIT_S = 20.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two SPUs: of two partitions one is led by the SPU that does not keep consumers' offsets."""
    for home in cluster_in_new_home():
        yield home.start("--spu", "2")


def consuming(cluster: LocalCluster, topic: str, *options: str) -> "subprocess.Popen[bytes]":
    """`fluvio consume` from the beginning, on pipes."""
    return subprocess.Popen(
        [cluster.executable, "consume", topic, "-B", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=cluster.env,
        cwd=cluster.home,
    )


def produce(cluster: LocalCluster, topic: str, *values: str) -> None:
    for partition, value in enumerate(values):
        cluster.run("produce", topic, "--partition", str(partition), stdin=f"{value}\n")


@pytest.mark.parametrize("options", [(), ("--consumer", "audit")], ids=["plain", "with kept offsets"])
def test_consume_says_that_the_topic_was_deleted_and_fails(
    cluster: LocalCluster, options: tuple[str, ...]
) -> None:
    cluster.run("topic", "create", "gone", "--partitions", "2")
    produce(cluster, "gone", "zero", "one")
    with consuming(cluster, "gone", *options) as reader:
        try:
            assert reader.stdout is not None
            read = {reader.stdout.readline(), reader.stdout.readline()}
            assert read == {b"zero\n", b"one\n"}
            cluster.run("topic", "delete", "gone")
            rest, said = reader.communicate(timeout=WAIT_S)
        finally:
            reader.kill()
    assert rest == b""
    assert b"deleted" in said
    assert said.count(b"\n") <= 3
    assert b"Traceback" not in said
    assert reader.returncode == 3


def test_a_topic_made_again_has_neither_the_records_nor_the_places_of_consumers(
    cluster: LocalCluster,
) -> None:
    for value in ("first", "second"):  # each time a topic of that name with one record
        cluster.run("topic", "create", "again", "--partitions", "2")
        produce(cluster, "again", f"{value} 0", f"{value} 1")
        found = cluster.run("consume", "again", "-B", "-d", "--consumer", "audit").stdout.split("\n")
        assert sorted(found) == ["", f"{value} 0", f"{value} 1"]
        found = cluster.run("consume", "again", "-B", "-d", "--consumer", "audit").stdout.split("\n")
        assert found == [""]  # its places are kept
        cluster.run("topic", "delete", "again")
    names = [topic["name"] for topic in json.loads(cluster.run("topic", "list", "-O", "json").stdout)]
    assert "again" not in names


@pytest.mark.skipif(not official.HAS_WHEEL, reason=official.NO_WHEEL)
def test_the_official_client_is_told_that_the_topic_was_deleted(cluster: LocalCluster) -> None:
    cluster.run("topic", "create", "official")
    produce(cluster, "official", "zero")
    with Running(cluster.endpoint, official.consume_until_it_fails, topic="official") as reader:
        assert reader.next_line() == "read zero"
        cluster.run("topic", "delete", "official")
        count, text = reader.result(timeout_s=WAIT_S)
    assert count == 1
    assert "deleted" in text.lower()
