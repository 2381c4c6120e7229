"""What a client knows of its cluster: topics, partitions and SPUs, as the controller keeps telling it.

Source: docs/protocol.md, "Watch" and "Lookups". `MetadataStore` is pure: it takes watch updates and
answers lookups. `Metadata` feeds one from the watches of a connection and lets callers wait for changes.

A lookup says at once that a topic does not exist when the first list of topics and partitions has come
(official clients wait a minute for a list that is empty). What exists but is not ready yet is waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fluvio_client.connection import Connection
from fluvio_client.errors import LeaderUnavailableError, MetadataTimeoutError, PartitionNotFoundError
from fluvio_client.target import Endpoint, spu_endpoint
from fluvio_protocol.api.admin import MetadataUpdate, MsgType, WatchEnvelope, WatchRequest, unwrap, wrap
from fluvio_protocol.api.partition import PartitionResolution, PartitionSpec, PartitionStatus
from fluvio_protocol.api.spu import SpuSpec, SpuStatus, SpuStatusResolution
from fluvio_protocol.api.topic import TopicSpec, TopicStatus
from fluvio_protocol.error_code import ErrorKind, TopicNotFoundError, code
from fluvio_types.errors import FluvioError
from fluvio_types.names import parse_partition_key, partition_key

WATCHED = ("SPU", "Partition", "Topic")  # in the order in which official clients open the watches
R = TypeVar("R")


@dataclass(slots=True, frozen=True)
class Leader:
    """The SPU that leads a partition, and where clients reach it."""

    spu_id: int
    endpoint: Endpoint


@dataclass(slots=True, frozen=True)
class TopicView:
    """A topic and the numbers of its partitions that exist, ascending."""

    name: str
    spec: TopicSpec
    status: TopicStatus
    partitions: tuple[int, ...]


class NotReadyYetError(FluvioError):
    """A lookup cannot be answered yet; an update may change that. Callers of `Metadata` never see it."""

    kind = "unhealthy"


class MetadataStore:
    """The three stores. Not thread-safe; changes only in `apply`."""

    __slots__ = ("_partition_numbers", "partitions", "seen", "spus", "topics", "use_local_address")

    def __init__(self, *, use_local_address: bool = False) -> None:
        """`use_local_address`: reach SPUs by their local address where they have one."""
        self.use_local_address = use_local_address
        self.seen: set[str] = set()  # labels whose first list has come
        self.topics: dict[str, tuple[TopicSpec, TopicStatus]] = {}
        self.partitions: dict[str, tuple[PartitionSpec, PartitionStatus]] = {}
        self.spus: dict[str, tuple[SpuSpec, SpuStatus]] = {}
        self._partition_numbers: dict[str, tuple[int, ...]] = {}

    def apply(self, label: str, update: MetadataUpdate[Any, Any]) -> None:
        """Take one update: a full list replaces the store, changes are merged, an empty one does nothing.

        The first update after a (re)connect may be an empty list: it counts as having seen the store.
        """
        stores: dict[str, dict[str, Any]]
        stores = {"Topic": self.topics, "Partition": self.partitions, "SPU": self.spus}
        store = stores[label]
        if update.all or label not in self.seen:
            store.clear()
        for item in update.all:
            store[item.name] = (item.spec, item.status)
        for change in update.changes if not update.all else ():
            if change.header is MsgType.DELETE:
                store.pop(change.content.name, None)
            else:
                store[change.content.name] = (change.content.spec, change.content.status)
        self.seen.add(label)
        if label == "Partition":
            self._number_partitions()

    def start_over(self) -> None:
        """The watches are opened anew: keep what is known until the first lists replace it."""
        self.seen.clear()

    def _number_partitions(self) -> None:
        numbers: dict[str, set[int]] = {}
        for key in self.partitions:
            topic, number = parse_partition_key(key)
            numbers.setdefault(topic, set()).add(number)
        self._partition_numbers = {topic: tuple(sorted(found)) for topic, found in numbers.items()}

    def topic(self, name: str) -> TopicView:
        """The topic, once at least one partition of it exists.

        Raises `TopicNotFoundError`, or `NotReadyYetError` while it is unknown or has no partition.
        """
        found = self.topics.get(name)
        numbers = self._partition_numbers.get(name)
        if found is not None and numbers:
            return TopicView(name, found[0], found[1], numbers)
        if found is None and {"Topic", "Partition"} <= self.seen:
            raise TopicNotFoundError(
                code(ErrorKind.TOPIC_NOT_FOUND),
                f"Topic not found: {name}",
                hint="`fluvio topic list` shows the topics there are",
            )
        reason = found[1].reason if found is not None else ""
        raise NotReadyYetError(f"topic `{name}` with a partition" + (f" ({reason})" if reason else ""))

    def leader_of(self, topic: str, partition: int) -> Leader:
        """The leader, if its SPU is online.

        Raises `TopicNotFoundError`, `PartitionNotFoundError` (the topic has fewer), or `NotReadyYetError`
        with the reason while the partition has no leader that can be reached.
        """
        view = self.topic(topic)
        found = self.partitions.get(partition_key(topic, partition))
        if found is None:
            if partition >= _wished_partitions(view):
                raise PartitionNotFoundError(topic, partition)
            raise NotReadyYetError(f"partition {topic}-{partition}")
        leader_id = found[0].leader
        for name, (spec, status) in self.spus.items():
            if spec.id == leader_id:
                if status.resolution is not SpuStatusResolution.ONLINE:
                    raise NotReadyYetError(f"SPU {leader_id} is {status.resolution.name.lower()}")
                return Leader(leader_id, spu_endpoint(name, spec, use_local_address=self.use_local_address))
        raise NotReadyYetError(f"SPU {leader_id} is not registered")

    def online_partitions(self, topic: str) -> tuple[int, ...]:
        """Partitions that take records now, ascending; all of them when none is online."""
        view = self.topic(topic)
        online = tuple(
            number
            for number in view.partitions
            if self.partitions[partition_key(topic, number)][1].resolution is PartitionResolution.ONLINE
        )
        return online or view.partitions


def _wished_partitions(view: TopicView) -> int:
    """How many partitions the topic has or is about to have."""
    wished = getattr(view.spec.replicas, "partitions", 0)
    return max(int(wished), view.partitions[-1] + 1)


class Metadata:
    """A store that follows a controller. `changed` waiters wake at every update."""

    def __init__(self, store: MetadataStore, *, timeout_s: float) -> None:
        """`timeout_s`: how long lookups wait for what is not there yet."""
        self.store, self.timeout_s = store, timeout_s
        self.exists: Callable[[str], Awaitable[bool]] | None = None  # asks the controller for a topic
        self._waiters: set[asyncio.Future[None]] = set()
        self.listeners: set[Callable[[], None]] = set()  # called at every update; must be quick

    def follow(self, connection: Connection) -> None:
        """Open the three watches on a new connection to the controller. Raises `ConnectionLostError`."""
        self.store.start_over()
        version = connection.version_of(WatchEnvelope)
        for label in WATCHED:
            request = wrap(WatchEnvelope, label, WatchRequest(), version)
            connection.watch(request, self._taker(label, version))

    def _taker(self, label: str, version: int) -> Callable[[Any], None]:
        def take(body: Any) -> None:
            self.store.apply(label, unwrap(body, version, answer_to=WatchEnvelope))
            self.wake()

        return take

    def wake(self) -> None:
        """Let everybody look again."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        for listener in tuple(self.listeners):
            listener()

    async def changed(self) -> None:
        """Wait for the next update."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    async def topic(self, name: str) -> TopicView:
        """The topic, once it has a partition.

        Raises `TopicNotFoundError`, `MetadataTimeoutError`, and what a call to the controller raises.
        What the controller tells comes a moment after what it does: before a topic counts as missing the
        controller is asked, because somebody may have created it just now.
        """
        try:
            return await self._wait(lambda: self.store.topic(name), self.timeout_s)
        except TopicNotFoundError:
            if self.exists is None or not await self.exists(name):
                raise
        return await self._wait(lambda: self._told_of(name), self.timeout_s)

    def _told_of(self, name: str) -> TopicView:
        try:
            return self.store.topic(name)
        except TopicNotFoundError:
            raise NotReadyYetError(f"topic `{name}`") from None

    async def leader_of(self, topic: str, partition: int, *, timeout_s: float | None = None) -> Leader:
        """The partition's leader, once it is online.

        Raises `TopicNotFoundError` and `PartitionNotFoundError` at once, `LeaderUnavailableError` when there
        is none after `timeout_s`.
        """
        wait_s = self.timeout_s if timeout_s is None else timeout_s
        try:
            return await self._wait(lambda: self.store.leader_of(topic, partition), wait_s)
        except MetadataTimeoutError as exc:
            raise LeaderUnavailableError(topic, partition, exc.what) from exc

    async def _wait(self, look: Callable[[], R], wait_s: float) -> R:
        missing = "metadata"
        try:
            async with asyncio.timeout(wait_s):
                while True:
                    try:
                        return look()
                    except NotReadyYetError as exc:
                        missing = str(exc)
                    await self.changed()
        except TimeoutError as exc:
            raise MetadataTimeoutError(missing, wait_s) from exc
