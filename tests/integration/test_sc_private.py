"""The private port: sessions, pushes and reports, with scripted SPUs over real sockets."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fluvio_local_cluster.sc.server import ScServer
from fluvio_protocol.api.partition import PartitionResolution
from fluvio_protocol.api.sc_spu import (
    PartitionStatRequest,
    UpdateIncarnationsRequest,
    UpdatePartitionStatRequest,
    UpdateReplicaRequest,
    UpdateSpuRequest,
)
from fluvio_protocol.api.spu import SpuStatusResolution
from fluvio_protocol.error_code import ErrorKind
from tests.support.controllers import Client, SpuDouble, controller, run_scenario, topic_spec

FRAMES = Path(__file__).parent.parent / "data" / "engine-internal-frames.json"


@contextlib.asynccontextmanager
async def cluster(directory: Path, *spus: int, **changes: Any) -> AsyncIterator[tuple[ScServer, Client, int]]:
    async with controller(directory, **changes) as server:
        assert server.public is not None
        assert server.private is not None
        async with await Client.connect(server.public.port) as client:
            for spu in spus:
                assert (await client.register(spu)).error_code.is_ok
            yield server, client, server.private.port


async def until(client: Client, label: str, wanted: Any) -> None:
    """Follow a watch until an object's state is `wanted`."""
    async with await Client.connect(client.writer.get_extra_info("peername")[1]) as watcher:
        watch = watcher.watch(label)
        while True:
            update = await watcher.update(watch)
            stored = [*update.all, *(message.content for message in update.changes)]
            if any(each.status.resolution is wanted for each in stored):
                return


def test_an_unknown_spu_is_refused_and_its_connection_closed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with cluster(tmp_path) as (_, _client, port):
            spu, answer = await SpuDouble.try_register(port, 5001)
            assert answer.error_code.kind is ErrorKind.SPU_REGISTRATION_FAILED
            assert answer.error_message is None
            assert await spu.next_frame() is None

    run_scenario(scenario())


def test_our_spu_is_told_everything_in_order_with_incarnations(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with cluster(tmp_path, 5001) as (server, _, port), await SpuDouble.register(port, 5001) as spu:
            await spu.wait_for_replica("consumer-offset-0")
            kinds = [type(frame) for frame in spu.told.frames]
            assert kinds == [UpdateSpuRequest, UpdateIncarnationsRequest, UpdateReplicaRequest]
            assert spu.told.keys == [(1001, 0), (9001, 0), (1002, 18)]
            spus, incarnations, replicas = spu.told.frames
            assert [each.id for each in spus.all] == [5001]
            assert server.controller is not None
            assert incarnations.cluster_id == server.controller.cluster.id
            assert [str(each.id) for each in incarnations.incarnations] == ["consumer-offset-0"]
            assert [str(each.id) for each in replicas.all] == ["consumer-offset-0"]

    run_scenario(scenario())


def test_an_spu_learns_whether_the_controller_has_lost_something(tmp_path: Path) -> None:
    async def whole_after_start() -> bool:
        async with controller(tmp_path) as server:
            assert server.private is not None
            async with await SpuDouble.register(server.private.port, 5001) as spu:
                await spu.wait_for(lambda told: UpdateReplicaRequest in map(type, told.frames))
                (told,) = [x for x in spu.told.frames if isinstance(x, UpdateIncarnationsRequest)]
                return bool(told.is_whole)

    async def scenario() -> None:
        async with cluster(tmp_path, 5001) as (_, client, port), await SpuDouble.register(port, 5001) as spu:
            asked = client.send_create("Topic", "news", topic_spec())
            await spu.wait_for_replica("news-0")
            spu.report("news-0")
            assert (await client.answer(asked)).error_code.is_ok
        assert await whole_after_start()
        files = ("Topic/consumer-offset.yaml", "Partition/consumer-offset-0.yaml")
        kept = {name: (tmp_path / name).read_bytes() for name in files}
        for name in files:
            (tmp_path / name).write_bytes(b"damaged")
        assert not await whole_after_start()
        assert not (tmp_path / files[0]).exists()  # it is not made anew: its records would be put away
        for name, content in kept.items():
            (tmp_path / name).write_bytes(content)
        assert await whole_after_start()

    run_scenario(scenario())


def test_everything_is_told_again_after_a_quiet_interval(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            cluster(tmp_path, 5001, full_sync_interval_s=0.05) as (_, _client, port),
            await SpuDouble.register(port, 5001) as spu,
        ):
            await spu.wait_for(
                lambda told: (
                    sum(isinstance(x, UpdateReplicaRequest) and bool(x.all) for x in told.frames) == 3
                )
            )

    run_scenario(scenario())


def test_an_official_spu_never_meets_our_extension(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            cluster(tmp_path, 5001) as (_, client, port),
            await SpuDouble.register(port, 5001, own=False) as spu,
        ):
            asked = client.send_create("Topic", "news", topic_spec())
            await spu.wait_for_replica("news-0")
            assert UpdateIncarnationsRequest not in [type(frame) for frame in spu.told.frames]
            spu.report("news-0")
            assert (await client.answer(asked)).error_code.is_ok

    run_scenario(scenario())


def test_reports_of_offsets_are_not_pushed_back_to_spus(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with cluster(tmp_path, 5001) as (_, client, port), await SpuDouble.register(port, 5001) as spu:
            await spu.wait_for_replica("consumer-offset-0")
            told = len(spu.told.frames)
            spu.report("consumer-offset-0", leo=1)
            await until(client, "Partition", PartitionResolution.ONLINE)
            client.send_create("Topic", "news", topic_spec())
            await spu.wait_for_replica("news-0")
            assert [type(frame) for frame in spu.told.frames[told:]] == [
                UpdateIncarnationsRequest,
                UpdateReplicaRequest,
            ]

    run_scenario(scenario())


def test_an_spu_that_is_lost_takes_its_partitions_offline_and_brings_them_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with cluster(tmp_path, 5001) as (_, client, port):
            async with await SpuDouble.register(port, 5001) as spu:
                await spu.wait_for_replica("consumer-offset-0")
                spu.report("consumer-offset-0")
                await until(client, "Partition", PartitionResolution.ONLINE)
            await until(client, "SPU", SpuStatusResolution.OFFLINE)
            await until(client, "Partition", PartitionResolution.LEADER_OFFLINE)
            async with await SpuDouble.register(port, 5001) as spu:
                await spu.wait_for_replica("consumer-offset-0")
                (partition,) = await client.list("Partition", system=True)
                assert partition.status.resolution is PartitionResolution.LEADER_OFFLINE
                spu.report("consumer-offset-0")
                await until(client, "Partition", PartitionResolution.ONLINE)

    run_scenario(scenario())


def test_an_official_spu_that_returns_is_taken_for_ready(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with cluster(tmp_path, 5001) as (_, client, port):
            async with await SpuDouble.register(port, 5001, own=False) as spu:
                await spu.wait_for_replica("consumer-offset-0")
                spu.report("consumer-offset-0")
                await until(client, "Partition", PartitionResolution.ONLINE)
            await until(client, "Partition", PartitionResolution.LEADER_OFFLINE)
            async with await SpuDouble.register(port, 5001, own=False):
                await until(client, "Partition", PartitionResolution.ONLINE)

    run_scenario(scenario())


def test_a_newer_registration_wins_and_the_older_end_does_not_take_the_spu_offline(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with cluster(tmp_path, 5001) as (_, client, port), await SpuDouble.register(port, 5001) as old:
            await old.wait_for_replica("consumer-offset-0")
            async with await SpuDouble.register(port, 5001) as new:
                await new.wait_for_replica("consumer-offset-0")
                while await old.next_push() is not None:
                    pass
                assert [x.status.resolution for x in await client.list("SPU")] == [SpuStatusResolution.ONLINE]
                new.report("consumer-offset-0", leo=3)
                await until(client, "Partition", PartitionResolution.ONLINE)

    run_scenario(scenario())


def test_only_the_leader_is_believed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            cluster(tmp_path, 5001, 5002) as (_, client, port),
            await SpuDouble.register(port, 5001) as leader,
        ):
            await leader.wait_for_replica("consumer-offset-0")
            async with await SpuDouble.register(port, 5002) as liar:
                await liar.wait_for_replica("consumer-offset-0")
                liar.report("consumer-offset-0", leo=99)
                liar.report("consumer-offset-0", leo=99, leader=5001)
                asked = client.send_create("Topic", "news", topic_spec())
                await liar.wait_for_replica("news-0")
                liar.report("news-0")  # 5001 leads one already, so this is its own; it comes after the lies
                assert (await client.answer(asked)).error_code.is_ok
                (system,) = await client.list("Partition", system=True)
                assert system.status.resolution is PartitionResolution.OFFLINE
                leader.report("consumer-offset-0", leo=2)
                await until(client, "Partition", PartitionResolution.ONLINE)

    run_scenario(scenario())


def test_a_silent_spu_is_offline_after_the_heartbeat_timeout(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with cluster(tmp_path, 5001, heartbeat_timeout_s=0.1) as (_, client, port):
            spu = await SpuDouble.register(port, 5001)
            await until(client, "SPU", SpuStatusResolution.OFFLINE)
            with contextlib.suppress(ConnectionResetError):
                while await spu.next_push() is not None:
                    pass

    run_scenario(scenario())


def test_a_full_disk_stays_until_the_leader_takes_it_back(tmp_path: Path) -> None:
    def stat(spu: SpuDouble, resolution: PartitionResolution) -> UpdatePartitionStatRequest:
        key = spu.told.replicas["consumer-offset-0"].id
        return UpdatePartitionStatRequest(
            stats=[PartitionStatRequest(replica_key=key, resolution=resolution)]
        )

    async def scenario() -> None:
        async with cluster(tmp_path, 5001) as (_, client, port), await SpuDouble.register(port, 5001) as spu:
            await spu.wait_for_replica("consumer-offset-0")
            spu.report("consumer-offset-0")
            spu.send_one_way(stat(spu, PartitionResolution.OUT_OF_STORAGE))
            await until(client, "Partition", PartitionResolution.OUT_OF_STORAGE)
            spu.report("consumer-offset-0", leo=5)
            async with await Client.connect(client.writer.get_extra_info("peername")[1]) as watcher:
                watch = watcher.watch("Partition")
                state = (await watcher.update(watch)).all[0].status
                while state.leader.leo != 5:
                    state = (await watcher.update(watch)).changes[0].content.status
                assert state.resolution is PartitionResolution.OUT_OF_STORAGE
            spu.send_one_way(stat(spu, PartitionResolution.ONLINE))
            await until(client, "Partition", PartitionResolution.ONLINE)

    run_scenario(scenario())


def test_unregistering_closes_the_session(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with cluster(tmp_path, 5001) as (_, client, port), await SpuDouble.register(port, 5001) as spu:
            assert (await client.unregister(5001)).error_code.is_ok
            while await spu.next_push() is not None:
                pass

    run_scenario(scenario())


@pytest.mark.parametrize("name", ["001-registerspu", "005-registerspu"])
def test_the_official_registration_frame_is_accepted(tmp_path: Path, name: str) -> None:
    frames = {frame["id"]: frame for frame in json.loads(FRAMES.read_text())["frames"]}
    request = bytes.fromhex(frames[name]["hex"])
    answer = bytes.fromhex(frames["002-registerspuresp"]["hex"])

    async def scenario() -> None:
        async with cluster(tmp_path, 5001, 5002) as (_, _client, port):
            async with await SpuDouble.connect(port) as spu:
                spu.writer.write(len(request).to_bytes(4, "big") + request)
                assert await spu.next_frame() == answer
                heartbeat = bytes.fromhex(frames["008-updatelrs"]["hex"])
                spu.writer.write(len(heartbeat).to_bytes(4, "big") + heartbeat)
                pushed = await spu.next_frame()
                assert pushed is not None
                assert pushed[:2] == (1001).to_bytes(2, "big")

    run_scenario(scenario())


def test_a_report_before_registration_and_rubbish_close_only_that_connection(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            cluster(tmp_path, 5001) as (_, _client, port),
            await SpuDouble.register(port, 5001) as good,
        ):
            await good.wait_for_replica("consumer-offset-0")
            for rubbish in (
                b"GET / HTTP/1.1\r\n\r\n",
                b"\x00\x00\x00\x02\x07\xd1",
                b"\x00\x00\x00\x0a" + b"\xff" * 10,
            ):
                bad = await SpuDouble.connect(port)
                bad.writer.write(rubbish)
                with contextlib.suppress(ConnectionResetError):
                    assert await bad.next_frame() is None
                bad.writer.close()
            early = await SpuDouble.connect(port)
            early.send_one_way(UpdatePartitionStatRequest())
            assert await early.next_frame() is None
            early.writer.close()
            await asyncio.sleep(0)
            good.report("consumer-offset-0")
            await until(_client, "Partition", PartitionResolution.ONLINE)

    run_scenario(scenario())
