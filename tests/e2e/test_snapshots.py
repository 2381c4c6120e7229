"""Snapshots and forks of real clusters: whole, separate, and never half."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pexpect
import pytest

from fluvio_local_cluster.lifecycle.state import Phase, load_state, save_state
from tests.support.local_cluster import LocalCluster
from tests.support.terminal import PATIENCE_S


@pytest.fixture
def blue(throwaway_home: LocalCluster) -> LocalCluster:
    """A home with a cluster `blue`: topic `t` with two partitions, ten records, one consumer."""
    throwaway_home.run("cluster", "start", "--name", "blue")
    throwaway_home.run("topic", "create", "t", "-p", "2")
    throwaway_home.run("produce", "t", stdin="".join(f"record {i}\n" for i in range(10)))
    throwaway_home.run("consume", "t", "-B", "-n", "4", "--consumer", "me")
    return throwaway_home


TEN = sorted(f"record {i}" for i in range(10))


def root(home: LocalCluster) -> Path:
    return home.home / ".fluvio"


def records(home: LocalCluster, profile: str, topic: str = "t") -> list[str]:
    return sorted(home.run("-P", profile, "consume", topic, "-B", "-d").stdout.splitlines())


def offsets(home: LocalCluster, profile: str) -> list[tuple[str, str, int, int]]:
    found = json.loads(home.run("-P", profile, "consumer", "list", "-O", "json").stdout)
    return sorted((each["consumer_id"], each["topic"], each["partition"], each["offset"]) for each in found)


def listed(home: LocalCluster) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(home.run("cluster", "list", "-O", "json").stdout)}


def files(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


# --- fork ---------------------------------------------------------------------------------------------------


def test_a_fork_begins_with_everything_and_then_goes_its_own_way(blue: LocalCluster) -> None:
    home, known = blue, offsets(blue, "blue")
    assert len(known) >= 1
    home.run("cluster", "fork", "blue", "green")
    now = listed(home)
    assert {name: each["state"] for name, each in now.items()} == {"blue": "running", "green": "running"}
    assert now["blue"]["clusterId"] != now["green"]["clusterId"]
    assert home.run("profile").stdout == "green\n"
    assert records(home, "green") == TEN
    assert offsets(home, "green") == known
    home.run("-P", "green", "produce", "t", stdin="of green\n")
    home.run("-P", "blue", "produce", "t", stdin="of blue\n")
    home.run("-P", "green", "topic", "create", "new")
    home.run("-P", "blue", "topic", "delete", "t")
    assert records(home, "green") == sorted([*TEN, "of green"])
    assert "new" not in home.run("-P", "blue", "topic", "list").stdout
    home.run("cluster", "delete", "--force", "--name", "blue")
    for command in ("shutdown", "resume"):
        home.run("cluster", command, "--name", "green")
    assert records(home, "green") == sorted([*TEN, "of green"])
    home.run("cluster", "health", "--name", "green")


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_cluster_that_does_not_run_is_forked_and_stays_as_it_is(blue: LocalCluster, how: str) -> None:
    state = load_state(root(blue) / "clusters" / "blue" / "data")
    assert state is not None
    if how == "stopped":
        blue.run("cluster", "shutdown", "--name", "blue")
    else:
        for server in reversed(state.servers):
            assert server.process is not None
            os.kill(server.process.pid, signal.SIGKILL)
    blue.run("cluster", "fork", "blue", "green")
    assert records(blue, "green") == TEN
    assert listed(blue)["blue"]["state"] == "stopped"
    blue.run("cluster", "resume", "--name", "blue")
    assert records(blue, "blue") == TEN


def test_large_segments_of_a_running_cluster_are_closed_and_shared(blue: LocalCluster) -> None:
    lines = "".join(f"{i:01000d}\n" for i in range(20_000))  # 20 MB
    blue.run("topic", "create", "large")
    blue.run("produce", "large", stdin=lines)
    blue.run("cluster", "fork", "blue", "green")
    name = Path("data", "spu-logs-5001", "large-0", f"{0:020}.log")
    ours, theirs = (root(blue) / "clusters" / cluster / name for cluster in ("blue", "green"))
    assert ours.samefile(theirs)
    assert ours.stat().st_size > 16 * 1024**2
    before = (ours.stat().st_size, ours.stat().st_mtime_ns)
    for profile in ("green", "blue"):
        blue.run("-P", profile, "produce", "large", stdin="one more\n")
        blue.run("cluster", "shutdown", "--name", profile)
        blue.run("cluster", "resume", "--name", profile)
        assert len(records(blue, profile, "large")) == 20_001
    assert (ours.stat().st_size, ours.stat().st_mtime_ns) == before


def test_a_fork_of_a_cluster_with_several_spus_has_them_all(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    home.run("cluster", "start", "--name", "blue", "--spu", "3")
    home.run("topic", "create", "t", "-p", "3")
    home.run("produce", "t", stdin="a\nb\nc\n")
    home.run("cluster", "fork", "blue", "green")
    assert records(home, "green") == ["a", "b", "c"]
    assert listed(home)["green"]["spus"] == {"running": 3, "total": 3}


def test_forks_and_snapshots_of_a_busy_cluster_have_what_was_acknowledged(blue: LocalCluster) -> None:
    is_enough = threading.Event()
    acknowledged = [10]

    def produce() -> None:
        while not is_enough.is_set():
            first = acknowledged[0]
            blue.run("-P", "blue", "produce", "t", stdin="".join(f"record {first + i}\n" for i in range(100)))
            acknowledged[0] = first + 100

    thread = threading.Thread(target=produce)
    thread.start()
    try:
        least = []
        for number in range(2):
            least.append(acknowledged[0])
            blue.run("cluster", "fork", "blue", f"fork-{number}")
            blue.run("cluster", "snapshot", f"snapshot-{number}", "--name", "blue")
    finally:
        is_enough.set()
        thread.join()
    blue.run("cluster", "fork", "snapshot-1", "fork-2", "--snapshot")
    for number in range(3):
        found = records(blue, f"fork-{number}")
        numbers = sorted(int(record.removeprefix("record ")) for record in found)
        assert len(set(numbers)) == len(numbers) >= least[min(number, 1)]
        assert set(range(least[min(number, 1)])) <= set(numbers)


def test_a_fork_that_cannot_be_leaves_nothing(blue: LocalCluster) -> None:
    for words, told in (
        (("nobody", "green"), "no local cluster named `nobody`"),
        (("blue", "blue"), "still running"),
        (("nothing", "green", "--snapshot"), "no snapshot `nothing`"),
    ):
        refused = blue.run("cluster", "fork", *words, check=False)
        assert refused.returncode in (1, 3)
        assert told in refused.stderr
    assert list(listed(blue)) == ["blue"]
    assert os.listdir(root(blue) / "clusters") == ["blue"]


def test_a_fork_keeps_settings_but_for_places(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    home.run("cluster", "start", "--name", "blue", "--fsync", "always", "--metrics", "127.0.0.1:0")
    home.run("cluster", "fork", "blue", "green", "--skip-profile-creation")
    assert home.run("profile").stdout == "blue\n"
    blue, green = (load_state(root(home) / "clusters" / name / "data") for name in ("blue", "green"))
    assert blue is not None
    assert green is not None
    assert green.settings.fsync == "always"
    ports = [end.port for state in (blue, green) for server in state.servers for end in server.plan.endpoints]
    assert len(set(ports)) == len(ports) == 12


# --- snapshot and restore ---------------------------------------------------------------------------------


def test_a_snapshot_tells_what_it_is(blue: LocalCluster) -> None:
    assert blue.run("cluster", "snapshot", "--list").stdout == "No snapshots found\n"
    told = blue.run("cluster", "snapshot", "s1").stdout
    assert told.startswith('snapshot "s1" made: 1 topics, ')
    (shown,) = json.loads(blue.run("cluster", "snapshot", "--list", "-O", "json").stdout)
    assert shown["topics"] == [{"name": "t", "partitions": 2}]
    assert (shown["name"], shown["cluster"]) == ("s1", "blue")
    assert shown["clusterId"] == listed(blue)["blue"]["clusterId"]
    manifest = json.loads((root(blue) / "snapshots" / "s1" / "manifest.json").read_text())
    assert manifest["format"] == 1
    there = files(root(blue) / "snapshots" / "s1")
    assert {each["path"]: each["sizeBytes"] for each in manifest["files"]} == {
        path: len(data) for path, data in there.items() if path != "manifest.json"
    }
    assert not [path for path in there if path.endswith((".sock", "lock", "clean", "cluster.json"))]
    blue.run("cluster", "snapshot", "s2", "--name", "blue", "--to", "kept")
    assert json.loads((blue.home / "kept" / "s2" / "manifest.json").read_text())["name"] == "s2"
    again = blue.run("cluster", "snapshot", "s1", check=False)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert sorted(os.listdir(root(blue) / "snapshots")) == ["s1"]


def test_no_command_takes_a_snapshot_for_a_cluster(blue: LocalCluster) -> None:
    blue.run("cluster", "snapshot", "s1")
    inside = root(blue) / "snapshots" / "s1"
    before = files(inside)
    for words in (("delete", "--force"), ("resume",), ("shutdown",)):
        assert blue.run("cluster", *words, "--data-dir", str(inside / "data"), check=False).returncode in (
            1,
            3,
        )
    assert files(inside) == before


def test_restore_goes_back_and_the_snapshot_stays_as_it_is(blue: LocalCluster) -> None:
    known = offsets(blue, "blue")
    blue.run("cluster", "snapshot", "s1")
    kept = files(root(blue) / "snapshots" / "s1")
    cluster_id = listed(blue)["blue"]["clusterId"]
    for _ in range(2):
        blue.run("produce", "t", stdin="a mistake\n")
        blue.run("topic", "create", "another")
        blue.run("cluster", "shutdown")
        told = blue.run("cluster", "restore", "s1", "--force").stderr
        assert "Run: fluvio cluster resume --name blue to start the cluster" in told
        assert listed(blue)["blue"]["state"] == "stopped"
        blue.run("cluster", "resume")
        assert records(blue, "blue") == TEN
        assert offsets(blue, "blue") == known
        assert "another" not in blue.run("topic", "list").stdout
        assert listed(blue)["blue"]["clusterId"] == cluster_id
    assert files(root(blue) / "snapshots" / "s1") == kept


def test_a_cluster_that_was_deleted_is_there_again(blue: LocalCluster) -> None:
    blue.run("cluster", "snapshot", "s1")
    before = listed(blue)["blue"]
    blue.run("cluster", "delete", "--force", "--name", "blue")
    blue.run("cluster", "restore", "s1")  # nothing is lost by it, so nothing is asked
    blue.run("cluster", "resume", "--name", "blue")
    now = listed(blue)["blue"]
    assert {**now, "sizeBytes": 0} == {**before, "sizeBytes": 0}
    assert records(blue, "blue") == TEN


def test_restore_refuses_what_would_destroy_unasked(blue: LocalCluster) -> None:
    blue.run("cluster", "snapshot", "s1")
    running = blue.run("cluster", "restore", "s1", "--force", check=False)
    assert running.returncode == 1
    assert "is running: SC" in running.stderr
    blue.run("cluster", "shutdown")
    unasked = blue.run("cluster", "restore", "s1", check=False)
    assert unasked.stderr == "IO error: not a terminal\n"
    blue.run("profile", "set", "blue", "--protected")
    protected = blue.run("cluster", "restore", "s1", "--force", check=False)
    assert "cluster `blue` is protected" in protected.stderr
    blue.run("profile", "set", "blue", "--normal")
    blue.run("cluster", "delete", "--force", "--name", "blue")
    blue.run("cluster", "start", "--name", "blue")
    blue.run("cluster", "shutdown")
    other = blue.run("cluster", "restore", "s1", "--force", check=False)
    assert "another cluster is in" in other.stderr


def test_restore_asks_for_the_name_of_the_snapshot(blue: LocalCluster) -> None:
    blue.run("cluster", "snapshot", "s1")
    blue.run("produce", "t", stdin="later\n")
    blue.run("cluster", "shutdown")
    for typed, told in (("no", "Confirmation failed"), ("s1", "Restored snapshot s1")):
        asked = pexpect.spawn(
            str(blue.executable),
            ["cluster", "restore", "s1"],
            env=blue.env,
            cwd=blue.home,
            timeout=PATIENCE_S,
        )
        asked.expect("to confirm: s1")
        asked.sendline(typed)
        asked.expect(told)
        asked.expect(pexpect.EOF)
        asked.close()
    blue.run("cluster", "resume")
    assert records(blue, "blue") == TEN


@pytest.mark.parametrize("damage", ["missing", "shorter", "manifest"])
def test_a_snapshot_that_is_damaged_is_used_for_nothing(blue: LocalCluster, damage: str) -> None:
    blue.run("cluster", "snapshot", "s1")
    blue.run("cluster", "shutdown")
    inside = root(blue) / "snapshots" / "s1"
    path = next(inside.rglob("t-0/*.log"))
    if damage == "missing":
        path.unlink()
    elif damage == "shorter":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        (inside / "manifest.json").write_text("{")
    for words in (("restore", "s1", "--force"), ("fork", "s1", "green", "--snapshot")):
        refused = blue.run("cluster", *words, check=False)
        assert refused.returncode == 6
        assert "is damaged" in refused.stderr
    blue.run("cluster", "resume")
    assert records(blue, "blue") == TEN


def test_a_restore_that_was_killed_is_not_started_and_comes_to_its_end(blue: LocalCluster) -> None:
    blue.run("cluster", "snapshot", "s1")
    blue.run("cluster", "shutdown")
    data = root(blue) / "clusters" / "blue" / "data"
    state = load_state(data)  # as a restore leaves it that is killed after it has begun to move
    assert state is not None
    state.phase = Phase.RESTORING
    save_state(state)
    (data / "restoring").mkdir()
    (data / "metadata").rename(data / "restoring" / "metadata")
    assert listed(blue)["blue"]["state"] == "restoring"
    for words in (
        *(("resume",), ("check",), ("upgrade", "--force")),
        *(("fork", "blue", "green"), ("snapshot", "s2")),
    ):
        refused = blue.run("cluster", *words, check=False)
        assert refused.returncode == 6
        assert "restoring a snapshot" in refused.stderr
    blue.run("cluster", "shutdown")  # does not make it look well
    blue.run("cluster", "restore", "s1", "--force")
    blue.run("cluster", "resume")
    assert records(blue, "blue") == TEN
    assert not (data / "restoring").exists()


def test_an_interrupted_snapshot_leaves_nothing(blue: LocalCluster) -> None:
    target = root(blue) / "snapshots"
    (target / ".old.77.partial").mkdir(parents=True)  # of one that was killed
    process = subprocess.Popen(
        [blue.executable, "cluster", "snapshot", "s1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=blue.home,
        env={**blue.env, "CI": "1"},
        preexec_fn=_heed_interrupts,
    )
    assert process.stderr is not None
    process.stderr.readline()  # it has begun
    process.send_signal(signal.SIGINT)
    process.stderr.read()
    assert process.wait() in (0, 130)  # it may have been quicker
    assert [name for name in os.listdir(target) if name != "s1"] == []
    blue.run("cluster", "snapshot", "s2")
    assert records(blue, "blue") == TEN


def _heed_interrupts() -> None:
    """Tests that run in the background of a shell inherit that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
