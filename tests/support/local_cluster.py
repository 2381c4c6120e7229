"""A real cluster for tests: the installed command, a temporary home, free ports; removed at the end.

Fixtures (a `conftest.py` of the test's directory imports them):

    local_cluster   one for the whole session, with one SPU: do not stop it, use topics of your own
    fresh_cluster   one for this test alone, with one SPU: stop it, kill it, fill it
    throwaway_home  no cluster yet: `throwaway_home.start("--spu", "2")`
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fluvio_local_cluster.lifecycle.processes import ProcessIdentity, is_running, stop
from fluvio_local_cluster.lifecycle.state import ClusterState, load_state

FLUVIO = Path(sys.executable).with_name("fluvio")
FREE_PORTS = ("--sc-pub-addr", "127.0.0.1:0", "--sc-priv-addr", "127.0.0.1:0", "--spu-port-base", "0")
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR")


@dataclass(slots=True)
class LocalCluster:
    """A home directory, and the cluster started in it."""

    home: Path
    executable: Path = FLUVIO

    @property
    def env(self) -> dict[str, str]:
        """The environment in which commands and official clients find this cluster, and nothing else."""
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        return {**kept, "HOME": str(self.home)}

    @property
    def data_dir(self) -> Path:
        """Where the default cluster of this home keeps metadata and records."""
        return self.home / ".fluvio" / "data"

    @property
    def log_dir(self) -> Path:
        """Where servers print."""
        return self.home / ".fluvio" / "log"

    @property
    def profile_path(self) -> Path:
        """The profile file."""
        return self.home / ".fluvio" / "config"

    @property
    def state(self) -> ClusterState:
        """What the state file says."""
        state = load_state(self.data_dir)
        assert state is not None, "no cluster has been started here"
        return state

    @property
    def endpoint(self) -> str:
        """host:port of the SC, for clients."""
        return str(self.state.sc.plan.public)

    def start(self, *options: str) -> "LocalCluster":
        """Start the default cluster on free ports."""
        self.run("cluster", "start", *FREE_PORTS, *options)
        return self

    def run(
        self,
        *words: str,
        check: bool = True,
        stdin: str | bytes = b"",
        timeout: float = 60,
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run `fluvio <words>` to its end, on pipes; with `check` it has to succeed."""
        done = subprocess.run(
            [self.executable, *words],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=self.home,
            env={**self.env, **variables},
            timeout=timeout,
            check=False,
        )
        result = subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )
        if check:
            assert result.returncode == 0, f"{words} gave {result.returncode}: {result.stdout}{result.stderr}"
        return result

    def processes(self) -> dict[str, ProcessIdentity]:
        """The recorded processes: `SC`, `SPU 5001`, ..."""
        return {server.plan.label: server.process for server in self.state.servers if server.process}

    def running(self) -> list[str]:
        """Labels of those that are alive."""
        return [label for label, process in self.processes().items() if is_running(process)]

    def remove(self) -> None:
        """End every cluster that was started with this home, whatever state it is in."""
        for data_dir in {path.parent for path in self.home.rglob("cluster.json")}:
            done = self.run("cluster", "delete", "--force", "--data-dir", str(data_dir), check=False)
            state = load_state(data_dir)
            if state is not None:
                stop([server.process for server in state.servers if server.process], 1.0)
            assert done.returncode == 0, f"the cluster could not be deleted: {done.stderr}"


def cluster_in_new_home() -> Iterator[LocalCluster]:
    """For fixtures: a home without a cluster; whatever is started in it is removed."""
    with tempfile.TemporaryDirectory(prefix="fluvio-test-", ignore_cleanup_errors=True) as home:
        cluster = LocalCluster(Path(os.path.realpath(home)))
        try:
            yield cluster
        finally:
            cluster.remove()


@pytest.fixture
def throwaway_home() -> Iterator[LocalCluster]:
    """A home without a cluster; whatever is started in it is removed."""
    yield from cluster_in_new_home()


@pytest.fixture
def fresh_cluster() -> Iterator[LocalCluster]:
    """A cluster with one SPU for this test alone."""
    for cluster in cluster_in_new_home():
        yield cluster.start()


@pytest.fixture(scope="session")
def local_cluster() -> Iterator[LocalCluster]:
    """A cluster with one SPU that all tests share."""
    for cluster in cluster_in_new_home():
        yield cluster.start()
