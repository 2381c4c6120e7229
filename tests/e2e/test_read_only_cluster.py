"""`cluster start --read-only FILE`: topics come from the file, records come and go, nothing else changes."""

import json
from pathlib import Path

import pytest

from tests.support.local_cluster import FREE_PORTS, LocalCluster

TOPICS = {
    "topics": [
        {"metadata": {"name": "orders"}, "spec": {"replicas": {"computed": {"partitions": 2}}}},
        {"metadata": {"name": "ledger"}, "spec": {"replicas": {"assigned": [{"id": 0, "replicas": [5002]}]}}},
    ]
}


@pytest.fixture
def topics_file(tmp_path: Path) -> Path:
    path = tmp_path / "topics.json"
    path.write_text(json.dumps(TOPICS))
    return path


def test_records_come_and_go_and_topics_stay_as_they_are(
    throwaway_home: LocalCluster, topics_file: Path
) -> None:
    cluster = throwaway_home.start("--spu", "2", "--read-only", str(topics_file))
    listed = json.loads(cluster.run("topic", "list", "-O", "json").stdout)
    assert sorted(topic["name"] for topic in listed) == ["ledger", "orders"]
    cluster.run("produce", "orders", stdin="one\n")
    cluster.run("produce", "ledger", stdin="two\n")
    layout = {
        "name": "layout",
        "inputFormat": "JSON",
        "columns": [{"keyPath": "a", "headerLabel": "A"}],
    }
    (cluster.home / "layout.yaml").write_text(json.dumps(layout))
    for words in (
        ("topic", "create", "more"),
        ("topic", "delete", "orders"),
        ("topic", "add-partition", "orders"),
        ("table-format", "create", "--config", "layout.yaml"),
    ):
        done = cluster.run(*words, check=False)
        assert (done.returncode, "permission denied" in done.stderr) == (1, True), (words, done.stderr)
    assert "ReadOnly" in cluster.run("profile", "list").stdout
    cluster.run("cluster", "health", check=False)

    cluster.run("cluster", "shutdown")
    cluster.run("cluster", "resume")
    assert cluster.run("consume", "orders", "-B", "-d").stdout == "one\n"
    assert cluster.run("consume", "ledger", "-B", "-d").stdout == "two\n"
    assert cluster.run("topic", "create", "more", check=False).returncode == 1
    cluster.run("cluster", "delete", "--force")


def test_topics_that_are_new_in_the_file_come_and_changed_ones_are_refused(
    throwaway_home: LocalCluster, topics_file: Path
) -> None:
    cluster = throwaway_home.start("--spu", "2", "--read-only", str(topics_file))
    cluster.run("cluster", "shutdown")
    more = {"metadata": {"name": "more"}, "spec": {"replicas": {"computed": {}}}}
    topics_file.write_text(json.dumps({"topics": [*TOPICS["topics"][:1], more]}))
    cluster.run("cluster", "resume")
    listed = json.loads(cluster.run("topic", "list", "-O", "json").stdout)
    assert sorted(topic["name"] for topic in listed) == ["ledger", "more", "orders"]
    assert "a topic stays that the file does not have topic=ledger" in log_of(cluster)
    cluster.run("cluster", "shutdown")
    other = {"metadata": {"name": "orders"}, "spec": {"replicas": {"computed": {"partitions": 3}}}}
    topics_file.write_text(json.dumps({"topics": [other]}))
    failed = cluster.run("cluster", "resume", check=False)
    assert failed.returncode == 1
    assert "topic `orders` is not as the cluster has it" in failed.stderr


def test_a_wrong_file_ends_the_start_with_its_place(throwaway_home: LocalCluster, topics_file: Path) -> None:
    topics_file.write_text(
        '{"topics": [{"metadata": {"name": "Bad"}, "spec": {"replicas": {"computed": {}}}}]}'
    )
    for path, said in ((topics_file, "Invalid topic name: 'Bad'"), (Path("nowhere.json"), "No such file")):
        done = throwaway_home.run("cluster", "start", *FREE_PORTS, "--read-only", str(path), check=False)
        assert done.returncode == 1
        assert said in done.stderr
        assert not throwaway_home.data_dir.exists()


def log_of(cluster: LocalCluster) -> str:
    return (cluster.log_dir / "flv_sc.log").read_text()
