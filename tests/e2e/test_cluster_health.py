"""`fluvio cluster health` as installed, against clusters that work, hang, die and come back."""

import json
import os
import signal
import subprocess

from fluvio_client.blocking import BlockingAdmin
from tests.support.local_cluster import LocalCluster

TOPIC_S = 20.0


def health_topics(cluster: LocalCluster) -> list[str]:
    with BlockingAdmin.connect(cluster.endpoint) as admin:
        return [t.name for t in admin.list_topics(system=True) if t.name.startswith("fluvio-health-")]


def test_a_working_cluster_is_healthy_and_nothing_is_left_of_the_check(local_cluster: LocalCluster) -> None:
    done = local_cluster.run("cluster", "health")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["SERVER", "SC", "SPU", "cluster"]
    assert lines[-1] == "cluster is healthy"
    assert health_topics(local_cluster) == []
    waited = local_cluster.run("cluster", "health", "--wait", "-O", "yaml")
    assert "healthy: true" in waited.stdout


def test_an_spu_that_hangs_makes_a_cluster_unhealthy(throwaway_home: LocalCluster) -> None:
    cluster = throwaway_home.start("--spu", "2")
    hung = cluster.processes()["SPU 5002"].pid
    os.kill(hung, signal.SIGSTOP)
    try:
        done = cluster.run("cluster", "health", "--timeout", "3", "-O", "json", check=False)
    finally:
        os.kill(hung, signal.SIGCONT)
    assert done.returncode == 6
    error = json.loads(done.stderr)["error"]
    assert (error["code"], error["kind"]) == ("unhealthy", "unhealthy")
    assert error["message"].startswith("cluster is not healthy: SPU 5002: connect: no answer within")
    shown = json.loads(done.stdout)
    fine, bad = shown["spus"]
    assert (shown["healthy"], fine["error"], fine["consumeMs"] is not None) == (False, None, True)
    assert bad["connectMs"] is None
    assert health_topics(cluster) == []


def test_a_stopped_cluster_cannot_be_reached_and_waiting_for_it_runs_out(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("cluster", "shutdown")
    done = fresh_cluster.run("cluster", "health", check=False)
    assert done.returncode == 4
    assert "Connection refused (os error 111)" in done.stderr
    done = fresh_cluster.run("cluster", "health", "--wait", "--timeout", "1", check=False)
    assert done.returncode == 5
    assert "not healthy within 1 s: " in done.stderr


def test_waiting_ends_when_the_cluster_has_come_back(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("cluster", "shutdown")
    waiting = subprocess.Popen(
        [fresh_cluster.executable, "cluster", "health", "--wait"],
        env={**fresh_cluster.env, "CI": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None
    assert "not healthy yet" in waiting.stderr.readline()
    fresh_cluster.run("cluster", "resume")
    out, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    assert "cluster is healthy" in out


def test_ctrl_c_removes_the_topic_of_a_check_that_hangs(throwaway_home: LocalCluster) -> None:
    cluster = throwaway_home.start("--spu", "2")
    hung = cluster.processes()["SPU 5002"].pid
    os.kill(hung, signal.SIGSTOP)
    try:
        with BlockingAdmin.connect(cluster.endpoint) as admin:
            checking = subprocess.Popen(
                [cluster.executable, "cluster", "health", "--timeout", "60"],
                env=cluster.env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            names: set[str] = set()
            for update in admin.watch("Topic", timeout_s=TOPIC_S):
                names |= {change.content.name for change in update.changes}
                if any(name.startswith("fluvio-health-") for name in names):
                    break
            assert names, "the check has made no topic"
            checking.send_signal(signal.SIGINT)
            checking.communicate(timeout=30)
        assert checking.returncode == 130
        assert health_topics(cluster) == []
    finally:
        os.kill(hung, signal.SIGCONT)
