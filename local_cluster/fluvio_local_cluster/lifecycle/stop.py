"""`shutdown` and `delete` of a cluster on this machine."""

from dataclasses import dataclass
from pathlib import Path

from fluvio_local_cluster.lifecycle import processes
from fluvio_local_cluster.lifecycle.errors import ForeignDirectoryError, StopFailedError
from fluvio_local_cluster.lifecycle.lock import LOCK_FILE, data_directory_lock
from fluvio_local_cluster.lifecycle.places import Places, forget, state_in
from fluvio_local_cluster.lifecycle.profile_entries import RemovedEntries, load_or_none, remove_entries
from fluvio_local_cluster.lifecycle.progress import Progress
from fluvio_local_cluster.lifecycle.removal import (
    remove_cluster_files,
    remove_if_empty,
    remove_named_directories,
)
from fluvio_local_cluster.lifecycle.signals import Signals
from fluvio_local_cluster.lifecycle.state import ClusterState, Phase, ServerRecord, load_state, save_state

GRACE_S = 10.0  # from SIGTERM to SIGKILL


def shutdown(data_dir: Path, progress: Progress) -> bool:
    """Stop the cluster in `data_dir` and keep its data; False if nothing of it was running.

    Raises `NoLocalClusterError`, `ClusterBusyError`, `StopFailedError`. It is not cut by signals: it takes
    little longer than the 10 s that servers have to end by themselves, twice.
    """
    state_in(data_dir)
    with Signals(), data_directory_lock(data_dir):
        state = state_in(data_dir)
        progress.step("Uninstalling fluvio local components")
        stopped = stop_servers(state)
        if state.phase is Phase.RUNNING:
            state.phase = Phase.STOPPED
        save_state(state)
        progress.step("Uninstalled fluvio local components")
    return stopped


@dataclass(slots=True, frozen=True)
class Deleted:
    """What a `delete` left and took beside the cluster's data."""

    left: list[str]  # names of files in the data directory that are not the cluster's
    entries: RemovedEntries  # of the profile file


def delete(data_dir: Path, places: Places, progress: Progress) -> Deleted:
    """Stop the cluster in `data_dir` and remove its data and records.

    Of a cluster without a name the profile and what the servers printed stay; one that has a name goes
    with all of `~/.fluvio/clusters/NAME`, and with its profile and cluster entries where they lead to it.
    Raises `ForeignDirectoryError` without a state file there, else as `shutdown`, and what the profile file
    does.
    """
    if load_state(data_dir) is None:
        raise ForeignDirectoryError(data_dir)
    with Signals():
        with data_directory_lock(data_dir):
            state = state_in(data_dir)
            if state.settings.name is not None:
                load_or_none(places)  # a file that cannot be read is told of before anything is gone
            progress.step("Uninstalling fluvio local components")
            stop_servers(state)
            save_state(state)
            entries = remove_entries(state, places)
            left = remove_cluster_files(data_dir)
            forget(places, state)
            (data_dir / LOCK_FILE).unlink(missing_ok=True)
        if not left:
            remove_if_empty(data_dir)
        if state.settings.name is not None:
            remove_named_directories(state, places.fluvio_dir)
        progress.step("Uninstalled fluvio local components")
    return Deleted(left, entries)


def stop_servers(state: ClusterState) -> bool:
    """End the cluster's processes, SPUs before the SC, and note it in `state` (not in its file).

    False if none was running. Processes that are not those recorded are left alone.
    """
    running = [
        record
        for record in state.servers
        if record.process is not None and processes.is_running(record.process)
    ]
    stuck: list[int] = []
    for group in (state.spus, [state.sc]):
        identities = [record.process for record in group if record.process is not None]
        stuck += processes.stop(identities, GRACE_S)
        _note_ended(group, stuck)
    if stuck:
        save_state(state)
        raise StopFailedError(stuck)
    return bool(running)


def _note_ended(group: list[ServerRecord], stuck: list[int]) -> None:
    for record in group:
        if record.process is not None and record.process.pid not in stuck:
            record.process = None
