"""The checks before a start. Each looks at one thing and gives, if it is not well, a cause and a remedy.

`examine` gathers facts of the machine, `checks_of` judges them without touching anything. The first two
checks bear the official command line's names.
"""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle import ports, processes
from fluvio_local_cluster.lifecycle.lock import LOCK_FILE
from fluvio_local_cluster.lifecycle.metadata_files import is_official
from fluvio_local_cluster.lifecycle.places import Places, local_config_data_dir
from fluvio_local_cluster.lifecycle.settings import METADATA_DIR, ClusterSettings, ServerPlan
from fluvio_local_cluster.lifecycle.state import ClusterState, Phase, state_path

MIN_FREE_BYTES = 1024**3
SERVER_MEMORY_BYTES = 30 * 1024**2  # of one that does nothing yet
_METRICS_LABEL = " for metrics"  # behind a server's


@dataclass(slots=True, frozen=True)
class Check:
    """Outcome of one check; `cause` and `remedy` are empty when it is fine."""

    name: str
    success: str
    cause: str = ""
    remedy: str = ""

    @property
    def is_fine(self) -> bool:
        """Whether nothing speaks against a start."""
        return not self.cause

    @property
    def problem(self) -> str | None:
        """Cause and remedy in a text; None when it is fine."""
        return None if self.is_fine else f"{self.cause}\n{self.remedy}"


@dataclass(slots=True)
class Facts:
    """What the machine looks like to the checks."""

    state: ClusterState | None  # of the data directory
    running: list[str]  # this cluster's living processes: `SC (pid 12)`
    foreign_entries: list[str] = field(default_factory=list)  # files there that belong to no cluster of ours
    is_official: bool = False  # they are a cluster of the official engine
    foreign_config: Path | None = None  # data directory of another program's cluster, by local-config
    lacks_metadata: bool = False  # records are there, and nothing says any more what they are
    unwritable: Mapping[Path, str] = field(default_factory=dict)  # directory -> reason
    free_bytes: int | None = None  # None: cannot be known
    available_memory_bytes: int | None = None  # None: cannot be known
    wanted_memory_bytes: int = 0
    certificate_problems: list[str] | None = None  # None: there is no TLS
    port_problems: list[tuple[ports.PortProblem, str, str]] = field(default_factory=list)  # label, owner


def running_servers(state: ClusterState) -> list[str]:
    """This cluster's living processes, for people."""
    return [
        f"{server.plan.label} (pid {server.process.pid})"
        for server in state.servers
        if server.process is not None and processes.is_running(server.process)
    ]


def examine(settings: ClusterSettings, state: ClusterState | None, places: Places) -> Facts:
    """Look at what guards data: cheap, and done for every start. The data directory is there."""
    facts = Facts(state, [] if state is None else running_servers(state))
    if state is None:
        entries = sorted(os.listdir(settings.data_dir))
        facts.foreign_entries = [
            name for name in entries if name != LOCK_FILE and not name.startswith(".cluster.json.")
        ]
        facts.is_official = is_official(settings.data_dir)
    named = local_config_data_dir(places)
    if named is not None and named != settings.data_dir and (named / METADATA_DIR).is_dir():
        facts.foreign_config = None if state_path(named).exists() else named
    return facts


def examine_certificates(facts: Facts, settings: ClusterSettings, spu_names: Sequence[str]) -> None:
    """Add whether clients and servers would accept each other's certificates: no server starts without."""
    if settings.tls is not None:
        facts.certificate_problems = settings.tls.problems(spu_names)


def examine_machine(facts: Facts, settings: ClusterSettings, servers: Sequence[ServerPlan]) -> None:
    """Add what tells whether the servers could run: directories, disk, ports."""
    facts.unwritable = {
        path: reason
        for path in (settings.data_dir, settings.log_dir)
        if (reason := unwritable_reason(path)) is not None
    }
    try:
        disk = os.statvfs(settings.data_dir)
        facts.free_bytes = disk.f_bavail * disk.f_frsize
    except OSError:
        facts.free_bytes = None
    facts.available_memory_bytes = _available_memory_bytes()
    facts.wanted_memory_bytes = SERVER_MEMORY_BYTES * len(servers)
    for server in servers:
        for endpoint in server.endpoints:
            problem = ports.port_problem(endpoint)
            if problem is not None:
                owner = ports.listening_pid(endpoint.port) if problem.code == errno.EADDRINUSE else None
                label = server.label + (_METRICS_LABEL if endpoint is server.metrics else "")
                facts.port_problems.append((problem, label, "" if owner is None else describe_owner(owner)))


def _available_memory_bytes() -> int | None:
    """What new processes can get without swapping, where the system says it in /proc."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None


def describe_owner(pid: int) -> str:
    """Who listens: a server of a local cluster is named with its directory, else its command."""
    words = processes.command_line(pid)
    for module, option, label in (
        ("fluvio_local_cluster.sc", "--local", "the SC"),
        ("fluvio_local_cluster.spu", "--log-base-dir", "an SPU"),
    ):
        if module in words and option in words[:-1]:
            directory = Path(words[words.index(option) + 1])
            home = directory.parent if option == "--local" else directory
            return f"{label} (pid {pid}) of the local cluster in {home}"
    return processes.describe(pid)


def unwritable_reason(path: Path) -> str | None:
    """Why files cannot be made in `path`, or in the nearest directory above it that there is."""
    nearest = path
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        return f"{nearest} is not a directory"
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"{nearest} is not writable"
    return None


def checks_of(facts: Facts, settings: ClusterSettings, *, all_checks: bool) -> Iterator[Check]:
    """Judge the facts, in the order shown. Without `all_checks` only what guards data is judged."""
    yield _no_cluster_running(facts, settings)
    yield _no_cluster_left(facts, settings)
    if not all_checks and facts.certificate_problems is not None:
        yield certificate_check(facts.certificate_problems)
    if all_checks:
        yield from machine_checks(facts, settings)


def machine_checks(facts: Facts, settings: ClusterSettings) -> Iterator[Check]:
    """Judge whether the servers could run here; a resume asks no more than this."""
    if facts.lacks_metadata:
        yield _metadata(settings)
    if facts.certificate_problems is not None:
        yield certificate_check(facts.certificate_problems)
    yield _directories(facts)
    yield _disk_space(facts, settings)
    yield _memory(facts)
    yield _ports(facts)


def _no_cluster_running(facts: Facts, settings: ClusterSettings) -> Check:
    name, success = "Fluvio Local Installation", "Local Fluvio is not installed"
    if not facts.running:
        return Check(name, success)
    return Check(
        name,
        success,
        f"Local Fluvio cluster still running in {settings.data_dir}: {', '.join(facts.running)}",
        f"use it, stop it with `fluvio cluster shutdown{settings.by_name}`, or start another beside it with "
        "`--name NAME`",
    )


def _no_cluster_left(facts: Facts, settings: ClusterSettings) -> Check:
    name, success = "Clean Fluvio Local Installation", "Previous local fluvio installation not found"
    if facts.state is not None and facts.state.phase is not Phase.STARTING and not facts.running:
        how = "was shut down" if facts.state.phase is Phase.STOPPED else "is not running any more"
        return Check(
            name,
            success,
            f"Local Fluvio cluster wasn't deleted: the one in {settings.data_dir} {how}",
            f"use 'fluvio cluster resume{settings.by_name}' to go on with its data, or "
            f"'fluvio cluster delete{settings.by_name}' to remove them",
        )
    if facts.foreign_entries:
        shown = ", ".join(facts.foreign_entries[:4]) + (", ..." if len(facts.foreign_entries) > 4 else "")
        cause = f"{settings.data_dir} holds files that are not of a cluster started here: {shown}"
        remedy = "choose an empty directory with `--data-dir`"
        if facts.is_official:
            cause = f"{settings.data_dir} holds a cluster of the official engine"
            remedy = f"take it over with `fluvio cluster resume --data-dir {settings.data_dir}`, or {remedy}"
        return Check(name, success, cause, remedy)
    if facts.foreign_config is not None:
        return Check(
            name,
            success,
            f"a local cluster of another program keeps its data in {facts.foreign_config}",
            "delete it with the program that started it, or take it over with "
            f"`fluvio cluster resume --data-dir {facts.foreign_config}`; if it is gone, "
            "remove `~/.fluvio/local-config`",
        )
    return Check(name, success)


def _metadata(settings: ClusterSettings) -> Check:
    return Check(
        "Metadata",
        "Metadata are there",
        f"the metadata of this cluster are gone: {settings.metadata_dir} holds none",
        "put them back from a copy, or give up the records with `fluvio cluster delete` and start anew",
    )


def certificate_check(problems: Sequence[str]) -> Check:
    """Judge what `ClusterTls.problems` found."""
    return Check(
        "Certificates",
        "Certificates belong together",
        "; ".join(problems),
        "the CA must have signed both certificates, and that of the server must be for DOMAIN and `*.DOMAIN`",
    )


def _directories(facts: Facts) -> Check:
    name, success = "Directories", "Directories are writable"
    if not facts.unwritable:
        return Check(name, success)
    causes = "; ".join(f"{path} cannot be used: {reason}" for path, reason in facts.unwritable.items())
    return Check(
        name, success, causes, "make it writable, or choose others with `--data-dir` and `--log-dir`"
    )


def _disk_space(facts: Facts, settings: ClusterSettings) -> Check:
    name, success = "Disk space", "There is enough disk space"
    if facts.free_bytes is None or facts.free_bytes >= MIN_FREE_BYTES:
        return Check(name, success)
    return Check(
        name,
        success,
        f"only {facts.free_bytes // 1024**2} MiB are free at {settings.data_dir}, a cluster wants 1024 MiB",
        "free some space, or choose another place with `--data-dir`",
    )


def _memory(facts: Facts) -> Check:
    name, success = "Memory", "There is enough memory"
    available = facts.available_memory_bytes
    if available is None or facts.wanted_memory_bytes <= available:
        return Check(name, success)
    return Check(
        name,
        success,
        f"the servers want {facts.wanted_memory_bytes // 1024**2} MiB of memory, "
        f"{available // 1024**2} MiB are available",
        "ask for fewer SPUs with `--spu`, or end other programs",
    )


def _ports(facts: Facts) -> Check:
    name, success = "Ports", "Ports are free"
    if not facts.port_problems:
        return Check(name, success)
    causes = [_port_cause(problem, label, owner) for problem, label, owner in facts.port_problems]
    return Check(name, success, "; ".join(causes), _port_remedy(facts))


def _port_cause(problem: ports.PortProblem, label: str, owner: str) -> str:
    endpoint: Endpoint = problem.endpoint
    if problem.code == errno.EADDRINUSE:
        by = owner or "a process that this user may not see"
        return f"port {endpoint.port}, wanted by {label}, is used by {by}"
    if problem.code == errno.EADDRNOTAVAIL:
        return f"{label} cannot listen at {endpoint}: {endpoint.host} is not an address of this machine"
    if problem.code == errno.EACCES:
        return f"{label} may not listen at {endpoint}: the system wants more rights for this port"
    return f"{label} cannot listen at {endpoint}: {os.strerror(problem.code)}"


def _port_option(label: str) -> str:
    if label.endswith(_METRICS_LABEL):
        return "--metrics"
    return "--spu-port-base" if label.startswith("SPU") else "--sc-pub-addr` or `--sc-priv-addr"


def _port_remedy(facts: Facts) -> str:
    chosen = "` and `".join(sorted({_port_option(label) for _, label, _ in facts.port_problems}))
    return f"end that process, or choose other ports with `{chosen}` (port 0 takes any free one)"
