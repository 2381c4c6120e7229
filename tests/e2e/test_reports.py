"""`--junit` and annotations of the commands that judge, with real clusters and a real machine."""

import signal
import socket
import subprocess
import tarfile
from pathlib import Path

import junitparser
import pytest

from fluvio_local_cluster.lifecycle.processes import stop
from tests.support.failing_servers import variables_for_failing
from tests.support.local_cluster import FREE_PORTS, LocalCluster


def cases_in(path: Path, command: str) -> dict[str, junitparser.TestCase]:
    [suite] = junitparser.JUnitXml.fromfile(str(path))
    assert suite.name == command
    cases = {case.name: case for case in suite}
    assert {case.classname for case in cases.values()} == {command.replace(" ", ".")}
    return cases


def failed(cases: dict[str, junitparser.TestCase]) -> dict[str, str]:
    return {name: case.result[0].message for name, case in cases.items() if case.result}


def test_health_has_a_case_for_each_server(fresh_cluster: LocalCluster, tmp_path: Path) -> None:
    cluster, path = fresh_cluster, tmp_path / "health.xml"
    cluster.run("cluster", "health", "--junit", str(path))
    cases = cases_in(path, "fluvio cluster health")
    controller, spu = cases
    assert controller == f"SC at {cluster.endpoint}"
    assert spu.startswith("SPU 5001 at localhost:")
    assert failed(cases) == {}
    assert cases[spu].time > 0
    stop([cluster.processes()["SPU 5001"]], 5.0)
    done = cluster.run("cluster", "health", "--junit", str(path), check=False, GITHUB_ACTIONS="true")
    assert done.returncode == 6
    [name] = failed(cases_in(path, "fluvio cluster health"))
    assert name == spu
    lines = done.stderr.splitlines()
    group = lines[lines.index("::group::output of the servers") + 1 : lines.index("::endgroup::")]
    assert {"| --- flv_sc.log", "| --- spu_log_5001.log"} <= set(group)
    [line] = [line for line in lines if line.startswith("::error ")]
    assert line.startswith(f"::error title=fluvio cluster health%3A {spu.replace(':', '%3A')}::SPU 5001")


def test_a_cluster_out_of_reach_is_a_failed_case(throwaway_home: LocalCluster, tmp_path: Path) -> None:
    path = tmp_path / "health.xml"
    done = throwaway_home.run("-c", "127.0.0.1:1", "cluster", "health", "--junit", str(path), check=False)
    assert done.returncode == 4
    [name] = failed(cases_in(path, "fluvio cluster health"))
    assert name == "SC at 127.0.0.1:1"


def test_a_cluster_that_is_not_known_is_an_error(throwaway_home: LocalCluster, tmp_path: Path) -> None:
    path = tmp_path / "health.xml"
    done = throwaway_home.run("cluster", "health", "--junit", str(path), check=False)
    assert done.returncode == 3
    case = cases_in(path, "fluvio cluster health")["fluvio cluster health"]
    assert isinstance(case.result[0], junitparser.Error)


@pytest.mark.parametrize("how", ["timeout", "interrupt", "terminate"])
def test_a_check_that_does_not_come_to_its_end_is_reported(
    throwaway_home: LocalCluster, tmp_path: Path, how: str
) -> None:
    path = tmp_path / "diff.xml"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"127.0.0.1:{silent.getsockname()[1]}"
        words = ["-c", endpoint, *(("--timeout", "2s") if how == "timeout" else ())]
        with subprocess.Popen(
            [throwaway_home.executable, *words, "topic", "diff", "a", "b", "--junit", str(path)],
            env=throwaway_home.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            peer = silent.accept()[0]
            if how != "timeout":
                peer.recv(1)
                process.send_signal(signal.SIGINT if how == "interrupt" else signal.SIGTERM)
            assert process.wait(30) == (5 if how == "timeout" else 130)
    [message] = failed(cases_in(path, "fluvio topic diff")).values()
    expected = "timed out: the command had not ended after 2s" if how == "timeout" else "interrupted"
    assert message == expected


def test_check_has_a_case_for_each_check(fresh_cluster: LocalCluster, tmp_path: Path) -> None:
    cluster, path = fresh_cluster, tmp_path / "check.xml"
    cluster.run("cluster", "check", "--junit", str(path))
    assert list(cases_in(path, "fluvio cluster check")) == ["servers run"]
    port = int(cluster.endpoint.rpartition(":")[2])
    cluster.run("cluster", "shutdown")
    cluster.run("cluster", "check", "--junit", str(path))
    checks = cases_in(path, "fluvio cluster check")
    assert len(checks) > 3
    assert failed(checks) == {}
    with socket.create_server(("127.0.0.1", port)):
        assert cluster.run("cluster", "check", "--junit", str(path), check=False).returncode == 1
    again = cases_in(path, "fluvio cluster check")
    assert list(again) == list(checks)
    [message] = failed(again).values()
    assert str(port) in message


def test_doctor_has_a_case_for_each_check(fresh_cluster: LocalCluster, tmp_path: Path) -> None:
    cluster, path = fresh_cluster, tmp_path / "doctor.xml"
    stop(list(cluster.processes().values()), 5.0)
    page = tmp_path / "page.md"
    words = ("doctor", "--junit", str(path))
    done = cluster.run(*words, check=False, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(page))
    assert done.returncode == 6
    cases = cases_in(path, "fluvio doctor")
    assert {"ports", "state-file", "disk-space"} <= set(cases)
    assert "state-file" in failed(cases)
    assert "::error title=fluvio doctor%3A state-file::" in done.stderr
    assert "### ❌ fluvio doctor: failed" in page.read_text()


def test_diff_and_plan_have_a_case_for_each_part(fresh_cluster: LocalCluster, tmp_path: Path) -> None:
    cluster, path = fresh_cluster, tmp_path / "report.xml"
    for topic, partitions in (("a", "2"), ("b", "2")):
        cluster.run("topic", "create", topic, "-p", partitions)
    cluster.run("topic", "diff", "a", "b", "--junit", str(path))
    assert list(cases_in(path, "fluvio topic diff")) == ["settings", "partition 0", "partition 1"]
    cluster.run("produce", "a", stdin="one\n")
    assert cluster.run("topic", "diff", "a", "b", "--junit", str(path), check=False).returncode == 8
    differing = failed(cases_in(path, "fluvio topic diff"))
    assert list(differing.values()) == ["differs in offsets and content"]
    declared = tmp_path / "declared.yaml"
    declared.write_text("version: 1\ntopics:\n  a:\n    partition: {count: 2}\n  c:\n")
    done = cluster.run("plan", "-f", str(declared), "--junit", str(path), check=False)
    assert done.returncode == 8
    cases = cases_in(path, "fluvio plan")
    assert list(cases) == ['topic "a"', 'topic "c"']
    assert failed(cases) == {'topic "c"': 'topic "c" is not there'}


def test_a_start_that_fails_is_annotated_with_the_servers_output(
    throwaway_home: LocalCluster, tmp_path: Path
) -> None:
    variables = variables_for_failing(tmp_path, said="no can do\n::add-path::/x")
    words = ("cluster", "start", *FREE_PORTS)
    done = throwaway_home.run(*words, check=False, **variables, GITHUB_ACTIONS="true")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    error = "::error title=fluvio cluster start%3A fluvio cluster start::SPU 5001 ended with exit code 7"
    [at] = [number for number, line in enumerate(lines) if line.startswith(error)]
    group = ["::group::output of spu_log_5001.log", "| no can do", "| | ::add-path::/x", "::endgroup::"]
    assert lines[at + 1 : at + 5] == group
    assert [line for line in lines if line.lstrip().startswith("::add-path")] == []


def test_a_start_that_fails_leaves_an_archive(throwaway_home: LocalCluster, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar.gz"
    words = ("cluster", "start", *FREE_PORTS, "--bundle", str(bundle))
    done = throwaway_home.run(*words, check=False, **variables_for_failing(tmp_path, said="no can do"))
    assert done.returncode == 1
    assert f"diagnostics of the cluster are in {bundle}\n" in done.stderr
    with tarfile.open(bundle) as archive:
        assert {"spu_log_5001.log", "cluster.json", "fluvio.yml"} <= set(archive.getnames())
    assert not throwaway_home.data_dir.exists()


def test_annotations_can_be_turned_off(throwaway_home: LocalCluster) -> None:
    variables = {"GITHUB_ACTIONS": "true", "FLUVIO_ANNOTATIONS": "off"}
    done = throwaway_home.run("-c", "127.0.0.1:1", "cluster", "health", check=False, **variables)
    assert done.returncode == 4
    assert "::error" not in done.stderr


def test_gitlab_gets_a_section_that_is_closed(throwaway_home: LocalCluster, tmp_path: Path) -> None:
    variables = variables_for_failing(tmp_path, said="no can do")
    done = throwaway_home.run("cluster", "start", *FREE_PORTS, check=False, **variables, GITLAB_CI="true")
    assert done.returncode == 1
    assert "[collapsed=true]\r\x1b[0Koutput of spu_log_5001.log\n| no can do\n" in done.stderr
    assert "::error" not in done.stderr
