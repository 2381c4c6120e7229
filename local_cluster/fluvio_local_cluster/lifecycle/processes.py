"""Recognises processes and signals only those that were started here.

A pid alone says little: pids are used again. A process is taken for the one recorded only if its pid is
alive, and its start time and the boot of the machine are the recorded ones. Where the system has pidfds, the
process is held by one before it is looked at, so the one signalled is the one recognised.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_GONE_STATES = frozenset("ZXx")  # zombies have ended and only wait to be reaped
_KILL_WAIT_S = 10.0
_IS_LINUX = sys.platform == "linux"


@dataclass(slots=True, frozen=True)
class ProcessIdentity:
    """One process, told apart from all others. `start_time`: clock ticks since boot on Linux, else ms."""

    pid: int
    start_time: int
    boot_id: str


def identify(pid: int) -> ProcessIdentity | None:
    """Return the identity of a living process; None when there is none of this pid."""
    if not _IS_LINUX:
        return _identify_portably(pid)
    parsed = _read_stat(pid)
    if parsed is None or parsed[0] in _GONE_STATES:
        return None
    return ProcessIdentity(pid, parsed[1], _linux_boot_id())


def is_running(identity: ProcessIdentity) -> bool:
    """Whether exactly this process is alive."""
    return identify(identity.pid) == identity


def describe(pid: int) -> str:
    """`pid 12 (python3 -m http.server)`, as far as it may be seen."""
    command = command_line(pid)
    shown = " ".join(command)
    if len(shown) > 100:
        shown = shown[:97] + "..."
    return f"pid {pid} ({shown})" if shown else f"pid {pid}"


def command_line(pid: int) -> list[str]:
    """The words of a process' command line; empty when they may not be seen."""
    if _IS_LINUX:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return [word.decode(errors="replace") for word in file.read().split(b"\0") if word]
        except OSError:
            return []
    import psutil

    try:
        return list(psutil.Process(pid).cmdline())
    except psutil.Error:
        return []


def stop(processes: Iterable[ProcessIdentity], grace_s: float) -> list[int]:
    """End processes: SIGTERM to all, and SIGKILL to those that are still there after `grace_s`.

    Returns when they have ended; gives the pids of those that would not, which is none but for processes
    stuck in the kernel. What is not (or no more) the process recorded is left alone.
    """
    if has_pidfds():
        return _stop_by_pidfd(processes, grace_s)
    return _stop_portably(processes, grace_s)


def has_pidfds() -> bool:
    """Whether processes can be held by a descriptor here; an old kernel or a sandbox may forbid it."""
    if not hasattr(os, "pidfd_open"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def _stop_by_pidfd(processes: Iterable[ProcessIdentity], grace_s: float) -> list[int]:
    held: dict[int, int] = {}  # pidfd -> pid
    try:
        for identity in processes:
            try:
                descriptor = os.pidfd_open(identity.pid)
            except ProcessLookupError:
                continue
            if is_running(identity):  # looked at while held: the pid cannot change hands any more
                held[descriptor] = identity.pid
            else:
                os.close(descriptor)
        for signum, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, _KILL_WAIT_S)):
            for descriptor in held:
                try:
                    signal.pidfd_send_signal(descriptor, signum)
                except ProcessLookupError:
                    pass  # it ended just now
            _await_ends(held, wait_s)
            if not held:
                break
        return list(held.values())
    finally:
        for descriptor in held:
            os.close(descriptor)


def _await_ends(held: dict[int, int], wait_s: float) -> None:
    """Wait for processes and take those that ended out of `held`."""
    poll = select.poll()
    for descriptor in held:
        poll.register(descriptor, select.POLLIN)
    deadline = time.monotonic() + wait_s
    while held and (left_s := deadline - time.monotonic()) > 0:
        for descriptor, _ in poll.poll(left_s * 1000):
            poll.unregister(descriptor)
            os.close(descriptor)
            reap(held.pop(descriptor))


def reap(pid: int) -> None:
    """Take the exit status of an ended process, if it is a child of this one."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


def _stop_portably(
    processes: Sequence[ProcessIdentity] | Iterable[ProcessIdentity], grace_s: float
) -> list[int]:
    import psutil

    left = []
    for identity in processes:
        if is_running(identity):
            try:
                left.append(psutil.Process(identity.pid))
            except psutil.NoSuchProcess:
                pass
    for signum, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, _KILL_WAIT_S)):
        for process in left:
            try:
                process.send_signal(signum)  # psutil compares the start time before it sends
            except psutil.NoSuchProcess:
                pass
        _, left = psutil.wait_procs(left, timeout=wait_s)
        if not left:
            break
    return [process.pid for process in left]


def _read_stat(pid: int) -> tuple[str, int] | None:
    """State letter and start time (clock ticks since boot) of a process, from /proc."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            content = file.read()
    except OSError:
        return None
    fields = content[content.rindex(b")") + 2 :].split()  # the name before it may hold anything
    return fields[0].decode(), int(fields[19])


def _linux_boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _identify_portably(pid: int) -> ProcessIdentity | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return ProcessIdentity(pid, round(process.create_time() * 1000), _portable_boot_id())
    except psutil.Error:
        return None


def _portable_boot_id() -> str:
    if sys.platform == "darwin":
        import subprocess

        asked = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=False
        )
        return asked.stdout.strip()
    return ""  # the start time is a time of day there, which another boot does not repeat
