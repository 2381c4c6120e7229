"""The file that fixes topics: what is read from it, and what is said of a wrong one."""

import json
from pathlib import Path
from typing import Any

import pytest

from fluvio_local_cluster.sc.fixed_topics import MAX_FILE_BYTES, FixedTopicsError, read_topics
from fluvio_protocol.api.topic import (
    AssignedReplicas,
    CompressionAlgorithm,
    PartitionMap,
    SegmentBasedPolicy,
    TopicReplicaParam,
    TopicSpec,
    TopicStorageConfig,
)


def written(directory: Path, document: Any) -> Path:
    path = directory / "topics.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def topic(name: Any, spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "fluvio.infinyon.com/v2",
        "kind": "Topic",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def test_topics_are_read_as_kubernetes_has_them(tmp_path: Path) -> None:
    orders = {
        "replicas": {"computed": {"partitions": 3, "replicationFactor": 1}},
        "cleanupPolicy": {"segment": {"timeInSeconds": 86400}},
        "storage": {"segmentSize": 67108864, "maxPartitionSize": 1073741824},
        "compressionType": "Zstd",
    }
    ledger = {"replicas": {"assigned": [{"id": 0, "replicas": [5001]}]}}
    path = written(tmp_path, {"topics": [topic("orders", orders), topic("ledger", ledger)]})
    assert read_topics(path) == {
        "orders": TopicSpec(
            replicas=TopicReplicaParam(partitions=3),
            cleanup_policy=SegmentBasedPolicy(time_in_seconds=86400),
            storage=TopicStorageConfig(segment_size=67108864, max_partition_size=1073741824),
            compression_type=CompressionAlgorithm.ZSTD,
        ),
        "ledger": TopicSpec(replicas=AssignedReplicas(maps=[PartitionMap(id=0, replicas=[5001])])),
    }


def test_both_members_may_be_absent(tmp_path: Path) -> None:
    assert read_topics(written(tmp_path, {})) == {}
    assert read_topics(written(tmp_path, {"topics": [], "home": None})) == {}


COMPUTED = {"replicas": {"computed": {}}}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ([], "the document is no mapping"),
        ({"topics": {}}, "`topics` is no list"),
        ({"topic": []}, "`topic` is unknown; known are topics, home"),
        ({"home": {"id": "x"}}, "mirroring is not supported yet"),
        ({"topics": [3]}, "`topics[0]` is no mapping"),
        ({"topics": [{"spec": COMPUTED}]}, "`topics[0].metadata` is no mapping"),
        ({"topics": [topic(3, COMPUTED)]}, "`topics[0].metadata.name` is no text"),
        ({"topics": [topic("a", COMPUTED), topic("a", COMPUTED)]}, "`topics[1]`: there are two topics `a`"),
        ({"topics": [topic("a", {})]}, "`topics[0].spec.replicas` is missing"),
        ({"topics": [topic("a", {"replicas": {"managed": {}}})]}, "unknown tag `!managed`"),
    ],
)
def test_a_wrong_file_is_told_with_the_place(tmp_path: Path, document: Any, said: str) -> None:
    path = written(tmp_path, document)
    with pytest.raises(FixedTopicsError) as caught:
        read_topics(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_or_endless_is_told(tmp_path: Path) -> None:
    with pytest.raises(FixedTopicsError, match="No such file or directory"):
        read_topics(tmp_path / "nowhere")
    endless = tmp_path / "endless"
    with endless.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(FixedTopicsError, match="larger than"):
        read_topics(endless)
