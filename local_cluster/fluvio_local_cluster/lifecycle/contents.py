"""Copies what a cluster holds, metadata and records, from one directory to another, while it runs or not.

Order, and why:

1. **Offsets of consumers**, then **records of topics**: so no consumer stands behind records that the copy
   lacks.
2. **Metadata** last. A topic that was deleted meanwhile is then not in the metadata, and its records are put
   away by the SPU that finds them; the other way round a topic would be there without its records. A topic
   that was made meanwhile is empty, as it was a moment ago; one that was made anew has another incarnation,
   to which the records of the old one are not given.
3. Topics before their partitions, once more if either changed meanwhile: a topic's file has all that is
   needed to make those of its partitions again.

Each partition is as it was at one moment, not all at the same one: no more is promised of partitions
anywhere. How one replica is copied: `storage.copying`. What is not a cluster's data stays behind: locks,
sockets, trash, what servers print.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fluvio_local_cluster.lifecycle.metadata_files import CLUSTER_ID_FILE
from fluvio_local_cluster.lifecycle.settings import METADATA_DIR
from fluvio_local_cluster.storage.copying import CopySettings, CopyTotals, copy_replica
from fluvio_types.defaults import CONSUMER_OFFSET_TOPIC
from fluvio_types.errors import InvalidNameError
from fluvio_types.names import parse_partition_key

SPU_DIRECTORIES = "spu-logs-*"
_TRIES = 5  # of a copy whose source changes under it
_TOPICS_FIRST = ("Topic", "Partition")
_SYNC_THREADS = 16
_TEMPORARY_SUFFIX = ".tmp"


@dataclass(slots=True, frozen=True)
class ContentSettings:
    """What is done on the way: how replicas are copied, and what of the metadata is left out."""

    replicas: CopySettings
    without_spus: frozenset[str] = frozenset()  # names of SPUs that will register anew, at other ports


def copy_contents(source: Path, target: Path, settings: ContentSettings) -> CopyTotals:
    """Copy metadata and records of the cluster in `source` into the directory `target`, which has none.

    Raises `OSError`, and what `settings.replicas.advance` does: then `target` is to be cleared.
    """
    totals = CopyTotals()
    for replica in _replicas(source):
        parent = target / replica.parent.name
        parent.mkdir(exist_ok=True)
        for _ in range(_TRIES):
            if copy_replica(replica, parent / replica.name, settings.replicas, totals):
                break
            if not replica.is_dir():
                break  # its topic was deleted meanwhile
        else:
            raise OSError(f"{replica} changes faster than it can be copied")
    if (source / METADATA_DIR).is_dir():
        _copy_metadata(source / METADATA_DIR, target / METADATA_DIR, settings)
        totals.unsynced += (target / METADATA_DIR).rglob("*")
    totals.unsynced += [target, *target.glob(SPU_DIRECTORIES), *target.glob(METADATA_DIR)]
    _sync_all(totals.unsynced, settings.replicas.advance)
    return totals


def _sync_all(paths: Iterable[Path], advance: Callable[[int], None]) -> None:
    """Wait until files and directories are on the disk; those that are gone again do not matter.

    By several threads, since file systems write what comes together in one go.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_SYNC_THREADS, "sync") as threads:
        for _ in threads.map(_sync, paths):
            advance(0)


def _sync(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replicas(source: Path) -> Iterator[Path]:
    """Directories of replicas, those of consumers' offsets first."""
    found = sorted(
        path for parent in source.glob(SPU_DIRECTORIES) for path in parent.iterdir() if path.is_dir()
    )
    yield from sorted(found, key=lambda path: not _has_offsets(path.name))


def _has_offsets(name: str) -> bool:
    try:
        return parse_partition_key(name)[0] == CONSUMER_OFFSET_TOPIC
    except InvalidNameError:
        return False


def _copy_metadata(source: Path, target: Path, settings: ContentSettings) -> None:
    """Copy the controller's files, and give them the id of the cluster that they are to be of."""
    target.mkdir()
    for kind in _TOPICS_FIRST:
        (target / kind).mkdir()
    for _ in range(_TRIES):
        before = _signature(source)
        for kind in _TOPICS_FIRST:
            _copy_kind(source / kind, target / kind, settings)
        if _signature(source) == before:
            break
    for directory in sorted(path for path in source.iterdir() if path.is_dir()):
        if directory.name not in _TOPICS_FIRST:
            (target / directory.name).mkdir()
            _copy_kind(directory, target / directory.name, settings)
    cluster_id = settings.replicas.cluster_id
    if cluster_id is not None:
        (target / CLUSTER_ID_FILE).write_text(f"{cluster_id}\n", encoding="ascii")
    elif (source / CLUSTER_ID_FILE).exists():
        (target / CLUSTER_ID_FILE).write_bytes((source / CLUSTER_ID_FILE).read_bytes())


def _signature(metadata: Path) -> list[tuple[str, int]]:
    """Which topics and partitions there are; a topic that was made anew is another one."""
    found = []
    for kind in _TOPICS_FIRST:
        try:
            entries = list(os.scandir(metadata / kind))
        except FileNotFoundError:
            continue
        found += [
            (f"{kind}/{entry.name}", entry.inode() if kind == "Topic" else 0)
            for entry in entries
            if not entry.name.startswith(".")
        ]
    return sorted(found)


def _copy_kind(source: Path, target: Path, settings: ContentSettings) -> None:
    """Make `target` hold what `source` does: objects, and what was set aside in directories below."""
    try:
        entries = sorted(os.scandir(source), key=lambda entry: entry.name)
    except FileNotFoundError:
        entries = []
    names = {entry.name for entry in entries}
    for path in target.iterdir():
        if path.name not in names and path.is_file():
            path.unlink()  # of an earlier round
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            (target / entry.name).mkdir(exist_ok=True)
            _copy_kind(Path(entry.path), target / entry.name, settings)
        elif not entry.name.endswith(_TEMPORARY_SUFFIX) and not _is_left_out(source, entry.name, settings):
            try:
                data = Path(entry.path).read_bytes()
            except FileNotFoundError:
                continue  # deleted just now
            (target / entry.name).write_bytes(data)


def _is_left_out(directory: Path, name: str, settings: ContentSettings) -> bool:
    return directory.name == "SPU" and name.removesuffix(".yaml") in settings.without_spus
