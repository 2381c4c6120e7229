"""Spawns one server, detached from this command, and hears from it when it is ready.

The server runs in a session of its own, with nothing open but the standard descriptors (input from
nowhere, output to its file) and a pipe on which it writes `ready <public port> <private port>` as soon as it
listens. The pipe also tells of its death: it closes.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fluvio_local_cluster.lifecycle import output, processes
from fluvio_local_cluster.lifecycle.errors import ServerFailedError
from fluvio_local_cluster.lifecycle.processes import ProcessIdentity
from fluvio_local_cluster.lifecycle.settings import ServerPlan

_EXIT_WAIT_S = 5.0  # from the end of the pipe to the end of the process
_READY_WORD = b"ready "


@dataclass(slots=True)
class LaunchedServer:
    """A server that this command started and still waits for."""

    plan: ServerPlan
    identity: ProcessIdentity | None  # None: it ended before it could be looked at
    ready_pipe: int  # closed by `close`
    output_start: int  # size of the output file (bytes) before this start
    _process: subprocess.Popen[bytes]
    _said: bytes = b""
    is_ready: bool = False

    def read_ready(self) -> bool:
        """Read what the pipe has, which must be readable; True once the server is ready.

        Raises `ServerFailedError` when it ended instead.
        """
        said = os.read(self.ready_pipe, 64)
        self._said += said
        if self._said.startswith(_READY_WORD) and self._said.endswith(b"\n"):
            self.is_ready = True
        elif not said:
            raise self.failure(self._describe_end())
        return self.is_ready

    def check_alive(self) -> None:
        """Raise `ServerFailedError` if the process has ended."""
        if self._process.poll() is not None:
            raise self.failure(self._describe_end())

    def failure(self, what: str) -> ServerFailedError:
        """An error about this server, with the end of its output."""
        log = self.plan.log
        return ServerFailedError(f"{self.plan.label} {what}", log, output.tail(log, self.output_start))

    def close(self) -> None:
        """Close the pipe and let go of the process, which runs on."""
        if self.ready_pipe >= 0:
            os.close(self.ready_pipe)
            self.ready_pipe = -1
        if self._process.poll() is None:
            self._process.returncode = 0  # else Popen warns that its process still runs, which is the purpose

    def _describe_end(self) -> str:
        try:
            code = self._process.wait(_EXIT_WAIT_S)
        except subprocess.TimeoutExpired:
            return "closed its ready pipe without being ready"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return (
            f"ended with exit code {code} before it was ready"
            if not self.is_ready
            else f"ended with exit code {code}"
        )


def launch(
    plan: ServerPlan,
    arguments: list[str],
    environment: Mapping[str, str],
    directory: Path,
    python: str | None = None,
) -> LaunchedServer:
    """Spawn `python -m <arguments>` in `directory`; raises `ServerFailedError` when that cannot be done."""
    descriptor = output.open_output(plan.log)
    start = os.fstat(descriptor).st_size
    read_end, write_end = os.pipe()
    command = [
        python or sys.executable,
        *_interpreter_flags(),
        "-m",
        *arguments,
        "--ready-fd",
        str(write_end),
    ]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=directory,
            env=dict(environment),
            start_new_session=True,
            close_fds=True,
            pass_fds=(write_end,),
        )
    except OSError as exc:
        os.close(read_end)
        raise ServerFailedError(f"{plan.label} cannot be run: {exc}", plan.log, []) from exc
    finally:
        os.close(descriptor)
        os.close(write_end)
    return LaunchedServer(plan, processes.identify(process.pid), read_end, start, process)


def _interpreter_flags() -> list[str]:
    """`-P`: modules of the working directory are not imported; `-s`, where this interpreter has it too."""
    return ["-P", "-s"] if sys.flags.no_user_site else ["-P"]
