"""Who names the profile: environment, directory; and what a directory's file may not do."""

import os
from pathlib import Path

import pytest

from fluvio_profiles import choice
from fluvio_profiles.choice import FILE_NAME, chosen_nearby, find_file, read_name
from fluvio_profiles.errors import DirectoryProfileError, ProfileUnknownError
from fluvio_profiles.model import Cluster, Config, Profile
from fluvio_profiles.resolve import Target, TargetOptions, resolve_target

CONFIG = Config(
    current_profile="current",
    profiles={name: Profile(name) for name in ("current", "env", "near", "option")},
    clusters={name: Cluster(f"{name}:9003") for name in ("current", "env", "near", "option")},
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "work" / "deep").mkdir(parents=True)
    return home


def pin(directory: Path, content: str | bytes = "near\n") -> Path:
    path = directory / FILE_NAME
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def resolved(home: Path, options: TargetOptions, environment: dict[str, str]) -> Target:
    directory = home / "work" / "deep"
    return resolve_target(
        options, lambda: CONFIG, lambda: chosen_nearby(environment, str(directory), str(home))
    )


def test_who_goes_before_whom(home: Path) -> None:
    pin(home / "work")
    environment = {"FLUVIO_PROFILE": "env"}
    address = resolved(home, TargetOptions(cluster="h:1"), environment)
    assert (address.endpoint, address.profile_name, address.chosen_by) == ("h:1", None, None)
    option = resolved(home, TargetOptions(profile="option"), environment)
    assert (option.endpoint, option.chosen_by) == ("option:9003", "--profile")
    variable = resolved(home, TargetOptions(), environment)
    assert (variable.endpoint, variable.chosen_by) == ("env:9003", "FLUVIO_PROFILE")
    near = resolved(home, TargetOptions(), {"FLUVIO_PROFILE": ""})
    assert (near.endpoint, near.chosen_by) == ("near:9003", str(home / "work" / FILE_NAME))
    (home / "work" / FILE_NAME).unlink()
    current = resolved(home, TargetOptions(), {})
    assert (current.endpoint, current.chosen_by) == ("current:9003", "current profile")


def test_the_nearest_file_counts(home: Path) -> None:
    pin(home)
    near = pin(home / "work" / "deep")
    assert find_file(str(home / "work" / "deep"), str(home)) == str(near)


def test_the_search_ends_at_the_home_directory(home: Path) -> None:
    pin(home.parent)
    assert find_file(str(home / "work"), str(home)) is None
    pin(home)
    assert find_file(str(home / "work"), str(home)) == str(home / FILE_NAME)


@pytest.mark.parametrize("is_worktree", [False, True])
def test_the_search_ends_at_the_root_of_a_repository(home: Path, is_worktree: bool) -> None:
    pin(home)
    mark = home / "work" / ".git"
    mark.write_text("gitdir: x") if is_worktree else mark.mkdir()
    assert find_file(str(home / "work" / "deep"), str(home)) is None
    pin(home / "work")
    assert find_file(str(home / "work" / "deep"), str(home)) == str(home / "work" / FILE_NAME)


def test_the_search_ends_before_a_directory_that_everybody_may_write_to(home: Path) -> None:
    pin(home / "work")
    (home / "work").chmod(0o777)
    assert find_file(str(home / "work" / "deep"), str(home)) is None


def test_directories_and_files_of_other_users_do_not_count(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pin(home / "work")
    somebody_else = os.geteuid() + 1
    monkeypatch.setattr(choice.os, "geteuid", lambda: somebody_else)
    assert find_file(str(home / "work"), str(home)) is None
    with pytest.raises(DirectoryProfileError, match="belongs to another user"):
        read_name(str(path))


def test_a_directory_that_is_gone_has_no_file(home: Path) -> None:
    assert chosen_nearby({}, None, str(home)) is None
    assert chosen_nearby({}, str(home / "gone"), str(home)) is None


@pytest.mark.parametrize("content", ["near", "near\n", "near\r\n", "  near \n\n"])
def test_one_line_is_a_name(home: Path, content: str) -> None:
    assert read_name(str(pin(home, content))) == "near"


@pytest.mark.parametrize(
    "content",
    ["", "\n", "near\nother\n", "near\n# remark\n", "\x1b[31mnear", b"\xff\xfe", "x" * 2000, "a\x00b"],
)
def test_anything_else_is_an_error_that_names_the_file_and_shows_nothing_of_it(
    home: Path, content: str | bytes
) -> None:
    path = pin(home, content)
    with pytest.raises(DirectoryProfileError) as caught:
        read_name(str(path))
    assert str(caught.value) == f"`{path}` does not hold one line with a profile's name"


def test_a_link_a_pipe_and_a_file_for_everybody_are_refused(home: Path) -> None:
    link = home / "work" / FILE_NAME
    link.symlink_to(pin(home))
    with pytest.raises(DirectoryProfileError, match="symbolic link"):
        read_name(str(link))
    pipe = home / "work" / "deep" / FILE_NAME
    os.mkfifo(pipe)
    with pytest.raises(DirectoryProfileError, match="no plain file"):
        read_name(str(pipe))
    (home / FILE_NAME).chmod(0o666)
    with pytest.raises(DirectoryProfileError, match="written by everybody"):
        read_name(str(home / FILE_NAME))


@pytest.mark.parametrize("name", ["127.0.0.1:9003", "near:9003", "$(touch x)", "nobody"])
def test_only_names_of_the_users_own_file_count(home: Path, name: str) -> None:
    path = pin(home / "work", name)
    with pytest.raises(DirectoryProfileError) as caught:
        resolved(home, TargetOptions(), {})
    assert str(path) in str(caught.value)
    with pytest.raises(ProfileUnknownError) as unknown:
        resolved(home, TargetOptions(), {"FLUVIO_PROFILE": name})
    assert "FLUVIO_PROFILE" in str(unknown.value.hint)
