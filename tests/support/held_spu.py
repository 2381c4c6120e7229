"""An SPU whose disk takes no large writes until a test lets it: `held_spu(folder)`, or run as a module.

Writes of more than `LARGE_BYTES`, which the SPU leaves to a thread, read the named pipe that `GATE` names
first: that waits as long as somebody has it open for writing, and does not once it is an empty file.
"""

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from tests.support.spu_process import SpuUnderTest, spu_under_test

LARGE_BYTES = 1024 * 1024
GATE = "FLUVIO_TEST_GATE"
_ROOT = Path(__file__).parent.parent.parent


class Gate:
    """Closed until `open`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._writer: int | None = os.open(path, os.O_RDWR)

    def open(self) -> None:
        """Let writes through, those that wait and all that come."""
        if self._writer is not None:
            free = self.path.with_suffix(".open")
            free.touch()
            free.replace(self.path)
            os.close(self._writer)
            self._writer = None


@contextlib.asynccontextmanager
async def held_spu(folder: Path, options: Sequence[str] = ()) -> AsyncIterator[tuple[SpuUnderTest, Gate]]:
    """A registered SPU, and what holds its large writes up."""
    gate = Gate(folder / "gate")
    wrapper = ["env", f"{GATE}={gate.path}", f"PYTHONPATH={_ROOT}"]
    async with spu_under_test(folder, options, module=__name__, wrapper=wrapper) as spu:
        try:
            yield spu, gate
        finally:
            gate.open()  # or the SPU could not stop


def main() -> int:
    """Run the SPU with that disk."""
    from fluvio_local_cluster.spu import __main__ as entry
    from fluvio_local_cluster.spu.server import Spu
    from fluvio_local_cluster.storage import Files

    gate = os.environ[GATE]

    def write_when_open(fd: int, data: Any, position: int) -> int:
        if len(data) > LARGE_BYTES:
            Path(gate).read_bytes()
        return os.pwrite(fd, data, position)

    files = Files()
    files.pwrite = write_when_open  # type: ignore[method-assign,assignment]
    make: Callable[..., Spu] = Spu
    entry.Spu = lambda settings: make(settings, files)  # type: ignore[misc,assignment]
    return entry.main()


if __name__ == "__main__":
    raise SystemExit(main())
