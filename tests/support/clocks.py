"""The wall clock of real server processes, moved while they run; see `moved_clock/sitecustomize.py`.

A clock of its own for each process: run it under `clock.wrapper`. `libfaketime` would do more (it moves the
clock of C code, too), but it also moves the times of old files, which no clock of a machine does.
"""

import os
import struct
from pathlib import Path

YEAR_S = 365 * 86_400
_SITE = Path(__file__).parent / "moved_clock"


class MovedClock:
    """Ahead of the real clock by so many seconds, from the next look of its processes on."""

    def __init__(self, path: Path, ahead_s: int = 0) -> None:
        self._path = path
        path.write_bytes(struct.pack("<q", ahead_s))

    def move_to(self, ahead_s: int) -> None:
        """Jump; negative is back in time."""
        fd = os.open(self._path, os.O_WRONLY)  # in place: the processes have the file mapped
        try:
            os.pwrite(fd, struct.pack("<q", ahead_s), 0)
        finally:
            os.close(fd)

    @property
    def wrapper(self) -> list[str]:
        """The command that makes a Python program live by it."""
        return ["env", f"PYTHONPATH={_SITE}", f"FLUVIO_TEST_CLOCK={self._path}"]
