"""Lets a process live in another time: found by Python when this folder is in PYTHONPATH, see `clocks.py`.

The wall clock is what the file named by FLUVIO_TEST_CLOCK says ahead of the real one, at each call. Files
that are written are stamped with it, as the system does when its clock is moved. Monotonic clocks are as they
are.
"""

import mmap
import os
import struct
import time
from typing import Any

_VARIABLE = "FLUVIO_TEST_CLOCK"


def _install(path: str) -> None:
    with open(path, "rb") as file:
        shared = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    ahead = struct.Struct("<q")  # seconds
    real_time, real_time_ns, real_pwrite = time.time, time.time_ns, os.pwrite
    real_clock = time.clock_gettime

    def moved_ns() -> int:
        return real_time_ns() + ahead.unpack_from(shared)[0] * 1_000_000_000

    def moved() -> float:
        return real_time() + float(ahead.unpack_from(shared)[0])

    def clock_gettime(number: int) -> float:
        return moved() if number == time.CLOCK_REALTIME else real_clock(number)

    def pwrite(fd: int, *rest: Any) -> int:
        written = real_pwrite(fd, *rest)
        now = moved_ns()
        os.utime(fd, ns=(now, now))
        return written

    time.time, time.time_ns, time.clock_gettime = moved, moved_ns, clock_gettime
    os.pwrite = pwrite


if _VARIABLE in os.environ:
    _install(os.environ[_VARIABLE])
