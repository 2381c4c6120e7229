"""The life of a topic: every state and every way between them."""

from fluvio_local_cluster.sc.model.objects import Topic
from fluvio_local_cluster.sc.model.spus import with_resolution
from fluvio_local_cluster.sc.model.stores import Cluster
from fluvio_local_cluster.sc.model.topics import (
    consumer_offset_topic,
    new_topic,
    online_count,
    provision,
    waiting_text,
)
from fluvio_local_cluster.sc.model.validation import with_more_partitions
from fluvio_protocol.api.partition import PartitionResolution, PartitionStatus
from fluvio_protocol.api.spu import SpuStatusResolution
from fluvio_protocol.api.topic import AssignedReplicas, PartitionMap, TopicResolution, TopicSpec
from tests.support.controllers import topic_spec
from tests.unit.sc.factories import cluster_of, spu

R = TopicResolution


def stored(cluster: Cluster, topic: Topic) -> Topic:
    """The topic as it is after provisioning was applied."""
    made = provision(cluster, [topic])
    cluster.topics.apply(made.topics)
    cluster.partitions.apply(made.partitions)
    found = cluster.topics.get(topic.key)
    assert found is not None
    return found


def test_a_topic_is_provisioned_with_one_partition_object_a_row() -> None:
    cluster = cluster_of(1, 2)
    spec = topic_spec(3)
    topic = stored(cluster, new_topic("t", spec))
    assert topic.status.resolution is R.PROVISIONED
    assert topic.status.replica_map == {0: [1], 1: [2], 2: [1]}
    partitions = cluster.partitions_of("t")
    assert [partition.key for partition in partitions] == ["t-0", "t-1", "t-2"]
    assert [partition.spec.leader for partition in partitions] == [1, 2, 1]
    assert {partition.runtime.incarnation for partition in partitions} == {topic.runtime.incarnation}
    assert partitions[0].runtime.isr == [1]
    assert partitions[0].meta.parent == {"id": "t", "revision": 0}
    assert topic.meta.children == {"Partition": [{"id": f"t-{n}", "revision": 0} for n in range(3)]}


def test_without_an_spu_it_waits_and_goes_on_when_one_comes() -> None:
    cluster = cluster_of(offline=(1,))
    topic = stored(cluster, new_topic("t", topic_spec()))
    assert (topic.status.resolution, topic.status.reason) == (
        R.INSUFFICIENT_RESOURCES,
        "needs 1 SPU, 0 online",
    )
    assert provision(cluster, [topic]).objects == []
    cluster.spus.apply([with_resolution(spu(1), SpuStatusResolution.ONLINE)])
    topic = stored(cluster, topic)
    assert (topic.status.resolution, topic.status.reason) == (R.PROVISIONED, "")


def test_what_is_provisioned_is_not_touched_again() -> None:
    cluster = cluster_of(1)
    topic = stored(cluster, new_topic("t", topic_spec()))
    assert provision(cluster, [topic]).objects == []


def test_a_topic_that_grew_keeps_its_rows() -> None:
    cluster = cluster_of(1)
    topic = stored(cluster, new_topic("t", topic_spec()))
    cluster.spus.apply([spu(2)])
    topic = stored(cluster, topic.changed(spec=with_more_partitions(topic, 2)))
    assert topic.status.replica_map == {0: [1], 1: [2], 2: [1]}


def test_a_topic_that_cannot_grow_now_keeps_what_it_has() -> None:
    cluster = cluster_of(1)
    topic = stored(cluster, new_topic("t", topic_spec()))
    cluster.spus.apply([spu(1, online=False)])
    topic = stored(cluster, topic.changed(spec=with_more_partitions(topic, 1)))
    assert topic.status.resolution is R.INSUFFICIENT_RESOURCES
    assert topic.status.replica_map == {0: [1]}
    assert [partition.key for partition in cluster.partitions] == ["t-0"]


def test_a_stored_topic_with_copies_says_why_it_waits() -> None:
    cluster = cluster_of(1, 2)
    topic = stored(cluster, new_topic("t", topic_spec(1, 2)))
    assert topic.status.resolution is R.INSUFFICIENT_RESOURCES
    assert topic.status.reason == "not supported yet: replication factor 2, copies are not made yet"
    assert "when SPUs join" not in waiting_text(topic, cluster)


def test_an_assignment_to_an_unknown_spu_is_an_invalid_config() -> None:
    cluster = cluster_of(1)
    spec = TopicSpec(replicas=AssignedReplicas(maps=[PartitionMap(id=0, replicas=[7])]))
    topic = stored(cluster, new_topic("t", spec))
    assert (topic.status.resolution, topic.status.reason) == (R.INVALID_CONFIG, "invalid spu id: 7")


def test_an_assignment_to_an_offline_spu_is_taken_as_it_is() -> None:
    cluster = cluster_of(offline=(7,))
    spec = TopicSpec(replicas=AssignedReplicas(maps=[PartitionMap(id=0, replicas=[7])]))
    assert stored(cluster, new_topic("t", spec)).status.resolution is R.PROVISIONED


def test_topics_of_one_decision_share_the_load() -> None:
    cluster = cluster_of(1, 2)
    made = provision(cluster, [new_topic(name, topic_spec()) for name in ("a", "b")])
    assert [partition.spec.leader for partition in made.partitions] == [1, 2]


def test_a_missing_partition_is_made_again_from_the_row() -> None:
    cluster = cluster_of(1)
    topic = stored(cluster, new_topic("t", topic_spec(2)))
    cluster.partitions.apply(remove=["t-1"])
    made = provision(cluster, [topic])
    assert [partition.key for partition in made.partitions] == ["t-1"]


def test_online_partitions_are_counted_for_the_answer() -> None:
    cluster = cluster_of(1)
    topic = stored(cluster, new_topic("t", topic_spec(3)))
    states = (PartitionResolution.ONLINE, PartitionResolution.OUT_OF_STORAGE)
    for partition, state in zip(cluster.partitions_of("t"), states, strict=False):
        cluster.partitions.apply([partition.changed(status=PartitionStatus(resolution=state))])
    assert online_count(topic, cluster) == 2
    assert waiting_text(topic, cluster) == (
        "only 2 out of 3 provisioned: topic 't' is placed, its leaders have not reported yet"
    )


def test_the_system_topic_is_as_upstream_makes_it() -> None:
    spec = consumer_offset_topic().spec
    assert spec.system
    assert spec.cleanup_policy is not None
    assert spec.cleanup_policy.time_in_seconds == 604_800


def test_partitions_of_a_topic_are_not_those_of_one_whose_name_begins_alike() -> None:
    cluster = cluster_of(1)
    stored(cluster, new_topic("a", topic_spec()))
    stored(cluster, new_topic("a-1", topic_spec(12)))
    assert [partition.key for partition in cluster.partitions_of("a")] == ["a-0"]
    assert [partition.key for partition in cluster.partitions_of("a-1")][-1] == "a-1-11"
