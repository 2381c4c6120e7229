"""State file, records, lock, server output and process identity on a real disk and real processes."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle import lock, output, places, ports, preflight, processes, removal
from fluvio_local_cluster.lifecycle.errors import ClusterBusyError, NoLocalClusterError, StateBrokenError
from fluvio_local_cluster.lifecycle.processes import ProcessIdentity
from fluvio_local_cluster.lifecycle.settings import ClusterSettings, plan
from fluvio_local_cluster.lifecycle.signals import InterruptedOperation, Signals
from fluvio_local_cluster.lifecycle.state import (
    ClusterState,
    Phase,
    ServerRecord,
    load_state,
    save_state,
    state_path,
)


def make_state(data_dir: Path, cluster_id: str = "c-1") -> ClusterState:
    data_dir.mkdir(parents=True, exist_ok=True)
    settings = ClusterSettings(data_dir, data_dir.parent / "log", spu_count=2)
    servers = [ServerRecord(server) for server in plan(settings, lambda host: 0)]
    servers[0].process = ProcessIdentity(12, 345, "boot")
    return ClusterState(cluster_id, "0.18.2", "2026-01-01T00:00:00+00:00", settings, servers, Phase.RUNNING)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as process:
        yield process
        process.kill()


# --- state and records ----------------------------------------------------------------------------------


def test_a_state_reads_back_as_written(tmp_path: Path) -> None:
    state = make_state(tmp_path / "data")
    save_state(state)
    assert load_state(tmp_path / "data") == state
    assert stat.S_IMODE(state_path(tmp_path / "data").stat().st_mode) == 0o600
    assert os.listdir(tmp_path / "data") == ["cluster.json"]


def test_a_state_reads_back_with_the_places_of_metrics(tmp_path: Path) -> None:
    state = make_state(tmp_path / "data")
    state.settings = replace(state.settings, metrics=Endpoint("127.0.0.1", 9500))
    state.servers = [ServerRecord(server) for server in plan(state.settings, lambda host: 0)]
    save_state(state)
    assert load_state(tmp_path / "data") == state
    assert state.spus[1].plan.metrics == Endpoint("127.0.0.1", 9502)


def test_a_state_of_before_there_were_metrics_is_read(tmp_path: Path) -> None:
    state = make_state(tmp_path / "data")
    save_state(state)
    path = state_path(tmp_path / "data")
    document = json.loads(path.read_text())
    del document["settings"]["metrics"]
    for server in document["servers"]:
        del server["metrics"]
    path.write_text(json.dumps(document))
    assert load_state(tmp_path / "data") == state


def test_a_moved_directory_is_a_moved_cluster(tmp_path: Path) -> None:
    save_state(make_state(tmp_path / "data"))
    (tmp_path / "data").rename(tmp_path / "moved")
    moved = load_state(tmp_path / "moved")
    assert moved is not None
    assert moved.settings.data_dir == tmp_path / "moved"


def test_a_damaged_state_is_named_and_left_alone(tmp_path: Path) -> None:
    save_state(make_state(tmp_path / "data"))
    path = state_path(tmp_path / "data")
    whole = path.read_text()
    document = json.loads(whole)
    damaged = [whole[:cut] for cut in range(0, len(whole) - 2, 97)]
    damaged += [json.dumps({**document, key: None}) for key in ("settings", "servers", "phase")]
    damaged += [json.dumps({**document, "servers": document["servers"][1:]})]
    damaged += [json.dumps({**document, "servers": []}), "[]", "null"]
    for text in damaged:
        path.write_text(text)
        with pytest.raises(StateBrokenError, match=r"cluster\.json"):
            load_state(tmp_path / "data")
        assert path.read_text() == text


def test_a_state_of_a_later_format_is_refused(tmp_path: Path) -> None:
    save_state(make_state(tmp_path / "data"))
    path = state_path(tmp_path / "data")
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))
    with pytest.raises(StateBrokenError, match="format 2 is not known"):
        load_state(tmp_path / "data")


def test_an_address_leads_to_the_cluster_started_there_last(tmp_path: Path) -> None:
    where = places.Places(tmp_path / ".fluvio", tmp_path / "config")
    older, newer = make_state(tmp_path / "a", "id-a"), make_state(tmp_path / "b", "id-b")
    for age_s, state in ((50, older), (10, newer)):
        save_state(state)
        places.remember(where, state)
        record = where.records / f"{state.cluster_id}.json"
        os.utime(record, (1_700_000_000 - age_s, 1_700_000_000 - age_s))
    assert places.find_state(where, "127.0.0.1:9003").cluster_id == "id-b"
    state_path(tmp_path / "b").unlink()
    assert places.find_state(where, "127.0.0.1:9003").cluster_id == "id-a"
    places.forget(where, older)
    with pytest.raises(NoLocalClusterError, match=r"at 127\.0\.0\.1:9003"):
        places.find_state(where, "127.0.0.1:9003")


def test_records_that_mean_nothing_are_passed_over(tmp_path: Path) -> None:
    where = places.Places(tmp_path / ".fluvio", tmp_path / "config")
    state = make_state(tmp_path / "a")
    save_state(state)
    places.remember(where, state)
    (where.records / "torn.json").write_text('{"endpoint": ')
    (where.records / "other.json").write_text("[]")
    assert places.find_state(where, "127.0.0.1:9003").cluster_id == "c-1"


def test_local_config_of_another_cluster_survives_a_deletion(tmp_path: Path) -> None:
    where = places.Places(tmp_path / ".fluvio", tmp_path / "config")
    first, second = make_state(tmp_path / "a", "id-a"), make_state(tmp_path / "b", "id-b")
    for state in (first, second):
        places.remember(where, state)
        places.write_local_config(where, state)
    places.forget(where, first)
    assert places.local_config_data_dir(where) == tmp_path / "b"
    places.forget(where, second)
    assert not where.local_config.exists()


# --- removal --------------------------------------------------------------------------------------------


def test_only_what_a_cluster_writes_is_removed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    data = tmp_path / "data"
    save_state(make_state(data))
    (data / "metadata" / "Topic").mkdir(parents=True)
    (data / "spu-logs-5001" / "t-0").mkdir(parents=True)
    (data / "spu-logs-5002").symlink_to(outside)
    (data / ".cluster.json.77.tmp").write_text("torn")
    (data / "lock").write_text("1")
    (data / "notes.txt").write_text("mine")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(data / "spu-5001.sock"))
    assert removal.remove_cluster_files(data) == ["notes.txt"]
    assert sorted(os.listdir(data)) == ["lock", "notes.txt"]
    assert (outside / "precious").read_text() == "x"


# --- lock -----------------------------------------------------------------------------------------------


def test_the_second_operation_is_told_who_the_first_is(tmp_path: Path) -> None:
    with lock.data_directory_lock(tmp_path):
        with (
            pytest.raises(ClusterBusyError, match=rf"\(pid {os.getpid()}\)"),
            lock.data_directory_lock(tmp_path),
        ):
            pass
    with lock.data_directory_lock(tmp_path):
        pass


def test_the_pid_of_an_earlier_holder_is_not_taken_for_that_of_the_present_one(tmp_path: Path) -> None:
    with lock.data_directory_lock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    assert (tmp_path / "lock").read_text() == ""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    with lock.data_directory_lock(tmp_path):
        (tmp_path / "lock").write_text(f"{ended.pid}\n")  # of a command that was killed
        with pytest.raises(ClusterBusyError) as caught, lock.data_directory_lock(tmp_path):
            pass
        assert caught.value.pid is None


def test_a_lock_file_removed_by_its_holder_locks_nobody_out_and_nobody_in(tmp_path: Path) -> None:
    with lock.data_directory_lock(tmp_path):
        (tmp_path / "lock").unlink()
        with lock.data_directory_lock(tmp_path):  # a new file: the old one counts no more
            with pytest.raises(ClusterBusyError), lock.data_directory_lock(tmp_path):
                pass


# --- server output --------------------------------------------------------------------------------------


def test_output_is_appended_and_rotated_when_it_has_grown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "ROTATE_BYTES", 8)
    path = tmp_path / "sc.log"
    for number in range(7):
        for part in (b"run %d" % number, b" and on\n"):
            descriptor = output.open_output(path)
            os.write(descriptor, part)
            os.close(descriptor)
    kept = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
    assert kept == {
        "sc.log": b"run 6 and on\n",
        **{f"sc.log.{age}": b"run %d and on\n" % (6 - age) for age in range(1, 5)},
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_tail_is_of_this_run_and_no_longer_than_twenty_lines(tmp_path: Path) -> None:
    path = tmp_path / "sc.log"
    path.write_text("earlier run\n")
    start = path.stat().st_size
    assert output.tail(path, start) == []
    with path.open("a") as file:
        file.writelines(f"line {number}\n" for number in range(30))
    assert output.tail(path, start) == [f"line {number}" for number in range(10, 30)]
    path.write_bytes(b"\xff" * 100_000 + b"\nlast\n")
    assert output.tail(path, 0)[-1] == "last"
    assert output.tail(tmp_path / "missing", 0) == []


# --- processes ------------------------------------------------------------------------------------------


def test_a_process_is_recognised_by_more_than_its_pid(sleeper: subprocess.Popen[bytes]) -> None:
    identity = processes.identify(sleeper.pid)
    assert identity is not None
    assert processes.is_running(identity)
    assert not processes.is_running(replace(identity, start_time=identity.start_time + 1))
    assert not processes.is_running(replace(identity, boot_id="another"))
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
    assert not processes.is_running(identity)
    assert processes.identify(sleeper.pid) is None


@pytest.mark.parametrize("portably", [False, True])
def test_a_recycled_pid_is_never_signalled(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, portably: bool
) -> None:
    if portably:
        monkeypatch.setattr(processes, "has_pidfds", lambda: False)
    identity = processes.identify(sleeper.pid)
    assert identity is not None
    strangers = [
        replace(identity, start_time=identity.start_time - 1),
        replace(identity, boot_id="before the reboot"),
    ]
    assert processes.stop(strangers, 5.0) == []
    assert sleeper.poll() is None
    assert processes.stop([identity], 5.0) == []
    assert sleeper.wait(5) in (-signal.SIGTERM, 0)  # 0: its status was taken by `stop`
    assert processes.stop([identity], 5.0) == []


@pytest.mark.parametrize("portably", [False, True])
def test_a_process_that_ignores_the_first_signal_gets_the_last(
    monkeypatch: pytest.MonkeyPatch, portably: bool
) -> None:
    if portably:
        monkeypatch.setattr(processes, "has_pidfds", lambda: False)
    stubborn = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        identity = processes.identify(process.pid)
        assert identity is not None
        try:
            assert processes.stop([identity], 0.05) == []
            assert not processes.is_running(identity)
        finally:
            process.kill()  # whatever failed, the end of the block must not wait for ever


def test_the_listener_of_a_port_is_found(sleeper: subprocess.Popen[bytes]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        problem = ports.port_problem(Endpoint("127.0.0.1", port))
        assert problem is not None
        assert ports.listening_pid(port) == os.getpid()
    assert ports.port_problem(Endpoint("127.0.0.1", port)) is None
    assert ports.listening_pid(port) is None
    assert preflight.describe_owner(sleeper.pid).startswith(f"pid {sleeper.pid} ({sys.executable}")


def test_an_address_of_another_machine_cannot_be_listened_at() -> None:
    assert ports.port_problem(Endpoint("192.0.2.1", 9003)) is not None
    assert ports.port_problem(Endpoint("host.invalid", 9003)) is not None


# --- signals --------------------------------------------------------------------------------------------


def interrupted_before_a_wait(steps: list[str]) -> None:
    with Signals() as signals:
        signal.raise_signal(signal.SIGINT)
        steps.append("not cut")
        with signals.waiting():
            steps.append("waited")


def interrupted_in_a_wait(steps: list[str]) -> None:
    with Signals() as signals:
        try:
            with signals.waiting():
                signal.raise_signal(signal.SIGINT)
                steps.append("went on waiting")
        finally:
            signal.raise_signal(signal.SIGINT)
            steps.append("cleaned up")


@pytest.mark.parametrize(
    ("operation", "done"), [(interrupted_before_a_wait, "not cut"), (interrupted_in_a_wait, "cleaned up")]
)
def test_a_signal_cuts_waits_and_nothing_else(operation: Callable[[list[str]], None], done: str) -> None:
    steps: list[str] = []
    former = signal.getsignal(signal.SIGINT)
    with pytest.raises(InterruptedOperation):
        operation(steps)
    assert steps == [done]
    assert signal.getsignal(signal.SIGINT) is former


class ChildEndedError(Exception):
    pass


def wait_while_a_child_ends() -> None:
    near, far = socket.socketpair()
    command = [sys.executable, "-c", "input()"]
    with (
        near,
        far,
        Signals() as signals,
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as child,
    ):

        def check() -> None:
            if child.poll() is not None:
                raise ChildEndedError

        assert child.stdin is not None
        near.settimeout(30)
        with signals.waiting(check):
            child.stdin.close()
            near.recv(1)


def test_the_end_of_a_child_cuts_a_wait_for_something_else() -> None:
    with pytest.raises(ChildEndedError):
        wait_while_a_child_ends()


def test_a_hangup_that_the_caller_ignores_stays_ignored() -> None:
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals() as signals:
            signal.raise_signal(signal.SIGHUP)
            with signals.waiting():
                pass
    finally:
        signal.signal(signal.SIGHUP, former)
