"""`fluvio generate` with the installed command and a real cluster."""

import json
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.local_cluster import FLUVIO, LocalCluster

PATIENCE_S = 30.0


def test_records_arrive_under_their_keys_in_a_new_topic(local_cluster: LocalCluster) -> None:
    options = ("--seed", "5", "--start-time", "2026-01-31", "--keys", "round-robin:4", "-n", "3000")
    local_cluster.run("generate", "made", "--partitions", "3", "--compression", "lz4", *options)
    lines = local_cluster.run("consume", "made", "-B", "-d", "-O", "ndjson").stdout.splitlines()
    found = [json.loads(line) for line in lines]
    printed = local_cluster.run("generate", "--print", "--key-separator", "|", *options).stdout.splitlines()
    expected = sorted(printed)
    assert sorted(
        f"{record['key']}|{json.dumps(record['value'], separators=(',', ':'))}" for record in found
    ) == (expected)
    assert Counter(record["key"] for record in found) == {f"key-{number}": 750 for number in range(4)}
    assert {record["partition"] for record in found} <= {0, 1, 2}
    local_cluster.run("generate", "made", "--partitions", "3", "-n", "1")  # it exists now


def test_a_schema_of_a_file_is_found_from_the_working_directory(local_cluster: LocalCluster) -> None:
    (local_cluster.home / "own.yaml").write_text(
        "key: id\nfields: {id: sequence, tag: {type: constant, value: x}}\n"
    )
    done = local_cluster.run("generate", "--schema", "own.yaml", "--print", "-n", "2")
    assert done.stdout == '{"id":1,"tag":"x"}\n{"id":2,"tag":"x"}\n'


def test_the_pace_is_kept(local_cluster: LocalCluster) -> None:
    local_cluster.run("topic", "create", "paced")
    begin = time.monotonic()
    local_cluster.run("generate", "paced", "--rate", "200", "-n", "201")
    assert time.monotonic() - begin >= 1.0
    assert len(local_cluster.run("consume", "paced", "-B", "-d").stdout.splitlines()) == 201


def interrupted(cluster: LocalCluster, topic: str, *options: str) -> tuple[int, str]:
    """Ctrl-C once the first records are there; exit code and what was told."""
    process = subprocess.Popen(
        [FLUVIO, "generate", topic, *options],
        env={**cluster.env, "CI": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        cluster.run("consume", topic, "-B", "-n", "20")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.communicate()
    return process.returncode, told


def test_ctrl_c_ends_what_has_no_end_and_everything_made_is_stored(local_cluster: LocalCluster) -> None:
    local_cluster.run("topic", "create", "endless")
    code, told = interrupted(local_cluster, "endless", "--rate", "200")
    assert code == 0
    stored = len(local_cluster.run("consume", "endless", "-B", "-d").stdout.splitlines())
    assert told.startswith(f"{stored:,} records stored")


def test_a_count_that_was_interrupted_can_be_gone_on_with(local_cluster: LocalCluster) -> None:
    local_cluster.run("topic", "create", "resumed")
    fixed = ("--seed", "9", "--start-time", "2026-01-31", "--rate", "300")
    code, told = interrupted(local_cluster, "resumed", *fixed, "-n", "900")
    assert code == 130
    rest = told.split("go on with `")[1].split("`")[0].split()
    assert rest[:2] == ["--seed", "9"]
    local_cluster.run("generate", "resumed", "--start-time", "2026-01-31", "--rate", "300", *rest)
    whole = local_cluster.run("generate", "--print", "--seed", "9", "--start-time", "2026-01-31", "-n", "900")
    keep = [
        {name: value for name, value in json.loads(line).items() if name != "at"}
        for line in whole.stdout.splitlines()
    ]
    found = local_cluster.run("consume", "resumed", "-B", "-d").stdout.splitlines()
    assert [
        {name: value for name, value in json.loads(line).items() if name != "at"} for line in found
    ] == keep


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "[topic]"),
        (("t", "--print"), 2, "cannot be used with"),
        (("t", "--key-separator", ":"), 2, "--print"),
        (("t", "--keys", "some"), 2, "expected zipf:1000"),
        (("t", "--rate", "0"), 2, "above 0"),
        (("--print", "--schema", "none"), 1, "neither a file nor"),
        (("--print", "--schema", "none.yaml"), 1, "none.yaml: No such file"),
        (("nowhere", "-n", "1"), 3, "Topic not found"),
    ],
)
def test_what_cannot_be_done_is_said(
    local_cluster: LocalCluster, words: tuple[str, ...], code: int, told: str
) -> None:
    done = local_cluster.run("generate", *words, check=False)
    assert done.returncode == code
    assert told in done.stderr


def test_who_has_read_enough_ends_it_quietly(local_cluster: LocalCluster, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{FLUVIO} generate --print | head -n 2 > {tmp_path}/two; echo ${{PIPESTATUS[0]}}"],
        env=local_cluster.env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert len((tmp_path / "two").read_text().splitlines()) == 2
