"""What can go wrong with a cluster on this machine."""

from pathlib import Path

from fluvio_types.errors import FluvioError


class LocalClusterError(FluvioError):
    """Anything that keeps a local cluster from being started, stopped or found."""


class PreflightError(LocalClusterError):
    """The checks before a start found reasons not to; `problems` are pairs of cause and remedy."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        lines = [line for cause, remedy in problems for line in (f"  {cause}", f"    {remedy}")]
        super().__init__("\n".join(["Preflight check failed", *lines]))
        self.problems = problems


class ClusterBusyError(LocalClusterError):
    """Another command is at work on the same data directory; `pid` is its process, if it told."""

    def __init__(self, data_dir: Path, pid: int | None) -> None:
        who = "another command" if pid is None else f"another command (pid {pid})"
        super().__init__(f"{who} is at work on the cluster in {data_dir}")
        self.data_dir, self.pid = data_dir, pid
        self.hint = "wait until it has ended, then try again"


class ServerFailedError(LocalClusterError):
    """A server process ended, or did not get ready in time; `output` is the end of what it printed."""

    def __init__(self, what: str, log: Path, output: list[str]) -> None:
        printed = (
            ["its last output:", *(f"    {line}" for line in output)] if output else ["it printed nothing"]
        )
        super().__init__("\n".join([what, *printed, f"its whole output is in {log}"]))
        self.log, self.output = log, output


class ProvisionTimeoutError(LocalClusterError):
    """The servers run, but not all SPUs came online in time."""

    kind = "timed-out"

    def __init__(self, online: int, wanted: int, timeout_s: float) -> None:
        super().__init__(f"only {online} of {wanted} SPUs came online within {timeout_s:g} s")
        self.online, self.wanted, self.timeout_s = online, wanted, timeout_s


class StateBrokenError(LocalClusterError):
    """The state file of a cluster cannot be read; it is left as it is."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read the state of the cluster from {path}: {reason}")
        self.path, self.reason = path, reason
        self.hint = (
            f"if no server of this cluster runs any more, remove `{path}` by hand; data stay beside it"
        )


class NoLocalClusterError(LocalClusterError):
    """No cluster of this machine is known at an address or in a directory."""

    kind = "not-found"

    hint = "start one with `fluvio cluster start`, or name its data directory with `--data-dir`"

    def __init__(self, where: str, *, hint: str | None = None) -> None:
        super().__init__(f"no local cluster {where} is known here", hint=hint)
        self.where = where


class ClusterNameTakenError(LocalClusterError):
    """A cluster cannot be called so: another one is, or a profile of this name leads elsewhere."""

    hint = "choose another name; `fluvio cluster list` and `fluvio profile list` show those in use"

    def __init__(self, name: str, why: str, *, hint: str | None = None) -> None:
        super().__init__(f"a cluster cannot be called `{name}`: {why}", hint=hint)
        self.name = name


class CopyFailedError(LocalClusterError):
    """The data of a cluster could not be copied; what was copied so far is gone again."""

    def __init__(self, source: Path, why: str) -> None:
        super().__init__(f"copying the data in {source} failed: {why}")
        self.source = source


class NothingToCopyError(LocalClusterError):
    """A cluster has no data that could be copied: its first start has not ended."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(f"the first start of the cluster in {data_dir} has not ended: it has no data yet")
        self.data_dir = data_dir


class SnapshotNotFoundError(LocalClusterError):
    """There is no snapshot in a directory."""

    kind = "not-found"

    def __init__(self, path: Path) -> None:
        super().__init__(f"no snapshot `{path.name}` is in {path.parent}")
        self.path = path
        self.hint = "`fluvio cluster snapshot --list` shows those there are"


class SnapshotExistsError(LocalClusterError):
    """A snapshot would take the place of something; `path` is there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already")
        self.path = path
        self.hint = "choose another name, or remove that directory"


class SnapshotBrokenError(LocalClusterError):
    """A snapshot is not what its manifest says, or that cannot be read; nothing was changed."""

    kind = "unhealthy"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"the snapshot in {path} is damaged: {why}")
        self.path = path


class RestoreRefusedError(LocalClusterError):
    """A snapshot is not put back now; nothing was changed."""


class RestoreUnfinishedError(LocalClusterError):
    """A restore was killed: the data are half those that were, half those of the snapshot."""

    kind = "unhealthy"

    def __init__(self, data_dir: Path) -> None:
        super().__init__(f"restoring a snapshot to {data_dir} has not ended: nothing is started there")
        self.data_dir = data_dir
        self.hint = "run the same `fluvio cluster restore` again, or give up with `fluvio cluster delete`"


class ForeignDirectoryError(LocalClusterError):
    """A directory to be deleted has no state file, so no cluster of this program owns it."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not the data directory of a local cluster: nothing was deleted")
        self.path = path


class StopFailedError(LocalClusterError):
    """Processes would not end, even by SIGKILL; `pids` are theirs."""

    def __init__(self, pids: list[int]) -> None:
        super().__init__(f"these processes do not end: {', '.join(map(str, pids))}")
        self.pids = pids
