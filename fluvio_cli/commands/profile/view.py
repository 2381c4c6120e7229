"""Profiles as plain data and as a table, in the official command line's keys and columns."""

from typing import Any

from fluvio_cli.output.table import render_table
from fluvio_profiles import protection
from fluvio_profiles.model import Cluster, Config, Installation, TlsPolicy, TlsSource, tls_document

_HEADERS = ("", "PROFILE", "CLUSTER", "ADDRESS", "TLS", "INSTALLATION")
_OWN_HEADERS = ("PROTECTION", "DESCRIPTION")
_TLS_WORDS = {
    TlsPolicy.DISABLED: "Disabled",
    TlsPolicy.ANONYMOUS: "Anonymous",
    TlsPolicy.VERIFIED: "Verified",
}
_INSTALLATION_WORDS = {
    Installation.K8: "K8",
    Installation.LOCAL: "Local",
    Installation.LOCAL_K8: "LocalK8",
    Installation.READ_ONLY: "ReadOnly",
    Installation.DOCKER: "Docker",
    Installation.CLOUD: "Cloud",
}
HIDDEN = "(hidden)"  # stands for a private key


def profile_table(config: Config) -> str:
    """One line for each profile, by name; a profile whose cluster is missing has empty cells.

    Protection and description are shown behind the official columns where any cluster has them.
    """
    rows = []
    shows_own = any(protection.TABLE in cluster.metadata for cluster in config.clusters.values())
    for name, profile in sorted(config.profiles.items()):
        cluster = config.clusters.get(profile.cluster)
        mark = "*" if name == config.current_profile else ""
        cells = ("",) * 4 if cluster is None else _cells(profile.cluster, cluster)
        rows.append((mark, name, *cells, *(_own_cells(cluster) if shows_own else ())))
    return render_table((*_HEADERS, *(_OWN_HEADERS if shows_own else ())), rows)


def _own_cells(cluster: Cluster | None) -> tuple[str, str]:
    if cluster is None:
        return ("", "")
    return (protection.level_of(cluster.metadata), protection.description_of(cluster.metadata))


def _cells(name: str, cluster: Cluster) -> tuple[str, ...]:
    kind = cluster.installation
    word = str(cluster.metadata["installation"]) if kind is None else _INSTALLATION_WORDS[kind]
    return (name, cluster.endpoint, _TLS_WORDS[cluster.tls.policy], word)


def config_view(config: Config, *, show_keys: bool = False) -> dict[str, Any]:
    """The whole file; private keys are hidden without `show_keys`."""
    return {
        "version": config.version,
        "current_profile": config.current_profile,
        "profile": {
            name: {"cluster": p.cluster, "topic": p.topic, "partition": p.partition}
            for name, p in config.profiles.items()
        },
        "cluster": {
            name: cluster_view(cluster, show_keys=show_keys) for name, cluster in config.clusters.items()
        },
        "client_id": config.client_id,
    }


def cluster_view(cluster: Cluster, *, show_keys: bool) -> dict[str, Any]:
    """One cluster; `show_keys` leaves inline private keys readable."""
    tls = tls_document(cluster.tls)
    if not show_keys and cluster.tls.source is TlsSource.INLINE:
        tls["certs"]["key"] = HIDDEN
    view: dict[str, Any] = {
        "endpoint": cluster.endpoint,
        "use_spu_local_address": cluster.use_spu_local_address,
        "tls": tls,
    }
    if cluster.metadata:
        view["metadata"] = cluster.metadata
    return view
