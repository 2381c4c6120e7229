"""What this program keeps about a cluster in the profile file: its protection and a description.

They stand in `[cluster.NAME.metadata.fluvio_cli]`, because the `metadata` of a cluster is the only place
where official clients keep tables of others when they rewrite the file (docs/protocol.md, "Profile file"). So
they belong to the cluster: all profiles that name it share them, and a call that gives its address is held to
them.

`protected` asks before what destroys, `read-only` refuses what writes. It keeps people from mistakes and is
no access control: who can write the profile file can lift it. A word that we do not know, of a later
version, counts as `read-only`.
"""

TYPE_CHECKING = False  # shell prompts load this module: no `typing`, no `dataclasses`
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from fluvio_profiles.model import Cluster, Config

TABLE = "fluvio_cli"
NORMAL, PROTECTED, READ_ONLY = LEVELS = "normal", "protected", "read-only"


def level_of(metadata: "Mapping[str, Any]") -> str:
    """`normal`, `protected` or `read-only`, from the `metadata` of a cluster."""
    own = metadata.get(TABLE)
    if own is None:
        return NORMAL
    if not isinstance(own, dict):
        return READ_ONLY
    word = own.get("protection", NORMAL)
    return word if word in LEVELS else READ_ONLY


def description_of(metadata: "Mapping[str, Any]") -> str:
    """What the user says about the cluster; empty for nothing, or for what would disturb a terminal."""
    own = metadata.get(TABLE)
    text = own.get("description") if isinstance(own, dict) else None
    return text if isinstance(text, str) and text.isprintable() else ""


def keep(cluster: "Cluster", *, level: str | None = None, description: str | None = None) -> None:
    """Change what is given; `normal` and an empty text remove the entry, and an empty table goes too."""
    own = cluster.metadata.get(TABLE)
    table = dict(own) if isinstance(own, dict) else {}
    for key, value, nothing in (("protection", level, NORMAL), ("description", description, "")):
        if value == nothing:
            table.pop(key, None)
        elif value is not None:
            table[key] = value
    if table:
        cluster.metadata[TABLE] = table
    else:
        cluster.metadata.pop(TABLE, None)


def clusters_at(config: "Config", endpoint: str) -> "Iterator[tuple[str, Cluster]]":
    """The clusters of the file that have this address, by name; names of this machine are one address."""
    wanted = _address(endpoint)
    for name, cluster in config.clusters.items():
        if _address(cluster.endpoint) == wanted:
            yield name, cluster


def _address(endpoint: str) -> tuple[str, str]:
    host, _, port = endpoint.strip().lower().rpartition(":")
    host = host.strip("[]").rstrip(".")
    this_machine = host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.")
    return ("localhost" if this_machine else host, port.lstrip("0"))
