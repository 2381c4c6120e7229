"""What a server of others is like for the comparison: one process, one temporary directory."""

import shutil
import tempfile
from pathlib import Path

import psutil

from tests.bench.peers.server_process import ServerProcess


class ForeignServer:
    """The half of `engine.Server` that does not depend on whose it is. `start` sets all three fields."""

    data_files_named: str  # those in the directory `data` that hold records, as a pattern

    def __init__(self) -> None:
        self._process: ServerProcess | None = None
        self._folder: Path | None = None
        self._endpoint = ""

    def _new_folder(self) -> Path:
        self._folder = Path(tempfile.mkdtemp(prefix="bench-peer-"))
        return self._folder

    def stop(self) -> None:
        """See `engine.Server`."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    @property
    def endpoint(self) -> str:
        """See `engine.Server`."""
        return self._endpoint

    def processes(self) -> list[psutil.Process]:
        """See `engine.Server`."""
        assert self._process is not None, "not started"
        return [self._process.process]

    def data_files(self) -> list[Path]:
        """See `engine.Server`."""
        assert self._folder is not None, "not started"
        found = (self._folder / "data").rglob(self.data_files_named)
        return sorted(path for path in found if path.is_file())
