"""A topic's settings as JSON: in the header of a file, and for comparing topics. Pure.

Where replicas are is left out: it is for the cluster that gets the topic to decide.
"""

from typing import Any

from fluvio_protocol.api.topic import (
    CompressionAlgorithm,
    SegmentBasedPolicy,
    TopicReplicaParam,
    TopicSpec,
    TopicStorageConfig,
)


def settings_of(spec: TopicSpec, partitions: int) -> dict[str, Any]:
    """What it takes to make a topic with these settings and so many partitions; null: server's default."""
    replicas, storage, cleanup = spec.replicas, spec.storage, spec.cleanup_policy
    replication = 1
    if isinstance(replicas, TopicReplicaParam):
        replication = replicas.replication_factor
    elif maps := getattr(replicas, "maps", None):
        replication = max(len(row.replicas) for row in maps)
    deduplication = spec.deduplication
    return {
        "partitions": partitions,
        "replication": replication,
        "retention_seconds": None if cleanup is None else cleanup.time_in_seconds,
        "segment_bytes": None if storage is None else storage.segment_size,
        "max_partition_bytes": None if storage is None else storage.max_partition_size,
        "compression": spec.compression_type.name.lower(),
        "deduplication": None if deduplication is None else deduplication.filter.transform.uses,
    }


def spec_of(settings: Any) -> TopicSpec:
    """The topic that `settings_of` describes, without deduplication. Raises `ValueError` for other data."""
    try:
        spec = TopicSpec(
            replicas=TopicReplicaParam(
                partitions=int(settings["partitions"]), replication_factor=int(settings["replication"])
            ),
            compression_type=CompressionAlgorithm[str(settings["compression"]).upper()],
        )
        if settings.get("retention_seconds") is not None:
            spec.cleanup_policy = SegmentBasedPolicy(time_in_seconds=int(settings["retention_seconds"]))
        sizes = settings.get("segment_bytes"), settings.get("max_partition_bytes")
        if sizes != (None, None):
            spec.storage = TopicStorageConfig(segment_size=sizes[0], max_partition_size=sizes[1])
    except (KeyError, TypeError) as exc:
        raise ValueError(f"settings of a topic cannot be read: {exc!r}") from exc
    return spec


def topic_document(topic: str, settings: dict[str, Any]) -> dict[str, Any]:
    """What the header of a binary file says."""
    return {"topic": topic, "settings": settings}
