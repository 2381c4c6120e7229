"""Removes what a cluster wrote into its data directory, and nothing that it did not write."""

import os
import re
import stat
from pathlib import Path

from fluvio_local_cluster.lifecycle.lock import LOCK_FILE
from fluvio_local_cluster.lifecycle.settings import METADATA_DIR
from fluvio_local_cluster.lifecycle.state import STATE_FILE

_SPU_DIRECTORIES = "spu-logs-"
_SPU_SOCKET = re.compile(r"spu-\d+\.sock")  # of an SPU that was killed
_TRASH = "trash"  # replicas of deleted topics, until an SPU purges them


def remove_cluster_files(data_dir: Path) -> list[str]:
    """Remove metadata, records and state (that last: until then the rest can be found again).

    The lock file stays, whoever holds it removes it. Returns the names of what is left because it is not
    the cluster's. Symbolic links are removed, never followed.
    """
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
        elif entry.name not in (LOCK_FILE, STATE_FILE):
            left.append(entry.name)
    (data_dir / STATE_FILE).unlink(missing_ok=True)
    return left
