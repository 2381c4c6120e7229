"""What pushes of the SC mean for one SPU."""

import pytest

from fluvio_local_cluster.spu.replica.assignment import Assignment, ForeignClusterError, refusal
from fluvio_protocol.api.admin import MsgType
from fluvio_protocol.api.mirror import RemotePartitionConfig
from fluvio_protocol.api.sc_spu import (
    ControlMessage,
    Replica,
    ReplicaIncarnation,
    UpdateIncarnationsRequest,
    UpdateReplicaRequest,
)
from fluvio_protocol.error_code import ReplicaKey


def replica(topic: str, leader: int = 1, **fields: object) -> Replica:
    key = ReplicaKey(topic=topic, partition=0)
    return Replica(id=key, leader=leader, replicas=fields.pop("replicas", [leader]), **fields)  # type: ignore[arg-type]


def full(*replicas: Replica) -> UpdateReplicaRequest:
    return UpdateReplicaRequest(epoch=1, all=list(replicas))


def delta(kind: MsgType, *replicas: Replica) -> UpdateReplicaRequest:
    return UpdateReplicaRequest(epoch=2, changes=[ControlMessage(header=kind, content=r) for r in replicas])


def test_a_full_push_names_the_own_replicas_and_remembers_all() -> None:
    assignment = Assignment(1)
    change = assignment.apply(full(replica("mine"), replica("theirs", 2)))
    assert set(change.wanted) == {("mine", 0)}
    assert assignment.leader_of(("theirs", 0)) == 2
    assert assignment.leader_of(("unknown", 0)) is None


def told(assignment: Assignment, cluster_id: str = "c", *, is_whole: bool = True) -> Assignment:
    """After the message that stands before an update."""
    assignment.learn_incarnations(UpdateIncarnationsRequest(cluster_id=cluster_id, is_whole=is_whole))
    return assignment


def test_a_full_push_of_an_sc_that_sees_all_replaces_and_a_delta_does_not() -> None:
    assignment = Assignment(1)
    told(assignment).apply(full(replica("a"), replica("b"), replica("c", 2)))
    assert assignment.apply(delta(MsgType.UPDATE, replica("a"))).removed == set()
    change = told(assignment).apply(full(replica("a")))
    assert change.is_complete
    assert change.removed == {("b", 0)}
    assert change.forgotten == {("b", 0), ("c", 0)}


def test_what_a_full_push_lacks_stays_unless_the_sc_says_that_it_sees_all() -> None:
    """It may have lost metadata; an official SC never says."""
    assignment = Assignment(1)
    told(assignment).apply(full(replica("a"), replica("b"), replica("c", 2)))
    for update in (told(assignment, is_whole=False), assignment):
        change = update.apply(full(replica("a")))
        assert (change.removed, change.forgotten, change.is_complete) == (set(), set(), False)
        assert set(assignment.known) == {("a", 0), ("b", 0), ("c", 0)}
        assert not assignment.is_complete


def test_that_the_sc_sees_all_counts_for_one_push_only() -> None:
    assignment = told(Assignment(1))
    assignment.apply(full(replica("a"), replica("b")))
    assert assignment.apply(full(replica("a"))).removed == set()


def test_the_sc_of_another_cluster_is_not_listened_to() -> None:
    assignment = told(Assignment(1), "c")
    with pytest.raises(ForeignClusterError, match="belongs to the cluster c, the SC to d"):
        told(assignment, "d")


def test_a_push_without_anything_removes_nothing() -> None:
    assignment = Assignment(1)
    assignment.apply(full(replica("a")))
    change = assignment.apply(full())
    assert (change.removed, change.is_complete) == (set(), False)
    assert assignment.known


def test_deletion_comes_as_a_delta_or_as_a_mark() -> None:
    for update in (
        delta(MsgType.DELETE, replica("a")),
        delta(MsgType.UPDATE, replica("a", is_being_deleted=True)),
        full(replica("a", is_being_deleted=True), replica("b")),
    ):
        assignment = Assignment(1)
        assignment.apply(full(replica("a"), replica("b")))
        change = assignment.apply(update)
        assert change.removed == {("a", 0)}
        assert ("a", 0) not in assignment.known


def test_deleting_what_was_never_known_is_still_confirmed() -> None:
    assert Assignment(1).apply(delta(MsgType.DELETE, replica("a"))).removed == {("a", 0)}
    assert Assignment(1).apply(delta(MsgType.DELETE, replica("a", 2))).removed == set()


def test_a_replica_that_moves_away_is_removed_and_one_deleted_and_made_anew_is_wanted() -> None:
    assignment = Assignment(1)
    assignment.apply(full(replica("a", replicas=[1, 2])))
    assert assignment.apply(delta(MsgType.UPDATE, replica("a", 2))).removed == {("a", 0)}
    both = UpdateReplicaRequest(
        epoch=3,
        changes=[
            ControlMessage(header=MsgType.DELETE, content=replica("a")),
            ControlMessage(header=MsgType.UPDATE, content=replica("a")),
        ],
    )
    change = assignment.apply(both)
    assert (set(change.wanted), change.removed) == ({("a", 0)}, set())


def test_incarnations_are_part_of_the_wish() -> None:
    assignment = Assignment(1)

    def learn(incarnation: str) -> None:
        entry = ReplicaIncarnation(id=ReplicaKey(topic="a", partition=0), incarnation=incarnation)
        assignment.learn_incarnations(
            UpdateIncarnationsRequest(cluster_id="c", is_whole=True, incarnations=[entry])
        )

    learn("one")
    first = assignment.apply(full(replica("a"))).wanted["a", 0]
    assert (first.cluster_id, first.incarnation) == ("c", "one")
    assert assignment.apply(full(replica("a"))).wanted["a", 0] == first
    learn("two")
    assert assignment.apply(full(replica("a"))).wanted["a", 0] != first


def test_what_cannot_be_kept_is_refused_with_a_reason() -> None:
    mirror = RemotePartitionConfig(home_cluster="h", home_spu_key="k", home_spu_id=1, home_spu_endpoint="e")
    assert refusal(replica("a"), 1) is None
    for wanted in (replica("a", replicas=[1, 2]), replica("a", 2), replica("a", mirror=mirror)):
        assert "not supported yet" in (refusal(wanted, 1) or "")
