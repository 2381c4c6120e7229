"""Runs another program to its end: its exit code, and the signals that it shall get.

It runs in the same process group, so the terminal is its own: Ctrl-C and Ctrl-\\ reach it from there, and
are not sent a second time. What somebody sends to this process alone is passed on.
"""

import errno
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from fluvio_types.errors import FluvioError

_PASSED_ON = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_FROM_TERMINAL = frozenset({signal.SIGINT, signal.SIGQUIT})
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # exit codes of shells


class CommandNotRunError(FluvioError):
    """The program cannot be run."""

    def __init__(self, program: str, reason: str, exit_code: int) -> None:
        super().__init__(f"`{program}` cannot be run: {reason}")
        self.program, self.exit_code = program, exit_code


def run_command(
    words: Sequence[str], environment: Mapping[str, str], first: Callable[[], None] = lambda: None
) -> int:
    """Run it; returns its exit code, or -N when signal N has ended it. Raises `CommandNotRunError`.

    `first` is called in the new process before it becomes the program. Only for a process with one thread.
    """
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {*_PASSED_ON, signal.SIGCHLD})
    read_end, write_end = os.pipe()  # closed by a program that runs, else it gets the system's error number
    try:
        pid = os.fork()
        if pid == 0:
            _become(words, environment, first, former, write_end)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as pipe:
            failure = pipe.read()
        if failure:
            os.waitpid(pid, 0)
            raise _not_run(words[0], int(failure))
        return _wait(pid)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def _become(
    words: Sequence[str],
    environment: Mapping[str, str],
    first: Callable[[], None],
    mask: "set[signal.Signals] | set[int]",
    told: int,
) -> NoReturn:
    number = errno.EIO
    try:
        first()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.execvpe(words[0], list(words), dict(environment))
    except OSError as exc:
        number = exc.errno or number
    finally:
        os.write(told, str(number).encode())
        os._exit(_NOT_FOUND)


def _not_run(program: str, number: int) -> CommandNotRunError:
    if number == errno.ENOENT:
        return CommandNotRunError(program, "there is no such program", _NOT_FOUND)
    return CommandNotRunError(program, os.strerror(number), _NOT_EXECUTABLE)


def _wait(pid: int) -> int:
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        number, was_sent = _next_signal()
        if number != signal.SIGCHLD and was_sent:
            os.kill(pid, number)


def _next_signal() -> tuple[int, bool]:
    """The next signal, and whether the command has not got it already from the terminal."""
    waited = {*_PASSED_ON, signal.SIGCHLD}
    if not hasattr(signal, "sigwaitinfo"):  # macOS
        number = signal.sigwait(waited)
        return number, number not in _FROM_TERMINAL
    told = signal.sigwaitinfo(waited)
    return told.si_signo, told.si_signo not in _FROM_TERMINAL or told.si_pid != 0


def die_by(number: int) -> None:
    """End this process by the signal that has ended the command, without a core file of its own."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
