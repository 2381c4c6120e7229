"""Stays with a cluster of this machine as long as it runs: for containers, service managers and terminals.

The servers are those of any start: processes in sessions of their own, recorded in the state file. This
process watches them, passes on what they print, and stops them in order when it is asked to end; so what can
happen is

- SIGTERM, SIGINT, SIGHUP: `shutdown`, data are kept, as soon as no other command holds the lock. A further
  signal changes nothing, a stop takes little more than the 10 s that servers have, twice.
- a server ends by itself: the others are stopped, and the failure says which, how and with what last words.
- another command works on the cluster (it holds the lock): what it leaves counts. A cluster that it has shut
  down or deleted ends the watch in order; servers that it has started anew are watched instead.
- SIGKILL of this process: the servers run on. They are in the state file, so that `shutdown` stops them, and
  the next start in the foreground watches them again. In a container they end with it, under systemd with the
  service (`local_cluster/fluvio.service`).

As process 1 of a container it takes the exit status of whatever is left to it.
"""

import os
import select
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

from fluvio_local_cluster.lifecycle import output
from fluvio_local_cluster.lifecycle.errors import (
    ClusterBusyError,
    NoLocalClusterError,
    ServerFailedError,
)
from fluvio_local_cluster.lifecycle.lock import is_locked
from fluvio_local_cluster.lifecycle.processes import is_running
from fluvio_local_cluster.lifecycle.progress import Progress
from fluvio_local_cluster.lifecycle.state import ClusterState, ServerRecord, load_state
from fluvio_local_cluster.lifecycle.stop import shutdown

_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))
_LOOK_S = 0.2  # between two looks at what servers print, and at those that are nobody's children here
_STATUS_S = 2.0
_PATIENCE_S = 3.0  # for a cluster that another command has stopped: it may be started again
_READ_BYTES = 64 * 1024  # of one server's output at a time
_NOTIFY_VARIABLE = "NOTIFY_SOCKET"


class Ending(Enum):
    """Why the watch has ended, when nothing has failed."""

    ASKED = "asked"  # by a signal
    SHUT_DOWN = "shut down"  # by another command
    DELETED = "deleted"  # by another command


class Asked(AbstractContextManager["Asked"]):
    """Notes signals that ask for the end, from before the start on; `wait` returns early for them."""

    def __init__(self) -> None:
        self.signal: int | None = None  # the first
        self._former: dict[int, Any] = {}
        self._read_end, self._write_end = -1, -1
        self._former_wakeup = -1

    def __enter__(self) -> Self:
        self._read_end, self._write_end = os.pipe()
        for end in (self._read_end, self._write_end):
            os.set_blocking(end, False)
        for number in (*_ENDING, signal.SIGCHLD):
            if signal.getsignal(number) is not signal.SIG_IGN or number == signal.SIGCHLD:
                self._former[number] = signal.signal(number, self._note)
        self._former_wakeup = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._former_wakeup)
        for number, handler in self._former.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        os.close(self._read_end)
        os.close(self._write_end)

    def wait(self, seconds: float) -> None:
        """Until a signal comes, or the time has passed."""
        if select.select([self._read_end], [], [], seconds)[0]:
            os.read(self._read_end, 4096)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD and self.signal is None:
            self.signal = number


class Relay:
    """Passes on what servers print from now on, line by line, with the server's name before it."""

    def __init__(self, tell: Callable[[str], None], log_dir: Path) -> None:
        """What is in `log_dir` already is not passed on."""
        self._tell = tell
        self._files: dict[Path, _Followed] = {}
        self._old = {path: path.stat().st_size for path in log_dir.glob("*.log") if path.is_file()}

    def follow(self, label: str, path: Path) -> None:
        """Pass on this server's output as well; once said is enough."""
        if path not in self._files:
            self._files[path] = _Followed(label, self._old.get(path, 0))

    def pump(self) -> None:
        """Pass on all whole lines that have come."""
        for path, file in self._files.items():
            for line in file.new_lines(path):
                self._tell(f"{file.label}: {line}")

    def close(self) -> None:
        """Pass on the rest, an unfinished line included."""
        self.pump()
        for file in self._files.values():
            if file.begun:
                self._tell(f"{file.label}: {file.begun.decode(errors='replace')}")
            file.close()


@dataclass(slots=True)
class _Followed:
    """One file: it may be moved aside when a server is started anew (`output.open_output`)."""

    label: str
    skipped: int  # bytes at its beginning that were there before
    descriptor: int = -1
    begun: bytes = b""

    def new_lines(self, path: Path) -> list[str]:
        lines = self._read()
        if self._is_another(path):
            lines += self._read()
        return lines

    def _is_another(self, path: Path) -> bool:
        """Whether the name has another file now, which is then open."""
        try:
            found = os.stat(path)
        except OSError:
            return False
        if self.descriptor >= 0 and os.path.samestat(found, os.fstat(self.descriptor)):
            return False
        self.close()
        try:
            self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        if self.skipped <= found.st_size:  # else it was moved aside when the server was started
            os.lseek(self.descriptor, self.skipped, os.SEEK_SET)
        self.skipped = 0
        return True

    def _read(self) -> list[str]:
        if self.descriptor < 0:
            return []
        lines: list[bytes] = []
        while chunk := os.read(self.descriptor, _READ_BYTES):
            *whole, self.begun = (self.begun + chunk).split(b"\n")
            lines += whole
        return [line.decode(errors="replace") for line in lines]

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


@dataclass(slots=True)
class Watch:
    """The watch over one cluster; `environment` may name a service manager's socket."""

    data_dir: Path
    asked: Asked
    relay: Relay
    progress: Progress
    environment: Mapping[str, str]
    _quiet_since: float | None = None  # that nothing runs, by the will of another command
    _ends: dict[int, int] = field(default_factory=dict)  # pid -> exit code, or -N for signal N

    def run(self) -> Ending:
        """Until the end. Raises `ServerFailedError` for a server that has ended, and as `shutdown` does."""
        self._notify("READY=1")
        try:
            while self.asked.signal is None:
                self._reap()
                self.relay.pump()
                ending = self._look()
                if ending is not None:
                    return ending
                self.asked.wait(_LOOK_S)
            self._stop()
            return Ending.ASKED
        finally:
            self.relay.close()

    def _look(self) -> Ending | None:
        """What became of the cluster; None while it runs, or another command is at work on it."""
        state = load_state(self.data_dir)
        for server in () if state is None else state.servers:
            self.relay.follow(server.plan.label, server.plan.log)
        if state is not None and not _ended(state) and any(server.process for server in state.servers):
            self._quiet_since = None
            return None
        if is_locked(self.data_dir):
            return None
        state = load_state(self.data_dir)  # as the command left it that held the lock until now
        if state is None:
            return Ending.DELETED
        ended = _ended(state)
        if ended:
            self._fail(ended[0])
        if any(server.process for server in state.servers):
            return None
        now = time.monotonic()
        self._quiet_since = self._quiet_since or now  # an upgrade, for one, starts them again in a moment
        return Ending.SHUT_DOWN if now - self._quiet_since > _PATIENCE_S else None

    def _fail(self, first: ServerRecord) -> NoReturn:
        self._await_status(first)
        failure = ServerFailedError(
            f"{first.plan.label} {self._how(first)}: the cluster is stopped",
            first.plan.log,
            output.tail(first.plan.log, 0),
        )
        self._stop()
        raise failure

    def _stop(self) -> None:
        """Stop what runs, when no other command is at work on the cluster any more."""
        self._notify("STOPPING=1")
        while True:
            try:
                shutdown(self.data_dir, self.progress)
            except ClusterBusyError:
                self.asked.wait(_LOOK_S)
            except NoLocalClusterError:
                return  # that command has deleted it
            else:
                return

    def _await_status(self, server: ServerRecord) -> None:
        """Wait a moment for its exit status, which comes when its last thread has ended."""
        assert server.process is not None
        deadline = time.monotonic() + _STATUS_S
        while self._reap() and server.process.pid not in self._ends and time.monotonic() < deadline:
            self.asked.wait(_LOOK_S / 10)

    def _how(self, server: ServerRecord) -> str:
        code = None if server.process is None else self._ends.get(server.process.pid)
        if code is None:
            return "has ended"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"has ended with exit code {code}"

    def _reap(self) -> bool:
        """Take the exit status of ended children, whoever's they were; whether there are more children."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if not pid:
                return True
            self._ends[pid] = os.waitstatus_to_exitcode(status)

    def _notify(self, text: str) -> None:
        """Tell systemd, if it has started this process and wants to know (sd_notify(3))."""
        address = self.environment.get(_NOTIFY_VARIABLE)
        if not address:
            return
        if address.startswith("@"):
            address = f"\0{address[1:]}"
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
                told.sendto(text.encode(), address)
        except OSError:
            pass  # who does not listen does not want to know


def _ended(state: ClusterState) -> list[ServerRecord]:
    """Servers that have ended by themselves: commands note it when they stop one."""
    return [server for server in state.servers if server.process and not is_running(server.process)]
