"""What checks judge. Plain values: nothing here looks at the machine."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class ClusterFacts:
    """A local cluster, as its state file tells, and which of its servers are alive."""

    data_dir: Path
    phase: str  # starting, running, stopped
    platform_version: str  # of its last start
    running: list[str] = field(default_factory=list)  # `SC (pid 12)`
    gone: list[str] = field(default_factory=list)  # recorded, and dead


@dataclass(slots=True)
class PortFact:
    """A port that servers of this user would listen at, and that somebody else has."""

    port: int
    label: str  # who wants it
    owner: str  # pid and command; empty when they may not be seen


@dataclass(slots=True)
class Facts:
    """The machine; a value that cannot be known is None, and its check finds nothing."""

    profile_problem: tuple[str, str] | None = None  # text, hint
    target: str | None = None  # host:port
    target_is_local: bool = False  # a cluster that was started here
    target_problem: str | None = None
    target_version: str | None = None
    own_version: str = ""  # of the protocol and of the servers that would be started
    clusters: list[ClusterFacts] = field(default_factory=list)
    broken_states: list[str] = field(default_factory=list)  # what is wrong with them
    lost_records: list[tuple[Path, Path]] = field(default_factory=list)  # record, data directory that is gone
    ports: list[PortFact] = field(default_factory=list)
    unwritable: list[tuple[Path, str]] = field(default_factory=list)
    disk: tuple[Path, int, int] | None = None  # where, free bytes, bytes below which records are refused
    now_s: float | None = None
    future_files: list[tuple[Path, float]] = field(default_factory=list)  # and by how many seconds
    localhost: list[str] | None = None  # addresses of that name; empty: it has none
    descriptors: int | None = None  # files that a server may have open
    dead_sockets: list[Path] = field(default_factory=list)
    plugins: list[tuple[Path, str]] = field(default_factory=list)  # that cannot run, and why
