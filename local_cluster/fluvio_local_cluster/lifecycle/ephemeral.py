"""A cluster that lives as long as the process that made it, in a directory of its own.

Everything is below one temporary directory: data, server output, profile file, records. Who makes it starts a
guardian first (`guardian`), which holds the other end of a pipe: if the maker is killed, even by SIGKILL amid
the start, the guardian ends the servers and the command that ran on the cluster, and removes the directory.
Servers are found by the state file, and by the directory in their command lines if they are not in it yet.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle import command_run, processes
from fluvio_local_cluster.lifecycle.errors import LocalClusterError
from fluvio_local_cluster.lifecycle.places import Places, endpoint_of
from fluvio_local_cluster.lifecycle.processes import ProcessIdentity
from fluvio_local_cluster.lifecycle.progress import Progress
from fluvio_local_cluster.lifecycle.settings import LOOPBACK, ClusterSettings
from fluvio_local_cluster.lifecycle.start import Surroundings, start
from fluvio_local_cluster.lifecycle.state import ClusterState, load_state
from fluvio_local_cluster.lifecycle.stop import stop_servers

_MARK = ".fluvio-ephemeral"  # only a directory with this file is ever removed
_GRACE_S = 5.0
_MODULE = "fluvio_local_cluster.lifecycle.ephemeral"
_SERVERS = ("fluvio_local_cluster.sc", "fluvio_local_cluster.spu")


class NotEphemeralError(LocalClusterError):
    """The directory was not made for an ephemeral cluster; it is left alone."""


@dataclass(slots=True)
class EphemeralCluster:
    """A running cluster; `keep` leaves its files when the block ends, the servers are stopped in any case."""

    directory: Path
    lifeline: int  # to the guardian
    state: ClusterState | None = None
    keeps_files: bool = False
    guardian: "subprocess.Popen[bytes] | None" = None

    @property
    def endpoint(self) -> str:
        """host:port of the controller."""
        assert self.state is not None
        return endpoint_of(self.state)

    @property
    def places(self) -> Places:
        """Its own, none of the user's."""
        return Places(self.directory / "fluvio", self.directory / "config")

    @property
    def log_dir(self) -> Path:
        """Where the servers print."""
        return self.directory / "log"

    @property
    def data_dir(self) -> Path:
        """Metadata and records."""
        return self.directory / "data"

    def variables(self) -> dict[str, str]:
        """What a program needs to find it: official clients read the first one."""
        return {
            "FLV_PROFILE_PATH": str(self.places.profile_file),
            "FLUVIO_PROFILE": "local",
            "FLUVIO_ENDPOINT": self.endpoint,
            "FLUVIO_CLUSTER_DIR": str(self.directory),
        }


@contextmanager
def ephemeral_cluster(
    environment: Mapping[str, str],
    client_id: str,
    progress: Progress,
    *,
    spu_count: int = 1,
    before_removal: Callable[["EphemeralCluster"], None] | None = None,
) -> Iterator[EphemeralCluster]:
    """A cluster on free ports while the block runs. Raises as `start` does.

    `before_removal` is called once when the cluster does not come up, or the block raises: all files are
    there still, and the servers run if they came so far.
    """
    directory = Path(tempfile.gettempdir()).resolve() / f"fluvio-run-{os.urandom(8).hex()}"
    guardian, lifeline = _start_guardian(directory, environment)  # there is nothing that it does not know of
    cluster = EphemeralCluster(directory, lifeline, guardian=guardian)
    looks = [] if before_removal is None else [before_removal]

    def look() -> None:
        while looks:
            looks.pop()(cluster)

    try:
        directory.mkdir(mode=0o700)
        (directory / _MARK).touch()
        cluster.state = _start(cluster, environment, client_id, progress, spu_count, look)
        yield cluster
    except BaseException:
        look()
        raise
    finally:
        _finish(cluster, keeps_files=cluster.keeps_files)
        guardian.wait()


def become_runner(
    environment: Mapping[str, str],
    client_id: str,
    progress: Progress,
    words: Sequence[str],
    make_ready: Callable[[EphemeralCluster], None],
    *,
    spu_count: int = 1,
    keep_on_failure: bool = False,
    before_removal: Callable[[EphemeralCluster], None] | None = None,
    after: Callable[[EphemeralCluster], list[str]] | None = None,
    limit: str = "",
) -> NoReturn:
    """Run a program on such a cluster, in place of this one, whose pid and parent it gets.

    `make_ready` is called when the cluster runs. Raises as `start` and `make_ready` do, then nothing is left;
    `before_removal` as for `ephemeral_cluster`. `after` is called last, and names another command that comes
    after the program, in place of this module: it gets the same words, and ends with `main`. `limit` is what
    SIGALRM stands for, if that is to come: it ends the program.
    """
    with ephemeral_cluster(
        environment, client_id, progress, spu_count=spu_count, before_removal=before_removal
    ) as cluster:
        make_ready(cluster)
        successor = _python() if after is None else after(cluster)
        mask = command_run.block_signals()
        assert cluster.guardian is not None
        numbers = (cluster.lifeline, cluster.guardian.pid, int(keep_on_failure))
        ending = [*successor, "finish", str(cluster.directory), *map(str, numbers)]
        os.set_inheritable(cluster.lifeline, True)
        os.execve(
            sys.executable,
            [
                *(sys.executable, "-I", "-S", command_run.__file__),
                *(str(cluster.lifeline), mask, limit, str(len(ending)), *ending, *words),
            ],
            {**environment, **cluster.variables()},
        )


def _start(
    cluster: EphemeralCluster,
    environment: Mapping[str, str],
    client_id: str,
    progress: Progress,
    spu_count: int,
    before_removal: Callable[[], None],
) -> ClusterState | None:
    settings = ClusterSettings(
        cluster.data_dir,
        cluster.log_dir,
        sc_public=Endpoint(LOOPBACK, 0),
        sc_private=Endpoint(LOOPBACK, 0),
        spu_count=spu_count,
        spu_port_base=0,
    )
    around = Surroundings(cluster.places, environment, client_id, before_removal=before_removal)
    return start(settings, around, progress)


def _finish(cluster: EphemeralCluster, *, keeps_files: bool) -> None:
    _end_servers(cluster.data_dir)
    if not keeps_files:
        remove(cluster.directory)
    os.write(cluster.lifeline, b"done\n")
    os.close(cluster.lifeline)


def _python() -> list[str]:
    """The command line of `main`."""
    return [sys.executable, "-P", "-m", _MODULE]


def remove(directory: Path) -> None:
    """Remove the directory of an ephemeral cluster, if there is one. Raises `NotEphemeralError`."""
    if not directory.exists():
        return
    if not (directory / _MARK).is_file():
        try:
            directory.rmdir()  # its maker was killed before it put the mark there
        except OSError as exc:
            raise NotEphemeralError(f"{directory} was not made for an ephemeral cluster") from exc
        return
    for entry in directory.iterdir():  # the mark goes last: what is left can be removed later
        if entry.name != _MARK:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    shutil.rmtree(directory)


def _start_guardian(directory: Path, environment: Mapping[str, str]) -> "tuple[subprocess.Popen[bytes], int]":
    read_end, write_end = os.pipe()  # the write end is inherited by nobody
    script = Path(__file__).with_name("guardian.py")
    try:
        guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script), str(directory)],
            stdin=read_end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=dict(environment),
            start_new_session=True,
        )
    except BaseException:
        os.close(write_end)
        raise
    finally:
        os.close(read_end)
    return guardian, write_end


def _end_servers(data_dir: Path) -> None:
    state = load_state(data_dir)
    if state is not None:
        stop_servers(state)


def _strays(data_dir: Path) -> list[ProcessIdentity]:
    """Servers on this directory that the state file may not have yet."""
    import psutil

    found = []
    for pid in psutil.pids():
        words = processes.command_line(pid)
        if any(module in words for module in _SERVERS) and any(
            word == str(data_dir) or word.startswith(f"{data_dir}{os.sep}") for word in words
        ):
            identity = processes.identify(pid)
            if identity is not None:
                found.append(identity)
    return found


def main(arguments: Sequence[str]) -> int:
    """`finish DIRECTORY LIFELINE GUARDIAN KEEPS CODE` in place of the runner, which does not return; or
    `clear DIRECTORY [PID:START:BOOT]` in place of the guardian.
    """
    what, directory = arguments[0], Path(arguments[1])
    if what == "clear":
        _clear(directory, arguments[2:])
        return 0
    lifeline, guardian, keeps = (int(word) for word in arguments[2:5])
    code = command_run.exit_code_of(arguments[5])
    cluster = EphemeralCluster(directory, lifeline)
    keeps_files = bool(keeps and code)
    _finish(cluster, keeps_files=keeps_files)
    if keeps_files:
        print(
            f"data and server output are kept in {directory}; go on with them by `fluvio cluster resume "
            f"--data-dir {cluster.data_dir}`, remove them with `rm -r`",
            file=sys.stderr,
            flush=True,
        )
    os.waitpid(guardian, 0)
    return command_run.end_like(code)


def _clear(directory: Path, commands: Sequence[str]) -> None:
    """End what is left of a cluster whose maker was killed, and of the program that ran on it."""
    identities = []
    for word in commands:
        pid, start_time, boot_id = word.split(":", 2)
        identities.append(ProcessIdentity(int(pid), int(start_time), boot_id))
    processes.stop(identities, _GRACE_S)
    data_dir = directory / "data"
    _end_servers(data_dir)
    processes.stop(_strays(data_dir), _GRACE_S)
    remove(directory)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
