"""A real controller over real sockets: clients with the bytes of official ones, SPUs that follow a script."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fluvio_local_cluster.sc.server import ScServer
from fluvio_local_cluster.sc.yaml_format import parse
from fluvio_protocol.api.admin import MsgType
from fluvio_protocol.api.partition import PartitionResolution
from fluvio_protocol.api.spu import SpuStatusResolution
from fluvio_protocol.api.topic import AssignedReplicas, PartitionMap, TopicResolution, TopicSpec
from fluvio_protocol.error_code import ErrorKind
from tests.support.controllers import Client, SpuDouble, controller, run_scenario, topic_spec


def ports(server: ScServer) -> tuple[int, int]:
    assert server.public is not None
    assert server.private is not None
    return server.public.port, server.private.port


@contextlib.asynccontextmanager
async def client_of(server: ScServer) -> AsyncIterator[Client]:
    async with await Client.connect(ports(server)[0]) as client:
        yield client


@contextlib.asynccontextmanager
async def serving_spu(server: ScServer, spu_id: int, *, own: bool = True) -> AsyncIterator[SpuDouble]:
    async with (
        await SpuDouble.register(ports(server)[1], spu_id, own=own) as spu,
        asyncio.TaskGroup() as group,
    ):
        serving = group.create_task(spu.serve(), name=f"spu {spu_id}")
        yield spu
        serving.cancel()


def test_the_system_topic_is_there_before_the_first_client(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            topic = client.watch("Topic")
            update = await client.update(topic)
            assert [stored.name for stored in update.all] == ["consumer-offset"]
            assert update.changes == []
            assert await client.list("Topic") == []
            (system,) = await client.list("Topic", system=True)
            assert system.spec.storage.segment_size == 512_000_000
            assert system.status.resolution is TopicResolution.INSUFFICIENT_RESOURCES
            assert system.status.reason == "needs 1 SPU, 0 online"

    run_scenario(scenario())


def test_create_waits_for_the_leader_and_watches_are_told_before_the_answer(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client, client_of(server) as watcher:
            await client.register(5001)
            spu = await SpuDouble.register(ports(server)[1], 5001)
            await spu.wait_for_replica("consumer-offset-0")
            topics, partitions = watcher.watch("Topic"), watcher.watch("Partition")
            assert len((await watcher.update(topics)).all) == 1
            assert len((await watcher.update(partitions)).all) == 1

            asked = client.send_create("Topic", "news", topic_spec(2))
            created = await watcher.update(topics)
            assert [(c.header, c.content.name) for c in created.changes] == [(MsgType.UPDATE, "news")]
            assert created.changes[0].content.status.replica_map == {0: [5001], 1: [5001]}
            placed = await watcher.update(partitions)
            assert [c.content.name for c in placed.changes] == ["news-0", "news-1"]
            assert placed.changes[0].content.status.resolution is PartitionResolution.OFFLINE

            await spu.wait_for_replica("news-0", "news-1")
            spu.report("news-0")
            online = await watcher.update(partitions)
            assert [c.content.name for c in online.changes] == ["news-0"]
            spu.report("news-1")
            status = await client.answer(asked)
            assert (status.name, status.error_code.kind) == ("news", ErrorKind.NONE)
            # The answer is there, so the update is: no waiting is left in this read.
            last = await asyncio.wait_for(watcher.update(partitions), 0.5)
            assert last.changes[0].content.status.resolution is PartitionResolution.ONLINE
            spu.writer.close()

    run_scenario(scenario())


def test_a_watch_on_the_creating_connection_itself_is_told_first(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            await client.register(5001)
            async with serving_spu(server, 5001):
                watch = client.watch("Partition")
                await client.update(watch)
                asked = client.send_create("Topic", "news", topic_spec())
                seen = []
                while (
                    not seen
                    or seen[-1].content.status.resolution is not PartitionResolution.ONLINE
                    or seen[-1].content.name != "news-0"
                ):
                    seen += (await client.update(watch)).changes
                assert (await client.answer(asked)).error_code.is_ok

    run_scenario(scenario())


def test_a_topic_without_spus_waits_and_is_provisioned_when_one_joins(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client, client_of(server) as other:
            asked = client.send_create("Topic", "patient", topic_spec())
            watch = other.watch("Topic")
            while "patient" not in [x.name for x in await other_list(server)]:
                await other.update(watch)
            (waiting,) = await other_list(server)
            assert waiting.status.resolution is TopicResolution.INSUFFICIENT_RESOURCES
            await other_register(server, 5001)
            async with serving_spu(server, 5001):
                assert (await client.answer(asked)).error_code.is_ok
            (provisioned,) = await other_list(server)
            assert provisioned.status.resolution is TopicResolution.PROVISIONED
            assert provisioned.status.reason == ""

    run_scenario(scenario())


async def other_list(server: ScServer) -> list:  # type: ignore[type-arg]
    async with client_of(server) as client:
        return await client.list("Topic")


async def other_register(server: ScServer, spu_id: int) -> None:
    async with client_of(server) as client:
        assert (await client.register(spu_id)).error_code.is_ok


def test_a_create_whose_patience_ends_says_state_and_reason_and_the_topic_stays(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path, topic_wait_s=0.05) as server, client_of(server) as client:
            status = await client.create_topic("lonely")
            assert status.error_code.kind is ErrorKind.TOPIC_NOT_PROVISIONED
            assert status.error_message == (
                "only 0 out of 1 provisioned: topic 'lonely' is insufficient-resources: "
                "needs 1 SPU, 0 online; it will be provisioned when SPUs join"
            )
            assert [topic.name for topic in await client.list("Topic")] == ["lonely"]

    run_scenario(scenario())


def test_deleting_a_waiting_topic_ends_the_create(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client, client_of(server) as other:
            asked = client.send_create("Topic", "patient", topic_spec())
            while not await other.list("Topic"):
                pass
            assert (await other.delete("Topic", "patient")).error_code.is_ok
            status = await client.answer(asked)
            assert status.error_code.kind is ErrorKind.TOPIC_NOT_FOUND

    run_scenario(scenario())


def test_while_a_create_waits_its_connection_answers_other_requests(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path, topic_wait_s=0.5) as server, client_of(server) as client:
            asked = client.send_create("Topic", "patient", topic_spec())
            assert [topic.name for topic in await client.list("Topic")] == ["patient"]
            assert (await client.answer(asked)).error_code.kind is ErrorKind.TOPIC_NOT_PROVISIONED

    run_scenario(scenario())


@pytest.mark.parametrize("dry_run", [False, True])
def test_copies_are_refused_as_not_supported_yet(tmp_path: Path, dry_run: bool) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            status = await client.create_topic("copies", topic_spec(1, 2), dry_run=dry_run)
            assert status.error_message == "not supported yet: replication factor 2, copies are not made yet"
            assert status.error_code.payload == (status.error_message,)
            assert await client.list("Topic") == []

    run_scenario(scenario())


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            assert (await client.create_topic("maybe", dry_run=True)).error_code.is_ok
            assert await client.list("Topic") == []

    run_scenario(scenario())


def test_a_deleted_topic_is_gone_from_disk_watch_and_spu_before_the_answer(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client, client_of(server) as watcher:
            await client.register(5001)
            spu = await SpuDouble.register(ports(server)[1], 5001)
            asked = client.send_create("Topic", "news", topic_spec())
            await spu.wait_for_replica("news-0")
            spu.report("news-0")
            assert (await client.answer(asked)).error_code.is_ok
            watch = watcher.watch("Partition")
            await watcher.update(watch)

            assert (await client.delete("Topic", "news")).error_code.is_ok
            assert not (tmp_path / "Topic" / "news.yaml").exists()
            assert not (tmp_path / "Partition" / "news-0.yaml").exists()
            gone = await asyncio.wait_for(watcher.update(watch), 0.5)
            assert [(c.header, c.content.name) for c in gone.changes] == [(MsgType.DELETE, "news-0")]
            await spu.wait_for(lambda told: "news-0" not in told.replicas)
            assert (await client.delete("Topic", "news")).error_code.kind is ErrorKind.TOPIC_NOT_FOUND
            spu.writer.close()

    run_scenario(scenario())


def test_a_topic_made_anew_has_another_incarnation(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            await client.register(5001)
            async with serving_spu(server, 5001) as spu:
                assert (await client.create_topic("news")).error_code.is_ok
                first = spu.told.incarnations["news-0"]
                assert (await client.delete("Topic", "news")).error_code.is_ok
                assert (await client.create_topic("news")).error_code.is_ok
                assert spu.told.incarnations["news-0"] != first

    run_scenario(scenario())


def test_the_system_topic_can_only_be_deleted_by_force_and_comes_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            status = await client.delete("Topic", "consumer-offset")
            assert status.error_code.kind is ErrorKind.SYSTEM_SPEC_DELETION_ATTEMPT
            assert status.error_message is None
            assert (await client.delete("Topic", "consumer-offset", force=True)).error_code.is_ok
            assert len(await client.list("Topic", system=True)) == 1

    run_scenario(scenario())


def test_added_partitions_leave_the_old_rows_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            await client.register(5001)
            await client.register(5002)
            async with serving_spu(server, 5001):
                assert (await client.create_topic("news")).error_code.is_ok
                async with serving_spu(server, 5002):
                    assert (await client.add_partitions("news", 3)).error_code.is_ok
                    (topic,) = await client.list("Topic")
                    assert topic.status.replica_map == {0: [5001], 1: [5002], 2: [5002], 3: [5001]}
                    assert len(await client.list("Partition")) == 4
                    assert (
                        await client.add_partitions("nope", 1)
                    ).error_code.kind is ErrorKind.TOPIC_NOT_FOUND
                    system = await client.add_partitions("consumer-offset", 1)
                    assert system.error_code.kind is ErrorKind.SYSTEM_SPEC_UPDATING_ATTEMPT

    run_scenario(scenario())


def test_an_assigned_topic_goes_where_it_was_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            await client.register(5001)
            await client.register(5002)
            rows = [PartitionMap(id=0, replicas=[5002]), PartitionMap(id=1, replicas=[5001])]
            async with serving_spu(server, 5001), serving_spu(server, 5002):
                status = await client.create_topic("mine", TopicSpec(replicas=AssignedReplicas(maps=rows)))
                assert status.error_code.is_ok
                placed = {x.name: x.spec.leader for x in await client.list("Partition")}
                assert placed == {"mine-0": 5002, "mine-1": 5001}
                grown = await client.add_partitions("mine", 1)
                assert grown.error_code.kind is ErrorKind.TOPIC_INVALID_REPLICA_TYPE
                assert grown.error_message == "invalid replica type"

    run_scenario(scenario())


def test_a_holder_of_the_only_copy_is_not_unregistered(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            await client.register(5001)
            async with serving_spu(server, 5001):
                await client.create_topic("news")
                refused = await client.unregister(5001)
                assert refused.error_code.kind is ErrorKind.SPU_ERROR
                assert "is the only holder of partition `news-0`" in (refused.error_message or "")
                assert (await client.delete("Topic", "news")).error_code.is_ok
                assert (await client.unregister(5001)).error_code.is_ok
                assert await client.list("SPU") == []
                missing = await client.unregister(5001)
                assert (missing.name, missing.error_code.kind) == ("spu-5001", ErrorKind.SPU_NOT_FOUND)

    run_scenario(scenario())


def test_a_restarted_controller_has_everything_and_takes_its_spu_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            cluster_id = server.controller and server.controller.cluster.id
            await client.register(5001)
            async with serving_spu(server, 5001) as spu:
                await client.create_topic("news", topic_spec(2))
                incarnations = dict(spu.told.incarnations)
                spu.report("news-0", leo=7)
                await asyncio.wait_for(until_leo(client, 7), 5)
        partition = parse((tmp_path / "Partition" / "news-0.yaml").read_bytes()).value
        assert partition["status"]["leader"] == {"spu": 5001, "hw": 7, "leo": 7}
        assert partition["status"]["resolution"] == "LeaderOffline"  # the SPU went first

        async with controller(tmp_path) as server, client_of(server) as client:
            assert server.controller
            assert server.controller.cluster.id == cluster_id
            assert [spu.status.resolution for spu in await client.list("SPU")] == [SpuStatusResolution.INIT]
            assert sorted(x.name for x in await client.list("Partition")) == ["news-0", "news-1"]
            async with serving_spu(server, 5001) as spu:
                await client.create_topic("more")
                assert incarnations.items() <= spu.told.incarnations.items()
                assert [x.status.resolution for x in await client.list("SPU")] == [SpuStatusResolution.ONLINE]

    run_scenario(scenario())


def test_a_controller_that_stops_leaves_live_spus_online_on_disk(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            await client.register(5001)
            spu = await SpuDouble.register(ports(server)[1], 5001)
            await spu.wait_for_replica("consumer-offset-0")
            spu.report("consumer-offset-0")
            await until_state(client, PartitionResolution.ONLINE)
        for kind, key in (("Partition", "consumer-offset-0"), ("SPU", "custom-spu-5001")):
            stored = parse((tmp_path / kind / f"{key}.yaml").read_bytes()).value
            assert stored["status"]["resolution"] == "Online"
        async with controller(tmp_path, startup_grace_s=60) as server, client_of(server) as client:
            back = await SpuDouble.register(ports(server)[1], 5001)
            await back.wait_for_replica("consumer-offset-0")
            (stored,) = await client.list("Partition", system=True)
            assert stored.status.resolution is PartitionResolution.ONLINE
            back.writer.close()

    run_scenario(scenario())


async def until_state(client: Client, wanted: PartitionResolution) -> None:
    """Follow a watch until some partition is in that state."""
    async with await Client.connect(client.writer.get_extra_info("peername")[1]) as watcher:
        watch = watcher.watch("Partition")
        while True:
            update = await watcher.update(watch)
            stored = [*update.all, *(message.content for message in update.changes)]
            if any(each.status.resolution is wanted for each in stored):
                return


async def until_leo(client: Client, leo: int) -> None:
    while all(partition.status.leader.leo != leo for partition in await client.list("Partition")):
        pass


def test_an_spu_that_is_not_back_after_the_grace_period_is_offline(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            await client.register(5001)
            await client.register(5002)  # never started: it stays Init
            spu = await SpuDouble.register(ports(server)[1], 5001)
            await spu.wait_for_replica("consumer-offset-0")
            spu.report("consumer-offset-0")
            await until_state(client, PartitionResolution.ONLINE)
        spu.writer.close()
        async with controller(tmp_path, startup_grace_s=0.05) as server, client_of(server) as client:
            await until_state(client, PartitionResolution.LEADER_OFFLINE)
            states = [spu.status.resolution for spu in await client.list("SPU")]
            assert states == [SpuStatusResolution.OFFLINE, SpuStatusResolution.INIT]

    run_scenario(scenario())


def test_one_damaged_file_hides_nothing_and_is_set_aside(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with controller(tmp_path) as server, client_of(server) as client:
            await client.register(5001)
            async with serving_spu(server, 5001):
                for name in ("a", "b", "c"):
                    await client.create_topic(name)
        (tmp_path / "Topic" / "b.yaml").write_bytes(b"")
        (tmp_path / "Partition" / "c-0.yaml").write_bytes(b"")
        async with controller(tmp_path) as server, client_of(server) as client:
            assert sorted(topic.name for topic in await client.list("Topic")) == ["a", "b", "c"]
            assert sorted(x.name for x in await client.list("Partition")) == ["a-0", "b-0", "c-0"]
        assert len(list((tmp_path / "Topic" / ".quarantine").iterdir())) == 1
        assert len(list((tmp_path / "Partition" / ".quarantine").iterdir())) == 1
        assert parse((tmp_path / "Topic" / "b.yaml").read_bytes()).value["key"] == "b"

    run_scenario(scenario())
