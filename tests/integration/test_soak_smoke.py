"""The soak still works: some seconds of it, with a restart."""

import json
import subprocess
import sys
from pathlib import Path


def test_a_few_seconds_of_load_with_a_restart_lose_nothing(tmp_path: Path) -> None:
    results = tmp_path / "soak.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--minutes", "0.1", "--seed", "1", "--json", str(results)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(results.read_text())
    assert document["problems"] == []
    assert document["counts"]["acknowledged"] > 1_000
    counts = document["counts"]
    assert counts["lost"] == 0
    # one of its topics has a retention of seconds: a slow machine sees it act even in so short a run
    assert counts["records"] >= counts["acknowledged"] - counts["removed"]
    assert len(document["restarts"]) == 1
