"""Snapshots: a cluster's data as they were, kept beside it, to go back to or to fork from.

A snapshot is a directory, `~/.fluvio/snapshots/NAME` unless the user names another place: `manifest.json`
(whose it is, of when, what is in it; layout: docs/named-clusters.md) and `data/`, laid out as the cluster's
own data directory, but without a state file, so that no command takes it for a cluster. It is made beside its
place and moved there when it is whole and on the disk, so one that has a manifest is whole. Nothing ever
writes into it; deleting the cluster leaves it; removing the directory removes it.

It belongs to its cluster. `restore` puts the data back into that, with its id, and says so in the state file
before the first file goes: a cluster that is half restored is not started. What shall be used elsewhere is
`fork`ed, under a new id.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fluvio_local_cluster.lifecycle import known
from fluvio_local_cluster.lifecycle import places as place
from fluvio_local_cluster.lifecycle.errors import (
    LocalClusterError,
    RestoreRefusedError,
    SnapshotBrokenError,
    SnapshotExistsError,
    SnapshotNotFoundError,
)
from fluvio_local_cluster.lifecycle.lock import LOCK_FILE, data_directory_lock
from fluvio_local_cluster.lifecycle.naming import root_of
from fluvio_local_cluster.lifecycle.places import Places
from fluvio_local_cluster.lifecycle.preflight import running_servers
from fluvio_local_cluster.lifecycle.progress import Progress
from fluvio_local_cluster.lifecycle.removal import STAGED, remove_contents, remove_if_empty
from fluvio_local_cluster.lifecycle.settings import METADATA_DIR
from fluvio_local_cluster.lifecycle.signals import Signals
from fluvio_local_cluster.lifecycle.sources import CopyWish, Source, copy_source, of_cluster
from fluvio_local_cluster.lifecycle.state import (
    ClusterState,
    Phase,
    ServerRecord,
    from_document,
    load_state,
    save_state,
    to_document,
    write_private_file,
)
from fluvio_local_cluster.lifecycle.upgrade import require_known_version
from fluvio_types.defaults import CONSUMER_OFFSET_TOPIC
from fluvio_types.errors import InvalidNameError
from fluvio_types.names import parse_partition_key

FORMAT = 1
MANIFEST = "manifest.json"
DATA = "data"
_PARTIAL = ".partial"


@dataclass(slots=True, frozen=True)
class SnapshotFile:
    """A file of the snapshot: its path below the snapshot's directory, and bytes."""

    path: str
    size_bytes: int


@dataclass(slots=True)
class Manifest:
    """What a snapshot says about itself. `created_at`: UTC, ISO 8601."""

    name: str
    cluster_id: str
    cluster_name: str | None
    data_dir: str  # of the cluster
    platform_version: str
    created_at: str
    was_running: bool
    topics: dict[str, int]  # partitions of each
    state: ClusterState  # of the cluster, as if it had been shut down
    files: list[SnapshotFile] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size_bytes for file in self.files)


def default_directory(places: Places) -> Path:
    """Where snapshots are unless the user says otherwise."""
    return places.fluvio_dir / "snapshots"


def snapshot(state: ClusterState, directory: Path, name: str, progress: Progress) -> Manifest:
    """Make the snapshot `directory/name` of a cluster, which may be running.

    Raises `SnapshotExistsError`, `LocalClusterError` and what `copy_source` does; then nothing is left.
    """
    target = directory / name
    source = of_cluster(state)
    with Signals() as signals:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _clear_partial(directory)
            with _partial(directory, name) as partial:
                if target.exists():
                    raise SnapshotExistsError(target)
                data = partial / DATA
                data.mkdir()
                was_running = bool(running_servers(state))
                copy_source(source, data, CopyWish(), progress, signals)
                manifest = _describe(state, partial, name, was_running=was_running)
                write_private_file(partial / MANIFEST, json.dumps(_to_document(manifest), indent=1) + "\n")
                _sync(partial)
                signals.check()
                partial.rename(target)
            _sync(directory)
        except OSError as exc:
            if target.exists():
                raise SnapshotExistsError(target) from exc
            raise LocalClusterError(f"the snapshot {target} cannot be made: {exc.strerror or exc}") from exc
    return manifest


def _describe(state: ClusterState, partial: Path, name: str, *, was_running: bool) -> Manifest:
    files = [
        SnapshotFile(os.path.relpath(os.path.join(parent, each), partial), size)
        for parent, _, names in os.walk(partial / DATA)
        for each in names
        for size in (os.lstat(os.path.join(parent, each)).st_size,)
    ]
    return Manifest(
        name=name,
        cluster_id=state.cluster_id,
        cluster_name=state.settings.name,
        data_dir=str(state.settings.data_dir),
        platform_version=state.platform_version,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        was_running=was_running,
        topics=_topics(partial / DATA / METADATA_DIR),
        state=replace(
            state, phase=Phase.STOPPED, servers=[ServerRecord(server.plan) for server in state.servers]
        ),
        files=sorted(files, key=lambda file: file.path),
    )


def _topics(metadata: Path) -> dict[str, int]:
    """Partitions of each topic that users see."""
    counts: dict[str, int] = {path.stem: 0 for path in sorted(metadata.glob("Topic/*.yaml"))}
    for path in metadata.glob("Partition/*.yaml"):
        try:
            topic, _ = parse_partition_key(path.stem)
        except InvalidNameError:
            continue
        if topic in counts:
            counts[topic] += 1
    counts.pop(CONSUMER_OFFSET_TOPIC, None)
    return counts


@contextmanager
def _partial(directory: Path, name: str) -> Iterator[Path]:
    """A directory to make a snapshot in, which is gone afterwards unless it was moved; locked meanwhile."""
    path = directory / f".{name}.{os.getpid()}{_PARTIAL}"
    path.mkdir(mode=0o700)
    try:
        with data_directory_lock(path):
            yield path
            (path.parent / name / LOCK_FILE).unlink(missing_ok=True)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _clear_partial(directory: Path) -> None:
    """Remove what snapshots that were killed have left: nobody holds its lock."""
    for path in directory.glob(f".*{_PARTIAL}"):
        try:
            with data_directory_lock(path):
                shutil.rmtree(path, ignore_errors=True)
        except (LocalClusterError, OSError):
            continue  # it is being made


def list_snapshots(directory: Path) -> list[Manifest]:
    """The snapshots in a directory, the oldest first; what is none, or cannot be read, is not among them."""
    found = []
    for path in directory.glob(f"*/{MANIFEST}"):
        try:
            found.append(load_manifest(path.parent))
        except LocalClusterError:
            continue
    return sorted(found, key=lambda manifest: (manifest.created_at, manifest.name))


def load_manifest(path: Path) -> Manifest:
    """Read the manifest of the snapshot in `path`. Raises `SnapshotNotFoundError`, `SnapshotBrokenError`."""
    try:
        document = json.loads((path / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise SnapshotNotFoundError(path) from None
    except (OSError, ValueError) as exc:
        raise SnapshotBrokenError(path, str(exc)) from exc
    try:
        if document["format"] != FORMAT:
            raise SnapshotBrokenError(path, f"format {document['format']} is not known here")
        return Manifest(
            name=str(document["name"]),
            cluster_id=str(document["clusterId"]),
            cluster_name=document["clusterName"],
            data_dir=str(document["dataDir"]),
            platform_version=str(document["platformVersion"]),
            created_at=str(document["createdAt"]),
            was_running=bool(document["wasRunning"]),
            state=from_document(document["state"]),
            topics={str(topic["name"]): int(topic["partitions"]) for topic in document["topics"]},
            files=[SnapshotFile(str(file["path"]), int(file["sizeBytes"])) for file in document["files"]],
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise SnapshotBrokenError(path, f"{type(exc).__name__}: {exc}") from exc


def _to_document(manifest: Manifest) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": manifest.name,
        "clusterId": manifest.cluster_id,
        "clusterName": manifest.cluster_name,
        "dataDir": manifest.data_dir,
        "platformVersion": manifest.platform_version,
        "createdAt": manifest.created_at,
        "wasRunning": manifest.was_running,
        "state": to_document(manifest.state),
        "topics": [{"name": name, "partitions": count} for name, count in manifest.topics.items()],
        "files": [{"path": file.path, "sizeBytes": file.size_bytes} for file in manifest.files],
    }


def of_snapshot(path: Path) -> Source:
    """The data of the snapshot in `path`, once they were seen to be whole.

    Raises `SnapshotNotFoundError`, `SnapshotBrokenError`, `DowngradeError`.
    """
    manifest = load_manifest(path)
    require_known_version(manifest.platform_version)
    for file in manifest.files:
        try:
            size_bytes = os.lstat(path / file.path).st_size
        except OSError:
            raise SnapshotBrokenError(path, f"{file.path} is not there") from None
        if size_bytes != file.size_bytes:
            raise SnapshotBrokenError(path, f"{file.path} has {size_bytes} bytes, not {file.size_bytes}")
    return Source(manifest.state, path / DATA, is_snapshot=True)


def cluster_of(manifest: Manifest, places: Places) -> ClusterState | None:
    """The cluster that a snapshot is of, if it is still there."""
    for _, state in known.clusters(places):
        if isinstance(state, ClusterState) and state.cluster_id == manifest.cluster_id:
            return state
    return None


def restore(path: Path, places: Places, progress: Progress) -> ClusterState:
    """Put the data of the snapshot in `path` back into its cluster, which is stopped and stays so.

    A cluster that was deleted meanwhile is there again, in its old directory. Raises `RestoreRefusedError`
    for one that runs, or whose directory has something else; else as `of_snapshot` and `copy_source` do. Up
    to the moment when all is copied a failure leaves the cluster as it was.
    """
    source = of_snapshot(path)
    manifest = load_manifest(path)
    present = cluster_of(manifest, places)
    data_dir = Path(manifest.data_dir) if present is None else present.settings.data_dir
    try:
        with Signals() as signals:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            with data_directory_lock(data_dir):
                state = _state_to_be(source, data_dir, places)
                _put_back(source, state, places, progress, signals)
    except OSError as exc:
        raise LocalClusterError(f"restoring to {data_dir} failed: {exc.strerror or exc}") from exc
    finally:
        if load_state(data_dir) is None:  # it was refused, and there was nothing before
            (data_dir / LOCK_FILE).unlink(missing_ok=True)
            remove_if_empty(data_dir)
            if source.state.settings.name is not None:
                remove_if_empty(root_of(places.fluvio_dir, source.state.settings.name))
    progress.headline(f"🎉 Restored snapshot {manifest.name} of {manifest.created_at}")
    progress.headline(f"Run: fluvio cluster resume{known.option_for(places, state)} to start the cluster")
    return state


def _put_back(
    source: Source, state: ClusterState, places: Places, progress: Progress, signals: Signals
) -> None:
    """Copy beside the present data, then put the one in the place of the other; that is not interrupted."""
    data_dir = state.settings.data_dir
    staged = data_dir / STAGED
    shutil.rmtree(staged, ignore_errors=True)
    try:
        staged.mkdir()
        own = frozenset(spu.plan.spu_name for spu in state.spus)
        copy_source(source, staged, CopyWish(without_spus=own), progress, signals)
        signals.check()
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    state.phase = Phase.RESTORING
    save_state(state)
    place.remember(places, state)
    remove_contents(data_dir)
    for entry in sorted(staged.iterdir()):
        entry.rename(data_dir / entry.name)
    staged.rmdir()
    _sync(data_dir)
    state.phase = Phase.STOPPED
    save_state(state)


def _state_to_be(source: Source, data_dir: Path, places: Places) -> ClusterState:
    """The state of the restored cluster: as it is now, or as it was if the cluster is gone."""
    present = load_state(data_dir)
    if present is None:
        others = [name for name in os.listdir(data_dir) if name != LOCK_FILE]
        if others:
            raise RestoreRefusedError(f"{data_dir} holds what is not of a cluster: {', '.join(others[:4])}")
        settings = replace(source.state.settings, data_dir=data_dir)
        if settings.name is not None:
            known.require_free_name(places, settings.name, data_dir)
        return replace(source.state, settings=settings)
    if present.cluster_id != source.state.cluster_id:
        raise RestoreRefusedError(
            f"another cluster is in {data_dir} by now",
            hint="`fluvio cluster fork SNAPSHOT NEW_NAME --snapshot` starts a new one with these data",
        )
    running = running_servers(present)
    if running:
        raise RestoreRefusedError(
            f"the cluster in {data_dir} is running: {', '.join(running)}",
            hint=f"stop it first with `fluvio cluster shutdown{known.option_for(places, present)}`",
        )
    return present


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
