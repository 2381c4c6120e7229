"""A server of somebody else: started, waited for by what it says, and gone when the benchmark ends."""

import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from tests.bench.peers.engine import UnavailableError

_KEPT_LINES = 40
_STOP_S = 10.0


class ServerProcess:
    """Runs a command whose output is read all the time: a line with `ready` means that it serves."""

    def __init__(self, command: Sequence[str], ready: str, folder: Path, environment: Mapping[str, str]):
        self._ready, self._is_over = ready, threading.Event()
        self.line = ""  # the one that said it
        self.said: deque[str] = deque(maxlen=_KEPT_LINES)
        # A session of its own: Ctrl-C reaches the benchmark, which stops its servers in order.
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"output of {command[0]}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line.rstrip())
            if self._ready in line and not self.line:
                self.line = line
                self._is_over.set()
        self._is_over.set()

    def wait_until_ready(self, timeout_s: float) -> None:
        """Raises `UnavailableError`, with what it said last, when it ends or stays silent: it is stopped."""
        self._is_over.wait(timeout_s)
        if self.line:
            return
        self.stop()
        last = self.said[-1] if self.said else "it said nothing"
        raise UnavailableError(f"did not start within {timeout_s:.0f} s: {last}")

    @property
    def process(self) -> psutil.Process:
        """For its memory and processor time."""
        return psutil.Process(self._process.pid)

    def stop(self) -> None:
        """End it: its data are thrown away, so there is nothing to wait for."""
        self._process.kill()
        self._process.wait(_STOP_S)
        self._reader.join(_STOP_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
