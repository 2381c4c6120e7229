"""Each check of `fluvio doctor` finds its failure, and nothing on a machine where all is well."""

import re
from pathlib import Path

import pytest

from fluvio_cli.doctor.catalogue import CHECKS, examine
from fluvio_cli.doctor.facts import ClusterFacts, Facts, PortFact
from fluvio_cli.doctor.look import addresses_of, broken_plugins
from fluvio_cli.doctor.model import Fix, Problem, Repair
from fluvio_cli.doctor.repair import apply

D = Path("/d")
GIB = 1024**3
DOCUMENT = Path(__file__).parents[3] / "docs" / "doctor.md"


def healthy() -> Facts:
    return Facts(
        target="127.0.0.1:9003",
        target_is_local=True,
        target_version="0.18.2",
        own_version="0.18.2",
        clusters=[ClusterFacts(D, "running", "0.18.2", ["SC (pid 1)"])],
        disk=(D, 10 * GIB, GIB),
        now_s=1_800_000_000.0,
        localhost=["127.0.0.1"],
        descriptors=1024,
    )


def found(facts: Facts) -> dict[str, list[Problem]]:
    return {result.check.name: result.problems for result in examine(facts) if result.problems}


def only(facts: Facts, name: str) -> Problem:
    problems = found(facts)
    assert list(problems) == [name]
    (problem,) = problems[name]
    assert problem.evidence
    assert problem.cause
    assert problem.remedy
    return problem


def test_nothing_is_wrong_where_all_is_well_or_nothing_is_known() -> None:
    assert found(healthy()) == {}
    assert found(Facts()) == {}


def test_a_profile_that_leads_nowhere_is_found() -> None:
    facts = healthy()
    facts.profile_problem = ("Config has no active profile", "choose one")
    assert only(facts, "profile").remedy == "choose one"


@pytest.mark.parametrize(("is_local", "remedy"), [(True, "cluster resume"), (False, "profile switch")])
def test_a_dead_controller_is_found(is_local: bool, remedy: str) -> None:
    facts = Facts(target="h:9003", target_is_local=is_local, target_problem="Connection refused")
    assert remedy in only(facts, "controller").remedy


def test_a_state_file_whose_servers_are_dead_is_found_and_can_be_repaired() -> None:
    facts = Facts(clusters=[ClusterFacts(D, "running", "0.18.2", [], ["SC (pid 7)"])])
    problem = only(facts, "state-file")
    assert "SC (pid 7)" in problem.evidence
    assert problem.repair == Repair(Fix.NOTE_STOPPED, D)


def test_a_cluster_that_runs_in_part_is_found_and_is_not_noted_as_stopped() -> None:
    facts = Facts(clusters=[ClusterFacts(D, "running", "", ["SC (pid 7)"], ["SPU 5001 (pid 8)"])])
    assert only(facts, "state-file").repair is None


def test_a_cluster_that_was_stopped_in_order_is_no_problem() -> None:
    assert found(Facts(clusters=[ClusterFacts(D, "stopped", "0.18.2")])) == {}


def test_broken_states_and_records_that_lead_nowhere_are_found() -> None:
    assert only(Facts(broken_states=["cannot read"]), "state-file").repair is None
    problem = only(Facts(lost_records=[(Path("/r.json"), D)]), "state-file")
    assert problem.repair == Repair(Fix.REMOVE_FILE, Path("/r.json"))


@pytest.mark.parametrize("owner", ["pid 12 (nginx)", ""])
def test_a_port_that_somebody_else_has_is_found_with_its_owner(owner: str) -> None:
    problem = only(Facts(ports=[PortFact(9003, "SC", owner)]), "ports")
    assert "port 9003" in problem.evidence
    assert (owner or "may not see") in problem.evidence


def test_servers_of_another_version_are_found() -> None:
    facts = healthy()
    facts.clusters[0].platform_version = "0.17.0"
    assert "resume" in only(facts, "versions").remedy
    remote = Facts(target="h:1", target_version="0.17.9", own_version="0.18.2")
    assert "0.17.9" in only(remote, "versions").evidence
    remote.target_version = "0.18.0"
    assert found(remote) == {}


def test_failures_of_the_machine_are_found() -> None:
    assert only(Facts(unwritable=[(D, "not writable")]), "directories")
    assert only(Facts(disk=(D, GIB - 1, GIB)), "disk-space")
    assert only(Facts(now_s=0.0), "clock")
    assert "90 s" in only(Facts(future_files=[(D, 90.0), (D, 70.0)]), "clock").evidence
    assert only(Facts(localhost=[]), "loopback")
    assert "10.0.0.1" in only(Facts(localhost=["10.0.0.1"]), "loopback").evidence
    assert only(Facts(descriptors=1023), "descriptors")
    assert only(Facts(dead_sockets=[D]), "leftovers").repair == Repair(Fix.REMOVE_FILE, D)
    assert only(Facts(plugins=[(D, "empty")]), "plugins")


def test_a_name_that_nobody_knows_has_no_address() -> None:
    assert addresses_of("no such name.invalid") == []


def test_plugins_that_cannot_run_are_told_apart_from_those_that_can(tmp_path: Path) -> None:
    for name, text, mode in (
        ("fluvio-fine", "#!/bin/sh\n", 0o755),
        ("fluvio-plain", "#!/bin/sh\n", 0o644),
        ("fluvio-lost", "#!/no/such/thing\n", 0o755),
        ("fluvio-void", "", 0o755),
        ("other", "", 0o644),
    ):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    (tmp_path / "fluvio-link").symlink_to(tmp_path / "nowhere")
    assert {path.name: reason for path, reason in broken_plugins(tmp_path)} == {
        "fluvio-link": "a link that leads nowhere",
        "fluvio-lost": "its interpreter /no/such/thing is not there",
        "fluvio-plain": "not executable",
        "fluvio-void": "empty",
    }
    assert list(broken_plugins(tmp_path / "missing")) == []


def test_a_repair_removes_a_file_and_nothing_else(tmp_path: Path) -> None:
    file, directory = tmp_path / "f", tmp_path / "d"
    file.write_text("")
    directory.mkdir()
    assert apply(Repair(Fix.REMOVE_FILE, file)) == f"removed {file}"
    assert not file.exists()
    assert apply(Repair(Fix.REMOVE_FILE, directory)) is None
    assert directory.is_dir()


def test_the_document_lists_every_check_with_its_words() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+?) \| ", DOCUMENT.read_text(), re.MULTILINE)
    assert rows == [(check.name, check.about) for check in CHECKS]
