"""The official Python client, unchanged, through a tap: it neither notices nor goes past it."""

import os
import sys
from pathlib import Path

import pytest

from tests.support import official_python as official
from tests.support.official_python import run
from tests.support.raw_cluster import RawCluster
from tests.support.running_tap import RunningTap

pytestmark = pytest.mark.skipif(not official.HAS_WHEEL, reason=official.NO_WHEEL)


def test_the_official_python_client_works_through_a_tap(cluster: RawCluster) -> None:
    cluster.create_topic("through-a-tap", 2)
    fluvio = Path(sys.executable).with_name("fluvio")
    with RunningTap(fluvio, os.environ, "--to", cluster.endpoint, "--records") as tap:
        records = [[f"k{number}", f"{number}"] for number in range(10)]
        run(tap.endpoint, official.produce, topic="through-a-tap", records=records)
        found = [
            row
            for partition in range(2)
            for row in run(
                tap.endpoint,
                official.consume,
                topic="through-a-tap",
                partition=partition,
                start=["beginning"],
            )
        ]
        tap.end()
    assert sorted(value for _, _, value in found) == [f"{number}" for number in range(10)]
    asked = [
        record["value"]
        for request in tap.frames("Produce")
        for topic in request["body"]["topics"]
        for partition in topic["partitions"]
        for batch in partition["records"]["batches"]
        for record in batch["records"]
    ]
    assert sorted(asked) == [f"{number}" for number in range(10)]
    read = [
        record["value"]
        for push in tap.frames("StreamFetch", "answer")
        for batch in push["body"]["partition"]["records"]["batches"]
        for record in batch["records"]
    ]
    assert sorted(read) == [f"{number}" for number in range(10)]
    odd = [event for event in tap.told if "reason" in event and event["event"] != "close"]
    assert odd == [], "every frame of the official client is decoded"
    assert {event["server"] for event in tap.told if event["event"] == "open"} >= {"SC", "SPU 5001"}
