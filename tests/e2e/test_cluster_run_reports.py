"""`cluster run --junit --bundle`: what is left for CI when the command, or the cluster, fails."""

import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from xml.etree import ElementTree

import junitparser
import pytest

from tests.support.failing_servers import variables_for_failing
from tests.support.local_cluster import LocalCluster

DEADLINE_S = 30.0


def run(home: LocalCluster, place: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{home.executable.parent}:{os.environ['PATH']}"
    return home.run(*words, check=False, TMPDIR=str(place), PATH=path, **variables)


def cases_in(path: Path) -> dict[str, junitparser.TestCase]:
    [suite] = junitparser.JUnitXml.fromfile(str(path))
    assert suite.name == "fluvio cluster run"
    return {case.name: case for case in suite}


def names_in(path: Path) -> set[str]:
    with tarfile.open(path) as archive:
        return set(archive.getnames())


EPHEMERAL = ("cluster", "run", "--ephemeral")


def test_a_command_that_is_content_leaves_a_report_and_no_archive(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    declared = tmp_path / "declared.yaml"
    declared.write_text("version: 1\ntopics:\n  from-file:\n    partition: {count: 2}\n")
    report, bundle = tmp_path / "run.xml", tmp_path / "bundle.tar.gz"
    words = (
        "--topic",
        "orders:2",
        "--topics",
        str(declared),
        "--junit",
        str(report),
        "--bundle",
        str(bundle),
    )
    done = run(throwaway_home, place, *EPHEMERAL, *words, "--", "sh", "-c", "echo out; exit 0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "")
    cases = cases_in(report)
    assert list(cases) == [
        "cluster starts",
        'topic "orders"',
        'topic "from-file"',
        "sh -c 'echo out; exit 0'",
    ]
    assert all(case.is_passed for case in cases.values())
    assert cases["cluster starts"].time > 0
    assert {case.classname for case in cases.values()} == {"fluvio.cluster.run"}
    assert not bundle.exists()
    assert not list(place.iterdir())


def test_a_command_that_fails_leaves_both_and_its_exit_code(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    report, bundle = tmp_path / "run.xml", tmp_path / "bundle.tar.gz"
    words = ("--topic", "t", "--junit", str(report), "--bundle", str(bundle))
    script = "echo precious | fluvio produce t; exit 9"
    done = run(throwaway_home, place, *EPHEMERAL, *words, "--", "sh", "-c", script)
    assert done.returncode == 9
    assert done.stderr == f"diagnostics of the cluster are in {bundle}\n"
    case = cases_in(report)[f"sh -c '{script}'"]
    assert [result.message for result in case.result] == ["the command ended with exit code 9"]
    assert "controller ready" in case.system_out
    assert {"flv_sc.log", "spu_log_5001.log", "cluster.json", "offsets.yml", "metadata.tar.gz"} < names_in(
        bundle
    )
    assert "admin-spec-topics.yml" in names_in(bundle)  # the servers were asked while they still ran
    with tarfile.open(bundle) as archive:
        assert not [name for name in archive.getnames() if b"precious" in content(archive, name)]
    assert not list(place.iterdir())


def content(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()


def test_a_directory_gets_an_archive_of_its_own_each_time(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    done = run(throwaway_home, place, *EPHEMERAL, "--bundle", str(tmp_path), "--", "false")
    assert done.returncode == 1
    [path] = tmp_path.iterdir()
    assert path.name.startswith("diagnostics-")
    assert str(path) in done.stderr


def test_a_command_that_a_signal_ends_is_told_by_its_name(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    report, bundle = tmp_path / "run.xml", tmp_path / "bundle.tar.gz"
    words = ("--junit", str(report), "--bundle", str(bundle))
    done = run(throwaway_home, place, *EPHEMERAL, *words, "--", "sh", "-c", "kill -KILL $$")
    assert done.returncode == -signal.SIGKILL
    [case] = [case for case in cases_in(report).values() if not case.is_passed]
    assert isinstance(case.result[0], junitparser.Error)
    assert case.result[0].message == "the command was ended by SIGKILL"
    assert bundle.exists()


def test_a_time_that_is_up_ends_the_command_and_is_told(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    report, bundle = tmp_path / "run.xml", tmp_path / "bundle.tar.gz"
    words = ("--timeout", "5s", "--junit", str(report), "--bundle", str(bundle))
    script = "trap 'kill $!; echo asked; exit 3' TERM; sleep 600 & wait $!"
    done = run(throwaway_home, place, *EPHEMERAL, *words, "--", "bash", "-c", script)
    assert (done.returncode, done.stdout) == (5, "asked\n")
    assert done.stderr.startswith("timed out: the command had not ended after 5s\n")
    [case] = [case for case in cases_in(report).values() if not case.is_passed]
    assert case.result[0].message == "the command had not ended after 5s"
    assert bundle.exists()
    assert not list(place.iterdir())


_RUNNER = """
import os, signal
from fluvio_local_cluster.lifecycle import command_run
command_run._GRACE_S = 0.2
command_run.block_signals()
signal.setitimer(signal.ITIMER_REAL, 0.2)
print(command_run.run_command(["sh", "-c", {script!r}], [], os.open(os.devnull, os.O_WRONLY)))
"""


@pytest.mark.parametrize("trap", ["", "trap '' TERM; ", "trap 'exit 0' TERM; "])
def test_a_program_is_ended_when_its_time_is_up_whatever_it_makes_of_being_asked(trap: str) -> None:
    script = f"{trap}while :; do read -r line || :; done"
    done = subprocess.run(
        [sys.executable, "-c", _RUNNER.format(script=script)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.stdout == "timed-out\n", done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_command_runs_leaves_both(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path, number: signal.Signals
) -> None:
    report, bundle = tmp_path / "run.xml", tmp_path / "bundle.tar.gz"
    words = [
        str(throwaway_home.executable),
        *EPHEMERAL,
        "--junit",
        str(report),
        "--bundle",
        str(bundle),
        "--",
    ]
    with subprocess.Popen(
        [*words, "sh", "-c", "echo ready; exec sleep 600"],
        env={**throwaway_home.env, "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait(DEADLINE_S) == -number
    [case] = [case for case in cases_in(report).values() if not case.is_passed]
    assert case.result[0].message == f"the command was ended by {number.name}"
    assert bundle.exists()
    assert not list(place.iterdir())


def test_a_cluster_that_does_not_come_up_leaves_both(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    report, bundle = tmp_path / "run.xml", tmp_path / "bundle.tar.gz"
    words = ("--junit", str(report), "--bundle", str(bundle), "--", "true")
    done = run(throwaway_home, place, *EPHEMERAL, *words, **variables_for_failing(tmp_path))
    assert done.returncode == 1
    assert f"diagnostics of the cluster are in {bundle}\n" in done.stderr
    cases = cases_in(report)
    assert list(cases) == ["cluster starts", "true"]
    assert cases["cluster starts"].result[0].message == "SPU 5001 ended with exit code 7 before it was ready"
    assert cases["cluster starts"].system_out == "cannot go on"
    assert cases["true"].is_skipped
    with tarfile.open(bundle) as archive:
        assert content(archive, "spu_log_5001.log") == b"cannot go on\n"
        assert json.loads(content(archive, "cluster.json"))["phase"] == "starting"
        assert "offsets.yml" in archive.getnames()
    assert not list(place.iterdir())


def test_a_signal_amid_the_start_leaves_both(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    report, bundle = tmp_path / "run.xml", tmp_path / "bundle.tar.gz"
    with subprocess.Popen(
        [str(throwaway_home.executable), *EPHEMERAL, "--junit", report, "--bundle", bundle, "--", "true"],
        env={**throwaway_home.env, "TMPDIR": str(place)},
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        while not list(place.glob("*/data/cluster.json")):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 130
    assert cases_in(report)["cluster starts"].result[0].message == "interrupted"
    assert "cluster.json" in names_in(bundle)
    assert not list(place.iterdir())


def test_a_topic_that_cannot_be_made_is_a_case_of_its_own(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    report = tmp_path / "run.xml"
    words = ("--topic", "fine", "--topic", "Not_A_Name", "--junit", str(report), "--", "true")
    done = run(throwaway_home, place, *EPHEMERAL, *words)
    assert done.returncode == 1
    cases = cases_in(report)
    assert [name for name, case in cases.items() if case.is_passed] == ["cluster starts", 'topic "fine"']
    assert 'topic "Not_A_Name"' in cases
    assert cases["true"].is_skipped


def test_places_are_looked_at_before_anything_is_started(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    for option in ("--junit", "--bundle"):
        done = run(throwaway_home, place, *EPHEMERAL, option, str(tmp_path / "no" / "file"), "--", "true")
        assert done.returncode == 1
        assert "there is no directory" in done.stderr
    assert not list(place.iterdir())


def test_in_a_job_of_github_the_failure_is_annotated_and_summed_up(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    page = tmp_path / "summary.md"
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page)}
    done = run(throwaway_home, place, *EPHEMERAL, "--", "sh", "-c", "exit 4", **variables)
    assert done.returncode == 4
    lines = done.stderr.splitlines()
    assert lines[0] == (
        "::error title=fluvio cluster run%3A sh -c 'exit 4'::the command ended with exit code 4"
    )
    assert lines[1] == "::group::output of the servers"
    assert lines[-1] == "::endgroup::"
    assert all(line.startswith("| ") for line in lines[2:-1])
    assert "### ❌ fluvio cluster run: failed" in page.read_text()


def test_what_a_server_has_printed_cannot_be_a_command_of_the_job(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    variables = variables_for_failing(tmp_path, said="::set-output name=a::b\r::add-path::/x\n##vso[task.x]y")
    for system in ("GITHUB_ACTIONS", "TF_BUILD"):
        done = run(throwaway_home, place, *EPHEMERAL, "--", "true", **variables, **{system: "true"})
        assert done.returncode == 1
        begins = [line.strip()[:8] for line in done.stderr.replace("\r", "\n").splitlines()]
        assert "::set-ou" not in begins
        assert "::add-pa" not in begins
        assert "##vso[task.x]" not in done.stderr
        assert "set-output" in done.stderr


def test_what_is_kept_for_people_has_no_notes_of_the_report(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    words = ("--keep-on-failure", "--junit", str(tmp_path / "run.xml"), "--", "false")
    assert run(throwaway_home, place, *EPHEMERAL, *words).returncode == 1
    [directory] = place.iterdir()
    assert (directory / "data" / "cluster.json").exists()
    assert list(directory.glob("*.json")) == []


def test_the_report_is_well_formed_whatever_the_command_is(
    throwaway_home: LocalCluster, place: Path, tmp_path: Path
) -> None:
    report = tmp_path / "run.xml"
    words = ("--junit", str(report), "--", "printf", "\x01<&>\x1b[1m%s", "x")
    assert run(throwaway_home, place, *EPHEMERAL, *words).returncode == 0
    assert len(ElementTree.parse(report).findall(".//testcase")) == 2
