"""Real controllers that die at the nth change of their metadata directory, started quickly one after another.

A nursery process imports the controller once and forks a child for each: 30 ms instead of 300. In the child
the calls of `os` that change files are counted; the one whose turn it is is not made (of a write, half of it
is), and the process is gone at once, as kill -9 would have it. An fsync does not count: for who is killed
before it the files are as after the call before. Nothing of that is in the controller.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parent.parent.parent
KILLED = 137
_NEVER = -1
_WAIT_S = 20.0


# --- this side: the test -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Controller:
    """A controller that runs, or has."""

    pid: int
    public: int  # ports; 0 when it died before it listened
    private: int
    _nursery: "Nursery"
    code: int | None = None  # its exit code, when it has ended
    calls: int = 0  # changes of files it has made, when it has ended

    def stop(self) -> int:
        """End it in order; returns its exit code."""
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):  # it has just died at the call it was told
                os.kill(self.pid, signal.SIGTERM)
            self._nursery.await_end(self)
        assert self.code is not None
        return self.code

    @property
    def has_crashed(self) -> bool:
        """Whether it has died at the call it was told. Waits for the end of one that is about to."""
        return self.code == KILLED


class Nursery:
    """`with Nursery() as nursery: nursery.start(directory, die_at=7)`. One controller at a time."""

    def __init__(self, output: Path) -> None:
        """`output`: where controllers print."""
        self._output = output
        self._last: Controller | None = None
        self._unread = b""

    def __enter__(self) -> Self:
        with self._output.open("ab") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._last is not None and self._last.code is None:  # a test has failed
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._last.pid, signal.SIGKILL)
        try:
            self._process.wait(_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            assert self._process.stdout is not None
            self._process.stdout.close()

    def start(self, directory: Path, die_at: int = _NEVER) -> Controller:
        """Start one; returns when it listens, or has died. `die_at`: 0 is the first call."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{die_at} {directory}\n")
        self._process.stdin.flush()
        controller = self._last = Controller(int(self._next("pid")[0]), 0, 0, self)
        word, *numbers = self._line()
        if word == "ready":
            controller.public, controller.private = map(int, numbers)
        else:
            controller.code, controller.calls = map(int, numbers)
        return controller

    def await_end(self, controller: Controller) -> None:
        """Wait for the end of a controller that has been told, or is seen, to end."""
        if controller.code is None:
            controller.code, controller.calls = map(int, self._next("end"))

    def said(self) -> str:
        """What controllers have printed."""
        return self._output.read_text(errors="replace")

    def _next(self, wanted: str) -> list[str]:
        word, *rest = self._line()
        assert word == wanted, f"{word} instead of {wanted}:\n{self.said()[-3000:]}"
        return rest

    def _line(self) -> list[str]:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._unread:
            readable, _, _ = select.select([descriptor], [], [], _WAIT_S)
            part = os.read(descriptor, 4096) if readable else b""
            assert part, f"no word of a controller, or its end:\n{self.said()[-3000:]}"
            self._unread += part
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode().split()


# --- the other side: the nursery, and the controllers in it ------------------------------------------------


class Countdown:
    """Counts the calls of `os` that change files below a directory, and dies at the one whose turn it is."""

    def __init__(self, directory: Path, die_at: int, report: int) -> None:
        self.count, self._die_at, self._report = 0, die_at, report
        self._root = str(directory)
        self._descriptors: set[int] = set()
        self._real: dict[str, Any] = {
            name: getattr(os, name) for name in ("open", "write", "replace", "rename", "unlink", "mkdir")
        }

    def install(self) -> None:
        """Take the places of the calls in `os`."""
        for name in self._real:
            setattr(os, name, getattr(self, f"_{name}"))

    def _step(self) -> None:
        if self.count == self._die_at:
            self.end(KILLED)
        self.count += 1

    def end(self, code: int) -> None:
        """Say how it ended, and be gone."""
        self._real["write"](self._report, f"{self.count}\n".encode())
        os._exit(code)

    def _is_ours(self, path: Any) -> bool:
        return isinstance(path, (str, Path)) and str(path).startswith(self._root)

    def _open(self, path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        is_ours = self._is_ours(path)
        if is_ours and flags & (os.O_CREAT | os.O_TRUNC):
            self._step()
        fd: int = self._real["open"](path, flags, mode, **more)
        (self._descriptors.add if is_ours else self._descriptors.discard)(fd)
        return fd

    def _write(self, fd: int, data: Any) -> int:
        if fd in self._descriptors:
            if self.count == self._die_at:
                self._real["write"](fd, memoryview(data)[: len(data) // 2])
            self._step()
        written: int = self._real["write"](fd, data)
        return written

    def _replace(self, source: Any, target: Any, **more: Any) -> None:
        self._step()
        self._real["replace"](source, target, **more)

    def _rename(self, source: Any, target: Any, **more: Any) -> None:
        self._step()
        self._real["rename"](source, target, **more)

    def _unlink(self, path: Any, **more: Any) -> None:
        self._step()
        self._real["unlink"](path, **more)

    def _mkdir(self, path: Any, mode: int = 0o777, **more: Any) -> None:
        if self._is_ours(path) and not os.path.isdir(path):
            self._step()
        self._real["mkdir"](path, mode, **more)


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def _be_controller(directory: Path, die_at: int, report: int) -> None:
    """In the child; does not return."""
    countdown = Countdown(directory, die_at, report)
    countdown.install()
    from fluvio_local_cluster.sc import store

    # the defaults of this class were taken from `os` when the nursery imported it
    store.FileCalls.__init__.__defaults__ = (os.fsync, os.replace)  # type: ignore[misc]
    from fluvio_local_cluster.sc.__main__ import main

    ready = os.dup(1)
    sys.argv = [
        "sc",
        *("--local", str(directory), "--bind-public", "127.0.0.1:0", "--bind-private", "127.0.0.1:0"),
        *("--startup-grace-ms", "200", "--ready-fd", str(ready)),
    ]
    code = 70
    try:
        code = main()
    finally:
        countdown.end(code)


def main() -> None:
    """Fork a controller for each line of standard input: where to die, and the directory."""
    from fluvio_local_cluster.sc import __main__  # noqa: F401 - so that children need not import it

    for line in sys.stdin:
        die_at, _, directory = line.rstrip("\n").partition(" ")
        report, theirs = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(report)
            _be_controller(Path(directory), int(die_at), theirs)
        os.close(theirs)
        _say(f"pid {pid}")
        with os.fdopen(report) as counted:
            count = counted.read().strip() or "0"
        _, status = os.waitpid(pid, 0)
        _say(f"end {os.waitstatus_to_exitcode(status)} {count}")


if __name__ == "__main__":
    main()
