"""Clusters of real processes whose life does not go as planned."""

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from fluvio_local_cluster.lifecycle import processes
from fluvio_local_cluster.lifecycle.lock import data_directory_lock
from fluvio_local_cluster.lifecycle.processes import ProcessIdentity
from fluvio_local_cluster.lifecycle.state import Phase, save_state
from tests.support.leftovers import processes_at_home
from tests.support.local_cluster import FREE_PORTS, LocalCluster

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def assert_nothing_is_left(home: LocalCluster) -> None:
    """No process, no data, no record, no profile: a start that did not succeed."""
    assert processes_at_home(home.home, grace_s=0) == []
    assert not home.data_dir.exists()
    assert not home.profile_path.exists()
    assert not (home.home / ".fluvio" / "local-config").exists()
    records = home.home / ".fluvio" / "local-clusters"
    assert not records.exists() or os.listdir(records) == []


def begin_start(home: LocalCluster, *options: str, **variables: str) -> subprocess.Popen[str]:
    """`cluster start` whose progress can be read while it runs."""
    return subprocess.Popen(
        [home.executable, "cluster", "start", *FREE_PORTS, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home.home,
        env={**home.env, "CI": "1", **variables},
        preexec_fn=_heed_interrupts,
    )


def _heed_interrupts() -> None:
    """Tests that run in the background of a shell inherit that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def held(home: LocalCluster, module: str) -> dict[str, str]:
    """Variables for a start whose servers of this module stop themselves before they do anything."""
    directory = home.home / "held"
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(
        f"import os, signal, sys\nif {module!r} in sys.orig_argv:\n    os.kill(os.getpid(), signal.SIGSTOP)\n"
    )
    return {"PYTHONPATH": str(directory)}


def read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"`{words}` was not told")


# --- servers that end -----------------------------------------------------------------------------------


def test_an_spu_that_was_killed_is_seen_offline_and_comes_back_with_resume(
    fresh_cluster: LocalCluster,
) -> None:
    before = fresh_cluster.processes()
    os.kill(before["SPU 5001"].pid, signal.SIGKILL)
    asked = fresh_cluster.run("cluster", "status", check=False, CI="1")
    assert asked.returncode == 6
    assert "    ❌ No SPUs are online" in asked.stderr.splitlines()
    fresh_cluster.run("cluster", "resume")
    after = fresh_cluster.processes()
    assert after["SC"] == before["SC"]
    assert after["SPU 5001"] != before["SPU 5001"]
    fresh_cluster.run("cluster", "status")


def test_a_controller_that_was_killed_comes_back_under_its_running_spu(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("topic", "create", "kept")
    before = fresh_cluster.processes()
    os.kill(before["SC"].pid, signal.SIGKILL)
    fresh_cluster.run("cluster", "resume")
    assert fresh_cluster.processes()["SPU 5001"] == before["SPU 5001"]
    assert fresh_cluster.running() == ["SC", "SPU 5001"]
    assert '"kept"' in fresh_cluster.run("topic", "list", "-O", "json").stdout


def test_resume_of_a_running_cluster_changes_nothing(fresh_cluster: LocalCluster) -> None:
    before = fresh_cluster.processes()
    told = fresh_cluster.run("cluster", "resume").stderr
    assert told == "Local Fluvio cluster is already running\n"
    assert fresh_cluster.processes() == before


def test_a_cluster_whose_processes_are_gone_is_resumed_not_started_anew(fresh_cluster: LocalCluster) -> None:
    processes.stop(fresh_cluster.processes().values(), 5.0)
    refused = fresh_cluster.run("cluster", "start", *FREE_PORTS, check=False)
    assert refused.returncode == 1
    assert "is not running any more" in refused.stderr
    fresh_cluster.run("cluster", "resume")
    assert fresh_cluster.running() == ["SC", "SPU 5001"]


def test_a_resume_that_fails_says_so_and_keeps_the_data(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("topic", "create", "kept")
    fresh_cluster.run("cluster", "shutdown")
    refused = fresh_cluster.run("cluster", "resume", check=False, FLV_TOPIC_WAIT="soon")
    assert refused.returncode == 1
    assert "FLV_TOPIC_WAIT is `soon`" in refused.stderr
    assert fresh_cluster.running() == []
    assert fresh_cluster.state.phase is Phase.STOPPED
    fresh_cluster.run("cluster", "resume")
    assert '"kept"' in fresh_cluster.run("topic", "list", "-O", "json").stdout


def test_a_start_that_was_killed_is_no_obstacle_to_the_next(throwaway_home: LocalCluster) -> None:
    process = begin_start(throwaway_home, **held(throwaway_home, "fluvio_local_cluster.spu"))
    read_until(process, "✅ SC Launched")
    process.kill()
    process.communicate()
    assert throwaway_home.state.phase is Phase.STARTING
    refused = throwaway_home.run("cluster", "start", *FREE_PORTS, check=False)
    assert refused.returncode == 1
    assert "still running" in refused.stderr  # its servers are: they are never taken for somebody else's
    processes.stop(throwaway_home.processes().values(), 5.0)
    throwaway_home.start()
    assert throwaway_home.running() == ["SC", "SPU 5001"]


# --- strangers ------------------------------------------------------------------------------------------


def test_a_process_that_got_a_recorded_pid_is_left_alone(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("cluster", "shutdown")
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as stranger:
        identity = processes.identify(stranger.pid)
        assert identity is not None
        state = fresh_cluster.state
        state.phase = Phase.RUNNING
        state.servers[0].process = ProcessIdentity(identity.pid, identity.start_time - 1, identity.boot_id)
        state.servers[1].process = ProcessIdentity(identity.pid, identity.start_time, "before the reboot")
        save_state(state)
        fresh_cluster.run("cluster", "shutdown")
        assert stranger.poll() is None
        fresh_cluster.run("cluster", "delete", "--force")
        assert stranger.poll() is None
        stranger.kill()


def test_a_port_in_use_is_told_with_its_owner_and_leaves_nothing(throwaway_home: LocalCluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        refused = throwaway_home.run(
            "cluster", "start", *FREE_PORTS[2:], "--sc-pub-addr", f"127.0.0.1:{port}", check=False
        )
    assert refused.returncode == 1
    assert f"port {port}, wanted by SC, is used by pid {os.getpid()} (" in refused.stderr
    assert "`--sc-pub-addr`" in refused.stderr
    assert_nothing_is_left(throwaway_home)


def test_a_port_of_another_local_cluster_is_told_as_such(
    fresh_cluster: LocalCluster, throwaway_home: LocalCluster
) -> None:
    assert throwaway_home.home != fresh_cluster.home
    refused = throwaway_home.run(
        "cluster", "start", *FREE_PORTS[2:], "--sc-pub-addr", fresh_cluster.endpoint, check=False
    )
    pid = fresh_cluster.processes()["SC"].pid
    assert f"the SC (pid {pid}) of the local cluster in {fresh_cluster.data_dir}" in refused.stderr


def test_a_directory_of_something_else_is_not_taken(throwaway_home: LocalCluster) -> None:
    throwaway_home.data_dir.mkdir(parents=True)
    (throwaway_home.data_dir / "metadata").mkdir()
    (throwaway_home.data_dir / "precious").write_text("x")
    refused = throwaway_home.run("cluster", "start", *FREE_PORTS, "--skip-checks", check=False)
    assert refused.returncode == 1
    assert "holds files that are not of a cluster started here: metadata, precious" in refused.stderr
    refused = throwaway_home.run(
        "cluster", "delete", "--force", "--data-dir", str(throwaway_home.data_dir), check=False
    )
    assert refused.returncode == 1
    assert "nothing was deleted" in refused.stderr
    assert sorted(os.listdir(throwaway_home.data_dir)) == ["metadata", "precious"]


def test_delete_leaves_files_that_no_server_wrote(fresh_cluster: LocalCluster) -> None:
    (fresh_cluster.data_dir / "notes.txt").write_text("mine")
    done = fresh_cluster.run("cluster", "delete", "--force")
    assert "notes.txt" in done.stderr
    assert os.listdir(fresh_cluster.data_dir) == ["notes.txt"]


def test_a_directory_that_cannot_be_made_is_told(throwaway_home: LocalCluster) -> None:
    (throwaway_home.home / "file").write_text("")
    refused = throwaway_home.run("cluster", "start", *FREE_PORTS, "--data-dir", "file/data", check=False)
    assert refused.returncode == 1
    assert f"{throwaway_home.home}/file/data cannot be used: Not a directory" in refused.stderr
    refused = throwaway_home.run("cluster", "start", *FREE_PORTS, "--log-dir", "file/log", check=False)
    assert refused.returncode == 1
    assert f"{throwaway_home.home}/file is not a directory" in refused.stderr
    assert_nothing_is_left(throwaway_home)


# --- two at once ----------------------------------------------------------------------------------------


def test_of_two_starts_at_once_one_wins_and_the_other_says_so(throwaway_home: LocalCluster) -> None:
    rivals = [begin_start(throwaway_home), begin_start(throwaway_home)]
    told = [process.communicate(timeout=60)[1] for process in rivals]
    codes = [process.returncode for process in rivals]
    assert sorted(codes) == [0, 1]
    winner, loser = codes.index(0), codes.index(1)
    named = f"another command (pid {rivals[winner].pid})"
    unnamed = "another command"  # the winner has the lock, and has not written its pid yet
    busy = (f"{who} is at work on the cluster" in told[loser] for who in (named, unnamed))
    assert any(busy) or "still running" in told[loser], told[loser]
    assert throwaway_home.running() == ["SC", "SPU 5001"]


def test_whoever_finds_the_lock_taken_names_its_holder(throwaway_home: LocalCluster) -> None:
    throwaway_home.data_dir.mkdir(parents=True)
    with data_directory_lock(throwaway_home.data_dir):
        refused = throwaway_home.run("cluster", "start", *FREE_PORTS, check=False)
    assert refused.returncode == 1
    assert f"another command (pid {os.getpid()}) is at work on" in refused.stderr


# --- starts that fail -----------------------------------------------------------------------------------


def test_a_controller_that_ends_at_once_shows_its_output_and_leaves_nothing(
    throwaway_home: LocalCluster,
) -> None:
    failed = throwaway_home.run("cluster", "start", *FREE_PORTS, check=False, FLV_TOPIC_WAIT="soon")
    assert failed.returncode == 1
    assert "SC ended with exit code 2 before it was ready" in failed.stderr
    assert "FLV_TOPIC_WAIT is `soon`, which is no positive number of seconds" in failed.stderr
    assert str(throwaway_home.log_dir / "flv_sc.log") in failed.stderr
    assert_nothing_is_left(throwaway_home)


def test_an_spu_that_cannot_listen_ends_the_start_and_the_controller(throwaway_home: LocalCluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = str(listener.getsockname()[1])
        failed = throwaway_home.run(
            "cluster", "start", *FREE_PORTS[:4], "--spu-port-base", base, "--skip-checks", check=False
        )
    assert failed.returncode == 1
    assert "SPU 5001 ended with exit code 1 before it was ready" in failed.stderr
    assert "its last output:" in failed.stderr
    assert_nothing_is_left(throwaway_home)


def test_a_cluster_that_does_not_get_ready_in_time_is_ended(throwaway_home: LocalCluster) -> None:
    """The SC is stopped before it loads; it then does not see SIGTERM either."""
    holding = held(throwaway_home, "fluvio_local_cluster.sc")
    process = begin_start(throwaway_home, **holding, FLV_CLUSTER_PROVISION_TIMEOUT="1")
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 1, told
    assert "SC was not ready within 1 s" in told
    assert_nothing_is_left(throwaway_home)


# --- interruptions --------------------------------------------------------------------------------------

POINTS = (
    "Running pre-flight checks",
    "Checking Ports",
    "Local Cluster initialized",
    "Starting SC server",
    "Starting SPU: (1/2)",
    "Starting SPU: (2/2)",
    "Trying to connect to SC",
    "SC Launched",
    "Waiting for SPUs",
)


@pytest.mark.parametrize("point", POINTS)
def test_ctrl_c_during_a_start_leaves_nothing(throwaway_home: LocalCluster, point: str) -> None:
    process = begin_start(throwaway_home, "--spu", "2")
    read_until(process, point)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    if process.returncode == 0:  # it came when all was done
        assert "Successfully installed" in told
        assert throwaway_home.running() == ["SC", "SPU 5001", "SPU 5002"]
        return
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert_nothing_is_left(throwaway_home)


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGTERM, -15), (signal.SIGHUP, -1), (signal.SIGINT, 130)]
)
def test_a_start_that_waits_for_a_server_is_ended_by_a_signal(
    throwaway_home: LocalCluster, signum: int, code: int
) -> None:
    """The SC is stopped before it loads: the start is sure to be waiting for it, or about to."""
    process = begin_start(throwaway_home, **held(throwaway_home, "fluvio_local_cluster.sc"))
    read_until(process, "Starting SPU: (1/1)")
    process.send_signal(signum)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == code, told
    assert "Traceback" not in told
    assert_nothing_is_left(throwaway_home)


# --- what servers inherit -------------------------------------------------------------------------------


def test_servers_have_their_own_session_and_inherit_only_the_standard_descriptors(
    throwaway_home: LocalCluster, tmp_path: Path
) -> None:
    with (tmp_path / "inherited").open("w") as file:
        done = subprocess.run(
            [throwaway_home.executable, "cluster", "start", *FREE_PORTS],
            capture_output=True,
            env=throwaway_home.env,
            cwd=tmp_path,
            pass_fds=(file.fileno(),),
            check=False,
        )
    assert done.returncode == 0, done.stderr
    for label, log in (("SC", "flv_sc.log"), ("SPU 5001", "spu_log_5001.log")):
        pid = throwaway_home.processes()[label].pid
        opened = {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        path = str(throwaway_home.log_dir / log)
        assert (opened.pop(0), opened.pop(1), opened.pop(2)) == ("/dev/null", path, path)
        own = str(throwaway_home.data_dir)
        known = ("socket:", "anon_inode:", own, "/dev/null")  # the last: a descriptor that is kept in reserve
        strange = {name for name in opened.values() if not name.startswith(known)}
        assert strange == set()
        assert os.getsid(pid) == pid
        assert os.readlink(f"/proc/{pid}/cwd") == own


def test_modules_in_the_working_directory_are_not_run_by_servers(throwaway_home: LocalCluster) -> None:
    for name in ("asyncio.py", "logging.py", "fluvio_local_cluster.py"):
        (throwaway_home.home / name).write_text("raise SystemExit('a stranger ran')\n")
    throwaway_home.start()
    assert throwaway_home.running() == ["SC", "SPU 5001"]


def test_the_state_tells_pid_start_time_boot_and_ports(fresh_cluster: LocalCluster) -> None:
    document = json.loads((fresh_cluster.data_dir / "cluster.json").read_text())
    assert (document["format"], document["phase"]) == (1, "running")
    assert uuid.UUID(document["cluster_id"]).version == 4
    for server in document["servers"]:
        assert set(server["process"]) == {"pid", "start_time", "boot_id"}
        with socket.create_connection((server["public"]["host"], server["public"]["port"]), timeout=5):
            pass
        assert server["private"]["host"] == "127.0.0.1"
