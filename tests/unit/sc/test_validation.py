"""Each check of create, delete and update: code, text, and which comes first."""

import pytest

from fluvio_local_cluster.sc.model.objects import Kind, StoredObject
from fluvio_local_cluster.sc.model.topics import new_topic
from fluvio_local_cluster.sc.model.validation import (
    Refusal,
    check_new_custom_spu,
    check_new_topic,
    check_spu_removal,
    check_topic_deletion,
    existing_topic,
    parse_qualified_name,
    refuse_mirror_addition,
    smartmodule_matches,
    unsupported_deletion,
    with_more_partitions,
)
from fluvio_protocol.api.mirror import HomeMirrorConfig, RemoteMirrorConfig
from fluvio_protocol.api.smartmodule import (
    SmartModuleMetadata,
    SmartModulePackage,
    SmartModuleSpec,
    SmartModuleStatus,
)
from fluvio_protocol.api.spu import SpuType
from fluvio_protocol.api.topic import (
    AssignedReplicas,
    Bounds,
    Deduplication,
    Filter,
    MirrorReplicas,
    PartitionMap,
    SegmentBasedPolicy,
    TopicReplicaParam,
    TopicSpec,
    TopicStorageConfig,
    Transform,
)
from fluvio_protocol.error_code import ErrorKind
from tests.support.controllers import custom_spu, topic_spec
from tests.unit.sc.factories import cluster_of, partition

K = ErrorKind


def assigned(*rows: tuple[int, list[int]]) -> TopicSpec:
    maps = [PartitionMap(id=number, replicas=spus) for number, spus in rows]
    return TopicSpec(replicas=AssignedReplicas(maps=maps))


def with_storage(segment: int | None = None, partition: int | None = None) -> TopicSpec:
    spec = topic_spec()
    spec.storage = TopicStorageConfig(segment_size=segment, max_partition_size=partition)
    return spec


def with_retention(seconds: int) -> TopicSpec:
    spec = topic_spec()
    spec.cleanup_policy = SegmentBasedPolicy(time_in_seconds=seconds)
    return spec


def with_deduplication(uses: str) -> TopicSpec:
    spec = topic_spec()
    spec.deduplication = Deduplication(bounds=Bounds(count=1), filter=Filter(transform=Transform(uses=uses)))
    return spec


BAD_NAME = "Invalid topic name: '{}'. Contain only lowercase alphanumeric characters or '-'"


@pytest.mark.parametrize(
    ("name", "spec", "kind", "message"),
    [
        ("T_bad", topic_spec(), K.TOPIC_INVALID_NAME, BAD_NAME.format("T_bad")),
        ("-a", topic_spec(), K.TOPIC_INVALID_NAME, BAD_NAME.format("-a")),
        ("a-", topic_spec(), K.TOPIC_INVALID_NAME, BAD_NAME.format("a-")),
        ("", topic_spec(), K.TOPIC_INVALID_NAME, BAD_NAME.format("")),
        ("../etc", topic_spec(), K.TOPIC_INVALID_NAME, BAD_NAME.format("../etc")),
        (
            "a" * 64,
            topic_spec(),
            K.TOPIC_INVALID_NAME,
            f"Invalid topic name: '{'a' * 64}'. Name exceeds max characters allowed 63",
        ),
        ("there", topic_spec(), K.TOPIC_ALREADY_EXISTS, "Topic 'there' already exists"),
        ("there", with_retention(1), K.TOPIC_ALREADY_EXISTS, "Topic 'there' already exists"),
        ("t", with_retention(5), K.TOPIC_INVALID_CONFIGURATION, "retention_secs 5 is less than minimum 10"),
        ("t", with_storage(10), K.TOPIC_INVALID_CONFIGURATION, "segment_size 10 is less than minimum 1024"),
        (
            "t",
            with_storage(None, 100),
            K.TOPIC_INVALID_CONFIGURATION,
            "max_partition_size 100 is less than minimum 2048",
        ),
        (
            "t",
            with_storage(4096, 2048),
            K.TOPIC_INVALID_CONFIGURATION,
            "max_partition_size 2048 is less than segment size 4096",
        ),
        (
            "t",
            with_storage(None, 4096),
            K.TOPIC_INVALID_CONFIGURATION,
            "max_partition_size 4096 is less than segment size 1073741824",
        ),
        ("t", topic_spec(0), K.TOPIC_ERROR, "partition must be greater than 0"),
        ("t", topic_spec(1, 0), K.TOPIC_ERROR, "replication factor must be greater than 0"),
        (
            "t",
            topic_spec(10_001),
            K.TOPIC_ERROR,
            "10001 partitions are more than 10000, the most of one topic",
        ),
        ("t", assigned(), K.TOPIC_ERROR, "no assigned partitions found"),
        ("t", assigned((1, [1])), K.TOPIC_ERROR, "assigned partitions must start with id 0"),
        (
            "t",
            assigned((0, [1]), (2, [1])),
            K.TOPIC_ERROR,
            "assigned partition ids must be in sequence and without gaps",
        ),
        ("t", assigned((0, [])), K.TOPIC_ERROR, "assigned replicas must have at least one spu id"),
        (
            "t",
            assigned((0, [1]), (1, [1, 2])),
            K.TOPIC_ERROR,
            "all assigned replicas must have the same number of spu ids: 1",
        ),
        (
            "t",
            assigned((0, [1, 1])),
            K.TOPIC_ERROR,
            "duplicate spu ids found in assigned partition with id: 0",
        ),
        ("t", assigned((0, [-1])), K.TOPIC_ERROR, "invalid spu id: -1 in assigned partition with id: 0"),
        ("t", assigned((0, [77])), K.TOPIC_ERROR, "invalid spu id: 77"),
        (
            "t",
            assigned((0, [1, 2])),
            K.OTHER,
            "not supported yet: replication factor 2, copies are not made yet",
        ),
        (
            "t",
            topic_spec(1, 3),
            K.OTHER,
            "not supported yet: replication factor 3, copies are not made yet",
        ),
        (
            "t",
            TopicSpec(replicas=MirrorReplicas(config=HomeMirrorConfig(partitions=[]))),
            K.OTHER,
            "not supported yet: mirror topics",
        ),
        ("t", with_deduplication("tiny"), K.OTHER, "not supported yet: deduplication"),
    ],
)
def test_a_topic_is_refused_with_the_official_code_and_text(
    name: str, spec: TopicSpec, kind: ErrorKind, message: str
) -> None:
    cluster = cluster_of(1, offline=(2,))
    cluster.topics.apply([new_topic("there", topic_spec())])
    tiny = StoredObject("tiny", SmartModuleSpec(), SmartModuleStatus(), None)
    cluster.smartmodules.apply([tiny])
    with pytest.raises(Refusal) as caught:
        check_new_topic(name, spec, cluster)
    assert (caught.value.code.kind, caught.value.message) == (kind, message)
    assert caught.value.name == name


@pytest.mark.parametrize(
    ("uses", "kind"),
    [
        ("absent", K.DEDUPLICATION_SMARTMODULE_NOT_LOADED),
        ("a/b/c", K.DEDUPLICATION_SMARTMODULE_NAME_INVALID),
    ],
)
def test_a_deduplication_without_its_smartmodule_names_the_smartmodule(uses: str, kind: ErrorKind) -> None:
    with pytest.raises(Refusal) as caught:
        check_new_topic("t", with_deduplication(uses), cluster_of(1))
    assert (caught.value.code.kind, caught.value.name) == (kind, uses)


@pytest.mark.parametrize(
    "spec", [topic_spec(), topic_spec(10_000), assigned((0, [2])), with_storage(1024, 2048)]
)
def test_a_good_topic_is_let_through(spec: TopicSpec) -> None:
    check_new_topic("a-1", spec, cluster_of(1, offline=(2,)))


def test_the_deletion_of_a_topic_is_checked() -> None:
    cluster = cluster_of(1)
    with pytest.raises(Refusal, match="not found") as missing:
        existing_topic("t", cluster)
    assert missing.value.code.kind is K.TOPIC_NOT_FOUND
    system = topic_spec()
    system.system = True
    with pytest.raises(Refusal) as caught:
        check_topic_deletion(new_topic("s", system), force=False)
    assert (caught.value.code.payload, caught.value.message) == (("topic", "s"), None)
    check_topic_deletion(new_topic("s", system), force=True)
    remote = TopicSpec(replicas=MirrorReplicas(config=RemoteMirrorConfig(home_cluster="h", home_spus=[])))
    with pytest.raises(Refusal, match="cannot delete mirrored topic from remote"):
        check_topic_deletion(new_topic("m", remote), force=True)


def test_only_computed_topics_grow() -> None:
    grown = with_more_partitions(new_topic("t", topic_spec(2)), 3)
    assert isinstance(grown.replicas, TopicReplicaParam)
    assert grown.replicas.partitions == 5
    for spec, kind in (
        (assigned((0, [1])), K.TOPIC_INVALID_REPLICA_TYPE),
        (topic_spec(9_999), K.TOPIC_ERROR),
        (topic_spec(1, 2), K.OTHER),
    ):
        with pytest.raises(Refusal) as caught:
            with_more_partitions(new_topic("t", spec), 3)
        assert caught.value.code.kind is kind


def test_adding_an_unknown_mirror_says_not_found_and_a_known_one_not_yet() -> None:
    cluster, topic = cluster_of(1), new_topic("t", topic_spec())
    assert refuse_mirror_addition(topic, "edge", cluster).code.kind is K.MIRROR_NOT_FOUND
    cluster.mirrors.apply([StoredObject("edge", None, None, None)])
    assert "not supported yet" in str(refuse_mirror_addition(topic, "edge", cluster))


@pytest.mark.parametrize(
    ("name", "spu_id", "kind", "message"),
    [
        ("custom-spu-1", 9, K.SPU_ALREADY_EXISTS, "spu 'custom-spu-1(9)' already defined"),
        ("extra", 1, K.SPU_ALREADY_EXISTS, "spu 'extra(1)' already defined"),
        ("extra", -1, K.SPU_ERROR, "invalid spu id: -1"),
    ],
)
def test_an_spu_is_refused(name: str, spu_id: int, kind: ErrorKind, message: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_new_custom_spu(name, custom_spu(spu_id), cluster_of(1))
    assert (caught.value.code.kind, caught.value.message) == (kind, message)


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "-x", "a" * 201, "é"])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match="invalid spu name"):
        check_new_custom_spu(name, custom_spu(9), cluster_of(1))


def test_an_spu_that_holds_the_only_copy_stays() -> None:
    cluster = cluster_of(1, 2)
    spu = cluster.spus.get("custom-spu-1")
    assert spu is not None
    check_spu_removal(spu, cluster, force=False)
    cluster.partitions.apply([partition("t-0", 1), partition("t-1", 1), partition("u-0", 1, 2)])
    with pytest.raises(Refusal, match="the only holder of partition `t-0` and 1 more"):
        check_spu_removal(spu, cluster, force=False)
    check_spu_removal(spu, cluster, force=True)
    spu.spec.spu_type = SpuType.MANAGED
    with pytest.raises(Refusal, match="expected 'Custom' spu, found 'Managed' spu"):
        check_spu_removal(spu, cluster, force=True)


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        (Kind.SMARTMODULE, K.SMARTMODULE_NOT_FOUND),
        (Kind.SPU_GROUP, K.SPU_NOT_FOUND),
        (Kind.MIRROR, K.MIRROR_NOT_FOUND),
    ],
)
def test_deleting_what_is_not_there_says_so_and_what_is_there_not_yet(kind: Kind, missing: ErrorKind) -> None:
    cluster = cluster_of()
    assert unsupported_deletion(kind, "x", cluster).code.kind is missing
    cluster.stores[kind].apply([StoredObject("x", SmartModuleSpec(), None, None)])
    assert str(unsupported_deletion(kind, "x", cluster)) == f"not supported yet: deleting a {kind.value}"


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("a", (None, "a", None)),
        ("g/a", ("g", "a", None)),
        ("g/a@1", ("g", "a", "1")),
        ("", None),
        ("/a", None),
        ("a@", None),
        ("a/b/c", None),
        ("a@1@2", None),
    ],
)
def test_qualified_names_are_taken_apart(
    text: str, parsed: tuple[str | None, str, str | None] | None
) -> None:
    assert parse_qualified_name(text) == parsed


def test_a_smartmodule_is_found_by_the_parts_of_its_package() -> None:
    package = SmartModulePackage(name="a", group="g", version="1", api_version="0.1.0")
    spec = SmartModuleSpec(meta=SmartModuleMetadata(package=package))
    module = StoredObject("a-g-1", spec, None, None)
    assert [smartmodule_matches(x, module) for x in ("a", "g/a", "g/a@1", "h/a", "g/a@2", "a-g-1")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
