"""`make demo` does what it says, and leaves nothing behind when it is interrupted."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.leftovers import processes_at_home

ROOT = Path(__file__).resolve().parents[2]
STEP = re.compile(r"^\[(\d)/\d\]")
END_S = 60


def started(tmp_path: Path) -> subprocess.Popen[str]:
    """The demo in a process group of its own, as in a terminal, with its temporary home in `tmp_path`."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "tests.e2e.demo"]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def wait_for_command_of(step: int, demo: subprocess.Popen[str]) -> None:
    """Read the demo's output up to the first command that it runs in this step."""
    assert demo.stdout is not None
    current = 0
    for line in demo.stdout:
        if match := STEP.match(line):
            current = int(match[1])
        elif current == step and line.lstrip().startswith("$"):
            return
    raise AssertionError(f"the demo ended before step {step}")


def assert_nothing_is_left(tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []
    assert processes_at_home(tmp_path, grace_s=0) == []


def test_the_demo_passes_all_its_checks_and_cleans_up(tmp_path: Path) -> None:
    with started(tmp_path) as demo:
        output, errors = demo.communicate(timeout=END_S)
    assert demo.returncode == 0, output + errors
    assert "all checks passed" in output
    assert [match[1] for line in output.splitlines() if (match := STEP.match(line))] == list("12345678")
    assert_nothing_is_left(tmp_path)


@pytest.mark.parametrize("step", [2, 4, 5], ids=["starting", "producing", "consuming"])
def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path, step: int) -> None:
    with started(tmp_path) as demo:
        wait_for_command_of(step, demo)
        os.killpg(demo.pid, signal.SIGINT)  # as Ctrl-C does: the demo and the command it runs
        _, errors = demo.communicate(timeout=END_S)
    assert demo.returncode == 130, errors
    assert "interrupted" in errors
    assert_nothing_is_left(tmp_path)
