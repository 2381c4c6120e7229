"""A home directory that is thrown away, and the installed `fluvio` command run in it.

For programs outside pytest (the demo, the benchmarks). Clusters started here take free ports and keep
everything below the home directory, so what is left can be found by it: nothing may be.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Self

from tests.support.leftovers import processes_at_home, stop

FREE_PORTS = ("--sc-pub-addr", "127.0.0.1:0", "--sc-priv-addr", "127.0.0.1:0", "--spu-port-base", "0")
_FOREIGN_PREFIXES = ("FLUVIO_", "FLV_", "XDG_", "PYTHON", "COVERAGE_")
_FOREIGN_NAMES = ("RUST_LOG", "CI")
_INTERRUPT_GRACE_S = 15.0


class CommandError(Exception):
    """A command ended with another exit code than it should; the text has its standard error."""


class ThrowawayHome:
    """Leave the `with` block, and its clusters, its processes and its files are gone."""

    def __init__(self, prefix: str, bin_dir: Path | None = None) -> None:
        """`bin_dir` holds `fluvio`; by default that of the running interpreter."""
        self.bin_dir = bin_dir or Path(sys.executable).parent
        self.path = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
        foreign = (*_FOREIGN_NAMES, "VIRTUAL_ENV")
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_FOREIGN_PREFIXES) and name not in foreign
        }
        self.environment["HOME"] = str(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def state_file(self) -> Path:
        """Exists while there is a cluster, running or stopped."""
        return self.path / ".fluvio" / "data" / "cluster.json"

    def command(self, *arguments: str) -> list[str]:
        """The installed `fluvio` with these arguments."""
        return [str(self.bin_dir / "fluvio"), *arguments]

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: IO[bytes] | bytes | None = None,
        stdout: IO[bytes] | None = None,
        expect: int | None = 0,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `command` to its end, in this home; keeps what it prints unless `stdout` takes it.

        Raises `CommandError` unless it ends with `expect` (None: anything will do). A Ctrl-C reaches the
        command as well: it gets 15 s to end by itself.
        """
        options: dict[str, Any] = {"stdin": subprocess.PIPE if isinstance(stdin, bytes) else stdin}
        if stdin is None:
            options["stdin"] = subprocess.DEVNULL
        process = subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.path,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )
        try:
            out, err = process.communicate(stdin if isinstance(stdin, bytes) else None)
        except BaseException:
            _end(process)
            raise
        if expect is not None and process.returncode != expect:
            text = err.decode(errors="replace").strip()
            name = " ".join([Path(command[0]).name, *command[1:]])
            raise CommandError(f"`{name}` ended with {process.returncode}, not {expect}: {text}")
        return subprocess.CompletedProcess(command, process.returncode, out or b"", err)

    def fluvio(
        self,
        *arguments: str,
        stdin: IO[bytes] | bytes | None = None,
        stdout: IO[bytes] | None = None,
        expect: int | None = 0,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `fluvio` with these arguments, as `run` does."""
        return self.run(self.command(*arguments), stdin=stdin, stdout=stdout, expect=expect)

    def start_cluster(self, *arguments: str) -> None:
        """Start a local cluster with one SPU on free ports; its profile becomes the current one."""
        self.fluvio("cluster", "start", "--local", *FREE_PORTS, *arguments)

    def delete_cluster(self) -> None:
        """Delete the cluster and its data."""
        self.fluvio("cluster", "delete", "--force")

    def remove(self) -> list[str]:
        """Delete the cluster if there is one, stop what still runs, remove the files.

        Returns the commands of processes that the cluster's deletion left running.
        """
        if self.path.exists() and self.state_file.exists():
            self.fluvio("cluster", "delete", "--force", expect=None)
        left = processes_at_home(self.path, grace_s=3.0)
        stop([process for process, _ in left])
        shutil.rmtree(self.path, ignore_errors=True)
        return [command for _, command in left]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let an interrupted command end by itself, else end it."""
    try:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=_INTERRUPT_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
