"""What the official command line gets wrong and no other test holds: see tests/parity/shortcomings.py."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pexpect
import pytest

from fluvio_client.client import Fluvio
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig
from tests.support.local_cluster import LocalCluster

WAIT_S = 30
_numbers = count()


@pytest.fixture
def topic(local_cluster: LocalCluster) -> Iterator[str]:
    """A topic of one partition for this test alone."""
    name = f"shortcoming-{next(_numbers)}"
    local_cluster.run("topic", "create", name)
    yield name
    local_cluster.run("topic", "delete", name)


@contextmanager
def on_terminal(cluster: LocalCluster, *words: str) -> "Iterator[pexpect.spawn[str]]":
    """A command on a terminal, to its end."""
    child = pexpect.spawn(
        str(cluster.executable),
        list(words),
        env={**cluster.env, "TERM": "xterm"},
        cwd=str(cluster.home),
        encoding="utf-8",
        timeout=WAIT_S,
        dimensions=(50, 120),
    )
    yield child
    child.expect(pexpect.EOF)
    child.close()


# --- all commands ------------------------------------------------------------------------------------------


def test_an_unknown_profile_is_named(local_cluster: LocalCluster) -> None:
    done = local_cluster.run("-P", "nope", "topic", "list", check=False)
    assert (done.returncode, done.stderr) == (3, "Cluster not found for profile nope\n")


def test_logs_in_files_have_no_colours(local_cluster: LocalCluster) -> None:
    done = local_cluster.run("topic", "list", RUST_LOG="debug")
    logged = local_cluster.run("produce", "nope", stdin="x\n", check=False, RUST_LOG="debug").stderr
    assert "DEBUG" in logged + done.stderr
    assert "\x1b" not in logged + done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("topic", "list"),
        ("partition", "list"),
        ("consumer", "list"),
        ("table-format", "list"),
        ("cluster", "spu", "list"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_lists_of_nothing_can_be_read_by_programs(
    form: str, words: tuple[str, ...], empty_cluster: LocalCluster
) -> None:
    assert empty_cluster.run(*words, "-O", form).stdout.strip() == "[]"


@pytest.fixture(scope="module")
def empty_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A controller without anything."""
    cluster = LocalCluster(tmp_path_factory.mktemp("empty"))
    try:
        yield cluster.start("--spu", "0")
    finally:
        cluster.remove()


def test_a_list_as_toml_is_refused_with_the_reason(local_cluster: LocalCluster) -> None:
    done = local_cluster.run("topic", "list", "-O", "toml", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "a list cannot be shown as toml\n")


def test_lists_are_sorted(local_cluster: LocalCluster, topic: str) -> None:
    names = [f"{topic}-{letter}" for letter in "dbaec"]
    for name in names:
        local_cluster.run("topic", "create", name)
    rows = json.loads(local_cluster.run("topic", "list", "-O", "json").stdout)
    listed = [row["name"] for row in rows]
    local_cluster.run("topic", "delete", *names)
    assert set(names) < set(listed)
    assert listed == sorted(listed)


def test_progress_can_be_seen_without_a_terminal(local_cluster: LocalCluster) -> None:
    assert "SPUs are online" not in local_cluster.run("cluster", "status").stderr
    assert "(1/1) SPUs are online" in local_cluster.run("cluster", "status", "--verbose").stderr


def test_json_of_the_version_is_json_whatever_is_asked_about_updates(local_cluster: LocalCluster) -> None:
    for variables in ({"FLUVIO_ALWAYS_CHECK_UPDATES": "1"}, {"FLUVIO_RELEASE_CHANNEL": "latest"}):
        assert json.loads(local_cluster.run("version", "--json", **variables).stdout)["name"]


# --- profiles ----------------------------------------------------------------------------------------------


def test_a_profile_with_tls_is_added_in_one_command(throwaway_home: LocalCluster) -> None:
    throwaway_home.run("profile", "add", "plain", "h:1", "--tls")
    files = ("--ca-cert", "ca.crt", "--client-cert", "c.crt", "--client-key", "c.key")
    throwaway_home.run(
        "profile", "add", "safe", "h:2", "docker", "--tls", "--enable-client-cert", "--domain", "d", *files
    )
    listed = throwaway_home.run("profile", "list").stdout
    assert [line.split()[-4:] for line in listed.splitlines()[1:]] == [
        ["plain", "h:1", "Anonymous", "K8"],
        ["safe", "h:2", "Verified", "Docker"],
    ]
    text = throwaway_home.profile_path.read_text()
    assert f'"{throwaway_home.home / "ca.crt"}"' in text
    for words in (("--domain", "d"), ("--tls", "--enable-client-cert", "--domain", "d")):
        assert throwaway_home.run("profile", "add", "bad", "h:3", *words, check=False).returncode != 0
    assert throwaway_home.profile_path.read_text() == text


def test_a_person_sees_that_a_profile_was_renamed(throwaway_home: LocalCluster) -> None:
    throwaway_home.run("profile", "add", "old", "h:1")
    with on_terminal(throwaway_home, "profile", "rename", "old", "new") as child:
        child.expect_exact("profile old is called new now")
    renamed = throwaway_home.run("profile", "rename", "new", "newer")
    assert (renamed.stdout, renamed.stderr) == ("", "")


def test_the_type_that_a_profile_was_added_with_misleads_nobody(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("profile", "add", "again", fresh_cluster.endpoint)  # as on Kubernetes, officially
    fresh_cluster.run("cluster", "shutdown")
    assert fresh_cluster.running() == []


# --- topics, partitions, table formats ---------------------------------------------------------------------


def test_a_topic_is_found_by_its_very_name_before_parts_of_names(
    local_cluster: LocalCluster, topic: str
) -> None:
    longer = f"{topic}-longer"
    local_cluster.run("topic", "create", longer)
    shown = json.loads(local_cluster.run("topic", "describe", topic, "-O", "json").stdout)
    assert [each["name"] for each in shown] == [topic]
    assert local_cluster.run("topic", "describe", topic).stdout.startswith(f"   Name:{topic} ")
    both = json.loads(local_cluster.run("topic", "describe", topic[:-1], "-O", "json").stdout)
    assert {topic, longer} <= {each["name"] for each in both}
    local_cluster.run("topic", "delete", longer)


def test_a_person_sees_settings_and_partitions_of_a_topic(local_cluster: LocalCluster, topic: str) -> None:
    local_cluster.run("produce", topic, stdin="a\nb\n")
    with on_terminal(local_cluster, "topic", "describe", topic) as child:
        child.expect("Retention Time:7days")
        child.expect("Compression:any")
        child.expect(r"PARTITION +LEADER +STATUS +SIZE +RECORDS")
        child.expect(r"0 +5001 +Online ")
    assert "Retention" not in local_cluster.run("topic", "describe", topic).stdout  # as officially


def test_partitions_of_one_topic_are_listed(local_cluster: LocalCluster, topic: str) -> None:
    local_cluster.run("topic", "create", f"{topic}-other")
    shown = json.loads(local_cluster.run("partition", "list", "--topic", topic, "-O", "json").stdout)
    assert [each["name"] for each in shown] == [f"{topic}-0"]
    local_cluster.run("topic", "delete", f"{topic}-other")


def test_partitions_that_the_cluster_refuses_are_refused_at_once(
    local_cluster: LocalCluster, topic: str
) -> None:
    begun = time.monotonic()
    done = local_cluster.run("topic", "add-partition", topic, "-c", "1000000", check=False)
    assert time.monotonic() - begun < 8  # officially a time-out of 10 s
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "1000001 partitions are more than 10000, the most of one topic\n"


def test_a_person_sees_that_a_table_format_was_deleted(local_cluster: LocalCluster) -> None:
    (local_cluster.home / "gone.yaml").write_text("name: gone\n")
    local_cluster.run("table-format", "create", "-c", "gone.yaml")
    with on_terminal(local_cluster, "table-format", "delete", "gone") as child:
        child.expect_exact('tableformat "gone" deleted')


# --- produce -----------------------------------------------------------------------------------------------


def test_lines_behind_one_that_is_no_text_are_stored(local_cluster: LocalCluster, topic: str) -> None:
    local_cluster.run("produce", topic, "-v", stdin=b"ok1\n\xff\xfe\nok2\n\x80")
    shown = subprocess.run(
        [local_cluster.executable, "consume", topic, "-B", "-d", "-O", "raw"],
        env=local_cluster.env,
        capture_output=True,
        timeout=WAIT_S,
        check=True,
    )
    assert shown.stdout == b"ok1\n\xff\xfe\nok2\n\x80\n"


@pytest.mark.parametrize("options", [(), ("--raw",)])
def test_a_file_that_is_missing_stores_nothing(
    options: tuple[str, ...], local_cluster: LocalCluster, topic: str
) -> None:
    done = local_cluster.run("produce", topic, "-f", "/nonexistent/file", *options, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "/nonexistent/file: No such file or directory (os error 2)\n"
    assert local_cluster.run("consume", topic, "-B", "-d").stdout == ""


def test_lines_that_were_left_out_are_a_failure_and_the_others_are_stored(
    local_cluster: LocalCluster, topic: str
) -> None:
    done = local_cluster.run(
        "produce", topic, "--key-separator", ":", stdin="nosep\nk:v\nneither\n", check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Failed to find separator ':' in record, skipping: 'nosep'\n"
        "Failed to find separator ':' in record, skipping: 'neither'\n"
        "2 lines had no separator ':' and were skipped\n"
    )
    assert local_cluster.run("consume", topic, "-B", "-d", "-k").stdout == "[k] v\n"


def test_a_pipe_fills_batches(local_cluster: LocalCluster, topic: str) -> None:
    local_cluster.run("produce", topic, stdin="".join(f"line {number}\n" for number in range(20_000)))

    async def batches() -> list[int]:
        config = ConsumerConfig(topic, start=Offset.beginning(), disable_continuous=True)
        async with Fluvio.connect(local_cluster.endpoint) as client, client.consumer(config) as consumer:
            return [len(batch.values()) async for batch in consumer.batches()]

    sizes = asyncio.run(batches())
    assert sum(sizes) == 20_000
    assert len(sizes) < 500, "each line went for itself"


def test_a_record_that_needs_a_batch_of_its_own_gets_one(local_cluster: LocalCluster, topic: str) -> None:
    large = "x" * 3000
    local_cluster.run(
        "produce", topic, "--max-request-size", "4000", "--linger", "100ms", stdin=f"{large}\n" * 3
    )
    assert local_cluster.run("consume", topic, "-B", "-d").stdout == f"{large}\n" * 3


def test_json_lines_copy_records_with_keys_byte_for_byte(local_cluster: LocalCluster, topic: str) -> None:
    copy = f"{topic}-copy"
    local_cluster.run("topic", "create", copy)
    local_cluster.run(
        "produce", topic, "--key-separator", "=", stdin=b'k=v\n\xff=\xfe\x00\nj={"a": 1.50}\n=\n'
    )
    local_cluster.run("produce", topic, stdin='"text"\nplain\n')
    lines = local_cluster.run("consume", topic, "-B", "-d", "-O", "ndjson").stdout
    local_cluster.run("produce", copy, "--ndjson", stdin=lines)
    copied = local_cluster.run("consume", copy, "-B", "-d", "-O", "ndjson").stdout

    def kept(text: str) -> list[tuple[object, object]]:
        return [(row["key"], row["value"]) for row in map(json.loads, text.splitlines())]

    assert kept(copied) == kept(lines)
    assert len(kept(copied)) == 6
    local_cluster.run("topic", "delete", copy)


def test_a_json_line_that_is_no_record_ends_it_and_those_before_are_stored(
    local_cluster: LocalCluster, topic: str
) -> None:
    lines = '{"value": "a"}\n{"key": "k", "value": 2}\n{"vlaue": 3}\n{"value": 4}\n'
    done = local_cluster.run("produce", topic, "--ndjson", stdin=lines, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("line 3 is no record: `vlaue` is no member of a record: ")
    assert local_cluster.run("consume", topic, "-B", "-d", "-k").stdout == "[null] a\n[k] 2\n"


# --- consume -----------------------------------------------------------------------------------------------


def test_a_start_above_the_end_is_refused(local_cluster: LocalCluster, topic: str) -> None:
    local_cluster.run("produce", topic, stdin="a\n")
    done = local_cluster.run("consume", topic, "--start", "99", check=False, timeout=20)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "start offset: 99 is greater than leo: 1\n"


def test_a_lost_spu_is_an_error_of_whoever_reads_to_the_end(fresh_cluster: LocalCluster) -> None:
    fresh_cluster.run("topic", "create", "t")
    fresh_cluster.run("produce", "t", stdin="a\n")
    os.kill(fresh_cluster.processes()["SPU 5001"].pid, signal.SIGKILL)
    done = fresh_cluster.run("consume", "t", "-B", "-d", check=False, FLV_METADATA_TIMEOUT="1000")
    assert done.returncode == 6
    assert "has no leader to talk to" in done.stderr


# --- the cluster -------------------------------------------------------------------------------------------


def test_the_status_names_the_profile_that_was_asked(throwaway_home: LocalCluster) -> None:
    for name in ("asked", "current"):
        throwaway_home.run("profile", "add", name, "127.0.0.1:1", "local")
    done = throwaway_home.run("-P", "asked", "cluster", "status", check=False)
    assert done.returncode == 4
    assert done.stderr.startswith("📝 Running cluster status checks with profile asked\n")


def test_a_person_sees_that_an_spu_was_registered_and_unregistered(local_cluster: LocalCluster) -> None:
    places = ("--public-server", "127.0.0.1:9", "--private-server", "127.0.0.1:8")
    with on_terminal(local_cluster, "cluster", "spu", "register", "--id", "77", *places) as child:
        child.expect_exact('spu "custom-spu-77" (77) registered')
    with on_terminal(local_cluster, "cluster", "spu", "unregister", "--id", "77") as child:
        child.expect(r"spu \S* ?.*unregistered")


def test_a_failed_start_leaves_the_profile_that_was_chosen(throwaway_home: LocalCluster) -> None:
    throwaway_home.run("profile", "add", "mine", "h:1")
    ended = throwaway_home.run(
        "cluster", "start", "--sc-pub-addr", "192.0.2.1:9003", "--spu-port-base", "0", check=False
    )
    assert ended.returncode != 0
    assert throwaway_home.run("profile").stdout == "mine\n"


def test_a_deletion_takes_the_directory_that_the_cluster_was_given(throwaway_home: LocalCluster) -> None:
    data = throwaway_home.home / "elsewhere"
    throwaway_home.start("--data-dir", str(data))
    assert (data / "cluster.json").exists()
    throwaway_home.run("cluster", "delete", "--force")
    assert not data.exists()
