"""How commands end, as scripts see it: exit codes, errors as JSON, `--timeout`, closed and full outputs."""

import itertools
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pexpect
import pytest

from tests.support.local_cluster import FREE_PORTS, LocalCluster

WAIT_S = 20
_numbers = itertools.count()


@pytest.fixture
def topic(local_cluster: LocalCluster) -> Iterator[str]:
    """A topic of one partition for this test alone."""
    name = f"codes-{next(_numbers)}"
    local_cluster.run("topic", "create", name)
    yield name
    local_cluster.run("topic", "delete", name)


def test_each_sort_of_failure_has_its_exit_code(local_cluster: LocalCluster) -> None:
    for words, code in (
        (("topic", "list"), 0),
        (("topic", "create", "Bad_Name"), 1),
        (("topic", "list", "--nonsense"), 2),
        (("topic", "describe", "nope"), 3),
        (("topic", "delete", "nope"), 3),
        (("-P", "nope", "topic", "list"), 3),
        (("profile", "switch", "nope"), 3),
        (("nope",), 3),
        (("-c", "127.0.0.1:1", "topic", "list"), 4),
        (("-c", "127.0.0.1:1", "produce", "t"), 4),
        (("-c", "127.0.0.1:1", "consume", "t"), 4),
        (("explain", "4"), 0),
        (("explain", "nonsense"), 3),
    ):
        assert (words, local_cluster.run(*words, stdin="", check=False).returncode) == (words, code)


def test_errors_are_json_for_whoever_asks_for_json(local_cluster: LocalCluster) -> None:
    done = local_cluster.run("topic", "describe", "nope", "-O", "json", check=False)
    assert done.stdout == ""
    error = json.loads(done.stderr)["error"]
    assert (error["code"], error["kind"], error["exit_code"]) == (
        "topic-not-found",
        "not-found",
        done.returncode,
    )
    refused = local_cluster.run("-c", "127.0.0.1:1", "topic", "list", "-O", "json", check=False)
    error = json.loads(refused.stderr)["error"]
    assert (error["code"], error["exit_code"]) == ("connection-failed", 4)
    assert "--cluster" in error["hint"]
    usage = local_cluster.run("topic", "list", "-O", "json", "--nonsense", check=False)
    assert json.loads(usage.stderr)["error"]["exit_code"] == usage.returncode == 2


def test_what_an_error_names_can_be_explained(local_cluster: LocalCluster) -> None:
    done = local_cluster.run("topic", "describe", "nope", "-O", "json", check=False)
    name = json.loads(done.stderr)["error"]["code"]
    explained = local_cluster.run("explain", name).stdout
    assert explained.startswith(f"{name}\n\n  The cluster has no topic of this name.\n")
    assert "What to do\n" in explained
    assert name in local_cluster.run("explain").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("topic", "list", "--timeout", "300ms"),
        ("--timeout", "300ms", "produce", "t"),
        ("consume", "t", "--timeout", "300ms"),
        ("partition", "list", "--timeout", "300ms"),
    ],
)
def test_a_time_limit_ends_a_command_whose_server_says_nothing(
    words: tuple[str, ...], throwaway_home: LocalCluster
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        done = throwaway_home.run("-c", address, *words, stdin="x\n", check=False, timeout=WAIT_S)
    assert done.returncode == 5
    assert done.stdout == ""
    assert done.stderr == "timed out: the command had not ended after 300ms\n"


def test_a_time_limit_counts_for_the_background_job_of_a_script_too(throwaway_home: LocalCluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        line = (
            f"{throwaway_home.executable} -c 127.0.0.1:{silent.getsockname()[1]} topic list --timeout 300ms"
        )
        done = subprocess.run(
            ["/bin/sh", "-c", f"trap '' INT; {line}"], env=throwaway_home.env, timeout=WAIT_S, check=False
        )
    assert done.returncode == 5


def test_a_time_limit_ends_a_consumer_in_order(local_cluster: LocalCluster, topic: str) -> None:
    local_cluster.run("produce", topic, stdin="a\nb\n")
    done = local_cluster.run(
        "consume", topic, "-B", "--consumer", "slow", "--timeout", "1500ms", check=False, timeout=WAIT_S
    )
    assert (done.returncode, done.stdout) == (5, "a\nb\n")
    stored = json.loads(local_cluster.run("consumer", "list", "-O", "json").stdout)
    assert [entry["offset"] for entry in stored if entry["consumer_id"] == "slow"] == [1]


def test_a_start_that_takes_too_long_leaves_no_server(throwaway_home: LocalCluster) -> None:
    ended = throwaway_home.run("cluster", "start", *FREE_PORTS, "--timeout", "20ms", check=False)
    assert (ended.returncode, ended.stdout) == (5, "")
    assert "timed out: the command had not ended after 20ms" in ended.stderr
    assert not (throwaway_home.data_dir / "cluster.json").exists()
    assert throwaway_home.start().running() == ["SC", "SPU 5001"]  # nothing is in its way


def test_a_time_limit_that_is_not_reached_changes_nothing(local_cluster: LocalCluster) -> None:
    assert local_cluster.run("topic", "list", "--timeout", "1m").returncode == 0


def test_quiet_leaves_results_and_errors(local_cluster: LocalCluster, topic: str) -> None:
    local_cluster.run("produce", topic, stdin="a\n")
    done = local_cluster.run("consume", topic, "-B", "--end", "0", "--quiet")
    assert (done.stdout, done.stderr) == ("a\n", "")
    failed = local_cluster.run("--quiet", "topic", "describe", "nope", check=False)
    assert failed.stderr != ""


def test_verbose_tells_what_led_to_an_error(local_cluster: LocalCluster) -> None:
    done = local_cluster.run("-c", "127.0.0.1:1", "topic", "list", "--verbose", check=False)
    assert "caused by: ConnectionRefusedError" in done.stderr


@pytest.mark.parametrize(
    "words", [("topic", "list"), ("explain",), ("consume", "TOPIC", "-B", "-d"), ("--help",)]
)
def test_a_full_disk_behind_standard_output_is_an_error_and_no_traceback(
    words: tuple[str, ...], local_cluster: LocalCluster, topic: str
) -> None:
    local_cluster.run("produce", topic, stdin="a\n")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [local_cluster.executable, *(topic if word == "TOPIC" else word for word in words)],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            env=local_cluster.env,
            timeout=WAIT_S,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"No space left on device (os error 28)\n"


def test_ctrl_c_ends_with_130_and_no_traceback(throwaway_home: LocalCluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        running = pexpect.spawn(
            str(throwaway_home.executable),
            ["-c", address, "topic", "list"],
            env=throwaway_home.env,
            timeout=WAIT_S,
        )
        with silent.accept()[0]:  # it has connected, and waits
            running.sendintr()
            running.expect(pexpect.EOF)
            running.wait()
    assert running.exitstatus == 130 or running.signalstatus == signal.SIGINT
    assert b"Traceback" not in running.before


_INTERRUPTED = """
import os, signal, sys
from fluvio_cli.__main__ import main

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

class Stream:
    encoding, isatty, flush = "utf-8", lambda self: False, lambda self: None
    def write(self, text):
        os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
if not {module!r}:
    sys.stderr = Stream()
sys.argv = ["fluvio", "-c", "127.0.0.1:1", "topic", "list"]
sys.exit(main())
"""


@pytest.mark.parametrize("module", ["fluvio_cli.failures", "fluvio_cli.app", ""])
def test_ctrl_c_ends_also_while_modules_are_loaded_and_an_error_is_told(
    throwaway_home: LocalCluster, module: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED.format(module=module)],
        env=throwaway_home.env,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode in (130, -signal.SIGINT)
    assert (done.stdout, done.stderr) == ("", "")


def test_on_a_terminal_an_error_ends_with_its_next_step(throwaway_home: LocalCluster) -> None:
    throwaway_home.run("profile", "add", "prod", "127.0.0.1:1")
    running = pexpect.spawn(
        str(throwaway_home.executable), ["topic", "list"], env=throwaway_home.env, timeout=WAIT_S
    )
    running.expect_exact("hint: profile `prod` names 127.0.0.1:1; ")
    running.expect_exact("`fluvio explain connection-failed` says more")
    similar = pexpect.spawn(
        str(throwaway_home.executable), ["profile", "switch", "prdo"], env=throwaway_home.env, timeout=WAIT_S
    )
    similar.expect_exact("hint: do you mean `prod`?")
