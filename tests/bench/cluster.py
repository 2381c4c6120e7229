"""The cluster that is measured: started by `fluvio cluster start` in a temporary home, on free ports."""

import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.measuring import process_seconds
from tests.support.leftovers import processes_at_home
from tests.support.throwaway_home import ThrowawayHome


class BenchHome(ThrowawayHome):
    """A temporary home in which commands are timed."""

    def __init__(self) -> None:
        super().__init__("fluvio-bench-")

    def seconds(self, *arguments: str, stdin: bytes | None = None, stdout: Path | None = None) -> float:
        """How long `fluvio` with these arguments takes, from its start to its end."""
        return process_seconds(
            self.command(*arguments), self.environment, cwd=self.path, stdin=stdin, stdout=stdout
        )

    def bare_python_seconds(self) -> float:
        """How long the same interpreter takes to start and end: the reference for every command."""
        command = [sys.executable, "-I", "-c", "pass"]
        return process_seconds(command, self.environment, cwd=self.path)

    @property
    def endpoint(self) -> str:
        """Where the controller of the started cluster is, as its profile says."""
        config = tomllib.loads((self.path / ".fluvio" / "config").read_text())
        profile = config["profile"][config["current_profile"]]
        return str(config["cluster"][profile["cluster"]]["endpoint"])

    def memory_mb(self) -> float:
        """Resident memory of all processes of the cluster together, in MB (10^6 bytes)."""
        servers = processes_at_home(self.path, grace_s=0)
        return sum(process.memory_info().rss for process, _ in servers) / 1e6

    def new_topic(self, name: str) -> str:
        """Create a topic with one partition, and return its name."""
        self.fluvio("topic", "create", name)
        return name

    def drop_topic(self, name: str) -> None:
        """Delete a topic and its data."""
        self.fluvio("topic", "delete", name)


@contextmanager
def running_cluster() -> Iterator[BenchHome]:
    """A cluster with one SPU; it is gone when the block ends."""
    with BenchHome() as home:
        home.start_cluster()
        yield home
