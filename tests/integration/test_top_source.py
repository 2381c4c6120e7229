"""What `fluvio top` asks of a cluster that behaves officially, and what it makes of faults."""

from collections.abc import Iterator

import pytest

from fluvio_cli.top.source import ClusterSource
from fluvio_cli.top.tail import MOST_RECORDS, Tail
from fluvio_client.errors import ConnectionFailedError, ConnectionLostError
from fluvio_protocol.api.fetch import FetchRequest
from fluvio_protocol.api.offsets import FetchOffsetsRequest
from tests.support.record_sets import one_batch
from tests.support.scripted_cluster import ScriptedCluster


@pytest.fixture
def cluster() -> Iterator[ScriptedCluster]:
    with ScriptedCluster({"consumer-offset": [5002], "t": [5001, 5002], "u": [5001]}) as cluster:
        yield cluster


@pytest.fixture
def source(cluster: ScriptedCluster) -> Iterator[ClusterSource]:
    source = ClusterSource(cluster.endpoint, client_id="test", timeout_s=10.0)
    yield source
    source.close()


def test_each_spu_is_asked_once_for_all_that_it_leads(
    cluster: ScriptedCluster, source: ClusterSource
) -> None:
    cluster.spus[5002].append("t", 1, one_batch(b"a", b"b", b"c"))
    cluster.spus[5002].stored["reader", "t", 1] = 0
    sample = source.take()
    figures = {each.key: each for each in sample.partitions}
    assert (figures["t", 1].start, figures["t", 1].end, figures["t", 1].leader) == (0, 3, 5002)
    assert (figures["t", 0].records, figures["u", 0].records) == (0, 0)
    assert [(spu.id, spu.status) for spu in sample.spus] == [(5001, "Online"), (5002, "Online")]
    assert [(each.consumer, each.offset) for each in sample.consumers] == [("reader", 0)]
    asked = cluster.spus[5001].asked(FetchOffsetsRequest)
    assert len(asked) == 1
    assert sorted(topic.name for topic in asked[0].topics) == ["t", "u"]
    assert sample.remarks == []


def test_an_spu_that_is_away_is_told_and_the_rest_goes_on(
    cluster: ScriptedCluster, source: ClusterSource
) -> None:
    source.take()
    cluster.offline.add(5002)
    sample = source.take()
    assert [(spu.id, spu.status) for spu in sample.spus] == [(5001, "Online"), (5002, "Offline")]
    assert sample.remarks == ["SPU 5002, which keeps the consumers' offsets, is not online"]
    tail = Tail("t", 1)
    source.follow(tail, sample)
    assert list(tail.records) == []
    cluster.offline.clear()
    assert source.take().remarks == []


def test_a_tail_reads_the_last_records_and_then_only_new_ones(
    cluster: ScriptedCluster, source: ClusterSource
) -> None:
    spu, tail = cluster.spus[5001], Tail("u", 0)
    for number in range(3 * MOST_RECORDS):
        spu.append("u", 0, one_batch(b"%d" % number))
    source.follow(tail, source.take())
    assert [record.offset for record in tail.records] == list(range(2 * MOST_RECORDS, 3 * MOST_RECORDS))
    asked = len(spu.asked(FetchRequest))
    source.follow(tail, source.take())
    assert len(spu.asked(FetchRequest)) == asked
    spu.append("u", 0, one_batch(b"new", b"newer"))
    source.follow(tail, source.take())
    assert [record.value for record in tail.records][-2:] == ["new", "newer"]


def test_an_official_spu_cuts_a_batch_and_gets_asked_for_all_of_it(
    cluster: ScriptedCluster, source: ClusterSource
) -> None:
    cluster.spus[5001].append("u", 0, one_batch(b"x" * 1_000_000))
    tail = Tail("u", 0)
    source.follow(tail, source.take())
    assert [(record.offset, len(record.value)) for record in tail.records] == [(0, 256)]


def test_after_a_failure_everything_is_connected_anew() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        source = ClusterSource(cluster.endpoint, client_id="test", timeout_s=10.0)
        assert [each.key for each in source.take().partitions] == [("t", 0)]
    with pytest.raises(ConnectionLostError):
        source.take()
    with pytest.raises(ConnectionFailedError):
        source.take()
    source.close()
