"""Official clients, unchanged, as commands of `cluster run --ephemeral`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import official_python as official
from tests.support.installers import required
from tests.support.local_cluster import FLUVIO
from tests.support.official_node import INSTALLED, SOURCES, has_build, install
from tests.support.official_rust import install as install_rust

PYTHON = """
from fluvio import Fluvio, Offset

client = Fluvio.connect()
producer = client.topic_producer("orders")
producer.send_string("from Python")
producer.flush()
print(next(client.partition_consumer("orders", 0).stream(Offset.beginning())).value_string())
"""


def cluster_run(home: Path, command: list[str], directory: Path, topic: str = "orders") -> str:
    done = subprocess.run(
        [str(FLUVIO), "cluster", "run", "--ephemeral", "--topic", topic, "--", *command],
        cwd=directory,
        env={"HOME": str(home), "TMPDIR": str(home), "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(home.glob("fluvio-run-*")) == []
    return done.stdout


@pytest.mark.skipif(not official.HAS_WHEEL, reason=official.NO_WHEEL)
def test_the_python_client_finds_its_cluster_by_the_profile(tmp_path: Path) -> None:
    assert cluster_run(tmp_path, [sys.executable, "-c", PYTHON], tmp_path) == "from Python\n"


@pytest.mark.skipif(not has_build(), reason="@fluvio/client has no build for this machine")
def test_the_node_client_finds_its_cluster_by_the_address(tmp_path: Path) -> None:
    node = required(install)
    script = (
        f"exec {node.node} {SOURCES}/client.js ${{FLUVIO_ENDPOINT%:*}} ${{FLUVIO_ENDPOINT##*:}} exchange "
    )
    script += """'{"topic": "orders", "count": 20}'"""
    rows = json.loads(cluster_run(tmp_path, ["sh", "-c", script], INSTALLED))
    assert [value for _, value in rows] == [str(number) for number in range(20)]


def test_the_rust_client_finds_its_cluster_by_the_profile(tmp_path: Path) -> None:
    rust = required(install_rust)
    records = [[f"k{number % 7}", f"{number}"] for number in range(100)]
    task = {"topic": "orders", "records": records, "compression": "zstd", "count": len(records)}
    rows = json.loads(cluster_run(tmp_path, rust.command("", "exchange", **task), tmp_path, "orders:3"))
    assert {partition for partition, *_ in rows} == {0, 1, 2}
    found = sorted(([key, value] for _, _, key, value in rows), key=lambda record: int(record[1]))
    assert found == records
