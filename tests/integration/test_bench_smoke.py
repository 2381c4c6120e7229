"""The benchmarks still work: every row is measured, in sizes that say nothing about speed."""

import json
from pathlib import Path

import pytest

from tests.bench.__main__ import EXPERIMENTS, main
from tests.support import official_python as official

# Without it rows are missing: where there is a wheel the test fails then.
needs_official_client = pytest.mark.skipif(not official.HAS_WHEEL, reason=official.NO_WHEEL)

EXPECTED_ROWS = {
    "ms": 7,  # six commands; the official client's single record
    "s": 6,
    "MB": 3,
    "MB/s": 4,
    "lines/s": 2,
    "records/s": 10,
    "records": 1,
}


@needs_official_client
def test_every_row_is_measured_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.json"
    names = [name for name in EXPERIMENTS if name != "peers"]  # those are in test_bench_peers
    chosen = [argument for name in names for argument in ("--only", name)]
    assert main(["--quick", *chosen, "--json", str(results)]) == 0
    document = json.loads(results.read_text())
    counts: dict[str, int] = {}
    for row in document["rows"]:
        counts[row["unit"]] = counts.get(row["unit"], 0) + 1
        assert row["samples"], row["name"]
        if row["unit"] != "records":
            assert row["median"] > 0, row["name"]
        if row["reference_name"]:
            assert row["ratio"] > 0, row["name"]
    assert counts == EXPECTED_ROWS
    assert document["machine"]["cores"] >= 1
    output = capsys.readouterr().out
    assert all(row["name"] in output for row in document["rows"])


@needs_official_client
def test_the_official_client_misses_no_record(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    main(["--quick", "--only", "official", "--json", str(results)])
    rows = {row["name"]: row for row in json.loads(results.read_text())["rows"]}
    assert rows["official client: records missing"]["samples"] == [0]
