"""What is done of a plan, in which order, and what is told when something goes wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from fluvio_cli.declared.applying import Result, Work
from fluvio_cli.declared.errors import NotAppliedError
from fluvio_cli.declared.model import Action, Declaration, DeclaredProfile, Kind, Observed, Plan, Step
from fluvio_cli.declared.planning import plan
from fluvio_client.blocking import BlockingAdmin
from fluvio_client.errors import ConnectionLostError, ResponseTimeoutError
from fluvio_profiles.store import load_config
from fluvio_protocol.api.admin import Metadata, MetadataUpdate
from fluvio_protocol.api.partition import PartitionResolution, PartitionSpec, PartitionStatus
from fluvio_protocol.api.table_format import TableFormatSpec
from fluvio_protocol.api.topic import TopicReplicaParam, TopicResolution, TopicSpec, TopicStatus
from fluvio_protocol.error_code import ErrorKind, code, exception_for


def topic(count: int = 1) -> TopicSpec:
    return TopicSpec(replicas=TopicReplicaParam(partitions=count, replication_factor=1))


class Controller:
    """Keeps what it is asked for; `faults` has what a call on a name raises."""

    def __init__(self, topics: dict[str, TopicSpec], **faults: BaseException) -> None:
        self.topics, self.faults = topics, faults
        self.formats: dict[str, TableFormatSpec] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.resolution = TopicResolution.PROVISIONED
        self.offline: set[str] = set()

    def _called(self, *call: Any) -> None:
        self.calls.append(call)
        fault = self.faults.get(f"{call[0]}_{call[1]}")
        if fault is not None:
            raise fault

    def create_topic(self, name: str, spec: TopicSpec, *, timeout_s: float) -> None:
        self.topics[name] = spec
        self._called("create", name)

    def add_partitions(self, name: str, count: int) -> None:
        self._called("add", name, count)
        replicas = cast(TopicReplicaParam, self.topics[name].replicas)
        self.topics[name] = topic(replicas.partitions + count)

    def delete_topic(self, name: str) -> None:
        self._called("delete", name)
        del self.topics[name]

    def create_table_format(self, spec: TableFormatSpec) -> None:
        self._called("store", spec.name, spec.smartmodule)
        if self.faults.get(f"store_{spec.smartmodule}") is not None:
            raise self.faults[f"store_{spec.smartmodule}"]
        self.formats[spec.name] = spec

    def delete_table_format(self, name: str) -> None:
        self._called("drop", name)

    def watch(self, label: str, *, timeout_s: float) -> Iterator[MetadataUpdate[Any, Any]]:
        items: list[Any] = []
        for name, spec in self.topics.items():
            count = cast(TopicReplicaParam, spec.replicas).partitions
            if label == "Topic":
                rows = {row: [5001] for row in range(count)}
                status = TopicStatus(resolution=self.resolution, replica_map=rows, reason="no SPU")
                items.append(Metadata(name=name, spec=spec, status=status))
                continue
            for row in range(count):
                key = f"{name}-{row}"
                word = PartitionResolution.OFFLINE if key in self.offline else PartitionResolution.ONLINE
                status_of = PartitionStatus(resolution=word)
                items.append(
                    Metadata(name=key, spec=PartitionSpec(leader=5001, replicas=[5001]), status=status_of)
                )
        yield MetadataUpdate(epoch=1, changes=[], all=items)

    def close(self) -> None:
        """Nothing is open."""


def work(path: Path, found: Plan, controller: Controller) -> tuple[Work, list[str]]:
    told: list[str] = []
    done = Work(
        found,
        lambda: cast(BlockingAdmin, controller),
        path / "config",
        wait_s=5,
        tell=lambda step, result: told.append(f"{step.name} {step.action} {result}"),
    )
    done.run()
    return done, told


def planned(wanted: dict[Kind, dict[str, Any]], there: dict[Kind, dict[str, Any]]) -> Plan:
    return plan(Declaration(wanted), Observed(there), prune=True)


REFUSED = exception_for(code(ErrorKind.PERMISSION_DENIED))


def test_deletions_come_last_and_each_step_is_told_when_it_is_done(tmp_path: Path) -> None:
    controller = Controller({"old": topic(), "grown": topic(2)})
    found = planned(
        {
            Kind.TOPIC: {"new": topic(2), "grown": topic(5)},
            Kind.PROFILE: {"p": DeclaredProfile("c", "h:1", protection="protected")},
        },
        {Kind.TOPIC: dict(controller.topics)},
    )
    done, told = work(tmp_path, found, controller)
    assert controller.calls == [("add", "grown", 3), ("create", "new"), ("delete", "old")]
    assert told == [
        "new create done",
        "grown change done",
        "p create done",
        "old delete done",
    ]
    assert done.failure is None
    config = load_config(tmp_path / "config")
    assert config.clusters["c"].metadata == {"installation": "k8", "fluvio_cli": {"protection": "protected"}}
    assert (
        planned({Kind.TOPIC: {"new": topic(2), "grown": topic(5)}}, {Kind.TOPIC: controller.topics}).to_do
        == []
    )


def test_a_refusal_keeps_nothing_but_deletions(tmp_path: Path) -> None:
    controller = Controller({"old": topic()}, create_bad=REFUSED)
    found = planned({Kind.TOPIC: {"bad": topic(), "good": topic()}}, {Kind.TOPIC: {"old": topic()}})
    done, told = work(tmp_path, found, controller)
    assert told == ["bad create failed", "good create done"]
    assert done.results == {
        (Kind.TOPIC, "bad"): Result.FAILED,
        (Kind.TOPIC, "good"): Result.DONE,
        (Kind.TOPIC, "old"): Result.NOT_TRIED,
    }
    assert done.failure is REFUSED
    assert done.problems == {(Kind.TOPIC, "bad"): str(REFUSED)}


def test_a_lost_connection_ends_the_work_and_what_is_done_is_known(tmp_path: Path) -> None:
    lost = ConnectionLostError("h:1")
    found = planned({Kind.TOPIC: {"a": topic(), "b": topic(), "c": topic()}}, {})
    done, told = work(tmp_path, found, Controller({}, create_b=lost))
    assert told == ["a create done"]
    assert [done.count(result) for result in (Result.DONE, Result.NOT_TRIED)] == [1, 2]
    assert done.failure is lost
    told_at_the_end = NotAppliedError(1, 0, 2, lost)
    assert (told_at_the_end.kind, str(told_at_the_end)) == (
        "cannot-connect",
        f"only 1 of 3 changes was done: {lost}",
    )


def test_an_interruption_passes_and_what_is_done_is_known(tmp_path: Path) -> None:
    found = planned({Kind.TOPIC: {"a": topic(), "b": topic()}}, {})
    controller = Controller({}, create_b=KeyboardInterrupt())
    done = Work(
        found,
        lambda: cast(BlockingAdmin, controller),
        tmp_path / "config",
        wait_s=5,
        tell=lambda *_: None,
    )
    with pytest.raises(KeyboardInterrupt):
        done.run()
    assert done.count(Result.DONE) == 1


@pytest.mark.parametrize("action", [Action.CREATE, Action.WAIT])
def test_a_topic_that_lacks_spus_is_pending_with_the_reason_and_stays(tmp_path: Path, action: Action) -> None:
    slow = ResponseTimeoutError(3, 1, 1)
    controller = Controller({"t": topic()}, create_t=slow)
    controller.resolution = TopicResolution.INSUFFICIENT_RESOURCES
    done, told = work(tmp_path, Plan((Step(Kind.TOPIC, "t", action, declared=topic()),)), controller)
    assert told == [f"t {action} pending"]
    assert done.problems == {(Kind.TOPIC, "t"): "insufficient-resources: no SPU"}
    assert "t" in controller.topics


def test_a_partition_that_is_offline_is_named(tmp_path: Path) -> None:
    controller = Controller({"t": topic(2)})
    controller.offline = {"t-3"}
    found = planned({Kind.TOPIC: {"t": topic(4)}}, {Kind.TOPIC: {"t": topic(2)}})
    done, _ = work(tmp_path, found, controller)
    assert done.problems == {(Kind.TOPIC, "t"): "partition `t-3` is not online"}


def test_a_layout_that_is_refused_leaves_the_old_one(tmp_path: Path) -> None:
    old, new = TableFormatSpec(name="f", smartmodule="old"), TableFormatSpec(name="f", smartmodule="new")
    controller = Controller({}, store_new=REFUSED)
    found = planned({Kind.TABLE_FORMAT: {"f": new}}, {Kind.TABLE_FORMAT: {"f": old}})
    done, told = work(tmp_path, found, controller)
    assert controller.formats == {"f": old}
    assert told == ["f change failed"]
    assert done.count(Result.FAILED) == 1


def test_a_layout_comes_back_when_somebody_interrupts_its_change(tmp_path: Path) -> None:
    old, new = TableFormatSpec(name="f", smartmodule="old"), TableFormatSpec(name="f", smartmodule="new")
    controller = Controller({}, store_new=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path, planned({Kind.TABLE_FORMAT: {"f": new}}, {Kind.TABLE_FORMAT: {"f": old}}), controller)
    assert controller.formats == {"f": old}


def test_a_layout_that_is_gone_is_told(tmp_path: Path) -> None:
    old, new = TableFormatSpec(name="f", smartmodule="old"), TableFormatSpec(name="f", smartmodule="new")
    controller = Controller({}, store_new=REFUSED, store_old=ConnectionLostError("h:1"))
    found = planned({Kind.TABLE_FORMAT: {"f": new}}, {Kind.TABLE_FORMAT: {"f": old}})
    done, _ = work(tmp_path, found, controller)
    assert "`f` was to be changed and is gone" in str(done.failure)
    exists = exception_for(code(ErrorKind.TABLE_FORMAT_ALREADY_EXISTS))
    lost = ConnectionLostError("h:1")
    done, _ = work(tmp_path, found, Controller({}, store_new=lost, store_old=exists))
    assert done.failure is lost


def test_profiles_are_changed_all_or_none(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("nonsense")
    wanted = {"a": DeclaredProfile("a", "h:1"), "b": DeclaredProfile("b", "h:2")}
    done, told = work(tmp_path, planned({Kind.PROFILE: wanted}, {}), Controller({}))
    assert told == ["a create failed", "b create failed"]
    assert done.failure is not None
    assert (tmp_path / "config").read_text() == "nonsense"


def test_what_a_declaration_does_not_know_stays_in_the_profile_file(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(
        'version = "2.0"\ncurrent_profile = "p"\n[profile.p]\ncluster = "c"\ntopic = "t"\n[profile.old]\n'
        'cluster = "c"\n[cluster.c]\nendpoint = "h:1"\nother = 3\n[cluster.c.tls]\ntls_policy = "verified"\n'
        'tls_source = "inline"\n[cluster.c.tls.certs]\ndomain = "d"\nkey = "KEY"\n'
        'cert = "C"\nca_cert = "CA"\n'
    )
    from fluvio_cli.declared.profiles import profile_in, read_profile

    before = {name: profile_in(load_config(path), name) for name in ("p", "old")}
    certs = {"domain": "d2", "cert": "C", "ca_cert": "CA"}
    tls = {"tls_policy": "verified", "tls_source": "inline", "certs": certs}
    declared = read_profile("", "p", {"endpoint": "h:2", "cluster": "c", "tls": tls})
    observed = Observed({Kind.PROFILE: before}, clusters_with_key=frozenset({"c"}))
    found = plan(Declaration({Kind.PROFILE: {"p": declared}}), observed, prune=True)
    work(tmp_path, found, Controller({}))
    config = load_config(path)
    assert (config.current_profile, list(config.profiles)) == ("p", ["p"])
    assert config.profiles["p"].topic == "t"
    cluster = config.clusters["c"]
    assert (cluster.endpoint, cluster.extra) == ("h:2", {"other": 3})
    assert cluster.tls.certs is not None
    assert (cluster.tls.certs.domain, cluster.tls.certs.key) == ("d2", "KEY")
