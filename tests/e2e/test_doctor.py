"""`fluvio doctor` as installed: real failures are made, found, and repaired where that is without risk."""

import json
import os
import signal
import socket
import subprocess
import time
from typing import Any

import pytest

from fluvio_local_cluster.lifecycle.processes import stop
from tests.support.local_cluster import LocalCluster


def problems(cluster: LocalCluster, *options: str) -> dict[str, list[dict[str, Any]]]:
    done = cluster.run("doctor", "-O", "json", *options, check=False)
    shown = json.loads(done.stdout)
    found = {check["name"]: check["problems"] for check in shown["checks"] if check["problems"]}
    assert shown["healthy"] is not bool(found)
    assert done.returncode == (6 if found else 0)
    return found


def test_a_running_cluster_is_well_and_so_is_one_that_was_shut_down_but_for_its_address(
    fresh_cluster: LocalCluster,
) -> None:
    assert problems(fresh_cluster) == {}
    assert "❌" not in fresh_cluster.run("doctor").stdout
    fresh_cluster.run("cluster", "shutdown")
    (problem,) = problems(fresh_cluster)["controller"]
    assert "cluster resume" in problem["remedy"]
    assert list(problems(fresh_cluster)) == ["controller"]


def test_killed_servers_are_found_and_their_traces_cleared_so_that_the_cluster_resumes(
    fresh_cluster: LocalCluster,
) -> None:
    for process in fresh_cluster.processes().values():
        os.kill(process.pid, signal.SIGKILL)
    stop(fresh_cluster.processes().values(), 10.0)
    found = problems(fresh_cluster)
    assert {"controller", "state-file", "leftovers"} == set(found)
    assert found["state-file"][0]["fixable"]
    done = fresh_cluster.run("doctor", "--fix", check=False)
    assert done.returncode == 6
    fixed = [line for line in done.stdout.splitlines() if line.startswith("fixed: ")]
    assert len(fixed) == 2
    assert list(problems(fresh_cluster)) == ["controller"]
    fresh_cluster.run("cluster", "resume")
    assert problems(fresh_cluster) == {}


def test_a_port_that_a_stranger_took_is_found_with_its_owner(fresh_cluster: LocalCluster) -> None:
    port = fresh_cluster.state.spus[0].plan.public.port
    fresh_cluster.run("cluster", "shutdown")
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen(1)
        (problem,) = problems(fresh_cluster)["ports"]
    assert f"port {port} is used by pid {os.getpid()}" in problem["evidence"]


def test_files_that_are_wrong_are_found(fresh_cluster: LocalCluster) -> None:
    in_a_day = time.time() + 86_400
    os.utime(fresh_cluster.data_dir / "cluster.json", (in_a_day, in_a_day))
    plugins = fresh_cluster.home / ".fluvio" / "extensions"
    plugins.mkdir()
    (plugins / "fluvio-odd").write_text("#!/bin/sh\n")
    lost = fresh_cluster.home / ".fluvio" / "local-clusters" / "lost.json"
    lost.write_text('{"endpoint": "127.0.0.1:1", "data_dir": "/no/such/place"}')
    assert set(problems(fresh_cluster)) == {"clock", "plugins", "state-file"}
    assert set(problems(fresh_cluster, "--fix")) == {"clock", "plugins"}
    assert not lost.exists()


def test_servers_that_are_older_than_the_program_are_found(fresh_cluster: LocalCluster) -> None:
    path = fresh_cluster.data_dir / "cluster.json"
    path.write_text(path.read_text().replace('"platform_version": "0.18.2"', '"platform_version": "0.17.0"'))
    assert list(problems(fresh_cluster)) == ["versions"]


def test_a_broken_profile_file_and_a_place_that_is_no_directory_are_found(
    throwaway_home: LocalCluster,
) -> None:
    directory = throwaway_home.home / ".fluvio"
    directory.mkdir()
    (directory / "log").write_text("")
    throwaway_home.profile_path.write_text("version = ")
    found = problems(throwaway_home)
    assert "not a directory" in found["directories"][0]["evidence"]
    assert "at line 1" in found["profile"][0]["evidence"]


def test_a_low_limit_of_files_is_found(throwaway_home: LocalCluster) -> None:
    command = 'ulimit -n 300; exec "$0" doctor'
    done = subprocess.run(
        ["sh", "-c", command, throwaway_home.executable],
        env=throwaway_home.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 6
    assert "`ulimit -Hn` is 300" in done.stdout


def doctor_in_a_namespace(home: LocalCluster, mounts: str) -> list[dict[str, Any]] | None:
    """What is found where `mounts` (a shell script) has changed the file systems; None: nobody may mount."""
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    done = subprocess.run(
        [*inside, f'{mounts} || exit 77; exec "$@"', "sh", str(home.executable), "doctor", "-O", "json"],
        env=home.env,
        cwd=home.home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode in (1, 77):
        return None
    found: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
    return [check for check in found if check["problems"]]


MAY_NOT_MOUNT = "this system lets no one mount: tests/unit/cli/test_doctor.py has the same with given facts"


def test_a_full_disk_is_found(throwaway_home: LocalCluster) -> None:
    (throwaway_home.home / ".fluvio").mkdir()
    found = doctor_in_a_namespace(throwaway_home, "mount -t tmpfs -o size=8m tmpfs .fluvio")
    if found is None:
        pytest.skip(MAY_NOT_MOUNT)
    (problem,) = next(check["problems"] for check in found if check["name"] == "disk-space")
    assert "8 MiB are free at" in problem["evidence"]
    assert "free some space" in problem["remedy"]


def test_a_localhost_that_leads_elsewhere_is_found(throwaway_home: LocalCluster) -> None:
    (throwaway_home.home / "hosts").write_text("10.9.8.7 localhost\n")
    found = doctor_in_a_namespace(throwaway_home, "mount --bind hosts /etc/hosts")
    if found is None:
        pytest.skip(MAY_NOT_MOUNT)
    (problem,) = next(check["problems"] for check in found if check["name"] == "loopback")
    assert "10.9.8.7" in problem["evidence"]
    assert "/etc/hosts" in problem["remedy"]
