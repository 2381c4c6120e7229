"""How far a replica's log reaches, seen from its files: for whoever may change nothing there.

The log may be in use meanwhile, or have been left by a crash: only whole batches count, and of those in the
active segment the headers are read, from the last mark on where there is one that fits ("Progress" of
docs/storage-format.md). CRCs are not checked; opening the log does that.
"""

from dataclasses import dataclass
from pathlib import Path

from fluvio_local_cluster.storage import checkpoint, layout, markers, recovery
from fluvio_local_cluster.storage.files import Files
from fluvio_local_cluster.storage.progress import read_progress
from fluvio_local_cluster.storage.verifying import SegmentReader


@dataclass(slots=True, frozen=True)
class Bounds:
    """Offsets: `start` of the first record kept, `leo` behind the last whole batch, `hw` as checkpointed.

    `problem` says what follows the last whole batch, if something does.
    """

    start: int
    hw: int | None
    leo: int
    was_closed: bool  # the last user shut down in order
    problem: str | None = None


def read_bounds(directory: Path, files: Files) -> Bounds | None:
    """The bounds of the log in `directory`; None when it has no segment. Raises `OSError`, `StorageError`."""
    bases = [
        base
        for name in files.listdir(str(directory))
        if (base := layout.base_offset_of(name, layout.LOG_SUFFIX)) is not None
    ]
    if not bases:
        return None
    start, active = min(bases), max(bases)
    hw = checkpoint.read_hw(directory, files)
    path = directory / layout.log_name(active)
    size = files.size(path) or 0
    clean = markers.read_clean(directory, files)
    if clean is not None and clean.segments and clean.segments[-1] == (active, size):
        return Bounds(start, hw, clean.leo, was_closed=True)
    position, offset = 0, active
    mark = read_progress(directory, files).valid_mark(active, markers.read_boot_id())
    if mark is not None and mark.position <= size:
        position, offset = mark.position, mark.next_offset
    with SegmentReader(str(path), files) as read:
        end = recovery.scan(read, position=position, stop=size, offset=offset, check_crc=False)
    return Bounds(start, hw, end.next_offset, was_closed=False, problem=end.problem)
