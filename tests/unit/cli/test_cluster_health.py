"""How `cluster health` ends, and what it shows."""

import json

from fluvio_cli.failures import EXIT_CODES
from fluvio_cli.health.attempts import HealthJob
from fluvio_cli.health.view import HealthView
from fluvio_client.errors import ConnectionFailedError
from fluvio_client.health.report import HealthReport, SpuHealth

FINE = SpuHealth(5001, "custom-spu-5001", "h:9010", True, 1.0, 2.25, 3.0)
OFFLINE = SpuHealth(5002, "custom-spu-5002", "h:9020", False)


def exit_code(job: HealthJob) -> int:
    failure = job.failure()
    return 0 if failure is None else EXIT_CODES[failure.kind]


def test_the_exit_code_tells_how_the_cluster_is() -> None:
    refused = ConnectionFailedError("h:1", "refused")
    refused.kind = "cannot-connect"
    fine, sick = HealthReport("0.18.2", 1.0, [FINE]), HealthReport("0.18.2", 1.0, [FINE, OFFLINE])
    assert exit_code(HealthJob(1, wait=False, report=fine)) == 0
    assert exit_code(HealthJob(1, wait=True, report=fine)) == 0
    assert exit_code(HealthJob(1, wait=False, report=sick)) == 6
    assert exit_code(HealthJob(1, wait=False, error=refused)) == 4
    assert exit_code(HealthJob(1, wait=True, report=sick)) == 5
    assert exit_code(HealthJob(1, wait=True, error=refused)) == 5


def test_a_wait_that_ran_out_says_what_was_wrong_last() -> None:
    job = HealthJob(60, wait=True, report=HealthReport("0.18.2", 1.0, [OFFLINE]))
    assert str(job.failure()) == "not healthy within 60 s: SPU 5002 is offline"


def test_the_table_has_a_row_for_each_server_and_a_verdict() -> None:
    lines = HealthView("p", "h:9003", HealthReport("0.18.2", 1.0, [FINE]), []).render("table").splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ["SC", "h:9003", "online", "1.0", "ms", "-", "-", "-"],
        ["SPU", "5001", "h:9010", "online", "1.0", "ms", "2.2", "ms", "3.0", "ms", "-"],
    ]
    assert lines[3] == "cluster is healthy"


def test_a_cluster_that_refuses_topics_is_not_said_to_have_stored_records() -> None:
    report = HealthReport("0.18.2", 1.0, [FINE], refusal="permission denied")
    text = HealthView("p", "h:9003", report, []).render("table")
    assert "no record was tried" in text
    assert "permission denied" in text
    shown = json.loads(HealthView("p", "h:9003", report, []).render("json"))
    assert (shown["healthy"], shown["tried"], shown["refusal"]) == (True, "metadata", "permission denied")


def test_without_a_report_the_document_still_tells_what_was_asked() -> None:
    shown = json.loads(HealthView(None, "h:9003", None, ["refused"]).render("json"))
    assert (shown["endpoint"], shown["reachable"], shown["problems"]) == ("h:9003", False, ["refused"])
    assert HealthView(None, "h:9003", None, ["refused"]).render("table") == ""
