"""`cluster upgrade`: version and settings change, records stay; what cannot be done leaves all as it was."""

import json
import signal
import subprocess
from pathlib import Path

import pexpect
import psutil
import pytest

from fluvio_profiles.store import load_config
from tests.support.certificates import Authority, start_options
from tests.support.local_cluster import LocalCluster


def as_of_version(cluster: LocalCluster, version: str) -> None:
    """Let the state file say that this version has run the cluster."""
    path = cluster.data_dir / "cluster.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "platform_version": version}))


def test_a_cluster_of_an_older_version_is_stopped_noted_and_comes_back(fresh_cluster: LocalCluster) -> None:
    cluster = fresh_cluster
    cluster.run("topic", "create", "t")
    cluster.run("produce", "t", stdin="one\n")
    as_of_version(cluster, "0.17.3")
    done = cluster.run("cluster", "upgrade", "--force", CI="1")
    assert done.stderr.splitlines() == [
        "📝 Checking All Metadatas",
        "✅ Checked All Metadata",
        "Uninstalling fluvio local components",
        "Uninstalled fluvio local components",
        "🚀 Upgrading Local Fluvio cluster to 0.18.2",
        "🎉 Successfully upgraded Local Fluvio cluster to 0.18.2",
        "Run: fluvio cluster resume to start the cluster again",
    ]
    assert cluster.running() == []
    assert cluster.state.platform_version == "0.18.2"
    cluster.run("cluster", "resume")
    assert cluster.run("consume", "t", "-B", "-d").stdout == "one\n"


def test_settings_change_and_profiles_follow(fresh_cluster: LocalCluster, tmp_path: Path) -> None:
    cluster, authority = fresh_cluster, Authority(tmp_path / "certs")
    cluster.run("topic", "create", "t")
    cluster.run("produce", "t", stdin="one\n")
    cluster.run("profile", "rename", "local", "mine")
    before = cluster.endpoint
    tls = start_options(authority, authority.server(), authority.client())
    cluster.run(
        *("cluster", "upgrade", "--force", "--spu", "3", "--sc-pub-addr", "127.0.0.1:0", "--fsync", "always"),
        *("--log-dir", str(tmp_path / "logs"), *tls),
    )
    assert cluster.endpoint != before
    cluster.run("cluster", "resume")
    config = load_config(cluster.profile_path)
    assert config.clusters[config.profiles["mine"].cluster].endpoint == cluster.endpoint
    assert sorted(cluster.running()) == ["SC", "SPU 5001", "SPU 5002", "SPU 5003"]
    assert cluster.run("consume", "t", "-B", "-d").stdout == "one\n"
    cluster.run("topic", "create", "wide", "-p", "3")
    leaders = {
        row["spec"]["leader"] for row in json.loads(cluster.run("partition", "list", "-O", "json").stdout)
    }
    assert leaders == {5001, 5002, 5003}
    assert cluster.run("-c", cluster.endpoint, "topic", "list", check=False).returncode == 4
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == [
        "flv_sc.log",
        "spu_log_5001.log",
        "spu_log_5002.log",
        "spu_log_5003.log",
    ]


def test_metadata_that_cannot_be_read_are_named_and_the_cluster_runs_on(fresh_cluster: LocalCluster) -> None:
    cluster = fresh_cluster
    cluster.run("topic", "create", "t")
    damaged = cluster.data_dir / "metadata" / "Topic" / "t.yaml"
    whole = damaged.read_text()
    damaged.write_text("rubbish")
    done = cluster.run("cluster", "upgrade", "--force", check=False)
    assert done.returncode == 6
    assert f"{damaged}: there is no document with a format tag" in done.stderr
    assert sorted(cluster.running()) == ["SC", "SPU 5001"]
    assert damaged.exists()
    damaged.write_text(whole)
    cluster.run("cluster", "upgrade", "--setup")
    assert sorted(cluster.running()) == ["SC", "SPU 5001"]


def test_ctrl_c_while_metadata_are_read_leaves_the_cluster_running(fresh_cluster: LocalCluster) -> None:
    cluster = fresh_cluster
    large = cluster.data_dir / "metadata" / "Topic" / "large.yaml"
    large.write_text("".join(f"- key-{number}: value\n" for number in range(500_000)))  # seconds to read
    command = [str(cluster.executable), "cluster", "upgrade", "--force"]
    with subprocess.Popen(command, env=cluster.env, stderr=subprocess.PIPE, text=True) as running:
        upgrade = psutil.Process(running.pid)
        while not (checks := [child for child in upgrade.children() if "--check" in child.cmdline()]):
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "metadata cannot be read" not in said
    assert not any(child.is_running() for child in checks)
    assert sorted(cluster.running()) == ["SC", "SPU 5001"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--spu", "0"), 1, "the cluster has 1 SPUs, an upgrade takes none away"),
        (("--read-only", "topics.json"), 1, "not allowed to change installation type"),
        (("--tls", "--domain", "x"), 1, "Missing required args after --tls:--ca-cert"),
    ],
)
def test_what_cannot_be_done_stops_nothing(
    local_cluster: LocalCluster, options: tuple[str, ...], code: int, said: str
) -> None:
    done = local_cluster.run("cluster", "upgrade", "--force", *options, check=False)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert sorted(local_cluster.running()) == ["SC", "SPU 5001"]


def test_a_cluster_of_a_newer_version_is_refused(fresh_cluster: LocalCluster) -> None:
    as_of_version(fresh_cluster, "0.19.0-dev-1")
    done = fresh_cluster.run("cluster", "upgrade", "--force", check=False)
    assert done.returncode == 7
    assert "was run by version 0.19.0-dev-1, this program is 0.18.2" in done.stderr
    assert sorted(fresh_cluster.running()) == ["SC", "SPU 5001"]


def test_on_a_terminal_it_asks(fresh_cluster: LocalCluster) -> None:
    command = str(fresh_cluster.executable)
    environment = {**fresh_cluster.env, "TERM": "xterm"}
    asked = pexpect.spawn(command, ["cluster", "upgrade"], env=environment, encoding="utf-8", timeout=20)  # type: ignore[arg-type]
    asked.expect_exact("Upgrade Local Fluvio cluster to version 0.18.2? [y/n]")
    asked.sendline("n")
    asked.expect_exact("Upgrade cancelled")
    asked.expect(pexpect.EOF)
    asked.close()
    assert asked.exitstatus == 0
    assert sorted(fresh_cluster.running()) == ["SC", "SPU 5001"]
