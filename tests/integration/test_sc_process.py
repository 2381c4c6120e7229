"""The controller as a process: readiness, signals, two on one directory, wrong use."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

DEADLINE_S = 20


@dataclass(slots=True)
class Started:
    process: subprocess.Popen[str]
    public: int
    private: int


@contextlib.contextmanager
def started(directory: Path, *options: str) -> Iterator[Started]:
    ready, theirs = os.pipe()
    command = [
        sys.executable, "-m", "fluvio_local_cluster.sc", "--local", str(directory),
        "--bind-public", "127.0.0.1:0", "--bind-private", "127.0.0.1:0", "--ready-fd", str(theirs), *options,
    ]  # fmt: skip
    process = subprocess.Popen(command, pass_fds=[theirs], stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    try:
        with os.fdopen(ready) as pipe:
            words = pipe.read().split()  # to the end: the descriptor is closed once it is ready
        assert words[:1] == ["ready"], process.communicate(timeout=DEADLINE_S)[1]
        yield Started(process, int(words[1]), int(words[2]))
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_and_its_life_is_on_stderr(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path, "--cluster-id", "my-cluster") as sc:
        sc.process.send_signal(number)
        _, log = sc.process.communicate(timeout=DEADLINE_S)
        assert sc.process.returncode == 0
        assert "controller ready" in log
        assert f"127.0.0.1:{sc.public}" in log
        assert "controller stopped" in log
        assert "Traceback" not in log
    assert (tmp_path / ".cluster-id").read_text() == "my-cluster\n"


def test_a_second_controller_on_the_directory_gives_up_and_says_why(tmp_path: Path) -> None:
    with started(tmp_path) as sc:
        command = [sys.executable, "-m", "fluvio_local_cluster.sc", "--local", str(tmp_path)]
        command += ["--bind-public", "127.0.0.1:0", "--bind-private", "127.0.0.1:0"]
        second = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        assert second.returncode == 1
        assert f"in use by another controller (process {sc.process.pid})" in second.stderr
        assert "Traceback" not in second.stderr


def test_a_killed_controller_leaves_a_directory_that_the_next_one_opens(tmp_path: Path) -> None:
    with started(tmp_path) as sc:
        sc.process.kill()
        sc.process.wait()
    with started(tmp_path) as sc:
        assert sc.public > 0


def test_a_port_in_use_is_one_line_not_a_traceback(tmp_path: Path) -> None:
    with started(tmp_path / "a") as sc:
        command = [sys.executable, "-m", "fluvio_local_cluster.sc", "--local", str(tmp_path / "b")]
        command += ["--bind-public", f"127.0.0.1:{sc.public}", "--bind-private", "127.0.0.1:0"]
        second = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        assert second.returncode == 1
        assert "address already in use" in second.stderr
        assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "text"),
    [
        ([], {}, "--local"),
        (["--local", "x", "--bind-public", "nowhere"], {}, "host:port"),
        (["--local", "x", "--heartbeat-timeout-ms", "0"], {}, "positive number"),
        (["--local", "x"], {"FLV_TOPIC_WAIT": "soon"}, "FLV_TOPIC_WAIT"),
    ],
)
def test_wrong_use_is_code_2(arguments: list[str], variables: dict[str, str], text: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fluvio_local_cluster.sc", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 2
    assert text in done.stderr
