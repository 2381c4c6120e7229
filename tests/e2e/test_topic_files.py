"""`topic export`, `import`, `replay`, `copy` and `diff` on a real cluster."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from fluvio_cli.transfer.state import ImportNote, note_path
from tests.support.local_cluster import LocalCluster

_numbers = count()
KEYED = "".join(f'k{number % 3}:{{"total": {number}, "name": "n{number % 2}"}}\n' for number in range(200))
AWKWARD = b'caf\xc3\xa9\n\xff\xfe\n"quoted"\n{"base64":"x"}\n  {"a": 1} \nnull\n\\\n'
FILES = ("all.jsonl", "all.jsonl.gz", "all.jsonl.zst", "all.flt", "all.flt.gz", "all.flt.zst")


@pytest.fixture
def topics(local_cluster: LocalCluster) -> Iterator[list[str]]:
    """Names for this test alone; what exists of them in the end is deleted. The first one has records."""
    number = next(_numbers)
    names = [f"files-{number}-{word}" for word in ("one", "two", "three")]
    local_cluster.run("topic", "create", names[0], "-p", "2")
    local_cluster.run("produce", names[0], "--key-separator", ":", stdin=KEYED)
    local_cluster.run("produce", names[0], "--compression", "zstd", stdin=AWKWARD)
    local_cluster.run("produce", names[0], "--raw", stdin=b'{"a":\n1}')
    yield names
    for name in names:
        local_cluster.run("topic", "delete", name, check=False)


@pytest.fixture
def folder(local_cluster: LocalCluster) -> Iterator[Path]:
    """A folder of this test's own, in the home that commands run in."""
    path = local_cluster.home / f"files-{next(_numbers)}"
    path.mkdir()
    yield path
    shutil.rmtree(path)


def records(cluster: LocalCluster, topic: str, *, with_times: bool = True) -> list[str]:
    """All records of a topic, without its name."""
    template = (
        "{{partition}} {{offset}} {{time}} {{key}} {{value}}"
        if with_times
        else "{{partition}} {{offset}} {{value}}"
    )
    return sorted(cluster.run("consume", topic, "-B", "-d", "-F", template).stdout.splitlines())


@pytest.mark.parametrize("file", FILES)
def test_a_topic_comes_back_from_a_file(
    local_cluster: LocalCluster, topics: list[str], folder: Path, file: str
) -> None:
    one, two, _ = topics
    path = str(folder / file)
    done = local_cluster.run("topic", "export", one, path)
    assert done.stdout == f'208 records of topic "{one}" written to {path}\n'
    local_cluster.run("topic", "import", path, two, "--create", "--keep-time")
    same = local_cluster.run("topic", "diff", one, two, "--times", "-O", "json")
    assert json.loads(same.stdout)["same"] is True
    assert list(folder.iterdir()) == [folder / file]


def test_without_keep_time_records_are_from_now(
    local_cluster: LocalCluster, topics: list[str], folder: Path
) -> None:
    path = str(folder / "all.flt")
    local_cluster.run("topic", "export", topics[0], path)
    before_ms = time.time() * 1000
    local_cluster.run("topic", "import", path, topics[1], "--create")
    assert local_cluster.run("topic", "diff", topics[0], topics[1]).returncode == 0
    assert local_cluster.run("topic", "diff", topics[0], topics[1], "--times", check=False).returncode == 8
    shown = local_cluster.run("topic", "export", topics[1], "-").stdout.splitlines()
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(before_ms / 1000))
    assert all(json.loads(line)["timestamp"] >= since for line in shown)


def test_the_topic_of_the_file_is_the_default_and_pipes_work(
    local_cluster: LocalCluster, topics: list[str]
) -> None:
    one = topics[0]
    text = local_cluster.run("topic", "export", one, "-", "-p", "1").stdout
    assert {json.loads(line)["partition"] for line in text.splitlines()} == {1}
    done = local_cluster.run("topic", "import", "-", "-O", "json", stdin=text)
    found = json.loads(done.stdout)
    assert found["topic"] == one
    assert found["records"] == len(text.splitlines())
    ndjson = local_cluster.run("consume", one, "-B", "-d", "-O", "ndjson").stdout
    assert local_cluster.run("topic", "import", "-", stdin=ndjson).returncode == 0


def test_options_choose_records(local_cluster: LocalCluster, topics: list[str], folder: Path) -> None:
    one = topics[0]

    def totals(*options: str) -> list[int]:
        lines = local_cluster.run("topic", "export", one, "-", *options).stdout.splitlines()
        values = [json.loads(line)["value"] for line in lines]
        return sorted(value["total"] for value in values if isinstance(value, dict) and "total" in value)

    assert totals("--where", "total > `197`") == [198, 199]
    assert len(totals("-n", "3")) == 3
    assert len(totals("--since", "1h")) == 200
    assert totals("--until", "1h") == []
    path = str(folder / "some.flt")
    local_cluster.run("topic", "export", one, path, "--where", "name == 'n0'")
    local_cluster.run("topic", "import", path, topics[1], "--create")
    assert len(records(local_cluster, topics[1])) == 100


@pytest.mark.parametrize("file", FILES)
def test_an_export_goes_on_where_a_cut_file_is_good(
    local_cluster: LocalCluster, topics: list[str], folder: Path, file: str
) -> None:
    one = topics[0]
    path = folder / file
    local_cluster.run("topic", "export", one, str(path))
    whole = path.read_bytes()
    refused = local_cluster.run("topic", "export", one, str(path), check=False)
    assert refused.returncode == 1
    assert "exists" in refused.stderr
    local_cluster.run("produce", one, stdin="new\n")
    done = local_cluster.run("topic", "export", one, str(path), "--resume")
    assert done.stdout.startswith("1 records")
    assert done.stdout.endswith(", it has 209 now\n")
    longer = path.read_bytes()
    kept = next(size for size in range(len(whole), 0, -1) if longer[:size] == whole[:size])
    path.write_bytes(longer[: kept + (len(longer) - kept) // 2])  # within what was added
    done = local_cluster.run("topic", "export", one, str(path), "--resume")
    assert done.stdout.endswith(", it has 209 now\n")
    local_cluster.run("topic", "import", str(path), topics[1], "--create", "--keep-time")
    assert records(local_cluster, topics[1]) == records(local_cluster, one)


def test_an_export_does_not_go_on_with_another_file_or_topic(
    local_cluster: LocalCluster, topics: list[str], folder: Path
) -> None:
    one, two, _ = topics
    path = folder / "file.jsonl"

    def told(name: str) -> str:
        done = local_cluster.run("topic", "export", name, str(path), "--resume", check=False)
        assert done.returncode == 1
        return done.stderr

    path.write_text("my notes")
    assert "no whole record" in told(one)
    assert path.read_text() == "my notes"
    path.write_text("my notes\n")
    assert "cannot be read" in told(one)
    local_cluster.run("topic", "export", one, str(path), "--force")
    local_cluster.run("topic", "create", two)
    assert f"records of topic `{one}`" in told(two)
    local_cluster.run("topic", "delete", one)
    local_cluster.run("topic", "create", one, "-p", "2")
    assert "it is not the topic that was exported" in told(one)


def test_an_interrupted_export_says_how_far_it_came(local_cluster: LocalCluster, topics: list[str]) -> None:
    """Standard output is a pipe that nobody empties, so the command is in the middle for certain."""
    big = topics[1]
    local_cluster.run("topic", "create", big)
    local_cluster.run("produce", big, stdin="".join(f"{number:0100d}\n" for number in range(60_000)))
    process = subprocess.Popen(
        [local_cluster.executable, "topic", "export", big, "-"],
        env=local_cluster.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    start = os.read(process.stdout.fileno(), 1000)
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    lines = (start + rest).decode().splitlines()
    assert errors.decode() == f"interrupted after {len(lines)} records\n"
    assert [json.loads(line)["offset"] for line in lines] == list(range(len(lines)))


def test_what_comes_from_a_pipe_is_stored_at_once(local_cluster: LocalCluster, topics: list[str]) -> None:
    local_cluster.run("topic", "create", topics[1])
    process = subprocess.Popen(
        [local_cluster.executable, "topic", "import", "-", topics[1]],
        env=local_cluster.env,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(b'{"value": "from a pipe"}\n')
    process.stdin.flush()
    assert local_cluster.run("consume", topics[1], "-B", "-n", "1").stdout == "from a pipe\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130  # and not because its input has ended
    _, errors = process.communicate()
    assert errors == b"interrupted after 1 records\n"


@pytest.mark.parametrize("file", ["all.jsonl", "all.flt"])
def test_an_import_of_a_cut_file_stores_what_is_good_and_goes_on_later(
    local_cluster: LocalCluster, topics: list[str], folder: Path, file: str
) -> None:
    one, two, _ = topics
    path = folder / file
    local_cluster.run("topic", "export", one, str(path))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    command = ("topic", "import", str(path), two, "--create", "--keep-time")
    done = local_cluster.run(*command, check=False)
    assert done.returncode == 1
    assert "is cut" in done.stderr
    stored = len(records(local_cluster, two))
    assert 0 < stored < 208
    told = re.search(r"with (\d+) records", done.stderr)
    assert told is not None
    assert int(told[1]) == stored
    again = local_cluster.run(*command, check=False)
    assert again.returncode == 1
    assert "was interrupted" in again.stderr
    path.write_bytes(whole)
    other = local_cluster.run("topic", "import", str(path), two, "--resume", check=False)
    assert "begun with `--keep-time`" in other.stderr
    done = local_cluster.run(*command, "--resume")
    assert f"{208 - stored} records" in done.stdout
    assert f"after {stored} of an earlier run" in done.stdout
    assert records(local_cluster, two) == records(local_cluster, one)
    assert list(folder.iterdir()) == [path]
    nothing = local_cluster.run(*command, "--resume")
    assert nothing.stdout.startswith("0 records of ")
    assert "after 208 of an earlier run" in nothing.stdout
    assert list(folder.iterdir()) == [path]


def test_without_a_note_an_import_goes_on_where_the_topic_ends(
    local_cluster: LocalCluster, topics: list[str], folder: Path
) -> None:
    one, two, three = topics
    path = folder / "all.jsonl"
    local_cluster.run("topic", "export", one, str(path))
    whole = path.read_bytes()
    command = ("topic", "import", str(path), two, "--create", "--keep-time", "--resume")
    assert local_cluster.run(*command).stdout.startswith("208 records of ")
    local_cluster.run("topic", "create", three, "-p", "2")
    start = folder / "start.jsonl"
    start.write_bytes(b"".join(whole.splitlines(keepends=True)[:70]))
    local_cluster.run("topic", "import", str(start), three, "--keep-time")
    done = local_cluster.run("topic", "import", str(path), three, "--keep-time", "--resume")
    assert done.stdout.startswith("138 records of ")
    assert records(local_cluster, three) == records(local_cluster, one)


def test_without_a_note_nothing_is_sent_to_a_topic_with_other_records(
    local_cluster: LocalCluster, topics: list[str], folder: Path
) -> None:
    one, two, _ = topics
    path = folder / "all.flt"
    local_cluster.run("topic", "export", one, str(path))
    local_cluster.run("topic", "create", two, "-p", "2")
    local_cluster.run("produce", two, "-p", "1", stdin="not of the file\n")
    done = local_cluster.run("topic", "import", str(path), two, "--resume", check=False)
    assert done.returncode == 3
    assert "no interrupted import" in done.stderr
    assert "somebody else writes there" in done.stderr
    assert [row[:3] for row in records(local_cluster, two)] == ["1 0"], "partition 0 got nothing, too"
    assert list(folder.iterdir()) == [path]


def test_two_imports_of_a_file_at_once_are_refused(
    local_cluster: LocalCluster, topics: list[str], folder: Path
) -> None:
    one, two, _ = topics
    path = folder / "all.jsonl"
    local_cluster.run("topic", "export", one, str(path))
    command = ("topic", "import", str(path), two, "--create")
    local_cluster.run("topic", "create", two, "-p", "2")
    note = note_path(path, local_cluster.endpoint, two)
    with ImportNote(note).held():  # what an import does that is running
        for more in ((), ("--resume",)):
            done = local_cluster.run(*command, *more, check=False)
            assert done.returncode == 1
            assert done.stderr.startswith(f"another process is importing {path} into `{two}`")
    assert records(local_cluster, two) == []
    assert local_cluster.run(*command).returncode == 0


def test_what_was_stored_behind_the_last_note_is_found(
    local_cluster: LocalCluster, topics: list[str], folder: Path
) -> None:
    one, two, _ = topics
    path = folder / "all.jsonl"
    local_cluster.run("topic", "export", one, str(path))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    command = ("topic", "import", str(path), two, "--create")
    local_cluster.run(*command, check=False)
    (note,) = folder.glob("*.import-*")
    noted = json.loads(note.read_text())
    # As if the command had been killed before it noted anything of partition 0, and the last records of 1.
    noted["partitions"]["0"] = [0, 0]
    noted["partitions"]["1"] = [number - 1 for number in noted["partitions"]["1"]]
    note.write_text(json.dumps(noted))
    path.write_bytes(whole)
    local_cluster.run(*command, "--resume")
    assert records(local_cluster, two, with_times=False) == records(local_cluster, one, with_times=False)


def test_an_import_does_not_go_on_where_somebody_else_wrote(
    local_cluster: LocalCluster, topics: list[str], folder: Path
) -> None:
    one, two, _ = topics
    path = folder / "all.jsonl"
    local_cluster.run("topic", "export", one, str(path))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    command = ("topic", "import", str(path), two, "--create")
    local_cluster.run(*command, check=False)
    path.write_bytes(whole)
    local_cluster.run("produce", two, "-p", "0", stdin="not of the file\n")
    done = local_cluster.run(*command, "--resume", check=False)
    assert done.returncode == 1
    assert "somebody else writes there" in done.stderr
    local_cluster.run("topic", "delete", two)
    local_cluster.run("topic", "create", two, "-p", "2")
    done = local_cluster.run(*command, "--resume", check=False)
    assert "it is not the topic that it was" in done.stderr


def test_what_cannot_be_imported_says_why(
    local_cluster: LocalCluster, topics: list[str], folder: Path
) -> None:
    one, two, _ = topics
    path = folder / "all.flt"
    local_cluster.run("topic", "export", one, str(path))
    missing = local_cluster.run("topic", "import", str(path), two, check=False)
    assert missing.returncode == 3
    local_cluster.run("topic", "create", two)
    fewer = local_cluster.run("topic", "import", str(path), two, check=False)
    assert (fewer.returncode, fewer.stderr) == (3, f"the records need 2 partitions, topic `{two}` has 1\n")
    line = b'{"partition": 4, "value": 1}\n'
    fewer = local_cluster.run("topic", "import", "-", two, stdin=line, check=False)
    assert "need 5 partitions" in fewer.stderr
    nameless = local_cluster.run("topic", "import", "-", stdin=line, check=False)
    assert (nameless.returncode, "does not say" in nameless.stderr) == (2, True)
    created = local_cluster.run("topic", "import", "-", topics[2], "--create", stdin=line, check=False)
    assert "cannot be read twice" in created.stderr


def test_a_replay_keeps_the_distances_of_records(
    local_cluster: LocalCluster, topics: list[str], folder: Path
) -> None:
    two = topics[1]
    path = folder / "times.jsonl"
    times = ["null", *(f'"2026-01-31T08:00:{second:02d}.000Z"' for second in (0, 4, 8))]
    path.write_text("".join(f'{{"timestamp": {moment}, "value": {n}}}\n' for n, moment in enumerate(times)))
    start = time.monotonic()
    done = local_cluster.run("topic", "replay", str(path), two, "--create", "--speed", "20x")
    assert done.stdout == f'4 records of {path} sent to topic "{two}"\n'
    assert time.monotonic() - start >= 0.4
    shown = local_cluster.run("topic", "export", two, "-").stdout.splitlines()
    moments = [float(json.loads(line)["timestamp"][17:-1]) for line in shown]
    assert [json.loads(line)["value"] for line in shown] == [0, 1, 2, 3]
    assert (moments[3] - moments[1]) % 60 >= 0.38
    local_cluster.run("topic", "replay", str(path), two, "--speed", "max", "-n", "2", "--keep-time")
    last = local_cluster.run("topic", "export", two, "-").stdout.splitlines()[-2:]
    found = local_cluster.run("consume", two, "--start", "4", "-d", "-F", "{{time}}").stdout.splitlines()
    assert len(last) == 2
    assert found == ["NA", "2026-01-31T08:00:00.000Z"]


def test_a_copy_is_the_same_and_goes_on_with_what_is_new(
    local_cluster: LocalCluster, topics: list[str]
) -> None:
    one, two, _ = topics
    assert local_cluster.run("topic", "copy", one, two, check=False).returncode == 3
    local_cluster.run("topic", "copy", one, two, "--create", "-n", "50")
    done = local_cluster.run("topic", "copy", one, f"local:{two}", "--resume")
    assert done.stdout == f'158 records of "{one}" copied to "local:{two}", 50 were there\n'
    assert local_cluster.run("topic", "diff", one, two, "--times").returncode == 0
    local_cluster.run("produce", one, stdin="new\n")
    differs = local_cluster.run("topic", "diff", one, f"local:{two}", check=False)
    assert differs.returncode == 8
    assert "offsets of partition" in differs.stderr
    done = local_cluster.run("topic", "copy", one, two, "--resume", "-O", "json")
    assert json.loads(done.stdout)["records"] == 1
    local_cluster.run("produce", two, stdin="foreign\n")
    refused = local_cluster.run("topic", "copy", one, two, "--resume", check=False)
    assert (refused.returncode, "somebody else" in refused.stderr) == (1, True)
    itself = local_cluster.run("topic", "copy", one, "local:", check=False)
    assert itself.returncode == 2
    unknown = local_cluster.run("topic", "copy", "nowhere:one", two, check=False)
    assert "nowhere" in unknown.stderr


def test_a_masked_copy_has_no_names_and_can_be_joined(
    local_cluster: LocalCluster, topics: list[str], folder: Path
) -> None:
    one, two, three = topics
    secret = folder / "secret"
    secret.write_text("s3cret")
    masks = ("--mask", "name", "--mask-keys", "--where", "total >= `0`")
    local_cluster.run("topic", "copy", one, two, "--create", *masks, "--mask-secret", str(secret))
    lines = local_cluster.run("topic", "export", two, "-").stdout.splitlines()
    values = [json.loads(line)["value"] for line in lines]
    assert sorted(value["total"] for value in values) == list(range(200))
    by_name = {value["name"]: value["total"] % 2 for value in values}
    assert sorted(by_name.values()) == [0, 1]
    assert all(name.startswith("masked-") for name in by_name)
    assert len({json.loads(line)["key"] for line in lines}) == 3
    refused = local_cluster.run("topic", "copy", one, three, "--create", "--mask", "name", check=False)
    assert (refused.returncode, "is no JSON" in refused.stderr) == (1, True)


def test_a_topic_that_is_not_there_differs(local_cluster: LocalCluster, topics: list[str]) -> None:
    done = local_cluster.run("topic", "diff", topics[0], topics[1], check=False)
    assert done.returncode == 8
    assert f"there is no `{topics[1]}`" in done.stderr
    assert local_cluster.run("topic", "diff", topics[1], topics[2], check=False).returncode == 3
    local_cluster.run("topic", "create", topics[1], "-p", "2", "--retention-time", "1h")
    done = local_cluster.run("topic", "diff", topics[0], topics[1], "-O", "json", check=False)
    view = json.loads(done.stdout)
    assert view["settings"] == [{"name": "retention_seconds", "left": None, "right": 3600}]
    assert [row["differs_in"] for row in view["partitions"]] == [["offsets", "content"]] * 2
    assert json.loads(done.stderr)["error"]["code"] == "topics-differ"
    words = ("--ignore", "settings", "--ignore", "offsets", "--ignore", "content")
    assert local_cluster.run("topic", "diff", topics[0], topics[1], *words).returncode == 0


def test_every_partition_of_many_is_read_and_codecs_are_obeyed(
    local_cluster: LocalCluster, topics: list[str], folder: Path
) -> None:
    two, three = topics[1:]
    local_cluster.run("topic", "create", two, "-p", "40")
    local_cluster.run("produce", two, stdin="".join(f"{number}\n" for number in range(400)))
    path = str(folder / "many.flt")
    local_cluster.run("topic", "export", two, path)
    local_cluster.run("topic", "create", three, "-p", "40", "--compression-type", "gzip")
    local_cluster.run("topic", "import", path, three)
    words = ("--ignore", "settings")
    assert local_cluster.run("topic", "diff", two, three, *words).returncode == 0
