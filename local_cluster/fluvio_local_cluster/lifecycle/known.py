"""Which clusters of this user there are on this machine, and how new ones keep out of their way.

Clusters are found where their records lead (`places`), in `~/.fluvio/data` and in
`~/.fluvio/clusters/*/data`; the state file there says the rest. Whoever starts a cluster holds `reserving`
from the look at names and ports of the others until its own are written down: so starts at the same moment
choose different ports, and one of two with the same name is refused. A stopped cluster keeps its ports.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fluvio_local_cluster.lifecycle.errors import (
    ClusterNameTakenError,
    NoLocalClusterError,
    StateBrokenError,
)
from fluvio_local_cluster.lifecycle.naming import data_dir_of, is_reserved, is_same
from fluvio_local_cluster.lifecycle.places import Places
from fluvio_local_cluster.lifecycle.settings import PROFILE_NAME
from fluvio_local_cluster.lifecycle.state import ClusterState, load_state


def data_directories(places: Places) -> list[Path]:
    """Where clusters may be, each once; some have none any more."""
    found = [data_dir_of(places.fluvio_dir, PROFILE_NAME)]
    for path in sorted(places.records.glob("*.json")):
        try:
            found.append(Path(json.loads(path.read_bytes())["data_dir"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # being removed, or not one of ours: it leads nowhere
    found += sorted((places.fluvio_dir / "clusters").glob("*/data"))
    return list(dict.fromkeys(found))


def clusters(places: Places) -> Iterator[tuple[Path, ClusterState | StateBrokenError]]:
    """Every cluster with its data directory; what keeps its state from being read in the place of that."""
    for data_dir in data_directories(places):
        try:
            state = load_state(data_dir)
        except StateBrokenError as exc:
            yield data_dir, exc
            continue
        if state is not None:
            yield data_dir, state


def find_named(places: Places, name: str) -> ClusterState:
    """The cluster `name`; `local` is the one without a name.

    Raises `NoLocalClusterError`, `StateBrokenError`.
    """
    data_dir = data_dir_of(places.fluvio_dir, name)
    if is_reserved(name):
        state = load_state(data_dir)
        if state is not None:
            return state
    for found_in, state_or_error in clusters(places):
        if isinstance(state_or_error, ClusterState):
            if state_or_error.settings.name == name:
                return state_or_error
        elif found_in == data_dir:
            raise state_or_error
    raise NoLocalClusterError(f"named `{name}`", hint="`fluvio cluster list` shows those there are")


def option_for(places: Places, state: ClusterState) -> str:
    """What stands behind a command that shall mean this cluster, whatever the profile: ` --name A`."""
    settings = state.settings
    if settings.name is None and settings.data_dir == data_dir_of(places.fluvio_dir, PROFILE_NAME):
        return f" --name {PROFILE_NAME}"
    return settings.by_name or f" --data-dir {settings.data_dir}"


def require_free_name(places: Places, name: str, data_dir: Path) -> None:
    """Raise `ClusterNameTakenError` if another cluster than the one in `data_dir` has the name, or nearly."""
    for found_in, state in clusters(places):
        if (
            isinstance(state, ClusterState)
            and found_in != data_dir
            and state.settings.name is not None
            and is_same(state.settings.name, name)
        ):
            raise ClusterNameTakenError(state.settings.name, f"the cluster in {found_in} has it")


def taken_ports(places: Places, data_dir: Path) -> set[int]:
    """All ports of the clusters there are, running or not, but for the one in `data_dir`."""
    return {
        endpoint.port
        for found_in, state in clusters(places)
        if isinstance(state, ClusterState) and found_in != data_dir
        for server in state.servers
        for endpoint in server.plan.endpoints
    }


@contextmanager
def reserving(places: Places) -> Iterator[None]:
    """Keep other starts from choosing names and ports meanwhile; they wait. Not for long work."""
    places.fluvio_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    places.records.mkdir(mode=0o700, exist_ok=True)
    if sys.platform == "win32":  # nothing is started there
        yield
        return
    import fcntl

    descriptor = os.open(places.records, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
