"""Tries a cluster: asks the controller, then sends a record to each online SPU and reads it back.

For that it creates a system topic, which listings do not show, with one partition placed on each online SPU,
and deletes it in the end, however that comes. A creation that is not answered in time is not waited for any
more: partitions of the SPUs that work are there, and those of the others tell by themselves what is wrong. A
cluster that lets nobody create topics is judged by what its controller says and by connecting to each SPU.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fluvio_client import admin_calls
from fluvio_client.admin_calls import Call, SpuObject
from fluvio_client.cluster import ClusterConnections
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig
from fluvio_client.health.report import HealthReport, SpuHealth, leftovers, topic_name
from fluvio_client.metadata import Leader
from fluvio_client.producer.partitioner import FixedPartitioner
from fluvio_client.producer.settings import ProducerSettings
from fluvio_client.target import spu_endpoint
from fluvio_protocol.api.spu import SpuStatusResolution
from fluvio_protocol.api.topic import AssignedReplicas, PartitionMap, TopicSpec
from fluvio_protocol.error_code import PermissionDeniedError, TopicNotFoundError, TopicNotProvisionedError
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_client.client import Fluvio

REMOVE_S = 5.0  # for deleting the topic in the end, in all
_LATE_ANSWER_S = 1.0  # for the answer to a creation that is to be undone
_VALUE_BYTES = 16


@dataclass(slots=True, frozen=True)
class Limits:
    """How long each part of a check may take (s)."""

    ask_s: float
    create_s: float
    spu_s: float  # connecting, producing and consuming, for each SPU; all at once

    @classmethod
    def within(cls, total_s: float) -> "Limits":
        """Parts that take at most 0.8 of `total_s`; the rest is for connecting to the controller."""
        return cls(total_s * 0.05, total_s * 0.15, total_s * 0.5)


@dataclass(slots=True, frozen=True)
class _Creation:
    """A topic whose creation was asked for."""

    answer: "asyncio.Future[Any]"
    call: Call[None]
    version: int

    @property
    def is_answered(self) -> bool:
        """Whether the controller has said anything, be it no."""
        return self.answer.done() and not self.answer.cancelled() and self.answer.exception() is None

    def check(self) -> None:
        """Raise what the controller answered, unless the topic is, or may become, usable."""
        if not self.answer.done():
            return
        try:
            self.call.finish(self.answer.result(), self.version)
        except TopicNotProvisionedError:
            pass


class HealthProbe:
    """Use `Fluvio.health_probe`."""

    def __init__(self, client: "Fluvio", cluster: ClusterConnections, again: Callable[[], "Fluvio"]) -> None:
        """`again` makes another client of the same cluster, to be entered."""
        self._client, self._cluster, self._again = client, cluster, again

    async def check(self, limits: Limits) -> HealthReport:
        """Try everything once. Raises what calls to the controller raise; all else is in the report.

        When this is cancelled the topic is deleted all the same, which takes up to `REMOVE_S`.
        """
        admin = self._client.admin
        async with asyncio.timeout(limits.ask_s):
            version = await admin.platform_version()
            asked = time.monotonic()
            found = await admin.list_spus()
        report = HealthReport(version, _ms_since(asked), [self._spu(spu) for spu in found])
        report.spus.sort(key=lambda spu: spu.id)
        await self._remove_leftovers(limits)
        online = {spu.spec.id: spu for spu in found if spu.status.resolution == SpuStatusResolution.ONLINE}
        if online:
            await self._try_records(report, online, limits)
        return report

    def _spu(self, spu: SpuObject) -> SpuHealth:
        is_online = spu.status.resolution == SpuStatusResolution.ONLINE
        return SpuHealth(spu.spec.id, spu.name, str(self._leader(spu).endpoint), is_online)

    def _leader(self, spu: SpuObject) -> Leader:
        local = self._cluster.address.use_spu_local_address
        return Leader(spu.spec.id, spu_endpoint(spu.name, spu.spec, use_local_address=local))

    async def _try_records(self, report: HealthReport, online: dict[int, SpuObject], limits: Limits) -> None:
        made, ids = topic_name(time.time(), os.urandom(4)), sorted(online)
        topic: str | None = made
        async with asyncio.timeout(limits.ask_s):
            creation = await self._begin_creation(made, ids)
        try:
            await asyncio.wait({creation.answer}, timeout=limits.create_s)
            try:
                creation.check()
            except PermissionDeniedError as exc:
                report.refusal, topic = str(exc), None
            except FluvioError as exc:
                report.error, topic = f"no topic could be created: {exc}", None
            health = {spu.id: spu for spu in report.spus}
            async with asyncio.TaskGroup() as group:
                for partition, spu_id in enumerate(ids):
                    leader = self._leader(online[spu_id])
                    trial = self._try_spu(health[spu_id], leader, topic, partition, limits.spu_s)
                    group.create_task(trial, name=f"health of SPU {spu_id}")
        finally:
            report.left_topic = await self._remove(made, creation)

    async def _begin_creation(self, topic: str, spu_ids: Sequence[int]) -> "_Creation":
        maps = [PartitionMap(id=number, replicas=[spu_id]) for number, spu_id in enumerate(spu_ids)]
        spec = TopicSpec(replicas=AssignedReplicas(maps=maps), system=True)
        call = admin_calls.create_topic(topic, spec)
        connection = await self._cluster.controller()
        version = connection.version_of(call.envelope)
        return _Creation(connection.start(call.request(version)), call, version)

    async def _try_spu(
        self, health: SpuHealth, leader: Leader, topic: str | None, partition: int, limit_s: float
    ) -> None:
        """Fill in the times and the error of one SPU; without a topic it is only connected to."""
        step = "connect"
        try:
            async with asyncio.timeout(limit_s):
                begun = time.monotonic()
                (await self._cluster.connect_spu(leader)).close()
                health.connect_ms = _ms_since(begun)
                if topic is None:
                    return
                value = os.urandom(_VALUE_BYTES)
                step, begun = "produce", time.monotonic()
                await self._produce(topic, partition, value, limit_s)
                health.produce_ms = _ms_since(begun)
                step, begun = "consume", time.monotonic()
                problem = await self._consume(topic, partition, value, limit_s)
                if problem is None:
                    health.consume_ms = _ms_since(begun)
                else:
                    health.error = f"{step}: {problem}"
        except TimeoutError:
            health.error = f"{step}: no answer within {limit_s:.1f} s"
        except FluvioError as exc:
            health.error = f"{step}: {exc}"

    async def _produce(self, topic: str, partition: int, value: bytes, limit_s: float) -> None:
        settings = ProducerSettings(partitioner=FixedPartitioner(partition), delivery_timeout_s=limit_s)
        async with self._client.producer(topic, settings) as producer:
            await (await producer.send(None, value))

    async def _consume(self, topic: str, partition: int, value: bytes, limit_s: float) -> str | None:
        """Read the partition's first record; what is wrong with it, or None."""
        config = ConsumerConfig(
            topic,
            partitions=(partition,),
            start=Offset.beginning(),
            disable_continuous=True,
            reconnect_timeout_s=limit_s,
        )
        async with self._client.consumer(config) as consumer:
            async for record in consumer:
                return None if record.value == value else "another record came back than was sent"
        return "the record that was stored did not come back"

    # --- topics go again

    async def _remove_leftovers(self, limits: Limits) -> None:
        """Remove what checks have left that were killed; not being able to is no finding."""
        try:
            async with asyncio.timeout(limits.ask_s):
                names = []
                for system in (True, False):  # a cluster that knows no system topics has made it a plain one
                    topics = await self._client.admin.list_topics([], system=system)
                    names += [topic.name for topic in topics]
                for name in leftovers(sorted(set(names)), time.time()):
                    await self._client.admin.delete_topic(name, force=True)
        except (FluvioError, TimeoutError):
            pass

    async def _remove(self, topic: str, creation: "_Creation") -> str | None:
        """Delete the topic, wherever its creation stands; its name if that could not be done.

        A controller that is busy with the creation may take no other request on that connection, so the
        deletion then goes over another one.
        """
        try:
            async with asyncio.timeout(REMOVE_S):
                await asyncio.wait({creation.answer}, timeout=_LATE_ANSWER_S)
                if creation.is_answered:
                    await self._client.admin.delete_topic(topic, force=True)
                else:
                    creation.answer.cancel()
                    async with self._again() as other:
                        await other.admin.delete_topic(topic, force=True)
        except (TopicNotFoundError, PermissionDeniedError):
            return None  # it was refused, or is gone
        except (FluvioError, TimeoutError):
            return topic
        return None


def _ms_since(begun: float) -> float:
    return round((time.monotonic() - begun) * 1000, 2)
