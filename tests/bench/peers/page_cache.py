"""What "cold" means: the files are on the disk, and the kernel keeps none of their pages."""

import os
from collections.abc import Iterable
from pathlib import Path

CAN_DROP = hasattr(os, "posix_fadvise")  # not on macOS


def drop(files: Iterable[Path]) -> None:
    """Write the files to the disk and take their pages out of the page cache.

    What servers and disks keep in memory of their own stays.
    """
    for path in files:
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # a server may delete files while they are listed
        try:
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)
