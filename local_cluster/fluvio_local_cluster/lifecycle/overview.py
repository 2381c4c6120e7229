"""What there is of clusters on this machine, for `cluster list`.

Seen at state files and processes: no server is asked, so a cluster that hangs hangs nobody here.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fluvio_local_cluster.lifecycle import known
from fluvio_local_cluster.lifecycle.naming import data_dir_of
from fluvio_local_cluster.lifecycle.places import Places, endpoint_of
from fluvio_local_cluster.lifecycle.processes import is_running
from fluvio_local_cluster.lifecycle.profile_entries import profiles_of
from fluvio_local_cluster.lifecycle.settings import PROFILE_NAME
from fluvio_local_cluster.lifecycle.state import ClusterState, Phase

if TYPE_CHECKING:
    from fluvio_profiles.model import Config

RUNNING, PARTLY, STOPPED, STARTING, RESTORING, BROKEN = (
    *("running", "partly", "stopped", "starting", "restoring", "broken"),
)


@dataclass(slots=True, frozen=True)
class ClusterSummary:
    """One cluster of this user. What a state file that cannot be read would have said is None."""

    name: str | None  # `local` in the default directory; None: one that only its directory tells apart
    state: str  # running, partly (some servers ended), stopped, starting, restoring, broken
    data_dir: Path
    size_bytes: int  # of all files in the data directory
    endpoint: str | None = None
    cluster_id: str | None = None
    spus_running: int | None = None
    spus: int | None = None
    platform_version: str | None = None
    created_at: str | None = None
    profiles: tuple[str, ...] = ()


def summaries(places: Places, config: "Config | None") -> list[ClusterSummary]:
    """All clusters, that without a name first, then by name, then by directory."""
    default = data_dir_of(places.fluvio_dir, PROFILE_NAME)
    found = []
    for data_dir, state in known.clusters(places):
        unnamed = PROFILE_NAME if data_dir == default else None
        if isinstance(state, ClusterState):
            found.append(_summary(state, unnamed, config))
        else:
            found.append(ClusterSummary(unnamed, BROKEN, data_dir, size_of(data_dir)))
    return sorted(found, key=lambda each: (each.data_dir != default, each.name or "~", str(each.data_dir)))


def _summary(state: ClusterState, unnamed: str | None, config: "Config | None") -> ClusterSummary:
    running = [server for server in state.servers if server.process and is_running(server.process)]
    data_dir = state.settings.data_dir
    return ClusterSummary(
        name=state.settings.name or unnamed,
        state=_word(state, len(running)),
        data_dir=data_dir,
        size_bytes=size_of(data_dir),
        endpoint=endpoint_of(state),
        cluster_id=state.cluster_id,
        spus_running=sum(server in running for server in state.spus),
        spus=len(state.spus),
        platform_version=state.platform_version,
        created_at=state.created_at,
        profiles=() if config is None else tuple(profiles_of(state, config)),
    )


def _word(state: ClusterState, running: int) -> str:
    if state.phase is Phase.RESTORING:
        return RESTORING
    if state.phase is Phase.STARTING:
        return STARTING
    if running == len(state.servers):
        return RUNNING
    return PARTLY if running else STOPPED


def size_of(directory: Path) -> int:
    """Bytes of all files below `directory`; what goes meanwhile is not counted."""
    total = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:
                continue
    return total
