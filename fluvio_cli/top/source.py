"""Asks a cluster for what `fluvio top` shows, by a connection to each server that is kept open.

Of the controller come topics, partitions with their sizes, and SPUs; of each SPU where the partitions that it
leads begin and end, in one request. When an SPU does not answer, what the controller was told last is taken
in its place. Source: docs/protocol.md, "SC public API", "FetchOffsets", "Consumer offsets" and "Fetch".
"""

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from fluvio_cli.output.objects import topic_status_word
from fluvio_cli.top.model import ConsumerFigures, Key, PartitionFigures, Sample, SpuFigures, TopicFigures
from fluvio_cli.top.tail import Tail
from fluvio_client.admin_calls import PartitionObject, SpuObject
from fluvio_client.blocking import BlockingAdmin, BlockingConnection
from fluvio_client.consumer_offsets import BlockingConsumerOffsets
from fluvio_client.target import ClusterTarget, Endpoint, resolve_address, spu_endpoint
from fluvio_protocol.api.fetch import FetchableTopic, FetchPartition, FetchRequest, FetchResponse
from fluvio_protocol.api.offsets import (
    FetchOffsetPartition,
    FetchOffsetsRequest,
    FetchOffsetsResponse,
    FetchOffsetTopic,
)
from fluvio_protocol.api.partition import PartitionResolution
from fluvio_protocol.api.spu import SpuStatusResolution
from fluvio_protocol.error_code import exception_for
from fluvio_types.defaults import CONSUMER_OFFSET_TOPIC
from fluvio_types.errors import FluvioError
from fluvio_types.names import parse_partition_key, partition_key

ANSWER_S = 5.0  # how long one answer is awaited at most: figures that are older are of no use
_MOST_FETCHES = 16  # of one tail in one turn

Bounds = tuple[int, int]


class Source(Protocol):
    """What the screen's figures come from; used by one thread."""

    def take(self) -> Sample:
        """A new sample. Raises `FluvioError`; the next call connects anew."""

    def follow(self, tail: Tail, sample: Sample) -> None:
        """Read what is new in the partition of `tail`, of which `sample` tells. Raises `FluvioError`."""

    def close(self) -> None:
        """Close all connections; more than once does no harm."""


class ClusterSource:
    """A `Source` over blocking sockets."""

    def __init__(
        self,
        target: str | ClusterTarget,
        *,
        client_id: str,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`target` is host:port of the controller or a resolved profile; nothing is connected yet."""
        self._target, self._client_id, self._clock = target, client_id, clock
        self._timeout_s = min(timeout_s, ANSWER_S)
        self._admin: BlockingAdmin | None = None
        self._spus: dict[int, tuple[Endpoint, BlockingConnection]] = {}
        self._endpoints: dict[int, Endpoint] = {}  # of the SPUs that are online

    def take(self) -> Sample:
        """See `Source`. An SPU that does not answer is a remark, not an error."""
        try:
            return self._take()
        except FluvioError:
            self.close()
            raise

    def follow(self, tail: Tail, sample: Sample) -> None:
        """See `Source`; nothing happens while the partition cannot be read."""
        figures = next((each for each in sample.partitions if each.key == (tail.topic, tail.partition)), None)
        if figures is None or figures.start is None or figures.end is None:
            return
        for _ in range(_MOST_FETCHES):
            wanted = tail.wanted(figures.start, figures.end)
            if wanted is None or figures.leader not in self._endpoints:
                return
            partition = FetchPartition(
                partition_index=tail.partition, fetch_offset=wanted.offset, max_bytes=wanted.max_bytes
            )
            topic = FetchableTopic(name=tail.topic, fetch_partitions=[partition])
            with _Dropping(self, figures.leader) as leader:
                answer: FetchResponse = leader.call(FetchRequest(max_bytes=wanted.max_bytes, topics=[topic]))
            if not tail.take(_records_of(answer, tail), figures.end):
                return

    def close(self) -> None:
        """See `Source`."""
        for spu in list(self._spus):
            self.drop(spu)
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def drop(self, spu: int) -> None:
        """Close the connection to an SPU, if there is one."""
        found = self._spus.pop(spu, None)
        if found is not None:
            found[1].close()

    def connection_to(self, spu: int) -> BlockingConnection:
        """The connection to an SPU that is online, made when there is none."""
        endpoint = self._endpoints[spu]
        known = self._spus.get(spu)
        if known is not None and known[0] == endpoint:
            return known[1]
        self.drop(spu)
        connection = BlockingConnection.open(
            endpoint,
            security=resolve_address(self._target).security,
            client_id=self._client_id,
            timeout_s=self._timeout_s,
        )
        self._spus[spu] = endpoint, connection
        return connection

    def _take(self) -> Sample:
        if self._admin is None:
            self._admin = BlockingAdmin.connect(
                self._target, client_id=self._client_id, timeout_s=self._timeout_s
            )
        admin = self._admin
        topics, partitions, spus = admin.list_topics(), admin.list_partitions(), admin.list_spus()
        system = admin.list_partitions(system=True)
        self._learn_endpoints(spus)
        remarks: list[str] = []
        bounds = self._bounds(partitions, remarks)
        consumers = self._consumers(system, remarks)
        figures = [_figures(each, bounds) for each in partitions]
        counts: dict[str, int] = {}
        for each in figures:
            counts[each.topic] = counts.get(each.topic, 0) + 1
        return Sample(
            at_s=self._clock(),
            platform=admin.platform_version,
            topics=[
                TopicFigures(topic.name, topic_status_word(topic), counts.get(topic.name, 0))
                for topic in sorted(topics, key=lambda topic: topic.name)
            ],
            partitions=sorted(figures, key=lambda each: each.key),
            spus=[_spu(each) for each in sorted(spus, key=lambda spu: spu.spec.id)],
            consumers=consumers,
            remarks=remarks,
        )

    def _learn_endpoints(self, spus: Iterable[SpuObject]) -> None:
        use_local = resolve_address(self._target).use_spu_local_address
        self._endpoints = {
            spu.spec.id: spu_endpoint(spu.name, spu.spec, use_local_address=use_local)
            for spu in spus
            if spu.status.resolution is SpuStatusResolution.ONLINE
        }
        for gone in self._spus.keys() - self._endpoints.keys():
            self.drop(gone)

    def _bounds(self, partitions: Iterable[PartitionObject], remarks: list[str]) -> dict[Key, Bounds]:
        wanted: dict[int, dict[str, list[int]]] = {}
        for each in partitions:
            topic, number = parse_partition_key(each.name)
            if each.spec.leader in self._endpoints:
                wanted.setdefault(each.spec.leader, {}).setdefault(topic, []).append(number)
        found: dict[Key, Bounds] = {}
        for spu, topics in sorted(wanted.items()):
            request = FetchOffsetsRequest(
                topics=[
                    FetchOffsetTopic(
                        name=name, partitions=[FetchOffsetPartition(partition_index=each) for each in numbers]
                    )
                    for name, numbers in topics.items()
                ]
            )
            try:
                with _Dropping(self, spu) as leader:
                    answer: FetchOffsetsResponse = leader.call(request)
            except FluvioError as exc:
                remarks.append(f"SPU {spu}: {exc}")
                continue
            for topic_answer in answer.topics:
                for entry in topic_answer.partitions:
                    if entry.error_code.is_ok:
                        key = topic_answer.name, entry.partition_index
                        found[key] = entry.start_offset, entry.last_stable_offset
        return found

    def _consumers(self, system: Iterable[PartitionObject], remarks: list[str]) -> list[ConsumerFigures]:
        wanted = partition_key(CONSUMER_OFFSET_TOPIC, 0)
        keeper = next((each.spec.leader for each in system if each.name == wanted), None)
        if keeper is None:
            return []  # no consumer has stored anything yet
        if keeper not in self._endpoints:
            remarks.append(f"SPU {keeper}, which keeps the consumers' offsets, is not online")
            return []
        try:
            with _Dropping(self, keeper) as leader:
                stored = BlockingConsumerOffsets(leader).find()
        except FluvioError as exc:
            remarks.append(f"consumers: {exc}")
            return []
        return [
            ConsumerFigures(each.consumer_id, each.replica_id.topic, each.replica_id.partition, each.offset)
            for each in stored
        ]


class _Dropping:
    """The connection to an SPU for one call; one that fails is of no use any more, and closed."""

    def __init__(self, source: ClusterSource, spu: int) -> None:
        self._source, self._spu = source, spu

    def __enter__(self) -> BlockingConnection:
        return self._source.connection_to(self._spu)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._source.drop(self._spu)


def _records_of(answer: FetchResponse, tail: Tail) -> bytes | memoryview:
    for topic in answer.topics:
        for entry in topic.partitions:
            if (topic.name, entry.partition_index) == (tail.topic, tail.partition):
                if not entry.error_code.is_ok:
                    raise exception_for(entry.error_code)
                return entry.records
    return b""


def _figures(each: PartitionObject, bounds: dict[Key, Bounds]) -> PartitionFigures:
    topic, number = parse_partition_key(each.name)
    status = each.status
    start, end = bounds.get((topic, number), (status.base_offset, status.leader.leo))
    known = end >= 0  # unknown offsets are -1
    return PartitionFigures(
        topic,
        number,
        each.spec.leader,
        status.resolution is PartitionResolution.ONLINE,
        max(start, 0) if known else None,
        end if known else None,
        status.size if status.size >= 0 else None,
    )


def _spu(spu: SpuObject) -> SpuFigures:
    public = spu.spec.public_endpoint
    return SpuFigures(spu.spec.id, f"{public.host}:{public.port}", spu.status.resolution.name.capitalize())
