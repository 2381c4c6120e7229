"""Producing with the commit waited for, on a replica whose high watermark others have to raise."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from fluvio_local_cluster.spu.handlers.produce import ProduceHandler
from fluvio_local_cluster.spu.leader import LeaderReplica
from fluvio_local_cluster.spu.replicas import ReplicaManager
from fluvio_local_cluster.spu.settings import Address, SpuSettings
from fluvio_local_cluster.storage import LogSettings, ReplicaLog
from fluvio_protocol.api.produce import (
    READ_COMMITTED,
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    TopicProduceData,
)
from fluvio_protocol.error_code import ErrorKind, RequestKind, code
from fluvio_protocol.frame import RequestHeader
from tests.support.record_sets import one_batch
from tests.support.scripted_sc import replica

Produce = Callable[[int], Awaitable[list[PartitionProduceResponse]]]


def run(directory: Path, body: Callable[[Produce, LeaderReplica, LeaderReplica], Awaitable[None]]) -> None:
    async def main() -> None:
        nowhere = Address("127.0.0.1", 0)
        manager = ReplicaManager(SpuSettings(1, nowhere, nowhere, nowhere, directory))
        leaders = []
        for topic in ("a", "b"):
            log = ReplicaLog.open(directory / topic, LogSettings())
            leader = LeaderReplica(replica(topic, replicas=[1, 2]), log, lambda _: None)
            manager.leaders[topic, 0] = leader
            leaders.append(leader)
        handler = ProduceHandler(manager, set())

        async def produce(timeout_ms: int) -> list[PartitionProduceResponse]:
            request = ProduceRequest(
                isolation=READ_COMMITTED,
                timeout_ms=timeout_ms,
                topics=[
                    TopicProduceData(
                        name=topic,
                        partitions=[
                            PartitionProduceData(partition_index=0, records=memoryview(one_batch(b"x")))
                        ],
                    )
                    for topic in ("a", "b")
                ],
            )
            header = RequestHeader(0, 25, 1, "test")
            answer = await handler.handle(None, header, request)  # type: ignore[arg-type]
            return [topic.partitions[0] for topic in answer.responses]

        async with asyncio.timeout(10):
            await body(produce, *leaders)

    asyncio.run(main())


def test_the_answer_waits_for_the_commit_of_all_partitions(tmp_path: Path) -> None:
    async def body(produce: Produce, a: LeaderReplica, b: LeaderReplica) -> None:
        async with asyncio.TaskGroup() as group:
            producing = group.create_task(produce(5000))  # type: ignore[arg-type]
            await asyncio.sleep(0)
            b.raise_hw(1)
            await asyncio.sleep(0)
            assert not producing.done()
            a.raise_hw(1)
        assert [answer.error_code.kind for answer in producing.result()] == [ErrorKind.NONE] * 2

    run(tmp_path, body)


def test_one_deadline_counts_for_the_request_and_the_records_stay(tmp_path: Path) -> None:
    async def body(produce: Produce, a: LeaderReplica, b: LeaderReplica) -> None:
        b.log.set_hw(0)
        answers = await produce(1)
        expected = code(ErrorKind.REQUEST_TIMED_OUT, 1, RequestKind.PRODUCE)
        assert [answer.error_code for answer in answers] == [expected] * 2
        assert (a.leo, a.hw) == (1, 0)

    run(tmp_path, body)


def test_losing_the_leadership_answers_at_once(tmp_path: Path) -> None:
    async def body(produce: Produce, a: LeaderReplica, b: LeaderReplica) -> None:
        async with asyncio.TaskGroup() as group:
            producing = group.create_task(produce(60_000))  # type: ignore[arg-type]
            await asyncio.sleep(0)
            a.end(code(ErrorKind.NOT_LEADER_FOR_PARTITION))
            b.raise_hw(1)
        kinds = [answer.error_code.kind for answer in producing.result()]
        assert kinds == [ErrorKind.NOT_LEADER_FOR_PARTITION, ErrorKind.NONE]

    run(tmp_path, body)
