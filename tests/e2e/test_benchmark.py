"""`fluvio benchmark` against a real cluster: figures of records that are there, and nothing left behind."""

import json
import signal
import subprocess
import time

import pytest

from tests.support.local_cluster import LocalCluster

WAIT_S = 30


def topics(cluster: LocalCluster) -> list[str]:
    return [topic["name"] for topic in json.loads(cluster.run("topic", "list", "-O", "json").stdout)]


def test_a_producer_is_measured_and_its_topic_deleted(local_cluster: LocalCluster) -> None:
    done = local_cluster.run(
        *("benchmark", "producer", "--num-records", "2000", "--record-size", "100", "--num-producers", "2"),
        *("--warm-up", "100", "--num-samples", "2", "--compression", "lz4", "-O", "json"),
    )
    assert done.stderr == ""
    [found] = json.loads(done.stdout)["benchmarks"]
    assert [sample["records"] for sample in found["samples"]] == [2000, 2000]
    assert found["records_per_s"] > 0
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["p99"] <= found["latency_ms"]["max"]
    assert found["settings"]["num_producers"] == 2
    assert not [name for name in topics(local_cluster) if name.startswith("benchmark-")]


def test_acknowledged_records_are_in_the_topic_and_keep_the_rate(local_cluster: LocalCluster) -> None:
    local_cluster.run(
        *("benchmark", "producer", "--num-records", "300", "--rate", "1000", "--num-samples", "1"),
        *(
            "--record-size",
            "10",
            "-t",
            "kept-figures",
            "-k",
            "--record-key-allocation-strategy",
            "all-share-same-key",
        ),
    )
    lines = local_cluster.run("consume", "kept-figures", "-B", "-d", "-F", "{{key}}").stdout.split()
    assert lines == ["shared-key"] * 300
    again = local_cluster.run(
        *(
            "benchmark",
            "consumer",
            "-t",
            "kept-figures",
            "--num-records",
            "300",
            "--num-samples",
            "2",
            "-O",
            "json",
        )
    )
    assert [sample["records"] for sample in json.loads(again.stdout)["benchmarks"][0]["samples"]] == [
        300,
        300,
    ]
    assert "kept-figures" in topics(local_cluster)  # it was there before
    local_cluster.run("topic", "delete", "kept-figures")


def test_a_paced_run_takes_the_time_that_its_rate_says(local_cluster: LocalCluster) -> None:
    done = local_cluster.run(
        *(
            "benchmark",
            "producer",
            "--num-records",
            "500",
            "--rate",
            "500",
            "--num-samples",
            "1",
            "-O",
            "json",
        )
    )
    [sample] = json.loads(done.stdout)["benchmarks"][0]["samples"]
    assert 0.95 < sample["seconds"] < 5


def test_end_to_end_and_consumer_count_every_record(local_cluster: LocalCluster) -> None:
    for kind, options in (
        ("end-to-end", ("--rate", "2000", "--warm-up", "50")),
        ("consumer", ("--warm-up", "100")),
    ):
        done = local_cluster.run(
            "benchmark", kind, "--num-records", "500", "--num-samples", "1", *options, "-O", "json"
        )
        [found] = json.loads(done.stdout)["benchmarks"]
        assert found["kind"] == kind
        assert [sample["records"] for sample in found["samples"]] == [500] or kind == "consumer"
        assert bool(found["latency_ms"]) == (kind == "end-to-end")
    assert not [name for name in topics(local_cluster) if name.startswith("benchmark-")]


def test_a_matrix_prints_a_markdown_table(local_cluster: LocalCluster) -> None:
    file = local_cluster.home / "matrix.yaml"
    file.write_text("record_size: [10, 100]\nnum_records: 100\nnum_samples: 1\n")
    table = local_cluster.run("benchmark", "matrix", "-c", str(file)).stdout.splitlines()
    assert len(table) == 4
    assert table[0].startswith("| benchmark ")
    assert "100 B" in table[3]
    file.write_text("record_sise: 10\n")
    refused = local_cluster.run("benchmark", "matrix", "-c", str(file), check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "`record_sise` is no setting" in refused.stderr


def test_a_run_is_compared_with_an_earlier_one(local_cluster: LocalCluster) -> None:
    words = ("benchmark", "producer", "--num-records", "200", "--num-samples", "1", "--record-size", "10")
    before = json.loads(local_cluster.run(*words, "-O", "json").stdout)
    file = local_cluster.home / "before.json"
    for factor, code in ((1e-6, 0), (1e6, 8)):  # much slower before, and much faster
        [entry] = before["benchmarks"]
        changed = {**entry, "records_per_s": entry["records_per_s"] * factor}
        changed["latency_ms"] = {name: value / factor for name, value in entry["latency_ms"].items()}
        file.write_text(json.dumps({"benchmarks": [changed]}))
        done = local_cluster.run(*words, "--compare", str(file), "--fail-above", "10%", check=False)
        assert done.returncode == code, done.stderr
        assert "| 1 producer | records/s |" in done.stdout
    assert done.stderr.startswith("worse than before by more than 10%: records/s of 1 producer")
    alone = local_cluster.run(*words, "--fail-above", "10%", check=False)
    assert "`--fail-above` needs `--compare FILE`" in alone.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_leaves_no_topic(
    local_cluster: LocalCluster, number: signal.Signals
) -> None:
    running = subprocess.Popen(
        [local_cluster.executable, "benchmark", "producer", "--rate", "100", "--num-records", "100000"],
        env=local_cluster.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + WAIT_S
    while not [name for name in topics(local_cluster) if name.startswith("benchmark-")]:
        assert time.monotonic() < until
    running.send_signal(number)
    said = running.communicate(timeout=WAIT_S)
    assert (running.returncode, said) == (130, (b"", b""))
    assert not [name for name in topics(local_cluster) if name.startswith("benchmark-")]
