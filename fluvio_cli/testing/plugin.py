"""What pytest loads in every session (entry point `pytest11`): options, fixtures, and reports of failures.

Imports nothing but pytest until a test asks for a cluster.
"""

import os
import re
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fluvio_cli.testing.cluster import TestClient, TestCluster

_MARK = "fluvio"
_CLUSTER = pytest.StashKey["TestCluster"]()
_ENDS = pytest.StashKey[Any]()  # what `output_ends` said before the test
_KEPT = pytest.StashKey[list[str]]()  # directories, for the end of the session
_KEPT_WORD = "fluvio_kept"  # what a worker of xdist tells them under
_MOST_NAME = 40  # characters of a test's name in that of its topic


def pytest_addoption(parser: pytest.Parser) -> None:
    """Called by pytest."""
    group = parser.getgroup("fluvio", "streaming clusters for tests")
    group.addoption(
        "--fluvio-keep", action="store_true", help="keep data and server output of the session's cluster"
    )
    group.addoption("--fluvio-spus", type=int, default=1, metavar="N", help="SPUs of the session's cluster")


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest."""
    config.stash[_KEPT] = []
    config.addinivalue_line("markers", f"{_MARK}(partitions=1): of the topic that `fluvio_topic` makes")


@pytest.fixture(scope="session")
def fluvio_cluster(request: pytest.FixtureRequest) -> "Iterator[TestCluster]":
    """A running Fluvio cluster, for the whole session (of each xdist worker)."""
    from fluvio_cli.testing.cluster import running_cluster

    config = request.config
    with running_cluster(config.getoption("--fluvio-spus")) as cluster:
        config.stash[_CLUSTER] = cluster
        if config.getoption("--fluvio-keep"):
            cluster.keep()
            config.stash[_KEPT].append(str(cluster.directory))
        yield cluster
        del config.stash[_CLUSTER]


@pytest.fixture
def fluvio_environment(fluvio_cluster: "TestCluster", monkeypatch: pytest.MonkeyPatch) -> "TestCluster":
    """The cluster, with this process' environment leading to it: for programs that read their profile."""
    for name, value in fluvio_cluster.env.items():
        if name.startswith(("FLUVIO_", "FLV_")):
            monkeypatch.setenv(name, value)
    return fluvio_cluster


@pytest.fixture
def fluvio_client(fluvio_cluster: "TestCluster") -> "TestClient":
    """Topics and records of the cluster by plain function calls."""
    from fluvio_cli.testing.cluster import TestClient

    return TestClient(fluvio_cluster)


@pytest.fixture
def fluvio_topic(request: pytest.FixtureRequest, fluvio_client: "TestClient") -> Iterator[str]:
    """The name of a topic for this test alone; `@pytest.mark.fluvio(partitions=3)` for more partitions."""
    mark = request.node.get_closest_marker(_MARK)
    partitions = 1 if mark is None else mark.kwargs.get("partitions", 1)
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:_MOST_NAME].strip("-")
    name = f"{words or 'test'}-{os.urandom(4).hex()}"
    fluvio_client.create_topic(name, partitions)
    yield name
    from fluvio_protocol.error_code import TopicNotFoundError

    try:
        fluvio_client.delete_topic(name)
    except TopicNotFoundError:
        pass  # the test did it


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Called by pytest: a worker of xdist tells the one that prints."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_KEPT_WORD] = session.config.stash[_KEPT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Called by xdist."""
    node.config.stash[_KEPT].extend(getattr(node, "workeroutput", {}).get(_KEPT_WORD, ()))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Called by pytest."""
    for directory in config.stash[_KEPT]:
        terminalreporter.write_line(f"fluvio: data and server output are kept in {directory}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Called by pytest: notes how much servers had printed before the test."""
    cluster = item.config.stash.get(_CLUSTER, None)
    item.stash[_ENDS] = {} if cluster is None else cluster.output_ends()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> "Generator[None, Any, None]":
    """Called by pytest: a failure of a test that has the cluster shows what its servers printed."""
    outcome = yield
    report = outcome.get_result()
    cluster = item.config.stash.get(_CLUSTER, None)
    if not report.failed or cluster is None or "fluvio_cluster" not in getattr(item, "fixturenames", ()):
        return
    for name, text in cluster.output_since(item.stash.get(_ENDS, {})):
        report.sections.append((f"fluvio server output: {name}", text))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Called by pytest: records that are not the ones wanted, line by line."""
    if op != "==" or "Records" not in (type(left).__name__, type(right).__name__):
        return None
    from fluvio_cli.testing.records import Records, differences

    if isinstance(left, Records) and isinstance(right, list | tuple):
        return ["records are not those that were wanted", *differences(left, right)]
    if isinstance(right, Records) and isinstance(left, list | tuple):
        return ["records are not those that were wanted", *differences(right, left)]
    return None
