"""Producing to and reading from one SPU over its public port."""

import asyncio
from pathlib import Path

import pytest

from fluvio_local_cluster.spu.server import Spu
from fluvio_protocol.api.admin import MsgType
from fluvio_protocol.api.api_versions import ApiVersionsRequest
from fluvio_protocol.api.fetch import (
    FetchableTopic,
    FetchPartition,
    FetchRequest,
    Isolation,
    StreamFetchRequest,
)
from fluvio_protocol.api.offsets import (
    FetchOffsetPartition,
    FetchOffsetsRequest,
    FetchOffsetTopic,
    OffsetUpdate,
    UpdateOffsetsRequest,
)
from fluvio_protocol.api.produce import READ_COMMITTED, ProduceRequest, TopicProduceData
from fluvio_protocol.api.smartmodule_invocation import (
    AdHocWasm,
    InvocationKind,
    PredefinedWasm,
    SmartModuleInvocation,
    SmartModuleKind,
)
from fluvio_protocol.api.topic import CompressionAlgorithm, TopicStorageConfig
from fluvio_protocol.batch import decode_records, split
from fluvio_protocol.compression import Codec
from fluvio_protocol.error_code import ErrorKind
from fluvio_protocol.frame import encode_request
from tests.support.record_sets import one_batch
from tests.support.running_spu import public_port, run_with_spu
from tests.support.scripted_sc import ScriptedSc, replica
from tests.support.spu_client import connect, records_of


async def ready(sc: ScriptedSc, *topics: str) -> None:
    await sc.push_all(*map(replica, topics))
    for topic in topics:
        await sc.told(topic)


def offsets_of(*topics: str) -> FetchOffsetsRequest:
    asked = [FetchOffsetTopic(name=t, partitions=[FetchOffsetPartition(partition_index=0)]) for t in topics]
    return FetchOffsetsRequest(topics=asked)


def invocation(wasm: PredefinedWasm | AdHocWasm) -> SmartModuleInvocation:
    return SmartModuleInvocation(wasm=wasm, kind=SmartModuleKind(InvocationKind.FILTER))


def test_api_versions_are_the_official_ones_also_without_an_sc(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await sc.stop()
        async with connect(public_port(spu)) as client:
            answer = await client.ask(ApiVersionsRequest(client_version="0.50.2"), 2)
            table = {key.api_key: (key.min_version, key.max_version) for key in answer.api_keys}
            assert table == {0: (0, 25), 1: (0, 25), 1002: (25, 25), 1003: (0, 25), 1005: (0, 0)}
            assert answer.platform_version == "0.0.0"
            unnamed = await client.ask(ApiVersionsRequest(), 2)
            assert {k.api_key: k.max_version for k in unnamed.api_keys}[1003] == 15

    run_with_spu(tmp_path, body)


def test_batches_get_dense_offsets_whatever_the_client_put_there(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        async with connect(public_port(spu)) as client:
            two = one_batch(b"c", b"d") + one_batch(b"e")
            answers = await client.produce("t", one_batch(b"a", b"b"), two, one_batch(b"f"))
            assert [(a.partition_index, a.base_offset) for a in answers] == [(0, 0), (0, 2), (0, 5)]
            assert all(a.error_code.is_ok for a in answers)
            answers = await client.produce("t", one_batch(b"g"), isolation=READ_COMMITTED)
            assert answers[0].base_offset == 6
            stream = await client.stream("t")
            assert await stream.read_to(7) == list(enumerate([b"a", b"b", b"c", b"d", b"e", b"f", b"g"]))
        assert (await sc.told("t", leo=7)).leader.hw == 7

    run_with_spu(tmp_path, body)


def test_a_flush_without_partitions_is_answered_with_the_topic(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        async with connect(public_port(spu)) as client:
            answer = await client.ask(ProduceRequest(topics=[TopicProduceData(name="t", partitions=[])]))
            assert [(r.name, r.partitions) for r in answer.responses] == [("t", [])]

    run_with_spu(tmp_path, body)


def test_what_cannot_be_appended_is_refused_with_its_code_and_the_rest_is_taken(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        gzip_only = replica("gzip", compression_type=CompressionAlgorithm.GZIP)
        small = replica("small", storage=TopicStorageConfig(segment_size=200))
        await sc.push_all(replica("t"), gzip_only, small, replica("consumer-offset"))
        for topic in ("t", "gzip", "small", "consumer-offset"):
            await sc.told(topic)
        good, bad_crc = one_batch(b"x"), one_batch(b"x")
        bad_crc[-2] ^= 1
        async with connect(public_port(spu)) as client:

            async def kinds(topic: str, *sets: bytes | bytearray) -> list[ErrorKind]:
                return [answer.error_code.kind for answer in await client.produce(topic, *sets)]

            assert await kinds("unknown", good) == [ErrorKind.NOT_LEADER_FOR_PARTITION]
            assert await kinds("gzip", good, one_batch(b"x", codec=Codec.GZIP)) == [
                ErrorKind.COMPRESSION_ERROR,
                ErrorKind.NONE,
            ]
            assert await kinds("small", one_batch(bytes(300)), good) == [
                ErrorKind.MESSAGE_TOO_LARGE,
                ErrorKind.NONE,
            ]
            assert await kinds("t", bad_crc, good[:-1], good + b"tail", b"\0" * 60, good) == [
                ErrorKind.OTHER
            ] * 4 + [ErrorKind.NONE]
            assert await kinds("consumer-offset", good) == [ErrorKind.OTHER]
            answer = await client.ask(offsets_of("t", "small"))
            assert [t.partitions[0].last_stable_offset for t in answer.topics] == [1, 1]

    run_with_spu(tmp_path, body)


def test_smartmodules_are_refused_with_codes_that_clients_know(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        async with connect(public_port(spu)) as client:
            for wasm, kind in (
                (PredefinedWasm(name="nope"), ErrorKind.SMARTMODULE_NOT_FOUND),
                (AdHocWasm(wasm=b"\0asm"), ErrorKind.SMARTMODULE_CHAIN_INIT_ERROR),
            ):
                answers = await client.produce("t", one_batch(b"x"), smartmodules=[invocation(wasm)])
                assert answers[0].error_code.kind is kind
                push = await (await client.stream("t", smartmodules=[invocation(wasm)])).push()
                assert push.partition.error_code.kind is kind
            answer = await client.ask(offsets_of("t"))
            assert answer.topics[0].partitions[0].last_stable_offset == 0

    run_with_spu(tmp_path, body)


def test_a_stream_sends_one_push_and_waits_for_its_acknowledgement(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        async with connect(public_port(spu)) as client:
            for i in range(10):
                await client.produce("t", one_batch(b"%d" % i * 200))
            stream = await client.stream("t", 3, max_bytes=600)
            push = await stream.push()
            assert [offset for offset, _ in records_of(push)] == [3, 4]
            assert (push.stream_id, push.partition.high_watermark) == (1, 10)
            await client.produce("t", one_batch(b"late"))
            await client.ask(offsets_of("t"))
            assert not client.has_answer(stream.correlation_id)
            await stream.acknowledge(push)
            assert [offset for offset, _ in records_of(await stream.push())] == [5, 6]
            await stream.acknowledge(push, 1)  # a seek back
            push = await stream.push()
            assert [offset for offset, _ in records_of(push)] == [1, 2]
            await stream.acknowledge(push, 11)  # a seek to the end: nothing until something comes
            await client.ask(offsets_of("t"))
            assert not client.has_answer(stream.correlation_id)
            await client.produce("t", one_batch(b"new"))
            assert records_of(await stream.push()) == [(11, b"new")]

    run_with_spu(tmp_path, body)


def test_a_batch_larger_than_max_bytes_comes_whole_and_a_slice_begins_with_its_batch(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        async with connect(public_port(spu)) as client:
            await client.produce("t", one_batch(b"a" * 100_000, b"b" * 100_000), one_batch(b"c"))
            stream = await client.stream("t", 1, max_bytes=1)
            push = await stream.push()
            assert [offset for offset, _ in records_of(push)] == [0, 1]
            await stream.acknowledge(push)
            assert records_of(await stream.push()) == [(2, b"c")]

    run_with_spu(tmp_path, body)


def test_several_streams_of_a_connection_do_not_wait_for_each_other(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "one", "two")
        async with connect(public_port(spu)) as client:
            idle = await client.stream("two")
            unread = await client.stream("one")
            await client.produce("one", *[one_batch(bytes([i]) * 100_000) for i in range(5)])
            first = await unread.push()  # never acknowledged
            other = await client.stream("one", max_bytes=150_000)
            assert len(await other.read_to(5)) == 5
            assert first.stream_id == 2
            await client.produce("two", one_batch(b"x"))
            assert records_of(await idle.push()) == [(0, b"x")]

    run_with_spu(tmp_path, body)


def test_a_stream_ends_when_its_topic_is_deleted_and_the_data_are_gone(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t", "u")
        async with connect(public_port(spu)) as client:
            stream = await client.stream("t")
            await client.produce("t", one_batch(b"x"))
            push = await stream.push()
            await sc.push(replica("t"), kind=MsgType.DELETE)
            assert (await stream.push()).partition.error_code.kind is ErrorKind.TOPIC_DELETED
            await sc.until(lambda: ("t", 0) in sc.removed)
            assert not (tmp_path / "spu-logs-5001" / "t-0").exists()
            status = (await stream.acknowledge(push)).status
            assert status[0].error.kind is ErrorKind.FETCH_SESSION_NOT_FOUND
            answers = await client.produce("t", one_batch(b"x"))
            assert answers[0].error_code.kind is ErrorKind.NOT_LEADER_FOR_PARTITION
            sc.reports.clear()
            await sc.push(replica("t"))
            await sc.told("t", leo=0)
            assert (await client.produce("t", one_batch(b"y")))[0].base_offset == 0

    run_with_spu(tmp_path, body)


def test_a_stream_ends_when_the_leadership_goes_elsewhere(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        async with connect(public_port(spu)) as client:
            stream = await client.stream("t")
            await sc.push(replica("t", leader=5002, replicas=[5002, 5001]))
            assert (await stream.push()).partition.error_code.kind is ErrorKind.NOT_LEADER_FOR_PARTITION
            await sc.push(replica("t"))
            await client.ask(ApiVersionsRequest(), 2)

    run_with_spu(tmp_path, body)


def test_streams_that_cannot_begin_say_why(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        async with connect(public_port(spu)) as client:
            push = await (await client.stream("unknown")).push()
            assert push.stream_id == 0
            assert push.partition.error_code.kind is ErrorKind.NOT_LEADER_FOR_PARTITION
            push = await (await client.stream("t", 7)).push()
            assert push.partition.error_code.payload == ("start offset: 7 is greater than leo: 0",)
            push = await (await client.stream("t", -1)).push()
            assert push.partition.error_code.kind is ErrorKind.OFFSET_EVICTED
            update = UpdateOffsetsRequest(offsets=[OffsetUpdate(offset=0, session_id=99)])
            status = (await client.ask(update, 0)).status
            assert (status[0].session_id, status[0].error.kind) == (99, ErrorKind.FETCH_SESSION_NOT_FOUND)

    run_with_spu(tmp_path, body)


def test_a_stream_crosses_segments(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await sc.push_all(replica("t", storage=TopicStorageConfig(segment_size=1000)))
        await sc.told("t")
        async with connect(public_port(spu)) as client:
            for i in range(40):
                await client.produce("t", one_batch(b"%03d" % i * 30))
            stream = await client.stream("t", isolation=Isolation.READ_COMMITTED)
            found = await stream.read_to(40)
            assert [offset for offset, _ in found] == list(range(40))
        assert len(list((tmp_path / "spu-logs-5001" / "t-0").glob("*.log"))) > 3

    run_with_spu(tmp_path, body)


@pytest.mark.parametrize("version", [0, 3, 10, 17, 25])
def test_one_shot_fetch_and_offsets_answer_at_the_version_they_are_asked(
    tmp_path: Path, version: int
) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        async with connect(public_port(spu)) as client:
            await client.produce("t", one_batch(b"a"), one_batch(b"b"))
            wanted = [
                FetchPartition(partition_index=0, fetch_offset=1),
                FetchPartition(partition_index=7, fetch_offset=0),
                FetchPartition(partition_index=0, fetch_offset=2),
            ]
            request = FetchRequest(topics=[FetchableTopic(name="t", fetch_partitions=wanted)])
            one, missing, end = (await client.ask(request, version)).topics[0].partitions
            data = memoryview(one.records)
            assert [r.value for header in split(data) for r in decode_records(data, header)] == [b"b"]
            assert one.high_watermark == 2
            assert missing.error_code.kind is ErrorKind.NOT_LEADER_FOR_PARTITION
            assert len(end.records) == 0
            answer = await client.ask(offsets_of("t", "unknown"), version)
            found, unknown = answer.topics
            assert (found.partitions[0].start_offset, found.partitions[0].last_stable_offset) == (0, 2)
            assert unknown.partitions[0].error_code.kind is ErrorKind.PARTITION_NOT_LEADER

    run_with_spu(tmp_path, body)


def test_a_consumer_that_takes_nothing_holds_up_nobody(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        blob = one_batch(bytes(900_000))
        async with connect(public_port(spu)) as lazy, connect(public_port(spu)) as client:
            for _ in range(10):
                await client.produce("t", blob)
            lazy_streams = [await lazy.stream("t", max_bytes=8_000_000) for _ in range(20)]
            stream = await client.stream("t")
            assert len(await stream.read_to(10)) == 10
            for lazy_stream in lazy_streams:  # 80 MB that waited
                assert len(records_of(await lazy_stream.push())) == 4

    run_with_spu(tmp_path, body)


def test_consumers_that_vanish_amid_a_push_leave_no_trace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        async with connect(public_port(spu)) as client:
            for _ in range(8):
                await client.produce("t", one_batch(bytes(900_000)))
        request = encode_request(StreamFetchRequest(topic="t", fetch_offset=0, max_bytes=8_000_000), 25, 1)
        for taken in (0, 1, 100, 1_000_000, 3_000_000) * 3:
            reader, writer = await asyncio.open_connection("127.0.0.1", public_port(spu), limit=1024)
            writer.write(bytes(request) * 5)
            await reader.readexactly(taken)
            writer.transport.abort()
        assert spu.public is not None
        await spu.public.wait_empty()
        leader = spu.replicas.find("t", 0)
        assert leader is not None
        assert not leader._watchers
        assert [file.users for file in spu.replicas._open_files._kept.values()] == [0] * len(
            spu.replicas._open_files._kept
        )
        async with connect(public_port(spu)) as client:
            assert len(await (await client.stream("t")).read_to(8)) == 8

    with caplog.at_level("WARNING"):
        run_with_spu(tmp_path, body)
    assert [record for record in caplog.records if record.name.startswith("fluvio")] == []
    assert caplog.records == []


def test_closing_a_connection_ends_its_streams(tmp_path: Path) -> None:
    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        async with connect(public_port(spu)) as client:
            for _ in range(100):
                await client.stream("t")
            await client.ask(ApiVersionsRequest(), 2)
            leader = spu.replicas.find("t", 0)
            assert leader is not None
            assert len(leader._watchers) == 100
        assert spu.public is not None
        await spu.public.wait_empty()
        assert not leader._watchers

    run_with_spu(tmp_path, body)


def test_pipelined_producers_on_two_connections_keep_their_order(tmp_path: Path) -> None:
    async def produce(port: int, tag: bytes) -> None:
        async with connect(port) as client:
            for i in range(50):
                await client.produce("t", one_batch(tag + b"%02d" % i))

    async def body(sc: ScriptedSc, spu: Spu) -> None:
        await ready(sc, "t")
        async with asyncio.TaskGroup() as group:
            for tag in (b"a", b"b"):
                group.create_task(produce(public_port(spu), tag))
        async with connect(public_port(spu)) as client:
            found = await (await client.stream("t")).read_to(100)
        for tag in (b"a", b"b"):
            assert [v for _, v in found if v[:1] == tag] == [tag + b"%02d" % i for i in range(50)]

    run_with_spu(tmp_path, body)
