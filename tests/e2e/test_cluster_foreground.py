"""`cluster start --foreground` and `--advertise`: for containers, service managers and terminals."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import psutil
import pytest

from fluvio_local_cluster.lifecycle.lock import data_directory_lock
from fluvio_local_cluster.lifecycle.processes import is_running
from tests.support.containers import ADDRESS, Container
from tests.support.failing_servers import variables_for_failing
from tests.support.local_cluster import FREE_PORTS, LocalCluster

DEADLINE_S = 30.0
RUNS = "the cluster runs; SIGTERM or Ctrl-C stops it and keeps its data"


@contextmanager
def foreground(home: LocalCluster, *options: str, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    """A cluster in the foreground, up when the block begins; `stderr` can be read from there on."""
    with subprocess.Popen(
        [home.executable, "cluster", "start", "--foreground", *FREE_PORTS, *options],
        env={**home.env, **variables},
        cwd=home.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            read_to(process, RUNS)
            yield process
        finally:
            process.kill()


def read_to(process: "subprocess.Popen[str]", text: str) -> list[str]:
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line.rstrip("\n"))
        if text in line:
            return lines
    raise AssertionError(f"never printed {text!r}: {lines}")


def end_of(process: "subprocess.Popen[str]") -> tuple[int, str]:
    _, err = process.communicate(timeout=DEADLINE_S)
    return process.returncode, err


def ended(home: LocalCluster) -> bool:
    return home.running() == [] and home.state.phase.value == "stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_stops_it_in_order_and_keeps_the_data(
    throwaway_home: LocalCluster, number: signal.Signals
) -> None:
    home = throwaway_home
    with foreground(home) as process:
        home.run("topic", "create", "orders")
        home.run("produce", "orders", stdin="kept\n")
        process.send_signal(number)
        code, err = end_of(process)
    assert code == (130 if number == signal.SIGINT else 0)
    assert err.endswith("the cluster is stopped, its data are kept\n")
    assert ended(home)
    with foreground(home) as process:  # goes on with what is there
        assert home.run("consume", "orders", "-B", "-d").stdout == "kept\n"
        process.terminate()
        assert end_of(process)[0] == 0


def test_what_servers_print_is_passed_on_with_their_names(throwaway_home: LocalCluster) -> None:
    with foreground(throwaway_home) as process:
        read_to(process, "SC: ")
        lines = read_to(process, "SPU 5001: ")
        assert not [line for line in lines if re.match(r"SPU 5001: .*SC", line)]
        process.terminate()
        code, err = end_of(process)
    assert code == 0
    for name in ("flv_sc.log", "spu_log_5001.log"):
        last = (throwaway_home.log_dir / name).read_text().splitlines()[-1]
        assert f": {last}\n" in err


def test_what_was_printed_before_is_not_passed_on_again(throwaway_home: LocalCluster) -> None:
    with foreground(throwaway_home) as process:
        process.terminate()
        end_of(process)
    first = (throwaway_home.log_dir / "flv_sc.log").read_text().splitlines()[0]
    with foreground(throwaway_home) as process:
        process.terminate()
        _, err = end_of(process)
    assert "SC: " in err
    assert first not in err


@pytest.mark.parametrize(("label", "other"), [("SPU 5001", "SC"), ("SC", "SPU 5001")])
def test_a_server_that_dies_ends_it_and_the_rest_is_stopped(
    throwaway_home: LocalCluster, label: str, other: str
) -> None:
    with foreground(throwaway_home) as process:
        os.kill(throwaway_home.processes()[label].pid, signal.SIGKILL)
        code, err = end_of(process)
    assert code == 1
    assert f"{label} was ended by SIGKILL: the cluster is stopped\n" in err
    assert "its last output:\n" in err
    assert ended(throwaway_home), other


def test_a_start_that_fails_leaves_nothing(throwaway_home: LocalCluster, tmp_path: Path) -> None:
    done = throwaway_home.run(
        *("cluster", "start", "--foreground", *FREE_PORTS), check=False, **variables_for_failing(tmp_path)
    )
    assert done.returncode == 1
    assert "SPU 5001 ended with exit code 7" in done.stderr
    assert not throwaway_home.data_dir.exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_amid_the_first_start_leaves_nothing(
    throwaway_home: LocalCluster, number: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        [throwaway_home.executable, "cluster", "start", "--foreground", *FREE_PORTS],
        env=throwaway_home.env,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not (throwaway_home.data_dir / "cluster.json").exists():
            assert process.poll() is None
        process.send_signal(number)
        assert end_of(process)[0] == code
    assert not throwaway_home.data_dir.exists()


def test_a_second_signal_changes_nothing(throwaway_home: LocalCluster) -> None:
    with foreground(throwaway_home) as process:
        process.terminate()
        process.send_signal(signal.SIGINT)
        assert end_of(process)[0] in (0, 130)  # whichever the system has delivered first
    assert ended(throwaway_home)


def test_ctrl_c_at_a_terminal_stops_it(throwaway_home: LocalCluster) -> None:
    terminal = pexpect.spawn(
        str(throwaway_home.executable),
        ["cluster", "start", "--foreground", *FREE_PORTS],
        env={**throwaway_home.env, "TERM": "xterm"},  # type: ignore[arg-type]
        encoding="utf-8",
        timeout=DEADLINE_S,
    )
    terminal.expect_exact(RUNS)
    terminal.sendintr()
    terminal.expect_exact("the cluster is stopped, its data are kept")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 130
    assert ended(throwaway_home)


def test_a_shutdown_or_deletion_by_another_command_ends_it_in_order(throwaway_home: LocalCluster) -> None:
    with foreground(throwaway_home) as process:
        throwaway_home.run("cluster", "shutdown")
        code, err = end_of(process)
    assert (code, err.splitlines()[-1]) == (0, "the cluster was shut down by another command")
    with foreground(throwaway_home) as process:
        throwaway_home.run("cluster", "delete", "--force")
        code, err = end_of(process)
    assert (code, err.splitlines()[-1]) == (0, "the cluster was deleted by another command")


def test_servers_that_another_command_has_started_anew_are_watched(throwaway_home: LocalCluster) -> None:
    with foreground(throwaway_home) as process:
        throwaway_home.run("cluster", "upgrade", "--force", "--spu", "2")
        throwaway_home.run("cluster", "resume")
        read_to(process, "SPU 5002: ")
        assert throwaway_home.running() == ["SC", "SPU 5001", "SPU 5002"]
        os.kill(throwaway_home.processes()["SPU 5002"].pid, signal.SIGKILL)
        code, err = end_of(process)
    assert code == 1
    assert "SPU 5002 has ended: the cluster is stopped\n" in err
    assert ended(throwaway_home)


def test_when_it_is_killed_the_servers_run_on_and_are_found(throwaway_home: LocalCluster) -> None:
    with foreground(throwaway_home) as process:
        process.kill()
        process.wait(DEADLINE_S)
        servers = throwaway_home.processes()
        assert throwaway_home.running() == ["SC", "SPU 5001"]
    with foreground(throwaway_home) as process:  # watches the same ones
        assert throwaway_home.processes() == servers
        os.kill(servers["SC"].pid, signal.SIGKILL)
        code, err = end_of(process)
    assert code == 1
    assert "SC has ended: the cluster is stopped\n" in err
    assert not any(is_running(server) for server in servers.values())


def test_other_settings_than_those_of_the_first_start_are_told(throwaway_home: LocalCluster) -> None:
    with foreground(throwaway_home) as process:
        process.terminate()
        end_of(process)
    with subprocess.Popen(
        [throwaway_home.executable, "cluster", "start", "--foreground", *FREE_PORTS, "--spu", "3"],
        env=throwaway_home.env,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        told = read_to(process, RUNS)
        process.terminate()
        assert end_of(process)[0] == 0
    [warning] = [line for line in told if line.startswith("warning")]
    assert "which differ in `--spu`; `fluvio cluster upgrade`" in warning


def test_a_time_that_is_up_stops_it(throwaway_home: LocalCluster) -> None:
    words = ("cluster", "start", "--foreground", *FREE_PORTS, "--timeout", "3s")
    done = throwaway_home.run(*words, check=False)
    assert done.returncode == 5
    assert not throwaway_home.data_dir.exists() or ended(
        throwaway_home
    )  # a slow machine was still starting it


def test_a_reader_that_goes_away_does_not_end_it(throwaway_home: LocalCluster) -> None:
    with foreground(throwaway_home) as process:
        assert process.stderr is not None
        process.stderr.close()
        throwaway_home.run("topic", "create", "t")
        with (throwaway_home.log_dir / "flv_sc.log").open("a") as log:
            log.write("line\n" * 30_000)  # more than a pipe holds: it would be noticed
        throwaway_home.run("cluster", "health")
        process.terminate()
        assert process.wait(DEADLINE_S) == 0
    assert ended(throwaway_home)


def test_a_service_manager_is_told_when_it_is_ready_and_when_it_stops(throwaway_home: LocalCluster) -> None:
    address = throwaway_home.home / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(DEADLINE_S)
        with foreground(throwaway_home, NOTIFY_SOCKET=str(address)) as process:
            assert manager.recv(100) == b"READY=1"
            throwaway_home.run("cluster", "health")
            process.terminate()
            assert manager.recv(100) == b"STOPPING=1"
            assert end_of(process)[0] == 0


def test_it_waits_for_another_command_before_it_stops_the_servers(throwaway_home: LocalCluster) -> None:
    address = throwaway_home.home / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(DEADLINE_S)
        with foreground(throwaway_home, NOTIFY_SOCKET=str(address)) as process:
            assert manager.recv(100) == b"READY=1"
            with data_directory_lock(throwaway_home.data_dir):
                process.terminate()
                assert manager.recv(100) == b"STOPPING=1"
                assert process.poll() is None
                assert throwaway_home.running() == ["SC", "SPU 5001"]
            assert end_of(process)[0] == 0
    assert ended(throwaway_home)


@pytest.mark.usefixtures("with_containers")
def test_as_process_1_it_stops_on_sigterm_and_leaves_no_zombie(throwaway_home: LocalCluster) -> None:
    home = throwaway_home
    start = f"(exec true) & exec {home.executable} cluster start --foreground"
    with Container("fluvio", ["sh", "-c", start], home.env, home.home) as container:
        container.await_line(RUNS)
        # An orphan that ends, as those do which a health check leaves: process 1 has to take it.
        container.run("sh", "-c", "(exec true) &")
        container.await_line("SPU 5001: ")
        zombies = [
            process
            for process in container.first.children(recursive=True)
            if process.status() == psutil.STATUS_ZOMBIE
        ]
        psutil.wait_procs(zombies, timeout=DEADLINE_S)
        assert not [process for process in zombies if process.is_running()]
        code, told = container.stop()
    assert code == 0
    assert told.endswith("the cluster is stopped, its data are kept\n")
    assert home.state.phase.value == "stopped"


@pytest.mark.usefixtures("with_containers")
def test_clients_of_other_containers_are_led_to_the_host_that_is_advertised(
    throwaway_home: LocalCluster,
) -> None:
    home = throwaway_home
    fluvio = str(home.executable)
    words = [fluvio, "cluster", "start", "--foreground", "--advertise", "fluvio"]
    with Container("fluvio", words, home.env, home.home) as container:
        container.await_line(RUNS)
        far = (fluvio, "-c", "fluvio:9003")
        container.run(*far, "topic", "create", "orders", "-p", "2")
        container.run(*far, "produce", "orders", stdin="one\n")
        assert container.run(*far, "consume", "orders", "-B", "-d").stdout == "one\n"
        shown = container.run(*far, "cluster", "spu", "list").stdout
        assert "fluvio:9010" in shown
        container.run(fluvio, "cluster", "health")  # from inside, by the profile
        official = (
            "from fluvio import Fluvio, FluvioConfig, Offset\n"
            "client = Fluvio.connect_with_config(FluvioConfig.new('fluvio:9003'))\n"
            "producer = client.topic_producer('orders')\n"
            "producer.send_string('two')\n"
            "producer.flush()\n"
        )
        container.run(sys.executable, "-c", official)
        assert sorted(container.run(*far, "consume", "orders", "-B", "-d").stdout.split()) == ["one", "two"]
        listening = {
            connection.laddr.ip
            for process in container.first.children()
            for connection in process.net_connections("tcp")
            if connection.laddr.port in (9003, 9010)
        }
        assert listening <= {"0.0.0.0", ADDRESS, "127.0.0.1"}
        assert container.stop()[0] == 0
    settings = home.state.settings
    assert (settings.advertise, str(settings.sc_public)) == ("fluvio", "0.0.0.0:9003")


def test_an_address_that_is_given_counts_more_than_the_advertised_host(throwaway_home: LocalCluster) -> None:
    throwaway_home.start("--advertise", "localhost")
    assert throwaway_home.endpoint.startswith("127.0.0.1:")  # by `--sc-pub-addr`
    assert "localhost:" in throwaway_home.run("cluster", "spu", "list").stdout


@pytest.mark.parametrize("host", ["", "a:1", "a b", "http://a", "a/b"])
def test_what_is_no_host_is_refused(throwaway_home: LocalCluster, host: str) -> None:
    done = throwaway_home.run("cluster", "start", "--advertise", host, check=False)
    assert done.returncode == 2
