"""What holds in every test run: a home of its own, nothing of the outside, hypothesis profiles, no leftovers.

Profiles: `dev` (the default: the same examples each time, so that a change is what makes a test fail),
`ci` (new examples each time) and `fuzz` (many). Choose with `--hypothesis-profile=ci`. Runs with new
examples print the seed that repeats them.
"""

import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("dev", derandomize=True, max_examples=50, deadline=None, database=None)
settings.register_profile(
    "ci",
    max_examples=200,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # the machines of others are slow at times
)
settings.register_profile("fuzz", settings.get_profile("ci"), max_examples=2_000)
settings.load_profile("dev")

_FOREIGN_PREFIXES = ("FLUVIO_", "FLV_", "XDG_")
_FOREIGN_NAMES = ("RUST_LOG", "NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR")
_PREFIX = "fluvio-tests-"
_KEPT_S = 86_400  # the files of a failed run stay this long
_folder = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed; give the session a folder for all its files and an empty home in it.

    Done before any test module is imported. Workers of xdist make their folder in that of the session,
    and get its options, so all use one seed.
    """
    if config.getoption("--hypothesis-profile", None) in ("ci", "fuzz") and not config.option.hypothesis_seed:
        config.option.hypothesis_seed = str(random.SystemRandom().randrange(2**32))
    _keep_pip_cache()
    if not is_worker(config):
        _remove_old_runs()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
    config.stash[_folder] = folder
    home = folder / "home"
    home.mkdir()
    os.environ["HOME"] = str(home)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    if not is_worker(config) and config.option.basetemp is None:
        config.option.basetemp = str(folder / "pytest")
    for name in list(os.environ):
        if name.startswith(_FOREIGN_PREFIXES) or name in _FOREIGN_NAMES:
            del os.environ[name]


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs tests for another one (pytest-xdist)."""
    return hasattr(config, "workerinput")


def _remove_old_runs() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):  # another run may be removing it
            if folder.stat().st_mtime < time.time() - _KEPT_S:
                shutil.rmtree(folder, ignore_errors=True)


def _keep_pip_cache() -> None:
    """Let tests that install packages use the cache of the real home."""
    if "PIP_CACHE_DIR" not in os.environ:
        cache = "Library/Caches/pip" if sys.platform == "darwin" else ".cache/pip"
        os.environ["PIP_CACHE_DIR"] = str(Path.home() / cache)


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory of this test alone, set as HOME for it and the processes it starts."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Fail a run that leaves servers behind, after stopping them; remove its files unless a test failed."""
    yield
    if is_worker(session.config):
        return
    from tests.support.leftovers import processes_at_home, stop

    folder = session.config.stash[_folder]
    left = processes_at_home(folder, grace_s=3.0)
    for process, command in left:
        print(f"\nleft running by a test: pid {process.pid}: {command}", file=sys.stderr)
    if left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        stop([process for process, _ in left])
    if session.exitstatus == pytest.ExitCode.TESTS_FAILED:
        print(f"\nfiles of this run: {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how to repeat a run with random examples."""
    if config.option.hypothesis_seed:
        terminalreporter.write_line(
            f"repeat these examples with --hypothesis-seed={config.option.hypothesis_seed}"
        )
