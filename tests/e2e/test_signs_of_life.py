"""Whatever waits shows so on a terminal within a second, and draws nothing where nobody looks."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator

import pexpect
import pytest

from tests.support.local_cluster import FREE_PORTS, LocalCluster

WAIT_S = 20
FRAME = "[⠀-⣿] "
SILENT = "SILENT"  # stands for the address of a controller that never answers
WAITING = (
    ("topic", "list"),
    ("topic", "create", "t"),
    ("topic", "delete", "t"),
    ("topic", "describe", "t"),
    ("topic", "add-partition", "t"),
    ("partition", "list"),
    ("table-format", "list"),
    ("consumer", "list"),
    ("consumer", "delete", "c"),
    ("cluster", "spu", "list"),
    ("cluster", "status"),
    ("cluster", "health"),
    ("cluster", "diagnostics"),
    ("benchmark", "producer"),
    ("profile", "validate"),
    ("version",),
    ("doctor",),
    ("produce", "t", "-f", os.devnull),
    ("consume", "t"),
)


@pytest.fixture
def silent_home(throwaway_home: LocalCluster) -> Iterator[LocalCluster]:
    """A home whose profile leads to a controller that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        throwaway_home.run("profile", "add", "silent", address, "local")
        yield throwaway_home


def on_terminal(home: LocalCluster, *words: str, term: str = "xterm") -> "pexpect.spawn[str]":
    return pexpect.spawn(
        str(home.executable),
        list(words),
        env={**home.env, "TERM": term},
        cwd=str(home.home),
        encoding="utf-8",
        timeout=WAIT_S,
        dimensions=(24, 100),
    )


@pytest.mark.parametrize("words", WAITING, ids=" ".join)
def test_what_waits_for_a_cluster_shows_so_on_a_terminal(
    words: tuple[str, ...], silent_home: LocalCluster
) -> None:
    child = on_terminal(silent_home, *words)
    child.expect(FRAME)  # when: FIRST_S, see tests/unit/cli/test_status_line.py
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()


def test_a_consumer_shows_that_it_waits_for_records_unless_told_not_to(local_cluster: LocalCluster) -> None:
    local_cluster.run("topic", "create", "quiet")
    waiting = on_terminal(local_cluster, "consume", "quiet")
    waiting.expect(f"{FRAME}waiting for records")
    local_cluster.run("produce", "quiet", stdin="here\n")
    waiting.expect_exact("\r\x1b[2Khere\r\n")
    waiting.expect(f"{FRAME}waiting for records")
    waiting.sendintr()
    waiting.expect_exact("\r\x1b[2KConsumer stream has closed")
    waiting.expect(pexpect.EOF)
    silent = on_terminal(local_cluster, "--timeout", "2s", "consume", "quiet", "--disable-progressbar")
    silent.expect_exact("Consuming records from 'quiet'")
    silent.expect(pexpect.EOF)
    assert silent.before is not None
    assert "waiting for records" not in silent.before
    local_cluster.run("topic", "delete", "quiet")


def test_nothing_is_drawn_in_pipes(silent_home: LocalCluster) -> None:
    running = [
        subprocess.Popen(
            [silent_home.executable, "--timeout", "1500ms", *words],
            env=silent_home.env,
            cwd=silent_home.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for words in WAITING
    ]
    for words, process in zip(WAITING, running, strict=True):
        out, err = process.communicate(timeout=WAIT_S)
        assert b"\r" not in out + err, words
        assert b"\x1b" not in out + err, words
        assert process.returncode in (0, 1, 4, 5, 6), (words, err)


def test_nothing_is_drawn_on_a_dumb_terminal(silent_home: LocalCluster) -> None:
    running = [
        (words, on_terminal(silent_home, "--timeout", "1500ms", *words, term="dumb")) for words in WAITING
    ]
    for words, child in running:
        child.expect(pexpect.EOF)
        assert child.before is not None
        assert "\x1b" not in child.before, words
        assert "\r" not in child.before.replace("\r\n", "\n"), words
        child.close()


@pytest.mark.parametrize(
    "words", [("shutdown",), ("upgrade", "--force"), ("delete", "--force")], ids=" ".join
)
def test_a_server_that_does_not_stop_is_waited_for_visibly(
    words: tuple[str, ...], fresh_cluster: LocalCluster
) -> None:
    pid = fresh_cluster.processes()["SPU 5001"].pid
    os.kill(pid, signal.SIGSTOP)
    child = on_terminal(fresh_cluster, "cluster", *words)
    child.expect(f"{FRAME}.*stop")
    os.kill(pid, signal.SIGCONT)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_work_on_a_cluster_of_this_machine_is_told_while_it_goes_on(throwaway_home: LocalCluster) -> None:
    for words, told in (
        (("cluster", "start", *FREE_PORTS), "Starting SC server"),
        (("cluster", "shutdown"), "Uninstalling fluvio local components"),
        (("cluster", "resume"), "Starting SC server"),
        (("cluster", "delete", "--force"), "Deleting local/"),
    ):
        child = on_terminal(throwaway_home, *words)
        child.expect_exact(told)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0, words
