"""Runs a program on an ephemeral cluster to its end, with its exit code, and the signals that it shall get.

The process that has made the cluster becomes this file (`ephemeral.become_runner`): it waits as long as the
program runs, a whole test suite may be, and so nothing is imported that it can do without. In the end it
becomes `python -m fluvio_local_cluster.lifecycle.ephemeral`, which removes the cluster.

The program runs in the same process group, so the terminal is its own: Ctrl-C reaches it from there, and is
not sent a second time. What somebody sends to this process alone is passed on. SIGALRM is the clock of
`--timeout`, which the process has brought along: it asks the program to end, and kills it some seconds later.
"""

import errno
import os
import signal
import sys

TYPE_CHECKING = False  # `typing` costs memory
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import NoReturn

PASSED_ON = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_WAITED = (*PASSED_ON, signal.SIGCHLD, signal.SIGALRM)
TIMED_OUT = "timed-out"  # in the place of an exit code
_TIMED_OUT_CODE = 5  # as of every command that `--timeout` ends
_GRACE_S = 10.0  # from SIGTERM to SIGKILL when the time is up
_FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # exit codes of shells


def main(arguments: "Sequence[str]") -> "NoReturn":
    """`LIFELINE MASK LIMIT COUNT ENDING... PROGRAM...`

    LIFELINE: descriptor of the pipe to the guardian. MASK: signals that were blocked, with commas between.
    LIMIT: the time of `--timeout`, for people. ENDING: the command that comes then, COUNT words; it gets what
    `run_command` returns as its last word.
    """
    lifeline, limit, count = int(arguments[0]), arguments[2], int(arguments[3])
    mask = {int(number) for number in arguments[1].split(",") if number}
    ending, words = arguments[4 : 4 + count], arguments[4 + count :]
    os.set_inheritable(lifeline, False)
    code = run_command(words, mask, lifeline)
    if code == TIMED_OUT:
        print(f"timed out: the command had not ended after {limit}", file=sys.stderr, flush=True)
    os.set_inheritable(lifeline, True)
    os.execv(ending[0], [*ending, code])


def run_command(words: "Sequence[str]", mask: "Iterable[int]", lifeline: int) -> str:
    """Run it with the signal mask; returns its exit code, -N when signal N has ended it, or `timed-out`.

    A program that cannot be run is told on standard error; the exit code is the one that shells give.
    """
    read_end, write_end = os.pipe()  # closed by a program that runs, else it gets the system's error number
    pid = os.fork()
    if pid == 0:
        _become(words, mask, lifeline, write_end)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        failure = pipe.read()
    if not failure:
        return _wait(pid)
    os.waitpid(pid, 0)
    reason = "there is no such program" if int(failure) == errno.ENOENT else os.strerror(int(failure))
    print(f"`{words[0]}` cannot be run: {reason}", file=sys.stderr)
    return str(_NOT_FOUND if int(failure) == errno.ENOENT else _NOT_EXECUTABLE)


def _become(words: "Sequence[str]", mask: "Iterable[int]", lifeline: int, told: int) -> "NoReturn":
    number = errno.EIO
    try:
        os.write(lifeline, _own_identity())  # the guardian knows of the program before it runs
        signal.pthread_sigmask(signal.SIG_SETMASK, set(mask))
        os.execvp(words[0], list(words))
    except OSError as exc:
        number = exc.errno or number
    finally:
        os.write(told, str(number).encode())
        os._exit(_NOT_FOUND)


def _own_identity() -> bytes:
    """A line for the guardian in the form of `processes.ProcessIdentity`; empty where /proc is not."""
    try:
        with open("/proc/self/stat", "rb") as file:
            start_time = file.read().rpartition(b")")[2].split()[19]
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            boot_id = file.read().strip()
    except OSError:
        return b""
    return b"%d:%s:%s\n" % (os.getpid(), start_time, boot_id)


def _wait(pid: int) -> str:
    time_is_up = False
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            signal.setitimer(signal.ITIMER_REAL, 0)
            return TIMED_OUT if time_is_up else str(os.waitstatus_to_exitcode(status))
        number, was_sent = _next_signal()
        if number == signal.SIGALRM:
            os.kill(pid, signal.SIGKILL if time_is_up else signal.SIGTERM)
            time_is_up = True
            signal.setitimer(signal.ITIMER_REAL, _GRACE_S)
        elif number != signal.SIGCHLD and was_sent:
            os.kill(pid, number)


def _next_signal() -> tuple[int, bool]:
    """The next signal, and whether the program has not got it already from the terminal."""
    if not hasattr(signal, "sigwaitinfo"):  # macOS
        number = signal.sigwait(_WAITED)
        return number, number not in _FROM_TERMINAL
    told = signal.sigwaitinfo(_WAITED)
    return told.si_signo, told.si_signo not in _FROM_TERMINAL or told.si_pid != 0


def block_signals() -> str:
    """Block what is to be passed on, until `run_command` waits for it; returns the mask before, as a word."""
    former = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED)
    return ",".join(str(int(number)) for number in former)


def exit_code_of(ending: str) -> int:
    """The number that `end_like` takes, of what `run_command` has returned."""
    return _TIMED_OUT_CODE if ending == TIMED_OUT else int(ending)


def end_like(code: int) -> "NoReturn":
    """End this process as the program has ended, without a core file of its own."""
    if code < 0:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code != signal.SIGKILL:  # has no handler that could be set
            signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
