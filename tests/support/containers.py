"""What a container is to the program in it, without an engine: process 1, own network and host names.

Made of Linux namespaces, which may be forbidden: see `with_containers`. The container's host name leads to an
address that is not loopback's, as others in the same network would see it.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Self

import psutil
import pytest

from tests.support.installers import MissingError, required

ADDRESS = "10.77.0.1"
_NAMESPACES = ("--user", "--mount", "--net", "--pid")
_SET_UP = f"""
    ip link set lo up && ip address add {ADDRESS}/32 dev lo && mount --bind "$1" /etc/hosts || exit 77
    shift; exec "$@"
"""
_UNSHARE = ("unshare", "--map-root-user", *_NAMESPACES, "--fork", "--mount-proc", "--kill-child")
_DEADLINE_S = 30.0


@pytest.fixture
def with_containers() -> None:
    """A tool that is missing fails the test in CI; where the system allows no namespaces it is skipped."""
    required(_tools)
    if (why := _refusal()) is not None:
        pytest.skip(why)


def _tools() -> None:
    missing = [name for name in ("unshare", "nsenter", "ip", "mount") if shutil.which(name) is None]
    if missing:
        raise MissingError(f"there is no {', '.join(missing)} here")


@cache
def _refusal() -> str | None:
    """Why the system allows no container here; None: it does."""
    tried = subprocess.run(
        [*_UNSHARE, "sh", "-c", _SET_UP, "sh", "/etc/hosts", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if tried.returncode == 0 else f"this system allows no namespaces: {tried.stderr.strip()}"


class Container:
    """`with Container("fluvio", words, ...) as container: ...`: the program is process 1 in it."""

    def __init__(
        self, host: str, words: Sequence[str], environment: Mapping[str, str], directory: Path
    ) -> None:
        """`host` is the name of the container; `directory` is where the program starts."""
        hosts = directory / "hosts-of-container"
        hosts.write_text(f"127.0.0.1 localhost\n{ADDRESS} {host}\n")
        self.environment, self.directory = dict(environment), directory
        self.process = subprocess.Popen(
            [*_UNSHARE, "sh", "-c", _SET_UP, "sh", str(hosts), *words],
            env=self.environment,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()  # of unshare: its child goes with it
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def first(self) -> psutil.Process:
        """Process 1, as it is seen from outside."""
        while not (children := psutil.Process(self.process.pid).children()):
            assert self.process.poll() is None
        return children[0]

    def await_line(self, text: str) -> list[str]:
        """Read what it prints, up to a line that contains `text`."""
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if text in line:
                return lines
        raise AssertionError(f"it never printed {text!r}: {lines}")

    def run(self, *words: str, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run another program in it, as `docker exec` does."""
        inside = ["nsenter", "--preserve-credentials", *_NAMESPACES, "--target", str(self.first.pid)]
        done = subprocess.run(
            [*inside, *words],
            input=stdin,
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{words} gave {done.returncode}: {done.stdout}{done.stderr}"
        return done

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send the signal to process 1; its exit code, and what it has printed since."""
        os.kill(self.first.pid, number)
        out, _ = self.process.communicate(timeout=_DEADLINE_S)
        return self.process.returncode, out
