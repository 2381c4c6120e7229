"""What a client may ask for: the checks of create, delete and update, in the official order.

Each check raises `Refusal`; its code, texts and order are the official controller's (docs/protocol.md,
"Topic" and "SPU"), since clients show them and scripts compare them.
"""

from fluvio_local_cluster.sc.model.objects import AnyObject, Kind, Partition, Spu, Topic
from fluvio_local_cluster.sc.model.stores import Cluster
from fluvio_protocol.api.mirror import RemoteMirrorConfig
from fluvio_protocol.api.smartmodule import SmartModuleSpec
from fluvio_protocol.api.spu import CustomSpuSpec, SpuType
from fluvio_protocol.api.topic import (
    AssignedReplicas,
    MirrorReplicas,
    ReplicaSpec,
    TopicReplicaParam,
    TopicSpec,
)
from fluvio_protocol.error_code import ErrorCode, ErrorKind, code, other
from fluvio_types.defaults import SEGMENT_BYTES
from fluvio_types.errors import FluvioError
from fluvio_types.names import name_problem

MIN_RETENTION_S = 10
MIN_SEGMENT_BYTES = 1024
MIN_PARTITION_BYTES = 2048
MAX_PARTITIONS = 10_000  # of one topic; ours, so that one request cannot fill the disk with objects
SUPPORTED_REPLICATION = 1  # copies are not made yet
MAX_SPU_NAME_BYTES = 200
_SPU_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


class Refusal(FluvioError):
    """A request that is answered with an error; `name` is the object that the answer names."""

    def __init__(self, name: str, error: ErrorCode, message: str | None) -> None:
        super().__init__(message or error.text)
        self.name, self.code, self.message = name, error, message


def not_supported_yet(name: str, what: str) -> Refusal:
    """The honest answer where Fluvio has something that this program does not do yet."""
    text = f"not supported yet: {what}"
    return Refusal(name, other(text), text)


# --- topics -----------------------------------------------------------------------------------------------


def check_may_change(name: str, label: str, cluster: Cluster) -> None:
    """Raise `Refusal` for what clients may not change where topics are fixed: everything but SPUs."""
    if cluster.is_read_only and label != "CustomSpu":
        raise Refusal(name, code(ErrorKind.PERMISSION_DENIED), None)


def check_new_topic(name: str, spec: TopicSpec, cluster: Cluster, *, spus_may_come: bool = False) -> None:
    """Raise `Refusal` unless the topic can be created.

    `spus_may_come`: SPUs that an assignment names need not be registered yet.
    """
    problem = name_problem(name)
    if problem is not None:
        raise Refusal(name, code(ErrorKind.TOPIC_INVALID_NAME), f"Invalid topic name: '{name}'. {problem}")
    if name in cluster.topics:
        raise Refusal(name, code(ErrorKind.TOPIC_ALREADY_EXISTS), f"Topic '{name}' already exists")
    lost = cluster.lost_of(name)
    if lost:
        shown = ", ".join(f"`{path}`" for path in lost[:3]) + (", ..." if len(lost) > 3 else "")
        text = (
            f"Topic '{name}' exists, but its metadata are damaged: put them right in {shown} and move them "
            "back, or remove them to give up its records; then restart the controller"
        )
        raise Refusal(name, other(text), text)
    problem = storage_problem(spec)
    if problem is not None:
        raise Refusal(name, code(ErrorKind.TOPIC_INVALID_CONFIGURATION), problem)
    _check_deduplication(spec, cluster)
    problem = replicas_problem(spec.replicas)
    if problem is None and isinstance(spec.replicas, AssignedReplicas) and not spus_may_come:
        problem = unknown_spu_problem(spec.replicas, cluster)
    if problem is not None:
        raise Refusal(name, code(ErrorKind.TOPIC_ERROR), problem)
    problem = unsupported(spec)
    if problem is not None:
        raise not_supported_yet(name, problem)


def storage_problem(spec: TopicSpec) -> str | None:
    """What is wrong with retention and sizes, or None."""
    if spec.cleanup_policy is not None and spec.cleanup_policy.time_in_seconds < MIN_RETENTION_S:
        return f"retention_secs {spec.cleanup_policy.time_in_seconds} is less than minimum {MIN_RETENTION_S}"
    if spec.storage is None:
        return None
    segment, partition = spec.storage.segment_size, spec.storage.max_partition_size
    if segment is not None and segment < MIN_SEGMENT_BYTES:
        return f"segment_size {segment} is less than minimum {MIN_SEGMENT_BYTES}"
    if partition is not None:
        if partition < MIN_PARTITION_BYTES:
            return f"max_partition_size {partition} is less than minimum {MIN_PARTITION_BYTES}"
        if partition < (segment or SEGMENT_BYTES):
            return f"max_partition_size {partition} is less than segment size {segment or SEGMENT_BYTES}"
    return None


def replicas_problem(replicas: ReplicaSpec) -> str | None:
    """What is wrong with the replicas asked for, whatever SPUs there are; None when nothing."""
    if isinstance(replicas, TopicReplicaParam):
        if replicas.partitions < 1:
            return "partition must be greater than 0"
        if replicas.replication_factor < 1:
            return "replication factor must be greater than 0"
        return _count_problem(replicas.partitions)
    if isinstance(replicas, AssignedReplicas):
        return _assignment_problem(replicas) or _count_problem(len(replicas.maps))
    return None


def _count_problem(partitions: int) -> str | None:
    if partitions > MAX_PARTITIONS:
        return f"{partitions} partitions are more than {MAX_PARTITIONS}, the most of one topic"
    return None


def _assignment_problem(assigned: AssignedReplicas) -> str | None:
    if not assigned.maps:
        return "no assigned partitions found"
    if assigned.maps[0].id != 0:
        return "assigned partitions must start with id 0"
    count = len(assigned.maps[0].replicas)
    for expected, row in enumerate(assigned.maps):
        if row.id != expected:
            return "assigned partition ids must be in sequence and without gaps"
        if not row.replicas:
            return "assigned replicas must have at least one spu id"
        if len(row.replicas) != count:
            return f"all assigned replicas must have the same number of spu ids: {count}"
        if len(set(row.replicas)) != count:
            return f"duplicate spu ids found in assigned partition with id: {row.id}"
        negative = next((spu for spu in row.replicas if spu < 0), None)
        if negative is not None:
            return f"invalid spu id: {negative} in assigned partition with id: {row.id}"
    return None


def unknown_spu_problem(assigned: AssignedReplicas, cluster: Cluster) -> str | None:
    """Name the first SPU of an assignment that is not registered; whether it is online does not matter."""
    known = {spu.spec.id for spu in cluster.spus}
    for row in assigned.maps:
        for spu in row.replicas:
            if spu not in known:
                return f"invalid spu id: {spu}"
    return None


def unsupported(spec: TopicSpec) -> str | None:
    """What a topic needs that is not built yet, or None."""
    if isinstance(spec.replicas, MirrorReplicas):
        return "mirror topics"
    replication = replication_factor(spec.replicas)
    if replication > SUPPORTED_REPLICATION:
        return f"replication factor {replication}, copies are not made yet"
    if spec.deduplication is not None:
        return "deduplication"
    return None


def replication_factor(replicas: ReplicaSpec) -> int:
    """How many copies of each partition a topic asks for."""
    if isinstance(replicas, TopicReplicaParam):
        return replicas.replication_factor
    if isinstance(replicas, AssignedReplicas):
        return len(replicas.maps[0].replicas) if replicas.maps else 0
    return 1


def partition_count(replicas: ReplicaSpec) -> int:
    """How many partitions a topic asks for."""
    if isinstance(replicas, TopicReplicaParam):
        return replicas.partitions
    if isinstance(replicas, AssignedReplicas):
        return len(replicas.maps)
    config = replicas.config
    return len(config.home_spus if isinstance(config, RemoteMirrorConfig) else config.partitions)


def _check_deduplication(spec: TopicSpec, cluster: Cluster) -> None:
    if spec.deduplication is None:
        return
    uses = spec.deduplication.filter.transform.uses
    if parse_qualified_name(uses) is None:
        reason = f"`{uses}` is not of the form name, group/name or group/name@version"
        raise Refusal(uses, code(ErrorKind.DEDUPLICATION_SMARTMODULE_NAME_INVALID, reason), reason)
    if not any(smartmodule_matches(uses, module) for module in cluster.smartmodules):
        text = f"SmartModule '{uses}' is not loaded; download it with `fluvio hub sm download {uses}`"
        raise Refusal(uses, code(ErrorKind.DEDUPLICATION_SMARTMODULE_NOT_LOADED), text)


def existing_topic(name: str, cluster: Cluster) -> Topic:
    """The topic, or a `Refusal`."""
    topic = cluster.topics.get(name)
    if topic is None:
        raise Refusal(name, code(ErrorKind.TOPIC_NOT_FOUND), "not found")
    return topic


def check_topic_deletion(topic: Topic, *, force: bool) -> None:
    """Raise `Refusal` unless the topic may be deleted."""
    replicas = topic.spec.replicas
    if isinstance(replicas, MirrorReplicas) and isinstance(replicas.config, RemoteMirrorConfig):
        text = "cannot delete mirrored topic from remote"
        raise Refusal(topic.key, code(ErrorKind.MIRROR_DELETE_FROM_REMOTE), text)
    if topic.spec.system and not force:
        raise Refusal(topic.key, code(ErrorKind.SYSTEM_SPEC_DELETION_ATTEMPT, "topic", topic.key), None)


def with_more_partitions(topic: Topic, count: int) -> TopicSpec:
    """The spec of a topic that is to get `count` partitions more. Raises `Refusal`."""
    _check_not_system(topic)
    spec, replicas = topic.spec, topic.spec.replicas
    if not isinstance(replicas, TopicReplicaParam):
        text = "invalid replica type"
        raise Refusal(topic.key, code(ErrorKind.TOPIC_INVALID_REPLICA_TYPE), text)
    problem = _count_problem(replicas.partitions + count)
    if problem is not None:
        raise Refusal(topic.key, code(ErrorKind.TOPIC_ERROR), problem)
    missing = unsupported(spec)
    if missing is not None:
        raise not_supported_yet(topic.key, missing)
    return TopicSpec(
        replicas=TopicReplicaParam(
            partitions=replicas.partitions + count,
            replication_factor=replicas.replication_factor,
            ignore_rack_assignment=replicas.ignore_rack_assignment,
        ),
        cleanup_policy=spec.cleanup_policy,
        storage=spec.storage,
        compression_type=spec.compression_type,
        deduplication=spec.deduplication,
        system=spec.system,
    )


def refuse_mirror_addition(topic: Topic, remote: str, cluster: Cluster) -> Refusal:
    """Why a remote cluster cannot be added to a topic; mirroring itself is not built yet."""
    _check_not_system(topic)
    if remote not in cluster.mirrors:
        return Refusal(topic.key, code(ErrorKind.MIRROR_NOT_FOUND), "not found")
    return not_supported_yet(topic.key, "mirror topics")


def _check_not_system(topic: Topic) -> None:
    if topic.spec.system:
        raise Refusal(topic.key, code(ErrorKind.SYSTEM_SPEC_UPDATING_ATTEMPT, "topic", topic.key), None)


# --- SPUs -------------------------------------------------------------------------------------------------


def check_new_custom_spu(name: str, spec: CustomSpuSpec, cluster: Cluster) -> None:
    """Raise `Refusal` unless an SPU of that name and id can be registered."""
    if cluster.spu_by_id(spec.id) is not None or name in cluster.spus:
        text = f"spu '{name}({spec.id})' already defined"
        raise Refusal(name, code(ErrorKind.SPU_ALREADY_EXISTS), text)
    # The name becomes that of a file.
    if not is_file_name(name):
        text = (
            f"invalid spu name: `{name}` must be 1 to {MAX_SPU_NAME_BYTES} of letters, digits, "
            "`-`, `_` and `.`, and not begin with `-` or `.`"
        )
        raise Refusal(name, code(ErrorKind.SPU_ERROR), text)
    if spec.id < 0:
        raise Refusal(name, code(ErrorKind.SPU_ERROR), f"invalid spu id: {spec.id}")


def is_file_name(name: str) -> bool:
    """Whether an object of this name can be kept in a file of that name."""
    return (
        0 < len(name) <= MAX_SPU_NAME_BYTES and _SPU_NAME_CHARACTERS.issuperset(name) and name[0] not in "-."
    )


def check_spu_removal(spu: Spu, cluster: Cluster, *, force: bool) -> None:
    """Raise `Refusal` unless the custom SPU may be unregistered; by force it may leave partitions behind."""
    if spu.spec.spu_type is not SpuType.CUSTOM:
        text = "expected 'Custom' spu, found 'Managed' spu"
        raise Refusal(spu.key, code(ErrorKind.SPU_ERROR), text)
    held = [x for x in cluster.partitions if _is_only_holder(spu.spec.id, x)]
    if held and not force:
        more = f" and {len(held) - 1} more" if len(held) > 1 else ""
        text = (
            f"spu '{spu.key}({spu.spec.id})' is the only holder of partition `{held[0].key}`{more}; "
            "delete its topics first, or force"
        )
        raise Refusal(spu.key, code(ErrorKind.SPU_ERROR), text)


def _is_only_holder(spu_id: int, partition: Partition) -> bool:
    return partition.spec.replicas == [spu_id] and not partition.spec.system


# --- the rest ---------------------------------------------------------------------------------------------


def unsupported_deletion(kind: Kind, key: str, cluster: Cluster) -> Refusal:
    """The answer to deleting an object of a kind that clients cannot change yet."""
    stored = cluster.stores[kind]
    if kind is Kind.SMARTMODULE:
        is_there = any(smartmodule_matches(key, module) for module in stored)
    else:
        is_there = key in stored
    if is_there:
        return not_supported_yet(key, f"deleting a {kind.value}")
    missing = {
        Kind.SMARTMODULE: code(ErrorKind.SMARTMODULE_NOT_FOUND, key),
        Kind.SPU_GROUP: code(ErrorKind.SPU_NOT_FOUND),
        Kind.MIRROR: code(ErrorKind.MIRROR_NOT_FOUND),
    }
    text = f'remote cluster "{key}" not found' if kind is Kind.MIRROR else "not found"
    return Refusal(key, missing[kind], text)


def parse_qualified_name(text: str) -> tuple[str | None, str, str | None] | None:
    """Group, name and version of `name`, `group/name` or `group/name@version`; None for anything else."""
    rest, at, version = text.partition("@")
    group, slash, name = rest.rpartition("/")
    if not name or "/" in group or "@" in version or (slash and not group) or (at and not version):
        return None
    return group or None, name, version or None


def smartmodule_matches(wanted: str, module: AnyObject) -> bool:
    """Whether the qualified name `wanted` (name, group/name, group/name@version) means this SmartModule."""
    parsed = parse_qualified_name(wanted)
    if parsed is None:
        return False
    group, name, version = parsed
    spec: SmartModuleSpec = module.spec
    if spec.meta is None:
        return bool(group is None and version is None and name == module.key)
    package = spec.meta.package
    return bool(
        name == package.name and group in (None, package.group) and version in (None, package.version)
    )
