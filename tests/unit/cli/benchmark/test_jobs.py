"""What a benchmark measures, files of many, and comparing two runs."""

import json
from pathlib import Path
from typing import Any

import pytest

from fluvio_cli.benchmark.compare import BenchmarkWorseError, changes, check, read_earlier
from fluvio_cli.benchmark.histogram import Histogram
from fluvio_cli.benchmark.jobs import BenchmarkSettingsError, Job, key_of, random_topic
from fluvio_cli.benchmark.matrix import built_in, read_matrix
from fluvio_cli.benchmark.result import Result, Sample, markdown
from fluvio_cli.commands.benchmark.options import percentage, rate
from fluvio_types.names import name_problem


def result(records_per_s: float = 1000.0, latency_us: int = 2000, **settings: Any) -> Result:
    latency = Histogram()
    latency.add(latency_us, times=100)
    return Result(Job(**settings), [Sample(1000, 1000 * 5120, 1000 / records_per_s, latency)])


def matrix(tmp_path: Path, text: str) -> list[Job]:
    path = tmp_path / "matrix.yaml"
    path.write_text(text)
    return read_matrix(path)


def test_every_combination_of_a_file_is_run(tmp_path: Path) -> None:
    jobs = matrix(
        tmp_path, "record_size: [512, 5kib]\nbatch-size: [16kib, 1mib]\nlinger: 5ms\nnum_records: 100\n"
    )
    assert [(job.record_size, job.batch_size) for job in jobs] == [
        (512, 16384),
        (512, 1048576),
        (5120, 16384),
        (5120, 1048576),
    ]
    assert {(job.linger, job.num_records, job.kind) for job in jobs} == {(0.005, 100, "producer")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bogus: 1", "`bogus` is no setting"),
        ("- 1", "settings and their values are expected"),
        ("", "settings and their values are expected"),
        ("record_size: []", "`record_size` has no value"),
        ("record_size: large", "`record_size: large`: couldn't parse"),
        ("linger: 5", "time unit needed"),
        ("num_records: many", "invalid literal"),
        ("num_records: true", "a number is expected"),
        ("ignore_rack: 1", "true or false is expected"),
        ("kind: nothing", "a benchmark is one of"),
        ("num_records: 0", "`num-records` must be at least 1"),
        ("record_key_allocation_strategy: x", "keys are allocated by one of"),
        ("{", "is not YAML"),
        (f"num_records: {list(range(1, 40))}\nrecord_size: {list(range(1, 40))}", "describes 1521 runs"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BenchmarkSettingsError) as caught:
        matrix(tmp_path, text)
    assert told in str(caught.value)


def test_six_runs_are_built_in() -> None:
    assert len(built_in()) == 6
    assert {job.kind for job in built_in()} == {"producer", "end-to-end"}


def test_keys_follow_the_strategy() -> None:
    def keys(strategy: str) -> set[bytes | None]:
        job = Job(record_key_allocation_strategy=strategy)
        return {key_of(job, producer, number) for producer in range(2) for number in range(50)}

    assert keys("no-key") == {None}
    assert len(keys("all-share-same-key")) == 1
    assert len(keys("producer-worker-unique-key")) == 2
    assert len(keys("random-key")) == 100


def test_names_of_topics_are_valid_and_differ() -> None:
    names = {random_topic() for _ in range(100)}
    assert len(names) == 100
    assert all(name_problem(name) is None for name in names)


def test_the_json_of_one_run_is_what_the_next_is_compared_with(tmp_path: Path) -> None:
    path = tmp_path / "before.json"
    path.write_text(json.dumps({"benchmarks": [result(1000.0, 2000).view()]}))
    found = changes([result(800.0, 2500)], read_earlier(path))
    worse = {change.figure: round(change.worse, 2) for change in found}
    assert worse["records/s"] == 0.2
    assert worse["p50 ms"] == pytest.approx(0.25, abs=0.02)
    check(found, None)
    check(found, 0.3)
    with pytest.raises(BenchmarkWorseError) as caught:
        check(found, 0.1)
    assert "records/s of 1 producer by 20.0%" in str(caught.value)
    assert caught.value.kind == "drift"
    check(changes([result(2000.0, 500)], read_earlier(path)), 0.0)


def test_what_was_measured_at_a_given_rate_is_judged_by_its_latency_only() -> None:
    before = [json.loads(json.dumps(result(500.0, 2000, rate=1000.0).view()))]
    assert {change.figure for change in changes([result(900.0, 2000, rate=1000.0)], before)} == {
        "p50 ms",
        "p99 ms",
    }


def test_other_settings_cannot_be_compared() -> None:
    before = [result(record_size=100).view()]
    with pytest.raises(BenchmarkSettingsError, match="other settings earlier: record_size"):
        changes([result()], before)
    with pytest.raises(BenchmarkSettingsError, match="2 benchmarks were run earlier, and 1 now"):
        changes([result()], before * 2)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"benchmarks": [{}]}', '{"benchmarks": 3}'])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other"
    path.write_text(content)
    with pytest.raises(BenchmarkSettingsError, match="is not what `fluvio benchmark"):
        read_earlier(path)


def test_figures_are_medians_of_samples_and_percentiles_of_all_records() -> None:
    samples = [Sample(1000, 10**6, seconds) for seconds in (1.0, 2.0, 4.0)]
    samples[0].latency.add(1000, times=99)
    samples[2].latency.add(9000)
    found = Result(Job(), samples)
    assert (found.records_per_s, found.mb_per_s) == (500.0, 0.5)
    assert (found.latency_ms["p50"], found.latency_ms["max"]) == (pytest.approx(1.0, rel=0.01), 9.0)
    assert markdown([found]).splitlines()[2].startswith("| producer, batch 16,384 B | 10,000  | 5,120 B")


@pytest.mark.parametrize(("text", "share"), [("10%", 0.1), ("0", 0.0), ("12.5", 0.125)])
def test_percentages_are_read(text: str, share: float) -> None:
    assert percentage(text) == share


@pytest.mark.parametrize("parse", [percentage, rate])
@pytest.mark.parametrize("text", ["", "x", "-1", "nan", "inf"])
def test_numbers_that_make_no_sense_are_refused(parse: Any, text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse(text)
