"""The official Node client with its own native build, unchanged, against our controller and SPUs."""

import json

import pytest

from tests.support.installers import required
from tests.support.official_node import NodeClient, has_build, install
from tests.support.raw_cluster import RawCluster

pytestmark = pytest.mark.skipif(not has_build(), reason="@fluvio/client has no build for this machine")


@pytest.fixture(scope="module")
def node() -> NodeClient:
    """The client; without network and node the tests are skipped, but not where proof is wanted (CI)."""
    return required(install)


def test_topics_partitions_and_spus_are_found_and_topics_created_and_deleted(
    cluster: RawCluster, node: NodeClient
) -> None:
    found = node.run(cluster.endpoint, "admin", topic="node-admin", partitions=3)
    assert found["created"]["name"] == "node-admin"
    assert "node-admin" in [topic["name"] for topic in json.loads(found["topics"])]
    assert "node-admin" not in [topic["name"] for topic in json.loads(found["afterwards"])]
    partitions = [partition["name"] for partition in json.loads(found["partitions"])]
    assert {"node-admin-0", "node-admin-1", "node-admin-2"} <= set(partitions)
    assert found["partition"]["name"] == "node-admin-0"
    assert found["partition"]["status"]["resolution"] == "Online"
    spus = json.loads(found["spus"])
    assert sorted(spu["name"] for spu in spus) == ["custom-spu-5001", "custom-spu-5002"]


def test_records_sent_in_every_way_are_read_from_the_beginning(cluster: RawCluster, node: NodeClient) -> None:
    cluster.create_topic("node-forms")
    node.run(cluster.endpoint, "produce", topic="node-forms")
    assert node.run(cluster.endpoint, "consume", topic="node-forms", partition=0, count=4) == [
        ["", "without a key"],  # `sendRecord` sends an empty key: so say the bytes
        ["key", "with a key"],
        ["a", "first of many"],
        ["b", "second of many"],
    ]


def test_a_thousand_keyed_records_come_back_in_order(cluster: RawCluster, node: NodeClient) -> None:
    cluster.create_topic("node-many")
    found = node.run(cluster.endpoint, "exchange", topic="node-many", count=1000)
    assert found == [[f"k{number % 7}", f"{number}"] for number in range(1000)]


def test_what_cannot_be_done_is_refused_at_once(cluster: RawCluster, node: NodeClient) -> None:
    cluster.create_topic("node-taken")
    refused = node.run(cluster.endpoint, "refused", topic="node-taken")
    for call, wanted in {"create": "exists", "delete": "not found", "produce": "not found"}.items():
        text, milliseconds = refused[call]
        assert wanted in text.lower(), (call, text)
        assert milliseconds < 5000
