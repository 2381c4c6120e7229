"""The command line as installed, where no cluster is needed: usage errors, profiles, versions."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.transcript_deviations import DEVIATIONS
from tests.support.transcripts import Place, Run, differences, profile_files, recorded_runs, replay

FLUVIO = Path(sys.executable).with_name("fluvio")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    home = tmp_path / "home"
    home.mkdir()
    return Place(home, tmp_path, FLUVIO)


def write_profile_file(place: Place, text: str) -> Path:
    path = place.home / ".fluvio" / "config"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def fluvio(place: Place, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FLUVIO, *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": str(place.home), **variables},
        timeout=30,
        check=False,
    )


def check(run: Run, place: Place) -> list[str]:
    """Differences that are not listed, and listed ones that are none."""
    found = differences(run, replay(run, place), place)
    if run.id in DEVIATIONS:
        return [] if found else ["is listed as a deviation, but agrees"]
    return found


@pytest.mark.parametrize("run", recorded_runs("empty-home"), ids=lambda run: run.id)
def test_a_run_in_an_empty_home_does_what_the_official_tool_does(run: Run, place: Place) -> None:
    assert check(run, place) == []


def test_a_session_of_profile_commands_does_what_the_official_tool_does(place: Place) -> None:
    problems = {run.id: check(run, place) for run in recorded_runs("profiles")}
    assert {name: found for name, found in problems.items() if found} == {}


@pytest.mark.parametrize(
    "run", [run for name in profile_files() for run in recorded_runs(f"file:{name}")], ids=lambda run: run.id
)
def test_a_run_with_an_unusual_profile_file_does_what_the_official_tool_does(run: Run, place: Place) -> None:
    write_profile_file(place, profile_files()[run.stage.removeprefix("file:")])
    assert check(run, place) == []


def test_a_broken_profile_file_is_named_with_its_place_and_left_alone(place: Place) -> None:
    broken = 'version = "2.0"\ncurrent_profile = = "a"\n'
    path = write_profile_file(place, broken)
    for words in (
        ("profile",),
        ("profile", "list"),
        ("profile", "switch", "a"),
        ("profile", "add", "a", "h:1"),
        ("profile", "delete", "a"),
        ("profile", "export"),
    ):
        done = fluvio(place, *words)
        assert done.returncode == 1
        assert f"{path} at line 2, column 19: " in done.stderr
        assert done.stdout == ""
        assert path.read_text() == broken


def test_the_profile_file_is_made_for_its_owner_only(place: Place) -> None:
    assert fluvio(place, "profile", "add", "a", "h:1").returncode == 0
    directory = place.home / ".fluvio"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "config").stat().st_mode) == 0o600


def test_flv_profile_path_names_another_file(place: Place) -> None:
    other = place.home / "other.toml"
    assert fluvio(place, "profile", "add", "a", "h:1", FLV_PROFILE_PATH=str(other)).returncode == 0
    assert other.is_file()
    assert not (place.home / ".fluvio").exists()
    assert fluvio(place, "profile", FLV_PROFILE_PATH=str(other)).stdout == "a\n"


def test_an_exported_profile_can_be_used_as_a_profile_file(place: Place) -> None:
    fluvio(place, "profile", "add", "a", "h:1", "local")
    exported = place.home / "exported.toml"
    exported.write_text(fluvio(place, "profile", "export").stdout)
    assert (
        fluvio(place, "profile", "list", FLV_PROFILE_PATH=str(exported)).stdout
        == fluvio(place, "profile", "list").stdout
    )


def test_a_private_key_in_the_file_is_listed_hidden_and_exported_readable(place: Place) -> None:
    write_profile_file(
        place,
        'version = "2.0"\ncurrent_profile = "a"\n[profile.a]\ncluster = "a"\n[cluster.a]\nendpoint = "h:1"\n'
        '[cluster.a.tls]\ntls_policy = "verified"\ntls_source = "inline"\n'
        '[cluster.a.tls.certs]\ndomain = "d"\nkey = "SECRET"\ncert = "c"\nca_cert = "ca"\n',
    )
    for form in ("json", "yaml", "toml"):
        listed = fluvio(place, "profile", "list", "-O", form)
        assert listed.returncode == 0
        assert "SECRET" not in listed.stdout
        assert "(hidden)" in listed.stdout
        assert "SECRET" in fluvio(place, "profile", "export", "-O", form).stdout


def test_delete_profile_is_another_name_of_delete(place: Place) -> None:
    fluvio(place, "profile", "add", "a", "h:1")
    done = fluvio(place, "profile", "delete-profile", "a")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "profile a deleted")


def test_a_plugin_runs_with_its_arguments_and_passes_its_exit_code_on(place: Place) -> None:
    directory = place.home / ".fluvio" / "extensions"
    directory.mkdir(parents=True)
    for name, body in (("hello", 'echo hello "$@"\nexit 7\n'), ("die", "kill -15 $$\n")):
        plugin = directory / f"fluvio-{name}"
        plugin.write_text(f"#!/bin/sh\n{body}")
        plugin.chmod(0o755)
    done = fluvio(place, "hello", "a", "-b")
    assert (done.returncode, done.stdout) == (7, "hello a -b\n")
    done = fluvio(place, "die")
    assert (done.returncode, done.stdout) == (15, "Extension killed via 15 signal\n")
    assert "  hello " in fluvio(place, "--help").stdout


def test_output_to_a_closed_pipe_ends_quietly(place: Place) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with subprocess.Popen(
        [FLUVIO, "profile", "--help"],
        stdout=write_end,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(place.home)},
    ) as process:
        os.close(write_end)
        _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, b"")
