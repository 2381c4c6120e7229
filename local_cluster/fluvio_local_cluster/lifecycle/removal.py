"""Removes what a cluster wrote into its data directory, and nothing that it did not write."""

import os
import re
import stat
from pathlib import Path

from fluvio_local_cluster.lifecycle.lock import LOCK_FILE
from fluvio_local_cluster.lifecycle.naming import log_dir_of, root_of
from fluvio_local_cluster.lifecycle.output import output_files
from fluvio_local_cluster.lifecycle.settings import METADATA_DIR
from fluvio_local_cluster.lifecycle.state import STATE_FILE, ClusterState

_SPU_DIRECTORIES = "spu-logs-"
_SPU_SOCKET = re.compile(r"spu-\d+\.sock")  # of an SPU that was killed
_TRASH = "trash"  # replicas of deleted topics, until an SPU purges them
STAGED = "restoring"  # what a restore has copied, until it moves it to its places


def remove_cluster_files(data_dir: Path) -> list[str]:
    """Remove metadata, records and state (that last: until then the rest can be found again).

    The lock file stays, whoever holds it removes it. Returns the names of what is left because it is not
    the cluster's. Symbolic links are removed, never followed.
    """
    import shutil

    shutil.rmtree(data_dir / STAGED, ignore_errors=True)
    left = remove_contents(data_dir)
    (data_dir / STATE_FILE).unlink(missing_ok=True)
    return left


def remove_contents(data_dir: Path) -> list[str]:
    """Remove metadata and records; else as `remove_cluster_files`."""
    import shutil

    left = []
    for entry in sorted(os.scandir(data_dir), key=lambda entry: entry.name):
        if entry.name in (METADATA_DIR, _TRASH) or entry.name.startswith(_SPU_DIRECTORIES):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
        elif _SPU_SOCKET.fullmatch(entry.name) and stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode):
            os.unlink(entry.path)
        elif entry.name.startswith(f".{STATE_FILE}.") and entry.name.endswith(".tmp"):
            os.unlink(entry.path)  # of a command that was killed while it wrote
        elif entry.name not in (LOCK_FILE, STATE_FILE, STAGED):
            left.append(entry.name)
    return left


def remove_named_directories(state: ClusterState, fluvio_dir: Path) -> None:
    """Remove `~/.fluvio/clusters/NAME`, with the servers' output in it, as far as it holds nothing else."""
    name = state.settings.name
    if name is None:
        return
    log_dir = log_dir_of(fluvio_dir, name)
    if state.settings.log_dir == log_dir:
        for server in state.servers:
            for path in output_files(server.plan.log):
                path.unlink(missing_ok=True)
        remove_if_empty(log_dir)
    remove_if_empty(root_of(fluvio_dir, name))


def remove_if_empty(directory: Path) -> None:
    """Remove a directory if nothing is in it."""
    try:
        directory.rmdir()
    except OSError:
        pass  # not there, or something has come into it: not ours to judge
