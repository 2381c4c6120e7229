"""Topics, partitions and consumers as plain data for `-O json|yaml`, and the words their tables use.

Keys and spellings are the official command line's (docs/cli-json-output.md); an optional value that is
not set is left out of topics and SPUs, and is null in partitions.
"""

from typing import TYPE_CHECKING, Any

from fluvio_cli.output.structured import Tagged

if TYPE_CHECKING:
    import enum

    from fluvio_client.admin_calls import PartitionObject, TopicObject
    from fluvio_protocol.api.consumer_offsets import ConsumerOffset
    from fluvio_protocol.api.mirror import MirrorConfig, PartitionMirrorConfig
    from fluvio_protocol.api.topic import CleanupPolicy, Deduplication, ReplicaSpec, TopicStorageConfig


def camel_case(member: "enum.IntEnum") -> str:
    """`INSUFFICIENT_RESOURCES` as `InsufficientResources`."""
    return "".join(word.capitalize() for word in member.name.split("_"))


def topic_view(topic: "TopicObject") -> dict[str, Any]:
    """One topic, as `topic list -O json` shows it."""
    spec, status = topic.spec, topic.status
    optional = {
        "cleanupPolicy": _cleanup_view(spec.cleanup_policy),
        "storage": _storage_view(spec.storage),
        "compressionType": camel_case(spec.compression_type),
        "deduplication": _deduplication_view(spec.deduplication),
        "system": spec.system,
    }
    return {
        "name": topic.name,
        "spec": {
            "replicas": _replicas_view(spec.replicas),
            **{key: value for key, value in optional.items() if value is not None},
        },
        "status": {
            "resolution": camel_case(status.resolution),
            "replicaMap": {index: list(row) for index, row in sorted(status.replica_map.items())},
            "mirrorMap": {
                index: _partition_mirror_view(mirror) for index, mirror in sorted(status.mirror_map.items())
            },
            "reason": status.reason,
        },
    }


def partition_view(partition: "PartitionObject") -> dict[str, Any]:
    """One partition, as `partition list -O json` shows it."""
    spec, status = partition.spec, partition.status

    def replica(entry: Any) -> dict[str, int]:
        return {"spu": entry.spu, "hw": entry.hw, "leo": entry.leo}

    return {
        "name": partition.name,
        "spec": {
            "leader": spec.leader,
            "replicas": list(spec.replicas),
            "cleanupPolicy": _cleanup_view(spec.cleanup_policy),
            "storage": _storage_view(spec.storage),
            "compressionType": camel_case(spec.compression_type),
            "deduplication": _deduplication_view(spec.deduplication),
            "system": spec.system,
            "mirror": None if spec.mirror is None else _partition_mirror_view(spec.mirror),
        },
        "status": {
            "resolution": camel_case(status.resolution),
            "leader": replica(status.leader),
            "lsr": status.lsr,
            "replicas": [replica(entry) for entry in status.replicas],
            "size": status.size,
            "isBeingDeleted": status.is_being_deleted,
            "baseOffset": status.base_offset,
        },
    }


def consumer_view(entry: "ConsumerOffset") -> dict[str, Any]:
    """One stored offset, as `consumer list -O json` shows it."""
    return {
        "consumer_id": entry.consumer_id,
        "topic": entry.replica_id.topic,
        "partition": entry.replica_id.partition,
        "offset": entry.offset,
        "modified_time": entry.modified_time,
    }


def _replicas_view(replicas: "ReplicaSpec") -> Tagged:
    from fluvio_protocol.api.topic import AssignedReplicas, TopicReplicaParam

    if isinstance(replicas, TopicReplicaParam):
        return Tagged(
            "computed",
            {
                "partitions": replicas.partitions,
                "replicationFactor": replicas.replication_factor,
                "ignoreRackAssignment": replicas.ignore_rack_assignment,
            },
        )
    if isinstance(replicas, AssignedReplicas):
        return Tagged("assigned", [{"id": row.id, "replicas": list(row.replicas)} for row in replicas.maps])
    return Tagged("mirror", _mirror_view(replicas.config))


def _mirror_view(config: "MirrorConfig") -> dict[str, Any]:
    from fluvio_protocol.api.mirror import HomeMirrorConfig

    if isinstance(config, HomeMirrorConfig):
        partitions = [
            _flagged(
                {"remoteCluster": part.remote_cluster, "remoteReplica": part.remote_replica},
                "source",
                part.source,
            )
            for part in config.partitions
        ]
        return {"home": _flagged({"partitions": partitions}, "source", config.source)}
    spus = [{"id": spu.id, "key": spu.key, "endpoint": spu.endpoint} for spu in config.home_spus]
    return {
        "remote": _flagged({"homeCluster": config.home_cluster, "homeSpus": spus}, "target", config.target)
    }


def _partition_mirror_view(mirror: "PartitionMirrorConfig") -> Tagged:
    from fluvio_protocol.api.mirror import HomePartitionConfig

    if isinstance(mirror, HomePartitionConfig):
        home: dict[str, Any] = {
            "remoteCluster": mirror.remote_cluster,
            "remoteReplica": mirror.remote_replica,
        }
        return Tagged("home", _flagged(home, "source", mirror.source))
    remote: dict[str, Any] = {
        "homeCluster": mirror.home_cluster,
        "homeSpuKey": mirror.home_spu_key,
        "homeSpuId": mirror.home_spu_id,
        "homeSpuEndpoint": mirror.home_spu_endpoint,
    }
    return Tagged("remote", _flagged(remote, "target", mirror.target))


def _flagged(data: dict[str, Any], name: str, flag: bool) -> dict[str, Any]:
    return {**data, name: True} if flag else data


def _cleanup_view(policy: "CleanupPolicy | None") -> Tagged | None:
    return None if policy is None else Tagged("segment", {"timeInSeconds": policy.time_in_seconds})


def _storage_view(storage: "TopicStorageConfig | None") -> dict[str, Any] | None:
    if storage is None:
        return None
    return {"segmentSize": storage.segment_size, "maxPartitionSize": storage.max_partition_size}


def _deduplication_view(deduplication: "Deduplication | None") -> dict[str, Any] | None:
    if deduplication is None:
        return None
    from fluvio_cli.values import format_duration_ns

    age = deduplication.bounds.age
    transform = deduplication.filter.transform
    return {
        "bounds": {
            "count": deduplication.bounds.count,
            "age": None if age is None else format_duration_ns(age.seconds * 10**9 + age.nanos),
        },
        "filter": {"transform": {"uses": transform.uses, "with": dict(transform.with_)}},
    }


def topic_type_word(topic: "TopicObject") -> str:
    """`computed`, `assigned`, or the direction of a mirror."""
    from fluvio_protocol.api.mirror import HomeMirrorConfig
    from fluvio_protocol.api.topic import AssignedReplicas, TopicReplicaParam

    replicas = topic.spec.replicas
    if isinstance(replicas, TopicReplicaParam):
        return "computed"
    if isinstance(replicas, AssignedReplicas):
        return "assigned"
    if isinstance(replicas.config, HomeMirrorConfig):
        return "to-remote" if replicas.config.source else "from-remote"
    return "from-home" if replicas.config.target else "to-home"


def topic_status_word(topic: "TopicObject") -> str:
    """`provisioned`, `insufficient-resources` and so on."""
    word = topic.status.resolution.name.lower().replace("_", "-")
    return {"init": "initializing", "deleting": "Deleting"}.get(word, word)


def retention_word(topic: "TopicObject") -> str:
    """How long records stay, the server's default included: `7days`."""
    from fluvio_cli.values import format_duration_ns
    from fluvio_types.defaults import RETENTION_S

    policy = topic.spec.cleanup_policy
    return format_duration_ns((RETENTION_S if policy is None else policy.time_in_seconds) * 10**9)
