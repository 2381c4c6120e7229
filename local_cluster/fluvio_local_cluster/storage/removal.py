"""Deleting a replica: out of sight at once and for good, its bytes freed later.

A rename is atomic, also across a power loss once the directories are synced: a deleted topic can never
come back half, and the slow unlinking of large files happens when the caller has time.
"""

import time
from collections.abc import Callable
from pathlib import Path

from fluvio_local_cluster.storage import layout
from fluvio_local_cluster.storage.errors import write_failure
from fluvio_local_cluster.storage.files import Files

_NS = 1_000_000_000


def remove(
    directory: Path, *, files: Files | None = None, clock: Callable[[], float] = time.time
) -> Path | None:
    """Move a replica's directory, whose log must be closed, into `<base>/trash/`; returns its place there.

    None when there was no such directory. `clock`: seconds since 1970. Raises `StorageError`.
    """
    files = files if files is not None else Files()
    trash = directory.parent.parent / layout.TRASH_DIRECTORY
    stamp = int(clock() * _NS)
    try:
        files.make_directories(trash)
        while True:
            target = trash / f"{directory.name}.{stamp}"
            if not target.exists():
                break
            stamp += 1
        try:
            files.replace(directory, target)
        except FileNotFoundError:
            return None
        files.sync_directory(directory.parent)
        files.sync_directory(trash)
    except OSError as exc:
        raise write_failure(exc, f"removing {directory}") from exc
    return target


def purge_trash(base: Path, older_than_s: float, *, clock: Callable[[], float] = time.time) -> int:
    """Free what was removed more than `older_than_s` seconds ago; returns how many replicas.

    Several SPUs that share `base` may purge at once. What does not bear our kind of name stays.
    """
    limit = (clock() - older_than_s) * _NS
    purged = 0
    trash = base / layout.TRASH_DIRECTORY
    if not trash.is_dir():
        return 0
    import shutil  # loads the archivers: only who has something to purge shall wait for that

    for path in trash.iterdir():
        stamp = path.name.rpartition(".")[2]
        if stamp.isdigit() and int(stamp) <= limit:
            shutil.rmtree(path, ignore_errors=True)
            purged += not path.exists()
    return purged
