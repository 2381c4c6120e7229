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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle import processes
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
_SERVERS = ("fluvio_local_cluster.sc", "fluvio_local_cluster.spu")


class NotEphemeralError(LocalClusterError):
    """The directory was not made for an ephemeral cluster; it is left alone."""


@dataclass(slots=True)
class EphemeralCluster:
    """A running cluster; `keep` leaves its files when the block ends, the servers are stopped in any case."""

    directory: Path
    state: ClusterState | None = None
    keeps_files: bool = False
    _lifeline: int = -1
    _environment: dict[str, str] = field(default_factory=dict)

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

    def also_end(self, process: ProcessIdentity) -> None:
        """If this process is killed, the guardian ends that one too."""
        words = f"{process.pid}:{process.start_time}:{process.boot_id}\n"
        os.write(self._lifeline, words.encode())


@contextmanager
def ephemeral_cluster(
    environment: Mapping[str, str], client_id: str, progress: Progress, *, spu_count: int = 1
) -> Iterator[EphemeralCluster]:
    """A cluster on free ports while the block runs. Raises as `start` does."""
    directory = Path(tempfile.mkdtemp(prefix="fluvio-run-")).resolve()
    (directory / _MARK).touch()
    guardian, lifeline = _start_guardian(directory, environment)
    cluster = EphemeralCluster(directory, _lifeline=lifeline)
    try:
        settings = ClusterSettings(
            cluster.data_dir,
            cluster.log_dir,
            sc_public=Endpoint(LOOPBACK, 0),
            sc_private=Endpoint(LOOPBACK, 0),
            spu_count=spu_count,
            spu_port_base=0,
        )
        cluster.state = start(settings, Surroundings(cluster.places, environment, client_id), progress)
        yield cluster
    finally:
        _end_servers(cluster.data_dir)
        if not cluster.keeps_files:
            remove(directory)
        os.write(lifeline, b"done\n")
        os.close(lifeline)
        guardian.wait()


def remove(directory: Path) -> None:
    """Remove the directory of an ephemeral cluster. Raises `NotEphemeralError`."""
    if not (directory / _MARK).is_file():
        if directory.exists():
            raise NotEphemeralError(f"{directory} was not made for an ephemeral cluster")
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
    """`DIRECTORY [PID:START:BOOT]`: end what is left of an ephemeral cluster whose maker was killed."""
    directory = Path(arguments[0])
    commands = []
    for word in arguments[1:]:
        pid, start_time, boot_id = word.split(":", 2)
        commands.append(ProcessIdentity(int(pid), int(start_time), boot_id))
    processes.stop(commands, _GRACE_S)
    data_dir = directory / "data"
    _end_servers(data_dir)
    processes.stop(_strays(data_dir), _GRACE_S)
    remove(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
