"""`produce` and `consume` as a person and as a script use them: terminals, pipes, signals, nothing at all."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from itertools import count

import pexpect
import pytest

from tests.support.local_cluster import LocalCluster

TIMEOUT_S = 30
_numbers = count()


@pytest.fixture
def topic(local_cluster: LocalCluster) -> Iterator[str]:
    """A topic of one partition for this test alone."""
    name = f"records-{next(_numbers)}"
    local_cluster.run("topic", "create", name)
    yield name
    local_cluster.run("topic", "delete", name)


def on_terminal(cluster: LocalCluster, *words: str) -> "pexpect.spawn[str]":
    env = {**cluster.env, "TERM": "xterm"}
    return pexpect.spawn(
        str(cluster.executable),
        list(words),
        env=env,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        dimensions=(24, 100),
    )


def exit_code(child: "pexpect.spawn[str]") -> int:
    child.expect(pexpect.EOF)
    child.close()
    assert child.signalstatus is None
    return int(child.exitstatus or 0)


def started(cluster: LocalCluster, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [cluster.executable, *words],
        env=cluster.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_each_typed_line_is_stored_before_the_next_prompt(local_cluster: LocalCluster, topic: str) -> None:
    child = on_terminal(local_cluster, "produce", topic)
    for line in ("hi there", "second"):
        child.expect_exact("> ")
        child.sendline(line)
        child.expect_exact("Ok!")
        assert local_cluster.run("consume", topic, "-T", "1", "-d").stdout == f"{line}\n"
    child.expect_exact("> ")
    child.sendeof()
    child.expect_exact("Ok!")
    assert exit_code(child) == 0


def test_ctrl_c_at_the_prompt_ends_with_130_and_keeps_what_was_stored(
    local_cluster: LocalCluster, topic: str
) -> None:
    child = on_terminal(local_cluster, "produce", topic)
    child.expect_exact("> ")
    child.sendline("kept")
    child.expect_exact("Ok!")
    child.expect_exact("> ")
    child.sendintr()
    assert exit_code(child) == 130
    assert local_cluster.run("consume", topic, "-B", "-d").stdout == "kept\n"


def test_a_typed_line_without_separator_is_named_and_the_next_one_is_stored(
    local_cluster: LocalCluster, topic: str
) -> None:
    child = on_terminal(local_cluster, "produce", topic, "--key-separator", ":", "-v")
    child.expect_exact("> ")
    child.sendline("nosep")
    child.expect_exact("Failed to find separator ':' in record, skipping: 'nosep'")
    child.expect_exact("> ")
    child.sendline("k:v")
    child.expect_exact("[k] v")
    child.expect_exact("Ok!")
    child.expect_exact("> ")
    child.sendeof()
    assert exit_code(child) == 0
    assert local_cluster.run("consume", topic, "-B", "-d", "-k").stdout == "[k] v\n"


def test_a_terminal_shows_where_reading_starts_and_ctrl_c_ends_it_well(
    local_cluster: LocalCluster, topic: str
) -> None:
    local_cluster.run("produce", topic, stdin="one\ntwo\n")
    child = on_terminal(local_cluster, "consume", topic, "-T", "1")
    child.expect_exact(f"Consuming records from '{topic}' starting 1 from the end of log")
    child.expect_exact("two")
    child.sendintr()
    child.expect_exact("Consumer stream has closed")
    assert exit_code(child) == 0


def test_a_start_behind_the_end_is_told_to_a_person_and_not_to_a_script(
    local_cluster: LocalCluster, topic: str
) -> None:
    local_cluster.run("produce", topic, stdin="one\n")
    child = on_terminal(local_cluster, "consume", topic, "--start", "5", "-d")
    child.expect_exact("nothing was read: no partition has reached offset 5")
    assert exit_code(child) == 0
    scripted = local_cluster.run("consume", topic, "--start", "5", "-d")
    assert (scripted.stdout, scripted.stderr) == ("", "")
    refused = local_cluster.run("consume", topic, "--start", "5", check=False)
    assert (refused.returncode, refused.stderr) == (1, "start offset: 5 is greater than leo: 1\n")


def test_a_person_learns_that_the_spu_was_lost_and_a_script_does_not(fresh_cluster: LocalCluster) -> None:
    cluster = fresh_cluster
    cluster.run("topic", "create", "t")
    cluster.run("produce", "t", stdin="before\n")
    child = on_terminal(cluster, "consume", "t", "-B")
    child.expect_exact("before")
    script = started(cluster, "consume", "t", "-B")
    assert script.stdout is not None
    assert script.stdout.readline() == b"before\n"
    for turn in ("after", "after another"):
        port = cluster.state.spus[0].plan.public.port
        os.kill(cluster.processes()["SPU 5001"].pid, signal.SIGKILL)
        child.expect(rf"lost the connection to \S+:{port}, trying again")
        cluster.run("cluster", "resume")
        cluster.run("produce", "t", stdin=f"{turn}\n")
        child.expect_exact(f"{turn}\r\n")
        assert script.stdout.readline() == f"{turn}\n".encode()
    child.sendintr()
    assert exit_code(child) == 0
    script.send_signal(signal.SIGINT)
    assert script.communicate(timeout=TIMEOUT_S) == (b"", b"Consumer stream has closed\n")


def test_a_waiting_consumer_prints_what_another_produces(local_cluster: LocalCluster, topic: str) -> None:
    child = on_terminal(local_cluster, "consume", topic, "--disable-progressbar")
    child.expect_exact(f"Consuming records from '{topic}'")
    local_cluster.run("produce", topic, stdin="fresh\n")
    child.expect_exact("fresh")
    child.sendintr()
    assert exit_code(child) == 0


def test_a_consumer_without_a_terminal_stops_in_order_at_sigint_and_sigterm(
    local_cluster: LocalCluster, topic: str
) -> None:
    local_cluster.run("produce", topic, stdin="one\n")
    for number in (signal.SIGINT, signal.SIGTERM):
        process = started(local_cluster, "consume", topic, "-B")
        assert process.stdout is not None
        assert process.stdout.readline() == b"one\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=TIMEOUT_S)
        assert (process.returncode, out, err) == (0, b"", b"Consumer stream has closed\n")


def test_a_reader_that_has_enough_ends_consume_quietly(local_cluster: LocalCluster, topic: str) -> None:
    lines = b"".join(b"%06d\n" % number for number in range(50_000))
    local_cluster.run("produce", topic, stdin=lines)
    script = f'"{local_cluster.executable}" consume {topic} -B -d | head -1; echo "code ${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", script], env=local_cluster.env, capture_output=True, timeout=TIMEOUT_S, check=True
    )
    assert done.stdout == b"000000\ncode 0\n"
    assert done.stderr == b""


def test_what_a_slow_pipe_brings_is_sent_before_the_pipe_ends(
    local_cluster: LocalCluster, topic: str
) -> None:
    process = started(local_cluster, "produce", topic)
    assert process.stdin is not None
    process.stdin.write(b"early\n")
    process.stdin.flush()
    assert local_cluster.run("consume", topic, "-B", "--end", "0").stdout == "early\n"
    process.stdin.write(b"late")
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out, err) == (0, b"", b"")
    assert local_cluster.run("consume", topic, "-B", "-d").stdout == "early\nlate\n"


def test_an_interrupted_pipe_stores_what_was_read_and_ends_with_130(
    local_cluster: LocalCluster, topic: str
) -> None:
    process = started(local_cluster, "produce", topic)
    assert process.stdin is not None
    process.stdin.write(b"read\n")
    process.stdin.flush()
    assert local_cluster.run("consume", topic, "-B", "--end", "0").stdout == "read\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130
    assert local_cluster.run("consume", topic, "-B", "-d").stdout == "read\n"


def test_closed_standard_streams_are_no_disaster(local_cluster: LocalCluster, topic: str) -> None:
    script = f'"{local_cluster.executable}" produce {topic} <&-; echo "code $?"'
    done = subprocess.run(
        ["bash", "-c", script], env=local_cluster.env, capture_output=True, timeout=TIMEOUT_S, check=True
    )
    assert done.stdout == b"code 1\n"
    assert b"Traceback" not in done.stderr
    script = f'"{local_cluster.executable}" consume {topic} -B -d >&-; echo "code $?" >&2'
    done = subprocess.run(
        ["bash", "-c", script], env=local_cluster.env, capture_output=True, timeout=TIMEOUT_S, check=True
    )
    assert re.search(rb"code [01]\n", done.stderr)
    assert b"Traceback" not in done.stderr


def test_standard_input_may_be_a_device_or_a_file(local_cluster: LocalCluster, topic: str) -> None:
    with open(os.devnull, "rb") as nothing:
        subprocess.run(
            [local_cluster.executable, "produce", topic], env=local_cluster.env, stdin=nothing, check=True
        )
    source = local_cluster.home / "lines.txt"
    source.write_bytes(b"a\r\nb\n\nc")
    with source.open("rb") as file:
        subprocess.run(
            [local_cluster.executable, "produce", topic], env=local_cluster.env, stdin=file, check=True
        )
    assert local_cluster.run("consume", topic, "-B", "-d").stdout == "a\nb\n\nc\n"


def test_bytes_that_are_no_text_go_through_unchanged(local_cluster: LocalCluster, topic: str) -> None:
    local_cluster.run("produce", topic, stdin=b"ok1\n\xff\xfe\xfd\nok2\n")
    shown = local_cluster.run("consume", topic, "-B", "-d", "-O", "binary").stdout
    assert "ff fe fd" in shown
    assert local_cluster.run("partition", "list").stdout.count(topic) == 1


def test_offsets_beyond_32_bits_are_taken(local_cluster: LocalCluster, topic: str) -> None:
    done = local_cluster.run("consume", topic, "--start", str(2**40), "-d", check=False)
    assert done.returncode in (0, 1)
    assert "2**40" not in done.stderr
    refused = local_cluster.run("consume", topic, "--start", str(2**63), "-d", check=False)
    assert refused.returncode == 2
    assert "is not in 0..=" in refused.stderr


def test_a_consumer_goes_on_where_it_stopped_though_it_stopped_in_the_middle_of_a_batch(
    local_cluster: LocalCluster, topic: str
) -> None:
    local_cluster.run("produce", topic, stdin="".join(f"{number}\n" for number in range(10)))
    first = local_cluster.run("consume", topic, "-B", "--end", "3", "-c", "reader")
    assert first.stdout == "0\n1\n2\n3\n"
    second = local_cluster.run("consume", topic, "-d", "-c", "reader")
    assert second.stdout == "4\n5\n6\n7\n8\n9\n"


def test_every_compression_comes_back_and_small_fetches_lose_nothing(
    local_cluster: LocalCluster, topic: str
) -> None:
    expected = ""
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        lines = "".join(f"{codec} {number} {'x' * 50}\n" for number in range(500))
        local_cluster.run("produce", topic, "--compression", codec, stdin=lines)
        expected += lines
    for max_bytes in ("1048576", "400", "1"):
        assert local_cluster.run("consume", topic, "-B", "-d", "-b", max_bytes).stdout == expected


def test_keys_choose_the_partition_that_official_clients_choose(local_cluster: LocalCluster) -> None:
    name = f"keyed-{next(_numbers)}"
    local_cluster.run("topic", "create", name, "-p", "2")
    local_cluster.run("produce", name, "--key-separator", ":", stdin="1:a\n2:b\n4:c\n8:d\n")
    assert local_cluster.run("consume", name, "-B", "-d", "-p", "0", "-k").stdout == "[1] a\n[2] b\n"
    assert local_cluster.run("consume", name, "-B", "-d", "-p", "1", "-k").stdout == "[4] c\n[8] d\n"


def test_a_partition_or_topic_that_does_not_exist_ends_with_an_error_at_once(
    local_cluster: LocalCluster, topic: str
) -> None:
    for words, text in (
        (("produce", "nope"), "Topic not found: nope\n"),
        (("consume", "nope", "-B", "-d"), "Topic not found: nope\n"),
        (("produce", topic, "-p", "9"), f"Partition not found: {topic}-9\n"),
        (("consume", topic, "-B", "-d", "-p", "9"), f"Partition not found: {topic}-9\n"),
    ):
        done = local_cluster.run(*words, stdin="x\n", check=False, timeout=10)
        assert (done.returncode, done.stdout, done.stderr) == (3, "", text)
