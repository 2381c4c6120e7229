"""The pytest plugin in sessions as users have them: what fixtures give, and what failures show."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.leftovers import processes_at_home

PASSING = """
import subprocess, sys
import pytest

def test_records_come_back(fluvio_client, fluvio_topic):
    fluvio_client.produce(fluvio_topic, ["one", b"two", ("key", "three")])
    assert fluvio_client.records(fluvio_topic) == ["one", "two", ("key", "three")]
    assert fluvio_client.wait_for_records(fluvio_topic, 2) == ["one", "two"]

@pytest.mark.fluvio(partitions=3)
def test_a_topic_may_have_partitions(fluvio_cluster, fluvio_topic):
    assert fluvio_cluster.fluvio("partition", "list", "-O", "json").count(fluvio_topic) == 3

def test_programs_find_the_cluster(fluvio_environment, fluvio_topic):
    command = [sys.executable, "-m", "fluvio_cli", "produce", fluvio_topic]
    subprocess.run(command, input=b"x\\n", check=True)

async def reading(client, topic):
    return client.records(topic)

def test_inside_an_event_loop(fluvio_client, fluvio_topic):
    import asyncio
    fluvio_client.produce(fluvio_topic, ["x"])
    assert asyncio.run(reading(fluvio_client, fluvio_topic)) == ["x"]

@pytest.mark.parametrize("n", range(4))
def test_topics_are_the_tests_own(fluvio_client, fluvio_topic, n):
    assert fluvio_client.records(fluvio_topic) == []
    fluvio_client.produce(fluvio_topic, [str(n)])

def test_a_topic_that_the_test_deletes_is_no_error(fluvio_client, fluvio_topic):
    fluvio_client.delete_topic(fluvio_topic)
"""

FAILING = """
def test_wrong(fluvio_client, fluvio_topic):
    fluvio_client.produce(fluvio_topic, ["a", "x"])
    assert fluvio_client.records(fluvio_topic) == ["a", "b"]

def test_never(fluvio_client, fluvio_topic):
    fluvio_client.wait_for_records(fluvio_topic, 1, timeout_s=0.2)

def test_without(): assert False
"""


def session(place: Path, text: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run pytest with the installed plugin in `place`; ephemeral clusters are made in `place/tmp`."""
    (place / "tmp").mkdir(exist_ok=True)
    (place / "test_it.py").write_text(text)
    environment = {"HOME": str(place), "TMPDIR": str(place / "tmp"), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, "test_it.py"],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def is_clean(place: Path) -> bool:
    return not list((place / "tmp").glob("fluvio-run-*")) and not processes_at_home(place, grace_s=5.0)


@pytest.mark.parametrize("options", [(), ("-n", "2"), ("--fluvio-spus", "2")])
def test_every_fixture_works_and_nothing_is_left(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = session(tmp_path, PASSING, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed" in done.stdout
    assert is_clean(tmp_path)


def test_a_failure_shows_the_difference_and_what_the_servers_printed(tmp_path: Path) -> None:
    done = session(tmp_path, FAILING)
    assert done.returncode == 1
    failures = done.stdout.partition("short test summary")[0]
    wrong, never, without = re.split(r"\n_{5,} test_\w+ _{5,}\n", failures)[1:]
    assert "- x  (partition 0, offset 1)" in wrong
    assert "+ b  (wanted as number 2)" in wrong
    assert "fluvio server output: spu_log_5001" in wrong
    assert "replica is ready replica=test-wrong-" in wrong
    assert "0 of 1 records came to `test-never-" in never
    assert "replica is ready replica=test-wrong-" not in never
    assert "fluvio server output" not in without
    assert is_clean(tmp_path)


def test_what_is_to_be_kept_is_kept_and_named(tmp_path: Path) -> None:
    done = session(tmp_path, PASSING, "--fluvio-keep", "-k", "records_come_back")
    (directory,) = (tmp_path / "tmp").glob("fluvio-run-*")
    assert f"kept in {directory}" in done.stdout
    assert "controller ready" in (directory / "log" / "flv_sc.log").read_text()
    assert not processes_at_home(tmp_path, grace_s=5.0)


def test_a_session_that_needs_no_cluster_loads_nothing_for_it(tmp_path: Path) -> None:
    text = """
import sys
def test_modules():
    names = {name.partition(".")[0] for name in sys.modules}
    assert "fluvio_client" not in names and "fluvio_local_cluster" not in names
    assert "fluvio_cli.testing.cluster" not in sys.modules and "typer" not in names
"""
    done = session(tmp_path, text, "-p", "no:pytest_asyncio")
    assert done.returncode == 0, done.stdout
    assert not (tmp_path / ".fluvio").exists()


def test_fifty_tests_over_one_cluster_take_little_longer_than_without(tmp_path: Path) -> None:
    text = """
import pytest
@pytest.mark.parametrize("n", range(50))
def test_one(fluvio_client, fluvio_topic, n):
    fluvio_client.produce(fluvio_topic, [str(n)])
    assert fluvio_client.records(fluvio_topic) == [str(n)]
"""
    done = session(tmp_path, text)
    assert "50 passed" in done.stdout, done.stdout
