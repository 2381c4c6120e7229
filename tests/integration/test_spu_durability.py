"""What the SPU promises about the disk: `--fsync`, a failed fsync, a slow disk, a full one."""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fluvio_local_cluster.spu.server import Spu
from fluvio_local_cluster.storage import SyncPolicy
from fluvio_protocol.api.partition import PartitionResolution
from fluvio_protocol.api.produce import (
    PartitionProduceData,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
)
from fluvio_protocol.error_code import ErrorKind
from tests.integration.test_spu_process import spu_process
from tests.support.faulty_files import IO_ERROR, FaultyFiles
from tests.support.record_sets import one_batch
from tests.support.running_spu import public_port, run_with_spu
from tests.support.scripted_sc import ScriptedSc, replica
from tests.support.spu_client import connect

ALWAYS = SyncPolicy.parse("always")
MIB = 1024 * 1024


class Disk(FaultyFiles):
    """A disk whose fsyncs of the segment of topic `slow` wait for the test, and whose free space it sets."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.may_end = threading.Event(), threading.Event()
        self.free_bytes = 10_000 * MIB
        self.synced: list[str] = []

    def fsync(self, fd: int) -> None:
        path = os.readlink(f"/proc/self/fd/{fd}")
        if "/slow-0/" in path and path.endswith(".log"):
            self.began.set()
            assert self.may_end.wait(20)
        super().fsync(fd)
        self.synced.append(path)

    def disk_space(self, path: str | Path) -> tuple[int, int]:
        return self.free_bytes, 20_000 * MIB

    def count(self, topic: str) -> int:
        return sum(f"/{topic}-0/" in path and path.endswith(".log") for path in self.synced)


def request(topic: str, value: bytes) -> ProduceRequest:
    data = PartitionProduceData(partition_index=0, records=bytes(one_batch(value)))
    return ProduceRequest(topics=[TopicProduceData(name=topic, partitions=[data])])


async def ready(sc: ScriptedSc, *topics: str) -> None:
    await sc.push_all(*map(replica, topics))
    for topic in topics:
        await sc.told(topic)


def test_always_answers_after_the_fsync_and_a_slow_disk_delays_only_those_who_wait(tmp_path: Path) -> None:
    disk = Disk()

    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "slow", "quick")
        async with connect(public_port(spu)) as slow, connect(public_port(spu)) as quick:
            correlation = await slow.send(request("slow", b"x"))
            async with asyncio.TaskGroup() as group:
                answer = group.create_task(slow.answer(correlation, ProduceResponse))
                assert await asyncio.to_thread(disk.began.wait, 10)
                leader = spu.replicas.find("slow", 0)
                assert leader is not None
                for i in range(3):  # the loop runs, and so does the other replica's disk
                    answers = await quick.produce("quick", one_batch(b"%d" % i))
                    assert answers[0].error_code.kind is ErrorKind.NONE
                    assert disk.count("quick") >= i + 1
                assert not answer.done()
                assert (leader.leo, leader.hw) == (1, 0)  # not committed while it could be lost
                disk.may_end.set()
            assert answer.result().responses[0].partitions[0].error_code.kind is ErrorKind.NONE
            assert (leader.hw, leader.log.synced_leo, disk.count("slow")) == (1, 1, 1)

    try:
        run_with_spu(tmp_path, body, disk, fsync=ALWAYS)
    finally:
        disk.may_end.set()


def test_one_fsync_answers_many_producers(tmp_path: Path) -> None:
    disk = Disk()

    async def produce(port: int, i: int) -> None:
        async with connect(port) as client:
            assert (await client.produce("slow", one_batch(b"%d" % i)))[0].error_code.kind is ErrorKind.NONE

    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "slow")
        leader = spu.replicas.find("slow", 0)
        assert leader is not None
        moved = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for i in range(32):
                group.create_task(produce(public_port(spu), i))
            while leader.leo < 32:
                leader.watch_move(moved)
                await moved.wait()
                moved.clear()
            disk.may_end.set()
        assert leader.log.synced_leo == 32
        assert disk.count("slow") <= 2  # that of the first that came, and one for all others

    try:
        run_with_spu(tmp_path, body, disk, fsync=ALWAYS)
    finally:
        disk.may_end.set()


def test_requests_in_flight_on_one_connection_share_an_fsync_and_are_answered_also_at_a_stop(
    tmp_path: Path,
) -> None:
    disk = Disk()

    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "slow")
        leader = spu.replicas.find("slow", 0)
        assert leader is not None
        moved = asyncio.Event()
        async with connect(public_port(spu)) as client:
            sent = [await client.send(request("slow", b"%d" % i)) for i in range(32)]
            while leader.leo < 32:
                leader.watch_move(moved)
                await moved.wait()
                moved.clear()
            [connection] = spu.public.connections if spu.public is not None else []
            connection.eof_received()  # as at an orderly stop: what came before is still answered
            disk.may_end.set()
            for i, correlation in enumerate(sent):
                answer = (await client.answer(correlation, ProduceResponse)).responses[0].partitions[0]
                assert (answer.error_code.kind, answer.base_offset) == (ErrorKind.NONE, i)
        assert disk.count("slow") <= 2

    try:
        run_with_spu(tmp_path, body, disk, fsync=ALWAYS)
    finally:
        disk.may_end.set()


def test_a_connection_has_a_bounded_number_of_requests_that_wait_for_the_disk(tmp_path: Path) -> None:
    disk = Disk()

    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "slow", "quick")
        leader = spu.replicas.find("slow", 0)
        assert leader is not None
        moved = asyncio.Event()
        async with connect(public_port(spu)) as client, connect(public_port(spu)) as other:
            sent = [await client.send(request("slow", b"%d" % i)) for i in range(300)]
            while leader.leo < 257:  # 256 that are answered later, and one that those behind it wait for
                leader.watch_move(moved)
                await moved.wait()
                moved.clear()
            for i in range(20):  # the loop goes on, and so do other connections
                answers = await other.produce("quick", one_batch(b"%d" % i))
                assert answers[0].error_code.kind is ErrorKind.NONE
            assert leader.leo == 257
            disk.may_end.set()
            for i, correlation in enumerate(sent):
                answer = (await client.answer(correlation, ProduceResponse)).responses[0].partitions[0]
                assert (answer.error_code.kind, answer.base_offset) == (ErrorKind.NONE, i)
            disk.may_end.clear()  # the places of those that were answered are free again
            sent = [await client.send(request("slow", b"%d" % i)) for i in range(300)]
            async with asyncio.timeout(20):
                while leader.leo < 557:
                    leader.watch_move(moved)
                    await moved.wait()
                    moved.clear()
            disk.may_end.set()
            for correlation in sent:
                answer = (await client.answer(correlation, ProduceResponse)).responses[0].partitions[0]
                assert answer.error_code.kind is ErrorKind.NONE

    try:
        run_with_spu(tmp_path, body, disk, fsync=ALWAYS)
    finally:
        disk.may_end.set()


@pytest.mark.parametrize("policy", ["always", "interval:1"])
def test_a_failed_fsync_ends_the_leadership_until_the_replica_was_opened_again(
    tmp_path: Path, policy: str
) -> None:
    disk = Disk()

    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t", "other")
        async with connect(public_port(spu)) as client:
            await client.produce("t", one_batch(b"kept"))
            before = spu.replicas.find("t", 0)
            assert before is not None
            disk.faults["fsync"] = IO_ERROR
            answer = (await client.produce("t", one_batch(b"uncertain")))[0]
            if policy == "always":
                assert answer.error_code.kind is ErrorKind.PARTITION_SHORT_CIRCUITED
            await sc.until(lambda: before.ended is not None)
            del disk.faults["fsync"]
            await sc.until(lambda: spu.replicas.find("t", 0) not in (None, before))
            answer = (await client.produce("t", one_batch(b"after")))[0]
            assert answer.error_code.kind is ErrorKind.NONE
            found = await (await client.stream("t")).read_to(answer.base_offset + 1)
            assert [value for _, value in found][0::2] == [b"kept", b"after"]
            assert (await client.produce("other", one_batch(b"x")))[0].error_code.kind is ErrorKind.NONE

    run_with_spu(tmp_path, body, disk, fsync=SyncPolicy.parse(policy))


def test_an_interval_syncs_by_itself_and_never_leaves_it_to_the_system(tmp_path: Path) -> None:
    disk = Disk()

    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        leader = spu.replicas.find("t", 0)
        assert leader is not None
        async with connect(public_port(spu)) as client:
            for i in range(20):
                await client.produce("t", one_batch(b"%d" % i))
            assert leader.hw == 20
            if spu.settings.fsync.interval_ms:
                await sc.until(lambda: leader.log.synced_leo == 20)
                assert 0 < disk.count("t") <= 20
            else:
                assert (leader.log.synced_leo, disk.count("t")) == (0, 0)

    run_with_spu(tmp_path / "interval", body, disk, fsync=SyncPolicy.parse("interval:20"))
    disk.synced.clear()
    run_with_spu(tmp_path / "never", body, disk)


def test_a_process_killed_with_always_has_all_that_it_answered(tmp_path: Path) -> None:
    async def main() -> None:
        async with ScriptedSc() as sc:
            with spu_process(tmp_path, sc.port, options=["--fsync", "always"]) as (process, port):
                await sc.registered()
                await ready(sc, "t")
                async with connect(port) as client:
                    for i in range(50):
                        answer = (await client.produce("t", one_batch(b"%d" % i)))[0]
                        assert answer.error_code.kind is ErrorKind.NONE
                process.kill()
                process.wait(10)
            sc.reports.clear()
            with spu_process(tmp_path, sc.port, options=["--fsync", "always"]) as (_, port):
                await sc.registered(2)
                await sc.push_all(replica("t"))
                await sc.told("t", leo=50)
                async with connect(port) as client:
                    found = await (await client.stream("t")).read_to(50)
                assert found == [(i, b"%d" % i) for i in range(50)]

    asyncio.run(main())


def test_a_full_disk_is_told_reads_go_on_and_it_comes_back_by_itself(tmp_path: Path) -> None:
    disk = Disk()

    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t", "u")
        async with connect(public_port(spu)) as client:
            assert (await client.produce("t", one_batch(b"fits")))[0].error_code.kind is ErrorKind.NONE
            disk.free_bytes = 10 * MIB
            spu.replicas.space.check()
            answer = (await client.produce("t", one_batch(b"does not")))[0]
            assert answer.error_code.kind is ErrorKind.PARTITION_FULL
            for topic in ("t", "u"):  # they share the disk
                await sc.until(lambda t=topic: sc.states.get((t, 0)) is PartitionResolution.OUT_OF_STORAGE)
            assert await (await client.stream("t")).read_to(1) == [(0, b"fits")]
            disk.free_bytes = 10_000 * MIB
            await sc.until(lambda: sc.states[("t", 0)] is PartitionResolution.ONLINE)
            await sc.until(lambda: sc.states[("u", 0)] is PartitionResolution.ONLINE)
            answer = (await client.produce("t", one_batch(b"fits again")))[0]
            assert (answer.error_code.kind, answer.base_offset) == (ErrorKind.NONE, 1)

    run_with_spu(tmp_path, body, disk)


def test_a_small_real_disk_that_is_full_recovers_when_space_is_freed(tmp_path: Path) -> None:
    mount = f'mount -t tmpfs -o size=8m tmpfs "{tmp_path}" || exit 77; exec "$@"'
    wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if shutil.which("unshare") is None or subprocess.run([*wrapper, "true"], check=False).returncode != 0:
        pytest.skip("this system lets no one mount: the test before has the same with a faulty file layer")

    async def main() -> None:
        async with ScriptedSc() as sc:
            options = ["--space-reserve", str(MIB)]
            with spu_process(tmp_path, sc.port, options=options, wrapper=wrapper) as (process, port):
                await sc.registered()
                ballast = Path(f"/proc/{process.pid}/root{tmp_path}/ballast")
                await asyncio.to_thread(ballast.write_bytes, bytes(4 * MIB))
                await ready(sc, "t")
                async with connect(port) as client:
                    kinds = [ErrorKind.NONE]
                    stored = 0
                    while kinds[-1] is ErrorKind.NONE and stored < 8:
                        answer = (await client.produce("t", one_batch(bytes(MIB // 2))))[0]
                        kinds.append(answer.error_code.kind)
                        stored += kinds[-1] is ErrorKind.NONE
                    assert kinds[-1] is ErrorKind.PARTITION_FULL
                    assert stored >= 2
                    await sc.until(lambda: sc.states.get(("t", 0)) is PartitionResolution.OUT_OF_STORAGE)
                    assert len(await (await client.stream("t")).read_to(stored)) == stored
                    await asyncio.to_thread(ballast.unlink)
                    await sc.until(lambda: sc.states[("t", 0)] is PartitionResolution.ONLINE)
                    answer = (await client.produce("t", one_batch(b"again")))[0]
                    assert (answer.error_code.kind, answer.base_offset) == (ErrorKind.NONE, stored)

    asyncio.run(main())


def test_partitions_and_streams_are_bounded_and_the_message_names_the_option(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "a")
        await sc.push(replica("b"))
        await sc.until(lambda: ("b", 0) in sc.offline)
        assert "at most 1 partitions, see `--max-partitions`" in caplog.text
        async with connect(public_port(spu)) as client, connect(public_port(spu)) as other:
            await client.produce("a", one_batch(b"x"))
            await (await client.stream("a")).push()
            await (await other.stream("a")).push()
            refused = await (await other.stream("a")).push()
            assert "at most 2 streams, see `--max-streams`" in refused.partition.error_code.text

    run_with_spu(tmp_path, body, max_partitions=1, max_streams=2)


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--fsync", "sometimes", "use `never`, `always`, or `interval:MS`"),
        ("--max-inflight-bytes", "0", "argument --max-inflight-bytes"),
        ("--space-reserve", "x", "argument --space-reserve"),
    ],
)
def test_a_wrong_option_is_named(tmp_path: Path, option: str, value: str, told: str) -> None:
    command = [sys.executable, "-m", "fluvio_local_cluster.spu", "-i", "1", "--log-base-dir", str(tmp_path)]
    done = subprocess.run([*command, option, value], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 2
    assert told in done.stderr
