"""Server processes that a test run started and did not stop.

A cluster's processes outlive the command that started them, as they should, and so they outlive a test
that forgets them. They are recognised by their home directory: that of a test run is its own.
"""

import os
from pathlib import Path

import psutil


def processes_at_home(folder: Path, grace_s: float) -> list[tuple[psutil.Process, str]]:
    """Return the processes at home in `folder` that do not end within `grace_s` seconds, with commands."""
    found = []
    for process in psutil.process_iter():
        try:
            home = process.environ().get("HOME", "")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # it has ended, or is another user's: not one of ours
        if process.pid != os.getpid() and home and Path(home).is_relative_to(folder):
            found.append(process)
    _, alive = psutil.wait_procs(found, timeout=grace_s)
    return [(process, _command(process)) for process in alive]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return "(ended meanwhile)"


def stop(processes: list[psutil.Process], grace_s: float = 5.0) -> None:
    """End `processes`, by force after `grace_s` seconds."""
    for process in processes:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(processes, timeout=grace_s)
    for process in alive:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
