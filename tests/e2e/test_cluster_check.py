"""`fluvio cluster check` as installed: clusters that run, were stopped or killed, and those of others."""

import os
import signal
import socket

from fluvio_local_cluster.lifecycle.processes import stop
from tests.support.local_cluster import LocalCluster

OFFICIAL = [
    "Running pre-startup checks...",
    "Note: This may require admin access to current Kubernetes context",
]
PASSED = "🎉 All checks passed!"


def test_a_running_cluster_passes_and_is_said_to_run(local_cluster: LocalCluster) -> None:
    done = local_cluster.run("cluster", "check")
    assert done.stdout.splitlines()[:2] == OFFICIAL
    pids = {label: process.pid for label, process in local_cluster.processes().items()}
    running = f"SC (pid {pids['SC']}), SPU 5001 (pid {pids['SPU 5001']})"
    assert done.stdout.splitlines()[2:] == [f"Local Fluvio cluster is running: {running}"]
    assert done.stderr.splitlines() == [PASSED]


def test_a_stopped_cluster_passes_unless_somebody_has_its_ports(fresh_cluster: LocalCluster) -> None:
    port = fresh_cluster.state.spus[0].plan.public.port
    fresh_cluster.run("cluster", "shutdown")
    done = fresh_cluster.run("cluster", "check", CI="1")
    assert done.stdout.splitlines() == OFFICIAL
    assert "    ✅ Ports are free" in done.stderr.splitlines()
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen(1)
        refused = fresh_cluster.run("cluster", "check", check=False)
    assert refused.returncode == 1
    assert f"port {port}, wanted by SPU 5001, is used by pid {os.getpid()}" in refused.stderr


def test_fix_clears_what_killed_servers_have_left(fresh_cluster: LocalCluster) -> None:
    for process in fresh_cluster.processes().values():
        os.kill(process.pid, signal.SIGKILL)
    stop(fresh_cluster.processes().values(), 10.0)
    done = fresh_cluster.run("cluster", "check", "--fix")
    assert sum(line.startswith("fixed: ") for line in done.stdout.splitlines()) == 2
    assert fresh_cluster.processes() == {}
    assert "fixed: " not in fresh_cluster.run("cluster", "check", "--fix").stdout
    fresh_cluster.run("cluster", "resume")


def test_clusters_of_others_are_refused(throwaway_home: LocalCluster) -> None:
    nothing = throwaway_home.run("cluster", "check", check=False)
    assert (nothing.returncode, nothing.stdout.splitlines()) == (3, OFFICIAL)
    throwaway_home.run("profile", "add", "cc", "sc.example.com:9003", "cloud")
    done = throwaway_home.run("cluster", "check", check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines() == OFFICIAL
    wanted = "'fluvio cluster check' is invalid with cloud cluster \"cc\", use 'fluvio cloud ...' commands\n"
    assert done.stderr == wanted
    throwaway_home.run("profile", "add", "far", "sc.example.com:9003", "docker")
    done = throwaway_home.run("cluster", "check", check=False)
    assert "Check is only implemented for local clusters" in done.stderr
