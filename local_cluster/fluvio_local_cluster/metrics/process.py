"""What every server process uses: memory, processor time, descriptors. Looked at only when scraped.

The names are those that Prometheus clients of all languages use. Where the system has /proc it is read;
elsewhere `psutil` is asked, and loaded by the first scrape.
"""

import os
import sys
import time
from dataclasses import dataclass

from fluvio_local_cluster.metrics.families import Family, counter, gauge


@dataclass(slots=True, frozen=True)
class ProcessUse:
    """Sizes in bytes, times in seconds; None: not known here."""

    resident_bytes: int | None
    cpu_s: float
    started_at_s: float | None  # since 1970
    open_files: int | None
    max_files: int | None


def read_process() -> ProcessUse:
    """Look at this process."""
    reading = _read_proc if sys.platform == "linux" else _read_portably
    resident_bytes, started_at_s, open_files = reading()
    return ProcessUse(resident_bytes, time.process_time(), started_at_s, open_files, _max_files())


def process_families(use: ProcessUse) -> list[Family]:
    """The families of `use`; what is not known has no samples."""
    families = [
        counter("process_cpu_seconds_total", "Processor time used, user and system").add(use.cpu_s),
    ]
    for name, help, value in (
        ("process_resident_memory_bytes", "Memory of the process that is in RAM", use.resident_bytes),
        ("process_start_time_seconds", "When the process started, seconds since 1970", use.started_at_s),
        ("process_open_fds", "Open file descriptors", use.open_files),
        ("process_max_fds", "Descriptors that may be open", use.max_files),
    ):
        family = gauge(name, help)
        families.append(family if value is None else family.add(value))
    return families


def _read_proc() -> tuple[int | None, float | None, int | None]:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            resident_bytes = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])  # field 22, since boot
        boot_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        started_at_s = boot_s + ticks / os.sysconf("SC_CLK_TCK")
        return resident_bytes, started_at_s, len(os.listdir("/proc/self/fd")) - 1  # one is the listing's
    except (OSError, ValueError, IndexError):  # a /proc of another kind, as in some sandboxes
        return _read_portably()


def _read_portably() -> tuple[int | None, float | None, int | None]:
    import psutil

    process = psutil.Process()
    try:
        with process.oneshot():
            return process.memory_info().rss, process.create_time(), process.num_fds()
    except psutil.Error:
        return None, None, None


def _max_files() -> int | None:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
