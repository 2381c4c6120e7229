"""The distribution as a stranger gets it: built, installed beside packages of near names, and run.

Asks the package registry for the official client and for Poetry, so it needs the network.
"""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {
    "fluvio_cli",
    "fluvio_client",
    "fluvio_protocol",
    "fluvio_types",
    "fluvio_profiles",
    "fluvio_installer",
    "fluvio_completions",
    "fluvio_local_cluster",
}
OFFICIAL_CLIENT = "fluvio==0.21.0"


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command with nothing of this test's environment but the path; returns its standard output."""
    kept = ("PATH", "HOME", "TMPDIR", "PIP_CACHE_DIR", "PIP_CERT", "PIP_INDEX_URL", "PIP_FIND_LINKS")
    done = subprocess.run(
        list(command),
        env={name: os.environ[name] for name in kept if name in os.environ},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of this tree and the wheel made from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    (path,) = distributions.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def neighbours(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh virtual environment with our wheel, the official client and Poetry."""
    folder = tmp_path_factory.mktemp("neighbours")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    programs = folder / "venv" / "bin"
    quiet = ("--quiet", "--no-input", "--disable-pip-version-check", "--only-binary=fluvio")
    run(programs / "python", "-m", "pip", "install", *quiet, wheel, OFFICIAL_CLIENT, "poetry", cwd=folder)
    return programs


def test_wheel_puts_only_our_rooms_into_site_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == ROOMS
    pages = [name for name in names if name.split("/")[0].endswith(".data")]
    assert pages
    assert all("/data/share/man/man1/fluvio" in name for name in pages)
    assert all(top.startswith("fluvio_") for top in tops)
    assert {f"{room}/py.typed" for room in ROOMS} <= set(names)


def test_wheel_offers_exactly_the_two_commands(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/entry_points.txt")]
        lines = archive.read(name).decode().split("\n")
    assert {line.split(" = ")[0] for line in lines if " = " in line} == {"flv", "fluvio"}


def test_sdist_holds_what_is_needed_to_build_and_test(distributions: Path) -> None:
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"pyproject.toml", "Makefile", "README.md", "LICENSE", ".ci/find-python", "tests/conftest.py"}
    assert needed <= names


def test_our_commands_run_where_the_official_client_and_poetry_are_installed(neighbours: Path) -> None:
    for command in ("fluvio", "flv"):
        assert run(neighbours / command, "--version", cwd=neighbours).startswith("fluvio ")
    run(neighbours / "fluvio", "--help", cwd=neighbours)


def test_official_client_still_imports_and_runs_beside_ours(neighbours: Path) -> None:
    program = (
        "import fluvio, fluvio_cli\n"
        "assert fluvio.__file__ != fluvio_cli.__file__\n"
        "from fluvio import Fluvio, Offset\n"
        "print(type(Offset.beginning()).__name__, fluvio.FluvioConfig.new('127.0.0.1:1') is not None)\n"
    )
    assert run(neighbours / "python", "-c", program, cwd=neighbours).strip() == "Offset True"


def test_poetry_still_runs_and_its_installer_is_its_own(neighbours: Path) -> None:
    assert "Poetry" in run(neighbours / "poetry", "--version", cwd=neighbours)
    program = "import importlib.metadata as m\nprint(*m.packages_distributions()['installer'])"
    assert run(neighbours / "python", "-c", program, cwd=neighbours).split() == ["installer"]
