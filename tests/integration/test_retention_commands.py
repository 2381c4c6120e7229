"""Retention and durability as a person sees them: real processes, the installed command."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fluvio_protocol.api.partition import PartitionResolution, PartitionStatus
from tests.support.local_cluster import LocalCluster
from tests.support.raw_cluster import RawCluster

WAIT_S = 30.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawCluster]:
    """One SPU that cleans ten times a second."""
    folder = tmp_path_factory.mktemp("retention")
    with RawCluster(folder, spu_options=["--retention-tick-ms", "100"]) as running:
        yield running


@pytest.fixture
def user(cluster: RawCluster, tmp_path: Path) -> LocalCluster:
    """A home whose profile leads to the cluster."""
    user = LocalCluster(tmp_path)
    user.run("profile", "add", "retention", cluster.endpoint)
    return user


def until(cluster: RawCluster, topic: str, is_wanted: Callable[[PartitionStatus], bool]) -> PartitionStatus:
    """Wait until the controller's watch tells that partition 0 is as wanted."""
    deadline = time.monotonic() + WAIT_S
    with cluster.admin() as admin:
        for update in admin.watch("Partition", timeout_s=WAIT_S):
            for partition in (*update.all, *(message.content for message in update.changes)):
                status: PartitionStatus = partition.status
                if partition.name == f"{topic}-0" and is_wanted(status):
                    return status
            assert time.monotonic() < deadline
    raise AssertionError(f"{topic} never came to that")


def fill(user: LocalCluster, topic: str, count: int, first: int = 0) -> None:
    """Records of 200 bytes, one to a batch."""
    lines = "".join(f"{i:0200d}\n" for i in range(first, first + count))
    user.run("produce", topic, "--batch-size", "250", stdin=lines)


def test_retention_end_to_end(cluster: RawCluster, user: LocalCluster) -> None:
    limits = ("--segment-size", "1024", "--max-partition-size", "2048", "--retention-time", "1h")
    user.run("topic", "create", "logs", *limits)
    fill(user, "logs", 40)
    status = until(cluster, "logs", lambda status: status.leader.leo == 40 and status.size <= 3072)
    start = status.base_offset
    assert 0 < start < 40
    listed = json.loads(user.run("partition", "list", "-O", "json").stdout)
    shown = next(entry for entry in listed if entry["name"] == "logs-0")["status"]
    assert (shown["baseOffset"], shown["size"]) == (
        start,
        status.size,
    )

    kept = [f"{i:0200d}" for i in range(start, 40)]
    went_on = user.run("consume", "logs", "--start", "0", "-d")
    assert went_on.stdout.splitlines() == kept
    told = f"records 0 to {start - 1} of logs-0 were removed by retention, going on at {start}\n"
    assert went_on.stderr == told
    failed = user.run("consume", "logs", "--start", "0", "-d", "--on-evicted", "fail", check=False)
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert f"next available is {start}" in failed.stderr
    assert user.run("consume", "logs", "-B", "-d", "--on-evicted", "fail").stdout.splitlines() == kept


def test_a_consumer_whose_place_is_gone_is_told(cluster: RawCluster, user: LocalCluster) -> None:
    user.run("topic", "create", "places", "--segment-size", "1024", "--max-partition-size", "2048")
    fill(user, "places", 1)
    user.run("consume", "places", "-B", "-d", "--consumer", "audit")
    fill(user, "places", 40, 1)
    start = until(
        cluster, "places", lambda status: status.leader.leo == 41 and status.size <= 3072
    ).base_offset
    failed = user.run(
        "consume", "places", "-B", "-d", "--consumer", "audit", "--on-evicted", "fail", check=False
    )
    assert (failed.returncode, failed.stdout) == (1, "")
    went_on = user.run("consume", "places", "-B", "-d", "--consumer", "audit")
    assert went_on.stdout.splitlines() == [f"{i:0200d}" for i in range(start, 41)]
    assert f"records 1 to {start - 1} of places-0 were removed by retention" in went_on.stderr


def test_the_policy_is_kept_and_used_again_by_resume(throwaway_home: LocalCluster) -> None:
    wrong = throwaway_home.run("cluster", "start", "--fsync", "often", check=False)
    assert wrong.returncode == 2
    assert "use `never`, `always`, or `interval:MS`" in wrong.stderr
    ttl = throwaway_home.run("cluster", "start", "--consumer-offset-ttl", "10ms", check=False)
    assert ttl.returncode == 2
    assert "a time from 1s" in ttl.stderr
    throwaway_home.start("--fsync", "interval:250", "--consumer-offset-ttl", "90d")
    assert throwaway_home.state.settings.fsync == "interval:250"
    for _ in range(2):
        pid = throwaway_home.processes()["SPU 5001"].pid
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        assert words[words.index(b"--fsync") + 1] == b"interval:250"
        assert words[words.index(b"--consumer-offset-ttl-s") + 1] == b"7776000"
        throwaway_home.run("cluster", "shutdown")
        throwaway_home.run("cluster", "resume")


def test_a_disk_without_room_is_told_to_the_producer_and_shown(tmp_path: Path) -> None:
    with RawCluster(tmp_path, spu_options=["--space-reserve", str(10**18)]) as full:
        user = LocalCluster(tmp_path)
        user.run("profile", "add", "full", full.endpoint)
        user.run("topic", "create", "logs")
        refused = user.run("produce", "logs", stdin="too much\n", check=False)
        assert refused.returncode == 1
        assert "full" in refused.stderr.lower()
        until(full, "logs", lambda status: status.resolution is PartitionResolution.OUT_OF_STORAGE)
        [line] = [row for row in user.run("partition", "list").stdout.splitlines() if "logs" in row]
        assert "OutOfStorage" in line
        assert user.run("consume", "logs", "-B", "-d").stdout == ""  # readers are served
