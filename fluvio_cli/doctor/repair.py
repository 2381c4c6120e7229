"""What `--fix` does. Each repair looks again under its lock: what has changed meanwhile is left alone."""

import stat
from pathlib import Path

from fluvio_cli.doctor.model import Fix, Repair


def apply(repair: Repair) -> str | None:
    """Do it, and say what was done; None when there is nothing to do any more.

    Raises `OSError`, `LocalClusterError`.
    """
    if repair.fix is Fix.NOTE_STOPPED:
        return _note_stopped(repair.place)
    mode = repair.place.lstat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISSOCK(mode)):
        return None
    repair.place.unlink()
    return f"removed {repair.place}"


def _note_stopped(data_dir: Path) -> str | None:
    from fluvio_local_cluster.lifecycle.lock import data_directory_lock
    from fluvio_local_cluster.lifecycle.places import state_in
    from fluvio_local_cluster.lifecycle.preflight import running_servers
    from fluvio_local_cluster.lifecycle.state import Phase, save_state

    with data_directory_lock(data_dir):
        state = state_in(data_dir)
        if running_servers(state) or state.phase is not Phase.RUNNING:
            return None
        for server in state.servers:
            server.process = None
        state.phase = Phase.STOPPED
        save_state(state)
    return f"noted that the cluster in {data_dir} is stopped; its data are as they were"
