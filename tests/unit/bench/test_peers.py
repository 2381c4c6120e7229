"""The pure parts of the comparison with peers: values, percentiles, verdicts, reasons, table, picture."""

import json
from pathlib import Path

import pytest

from tests.bench import report
from tests.bench.measuring import BenchError, Samples
from tests.bench.peers import comparison_table, plot, provisioning
from tests.bench.peers.comparison import Comparison, Missing
from tests.bench.peers.engine import (
    UnavailableError,
    checksum,
    percentile,
    stamp_of,
    stamped_value,
    values,
)
from tests.support.peer_rows import KAFKA, NATS, latency_row, rate_row

# --- values


def test_a_percentile_is_the_sample_that_so_many_do_not_exceed() -> None:
    samples = [float(value) for value in range(100, 0, -1)]
    assert (percentile(samples, 50), percentile(samples, 99), percentile(samples, 100)) == (50, 99, 100)
    assert percentile([7.0], 99) == 7.0
    assert percentile([1.0, 2.0, 1000.0], 99) == 1000.0  # a tail is never cut off by rounding


def test_no_samples_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 50)


def test_values_are_the_same_each_time_and_differ_from_each_other() -> None:
    first = list(values(1_000, 100))
    values.cache_clear()
    assert values(1_000, 100) == first
    assert len(set(first)) == 1_000
    assert {len(value) for value in first} == {100}


def test_the_checksum_sees_order_and_loss_but_not_how_values_were_grouped() -> None:
    sent = values(100, 50)
    assert checksum(sent[40:], checksum(sent[:40])) == checksum(sent)
    assert checksum(sent[:-1]) != checksum(sent)
    assert checksum([sent[1], sent[0], *sent[2:]]) != checksum(sent)


def test_a_stamp_comes_back_from_its_value() -> None:
    value = stamped_value(123_456_789_012, 1_000)
    assert len(value) == 1_000
    assert stamp_of(value) == 123_456_789_012


# --- verdicts


@pytest.mark.parametrize(
    ("ours", "nats", "kafka", "is_met"),
    [
        (80.0, 10.0, 79.0, True),
        (80.0, 80.0, 80.0, True),
        (80.0, 10.0, 81.0, False),  # slower than one peer
        (59.0, 10.0, 20.0, False),  # too far below the limit
    ],
)
def test_a_rate_must_reach_its_share_of_the_limit_and_each_peer(
    ours: float, nats: float, kafka: float, is_met: bool
) -> None:
    assert rate_row(ours, nats, kafka).is_met is is_met


@pytest.mark.parametrize(("ours", "nats", "is_met"), [(1.0, 1.5, True), (2.0, 1.5, False), (3.5, 9.0, False)])
def test_a_latency_must_stay_below_its_limit_and_each_peer(ours: float, nats: float, is_met: bool) -> None:
    assert latency_row("p99", ours, nats).is_met is is_met


def test_a_peer_that_is_missing_decides_nothing() -> None:
    assert rate_row(80.0, 10.0, "no `java` on this machine").is_met is True
    row = Comparison("x", "s", Samples([1.0]), peers={KAFKA: Missing("no `java`")}, must_beat_peers=True)
    assert row.is_met is None


# --- why a peer cannot be had


@pytest.mark.parametrize("name", ["go", "mvn", "java"])
def test_a_missing_program_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    get = {
        "go": lambda: provisioning.nats_server(tmp_path / "cache"),
        "mvn": lambda: provisioning.kafka_jars(tmp_path / "cache"),
        "java": provisioning.java,
    }[name]
    with pytest.raises(UnavailableError, match=f"no `{name}` on this machine"):
        get()


def test_what_is_in_the_cache_is_not_got_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / f"nats-{provisioning.NATS_VERSION}" / "nats-server"
    jars = tmp_path / f"kafka-{provisioning.KAFKA_VERSION}" / "jars"
    program.parent.mkdir()
    program.touch()
    jars.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert provisioning.nats_server(tmp_path) == program
    assert provisioning.kafka_jars(tmp_path) == jars


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime', "17.0.15"),
        ('java version "1.8.0_301"', "1.8.0"),
        ('openjdk version "25" 2025-09-16', "25"),
        ("not java at all", None),
    ],
)
def test_the_version_of_java_is_read_from_what_it_prints(text: str, version: str | None) -> None:
    assert provisioning.java_version(text) == version


def test_of_much_output_the_first_complaint_stands_in_the_table() -> None:
    output = "go: downloading x\n\ngo: x: dial tcp: connection refused\ngo: giving up, error 1\n"
    assert provisioning.first_complaint(output) == "go: x: dial tcp: connection refused"
    assert provisioning.first_complaint("one\ntwo\n") == "two"
    assert provisioning.first_complaint("") == "it said nothing"
    assert len(provisioning.first_complaint("error " + "x" * 1_000)) == 160


# --- what is shown


def test_the_table_has_a_column_and_a_ratio_for_each_peer_and_says_why_one_is_missing() -> None:
    text = comparison_table.table([rate_row(80.0, 4.0, "no `java` on this machine")])
    heading, _, line, *notes = text.splitlines()
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    by_heading = dict(zip([cell.strip() for cell in heading.strip("|").split("|")], cells, strict=True))
    assert by_heading["ours"] == "80 (80 to 80)"
    assert by_heading[NATS] == "4.0 (4.0 to 4.0)"
    assert by_heading[KAFKA] == "no `java` on this machine"
    assert by_heading["limit"] == "100 (100 to 100) (socket + write)"
    assert by_heading["ours / limit"] == "80 %"
    assert by_heading[f"ours / {NATS}"] == "20 x"
    assert by_heading[f"ours / {KAFKA}"] == "-"
    assert by_heading["met"] == "yes"
    assert f"- {KAFKA} was not measured: no `java` on this machine" in notes
    assert any("0.25 + 0.12 of 0.50 s" in note for note in notes)


def test_the_document_holds_samples_of_each_engine_and_is_json() -> None:
    row = rate_row(80.0, 4.0, "no `java`")
    document = json.loads(json.dumps(report.document([row], report.machine())))
    (entry,) = document["rows"]
    assert entry["key"] == "produce/1000"
    assert entry["samples"] == [80.0]
    assert entry["peers"][NATS] == {"median": 4.0, "spread": [4.0, 4.0], "samples": [4.0], "ratio": 20.0}
    assert entry["peers"][KAFKA] == {"missing": "no `java`"}
    assert entry["processor_s"] == {"ours": {"client": 0.25, "server": 0.125, "wall": 0.5}}


def test_a_run_without_rows_against_peers_has_no_picture(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="nothing to draw"):
        plot.draw(report.document([], report.machine()), tmp_path / "peers.png")
