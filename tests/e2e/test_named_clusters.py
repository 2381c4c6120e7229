"""Clusters with names: beside each other, found by name, gone without a trace."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle.places import Places
from fluvio_local_cluster.lifecycle.processes import is_running
from fluvio_local_cluster.lifecycle.settings import LOOPBACK, ClusterSettings
from fluvio_local_cluster.lifecycle.signals import Signals
from fluvio_local_cluster.lifecycle.start import Contents, Surroundings, start
from fluvio_local_cluster.lifecycle.state import ClusterState, load_state
from fluvio_profiles.store import load_config
from tests.support.local_cluster import LocalCluster

TEN = [f"c{number}" for number in range(10)]


def state_of(home: LocalCluster, name: str) -> ClusterState:
    state = load_state(home.home / ".fluvio" / "clusters" / name / "data")
    assert state is not None
    return state


def listed(home: LocalCluster) -> dict[str, dict[str, Any]]:
    """`cluster list` by name; by directory for those without."""
    found = json.loads(home.run("cluster", "list", "-O", "json").stdout)
    return {each["name"] or each["dataDir"]: each for each in found}


def profiles(home: LocalCluster) -> dict[str, str]:
    """Addresses of the profiles, by name."""
    config = load_config(home.profile_path)
    return {name: config.clusters[profile.cluster].endpoint for name, profile in config.profiles.items()}


def begin(home: LocalCluster, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [home.executable, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=home.home,
        env=home.env,
    )


def all_of(home: LocalCluster, commands: list[tuple[str, ...]]) -> list[str]:
    """Run commands at the same time; what each printed."""
    running = [begin(home, *words) for words in commands]
    printed = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(running), printed
    return printed


def test_ten_at_once_start_work_and_stop_each_for_itself(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    all_of(home, [("cluster", "start", "--name", name) for name in TEN])
    states = {name: state_of(home, name) for name in TEN}
    ports = [
        end.port for state in states.values() for server in state.servers for end in server.plan.endpoints
    ]
    assert len(set(ports)) == len(ports) == 40
    assert {each["state"] for each in listed(home).values()} == {"running"}
    all_of(home, [("-P", name, "topic", "create", f"of-{name}") for name in TEN])
    for name in TEN:
        home.run("-P", name, "produce", f"of-{name}", stdin=f"only in {name}\n")
    read = all_of(home, [("-P", name, "consume", f"of-{name}", "-B", "-d") for name in TEN])
    assert [text.splitlines() for text in read] == [[f"only in {name}"] for name in TEN]

    all_of(home, [("cluster", "shutdown", "--name", name) for name in TEN[:5]])
    now = listed(home)
    assert {name: now[name]["state"] for name in TEN} == {
        name: "stopped" if name in TEN[:5] else "running" for name in TEN
    }
    for name in TEN[5:]:
        assert all(server.process and is_running(server.process) for server in states[name].servers)
    all_of(home, [("cluster", "delete", "--force", "--name", name) for name in TEN])
    assert listed(home) == {}
    assert os.listdir(home.home / ".fluvio" / "clusters") == []
    assert os.listdir(home.home / ".fluvio" / "local-clusters") == []
    assert profiles(home) == {}


def test_a_cluster_is_found_by_its_name_whatever_the_profile(throwaway_home: LocalCluster) -> None:
    home = throwaway_home.start()
    home.run("cluster", "start", "--name", "A", "--spu", "2")
    assert home.run("profile").stdout == "A\n"
    home.run("profile", "switch", "local")
    status = json.loads(home.run("cluster", "status", "--name", "A", "-O", "json").stdout)
    assert (status["profile"], status["spus"]) == ("A", {"online": 2, "total": 2})
    assert json.loads(home.run("cluster", "health", "--name", "A", "-O", "json").stdout)["profile"] == "A"
    assert "is running: SC" in home.run("cluster", "check", "--name", "A").stdout
    assert "Profile: A" in home.run("cluster", "diagnostics", "--quiet", "--name", "A").stdout
    home.run("cluster", "shutdown", "--name", "A")
    assert home.run("cluster", "status", "--name", "A", check=False).returncode == 4
    assert home.running() == ["SC", "SPU 5001"]
    home.run("cluster", "upgrade", "--name", "A", "--force", "--spu", "3")
    home.run("cluster", "resume", "--name", "A")
    assert listed(home)["A"]["spus"] == {"running": 3, "total": 3}
    assert home.run("profile").stdout == "local\n"
    home.run("cluster", "shutdown", "--name", "local")
    assert home.running() == []
    refused = home.run("cluster", "resume", "--name", "B", check=False)
    assert refused.returncode == 3
    assert "no local cluster named `B`" in refused.stderr
    both = home.run("cluster", "shutdown", "--name", "A", "--data-dir", "x", check=False)
    assert both.returncode == 2


def test_a_cluster_without_a_profile_is_reached_by_its_name(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    home.run("cluster", "start", "--name", "A", "--skip-profile-creation")
    assert not home.profile_path.exists()
    status = json.loads(home.run("cluster", "status", "--name", "A", "-O", "json").stdout)
    assert (status["profile"], status["reachable"]) == (None, True)
    home.run("cluster", "delete", "--force", "--name", "A")
    assert not home.profile_path.exists()


def test_list_shows_all_clusters_with_their_states(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    assert home.run("cluster", "list").stdout == "No clusters found\n"
    home.start()
    home.run("cluster", "start", "--name", "A")
    home.run("cluster", "start", "--name", "B")
    home.run("cluster", "shutdown", "--name", "B")
    free = ("--sc-pub-addr", "127.0.0.1:0", "--sc-priv-addr", "127.0.0.1:0", "--spu-port-base", "0")
    home.run("cluster", "start", "--data-dir", "else", *free, "--skip-profile-creation")
    spu = state_of(home, "A").spus[0].process
    assert spu is not None
    os.kill(spu.pid, signal.SIGKILL)
    (home.home / ".fluvio" / "clusters" / "torn" / "data").mkdir(parents=True)
    torn = home.home / ".fluvio" / "clusters" / "torn" / "data" / "cluster.json"
    torn.write_text("{")
    try:
        found = listed(home)
    finally:
        torn.unlink()
    unnamed, broken = str(home.home / "else"), str(torn.parent)
    assert {name: each["state"] for name, each in found.items()} == {
        "local": "running",
        "A": "partly",
        "B": "stopped",
        unnamed: "running",
        broken: "broken",
    }
    assert found["A"]["profiles"] == ["A"]
    assert found["A"]["spus"] == {"running": 0, "total": 1}
    assert found["local"]["endpoint"] == home.endpoint
    assert found[unnamed]["profiles"] == []
    assert found["local"]["sizeBytes"] > 0
    table = home.run("cluster", "list").stdout.splitlines()
    assert table[0].split() == ["NAME", "STATE", "ADDRESS", "SPUS", "SIZE", "VERSION", "PROFILES", "DATA"]
    assert [line.split()[0] for line in table[1:]] == ["local", "A", "B", "-"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-a", "a-", "ä", "a b", "x" * 41, "local", "Local"])
def test_names_that_are_none_are_refused(throwaway_home: LocalCluster, name: str) -> None:
    refused = throwaway_home.run("cluster", "start", f"--name={name}", check=False)
    assert refused.returncode == 2
    assert not (throwaway_home.home / ".fluvio").exists()


def test_a_name_that_is_in_use_is_refused_and_nothing_is_left(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    home.run("cluster", "start", "--name", "A")
    for words in (("--name", "a"), ("--name", "A", "--data-dir", "else")):
        refused = home.run("cluster", "start", *words, check=False)
        assert refused.returncode == 1
        assert "a cluster cannot be called" in refused.stderr
    home.run("profile", "add", "far", "sc.example.com:9003")
    before = home.profile_path.read_bytes()
    refused = home.run("cluster", "start", "--name", "far", check=False)
    assert "the profile file has a profile of this name" in refused.stderr
    assert home.profile_path.read_bytes() == before
    assert list(listed(home)) == ["A"]
    assert not (home.home / "else").exists()
    again = home.run("cluster", "start", "--name", "A", check=False)
    assert "fluvio cluster shutdown --name A" in again.stderr


def test_a_profile_that_leads_elsewhere_outlives_its_cluster(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    home.run("cluster", "start", "--name", "A")
    home.run("profile", "add", "far", "sc.example.com:9003")
    text = home.profile_path.read_text()
    home.profile_path.write_text(text.replace('cluster = "A"', 'cluster = "far"'))
    told = home.run("cluster", "delete", "--force", "--name", "A").stderr
    assert "removed profile" not in told
    assert profiles(home)["A"] == "sc.example.com:9003"
    assert "[cluster.A]" not in home.profile_path.read_text()


def test_a_resume_leaves_a_profile_alone_that_leads_elsewhere(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    home.run("cluster", "start", "--name", "A")
    home.run("profile", "add", "far", "sc.example.com:9003")
    text = home.profile_path.read_text()
    home.profile_path.write_text(text.replace('cluster = "A"', 'cluster = "far"'))
    home.run("cluster", "shutdown", "--name", "A")
    before = home.profile_path.read_bytes()
    home.run("cluster", "resume", "--name", "A")
    assert home.profile_path.read_bytes() == before
    assert listed(home)["A"]["state"] == "running"


def test_delete_leaves_what_the_user_put_into_the_directories(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    home.run("cluster", "start", "--name", "A")
    root = home.home / ".fluvio" / "clusters" / "A"
    for place in (root, root / "data", root / "log"):
        (place / "notes.txt").write_text("mine")
    home.run("cluster", "delete", "--force", "--name", "A")
    left = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert left == ["data/notes.txt", "log/notes.txt", "notes.txt"]


def test_the_official_settings_file_knows_the_cluster_without_a_name_only(
    throwaway_home: LocalCluster,
) -> None:
    home = throwaway_home.start()
    before = (home.home / ".fluvio" / "local-config").read_bytes()
    home.run("cluster", "start", "--name", "A")
    home.run("cluster", "shutdown", "--name", "A")
    home.run("cluster", "resume", "--name", "A")
    home.run("cluster", "delete", "--force", "--name", "A")
    assert (home.home / ".fluvio" / "local-config").read_bytes() == before
    assert home.running() == ["SC", "SPU 5001"]


def test_a_protected_cluster_is_protected_by_its_name_too(throwaway_home: LocalCluster) -> None:
    home = throwaway_home.start()
    home.run("cluster", "start", "--name", "A")
    home.run("profile", "set", "A", "--protected")
    home.run("profile", "switch", "local")
    for words in (("shutdown", "--name", "A"), ("delete", "--force", "--name", "A")):
        refused = home.run("cluster", *words, check=False)
        assert "cluster `A` is protected" in refused.stderr
    assert listed(home)["A"]["state"] == "running"
    home.run("--yes-i-mean", "A", "cluster", "delete", "--name", "A")
    assert list(listed(home)) == ["local"]


class Silent:
    def headline(self, text: str) -> None: ...

    def checked(self, name: str, problem: str | None) -> None: ...

    def step(self, text: str) -> None: ...


def test_ports_that_others_take_before_the_servers_do_are_chosen_anew(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    fluvio_dir = home.home / ".fluvio"
    free = Endpoint(LOOPBACK, 0)
    settings = ClusterSettings(
        fluvio_dir / "clusters" / "A" / "data",
        fluvio_dir / "clusters" / "A" / "log",
        sc_public=free,
        sc_private=free,
        spu_port_base=0,
        name="A",
    )
    around = Surroundings(Places(fluvio_dir, home.profile_path), home.env, "test")
    chosen: list[int] = []
    with socket.socket() as stranger:

        def take_port(state: ClusterState, _: Signals) -> None:
            chosen.append(state.sc.plan.public.port)
            if len(chosen) == 1:
                stranger.bind((LOOPBACK, chosen[0]))
                stranger.listen()

        state = start(settings, around, Silent(), contents=Contents([5001], take_port))
    assert state is not None
    assert len(chosen) == 2
    assert listed(home)["A"]["endpoint"] == f"{LOOPBACK}:{chosen[1]}"
    assert len(list(Path(fluvio_dir, "local-clusters").iterdir())) == 1
    home.run("cluster", "health", "--name", "A")
