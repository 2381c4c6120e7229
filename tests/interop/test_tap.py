"""The official clients, unchanged, through a tap: they neither notice nor go past it."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support import official_node, official_rust
from tests.support import official_python as official
from tests.support.installers import required
from tests.support.local_cluster import FLUVIO
from tests.support.official_python import run
from tests.support.raw_cluster import RawCluster
from tests.support.running_tap import RunningTap

RECORDS = [[f"k{number}", f"{number}"] for number in range(10)]
VALUES = sorted(value for _, value in RECORDS)


@pytest.fixture
def tap(cluster: RawCluster) -> Iterator[RunningTap]:
    with RunningTap(FLUVIO, os.environ, "--to", cluster.endpoint, "--records") as tap:
        yield tap


def values(frames: list[dict[str, Any]], partitions: Callable[[Any], list[Any]]) -> list[str]:
    """Of all records in these frames, in an order of their own."""
    return sorted(
        record["value"]
        for frame in frames
        for partition in partitions(frame["body"])
        for batch in partition["records"]["batches"]
        for record in batch["records"]
    )


def is_understood(tap: RunningTap) -> bool:
    """After its end: whether it told every record on both ways, and decoded each frame."""
    asked = values(
        tap.frames("Produce"), lambda body: [part for topic in body["topics"] for part in topic["partitions"]]
    )
    read = values(tap.frames("StreamFetch", "answer"), lambda body: [body["partition"]])
    assert asked == read == VALUES
    assert [event for event in tap.told if "reason" in event and event["event"] != "close"] == []
    servers = {event["server"] for event in tap.told if event["event"] == "open"}
    assert "SC" in servers
    assert servers & {"SPU 5001", "SPU 5002"}
    return True


@pytest.mark.skipif(not official.HAS_WHEEL, reason=official.NO_WHEEL)
def test_the_python_client_works_through_a_tap(cluster: RawCluster, tap: RunningTap) -> None:
    cluster.create_topic("through-a-tap", 2)
    run(tap.endpoint, official.produce, topic="through-a-tap", records=RECORDS)
    found = [
        row
        for partition in range(2)
        for row in run(
            tap.endpoint, official.consume, topic="through-a-tap", partition=partition, start=["beginning"]
        )
    ]
    tap.end()
    assert sorted(value for _, _, value in found) == VALUES
    assert is_understood(tap)


@pytest.mark.skipif(not official_node.has_build(), reason="@fluvio/client has no build for this machine")
def test_the_node_client_works_through_a_tap(cluster: RawCluster, tap: RunningTap) -> None:
    node = required(official_node.install)
    cluster.create_topic("node-tap")
    found = node.run(tap.endpoint, "exchange", topic="node-tap", count=10)
    tap.end()
    assert sorted(value for _, value in found) == VALUES
    assert is_understood(tap)


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_the_rust_client_works_through_a_tap(cluster: RawCluster, tap: RunningTap, compression: str) -> None:
    rust = required(official_rust.install)
    topic = f"rust-tap-{compression}"
    cluster.create_topic(topic, 2)
    task = {"topic": topic, "records": RECORDS, "compression": compression}
    found = rust.run(tap.endpoint, "exchange", count=len(RECORDS), **task)
    admin = rust.run(tap.endpoint, "admin", topic=f"{topic}-admin", partitions=2)
    tap.end()
    assert sorted(value for *_, value in found) == VALUES
    assert admin["created"] == [[f"{topic}-admin", 2]]
    assert is_understood(tap)
