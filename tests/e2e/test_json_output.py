"""docs/cli-json-output.md tells what `-O json` prints: neither less nor more."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_cluster import LocalCluster

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "cli-json-output.md"
TYPES: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "list": list,
    "null": type(None),
}
DATA_KEYS = {"replicaMap": "<partition>", "profile": "<name>", "cluster": "<name>"}


def documented(heading: str) -> dict[str, tuple[list[str], bool]]:
    """By path: the types a value may have, and whether it may be absent."""
    section = DOCUMENT.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| ?(.*?) ?\|$", section, re.MULTILINE)
    assert rows
    return {path: (types.split(" or "), note.startswith("optional")) for path, types, note in rows}


def printed(data: Any, path: str = "", parent: str = "") -> Iterator[tuple[str, Any]]:
    """Paths and values of everything in a document, containers included."""
    if path:
        yield path, data
    if isinstance(data, list):
        for item in data:
            yield from printed(item, f"{path}[]")
    elif isinstance(data, dict):
        for key, value in data.items():
            is_data = parent in DATA_KEYS and "spec" not in path
            shown = DATA_KEYS[parent] if is_data else key
            yield from printed(value, f"{path}.{shown}" if path else shown, key if not is_data else "")


def compare(heading: str, *documents: Any) -> None:
    """Whether the documents, all of one command, have what is written about it."""
    expected = documented(heading)
    seen: set[str] = set()
    for path, value in (entry for document in documents for entry in printed(document)):
        if path in expected:
            seen.add(path)
            types = expected[path][0]
            is_right = any(isinstance(value, TYPES[name]) for name in types)
            if isinstance(value, bool) and "boolean" not in types:  # a boolean is an int to `isinstance`
                is_right = False
            assert is_right, f"{heading}: `{path}` is {value!r}, not {types}"
        else:
            is_way_to_others = any(known.startswith((f"{path}.", f"{path}[")) for known in expected)
            assert is_way_to_others, f"{heading}: `{path}` is not documented"
    missing = {path for path, (_, is_optional) in expected.items() if not is_optional} - seen
    assert not missing, f"{heading}: documented and not printed"


@pytest.fixture(scope="module")
def cluster(local_cluster: LocalCluster) -> Iterator[LocalCluster]:
    """The shared cluster with topics that have all there is to show."""
    (local_cluster.home / "rows.json").write_text('[{"id": 0, "replicas": [5001]}]')
    local_cluster.run("topic", "create", "json-plain")
    local_cluster.run("topic", "create", "json-assigned", "--replica-assignment", "rows.json")
    sizes = ("--segment-size", "1 MB", "--max-partition-size", "10 MB", "--retention-time", "1h")
    local_cluster.run("topic", "create", "json-tuned", *sizes)
    yield local_cluster
    local_cluster.run("topic", "delete", "json-plain", "json-assigned", "json-tuned")


def shown(cluster: LocalCluster, *words: str, check: bool = True) -> Any:
    return json.loads(cluster.run(*words, check=check).stdout)


def test_topics_are_as_documented(cluster: LocalCluster) -> None:
    listed = shown(cluster, "topic", "list", "-O", "json")
    compare("topic list", listed)
    described = shown(cluster, "topic", "describe", "json-", "-O", "json")
    assert described == [topic for topic in listed if topic["name"].startswith("json-")]


def test_partitions_and_spus_are_as_documented(cluster: LocalCluster) -> None:
    compare("partition list", shown(cluster, "partition", "list", "-O", "json"))
    compare("cluster spu list", shown(cluster, "cluster", "spu", "list", "-O", "json"))


def test_consumers_are_as_documented(cluster: LocalCluster) -> None:
    cluster.run("produce", "json-plain", stdin="one\n")
    cluster.run("consume", "json-plain", "-B", "-d", "--consumer", "json-reader")
    compare("consumer list", shown(cluster, "consumer", "list", "-O", "json"))
    compare("consumer describe", shown(cluster, "consumer", "describe", "json-reader", "-O", "json"))
    cluster.run("consumer", "delete", "json-reader")


def test_table_formats_are_as_documented(cluster: LocalCluster) -> None:
    for name, rest in (
        ("bare", ""),
        ("full", "smartmodule: m\ncolumns: [{keyPath: a, width: 9}, {keyPath: b}]\n"),
    ):
        path = cluster.home / f"{name}.yaml"
        path.write_text(f"name: {name}\n{rest}")
        cluster.run("table-format", "create", "-c", str(path))
    compare("table-format list", shown(cluster, "table-format", "list", "-O", "json"))
    for name in ("bare", "full"):
        cluster.run("tf", "delete", name)


def test_the_status_is_as_documented_whether_the_cluster_answers_or_not(cluster: LocalCluster) -> None:
    away = ("-c", "127.0.0.1:1", "cluster", "status", "-O", "json")
    compare(
        "cluster status",
        shown(cluster, "cluster", "status", "-O", "json"),
        shown(cluster, *away, check=False),
    )


def test_the_health_is_as_documented_whether_the_cluster_answers_or_not(cluster: LocalCluster) -> None:
    away = ("-c", "127.0.0.1:1", "cluster", "health", "-O", "json")
    compare(
        "cluster health",
        shown(cluster, "cluster", "health", "-O", "json"),
        shown(cluster, *away, check=False),
    )


def test_profiles_and_the_version_are_as_documented(cluster: LocalCluster) -> None:
    compare("profile list", shown(cluster, "profile", "list", "-O", "json"))
    compare("version", shown(cluster, "version", "--json"))


def test_plans_and_outcomes_are_as_documented(cluster: LocalCluster) -> None:
    file = cluster.home / "declared.yaml"
    file.write_text(
        "version: 1\ntopics: {json-plain: {partition: {count: 2}, retention: {time: 1d}}, json-copies: "
        "{partition: {replication: 3}}, json-tuned: }\nprofiles: {}\n"
    )
    compare(
        "plan",
        shown(cluster, "plan", "-f", str(file), "-O", "json", check=False),
        shown(cluster, "plan", "-f", str(file), "--prune", "-O", "json", check=False),
        shown(cluster, "apply", "-f", str(file), "-O", "json", check=False),
    )


def test_a_list_of_nothing_is_a_list(throwaway_home: LocalCluster) -> None:
    throwaway_home.start("--spu", "0")
    for words in (
        ("topic", "list"),
        ("partition", "list"),
        ("consumer", "list"),
        ("cluster", "spu", "list"),
    ):
        assert shown(throwaway_home, *words, "-O", "json") == []
