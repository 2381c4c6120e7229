"""What reports, losses and returns make of a partition's status."""

from fluvio_local_cluster.sc.model.partitions import differs_in_state, merged
from fluvio_local_cluster.sc.model.spus import after_loss, after_return
from fluvio_protocol.api.partition import (
    PartitionResolution,
    PartitionSpec,
    PartitionStatus,
    ReplicaStatus,
)
from fluvio_protocol.api.sc_spu import LrsRequest
from fluvio_protocol.error_code import ReplicaKey
from tests.unit.sc.factories import partition

R = PartitionResolution
SPEC = PartitionSpec(leader=1, replicas=[1, 2, 3])
KEY = ReplicaKey(topic="t", partition=0)


def at(spu: int, offset: int) -> ReplicaStatus:
    return ReplicaStatus(spu=spu, hw=offset, leo=offset)


def test_a_leaders_report_makes_a_partition_online() -> None:
    report = LrsRequest(id=KEY, leader=at(1, 5), replicas=[at(3, 5), at(2, 4)], size=70, base_offset=2)
    status = merged(SPEC, PartitionStatus(), report)
    assert status == PartitionStatus(
        resolution=R.ONLINE, leader=at(1, 5), lsr=1, replicas=[at(2, 4), at(3, 5)], size=70, base_offset=2
    )


def test_entries_that_know_nothing_are_passed_over() -> None:
    known = PartitionStatus(resolution=R.ONLINE, leader=at(1, 5), replicas=[at(2, 5)])
    report = LrsRequest(id=KEY, leader=at(1, 6), replicas=[at(2, -1), ReplicaStatus()])
    assert merged(SPEC, known, report).replicas == [at(2, 5)]
    silent = LrsRequest(id=KEY, leader=at(1, -1))
    assert merged(SPEC, known, silent) == known


def test_an_older_leader_becomes_a_follower_and_a_leader_never_follows() -> None:
    known = PartitionStatus(resolution=R.ONLINE, leader=at(2, 9), replicas=[at(1, 8)])
    status = merged(SPEC, known, LrsRequest(id=KEY, leader=at(1, 9)))
    assert (status.leader, status.replicas, status.lsr) == (at(1, 9), [at(2, 9)], 1)


def test_an_spu_that_is_no_replica_is_not_listed() -> None:
    status = merged(SPEC, PartitionStatus(), LrsRequest(id=KEY, leader=at(1, 1), replicas=[at(8, 1)]))
    assert status.replicas == []


def test_a_report_does_not_clear_a_full_disk() -> None:
    full = PartitionStatus(resolution=R.OUT_OF_STORAGE, leader=at(1, 5))
    assert merged(SPEC, full, LrsRequest(id=KEY, leader=at(1, 6))).resolution is R.OUT_OF_STORAGE


def test_only_changes_of_state_are_due_at_once() -> None:
    old = PartitionStatus(resolution=R.ONLINE, leader=at(1, 5))
    assert not differs_in_state(old, PartitionStatus(resolution=R.ONLINE, leader=at(1, 6), size=1))
    assert differs_in_state(old, PartitionStatus(resolution=R.LEADER_OFFLINE, leader=at(1, 5)))
    assert differs_in_state(old, PartitionStatus(resolution=R.ONLINE, leader=at(2, 5)))


def states(*pairs: tuple[str, int, R]) -> list:  # type: ignore[type-arg]
    return [partition(key, leader, status=PartitionStatus(resolution=state)) for key, leader, state in pairs]


def test_a_lost_spu_leaves_its_readable_partitions_without_a_leader() -> None:
    given = states(
        ("a-0", 1, R.ONLINE), ("b-0", 1, R.OUT_OF_STORAGE), ("c-0", 2, R.ONLINE), ("d-0", 1, R.OFFLINE)
    )
    lost = after_loss(1, given)
    assert [(x.key, x.status.resolution) for x in lost] == [
        ("a-0", R.LEADER_OFFLINE),
        ("b-0", R.LEADER_OFFLINE),
    ]


def test_a_returned_spu_brings_back_what_it_leads() -> None:
    given = states(("a-0", 1, R.LEADER_OFFLINE), ("c-0", 2, R.LEADER_OFFLINE), ("d-0", 1, R.OFFLINE))
    assert [(x.key, x.status.resolution) for x in after_return(1, given)] == [("a-0", R.ONLINE)]
