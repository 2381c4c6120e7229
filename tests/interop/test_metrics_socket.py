"""The JSON socket counts what the official client sends and gets, record by record."""

import json
import socket
from collections import Counter
from typing import Any

import pytest

from tests.support import official_python as official
from tests.support.official_python import run
from tests.support.raw_cluster import RawCluster

pytestmark = pytest.mark.skipif(not official.HAS_WHEEL, reason=official.NO_WHEEL)


def told(cluster: RawCluster) -> Counter[str]:
    """Traffic as all SPUs together tell it: `inbound client records` and so on."""
    figures: Counter[str] = Counter()
    for path in cluster.folder.glob("spu-*/spu-*.sock"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            caller.settimeout(10)
            caller.connect(str(path))
            document: dict[str, Any] = json.loads(b"".join(iter(lambda: caller.recv(65536), b"")))
        for direction in ("inbound", "outbound"):
            for origin, traffic in document["spu"][direction].items():
                figures.update({f"{direction} {origin} {name}": value for name, value in traffic.items()})
    return figures


def test_the_official_client_is_counted_as_a_client_in_both_directions(cluster: RawCluster) -> None:
    cluster.create_topic("metered")
    before = told(cluster)
    run(cluster.endpoint, official.produce_many, topic="metered", count=200, size_bytes=1000)
    run(cluster.endpoint, official.consume_many, topic="metered", count=200, size_bytes=1000)
    grown = told(cluster)
    grown.subtract(before)
    assert grown["inbound client records"] == grown["outbound client records"] == 200
    assert 200_000 < grown["inbound client bytes"] == grown["outbound client bytes"]
    assert not any(value for name, value in grown.items() if "connector" in name)
