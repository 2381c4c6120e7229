"""What a plan says of each kind of difference."""

from typing import Any

import pytest

from fluvio_cli.declared.model import (
    Action,
    Declaration,
    DeclaredProfile,
    Difference,
    Kind,
    Observed,
    Plan,
    Step,
)
from fluvio_cli.declared.planning import HIDDEN, plan
from fluvio_profiles.model import Tls, TlsCerts, TlsPolicy, TlsSource
from fluvio_protocol.api.table_format import TableFormatColumnConfig, TableFormatSpec
from fluvio_protocol.api.topic import (
    AssignedReplicas,
    CompressionAlgorithm,
    PartitionMap,
    SegmentBasedPolicy,
    TopicReplicaParam,
    TopicSpec,
)


def topic(count: int = 1, replication: int = 1, **settings: Any) -> TopicSpec:
    return TopicSpec(replicas=TopicReplicaParam(partitions=count, replication_factor=replication), **settings)


def planned(wanted: dict[str, Any], there: dict[str, Any], kind: Kind = Kind.TOPIC, **more: Any) -> Plan:
    prune = more.pop("prune", False)
    return plan(Declaration({kind: wanted}), Observed({kind: there}, **more), prune=prune)


def only(found: Plan) -> Step:
    [step] = found.steps
    return step


def verified(source: TlsSource, key: str) -> Tls:
    return Tls(TlsPolicy.VERIFIED, source, TlsCerts("d", key, "c", "ca"))


def test_what_is_as_declared_needs_nothing() -> None:
    found = planned({"t": topic(2)}, {"t": topic(2)})
    assert only(found).action is Action.NONE
    assert not found.has_drift
    assert found.to_do == []


def test_what_is_missing_is_created_and_shown_as_it_is_declared() -> None:
    step = only(planned({"t": topic(2, compression_type=CompressionAlgorithm.LZ4)}, {}))
    assert step.action is Action.CREATE
    assert [(each.setting, each.declared) for each in step.differences] == [
        ("partition.count", 2),
        ("partition.replication", 1),
        ("compression.type", "Lz4"),
    ]


def test_what_the_cluster_would_refuse_is_said_before() -> None:
    found = planned({"t": topic()}, {}, refused={"t": "the cluster refuses it: too much"})
    assert only(found).action is Action.BLOCKED
    assert only(found).obstacles == ["the cluster refuses it: too much"]
    assert (found.to_do, found.has_drift, found.unreachable) == ([], True, [only(found)])


def test_partitions_can_be_added() -> None:
    found = planned({"t": topic(4)}, {"t": topic(2)})
    assert only(found).action is Action.CHANGE
    assert only(found).differences == (Difference("partition.count", 2, 4),)
    assert found.unreachable == []


@pytest.mark.parametrize(
    ("declared", "now", "setting", "values", "told"),
    [
        (topic(1), topic(2), "partition.count", (2, 1), "cannot be taken away"),
        (topic(1, 2), topic(), "partition.replication", (1, 2), "no update"),
        (
            topic(cleanup_policy=SegmentBasedPolicy(time_in_seconds=3600)),
            topic(),
            "retention.time",
            ("7days", "1h"),
            "no update",
        ),
        (
            topic(),
            topic(compression_type=CompressionAlgorithm.GZIP),
            "compression.type",
            ("Gzip", "Any"),
            "no update",
        ),
    ],
)
def test_what_cannot_be_changed_is_said_and_not_ignored(
    declared: TopicSpec, now: TopicSpec, setting: str, values: tuple[Any, Any], told: str
) -> None:
    found = planned({"t": declared}, {"t": now})
    [difference] = only(found).differences
    assert (difference.setting, difference.now, difference.declared) == (setting, *values)
    assert told in str(difference.obstacle)
    assert (only(found).action, found.to_do, found.unreachable) == (Action.BLOCKED, [], [only(found)])


def test_a_step_may_do_what_can_be_done_and_tell_the_rest() -> None:
    found = planned({"t": topic(3, compression_type=CompressionAlgorithm.LZ4)}, {"t": topic(2)})
    assert only(found).action is Action.CHANGE
    assert found.to_do == found.unreachable == [only(found)]
    assert [bool(each.obstacle) for each in only(found).differences] == [False, True]


def test_placement_by_hand_is_fixed() -> None:
    placed = TopicSpec(replicas=AssignedReplicas(maps=[PartitionMap(id=0, replicas=[5001])]))
    step = only(planned({"t": placed}, {"t": topic()}))
    assert step.action is Action.BLOCKED
    assert all(each.obstacle for each in step.differences)
    assert only(planned({"t": placed}, {"t": placed})).action is Action.NONE


def test_a_topic_that_is_not_provisioned_is_waited_for() -> None:
    found = planned({"t": topic()}, {"t": topic()}, unready={"t": "insufficient-resources"})
    assert (only(found).action, only(found).reason) == (Action.WAIT, "insufficient-resources")
    assert found.has_drift
    assert found.unreachable == []


def test_a_layout_is_changed_key_by_key() -> None:
    def layout(**column: Any) -> TableFormatSpec:
        return TableFormatSpec(name="t", columns=[TableFormatColumnConfig(key_path="k", **column)])

    found = planned({"t": layout(width="5")}, {"t": layout(display=True)}, Kind.TABLE_FORMAT)
    assert only(found).action is Action.CHANGE
    assert only(found).differences == (
        Difference("columns[0].width", None, "5"),
        Difference("columns[0].display", True, None),
    )


def test_nothing_is_deleted_without_prune() -> None:
    found = planned({}, {"b": topic(), "a": topic()})
    assert (found.steps, found.has_drift) == ((), False)
    assert found.undeclared == ((Kind.TOPIC, "a"), (Kind.TOPIC, "b"))


def test_prune_deletes_what_no_file_has_after_all_else() -> None:
    found = planned({"z": topic()}, {"a": topic()}, prune=True)
    assert [(step.name, step.action) for step in found.steps] == [("z", Action.CREATE), ("a", Action.DELETE)]
    assert found.undeclared == ()


def test_a_section_that_no_file_has_is_left_alone() -> None:
    observed = Observed({Kind.TOPIC: {"t": topic()}, Kind.PROFILE: {}})
    found = plan(Declaration({Kind.PROFILE: {}}), observed, prune=True)
    assert (found.steps, found.undeclared, found.kept) == ((), (), ())


def test_prune_keeps_what_is_in_use_and_what_cannot_be_declared() -> None:
    there = {"now": DeclaredProfile("c", "h:1"), "old": DeclaredProfile("c", "h:1")}
    found = planned(
        {},
        there,
        Kind.PROFILE,
        prune=True,
        profiles_in_use=frozenset({"now"}),
        left_out={Kind.PROFILE: {"broken": "its cluster is missing"}},
    )
    assert [(step.name, step.action) for step in found.steps] == [("old", Action.DELETE)]
    assert found.kept == (
        (Kind.PROFILE, "broken", "its cluster is missing"),
        (Kind.PROFILE, "now", "it is in use"),
    )


def test_what_is_declared_and_cannot_be_compared_is_blocked() -> None:
    found = planned({"m": topic()}, {}, left_out={Kind.TOPIC: {"m": "it is a mirror"}})
    assert (only(found).action, only(found).reason) == (Action.BLOCKED, "it is a mirror")


def test_of_a_profile_all_can_be_changed() -> None:
    declared = DeclaredProfile("other", "h:2", use_spu_local_address=True, installation="docker")
    step = only(planned({"p": declared}, {"p": DeclaredProfile("c", "h:1", installation="k8")}, Kind.PROFILE))
    assert step.action is Action.CHANGE
    assert {each.setting: (each.now, each.declared) for each in step.differences} == {
        "endpoint": ("h:1", "h:2"),
        "cluster": ("c", "other"),
        "use_spu_local_address": (False, True),
        "installation": ("k8", "docker"),
    }


def test_what_guards_or_describes_a_cluster_stays_where_nothing_is_said_of_it() -> None:
    now = DeclaredProfile("c", "h:1", False, "docker", "protected", "ours")
    assert only(planned({"p": DeclaredProfile("c", "h:1")}, {"p": now}, Kind.PROFILE)).action is Action.NONE
    lifted = DeclaredProfile("c", "h:1", protection="normal", description="")
    step = only(planned({"p": lifted}, {"p": now}, Kind.PROFILE))
    assert {each.setting for each in step.differences} == {"protection", "description"}


def test_a_private_key_stays_and_is_never_shown() -> None:
    now = DeclaredProfile("c", "h:1", tls=verified(TlsSource.INLINE, "SECRET"))
    without = DeclaredProfile("c", "h:1", tls=verified(TlsSource.INLINE, ""))
    other = DeclaredProfile("c", "h:1", tls=verified(TlsSource.INLINE, "OTHER"))
    keys = frozenset({"c"})
    same = planned({"p": without}, {"p": now}, Kind.PROFILE, clusters_with_key=keys)
    assert only(same).action is Action.NONE
    changed = only(planned({"p": other}, {"p": now}, Kind.PROFILE, clusters_with_key=keys))
    assert changed.differences == (Difference("tls.certs.key", HIDDEN, HIDDEN),)
    opened = only(planned({"p": DeclaredProfile("c", "h:1")}, {"p": now}, Kind.PROFILE))
    assert Difference("tls.certs.key", HIDDEN, None) in opened.differences


@pytest.mark.parametrize("there", [{}, {"p": DeclaredProfile("c", "h:1")}])
def test_a_profile_whose_key_is_nowhere_is_blocked(there: dict[str, Any]) -> None:
    wanted = {"p": DeclaredProfile("c", "h:1", tls=verified(TlsSource.INLINE, ""))}
    step = only(planned(wanted, there, Kind.PROFILE))
    assert step.action is Action.BLOCKED
    assert "`tls.certs.key` is not declared" in str(step.reason)
    new = only(planned(wanted, {}, Kind.PROFILE, clusters_with_key=frozenset({"c"})))
    assert new.action is Action.CREATE
