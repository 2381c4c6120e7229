"""A topic as pieces, up to where it ends now, in the order of time as far as batches allow.

Partitions are consumers of their own, merged by the times at which their batches begin: so a file can be
replayed from its first byte to its last. With many partitions some share a consumer, whose batches come as
they come; each consumer has slices of its own in memory, so these become smaller as there are more of them.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from fluvio_cli.streaming.selection import Selection
from fluvio_cli.transfer.pieces import Columns, Piece, piece_of
from fluvio_client.consumer.offsets import Offset
from fluvio_client.consumer.settings import ConsumerConfig, Evicted

if TYPE_CHECKING:
    from fluvio_client.client import Fluvio
    from fluvio_client.consumer.consumer import Consumer
    from fluvio_client.consumer.positions import RecordBatch
    from fluvio_protocol.api.topic import TopicSpec

_MOST_CONSUMERS = 32
_SLICE_BYTES, _LEAST_SLICE_BYTES, _ALL_BYTES = 4 << 20, 256 << 10, 32 << 20
_OUT_OF_REACH_S = 60.0

OnSkipped = Callable[[int, int, int], None]


@dataclass(slots=True, frozen=True)
class Extent:
    """Which records of a topic."""

    partitions: tuple[int, ...] = ()  # none: all
    starts: Mapping[int, int] = field(default_factory=dict)  # offsets; partitions without one: the beginning
    selection: Selection = field(default_factory=Selection)


async def read_topic(
    client: "Fluvio", topic: str, extent: Extent, on_skipped: OnSkipped | None = None
) -> AsyncGenerator[Piece, None]:
    """The records, partition by partition in order. Raises what consuming does.

    `on_skipped`: told when retention has removed records in front of those that come next; None: that fails.
    """
    selection = extent.selection
    start = Offset.beginning() if selection.since_ms is None else Offset.since(selection.since_ms)
    numbers = extent.partitions or await partitions_of(client, topic)
    selection.partitions = len(numbers)
    groups = [numbers[first::_MOST_CONSUMERS] for first in range(min(_MOST_CONSUMERS, len(numbers)))]
    slice_bytes = min(max(_ALL_BYTES // len(groups), _LEAST_SLICE_BYTES), _SLICE_BYTES)
    config = ConsumerConfig(
        topic,
        start=start,
        starts={number: Offset.absolute(offset) for number, offset in extent.starts.items()},
        max_bytes=slice_bytes,
        disable_continuous=True,
        evicted=Evicted.FAIL if on_skipped is None else Evicted.CONTINUE,
        on_skipped=on_skipped,
        reconnect_timeout_s=_OUT_OF_REACH_S,
    )
    async with AsyncExitStack() as stack:
        consumers = []
        for group in groups:
            consumer = client.consumer(replace(config, partitions=group))
            consumers.append(await stack.enter_async_context(consumer))
        async for batch in _by_time(consumers):
            piece = _selected(batch, selection)
            if piece is not None:
                yield piece
            if selection.is_done:
                return


async def partitions_of(client: "Fluvio", topic: str) -> tuple[int, ...]:
    """The topic's partitions. Raises `TopicNotFoundError`."""
    from fluvio_cli.commands.topic.failure import topic_not_found

    spec = await find_topic(client, topic)
    if spec is None:
        raise topic_not_found(topic)
    return tuple(range(spec[1]))


async def find_topic(client: "Fluvio", topic: str) -> "tuple[TopicSpec, int] | None":
    """A topic's settings, and how many partitions it has; None: there is none of this name."""
    for system in (False, True):
        for found in await client.admin.list_topics([topic], system=system):
            if found.name == topic:
                count = len(found.status.replica_map) or wished_partitions(found.spec)
                return found.spec, count
    return None


def wished_partitions(spec: "TopicSpec") -> int:
    """How many partitions a topic with these settings is to have."""
    replicas = spec.replicas
    return getattr(replicas, "partitions", 0) or len(getattr(replicas, "maps", ()))


async def _by_time(consumers: "Sequence[Consumer]") -> "AsyncIterator[RecordBatch]":
    waiting: list[tuple[int, int, RecordBatch]] = []

    async def refill(number: int) -> None:
        batch = await consumers[number].next_batch()
        if batch is not None:
            heappush(waiting, (batch.header.first_timestamp, number, batch))

    for number in range(len(consumers)):
        await refill(number)
    while waiting:
        _, number, batch = heappop(waiting)
        yield batch
        await refill(number)


def _selected(batch: "RecordBatch", selection: Selection) -> Piece | None:
    if selection.is_everything:
        return piece_of(batch)
    if selection.narrow(batch):
        return piece_of(batch) if batch.count > 0 else None
    records = selection.choose(batch)
    if not records:
        return None
    if len(records) == batch.header.record_count:
        return piece_of(batch)
    offsets = [record.offset for record in records]
    columns = Columns(
        [record.timestamp for record in records],
        [record.key for record in records],
        [record.value for record in records],
    )
    return Piece(batch.partition, offsets, columns)


async def bounds_of(client: "Fluvio", topic: str, partitions: Sequence[int]) -> dict[int, tuple[int, int]]:
    """For each partition the offset of its oldest record, and that of the next one to come."""
    found = []
    for start in (Offset.beginning(), Offset.end()):
        config = ConsumerConfig(topic, partitions=tuple(partitions), start=start, disable_continuous=True)
        consumer = await client.consumer(config).open()
        found.append(consumer.positions())
        consumer.abort()
    first, following = found
    return {number: (first[number], following[number]) for number in partitions}
