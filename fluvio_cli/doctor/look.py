"""Gathers the facts. Nothing is changed, and nothing that cannot be seen is an error."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fluvio_cli.commands.cluster.local import places
from fluvio_cli.doctor.facts import ClusterFacts, Facts, PortFact
from fluvio_local_cluster.lifecycle import places as place
from fluvio_local_cluster.lifecycle import ports, preflight, processes
from fluvio_local_cluster.lifecycle.errors import StateBrokenError
from fluvio_local_cluster.lifecycle.settings import DEFAULT_SC_PRIVATE, DEFAULT_SC_PUBLIC, dialled
from fluvio_local_cluster.lifecycle.state import ClusterState, load_state
from fluvio_local_cluster.storage import SpaceReserve
from fluvio_types.defaults import LOCAL_SPU_PUBLIC_PORT_BASE, PLATFORM_VERSION
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext

_PROBE_S = 3.0
_FUTURE_S = 60.0  # file systems and networks may be some seconds off
_MOST_FILES = 20_000
_PLUGIN_PREFIX = "fluvio-"


def look(cli: "CliContext") -> Facts:
    """The machine as this user sees it."""
    facts = Facts(own_version=PLATFORM_VERSION, now_s=time.time())
    data_dirs = _data_directories(cli, facts)
    states = list(_states(data_dirs, facts))
    _look_at_target(cli, facts, states)
    _look_at_ports(facts, states)
    default = cli.home / ".fluvio" / "data"
    wanted = [cli.home / ".fluvio", default, cli.fluvio_directory / "log", cli.profile_path.parent]
    wanted += [path for state in states for path in (state.settings.data_dir, state.settings.log_dir)]
    facts.unwritable = [
        (path, reason) for path in dict.fromkeys(wanted) if (reason := preflight.unwritable_reason(path))
    ]
    if cli.profile_path.exists() and not os.access(cli.profile_path, os.R_OK | os.W_OK):
        facts.unwritable.append((cli.profile_path, "cannot be read and written"))
    facts.disk = _disk(states[0].settings.data_dir if states else default)
    for state in states:
        facts.future_files += _future_files(state.settings.data_dir, time.time())
        facts.dead_sockets += _dead_sockets(state)
    facts.localhost = addresses_of("localhost")
    facts.descriptors = _descriptors()
    facts.plugins = list(broken_plugins(cli.extensions_directory))
    return facts


def _data_directories(cli: "CliContext", facts: Facts) -> list[Path]:
    found = [cli.home / ".fluvio" / "data"]
    for record in sorted(places(cli).records.glob("*.json")):
        try:
            data_dir = Path(json.loads(record.read_bytes())["data_dir"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if not (data_dir / "cluster.json").exists():
            facts.lost_records.append((record, data_dir))
        else:
            found.append(data_dir)
    return list(dict.fromkeys(found))


def _states(data_dirs: list[Path], facts: Facts) -> Iterator[ClusterState]:
    for data_dir in data_dirs:
        try:
            state = load_state(data_dir)
        except StateBrokenError as exc:
            facts.broken_states.append(str(exc))
            continue
        if state is None:
            continue
        gone = [
            f"{server.plan.label} (pid {server.process.pid})"
            for server in state.servers
            if server.process is not None and not processes.is_running(server.process)
        ]
        running = preflight.running_servers(state)
        facts.clusters.append(
            ClusterFacts(data_dir, state.phase.value, state.platform_version, running, gone)
        )
        yield state


def _look_at_target(cli: "CliContext", facts: Facts, states: list[ClusterState]) -> None:
    from fluvio_cli.platform_probe import ask_platform_version
    from fluvio_profiles.errors import ConfigMissingError

    try:
        target = cli.target()
    except ConfigMissingError as exc:
        if any(preflight.running_servers(state) for state in states):
            facts.profile_problem = str(exc), "name the cluster with `fluvio profile add`"
        return  # a machine on which nothing was done yet
    except FluvioError as exc:
        facts.profile_problem = str(exc), exc.hint or "choose a profile with `fluvio profile switch`"
        return
    facts.target = target.endpoint
    facts.target_is_local = any(place.endpoint_of(state) == target.endpoint for state in states)
    try:
        facts.target_version = ask_platform_version(target, cli.client_id, _PROBE_S)
    except FluvioError as exc:
        facts.target_problem = str(exc)


def _look_at_ports(facts: Facts, states: list[ClusterState]) -> None:
    wanted: list[tuple[str, str, int]] = []
    own = {server.process.pid for state in states for server in state.servers if server.process is not None}
    for state in states:
        for server in state.servers:
            wanted += [(server.plan.label, end.host, end.port) for end in server.plan.endpoints]
    if not states:
        base = LOCAL_SPU_PUBLIC_PORT_BASE
        wanted = [
            ("SC", DEFAULT_SC_PUBLIC.host, DEFAULT_SC_PUBLIC.port),
            ("SC", DEFAULT_SC_PRIVATE.host, DEFAULT_SC_PRIVATE.port),
            ("SPU 5001", DEFAULT_SC_PUBLIC.host, base),
            ("SPU 5001", DEFAULT_SC_PUBLIC.host, base + 1),
        ]
        if facts.target_version is not None and facts.target in [
            f"{host}:{port}" for _, host, port in wanted
        ]:
            return  # a cluster that others started, and that the profile leads to, has them by right
    for label, host, port in wanted:
        if ports.port_problem(dialled(type(DEFAULT_SC_PUBLIC)(host, port))) is None:
            continue
        pid = ports.listening_pid(port)
        if pid not in own or pid is None:
            facts.ports.append(PortFact(port, label, "" if pid is None else preflight.describe_owner(pid)))


def _disk(path: Path) -> tuple[Path, int, int] | None:
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        disk = os.statvfs(path)
    except (OSError, AttributeError):
        return None
    reserve = SpaceReserve().stop_below(disk.f_blocks * disk.f_frsize)
    return path, disk.f_bavail * disk.f_frsize, reserve


def _future_files(data_dir: Path, now_s: float) -> Iterator[tuple[Path, float]]:
    looked_at = 0
    for directory, _, names in os.walk(data_dir):
        for name in names:
            looked_at += 1
            if looked_at > _MOST_FILES:
                return
            path = Path(directory, name)
            try:
                ahead_s = path.lstat().st_mtime - now_s
            except OSError:
                continue  # it has just gone
            if ahead_s > _FUTURE_S:
                yield path, ahead_s


def _dead_sockets(state: ClusterState) -> Iterator[Path]:
    for server in state.spus:
        path = state.settings.data_dir / f"spu-{server.plan.id}.sock"
        alive = server.process is not None and processes.is_running(server.process)
        if path.is_socket() and not alive:
            yield path


def addresses_of(name: str) -> list[str]:
    """Addresses that the system gives for a name; none when it knows none."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({str(entry[4][0]) for entry in found})


def _descriptors() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if hard == resource.RLIM_INFINITY else hard


def broken_plugins(directory: Path) -> Iterator[tuple[Path, str]]:
    """Plugins there that the system would not run, and why; none of them is run."""
    try:
        files = sorted(directory.iterdir())
    except OSError:
        return
    for file in files:
        if file.name.startswith(_PLUGIN_PREFIX) and (reason := _why_it_cannot_run(file)) is not None:
            yield file, reason


def _why_it_cannot_run(file: Path) -> str | None:
    if not file.exists():
        return "a link that leads nowhere"
    if not file.is_file():
        return "not a file"
    if not os.access(file, os.X_OK):
        return "not executable"
    try:
        with file.open("rb") as opened:
            first = opened.readline(256)
    except OSError:
        return None  # it may be run all the same
    if not first.startswith(b"#!"):
        return None if first else "empty"
    words = first[2:].split()
    if not words:
        return "its first line names no interpreter"
    interpreter = words[0].decode(errors="replace")
    return None if os.access(interpreter, os.X_OK) else f"its interpreter {interpreter} is not there"
