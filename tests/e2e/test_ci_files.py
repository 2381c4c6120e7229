"""`installer/action.yml` and `installer/gitlab.yml`: their scripts run here, as CI runs them."""

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import junitparser
import pytest
import yaml

from fluvio_types.version import __version__
from tests.support.composite_action import Job
from tests.support.local_cluster import LocalCluster

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "installer"
_KEPT = ("PATH", "LANG", "PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT", "PIP_CACHE_DIR", "SSL_CERT_FILE")


@pytest.fixture(scope="module")
def runner_temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's directory, in which the action's first step has installed this checkout."""
    temp = tmp_path_factory.mktemp("runner")
    job = job_in(temp, temp / "workspace", temp / "home")
    steps = yaml.safe_load((ACTION / "action.yml").read_text())["runs"]["steps"]
    variables = {
        "FLUVIO_ACTION_PATH": str(ACTION),
        "FLUVIO_ACTION_VERSION": "",
        "FLUVIO_ACTION_PYTHON": sys.executable,
    }
    assert set(steps[0]["env"]) == set(variables)
    done, _ = job.run_script(steps[0]["run"], variables)
    assert done.returncode == 0, done.stderr
    return temp


def job_in(temp: Path, workspace: Path, home: Path) -> Job:
    for directory in (workspace, home):
        directory.mkdir(exist_ok=True)
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return Job(workspace, temp, {**environment, "HOME": str(home)})


@pytest.fixture
def job(runner_temp: Path, throwaway_home: LocalCluster) -> Iterator[Job]:
    """A job of its own; clusters that it leaves are removed."""
    job = job_in(runner_temp, throwaway_home.home / "workspace", throwaway_home.home)
    yield job
    for directory in runner_temp.glob("fluvio-cluster-*"):
        throwaway_home.run("cluster", "delete", "--force", "--data-dir", str(directory / "data"), check=False)


def use(job: Job, **inputs: str) -> Any:
    """The action with what is installed already: pip finds that `version` is satisfied."""
    return job.use(ACTION, python=sys.executable, version=__version__, **inputs)


def test_a_command_runs_on_a_cluster_of_its_own(job: Job) -> None:
    script = """
        echo 'it''s $HOME' | fluvio produce orders
        fluvio consume orders -B -d > out
        fluvio partition list >> out
    """
    used = use(job, run=script, topics="orders\nclicks:2", spu="2", junit="run.xml")
    assert not used.has_failed, used.output
    out = (job.workspace / "out").read_text()
    assert out.startswith("its $HOME\n")
    assert len(re.findall(r"^ *clicks +[01] ", out, re.M)) == 2
    [suite] = junitparser.JUnitXml.fromfile(str(job.workspace / "run.xml"))
    assert [case.name for case in suite][:3] == ["cluster starts", 'topic "orders"', 'topic "clicks"']
    assert "### ✅ fluvio cluster run: passed" in job.summary
    assert job.uploads == []
    assert used.outputs == {"endpoint": "", "profile-path": ""}


def test_a_command_that_fails_fails_the_step_and_its_diagnostics_are_uploaded(job: Job) -> None:
    used = use(job, run="false\ntouch not-reached", bundle="bundle.tar.gz", artifact="mine")
    assert used.has_failed
    assert not (job.workspace / "not-reached").exists()
    assert "::error title=fluvio cluster run%3A" in used.output
    [upload] = job.uploads
    assert (upload["name"], upload["path"]) == ("mine", "bundle.tar.gz")
    with tarfile.open(job.workspace / "bundle.tar.gz") as archive:
        assert "flv_sc.log" in archive.getnames()


def test_a_cluster_stays_for_the_steps_that_follow(job: Job) -> None:
    used = use(job, topics="orders:3 clicks")
    assert not used.has_failed, used.output
    done, _ = job.run_script(
        "fluvio partition list -O json; echo one | fluvio produce orders; fluvio profile list", {}
    )
    assert done.returncode == 0, done.stderr
    assert "orders-2" in done.stdout
    assert "clicks-0" in done.stdout
    assert used.outputs["endpoint"] == job.environment["FLUVIO_ENDPOINT"]
    assert used.outputs["profile-path"] == job.environment["FLV_PROFILE_PATH"]
    official = "from fluvio import Fluvio; Fluvio.connect().topic_producer('orders').send_string('x')"
    program = subprocess.run(
        [sys.executable, "-c", official], env=job.environment, capture_output=True, text=True, check=False
    )
    assert program.returncode == 0, program.stderr
    assert not (Path(job.environment["HOME"]) / ".fluvio" / "config").exists()
    assert job.uploads == []


def test_a_start_that_fails_has_its_diagnostics_uploaded(job: Job) -> None:
    job.environment["FLV_CLUSTER_PROVISION_TIMEOUT"] = "1"
    job.environment["PYTHONPATH"] = str(job.workspace)
    (job.workspace / "sitecustomize.py").write_text(
        "import os, sys\nif 'fluvio_local_cluster.spu' in sys.orig_argv: os._exit(7)\n"
    )
    used = use(job)
    assert used.has_failed
    assert "SPU 5001 ended with exit code 7" in used.output
    assert [upload["path"] for upload in job.uploads] == ["fluvio-diagnostics.tar.gz"]
    assert (job.workspace / "fluvio-diagnostics.tar.gz").exists()


def test_a_topic_that_cannot_be_made_leaves_diagnostics_of_the_cluster(job: Job) -> None:
    used = use(job, topics="fine Not_A_Name")
    assert used.has_failed
    assert [upload["path"] for upload in job.uploads] == ["fluvio-diagnostics.tar.gz"]
    with tarfile.open(job.workspace / "fluvio-diagnostics.tar.gz") as archive:
        assert "admin-spec-topics.yml" in archive.getnames()


@pytest.mark.parametrize(
    "hostile",
    ['"; touch pwned; "', "$(touch pwned)", "`touch pwned`", "a' ; touch pwned ; '", "x\ntouch pwned"],
)
def test_no_input_is_taken_for_a_script(job: Job, hostile: str) -> None:
    used = use(job, topics=hostile, spu="1", bundle=hostile.replace("\n", " "), artifact=hostile)
    assert "opic" in used.output  # it came so far
    assert not (job.workspace / "pwned").exists()


def test_inputs_reach_scripts_by_the_environment_only() -> None:
    document = yaml.safe_load((ACTION / "action.yml").read_text())
    scripts = [step["run"] for step in document["runs"]["steps"] if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]
    text = (ACTION / "action.yml").read_text()
    used = set(re.findall(r"inputs\.([\w-]+)", text))
    assert used == set(document["inputs"])


# --- GitLab ----------------------------------------------------------------------------------------------


def gitlab_job() -> dict[str, Any]:
    job: dict[str, Any] = yaml.safe_load((ACTION / "gitlab.yml").read_text())[".fluvio"]
    return job


def run_gitlab(home: LocalCluster, runner_temp: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The job's script, in a shell as GitLab's runner has it; what `before_script` installs is there."""
    job = gitlab_job()
    workspace = home.home / "builds"
    workspace.mkdir(exist_ok=True)
    (workspace / ".fluvio-venv").symlink_to(runner_temp / "fluvio-venv")
    last = job["before_script"][-1]
    assert last.startswith("export PATH=")
    script = "\n".join(["set -e", last, *job["script"]])
    values = {name: str(value) for name, value in job["variables"].items()}
    return subprocess.run(
        ["sh", "-c", script],
        cwd=workspace,
        env={**home.env, "CI": "true", "GITLAB_CI": "true", **values, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_job_of_gitlab_runs_its_command_and_leaves_a_report(
    throwaway_home: LocalCluster, runner_temp: Path
) -> None:
    command = "echo one | fluvio produce orders; fluvio consume orders -B -d; fluvio partition list"
    variables = {"FLUVIO_COMMAND": command, "FLUVIO_TOPICS": "orders clicks:2"}
    done = run_gitlab(throwaway_home, runner_temp, **variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("one\n")
    assert len(re.findall(r"^ *clicks +[01] ", done.stdout, re.M)) == 2
    artifacts = gitlab_job()["artifacts"]
    builds = throwaway_home.home / "builds"
    report = artifacts["reports"]["junit"]
    assert report == "$FLUVIO_REPORT"
    [suite] = junitparser.JUnitXml.fromfile(str(builds / "fluvio-report.xml"))
    assert all(case.is_passed for case in suite)
    assert not (builds / "fluvio-diagnostics.tar.gz").exists()


def test_a_job_of_gitlab_that_fails_leaves_diagnostics(
    throwaway_home: LocalCluster, runner_temp: Path
) -> None:
    done = run_gitlab(throwaway_home, runner_temp)  # without a command
    assert done.returncode == 1
    assert "FLUVIO_COMMAND is not set" in done.stderr
    assert "section_start:" in done.stderr
    assert artifacts_are_there(throwaway_home.home / "builds")


def artifacts_are_there(builds: Path) -> bool:
    names = gitlab_job()["variables"]
    return all((builds / names[name]).is_file() for name in ("FLUVIO_BUNDLE", "FLUVIO_REPORT"))
