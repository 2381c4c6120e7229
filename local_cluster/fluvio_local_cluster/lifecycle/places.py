"""Where the program's own files are, and which cluster of this machine an address means.

Layout: docs/local-cluster.md, "Files". Beside the official `local-config` there is one small file per
cluster, `~/.fluvio/local-clusters/<cluster id>.json`, that leads from the address of its controller to its
data directory: profiles know addresses only. Where two stopped clusters had the same address, the one
started last is meant.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fluvio_local_cluster.lifecycle.errors import NoLocalClusterError
from fluvio_local_cluster.lifecycle.settings import dialled
from fluvio_local_cluster.lifecycle.state import ClusterState, load_state, write_private_file


@dataclass(slots=True, frozen=True)
class Places:
    """Files of the user that a cluster touches outside of its own directories."""

    fluvio_dir: Path  # ~/.fluvio
    profile_file: Path

    @property
    def local_config(self) -> Path:
        """Settings of the cluster started last, in the official command line's form."""
        return self.fluvio_dir / "local-config"

    @property
    def records(self) -> Path:
        """The directory with one file per cluster."""
        return self.fluvio_dir / "local-clusters"


def find_state(places: Places, address: str) -> ClusterState:
    """The cluster whose controller is (or was, or will be again) at `address`.

    Raises `NoLocalClusterError`, `StateBrokenError`.
    """
    found: list[tuple[float, Path]] = []
    for path in places.records.glob("*.json"):
        try:
            record = json.loads(path.read_bytes())
            if record["endpoint"] == address:
                found.append((path.stat().st_mtime, Path(record["data_dir"])))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # being removed, or not one of ours: it then leads nowhere
    for _, data_dir in sorted(found, reverse=True):
        state = load_state(data_dir)
        if state is not None and endpoint_of(state) == address:
            return state
    raise NoLocalClusterError(f"at {address}")


def state_in(data_dir: Path) -> ClusterState:
    """The cluster in `data_dir`. Raises `NoLocalClusterError`, `StateBrokenError`."""
    state = load_state(data_dir)
    if state is None:
        raise NoLocalClusterError(f"in {data_dir}")
    return state


def endpoint_of(state: ClusterState) -> str:
    """The address that clients and the profile use for the cluster."""
    return str(dialled(state.sc.plan.public))


def remember(places: Places, state: ClusterState) -> None:
    """Write the record that leads from the cluster's address to its data directory."""
    places.fluvio_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    places.records.mkdir(mode=0o700, exist_ok=True)
    document = {"endpoint": endpoint_of(state), "data_dir": str(state.settings.data_dir)}
    write_private_file(_record_path(places, state), json.dumps(document) + "\n")


def forget(places: Places, state: ClusterState) -> None:
    """Remove what `remember` and `write_local_config` wrote for this cluster."""
    _record_path(places, state).unlink(missing_ok=True)
    if local_config_data_dir(places) == state.settings.data_dir:
        places.local_config.unlink(missing_ok=True)


def write_local_config(places: Places, state: ClusterState) -> None:
    """Write `local-config`; keys are the official command line's, without those that mean nothing here."""
    import tomli_w

    from fluvio_profiles.model import Tls, tls_document

    settings = state.settings
    document: dict[str, Any] = {
        "platform_version": state.platform_version,
        "log_dir": str(settings.log_dir),
        "data_dir": str(settings.data_dir),
        "rust_log": settings.log_filter,
        "spu_replicas": settings.spu_count,
        "sc_pub_addr": str(state.sc.plan.public),
        "sc_priv_addr": str(state.sc.plan.private),
        "skip_checks": settings.skip_checks,
        "hide_spinner": False,
        "installation_type": "local" if settings.read_only is None else "read_only",
        "save_profile": settings.save_profile,
        "server_tls_policy": tls_document(Tls() if settings.tls is None else settings.tls.for_servers),
        "client_tls_policy": tls_document(Tls() if settings.tls is None else settings.tls.for_clients),
    }
    if settings.read_only is not None:
        document["read_only_config"] = str(settings.read_only)
    write_private_file(places.local_config, tomli_w.dumps(document))


def local_config_data_dir(places: Places) -> Path | None:
    """The data directory that `local-config` names; None without a readable file."""
    named = read_local_config(places).get("data_dir")
    return Path(named) if isinstance(named, str) else None


def read_local_config(places: Places) -> dict[str, Any]:
    """What `local-config` says, whoever wrote it; nothing without a readable file."""
    try:
        content = places.local_config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    import tomllib

    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError:
        return {}


def _record_path(places: Places, state: ClusterState) -> Path:
    return places.records / f"{state.cluster_id}.json"
