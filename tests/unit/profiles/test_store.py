"""Reading and rewriting the profile file on a real disk, in one process and in two."""

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from fluvio_profiles.errors import ConfigBrokenError, ConfigMissingError, ConfigWriteError
from fluvio_profiles.model import Config
from fluvio_profiles.store import load_config, parse_config, profile_path, set_local_profile, update_config


def no_change(config: Config) -> None:
    del config


def test_the_path_is_the_argument_then_the_variable_then_the_home() -> None:
    home = Path("/home/x")
    environment = {"FLV_PROFILE_PATH": "/p"}
    assert profile_path(environment, home, Path("/q")) == Path("/q")
    assert profile_path(environment, home) == Path("/p")
    assert profile_path({"FLV_PROFILE_PATH": ""}, home) == Path("/home/x/.fluvio/config")


def test_set_local_profile_makes_a_private_directory_and_file(tmp_path: Path) -> None:
    path = tmp_path / ".fluvio" / "config"
    set_local_profile(path, "local", "127.0.0.1:9003")
    config = load_config(path)
    assert config.current_profile == "local"
    assert config.clusters["local"].endpoint == "127.0.0.1:9003"
    assert config.clusters["local"].metadata == {"installation": "local"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["config", "config.lock"]


def test_a_rewrite_narrows_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "config"
    set_local_profile(path, "a", "h:1")
    path.chmod(0o644)
    update_config(path, no_change)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_symbolic_link_stays_one_and_its_target_changes(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "config"
    set_local_profile(target, "a", "h:1")
    link = tmp_path / "link"
    link.symlink_to(target)
    set_local_profile(link, "b", "h:2")
    assert link.is_symlink()
    assert set(load_config(target).profiles) == {"a", "b"}


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (b'version = "2.0"\nx = = 1\n', 2, 5),
        (b"not toml at all [", 1, 5),
        (b'version = "2.0', 1, 15),
        (b'version = "2.0"\na = "\xff"\n', 2, 6),
    ],
)
def test_a_broken_file_is_reported_with_its_place(content: bytes, line: int, column: int) -> None:
    with pytest.raises(ConfigBrokenError) as caught:
        parse_config(content, Path("/p/config"))
    assert (caught.value.line, caught.value.column) == (line, column)
    assert f"/p/config at line {line}, column {column}: " in str(caught.value)


def test_a_broken_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("broken [")
    for create in (False, True):
        with pytest.raises(ConfigBrokenError):
            update_config(path, no_change, create=create)
    with pytest.raises(ConfigBrokenError):
        set_local_profile(path, "local", "h:1")
    assert path.read_text() == "broken ["


@pytest.mark.parametrize("name", ["absent", "."])
def test_a_missing_file_and_a_directory_are_no_profile_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigMissingError):
        load_config(tmp_path / name)
    with pytest.raises(ConfigMissingError):
        update_config(tmp_path / name, no_change)


def test_a_change_that_raises_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "config"
    set_local_profile(path, "a", "h:1")
    before = path.read_bytes()

    def fail(config: Config) -> None:
        config.profiles.clear()
        raise ValueError

    with pytest.raises(ValueError):
        update_config(path, fail)
    assert path.read_bytes() == before


def test_a_path_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigWriteError):
        set_local_profile(tmp_path / "file" / "config", "a", "h:1")


def test_an_update_tells_whether_it_created_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config"
    assert update_config(path, no_change, create=True).created
    assert not update_config(path, no_change, create=True).created


def add_profiles(path: Path, prefix: str) -> None:
    for number in range(25):
        set_local_profile(path, f"{prefix}{number}", "h:1")


def test_two_processes_that_update_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config"
    spawn = multiprocessing.get_context("fork" if os.name == "posix" else "spawn")
    other = spawn.Process(target=add_profiles, args=(path, "theirs"))
    other.start()
    add_profiles(path, "ours")
    other.join(30)
    assert other.exitcode == 0
    expected = {f"{prefix}{number}" for prefix in ("ours", "theirs") for number in range(25)}
    assert set(load_config(path).profiles) == expected
