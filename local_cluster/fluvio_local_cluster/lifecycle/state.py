"""`<data>/cluster.json`: what was started, so that later commands find it and touch nothing else.

Layout: docs/local-cluster.md, "State file". It is replaced as a whole (temporary file, fsync, rename), mode
0600, after every process that starts or ends, under the lock of the data directory.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle.errors import StateBrokenError
from fluvio_local_cluster.lifecycle.processes import ProcessIdentity
from fluvio_local_cluster.lifecycle.settings import DEFAULT_FSYNC, ClusterSettings, Role, ServerPlan
from fluvio_local_cluster.lifecycle.tls import ClusterTls
from fluvio_types.defaults import CONSUMER_OFFSET_TTL_S

STATE_FILE = "cluster.json"
FORMAT = 1


class Phase(Enum):
    """How far the cluster got."""

    STARTING = "starting"  # its first start has not ended: there is nothing worth keeping yet
    RUNNING = "running"  # processes were left running; whether they still do is seen at them
    STOPPED = "stopped"
    RESTORING = "restoring"  # its data are half those that were, half those of a snapshot: nothing may run


@dataclass(slots=True)
class ServerRecord:
    """One server of the cluster, and its process while there is one."""

    plan: ServerPlan
    process: ProcessIdentity | None = None


@dataclass(slots=True)
class ClusterState:
    """One cluster of this machine. `created_at` is UTC, ISO 8601."""

    cluster_id: str
    platform_version: str
    created_at: str
    settings: ClusterSettings
    servers: list[ServerRecord] = field(default_factory=list)  # the SC first
    phase: Phase = Phase.STARTING

    @property
    def sc(self) -> ServerRecord:
        """The controller."""
        return self.servers[0]

    @property
    def spus(self) -> list[ServerRecord]:
        """The streaming processing units."""
        return self.servers[1:]


def new_cluster_id() -> str:
    """A random UUID (version 4), without the module of that name: it loads `platform`."""
    digits = bytearray(os.urandom(16))
    digits[6], digits[8] = digits[6] & 0x0F | 0x40, digits[8] & 0x3F | 0x80
    text = digits.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def state_path(data_dir: Path) -> Path:
    """Where the state of the cluster in `data_dir` is kept."""
    return data_dir / STATE_FILE


def load_state(data_dir: Path) -> ClusterState | None:
    """Read the state; None when there is none. Raises `StateBrokenError`.

    The directory it was found in counts, not the one it names: a moved directory is a moved cluster.
    """
    path = state_path(data_dir)
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise StateBrokenError(path, exc.strerror or str(exc)) from exc
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise StateBrokenError(path, f"format {document['format']} is not known here")
        state = from_document(document)
    except (ValueError, KeyError, TypeError, IndexError) as exc:
        raise StateBrokenError(path, f"{type(exc).__name__}: {exc}") from exc
    state.settings = replace(state.settings, data_dir=data_dir)
    return state


def save_state(state: ClusterState) -> None:
    """Replace the state file."""
    text = json.dumps(to_document(state), indent=2) + "\n"
    write_private_file(state_path(state.settings.data_dir), text)


def write_private_file(path: Path, text: str) -> None:
    """Put `text` at `path` in one step, readable by its owner only, and make it last."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def to_document(state: ClusterState) -> dict[str, Any]:
    """The state as JSON has it. Layout: docs/local-cluster.md, "State file"."""
    settings = state.settings
    return {
        "format": FORMAT,
        "cluster_id": state.cluster_id,
        "platform_version": state.platform_version,
        "created_at": state.created_at,
        "phase": state.phase.value,
        "settings": {
            "name": settings.name,
            "data_dir": str(settings.data_dir),
            "log_dir": str(settings.log_dir),
            "sc_public": _endpoint_document(settings.sc_public),
            "sc_private": _endpoint_document(settings.sc_private),
            "spu_count": settings.spu_count,
            "spu_port_base": settings.spu_port_base,
            "log_filter": settings.log_filter,
            "save_profile": settings.save_profile,
            "fsync": settings.fsync,
            "metrics": _optional_document(settings.metrics),
            "consumer_offset_ttl_s": settings.consumer_offset_ttl_s,
            "advertise": settings.advertise,
            "read_only": None if settings.read_only is None else str(settings.read_only),
            "tls": None if settings.tls is None else settings.tls.to_document(),
        },
        "servers": [_server_document(server) for server in state.servers],
    }


def _server_document(server: ServerRecord) -> dict[str, Any]:
    plan, process = server.plan, server.process
    return {
        "role": plan.role.value,
        "id": plan.id,
        "public": _endpoint_document(plan.public),
        "private": _endpoint_document(plan.private),
        "log": str(plan.log),
        "metrics": _optional_document(plan.metrics),
        "process": None
        if process is None
        else {"pid": process.pid, "start_time": process.start_time, "boot_id": process.boot_id},
    }


def _endpoint_document(endpoint: Endpoint) -> dict[str, Any]:
    return {"host": endpoint.host, "port": endpoint.port}


def _optional_document(endpoint: Endpoint | None) -> dict[str, Any] | None:
    return None if endpoint is None else _endpoint_document(endpoint)


def from_document(document: Mapping[str, Any]) -> ClusterState:
    """The state that a document tells. Raises `ValueError`, `LookupError`, `TypeError`."""
    settings = document["settings"]
    state = ClusterState(
        cluster_id=str(document["cluster_id"]),
        platform_version=str(document["platform_version"]),
        created_at=str(document["created_at"]),
        phase=Phase(document["phase"]),
        settings=ClusterSettings(
            data_dir=Path(settings["data_dir"]),
            log_dir=Path(settings["log_dir"]),
            sc_public=_endpoint(settings["sc_public"]),
            sc_private=_endpoint(settings["sc_private"]),
            spu_count=int(settings["spu_count"]),
            spu_port_base=int(settings["spu_port_base"]),
            log_filter=str(settings["log_filter"]),
            save_profile=bool(settings["save_profile"]),
            fsync=str(settings.get("fsync", DEFAULT_FSYNC)),  # states of earlier versions lack this, and more
            metrics=_optional_endpoint(settings.get("metrics")),
            consumer_offset_ttl_s=int(settings.get("consumer_offset_ttl_s", CONSUMER_OFFSET_TTL_S)),
            read_only=None if settings.get("read_only") is None else Path(settings["read_only"]),
            advertise=None if settings.get("advertise") is None else str(settings["advertise"]),
            name=None if settings.get("name") is None else str(settings["name"]),
            tls=None if settings.get("tls") is None else ClusterTls.from_document(settings["tls"]),
        ),
        servers=[_server(server) for server in document["servers"]],
    )
    if state.sc.plan.role is not Role.SC or any(spu.plan.role is not Role.SPU for spu in state.spus):
        raise ValueError("the servers are not one SC and then SPUs")
    return state


def _server(document: Mapping[str, Any]) -> ServerRecord:
    process = document["process"]
    return ServerRecord(
        ServerPlan(
            Role(document["role"]),
            int(document["id"]),
            _endpoint(document["public"]),
            _endpoint(document["private"]),
            Path(document["log"]),
            _optional_endpoint(document.get("metrics")),
        ),
        None
        if process is None
        else ProcessIdentity(int(process["pid"]), int(process["start_time"]), str(process["boot_id"])),
    )


def _endpoint(document: Mapping[str, Any]) -> Endpoint:
    return Endpoint(str(document["host"]), int(document["port"]))


def _optional_endpoint(document: Mapping[str, Any] | None) -> Endpoint | None:
    return None if document is None else _endpoint(document)
