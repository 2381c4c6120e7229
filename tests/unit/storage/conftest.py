"""Storage syncs at every turn, and no test here needs a real disk: take one in memory where there is one."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    if not _MEMORY.is_dir():
        yield tmp_path
        return
    directory = Path(tempfile.mkdtemp(prefix="fluvio-storage-", dir=_MEMORY))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
