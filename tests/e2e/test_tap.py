"""`fluvio tap` between the installed command and a real cluster."""

import json
import os
import select
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.certificates import Authority, start_options
from tests.support.local_cluster import FLUVIO, LocalCluster
from tests.support.running_tap import RunningTap

PATIENCE_S = 30.0


def tap(cluster: LocalCluster, *options: str) -> RunningTap:
    return RunningTap(FLUVIO, cluster.env, *options)


def test_records_go_through_the_tap_and_are_shown(local_cluster: LocalCluster, tmp_path: Path) -> None:
    local_cluster.run("topic", "create", "tapped", "-p", "2")
    recording = tmp_path / "session.tap"
    with tap(local_cluster, "--records", "--record", str(recording)) as running:
        at = ("-c", running.endpoint)
        local_cluster.run(
            *at, "produce", "tapped", "--key-separator", ":", "--compression", "zstd", stdin="a:1\nb:2\n"
        )
        read = local_cluster.run(*at, "consume", "tapped", "-B", "-d", "-k").stdout
        spus = json.loads(local_cluster.run(*at, "cluster", "spu", "list", "-O", "json").stdout)
        running.until(lambda event: event["event"] == "answer" and event["api"] == "List")
        running.end()
    assert sorted(read.splitlines()) == ["[a] 1", "[b] 2"]
    assert spus[0]["spec"]["publicEndpoint"]["ingress"][0]["hostname"] == "127.0.0.1"

    (asked,), (answered,) = running.frames("Produce"), running.frames("Produce", "answer")
    records = [
        (record["key"], record["value"])
        for part in asked["body"]["topics"][0]["partitions"]
        for batch in part["records"]["batches"]
        for record in batch["records"]
    ]
    assert sorted(records) == [("a", "1"), ("b", "2")]
    assert answered["latency_ms"] > 0
    pushes = running.frames("StreamFetch", "answer")
    assert {push["push"] for push in pushes} >= {1}
    assert not [event for event in running.told if "reason" in event and event["event"] != "close"]
    assert {
        event["rewritten"] for event in running.frames("Watch", "answer") if event["object"] == "SPU"
    } == {True}
    lines = {line.split()[0]: line.split()[1:] for line in running.summary.splitlines()}
    assert lines["Produce"][:2] == ["1", "1"]
    assert running.exit_code == 0

    assert recording.stat().st_mode & 0o777 == 0o600
    again = local_cluster.run("tap", "--read", str(recording), "-O", "json", "--records")
    assert [json.loads(line) for line in again.stdout.splitlines()] == running.told
    assert again.stderr == running.summary
    some = local_cluster.run("tap", "--read", str(recording), "--filter", "produce").stdout.splitlines()
    assert len([line for line in some if "Produce v25" in line]) == len(
        [line for line in some if "is reached at" not in line]
    )


def test_without_the_spus_only_the_controller_is_seen(local_cluster: LocalCluster) -> None:
    local_cluster.run("topic", "create", "only-sc")
    with tap(local_cluster, "--only-sc") as running:
        local_cluster.run("-c", running.endpoint, "produce", "only-sc", stdin="1\n")
        running.until(lambda event: event["event"] == "close")
        running.end()
    assert {event["server"] for event in running.told if "server" in event} == {"SC"}
    assert not running.frames("Produce")
    assert local_cluster.run("consume", "only-sc", "-B", "-d").stdout == "1\n"


def test_an_spu_can_be_tapped_by_itself(local_cluster: LocalCluster) -> None:
    spu = local_cluster.state.spus[0].plan.public
    with tap(local_cluster, "--to", str(spu)) as running:
        failed = local_cluster.run("-c", running.endpoint, "topic", "list", check=False)
        running.until(lambda event: event["event"] == "close")
        running.end()
    assert failed.returncode != 0, "an SPU is no controller"
    (answer,) = running.frames("ApiVersions", "answer")
    assert answer["body"]["platform_version"] == "0.0.0"


def test_a_cluster_with_tls_is_seen_in_plain(throwaway_home: LocalCluster, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "certs")
    cluster = throwaway_home.start(*start_options(authority, authority.server(), authority.client()))
    cluster.run("topic", "create", "secret")
    with tap(cluster, "--records") as running:
        cluster.run("-c", running.endpoint, "produce", "secret", stdin="hush\n")
        read = cluster.run("-c", running.endpoint, "consume", "secret", "-B", "-d").stdout
        running.end()
    assert read == "hush\n"
    (asked,) = running.frames("Produce")
    (batch,) = asked["body"]["topics"][0]["partitions"][0]["records"]["batches"]
    assert [record["value"] for record in batch["records"]] == ["hush"]
    assert asked["server"] == "SPU 5001"


def test_a_reader_that_stops_reading_does_not_stop_the_clients(local_cluster: LocalCluster) -> None:
    local_cluster.run("topic", "create", "unread")
    read_end, write_end = os.pipe()
    process = subprocess.Popen(
        [FLUVIO, "tap", "--listen", "127.0.0.1:0", "-O", "json", "--records"],
        env=local_cluster.env,
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write_end)
    try:
        line = b""
        while not line.endswith(b"\n"):
            assert select.select([read_end], [], [], PATIENCE_S)[0]
            line += os.read(read_end, 1)
        at = ("-c", json.loads(line)["listener"])
        value = "x" * 1000
        for _ in range(2):  # more than a pipe holds, each time
            local_cluster.run(*at, "produce", "unread", stdin=f"{value}\n" * 2000)
        assert local_cluster.run(*at, "consume", "unread", "-B", "-d").stdout == f"{value}\n" * 4000
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        os.close(read_end)
    assert process.returncode == 0
    assert "nobody takes the output" in told
    assert "Produce" in told


def test_a_closed_pipe_ends_the_tap_quietly(local_cluster: LocalCluster) -> None:
    process = subprocess.Popen(
        [FLUVIO, "tap", "--listen", "127.0.0.1:0"],
        env=local_cluster.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        endpoint = process.stdout.readline().split()[-1]
        process.stdout.close()
        local_cluster.run("-c", endpoint, "topic", "list", check=False)
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr is not None
        assert "Error" not in process.stderr.read()
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        assert process.stderr is not None
        process.stderr.close()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "--listen <host:port>"),
        (("--listen", "9103"), 2, "write it as host:port"),
        (("--listen", ":0", "--read", "x"), 2, "cannot be used with"),
        (("--listen", ":0", "--filter", "nothing"), 2, "there is no API `nothing`"),
        (("--read", "nowhere.tap"), 1, "nowhere.tap: No such file"),
        (("--listen", "192.0.2.1:9103"), 1, "cannot listen at 192.0.2.1:9103"),
    ],
)
def test_what_cannot_be_done_is_said(
    local_cluster: LocalCluster, words: tuple[str, ...], code: int, told: str
) -> None:
    done = local_cluster.run("tap", *words, check=False)
    assert done.returncode == code
    assert told in done.stderr
