"""The health check against clusters that work, work in part, or refuse."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fluvio_client.blocking import BlockingAdmin
from fluvio_client.client import Fluvio
from fluvio_client.health.probe import Limits
from fluvio_client.health.report import HealthReport, topic_name
from fluvio_client.settings import ClientSettings
from fluvio_protocol.api.admin import Status
from fluvio_protocol.api.produce import ProduceRequest
from fluvio_protocol.api.topic import TopicReplicaParam, TopicSpec
from fluvio_protocol.error_code import ErrorCode, ErrorKind
from fluvio_protocol.wire import encode
from tests.support.running_cluster import RunningCluster
from tests.support.scripted_cluster import ScriptedCluster
from tests.support.scripted_peer import Received

SETTINGS = ClientSettings(socket_timeout_s=5.0, metadata_timeout_s=5.0)
LIMITS = Limits(5.0, 5.0, 10.0)


def check(endpoint: str, limits: Limits = LIMITS) -> HealthReport:
    async def main() -> HealthReport:
        async with asyncio.timeout(30), Fluvio.connect(endpoint, settings=SETTINGS) as client:
            return await client.health_probe().check(limits)

    return asyncio.run(main())


def system_topics(endpoint: str) -> list[str]:
    with BlockingAdmin.connect(endpoint) as admin:
        names = [topic.name for system in (True, False) for topic in admin.list_topics(system=system)]
    return [name for name in names if name != "consumer-offset"]


def test_a_record_goes_to_each_spu_and_comes_back_and_no_topic_stays(tmp_path: Path) -> None:
    with RunningCluster(tmp_path, spus=2) as cluster:
        report = check(cluster.endpoint)
        assert report.problems == []
        assert [spu.id for spu in report.spus] == [5001, 5002]
        for spu in report.spus:
            assert spu.connect_ms is not None
            assert spu.produce_ms is not None
            assert spu.consume_ms is not None
        assert report.sc_ms > 0
        assert (report.refusal, report.left_topic) == (None, None)
        assert system_topics(cluster.endpoint) == []


def test_what_a_killed_check_has_left_is_removed_by_the_next(tmp_path: Path) -> None:
    with RunningCluster(tmp_path) as cluster:
        old, young = topic_name(time.time() - 100, b"\x01"), topic_name(time.time(), b"\x02")
        with BlockingAdmin.connect(cluster.endpoint) as admin:
            for name in (old, young):
                admin.create_topic(name, TopicSpec(replicas=TopicReplicaParam(), system=True))
        assert check(cluster.endpoint).is_healthy
        assert system_topics(cluster.endpoint) == [young]


def answer_with(kind: ErrorKind | None) -> Callable[[Received], bytes]:
    def answer(request: Received) -> bytes:
        status = Status(
            name="", error_code=ErrorCode(kind) if kind is not None else ErrorCode(ErrorKind.NONE)
        )
        return encode(status, request.header.api_version)

    return answer


def test_a_cluster_that_refuses_topics_is_judged_by_connecting_to_its_spus() -> None:
    with ScriptedCluster({"t": [5001, 5002]}) as cluster:
        cluster.on_other = answer_with(ErrorKind.PERMISSION_DENIED)
        report = check(cluster.endpoint)
        assert report.refusal == "permission denied"
        assert report.is_healthy
        assert all(spu.connect_ms is not None and spu.produce_ms is None for spu in report.spus)
        assert cluster.spu.asked(ProduceRequest) == []


def test_an_spu_that_the_controller_calls_offline_is_a_problem_and_is_not_tried() -> None:
    with ScriptedCluster({"t": [5001, 5002]}) as cluster:
        cluster.on_other = answer_with(ErrorKind.PERMISSION_DENIED)
        cluster.set_online(5002, False)
        report = check(cluster.endpoint)
        assert report.problems == ["SPU 5002 is offline"]
        assert report.spus[1].connect_ms is None


def test_another_refusal_of_the_topic_is_a_problem() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.on_other = answer_with(ErrorKind.TOPIC_ERROR)
        (problem,) = check(cluster.endpoint).problems
        assert problem.startswith("no topic could be created: ")


class LendsTopics:
    """Answers creations and deletions of a scripted cluster; `made` and `gone` hold how many there were."""

    def __init__(self, cluster: ScriptedCluster) -> None:
        self.cluster, self.made, self.gone = cluster, threading.Event(), threading.Event()
        self._names: list[str] = []

    def __call__(self, request: Received) -> bytes:
        text = bytes(request.body)
        if not self.made.is_set():
            start = text.index(b"fluvio-health-")
            name = text[start : start + len("fluvio-health-00000000-00000000")].decode()
            self.cluster.lead(name, [5001])
            self._names.append(name)
            self.made.set()
        else:
            assert self._names[0].encode() in text
            self.gone.set()
        return encode(Status(name="", error_code=ErrorCode(ErrorKind.NONE)), request.header.api_version)


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (ErrorKind.STORAGE_ERROR, "SPU 5001: produce: "),
        ("say nothing", "SPU 5001: produce: no answer within 1.0 s"),
    ],
)
def test_an_spu_that_does_not_store_is_named_and_the_topic_goes_all_the_same(
    fault: ErrorKind | str, problem: str
) -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.on_other = topics = LendsTopics(cluster)
        cluster.spu.faults.extend([fault] * 200)
        report = check(cluster.endpoint, Limits(5.0, 5.0, 1.0))
        assert len(report.problems) == 1
        assert report.problems[0].startswith(problem)
        assert topics.gone.is_set()


def test_a_cancelled_check_removes_its_topic() -> None:
    with ScriptedCluster({"t": [5001]}) as cluster:
        cluster.on_other = topics = LendsTopics(cluster)
        cluster.spu.faults.append("say nothing")

        async def main() -> None:
            async with asyncio.timeout(30), Fluvio.connect(cluster.endpoint, settings=SETTINGS) as client:
                async with asyncio.TaskGroup() as group:
                    checking = group.create_task(client.health_probe().check(LIMITS))
                    await asyncio.to_thread(cluster.spu.wait_for, ProduceRequest)
                    checking.cancel()
            assert topics.gone.is_set()

        asyncio.run(main())
