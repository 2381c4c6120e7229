"""Stored offsets over blocking sockets, from a cluster that behaves as the official one does."""

from collections.abc import Iterator

import pytest

from fluvio_client.consumer_offsets import BlockingConsumerOffsets
from fluvio_client.errors import LeaderUnavailableError
from fluvio_protocol.api.consumer_offsets import DeleteConsumerOffsetRequest, FetchConsumerOffsetsRequest
from fluvio_protocol.error_code import NotLeaderError, ReplicaKey
from tests.support.scripted_cluster import ScriptedCluster

STORED = {("b", "t", 1): 5, ("a", "u", 0): 3, ("a", "t", 1): 2, ("a", "t", 0): 1}


@pytest.fixture
def cluster() -> Iterator[ScriptedCluster]:
    with ScriptedCluster({"consumer-offset": [5002], "t": [5001, 5001], "u": [5001]}) as cluster:
        cluster.spus[5002].stored.update(STORED)
        yield cluster


def places(offsets: BlockingConsumerOffsets, **wanted: object) -> list[tuple[str, str, int, int]]:
    return [
        (entry.consumer_id, entry.replica_id.topic, entry.replica_id.partition, entry.offset)
        for entry in offsets.find(**wanted)  # type: ignore[arg-type]
    ]


def test_the_leader_is_asked_and_what_it_has_comes_in_order(cluster: ScriptedCluster) -> None:
    with BlockingConsumerOffsets.connect(cluster.endpoint) as offsets:
        everything = places(offsets)
    assert everything == [("a", "t", 0, 1), ("a", "t", 1, 2), ("a", "u", 0, 3), ("b", "t", 1, 5)]
    assert cluster.spus[5001].asked(FetchConsumerOffsetsRequest) == []


def test_only_what_is_wanted_comes_though_the_server_knows_no_filter(cluster: ScriptedCluster) -> None:
    with BlockingConsumerOffsets.connect(cluster.endpoint) as offsets:
        assert places(offsets, consumer_id="a", topic="t") == [("a", "t", 0, 1), ("a", "t", 1, 2)]
        assert places(offsets, topic="t", partition=1) == [("a", "t", 1, 2), ("b", "t", 1, 5)]
        assert places(offsets, consumer_id="nobody") == []
    asked = [request.filter_opts for request in cluster.spus[5002].asked(FetchConsumerOffsetsRequest)]
    assert [(each.consumer_id, each.replica_id) for each in asked] == [
        ("a", None),
        (None, ReplicaKey(topic="t", partition=1)),
        ("nobody", None),
    ]


def test_one_is_deleted_and_the_others_stay(cluster: ScriptedCluster) -> None:
    with BlockingConsumerOffsets.connect(cluster.endpoint) as offsets:
        (entry,) = offsets.find(consumer_id="a", topic="t", partition=1)
        offsets.delete(entry)
        offsets.delete(entry)
        assert ("a", "t", 1, 2) not in places(offsets)
    assert set(cluster.spus[5002].stored) == set(STORED) - {("a", "t", 1)}
    assert len(cluster.spus[5002].asked(DeleteConsumerOffsetRequest)) == 2


def test_a_leader_that_has_just_changed_is_told_with_what_to_do(cluster: ScriptedCluster) -> None:
    cluster.spus[5002].leads_offsets = False
    with (
        BlockingConsumerOffsets.connect(cluster.endpoint) as offsets,
        pytest.raises(NotLeaderError) as caught,
    ):
        offsets.find()
    assert caught.value.hint is not None
    assert caught.value.hint.endswith("try again")


def test_a_leader_that_is_offline_is_told_at_once(cluster: ScriptedCluster) -> None:
    cluster.offline.add(5002)
    with pytest.raises(LeaderUnavailableError, match="SPU 5002 is offline"):
        BlockingConsumerOffsets.connect(cluster.endpoint)


def test_without_a_place_for_offsets_there_are_none() -> None:
    with ScriptedCluster({"consumer-offset": []}) as cluster:
        with BlockingConsumerOffsets.connect(cluster.endpoint) as offsets:
            assert offsets.find() == []
        assert cluster.spu.raw == []
