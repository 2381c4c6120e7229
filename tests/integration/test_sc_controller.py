"""Changes that overlap, fail or are given up: one decision after the other, nothing by halves."""

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fluvio_local_cluster.sc.controller import Controller, Plan
from fluvio_local_cluster.sc.model.objects import Kind
from fluvio_local_cluster.sc.model.stores import Cluster
from fluvio_local_cluster.sc.model.topics import new_topic, provision
from fluvio_local_cluster.sc.store import FileCalls, MetadataDirectory, MetadataError
from fluvio_local_cluster.sc.yaml_format import parse
from fluvio_protocol.api.partition import PartitionResolution, PartitionStatus, ReplicaStatus
from tests.support.controllers import Client, SpuDouble, run_scenario, topic_spec
from tests.support.controllers import controller as running_server
from tests.unit.sc.factories import cluster_of


@asynccontextmanager
async def controller(
    path: Path, cluster: Cluster, calls: FileCalls | None = None, flush_interval_s: float = 60
) -> AsyncIterator[Controller]:
    directory = MetadataDirectory.open(path, calls)
    try:
        async with asyncio.TaskGroup() as group:
            made = Controller(cluster, directory, flush_interval_s=flush_interval_s)
            group.create_task(made.run())
            try:
                yield made
            finally:
                made.stop()
    finally:
        directory.close()


def creating(cluster: Cluster, name: str) -> Plan:
    return Plan(put=provision(cluster, [new_topic(name, topic_spec())]).objects)


def test_decisions_at_once_see_each_others_results(tmp_path: Path) -> None:
    async def scenario() -> None:
        cluster = cluster_of(1, 2)
        async with controller(tmp_path, cluster) as made, asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(made.change(lambda number=number: creating(cluster, f"t{number}")))
        leaders = [partition.spec.leader for partition in cluster.partitions]
        assert (leaders.count(1), leaders.count(2)) == (10, 10)
        assert len(list((tmp_path / "Topic").glob("*.yaml"))) == 20

    run_scenario(scenario())


def test_a_failed_write_changes_nothing_and_the_next_one_works(tmp_path: Path) -> None:
    is_full = True

    def fsync(descriptor: int) -> None:
        if is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        os.fsync(descriptor)

    async def scenario() -> None:
        nonlocal is_full
        cluster = cluster_of(1)
        async with controller(tmp_path, cluster, FileCalls(fsync=fsync)) as made:
            with pytest.raises(MetadataError, match="No space left"):
                await made.change(lambda: creating(cluster, "t"))
            assert len(cluster.topics) == 0
            is_full = False
            await made.change(lambda: creating(cluster, "t"))
            assert [partition.key for partition in cluster.partitions] == ["t-0"]

    run_scenario(scenario())


def test_a_bug_in_one_decision_ends_only_that_one(tmp_path: Path) -> None:
    def bug() -> Plan:
        raise ZeroDivisionError

    async def scenario() -> None:
        cluster = cluster_of(1)
        async with controller(tmp_path, cluster) as made:
            with pytest.raises(MetadataError, match="internal error"):
                await made.change(bug)
            await made.change(lambda: creating(cluster, "t"))
            assert "t" in cluster.topics

    run_scenario(scenario())


def test_a_client_that_gives_up_midway_leaves_disk_and_memory_in_agreement(tmp_path: Path) -> None:
    is_writing, may_go_on = threading.Event(), threading.Event()

    def fsync(descriptor: int) -> None:
        is_writing.set()
        assert may_go_on.wait(10)
        os.fsync(descriptor)

    async def scenario() -> None:
        cluster = cluster_of(1)
        async with controller(tmp_path, cluster, FileCalls(fsync=fsync)) as made:
            async with asyncio.TaskGroup() as group:
                waiting = group.create_task(made.change(lambda: creating(cluster, "t")))
                await asyncio.to_thread(is_writing.wait, 10)
                waiting.cancel()
            assert "t" not in cluster.topics  # it is not safe yet
            may_go_on.set()
            await made.change(Plan)
            assert "t" in cluster.topics
        assert (tmp_path / "Topic" / "t.yaml").exists()

    run_scenario(scenario())


def test_offsets_are_shown_at_once_but_written_only_at_the_end(tmp_path: Path) -> None:
    def status(leo: int) -> PartitionStatus:
        return PartitionStatus(
            resolution=PartitionResolution.ONLINE, leader=ReplicaStatus(spu=1, hw=leo, leo=leo)
        )

    def leo_on_disk() -> int:
        document = parse((tmp_path / "Partition" / "t-0.yaml").read_bytes()).value
        return int(document["status"]["leader"]["leo"])

    async def scenario() -> None:
        cluster = cluster_of(1)
        async with controller(tmp_path, cluster) as made:
            await made.change(lambda: creating(cluster, "t"))
            for leo in (5, 6):
                (partition,) = cluster.partitions
                made.observe(Kind.PARTITION, [partition.changed(status=status(leo))], soon=False)
            await made.change(Plan)
            assert leo_on_disk() == -1
            (partition,) = cluster.partitions
            assert partition.status.leader.leo == 6
        assert leo_on_disk() == 6
        document = parse((tmp_path / "Partition" / "t-0.yaml").read_bytes()).value
        assert document["meta"]["revision"] == 1

    run_scenario(scenario())


def test_a_state_seen_during_its_write_is_not_lost(tmp_path: Path) -> None:
    is_writing, may_go_on = threading.Event(), threading.Event()
    may_go_on.set()

    def fsync(descriptor: int) -> None:
        is_writing.set()
        assert may_go_on.wait(10)

    async def scenario() -> None:
        cluster = cluster_of(1)
        async with controller(tmp_path, cluster, FileCalls(fsync=fsync)) as made:
            await made.change(lambda: creating(cluster, "t"))
            is_writing.clear()
            may_go_on.clear()
            for resolution in (PartitionResolution.ONLINE, PartitionResolution.LEADER_OFFLINE):
                (partition,) = cluster.partitions
                changed = partition.changed(status=PartitionStatus(resolution=resolution))
                made.observe(Kind.PARTITION, [changed], soon=True)
                await asyncio.to_thread(is_writing.wait, 10)
            may_go_on.set()
            await made.change(Plan)
            (partition,) = cluster.partitions
            assert partition.status.resolution is PartitionResolution.LEADER_OFFLINE
        document = parse((tmp_path / "Partition" / "t-0.yaml").read_bytes()).value
        assert document["status"]["resolution"] == "LeaderOffline"

    run_scenario(scenario())


def test_two_clients_that_want_one_name_get_one_topic(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_server(tmp_path, topic_wait_s=0.2) as server:
            assert server.public is not None
            async with (
                await Client.connect(server.public.port) as one,
                await Client.connect(server.public.port) as two,
            ):
                asked = (
                    one.send_create("Topic", "t", topic_spec()),
                    two.send_create("Topic", "t", topic_spec()),
                )
                answers = await one.answer(asked[0]), await two.answer(asked[1])
                assert sorted(answer.error_code.kind.name for answer in answers) == [
                    "TOPIC_ALREADY_EXISTS",
                    "TOPIC_NOT_PROVISIONED",
                ]

    run_scenario(scenario())


def test_a_watcher_that_never_reads_holds_up_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_server(tmp_path) as server:
            assert server.public is not None
            assert server.private is not None
            async with (
                await Client.connect(server.public.port) as client,
                await Client.connect(server.public.port) as stalled,
            ):
                await client.register(5001)
                stalled.watch("Topic")
                spu = await SpuDouble.register(server.private.port, 5001)
                async with asyncio.TaskGroup() as group:
                    serving = group.create_task(spu.serve())
                    for number in range(30):
                        assert (await client.create_topic(f"t{number}")).error_code.is_ok
                    serving.cancel()
                spu.writer.close()

    run_scenario(scenario())
