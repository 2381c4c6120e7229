"""What a local cluster has in the profile file: a profile and a cluster entry that bear its name.

Entries of a name that lead elsewhere are never changed for a named cluster; those that a named cluster wrote
go with it. The entry `local` of the cluster without a name is written over and stays, as officially.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fluvio_local_cluster.lifecycle.errors import ClusterNameTakenError
from fluvio_local_cluster.lifecycle.places import Places, endpoint_of
from fluvio_local_cluster.lifecycle.progress import Progress
from fluvio_local_cluster.lifecycle.settings import ClusterSettings
from fluvio_local_cluster.lifecycle.state import ClusterState

if TYPE_CHECKING:
    from fluvio_profiles.model import Config


@dataclass(slots=True, frozen=True)
class RemovedEntries:
    """What `remove_entries` took out of the profile file."""

    profile: bool = False
    cluster: bool = False
    was_current: bool = False


def load_or_none(places: Places) -> "Config | None":
    """The profile file; None when there is none. Raises `ConfigBrokenError`."""
    from fluvio_profiles.errors import ConfigMissingError
    from fluvio_profiles.store import load_config

    try:
        return load_config(places.profile_file)
    except ConfigMissingError:
        return None


def require_writable(settings: ClusterSettings, places: Places, *, is_new: bool) -> None:
    """Raise before anything is started if the profile could not be written later, or is another's.

    `ConfigBrokenError`; for a named cluster that `is_new`, `ClusterNameTakenError` where it would change what
    leads elsewhere.
    """
    config = load_or_none(places)
    name = settings.name
    if config is None or name is None or not is_new:
        return
    for what, there, remedy in (
        ("profile", config.profiles, "delete"),
        ("cluster", config.clusters, "delete-cluster"),
    ):
        if name in there:
            hint = f"choose another name, or remove the {what} with `fluvio profile {remedy} {name}`"
            raise ClusterNameTakenError(name, f"the profile file has a {what} of this name", hint=hint)


def lacks_profile(state: ClusterState, places: Places) -> bool:
    """Whether no profile leads to the cluster, and one may be written. The first one may have been renamed.

    The user may also have made something else of the entries of a named cluster: those are left alone.
    """
    config = load_or_none(places)
    if config is None:
        return True
    if profiles_of(state, config):
        return False
    name = state.settings.name
    return name is None or (name not in config.profiles and name not in config.clusters)


def profiles_of(state: ClusterState, config: "Config") -> list[str]:
    """Names of the profiles that lead to the cluster."""
    from fluvio_profiles.protection import clusters_at

    return [
        profile for name, _ in clusters_at(config, endpoint_of(state)) for profile in config.profiles_of(name)
    ]


def write_profile(state: ClusterState, places: Places, progress: Progress) -> None:
    """Write and select the cluster's profile; raises what the profile file does."""
    from fluvio_profiles.store import set_local_profile

    endpoint = endpoint_of(state)
    settings = state.settings
    whose = "Local Profile" if settings.name is None else f"Profile `{settings.name}`"
    progress.step(f"Creating {whose} to: {endpoint}")
    set_local_profile(
        places.profile_file,
        settings.profile_name,
        endpoint,
        "local" if settings.read_only is None else "read_only",
        tls=None if settings.tls is None else settings.tls.for_clients,
    )
    progress.step("👤 Profile set")


def remove_entries(state: ClusterState, places: Places) -> RemovedEntries:
    """Take out the entries that a named cluster wrote, as far as they still lead to it.

    Raises `ConfigBrokenError`, `ConfigWriteError`.
    """
    name = state.settings.name
    config = load_or_none(places)
    if config is None or name is None or not state.settings.save_profile:
        return RemovedEntries()
    removed = RemovedEntries()

    def change(config: "Config") -> None:
        nonlocal removed
        cluster = config.clusters.get(name)
        if cluster is None or cluster.endpoint != endpoint_of(state):
            return
        profile = config.profiles.get(name)
        was_current = config.current_profile == name
        is_ours = profile is not None and profile.cluster == name and config.delete_profile(name)
        if not config.profiles_of(name):
            del config.clusters[name]
        removed = RemovedEntries(is_ours, name not in config.clusters, is_ours and was_current)

    from fluvio_profiles.store import update_config

    update_config(places.profile_file, change)
    return removed
