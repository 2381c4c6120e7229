"""`consume` with several topics, counts, times, conditions and ndjson, on a real cluster."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pexpect
import pytest

from tests.support.local_cluster import LocalCluster

_numbers = count()


@pytest.fixture
def pair(local_cluster: LocalCluster) -> Iterator[tuple[str, str]]:
    """Two topics for this test alone, whose names share a beginning; the second has two partitions."""
    number = next(_numbers)
    names = f"pick-{number}-one", f"pick-{number}-two"
    local_cluster.run("topic", "create", names[0])
    local_cluster.run("topic", "create", names[1], "-p", "2")
    yield names
    for name in names:
        local_cluster.run("topic", "delete", name)


def consumed(cluster: LocalCluster, *words: str) -> list[str]:
    return cluster.run("consume", *words, timeout=30).stdout.splitlines()


def stored(cluster: LocalCluster, consumer: str) -> dict[str, int]:
    shown = json.loads(cluster.run("consumer", "list", "-O", "json").stdout)
    return {each["topic"]: each["offset"] for each in shown if each["consumer_id"] == consumer}


def test_several_topics_are_read_by_name_and_by_pattern(
    local_cluster: LocalCluster, pair: tuple[str, str]
) -> None:
    one, two = pair
    local_cluster.run("produce", one, stdin="a\nb\n")
    local_cluster.run("produce", two, stdin="c\nd\n")
    template = ("-B", "-d", "-F", "{{topic}} {{value}}")
    expected = [f"{one} a", f"{one} b", f"{two} c", f"{two} d"]
    assert sorted(consumed(local_cluster, one, two, one, *template)) == expected
    assert sorted(consumed(local_cluster, "--regex", f"{one[:-3]}.*", *template)) == expected
    assert consumed(local_cluster, "--regex", f"{one[:-3]}(x|one)", *template) == expected[:2]
    done = local_cluster.run("consume", "--regex", "nothing-.*", "-B", "-d", check=False)
    assert done.returncode == 3
    assert "no topic matches `nothing-.*`" in done.stderr
    assert one in done.stderr
    missing = local_cluster.run("consume", one, "nope", "-B", "-d", check=False)
    assert "Topic not found: nope" in missing.stderr


def test_a_count_over_topics_stores_exactly_what_was_printed(
    local_cluster: LocalCluster, pair: tuple[str, str]
) -> None:
    for name in pair:
        local_cluster.run("produce", name, stdin="".join(f"{name} {number}\n" for number in range(5)))
    seen: list[str] = []
    for size in (3, 1, 4):
        printed = consumed(local_cluster, *pair, "-B", "-n", str(size), "-c", "counting")
        assert len(printed) == size
        seen += printed
    rest = consumed(local_cluster, *pair, "-B", "-d", "-c", "counting")
    assert sorted(seen + rest) == sorted(f"{name} {number}" for name in pair for number in range(5))


def test_a_count_ends_a_consumer_in_the_middle_of_a_batch(
    local_cluster: LocalCluster, pair: tuple[str, str]
) -> None:
    local_cluster.run("produce", pair[0], stdin="".join(f"{number}\n" for number in range(10)))
    assert consumed(local_cluster, pair[0], "-B", "-n", "4", "-c", "middle") == ["0", "1", "2", "3"]
    assert stored(local_cluster, "middle") == {pair[0]: 3}
    assert consumed(local_cluster, pair[0], "-d", "-c", "middle", "-n", "2") == ["4", "5"]


def test_times_choose_what_is_printed(local_cluster: LocalCluster, pair: tuple[str, str]) -> None:
    topic = pair[0]
    local_cluster.run("produce", topic, stdin="old 1\nold 2\n")
    last = int(_last_ms(local_cluster, topic))
    while time.time() * 1000 <= last + 1:
        pass
    border = int(time.time() * 1000)
    local_cluster.run("produce", topic, stdin="new 1\nnew 2\n")
    moment = datetime.fromtimestamp(border / 1000, UTC).isoformat(timespec="milliseconds")
    for spelled in (str(border), moment):
        assert consumed(local_cluster, topic, "--since", spelled, "-d") == ["new 1", "new 2"]
        assert consumed(local_cluster, topic, "--until", spelled) == ["old 1", "old 2"]
    assert len(consumed(local_cluster, topic, "--since", "10m", "-d")) == 4
    assert consumed(local_cluster, topic, "--since", "10m", "--until", "9m") == []
    assert consumed(local_cluster, topic, "-T", "3", "--until", str(border)) == ["old 2"]
    local_cluster.run("consume", topic, "--until", str(border), "-c", "timed")
    assert stored(local_cluster, "timed") == {topic: 1}


def _last_ms(cluster: LocalCluster, topic: str) -> float:
    shown = json.loads(consumed(cluster, topic, "-T", "1", "-d", "-O", "ndjson")[0])
    return datetime.fromisoformat(shown["timestamp"]).timestamp() * 1000


def test_an_end_in_the_future_comes_without_records(
    local_cluster: LocalCluster, pair: tuple[str, str]
) -> None:
    until = str(int(time.time() * 1000) + 1000)
    done = local_cluster.run("consume", pair[0], "--until", until, timeout=30)
    assert done.stdout == ""
    assert time.time() * 1000 > int(until)


def test_times_that_make_no_sense_are_usage_errors(local_cluster: LocalCluster) -> None:
    for words, text in (
        (("--since", "1m", "--until", "2m"), "`--until` is before `--since`"),
        (("--since", "soon"), "invalid value 'soon' for '--since <TIME>'"),
        (("-B", "--since", "1m"), "cannot be used with"),
        (("--where", "a >"), "the expression ends too early at column 4"),
        (("--regex", "(", "-d"), "is no regular expression"),
    ):
        done = local_cluster.run("consume", "any", *words, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert text in done.stderr


def test_conditions_choose_by_what_is_in_the_records(
    local_cluster: LocalCluster, pair: tuple[str, str]
) -> None:
    lines = [json.dumps({"id": number, "total": number * 50}) for number in range(6)]
    local_cluster.run("produce", pair[0], stdin="no json\n" + "\n".join(lines) + "\n")
    done = local_cluster.run("consume", pair[0], "-B", "-d", "--where", "total > `100`")
    assert (done.stdout.splitlines(), done.stderr) == (lines[3:], "")
    first = consumed(
        local_cluster, pair[0], "-B", "-n", "2", "--where", "total > `100`", "-F", '{{json value "id"}}'
    )
    assert first == ["3", "4"]


def test_json_that_is_left_out_does_not_count(local_cluster: LocalCluster, pair: tuple[str, str]) -> None:
    local_cluster.run("produce", pair[0], stdin="x\n1\ny\n2\n3\n")
    words = ("-B", "-n", "2", "-O", "json", "--suppress-unknown", "-c", "shown")
    assert consumed(local_cluster, pair[0], *words) == ["1", "2"]
    assert stored(local_cluster, "shown") == {pair[0]: 3}


def test_ndjson_names_everything_of_a_record(local_cluster: LocalCluster, pair: tuple[str, str]) -> None:
    local_cluster.run("produce", pair[0], "--key-separator", ":", stdin="k:text\nj:[1, 2.50]\n")
    lines = consumed(local_cluster, pair[0], "-B", "-d", "-O", "ndjson")
    first, second = map(json.loads, lines)
    assert (first["topic"], first["partition"], first["offset"]) == (pair[0], 0, 0)
    assert (first["key"], first["value"]) == ("k", "text")
    assert second["value"] == [1, 2.5]
    assert "[1, 2.50]" in lines[1]
    datetime.fromisoformat(first["timestamp"])


def test_a_person_learns_how_many_records_are_no_json(
    local_cluster: LocalCluster, pair: tuple[str, str]
) -> None:
    local_cluster.run("produce", pair[0], stdin='x\ny\n{"a":1}\n')
    words = ["consume", pair[0], "-B", "-d", "--where", "a"]
    env = {**local_cluster.env, "TERM": "xterm"}
    child: pexpect.spawn[str] = pexpect.spawn(
        str(local_cluster.executable), words, env=env, encoding="utf-8", timeout=30
    )
    child.expect_exact('{"a":1}')
    child.expect_exact("records left out because they are no JSON: 2")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_an_interrupted_reader_of_several_topics_has_stored_what_it_printed(
    local_cluster: LocalCluster, pair: tuple[str, str]
) -> None:
    for name in pair:
        local_cluster.run("produce", name, stdin=f"{name}\n")
    words = [local_cluster.executable, "consume", *pair, "-B", "-c", "stopped"]
    with subprocess.Popen(
        words, env=local_cluster.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert sorted(process.stdout.readline().strip() for _ in pair) == sorted(pair)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert stored(local_cluster, "stopped") == dict.fromkeys(pair, 0)
