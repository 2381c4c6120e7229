"""Topics in files: what the documentation shows is read, and what is wrong is named with its place."""

import re
from pathlib import Path

import pytest

from fluvio_cli.topic_files import TopicFileError, read_topic_file
from fluvio_protocol.api.topic import (
    AssignedReplicas,
    Bounds,
    CompressionAlgorithm,
    Deduplication,
    Duration,
    Filter,
    PartitionMap,
    SegmentBasedPolicy,
    TopicReplicaParam,
    TopicSpec,
    TopicStorageConfig,
    Transform,
)

DOCUMENT = Path(__file__).parents[3] / "docs" / "topic-config.md"
HEAD = "version: 0.1.0\nmeta: {name: t}\n"


def read(tmp_path: Path, text: str) -> tuple[str | None, TopicSpec]:
    path = tmp_path / "topic.yaml"
    path.write_text(text)
    return read_topic_file(path)


def test_the_documented_file_is_read_whole(tmp_path: Path) -> None:
    parts: list[str] = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    assert read(tmp_path, "".join(parts)) == (
        "my-topic",
        TopicSpec(
            replicas=TopicReplicaParam(partitions=3, replication_factor=1, ignore_rack_assignment=True),
            cleanup_policy=SegmentBasedPolicy(time_in_seconds=2 * 86_400),
            storage=TopicStorageConfig(segment_size=64_000_000, max_partition_size=1_000_000_000),
            compression_type=CompressionAlgorithm.LZ4,
            deduplication=Deduplication(
                bounds=Bounds(count=100, age=Duration(seconds=60)),
                filter=Filter(
                    transform=Transform(uses="fluvio/dedup-bloom-filter@0.1.0", with_={"key": "value"})
                ),
            ),
        ),
    )


def test_what_is_left_out_has_the_defaults_of_the_command(tmp_path: Path) -> None:
    assert read(tmp_path, HEAD) == (
        "t",
        TopicSpec(replicas=TopicReplicaParam(partitions=1, replication_factor=1)),
    )


def test_partitions_can_be_placed(tmp_path: Path) -> None:
    _, spec = read(
        tmp_path, HEAD + "partition: {maps: [{id: 0, replicas: [5001]}, {id: 1, replicas: [5002, 5001]}]}"
    )
    assert spec.replicas == AssignedReplicas(
        maps=[PartitionMap(id=0, replicas=[5001]), PartitionMap(id=1, replicas=[5002, 5001])]
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file: keys and their values are expected"),
        ("[1]", "the file: keys and their values are expected"),
        ("{", "is not YAML"),
        ("meta: {name: t}", "missing field `version`"),
        ("version: 1", "missing field `meta`"),
        ("version: 1\nmeta: {}", "meta: missing field `name`"),
        ("version: 1\nmeta: 3", "meta: keys and their values are expected"),
        (HEAD + "retension: {time: 2m}", "unknown key `retension`"),
        (HEAD + "retention: {tim: 2m}", "unknown key `retention.tim`"),
        (HEAD + "partition: {count: many}", "partition.count: a whole number of 0 or more is expected"),
        (HEAD + "partition: {count: -1}", "partition.count: a whole number of 0 or more is expected"),
        (HEAD + "partition: {ignore-rack-assignment: 1}", "true or false is expected"),
        (HEAD + "partition: {max-size: huge}", "partition.max-size: couldn't parse"),
        (HEAD + "partition: {count: 2, maps: []}", "partition.maps: not with `count`"),
        (HEAD + "partition: {maps: [{id: 1, replicas: [1]}]}", "partition.maps: ids start at 0"),
        (HEAD + "partition: {maps: [{id: 0}]}", "partition.maps: missing field 'replicas'"),
        (
            HEAD + "partition: {maps: [{id: 0, replicas: [1], leader: 1}]}",
            "partition.maps: unknown key leader",
        ),
        (HEAD + "retention: {time: 5}", "retention.time: time unit needed"),
        (HEAD + "compression: {type: fast}", "compression.type: unknown variant `fast`, expected one of"),
        (HEAD + "deduplication: {bounds: {count: 1}}", "deduplication: missing field `filter`"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(TopicFileError) as caught:
        read(tmp_path, text)
    assert told in str(caught.value)


def test_a_file_that_is_no_definition_is_not_read_to_its_end(tmp_path: Path) -> None:
    with pytest.raises(TopicFileError, match="is larger than"):
        read_topic_file(Path("/dev/zero"))
    with pytest.raises(FileNotFoundError):
        read_topic_file(tmp_path / "none")
