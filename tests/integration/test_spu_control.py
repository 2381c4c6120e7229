"""The SPU and its SC: registration, pushes, reports, absence, and what a restart finds."""

import asyncio
import json
import shutil
from pathlib import Path

from fluvio_local_cluster.spu.leader import LeaderReplica
from fluvio_local_cluster.spu.server import Spu
from fluvio_local_cluster.storage import StorageError
from fluvio_protocol.api.admin import MsgType
from fluvio_protocol.api.api_versions import ApiVersionsRequest
from fluvio_protocol.api.sc_spu import OWN_SPU_MARK
from fluvio_protocol.api.topic import CompressionAlgorithm
from fluvio_protocol.error_code import ErrorKind
from fluvio_protocol.wire import Reader
from tests.support.record_sets import one_batch
from tests.support.running_spu import public_port, run_with_spu, running_spu
from tests.support.scripted_sc import ScriptedSc, replica
from tests.support.spu_client import connect

DATA = Path(__file__).parent.parent / "data"


def run(body: object) -> None:
    async def main() -> None:
        async with asyncio.timeout(40):
            await body  # type: ignore[misc]

    asyncio.run(main())


async def produce(spu: Spu, topic: str, *values: bytes) -> list[ErrorKind]:
    async with connect(public_port(spu)) as client:
        return [a.error_code.kind for a in await client.produce(topic, *map(one_batch, values))]


async def values(spu: Spu, topic: str, end: int) -> list[bytes]:
    async with connect(public_port(spu)) as client:
        return [value for _, value in await (await client.stream(topic)).read_to(end)]


def test_it_registers_as_ours_and_sends_a_heartbeat_when_nothing_changes(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        assert sc.registrations == [(5001, "spu: 5001" + OWN_SPU_MARK)]
        before = sc.empty_reports
        await sc.until(lambda: sc.empty_reports >= before + 3)

    run_with_spu(tmp_path, body)


def test_a_new_replica_is_reported_at_once_and_a_repeated_push_changes_nothing(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(replica("t"))
        report = await sc.told("t")
        assert (report.leader.spu, report.leader.leo, report.base_offset) == (5001, 0, 0)
        leader = spu.replicas.find("t", 0)
        await produce(spu, "t", b"x")
        assert (await sc.told("t", leo=1)).size > 0
        await sc.push(replica("t"))
        await sc.push_all(replica("t"), replica("u"))
        await sc.told("u")
        assert spu.replicas.find("t", 0) is leader

    run_with_spu(tmp_path, body)


def test_settings_of_a_replica_change_while_it_is_open(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(replica("t"))
        await sc.told("t")
        leader = spu.replicas.find("t", 0)
        assert leader is not None
        await sc.push(replica("t", compression_type=CompressionAlgorithm.GZIP), replica("u"))
        await sc.told("u")
        assert await produce(spu, "t", b"x") == [ErrorKind.COMPRESSION_ERROR]
        assert spu.replicas.find("t", 0) is leader

    run_with_spu(tmp_path, body)


def test_it_serves_while_the_sc_is_away_and_reports_anew_when_it_is_back(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(replica("t"))
        await sc.told("t")
        port = sc.port
        await sc.stop()
        assert await produce(spu, "t", b"x", b"y") == [ErrorKind.NONE, ErrorKind.NONE]
        assert await values(spu, "t", 2) == [b"x", b"y"]
        sc.reports.clear()
        await sc.listen(port)
        await sc.registered(2)
        assert (await sc.told("t")).leader.leo == 2

    run_with_spu(tmp_path, body)


def test_it_waits_for_an_sc_that_comes_later_or_does_not_know_it_yet(tmp_path: Path) -> None:
    async def body() -> None:
        async with ScriptedSc(refuse=True) as sc:
            port = sc.port
            await sc.stop()
            async with running_spu(tmp_path, port) as spu:
                async with connect(public_port(spu)) as client:
                    await client.ask(ApiVersionsRequest(), 2)
                await sc.listen(port)
                await sc.registered(1)
                sc.refuse = False
                await sc.registered(2)
                await sc.push_all(replica("t"))
                await sc.told("t")

    run(body())


def test_a_restart_finds_the_records_and_a_clean_marker(tmp_path: Path) -> None:
    async def body() -> None:
        async with ScriptedSc() as sc:
            async with running_spu(tmp_path, sc.port) as spu:
                await sc.registered()
                await sc.push_all(replica("t"))
                await sc.told("t")
                await produce(spu, "t", b"x", b"y")
            assert (tmp_path / "spu-logs-5001" / "t-0" / "clean").exists()
            sc.reports.clear()
            async with running_spu(tmp_path, sc.port) as spu:
                await sc.registered(2)
                assert await produce(spu, "t", b"early") == [ErrorKind.NOT_LEADER_FOR_PARTITION]
                await sc.push_all(replica("t"))
                await sc.told("t", leo=2)
                assert await values(spu, "t", 2) == [b"x", b"y"]

    run(body())


def test_records_of_an_earlier_topic_of_the_same_name_never_come_back(tmp_path: Path) -> None:
    async def body() -> None:
        async with ScriptedSc() as sc:
            async with running_spu(tmp_path, sc.port) as spu:
                await sc.registered()
                await sc.push_all(replica("t"), replica("live"))
                await sc.told("t")
                await sc.told("live")
                await produce(spu, "t", b"old")
                await produce(spu, "live", b"old")
                await sc.told("live", leo=1)
                sc.incarnations["live", 0] = "life 2"  # while it is open
                sc.reports.clear()
                await sc.push(replica("live"))
                await sc.told("live", leo=0)
            sc.incarnations["t", 0] = "life 2"  # while it was away
            sc.reports.clear()
            async with running_spu(tmp_path, sc.port) as spu:
                await sc.registered(2)
                await sc.push_all(replica("t"), replica("live"))
                assert (await sc.told("t")).leader.leo == 0
                await produce(spu, "t", b"new")
                assert await values(spu, "t", 1) == [b"new"]
            assert sorted(p.name.split(".")[0] for p in (tmp_path / "trash").iterdir()) == ["live-0", "t-0"]

    run(body())


def test_replicas_deleted_while_it_was_away_are_set_aside_but_not_those_of_others(tmp_path: Path) -> None:
    async def body() -> None:
        base = tmp_path / "spu-logs-5001"
        async with ScriptedSc() as sc:
            async with running_spu(tmp_path, sc.port) as spu:
                await sc.registered()
                await sc.push_all(*map(replica, ("keep", "gone", "foreign", "nobodys")))
                for topic in ("keep", "gone", "foreign", "nobodys"):
                    await sc.told(topic)
                await produce(spu, "gone", b"x")
            meta = json.loads((base / "foreign-0" / "meta.json").read_text())
            (base / "foreign-0" / "meta.json").write_text(json.dumps({**meta, "cluster": "another"}))
            (base / "nobodys-0" / "meta.json").unlink()
            async with running_spu(tmp_path, sc.port):
                await sc.registered(2)
                await sc.push(replica("keep"))  # a delta says nothing about the others
                await sc.push_all(replica("keep"))
                await sc.until(lambda: not (base / "gone-0").exists())
            assert sorted(p.name for p in base.iterdir()) == ["foreign-0", "keep-0", "nobodys-0"]
            assert [p.name.split(".")[0] for p in (tmp_path / "trash").iterdir()] == ["gone-0"]

    run(body())


def test_what_a_controller_that_lost_metadata_does_not_name_is_kept(tmp_path: Path) -> None:
    async def body() -> None:
        async with ScriptedSc() as sc:
            async with running_spu(tmp_path, sc.port) as spu:
                await sc.registered()
                await sc.push_all(replica("keep"), replica("lost"))
                await sc.told("lost")
                await produce(spu, "lost", b"x")
                sc.is_whole = False
                await sc.push_all(replica("keep"), replica("more"))
                await sc.told("more")
                assert await values(spu, "lost", 1) == [b"x"]
            async with running_spu(tmp_path, sc.port) as spu:
                await sc.registered(2)
                sc.reports.clear()
                await sc.push_all(replica("keep"))
                await sc.told("keep")
                sc.is_whole = True
                await sc.push_all(replica("keep"), replica("lost"))
                await sc.told("lost", leo=1)
                assert await values(spu, "lost", 1) == [b"x"]
                await sc.until(lambda: (tmp_path / "trash").exists())  # what such a push does not name
            assert [p.name.split(".")[0] for p in (tmp_path / "trash").iterdir()] == ["more-0"]

    run(body())


def test_the_sc_of_another_cluster_changes_nothing(tmp_path: Path) -> None:
    async def body() -> None:
        async with ScriptedSc() as sc:
            async with running_spu(tmp_path, sc.port) as spu:
                await sc.registered()
                await sc.push_all(replica("t"))
                await sc.told("t")
                await produce(spu, "t", b"x")
                own, sc.cluster_id = sc.cluster_id, "another"
                leader = spu.replicas.find("t", 0)
                assert leader is not None
                await sc.push_all(replica("u"))
                await sc.until_left()
                assert (spu.replicas.find("t", 0), spu.replicas.find("u", 0)) == (leader, None)
                assert await values(spu, "t", 1) == [b"x"]
            async with running_spu(
                tmp_path, sc.port
            ):  # it cannot know yet whose it is, but the directory does
                await sc.registered(2)
                await sc.push_all(replica("t"), replica("u"))
                await sc.until(lambda: ("t", 0) in sc.offline)
            sc.cluster_id = own
            sc.reports.clear()
            async with running_spu(tmp_path, sc.port) as spu:
                await sc.registered(3)
                await sc.push_all(replica("t"))
                await sc.told("t", leo=1)
            assert not (tmp_path / "trash").exists()

    run(body())


def test_a_replica_opened_for_an_official_sc_is_taken_over_with_its_records(tmp_path: Path) -> None:
    async def body() -> None:
        async with ScriptedSc(cluster_id=None) as sc, running_spu(tmp_path, sc.port) as spu:
            await sc.registered()
            await sc.push_all(replica("t"))
            await sc.told("t")
            await produce(spu, "t", b"x")
            sc.cluster_id = "ours"
            await sc.push_all(replica("t"), replica("u"))
            await sc.told("u")
            await sc.told("t", leo=1)
            assert await values(spu, "t", 1) == [b"x"]
            assert (
                json.loads((tmp_path / "spu-logs-5001" / "t-0" / "meta.json").read_text())["cluster"]
                == "ours"
            )
            assert not (tmp_path / "trash").exists()

    run(body())


def test_a_topic_of_many_partitions_does_not_hold_up_the_next_one(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        many = [replica("many", number) for number in range(200)]
        await sc.push_all(*many)
        await sc.push(replica("next"))
        await sc.told("next")
        assert sum(topic == "many" for topic, _ in sc.reports) < 150
        await sc.until(lambda: len(sc.reports) == 201)

    run_with_spu(tmp_path, body)


def test_a_push_without_incarnations_as_the_official_sc_sends_opens_what_is_there(tmp_path: Path) -> None:
    async def body() -> None:
        shutil.copytree(DATA / "engine-replica" / "spu-logs-5001", tmp_path / "spu-logs-5001")
        async with ScriptedSc(cluster_id=None) as sc, running_spu(tmp_path, sc.port):
            await sc.registered()
            await sc.push_all(replica("seg"))
            report = await sc.told("seg")
            assert report.leader.leo > 97
            assert (tmp_path / "spu-logs-5001" / "consumer-offset-0").exists()

    run(body())


def test_replicas_that_cannot_be_served_are_refused_and_hold_up_nobody(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        (tmp_path / "spu-logs-5001").mkdir(exist_ok=True)
        (tmp_path / "spu-logs-5001" / "broken-0").write_text("a file where a directory should be")
        await sc.push_all(replica("two", replicas=[5001, 5002]), replica("broken"), replica("fine"))
        await sc.told("fine")
        await sc.until(lambda: ("broken", 0) in sc.offline)
        assert await produce(spu, "two", b"x") == [ErrorKind.NOT_LEADER_FOR_PARTITION]
        (tmp_path / "spu-logs-5001" / "broken-0").unlink()
        await sc.told("broken")

    run_with_spu(tmp_path, body)


def test_a_replica_that_could_not_be_prepared_is_tried_again(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        failures = [StorageError("the disk hesitates"), RuntimeError("a bug of ours")]

        async def hesitate(leader: LeaderReplica) -> None:
            if leader.key == ("t", 0) and failures:
                raise failures.pop()

        spu.replicas.on_opened.append(hesitate)
        await sc.push_all(replica("t"), replica("fine"))
        await sc.told("fine")
        await sc.until(lambda: ("t", 0) in sc.offline)
        await sc.told("t")
        assert not failures
        assert await produce(spu, "t", b"x") == [ErrorKind.NONE]

    run_with_spu(tmp_path, body)


def test_a_replica_of_another_spu_is_only_remembered(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(replica("theirs", leader=5002), replica("ours"))
        await sc.told("ours")
        assert not (tmp_path / "spu-logs-5001" / "theirs-0").exists()
        await sc.push(replica("theirs", leader=5002), kind=MsgType.DELETE)
        await sc.push(replica("ours", is_being_deleted=True))  # as in Kubernetes
        await sc.until(lambda: sc.removed == [("ours", 0)])

    run_with_spu(tmp_path, body)


def test_official_frames_of_the_control_channel_are_understood(tmp_path: Path) -> None:
    frames = json.loads((DATA / "engine-internal-frames.json").read_text())["frames"]
    pushes = [f for f in frames if f["direction"] == "sc->spu" and f["api_key"] in (1001, 1002, 1003, 1004)]
    assert len(pushes) > 10

    async def body() -> None:
        async with ScriptedSc() as sc, running_spu(tmp_path, sc.port) as spu:
            await sc.registered()
            for frame in pushes:
                payload = bytes.fromhex(frame["hex"])
                for connection in sc._spus:
                    await connection.send(len(payload).to_bytes(4, "big") + payload)
            await sc.push(replica("after"))
            await sc.told("after")
            assert len(sc.registrations) == 1
            assert spu.catalogue.spus

    run(body())


def test_official_client_frames_are_answered(tmp_path: Path) -> None:
    frames = json.loads((DATA / "engine-frames.json").read_text())["frames"]
    requests = [f for f in frames if f["side"] == "spu" and f["direction"] == "client->server"]
    assert len(requests) > 50

    async def body(sc: ScriptedSc, spu: Spu) -> None:
        topics = {"consumer-offset"}
        for frame in requests:
            topics |= set(_topics_in(frame["decoded"]["body"]))
        await sc.push_all(*map(replica, sorted(topics)))
        for topic in topics:
            await sc.told(topic)
        for frame in requests:
            async with connect(public_port(spu)) as client:
                raw = bytes.fromhex(frame["hex"])
                await client.connection.send(raw)
                await client.ask(ApiVersionsRequest(), 2) if frame["correlation_id"] != 1 else None
                if frame["api_key"] not in (1003,):
                    if frame["correlation_id"] == 1:
                        reader = Reader(await client.connection.next_frame())
                        assert int.from_bytes(reader.take(4), "big") == 1
                    else:
                        assert client.has_answer(frame["correlation_id"])

    run_with_spu(tmp_path, body)


def _topics_in(decoded: object) -> list[str]:
    if isinstance(decoded, list):
        return [topic for entry in decoded for topic in _topics_in(entry)]
    if isinstance(decoded, dict):
        found = [decoded["topic"]] if isinstance(decoded.get("topic"), str) else []
        for entry in decoded.get("topics") or []:
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                found.append(entry["name"])
        return found
    return []
