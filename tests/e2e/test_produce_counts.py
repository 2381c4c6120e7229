"""What `produce` tells of its records, and what becomes of them when it is interrupted."""

import array
import fcntl
import os
import signal
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pexpect
import pytest

from tests.support.local_cluster import LocalCluster, cluster_in_new_home

WAIT_S = 30
_numbers = count()


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """A cluster for this file alone: its SPU is halted now and then."""
    for home in cluster_in_new_home():
        yield home.start()


@pytest.fixture
def topic(cluster: LocalCluster) -> str:
    name = f"counted-{next(_numbers)}"
    cluster.run("topic", "create", name)
    return name


@contextmanager
def halted_spu(cluster: LocalCluster) -> Iterator[None]:
    """The SPU answers nobody while the block runs."""
    pid = cluster.processes()["SPU 5001"].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def on_terminal(cluster: LocalCluster, *words: str) -> "pexpect.spawn[str]":
    return pexpect.spawn(
        str(cluster.executable),
        list(words),
        env={**cluster.env, "TERM": "xterm"},
        cwd=str(cluster.home),
        encoding="utf-8",
        timeout=WAIT_S,
        dimensions=(24, 120),
    )


def piped(cluster: LocalCluster, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [cluster.executable, *words],
        env=cluster.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def give(process: "subprocess.Popen[bytes]", text: bytes) -> None:
    """Write, and wait until the process has read all of it."""
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.flush()
    waiting = array.array("i", [1])
    deadline = time.monotonic() + WAIT_S
    while waiting[0]:
        fcntl.ioctl(process.stdin.fileno(), termios.FIONREAD, waiting)
        assert time.monotonic() < deadline
        assert process.poll() is None, "it has ended"


def told_at_the_end(process: "subprocess.Popen[bytes]") -> bytes:
    """Standard error of a process that a signal ends; its input stays open until then."""
    assert process.wait(WAIT_S) == 130
    out, err = process.communicate()
    assert out == b""
    return err


def stored(cluster: LocalCluster, topic: str) -> list[str]:
    return cluster.run("consume", topic, "-B", "-d").stdout.splitlines()


def lines_file(cluster: LocalCluster, number_of_lines: int) -> Path:
    path = cluster.home / "lines.txt"
    path.write_bytes(b"".join(b"%0100d\n" % number for number in range(number_of_lines)))
    return path


# --- how many records went out -----------------------------------------------------------------------------


def test_a_terminal_is_told_how_many_records_were_stored(cluster: LocalCluster, topic: str) -> None:
    path = lines_file(cluster, 1234)
    child = on_terminal(cluster, "produce", topic, "-f", str(path))
    child.expect(r"1,234 records stored in \d+\.\d s\r\n")
    child.expect(pexpect.EOF)
    one = on_terminal(cluster, "produce", topic, "--raw", "-f", str(path))
    one.expect_exact("1 record stored in ")
    one.expect(pexpect.EOF)
    assert len(stored(cluster, topic)) == 2 * 1234 + 1  # what is raw keeps its last line end


def test_a_script_is_told_on_standard_error_when_it_asks(cluster: LocalCluster, topic: str) -> None:
    done = cluster.run("produce", topic, stdin="a\nb\n")
    assert (done.stdout, done.stderr) == ("", "")
    asked = cluster.run("produce", topic, "-v", stdin="c\n")
    assert asked.stdout == ""
    assert asked.stderr.startswith("1 record stored in ")
    keyed = cluster.run("--verbose", "produce", topic, "--key-separator", ":", stdin="k:v\n")
    assert keyed.stdout == ""
    assert "1 record stored in " in keyed.stderr.splitlines()[-1]
    hurried = cluster.run("produce", topic, "-v", "--delivery-semantic", "at-most-once", stdin="d\n")
    assert hurried.stderr.startswith("1 record sent in ")


def test_a_person_who_types_is_told_in_the_end(cluster: LocalCluster, topic: str) -> None:
    child = on_terminal(cluster, "produce", topic)
    for line in ("one", "two"):
        child.expect_exact("> ")
        child.sendline(line)
        child.expect_exact("Ok!")
    child.expect_exact("> ")
    child.sendeof()
    child.expect_exact("Ok!")
    child.expect_exact("2 records stored\r\n")
    child.expect(pexpect.EOF)


# --- how far it is -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "told"), [((), ", 0 records stored"), (("--raw",), "")])
def test_a_file_shows_its_bytes_done_and_in_all(
    options: tuple[str, ...], told: str, cluster: LocalCluster, topic: str
) -> None:
    path = lines_file(cluster, 2000)
    with halted_spu(cluster):
        child = on_terminal(cluster, "produce", topic, "-f", str(path), *options)
        child.expect(rf"202\.0 KB of 202\.0 KB \(100 %\) read, \d+\.\d KB/s{told}")
    child.expect(r"1 record stored in" if options else r"2,000 records stored in")
    child.expect(pexpect.EOF)


@pytest.mark.parametrize("options", [(), ("--raw",)])
def test_a_pipe_shows_its_bytes_so_far(options: tuple[str, ...], cluster: LocalCluster, topic: str) -> None:
    pipe = cluster.home / f"pipe-{topic}"
    os.mkfifo(pipe)
    child = on_terminal(cluster, "produce", topic, "-f", str(pipe), *options)
    with pipe.open("wb", buffering=0) as writing:
        writing.write(b"12345\n")
        child.expect(r"6 B read, \d+ B/s")
        writing.write(b"678\n")
        child.expect(r"10 B read, \d+ B/s")
    child.expect(r"\d records? stored in ")
    child.expect(pexpect.EOF)


# --- interrupted -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_sends_what_was_read_and_tells_how_many_that_were(
    number: signal.Signals, cluster: LocalCluster, topic: str
) -> None:
    process = piped(cluster, "produce", topic)
    give(process, b"first\n")
    with halted_spu(cluster):
        give(process, b"".join(b"line %d\n" % line for line in range(5000)) + b"half a li")
        process.send_signal(number)
    err = told_at_the_end(process)
    assert err == b"interrupted: 5,001 records stored; a last line without its end (9 B) was not sent\n"
    assert stored(cluster, topic) == ["first", *(f"line {line}" for line in range(5000))]


def test_an_interrupted_file_is_stored_as_far_as_is_told(cluster: LocalCluster, topic: str) -> None:
    path = lines_file(cluster, 400_000)  # 40 MB: more than waits in memory at once
    with halted_spu(cluster):
        process = piped(cluster, "produce", topic, "-f", str(path), "-v")
        deadline = time.monotonic() + WAIT_S
        while not _position(process.pid, path):
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGINT)
    err = told_at_the_end(process)
    told = err.decode().removeprefix("interrupted: ").partition(" records stored")[0].replace(",", "")
    assert [int(line) for line in stored(cluster, topic)] == list(range(int(told)))
    assert 0 < int(told) < 400_000


def _position(pid: int, path: Path) -> int:
    """How far (bytes) a process has read a file that it has open."""
    folder = Path(f"/proc/{pid}/fd")
    for entry in folder.iterdir():
        try:
            if entry.readlink() == path:
                text = (folder.parent / "fdinfo" / entry.name).read_text()
                return int(text.split()[1])
        except OSError:
            continue
    return 0


def test_a_second_interrupt_gives_up_and_tells_what_was_not_acknowledged(
    cluster: LocalCluster, topic: str
) -> None:
    process = piped(cluster, "produce", topic)
    give(process, b"kept\n")
    assert cluster.run("consume", topic, "-B", "--end", "0").stdout == "kept\n"
    with halted_spu(cluster):
        give(process, b"lost\nlost\n")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        err = told_at_the_end(process)
    assert err == b"interrupted: 1 of 3 records stored, the other 2 were not acknowledged\n"


def test_an_interrupt_sends_no_piece_of_a_whole_input(cluster: LocalCluster, topic: str) -> None:
    process = piped(cluster, "produce", topic, "--raw")
    give(process, b"not the whole")
    process.send_signal(signal.SIGTERM)
    err = told_at_the_end(process)
    assert err == b"interrupted: 0 records stored; the input had not ended after 13 B\n"
    assert stored(cluster, topic) == []


# --- records that cannot go --------------------------------------------------------------------------------


def test_what_comes_before_a_line_that_is_too_large_is_stored(cluster: LocalCluster) -> None:
    name = f"counted-{next(_numbers)}"
    cluster.run("topic", "create", name, "-p", "3")
    small = [f"line {number}" for number in range(100)]
    text = "\n".join([*small, "x" * 5000, *small])
    done = cluster.run("produce", name, "--max-request-size", "4000", stdin=text, check=False)
    assert done.returncode == 1
    assert "exceeded maximum request size (4000 bytes)" in done.stderr
    assert sorted(stored(cluster, name)) == sorted(small)
    child = on_terminal(cluster, "produce", name, "--raw", "-f", os.devnull, "--max-request-size", "1")
    child.expect_exact("exceeded maximum request size (1 bytes)")
    child.expect(pexpect.EOF)
