"""Topics defined in a YAML file, for `topic create --config`. Layout and names of keys are the official ones.

A key that is unknown is an error that says where: a misspelt `retention` would otherwise create a topic that
keeps records for another time than was meant. Every key and an example: docs/topic-config.md.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fluvio_cli.file_keys import FileKeys
from fluvio_cli.values import parse_byte_size, parse_duration_ns
from fluvio_cli.yaml_files import load_yaml
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
from fluvio_types.errors import FluvioError

_HINT = "docs/topic-config.md lists the keys; they are written with hyphens"


class TopicFileError(FluvioError):
    """A file does not define a topic; the text says what is wrong, and at which key."""


def read_topic_file(path: Path) -> tuple[str | None, TopicSpec]:
    """Name and settings of the topic that a file defines. Raises `TopicFileError`, `OSError`."""
    document = load_yaml(path, "definition of a topic", TopicFileError)
    keys = FileKeys("", document, TopicFileError, _HINT)
    keys.take("version", str, required=True)
    meta = keys.below("meta", required=True)
    name = meta.take("name", str, required=True)
    meta.end()
    return name, _settings(keys)


def read_topic_settings(place: str, content: Any) -> TopicSpec:
    """The settings that a mapping of another file holds, without `version` and `meta`.

    `place` is the way to it, for the text of `TopicFileError`. Sizes are bounded as they are on the wire.
    """
    spec = _settings(FileKeys(place, content, TopicFileError, _HINT))
    if spec.storage is not None and (spec.storage.segment_size or 0) >= 2**32:
        raise TopicFileError(f"{place}.retention.segment-size: it must be less than 4 GiB")
    return spec


def _settings(keys: FileKeys) -> TopicSpec:
    """All keys that are left."""
    spec = TopicSpec(replicas=TopicReplicaParam(partitions=1, replication_factor=1))
    storage = TopicStorageConfig()
    if (partition := keys.below("partition")) is not None:
        spec.replicas = _replicas(partition)
        storage.max_partition_size = partition.take("max-size", _size)
        partition.end()
    if (retention := keys.below("retention")) is not None:
        time_ns = retention.take("time", _duration_ns)
        if time_ns is not None:
            spec.cleanup_policy = SegmentBasedPolicy(time_in_seconds=min(time_ns // 10**9, 2**32 - 1))
        storage.segment_size = retention.take("segment-size", _size)
        retention.end()
    if (compression := keys.below("compression")) is not None:
        spec.compression_type = compression.take("type", _codec, required=True)
        compression.end()
    if (deduplication := keys.below("deduplication")) is not None:
        spec.deduplication = _deduplication(deduplication)
    keys.end()
    if storage.segment_size is not None or storage.max_partition_size is not None:
        spec.storage = storage
    return spec


def _replicas(keys: FileKeys) -> TopicReplicaParam | AssignedReplicas:
    maps = keys.take("maps", _maps)
    count = keys.take("count", _whole)
    replication = keys.take("replication", _whole)
    ignore_rack = keys.take("ignore-rack-assignment", _flag)
    if maps is not None:
        if not (count is None and replication is None and ignore_rack is None):
            raise TopicFileError(
                "partition.maps: not with `count`, `replication` or `ignore-rack-assignment`"
            )
        return AssignedReplicas(maps=maps)
    return TopicReplicaParam(
        partitions=1 if count is None else count,
        replication_factor=1 if replication is None else replication,
        ignore_rack_assignment=bool(ignore_rack),
    )


def _deduplication(keys: FileKeys) -> Deduplication:
    bounds = keys.below("bounds", required=True)
    age_ns = bounds.take("age", _duration_ns)
    count = bounds.take("count", _whole, required=True)
    bounds.end()
    chosen = keys.below("filter", required=True)
    transform = chosen.below("transform", required=True)
    uses = transform.take("uses", _text, required=True)
    with_ = transform.take("with", _texts)
    for each in (transform, chosen, keys):
        each.end()
    age = None if age_ns is None else Duration(seconds=age_ns // 10**9, nanos=age_ns % 10**9)
    return Deduplication(
        bounds=Bounds(count=count, age=age),
        filter=Filter(transform=Transform(uses=uses, with_=with_ or {})),
    )


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**32:
        raise ValueError(f"a whole number of 0 or more is expected, not `{value}`")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"true or false is expected, not `{value}`")
    return value


def _size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"a size such as `64 MB` is expected, not `{value}`")
    return parse_byte_size(str(value))


def _duration_ns(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"a time such as `2d` is expected, not `{value}`")
    return parse_duration_ns(str(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"text is expected, not `{value}`")
    return value


def _codec(value: Any) -> CompressionAlgorithm:
    try:
        return CompressionAlgorithm[str(value).upper()]
    except KeyError:
        known = ", ".join(f"`{codec.name.capitalize()}`" for codec in CompressionAlgorithm)
        raise ValueError(f"unknown variant `{value}`, expected one of {known}") from None


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError("keys and their values are expected")
    for key, text in value.items():
        if isinstance(text, bool) or not isinstance(text, str | int | float):
            raise ValueError(f"`{key}` is no text: write its value between quotes")
    return {str(key): str(text) for key, text in value.items()}


def _maps(value: Any) -> list[PartitionMap]:
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        raise ValueError("a list such as [{id: 0, replicas: [5001]}] is expected")
    found = []
    for position, row in enumerate(value):
        if unknown := set(row) - {"id", "replicas"}:
            raise ValueError(f"unknown key {', '.join(map(str, sorted(unknown)))}")
        if _whole(row["id"]) != position:
            raise ValueError("ids start at 0 and are in sequence, without gaps")
        if not isinstance(row["replicas"], list):
            raise ValueError("`replicas` is a list of SPU ids")
        found.append(PartitionMap(id=position, replicas=[_whole(spu) for spu in row["replicas"]]))
    return found
