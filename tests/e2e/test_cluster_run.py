"""`cluster run --ephemeral`: a cluster for one command, its exit code and signals, and nothing left of it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pexpect
import psutil
import pytest

from tests.support.local_cluster import LocalCluster

DEADLINE_S = 30.0


def run(home: LocalCluster, place: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return home.run("cluster", "run", "--ephemeral", *words, check=False, TMPDIR=str(place), **variables)


def processes_in(place: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if any(word.startswith(str(place)) for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def ended(processes: Iterable[psutil.Process]) -> bool:
    """Whether all of them end in time."""
    return not psutil.wait_procs(list(processes), timeout=DEADLINE_S)[1]


def traces(place: Path) -> int:
    """How many files and processes there are."""
    return len(list(place.rglob("*"))) + len(processes_in(place))


def nothing_is_left(place: Path) -> bool:
    return not list(place.iterdir()) and not processes_in(place)


def started(home: LocalCluster, place: Path, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [str(home.executable), "cluster", "run", "--ephemeral", "--", *words],
        env={**home.env, "TMPDIR": str(place)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def test_the_command_finds_its_cluster_and_nothing_is_left(throwaway_home: LocalCluster, place: Path) -> None:
    script = """
        set -e
        echo one | fluvio produce orders
        fluvio consume orders -B -d
        fluvio partition list -O json
        test "$FLV_PROFILE_PATH" = "$FLUVIO_CLUSTER_DIR/config"
        fluvio -c $FLUVIO_ENDPOINT topic list -O json | grep -q orders
        grep -q tmp/fluvio-run $FLV_PROFILE_PATH || test -d $FLUVIO_CLUSTER_DIR/data
    """
    path = f"{throwaway_home.executable.parent}:{os.environ['PATH']}"
    done = run(
        throwaway_home, place, "--spu", "2", "--topic", "orders:3", "--", "sh", "-c", script, PATH=path
    )
    assert done.returncode == 0, done.stderr
    first, _, rest = done.stdout.partition("\n")
    assert first == "one"
    assert {row["spec"]["leader"] for row in json.loads(rest)} == {5001, 5002}
    assert nothing_is_left(place)
    assert not (throwaway_home.home / ".fluvio").exists()


def test_topics_of_a_file_are_there(throwaway_home: LocalCluster, place: Path, tmp_path: Path) -> None:
    file = tmp_path / "topics.yaml"
    file.write_text("version: 1\ntopics: {orders: {partition: {count: 3}}, clicks: {retention: {time: 2d}}}")
    fluvio = str(throwaway_home.executable)
    words = ("--topics", str(file), "--", fluvio, "topic", "list", "-O", "json")
    done = run(throwaway_home, place, *words)
    assert [topic["name"] for topic in json.loads(done.stdout)] == ["clicks", "orders"], done.stderr
    file.write_text("version: 1\ntopics: {orders: {partitoin: {count: 3}}}")
    done = run(throwaway_home, place, *words)
    assert done.returncode == 1
    assert "partitoin" in done.stderr
    file.write_text("version: 1\ntopics: {orders: {partition: {maps: [{id: 0, replicas: [7]}]}}}")
    assert run(throwaway_home, place, *words).returncode != 0
    assert nothing_is_left(place)


def test_the_users_own_profiles_are_neither_used_nor_changed(
    fresh_cluster: LocalCluster, tmp_path: Path
) -> None:
    before = fresh_cluster.profile_path.read_text()
    fluvio = str(fresh_cluster.executable)
    (fresh_cluster.home / ".fluvio-profile").write_text("local\n")
    done = run(
        fresh_cluster, tmp_path, "--topic", "inside", "--", fluvio, "topic", "list", FLUVIO_PROFILE="local"
    )
    assert "inside" in done.stdout
    assert "inside" not in fresh_cluster.run("topic", "list").stdout
    assert fresh_cluster.profile_path.read_text() == before


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_the_exit_code_is_the_commands(throwaway_home: LocalCluster, place: Path, code: int) -> None:
    done = run(throwaway_home, place, "--", "sh", "-c", f"echo out; echo err >&2; exit {code}")
    assert (done.returncode, done.stdout, done.stderr) == (code, "out\n", "err\n")
    assert nothing_is_left(place)


def test_a_command_that_dies_by_a_signal_is_seen_to(throwaway_home: LocalCluster, place: Path) -> None:
    done = run(throwaway_home, place, "--", "sh", "-c", "kill -SEGV $$")
    assert done.returncode == -signal.SIGSEGV
    assert nothing_is_left(place)


def test_a_program_that_is_not_there_is_told_as_shells_do(throwaway_home: LocalCluster, place: Path) -> None:
    done = run(throwaway_home, place, "--", "no-such-program")
    assert done.returncode == 127
    assert "`no-such-program` cannot be run" in done.stderr
    done = run(throwaway_home, place, "--", str(place))
    assert done.returncode == 126
    assert nothing_is_left(place)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(throwaway_home: LocalCluster, place: Path, number: signal.Signals) -> None:
    script = f"trap 'kill $!; echo got; exit 9' {number.name[3:]}; sleep 600 & echo ready; wait $!"
    with started(throwaway_home, place, "bash", "-c", script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == b"got\n"
        assert process.wait(DEADLINE_S) == 9
    assert nothing_is_left(place)


def test_ctrl_c_reaches_the_command_once(throwaway_home: LocalCluster, place: Path) -> None:
    # What was sent on before USR1 comes before it: it is passed on by the same process, in order.
    code = (
        "import os, signal, sys\n"
        "count = 0\n"
        "def got(*_):\n"
        "    global count\n"
        "    count += 1\n"
        "signal.signal(signal.SIGINT, got)\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})\n"
        "os.kill(os.getppid(), signal.SIGUSR1)\n"
        "signal.sigwait({signal.SIGUSR1})\n"
        "print('interrupts:', count, flush=True)\n"
        "sys.exit(4)\n"
    )
    terminal = pexpect.spawn(
        str(throwaway_home.executable),
        ["cluster", "run", "--ephemeral", "--", sys.executable, "-c", code],
        env={**throwaway_home.env, "TMPDIR": str(place), "TERM": "xterm"},  # type: ignore[arg-type]
        encoding="utf-8",
        timeout=DEADLINE_S,
        echo=False,
    )
    terminal.expect_exact("ready")
    terminal.sendintr()
    terminal.sendline("")
    terminal.expect_exact("interrupts: 1")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 4
    assert nothing_is_left(place)


def test_nothing_is_left_when_it_is_killed_while_the_command_runs(
    throwaway_home: LocalCluster, place: Path
) -> None:
    with started(throwaway_home, place, "sh", "-c", "echo $$; exec sleep 600") as process:
        assert process.stdout is not None
        command = psutil.Process(int(process.stdout.readline()))
        guardian_and_servers = psutil.Process(process.pid).children()
        process.kill()
        process.wait(DEADLINE_S)
        assert ended([command, *guardian_and_servers])
        assert nothing_is_left(place)


@pytest.mark.parametrize("entries", [1, 2, 3, 4, 5, 6])
def test_nothing_is_left_when_it_is_killed_amid_the_start(
    throwaway_home: LocalCluster, place: Path, entries: int
) -> None:
    """Killed as soon as so many files and processes are there."""
    with started(throwaway_home, place, "sleep", "600") as process:
        while traces(place) < 2 * entries:
            assert process.poll() is None
        # Asked for before: a process that becomes another program has no command line for a moment.
        guardian_and_servers = psutil.Process(process.pid).children()
        process.kill()
        process.wait(DEADLINE_S)
        assert ended([*guardian_and_servers, *processes_in(place)])
        assert nothing_is_left(place)


def test_a_failure_keeps_what_it_is_told_to_keep(throwaway_home: LocalCluster, place: Path) -> None:
    fluvio = throwaway_home.executable
    words = ("--keep-on-failure", "--topic", "t", "--")
    done = run(throwaway_home, place, *words, "sh", "-c", f"echo kept | {fluvio} produce t; exit 5")
    assert done.returncode == 5
    (directory,) = place.iterdir()
    assert f"kept in {directory}" in done.stderr
    assert "controller ready" in (directory / "log" / "flv_sc.log").read_text()
    data_dir = str(directory / "data")
    throwaway_home.run("cluster", "resume", "--data-dir", data_dir)
    assert throwaway_home.run("consume", "t", "-B", "-d").stdout == "kept\n"
    throwaway_home.run("cluster", "delete", "--force", "--data-dir", data_dir)
    assert run(throwaway_home, directory, "--keep-on-failure", "--", "true").returncode == 0
    assert list(directory.glob("fluvio-run-*")) == []


def test_ten_at_once_do_not_meet(throwaway_home: LocalCluster, place: Path) -> None:
    fluvio = throwaway_home.executable
    script = f"{fluvio} topic create t && echo $0 | {fluvio} produce t && {fluvio} consume t -B -d"
    running = [started(throwaway_home, place, "sh", "-c", script, f"number-{n}") for n in range(10)]
    for number, process in enumerate(running):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out.decode().splitlines()[-1] == f"number-{number}"
    assert nothing_is_left(place)
