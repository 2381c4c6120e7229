"""What tests of other languages need: where it is missing nothing passes in CI, and it is built once."""

import fcntl
import stat
from pathlib import Path

import pytest

from tests.support import official_rust
from tests.support.installers import CACHE_VARIABLE, MissingError, cache, only_one, required, run_installer


def missing() -> None:
    raise MissingError("no compiler here")


def test_what_is_missing_fails_a_test_in_ci_and_leaves_it_out_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no compiler here"):
        required(missing)
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="no compiler here"):
        required(missing)


def test_an_installer_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"cannot install it: `/bin/sh -c .*` says: no such crate"):
        run_installer(["/bin/sh", "-c", "echo no such crate >&2; exit 3"], "it", tmp_path)
    with pytest.raises(MissingError, match=r"cannot install it: .*nowhere"):
        run_installer([str(tmp_path / "nowhere")], "it", tmp_path)


def test_a_folder_is_held_by_who_builds_in_it_and_by_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    with only_one(cache()) as descriptor:
        with (cache() / "lock").open("a") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        run_installer(["test", "-e", f"/dev/fd/{descriptor}"], "it", tmp_path, inherits=[descriptor])
    with (cache() / "lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_compiler_that_is_too_old_is_named_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"cargo": "exit 1", "rustc": "echo 'rustc 1.63.0'; echo 'release: 1.63.0'"}.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/bin:/usr/bin")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    with pytest.raises(MissingError, match=r"needs rustc 1\.\d+: rustc 1\.63\.0 is here"):
        official_rust.install()
    assert not (tmp_path / "cache" / "rust" / "target").exists()
