"""Watch updates in, lookups out: what exists, what does not, what is not ready yet."""

from typing import Any

import pytest

from fluvio_client.errors import PartitionNotFoundError
from fluvio_client.metadata import MetadataStore, NotReadyYetError
from fluvio_client.target import Endpoint
from fluvio_protocol.api.admin import (
    Metadata,
    MetadataMessage,
    MetadataUpdate,
    MsgType,
    TypedPayload,
    WatchEnvelope,
    unwrap,
)
from fluvio_protocol.api.partition import PartitionResolution, PartitionSpec, PartitionStatus
from fluvio_protocol.api.spu import Endpoint as SpuEndpoint
from fluvio_protocol.api.spu import IngressAddr, IngressPort, SpuSpec, SpuStatus, SpuStatusResolution
from fluvio_protocol.api.topic import TopicReplicaParam, TopicSpec, TopicStatus
from fluvio_protocol.error_code import TopicNotFoundError
from fluvio_protocol.wire import decode
from tests.support.scripted_peer import response_body


def topic(name: str, partitions: int = 1) -> Metadata[Any, Any]:
    return Metadata(
        name=name, spec=TopicSpec(replicas=TopicReplicaParam(partitions=partitions)), status=TopicStatus()
    )


def partition(key: str, leader: int = 5001, *, online: bool = True) -> Metadata[Any, Any]:
    resolution = PartitionResolution.ONLINE if online else PartitionResolution.OFFLINE
    return Metadata(
        name=key,
        spec=PartitionSpec(leader=leader, replicas=[leader]),
        status=PartitionStatus(resolution=resolution),
    )


def spu(number: int, *, online: bool = True, local: SpuEndpoint | None = None) -> Metadata[Any, Any]:
    resolution = SpuStatusResolution.ONLINE if online else SpuStatusResolution.OFFLINE
    spec = SpuSpec(
        id=number,
        public_endpoint=IngressPort(port=9010, ingress=[IngressAddr(hostname="spu.example")]),
        private_endpoint=SpuEndpoint(port=9011, host="spu.example"),
        public_endpoint_local=local,
    )
    return Metadata(name=f"custom-spu-{number}", spec=spec, status=SpuStatus(resolution=resolution))


def snapshot(*items: Metadata[Any, Any]) -> MetadataUpdate[Any, Any]:
    return MetadataUpdate(epoch=1, all=list(items))


def change(kind: MsgType, item: Metadata[Any, Any]) -> MetadataUpdate[Any, Any]:
    return MetadataUpdate(epoch=2, changes=[MetadataMessage(header=kind, content=item)])


def full_store() -> MetadataStore:
    store = MetadataStore()
    store.apply("SPU", snapshot(spu(5001)))
    store.apply("Partition", snapshot(partition("a-b-0"), partition("a-b-1", online=False)))
    store.apply("Topic", snapshot(topic("a-b", 2)))
    return store


def test_snapshots_of_the_official_engine_are_understood() -> None:
    store = MetadataStore()
    for label, name in (
        ("SPU", "engine-py-connect-4"),
        ("Partition", "engine-py-connect-7"),
        ("Topic", "engine-py-admin-watch-1"),
    ):
        envelope = decode(TypedPayload, response_body(name), 19)
        store.apply(label, unwrap(envelope, 19, answer_to=WatchEnvelope))
    assert store.leader_of("consumer-offset", 0).spu_id == 5001


def test_a_leader_is_found_with_its_public_address() -> None:
    leader = full_store().leader_of("a-b", 0)
    assert (leader.spu_id, leader.endpoint) == (5001, Endpoint("spu.example", 9010))


def test_the_local_address_is_used_on_demand_where_there_is_one() -> None:
    store = MetadataStore(use_local_address=True)
    store.apply("SPU", snapshot(spu(5001, local=SpuEndpoint(port=7, host="10.0.0.1")), spu(5002)))
    store.apply("Partition", snapshot(partition("t-0"), partition("t-1", 5002)))
    store.apply("Topic", snapshot(topic("t", 2)))
    assert store.leader_of("t", 0).endpoint == Endpoint("10.0.0.1", 7)
    assert store.leader_of("t", 1).endpoint == Endpoint("spu.example", 9010)


def test_a_missing_topic_is_told_at_once_when_both_lists_have_come() -> None:
    with pytest.raises(TopicNotFoundError, match="Topic not found: nope"):
        full_store().topic("nope")


def test_a_missing_topic_is_told_at_once_also_when_the_lists_are_empty() -> None:
    store = MetadataStore()
    with pytest.raises(NotReadyYetError):
        store.topic("nope")
    store.apply("Topic", snapshot())
    with pytest.raises(NotReadyYetError):
        store.topic("nope")
    store.apply("Partition", snapshot())
    with pytest.raises(TopicNotFoundError):
        store.topic("nope")


def test_a_partition_beyond_the_topic_does_not_exist_and_one_that_is_coming_is_not_ready() -> None:
    store = full_store()
    with pytest.raises(PartitionNotFoundError, match="Partition not found: a-b-2"):
        store.leader_of("a-b", 2)
    store.apply("Topic", change(MsgType.UPDATE, topic("a-b", 3)))
    with pytest.raises(NotReadyYetError):
        store.leader_of("a-b", 2)


def test_a_leader_that_is_offline_or_unknown_is_not_ready_with_its_reason() -> None:
    store = full_store()
    store.apply("SPU", change(MsgType.UPDATE, spu(5001, online=False)))
    with pytest.raises(NotReadyYetError, match="SPU 5001 is offline"):
        store.leader_of("a-b", 0)
    store.apply("SPU", change(MsgType.DELETE, spu(5001)))
    with pytest.raises(NotReadyYetError, match="SPU 5001 is not registered"):
        store.leader_of("a-b", 0)


def test_changes_are_merged_deletes_removed_and_empty_updates_do_nothing() -> None:
    store = full_store()
    store.apply("Topic", MetadataUpdate(epoch=3))
    assert store.topic("a-b").partitions == (0, 1)
    store.apply("Partition", change(MsgType.UPDATE, partition("a-b-2")))
    assert store.topic("a-b").partitions == (0, 1, 2)
    store.apply("Partition", change(MsgType.DELETE, partition("a-b-2")))
    store.apply("Topic", change(MsgType.DELETE, topic("a-b")))
    with pytest.raises(TopicNotFoundError):
        store.topic("a-b")


def test_a_new_snapshot_replaces_what_was_known() -> None:
    store = full_store()
    store.apply("Topic", snapshot(topic("other")))
    assert set(store.topics) == {"other"}


def test_after_a_reconnect_an_empty_list_replaces_too() -> None:
    store = full_store()
    store.start_over()
    assert store.topic("a-b").name == "a-b"  # still known until the lists come
    store.apply("Topic", snapshot())
    store.apply("Partition", snapshot())
    with pytest.raises(TopicNotFoundError):
        store.topic("a-b")


def test_online_partitions_are_those_that_take_records_or_all_when_none_does() -> None:
    store = full_store()
    assert store.online_partitions("a-b") == (0,)
    store.apply("Partition", change(MsgType.UPDATE, partition("a-b-0", online=False)))
    assert store.online_partitions("a-b") == (0, 1)
