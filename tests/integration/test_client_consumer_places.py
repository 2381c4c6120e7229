"""How far consumers are, and moving them, over blocking sockets from a cluster that behaves officially."""

from collections.abc import Iterator

import pytest

from fluvio_client.consumer_places import BlockingConsumerPlaces, Bounds
from fluvio_client.errors import LeaderUnavailableError, PartitionNotFoundError
from fluvio_protocol.api.consumer_offsets import UpdateConsumerOffsetRequest
from tests.support.record_sets import one_batch
from tests.support.scripted_cluster import ScriptedCluster


@pytest.fixture
def cluster() -> Iterator[ScriptedCluster]:
    with ScriptedCluster({"consumer-offset": [5002], "t": [5001, 5002]}) as cluster:
        yield cluster


def test_each_leader_tells_where_its_partition_ends(cluster: ScriptedCluster) -> None:
    cluster.spus[5002].append("t", 1, one_batch(b"a", b"b", b"c"))
    places = BlockingConsumerPlaces.connect(cluster.endpoint)
    assert places.bounds("t", 0) == Bounds(0, 0)
    assert places.bounds("t", 1) == Bounds(0, 3)


@pytest.mark.parametrize("values", [[], [b"a", b"b"]], ids=["empty", "with records"])
def test_a_consumer_is_moved_without_reading_anything(values: list[bytes], cluster: ScriptedCluster) -> None:
    spu = cluster.spus[5002]
    if values:
        spu.append("t", 1, one_batch(*values))
    places = BlockingConsumerPlaces.connect(cluster.endpoint)
    places.move("mine", "t", 1, 1)
    places.move("mine", "t", 1, 0)
    assert spu.stored == {("mine", "t", 1): -1}  # of the last record read: none yet
    asked = spu.asked(UpdateConsumerOffsetRequest)
    assert [request.offset for request in asked] == [0, -1]
    assert cluster.spus[5001].asked(UpdateConsumerOffsetRequest) == []


def test_what_is_not_there_is_told(cluster: ScriptedCluster) -> None:
    places = BlockingConsumerPlaces.connect(cluster.endpoint)
    with pytest.raises(PartitionNotFoundError):
        places.bounds("t", 2)
    with pytest.raises(PartitionNotFoundError):
        places.move("mine", "nope", 0, 0)
    cluster.offline.add(5001)
    with pytest.raises(LeaderUnavailableError, match="SPU 5001 is offline"):
        BlockingConsumerPlaces.connect(cluster.endpoint).bounds("t", 0)
