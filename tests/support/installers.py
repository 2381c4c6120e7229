"""What tests of other languages need from registries: how it is installed, where it is kept.

What takes long to build is kept outside the clone, below `cache()`, and used by every clone of this user.
"""

import fcntl
import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

ROOT = Path(__file__).resolve().parents[2]
Found = TypeVar("Found")
CACHE_VARIABLE = "INTEROP_CACHE"  # `FLUVIO_...` is taken from tests
INSTALL_S = 300.0


class MissingError(Exception):
    """Something that a test needs is neither here nor can be installed; the text says what."""


def required(install: Callable[[], Found]) -> Found:
    """What `install` gives; where that is missing the test fails in CI, and is skipped elsewhere."""
    try:
        return install()
    except MissingError as exc:
        if os.environ.get("CI"):
            pytest.fail(str(exc))
        pytest.skip(str(exc))


def real_home() -> Path:
    """The home of the user, where registries and caches are configured; HOME is that of the test run."""
    return Path(pwd.getpwuid(os.getuid()).pw_dir)


def cache() -> Path:
    """The folder of what is built once for all clones: INTEROP_CACHE, else one where the user has caches."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen).resolve()
    caches = real_home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return caches / "fluvio-cli-tests"


@contextmanager
def only_one(folder: Path) -> Iterator[int]:
    """Hold the lock of a folder; gives its descriptor, with which a child holds it too."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def run_installer(
    command: Sequence[str],
    what: str,
    directory: Path,
    *,
    environment: Mapping[str, str] | None = None,
    inherits: Sequence[int] = (),
    timeout_s: float = INSTALL_S,
) -> str:
    """Run an installer with the real home; returns what it printed. Raises `MissingError` if it fails.

    `inherits`: descriptors that stay open in it.
    """
    base = os.environ if environment is None else environment
    settings = {**base, "HOME": str(real_home())}
    settings["PATH"] = f"{Path(command[0]).parent}{os.pathsep}{settings.get('PATH', '')}"
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            pass_fds=inherits,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise MissingError(f"cannot install {what}: {exc}") from exc
    if done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise MissingError(f"cannot install {what}: `{' '.join(command)}` says: {said}")
    return done.stdout.decode(errors="replace")
