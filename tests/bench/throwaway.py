"""Clusters for one command and for one pytest session: what they add, and what they hold in memory."""

import subprocess
import sys

import psutil

from tests.bench.cluster import BenchHome
from tests.bench.commands import BARE
from tests.bench.measuring import BenchError, Row, Samples, at_most, interleave, process_seconds
from tests.bench.sizes import Sizes
from tests.support.leftovers import processes_at_home

_WAITS = "echo ready; read line"
_TESTS = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_a_record_comes_back({fixtures}number):
    {body}
"""
_WITH_CLUSTER = {
    "fixtures": "fluvio_client, fluvio_topic, ",
    "body": "fluvio_client.produce(fluvio_topic, [str(number)])\n"
    "    assert fluvio_client.records(fluvio_topic) == [str(number)]",
}
_WITHOUT = {"fixtures": "", "body": "assert [str(number)] == [str(number)]"}


def throwaway_rows(sizes: Sizes) -> list[Row]:
    """`cluster run` around a command that does nothing, and a session of tests with and without a cluster."""
    with BenchHome() as home:
        home.environment["TMPDIR"] = str(home.path)  # where `cluster run` keeps its cluster
        actions = {
            "run": lambda: home.seconds("cluster", "run", "--ephemeral", "--", "true"),
            BARE: home.bare_python_seconds,
            "memory": lambda: _memory_mb(home),
        }
        taken = interleave(actions, sizes.startup_runs)
        tests = interleave(
            {
                "with": lambda: _session_seconds(home, sizes.session_tests, _WITH_CLUSTER),
                "without": lambda: _session_seconds(home, sizes.session_tests, _WITHOUT),
            },
            sizes.cluster_runs,
        )
    with_cluster, without = tests["with"], tests["without"]
    pairs = zip(with_cluster.values, without.values, strict=True)
    return [
        Row(
            "`cluster run --ephemeral -- true`, whole",
            "s",
            taken["run"],
            taken[BARE],
            BARE,
            [at_most(1.5)],
        ),
        Row(
            "memory: `cluster run --ephemeral` while its command runs",
            "MB",
            taken["memory"],
            targets=[at_most(70)],
            note="RSS of its servers, itself and its watcher added up; pages they share count each time",
        ),
        Row(
            f"what one session cluster adds to pytest, {sizes.session_tests} tests with a topic each",
            "s",
            Samples([with_it - without_it for with_it, without_it in pairs]),
            without,
            "tests without a cluster",
            [at_most(2)],
        ),
    ]


def _memory_mb(home: BenchHome) -> float:
    command = home.command("cluster", "run", "--ephemeral", "--", "sh", "-c", _WAITS)
    with subprocess.Popen(
        command,
        env=home.environment,
        cwd=home.path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise BenchError("`cluster run` did not run its command")
        found = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        found += [server for server, _ in processes_at_home(home.path, grace_s=0)]
        sizes = {each.pid: each.memory_info().rss for each in found if each.cmdline()[:1] != ["sh"]}
        process.communicate(b"go on\n", timeout=60)
    return sum(sizes.values()) / 1e6


def _session_seconds(home: BenchHome, count: int, parts: dict[str, str]) -> float:
    path = home.path / "test_session.py"
    path.write_text(_TESTS.format(count=count, **parts))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]
    return process_seconds(command, home.environment, cwd=home.path)
