"""How the facts of a machine are judged before a start."""

import errno
from pathlib import Path

import pytest

from fluvio_client.target import Endpoint
from fluvio_local_cluster.lifecycle.errors import PreflightError
from fluvio_local_cluster.lifecycle.ports import PortProblem
from fluvio_local_cluster.lifecycle.preflight import MIN_FREE_BYTES, Check, Facts, checks_of
from fluvio_local_cluster.lifecycle.settings import ClusterSettings
from fluvio_local_cluster.lifecycle.state import ClusterState, Phase

SETTINGS = ClusterSettings(Path("/d"), Path("/l"))


def state(phase: Phase) -> ClusterState:
    return ClusterState("id", "0.18.2", "2026-01-01T00:00:00+00:00", SETTINGS, [], phase)


def problem(code: int, owner: str = "", label: str = "SC") -> list[tuple[PortProblem, str, str]]:
    return [(PortProblem(Endpoint("127.0.0.1", 9003), code), label, owner)]


def judge(facts: Facts, *, all_checks: bool = True) -> list[Check]:
    return [check for check in checks_of(facts, SETTINGS, all_checks=all_checks) if not check.is_fine]


def test_nothing_speaks_against_a_start_on_a_clean_machine() -> None:
    assert judge(Facts(None, [], free_bytes=MIN_FREE_BYTES)) == []
    assert judge(Facts(None, [], free_bytes=None)) == []


@pytest.mark.parametrize(
    ("facts", "name", "cause", "remedy"),
    [
        (
            Facts(state(Phase.RUNNING), ["SC (pid 7)"]),
            "Fluvio Local Installation",
            "still running in /d: SC (pid 7)",
            "fluvio cluster shutdown",
        ),
        (
            Facts(state(Phase.STOPPED), []),
            "Clean Fluvio Local Installation",
            "the one in /d was shut down",
            "fluvio cluster resume",
        ),
        (
            Facts(state(Phase.RUNNING), []),
            "Clean Fluvio Local Installation",
            "the one in /d is not running any more",
            "fluvio cluster resume",
        ),
        (
            Facts(None, [], available_memory_bytes=64 * 1024**2, wanted_memory_bytes=90 * 1024**2),
            "Memory",
            "the servers want 90 MiB of memory, 64 MiB are available",
            "`--spu`",
        ),
        (
            Facts(None, [], foreign_entries=["a", "b", "c", "d", "e"]),
            "Clean Fluvio Local Installation",
            "not of a cluster started here: a, b, c, d, ...",
            "--data-dir",
        ),
        (
            Facts(None, [], foreign_config=Path("/other")),
            "Clean Fluvio Local Installation",
            "another program keeps its data in /other",
            "local-config",
        ),
        (
            Facts(None, [], unwritable={Path("/l"): "/ is not writable"}),
            "Directories",
            "/l cannot be used: / is not writable",
            "--log-dir",
        ),
        (
            Facts(None, [], free_bytes=MIN_FREE_BYTES - 1),
            "Disk space",
            "only 1023 MiB are free at /d",
            "--data-dir",
        ),
        (
            Facts(None, [], port_problems=problem(errno.EADDRINUSE, "pid 9 (nc -l)")),
            "Ports",
            "port 9003, wanted by SC, is used by pid 9 (nc -l)",
            "--sc-pub-addr",
        ),
        (
            Facts(None, [], port_problems=problem(errno.EADDRINUSE, label="SPU 5001")),
            "Ports",
            "port 9003, wanted by SPU 5001, is used by a process that this user may not see",
            "--spu-port-base",
        ),
        (
            Facts(None, [], port_problems=problem(errno.EADDRINUSE, label="SPU 5001 for metrics")),
            "Ports",
            "port 9003, wanted by SPU 5001 for metrics, is used by",
            "choose other ports with `--metrics`",
        ),
        (
            Facts(None, [], port_problems=problem(errno.EADDRNOTAVAIL)),
            "Ports",
            "127.0.0.1 is not an address of this machine",
            "--sc-pub-addr",
        ),
        (
            Facts(None, [], port_problems=problem(errno.EACCES)),
            "Ports",
            "the system wants more rights for this port",
            "--sc-pub-addr",
        ),
    ],
)
def test_each_problem_is_told_with_cause_and_remedy(facts: Facts, name: str, cause: str, remedy: str) -> None:
    (failed,) = judge(facts)
    assert failed.name == name
    assert cause in failed.cause
    assert remedy in failed.remedy


def test_an_unfinished_start_of_which_nothing_runs_is_no_obstacle() -> None:
    assert judge(Facts(state(Phase.STARTING), [])) == []


def test_skipping_checks_keeps_those_that_guard_data() -> None:
    assert judge(Facts(state(Phase.RUNNING), ["SC (pid 7)"]), all_checks=False)
    assert judge(Facts(state(Phase.STOPPED), []), all_checks=False)
    assert judge(Facts(None, [], foreign_entries=["x"]), all_checks=False)
    assert judge(Facts(None, [], free_bytes=0), all_checks=False) == []
    assert judge(Facts(None, [], port_problems=problem(errno.EADDRINUSE)), all_checks=False) == []


def test_all_problems_are_told_at_once() -> None:
    error = PreflightError([("cause one", "remedy one"), ("cause two", "remedy two")])
    assert str(error).splitlines() == [
        "Preflight check failed",
        "  cause one",
        "    remedy one",
        "  cause two",
        "    remedy two",
    ]
