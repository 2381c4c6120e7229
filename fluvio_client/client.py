"""`Fluvio`: one client of one cluster, from which everything else is made.

    async with Fluvio.connect("127.0.0.1:9003") as client:
        await client.admin.create_topic("greetings", TopicSpec(replicas=TopicReplicaParam()))
        async with client.producer("greetings") as producer:
            delivery = await producer.send(b"key", b"value")
            print(await delivery)
        config = ConsumerConfig("greetings", start=Offset.beginning(), disable_continuous=True)
        async with client.consumer(config) as consumer:
            async for record in consumer:
                print(record.offset, record.value)

A client is given an address, or a resolved profile: this package does not read the profile file, it takes
whatever has the attributes of `target.ClusterTarget`, such as what `fluvio_profiles.resolve` returns.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from fluvio_client.admin import Admin
from fluvio_client.cluster import ClusterConnections
from fluvio_client.consumer.consumer import Consumer
from fluvio_client.consumer.settings import ConsumerConfig
from fluvio_client.errors import ClientClosedError
from fluvio_client.producer.producer import Producer
from fluvio_client.producer.settings import ProducerSettings
from fluvio_client.settings import ClientSettings
from fluvio_client.target import ClusterTarget, resolve_address

if TYPE_CHECKING:
    from fluvio_client.health.probe import HealthProbe


class Fluvio:
    """An async context manager; the task that enters it must be the one that leaves it.

    Inside, any task may use it. Leaving it ends its producers and consumers that are still open: close
    producers before, or what they have not sent is lost.
    """

    def __init__(self, target: "str | ClusterTarget | _Late", settings: ClientSettings) -> None:
        """Use `connect`."""
        self._target, self._settings = target, settings
        self._cluster: ClusterConnections | None = None
        self._tasks = asyncio.TaskGroup()
        self._following: asyncio.Task[None] | None = None
        self._users: WeakSet[Producer | Consumer] = WeakSet()  # open ones are kept alive by their tasks

    @classmethod
    def connect(
        cls,
        endpoint: str | None = None,
        *,
        profile: ClusterTarget | Callable[[], ClusterTarget] | None = None,
        settings: ClientSettings | None = None,
    ) -> Self:
        """A client that connects when it is entered.

        Exactly one of: `endpoint`, host:port of the controller; `profile`, a resolved profile or a function
        that returns one, called when the client is entered (its errors come from there).
        """
        if (endpoint is None) == (profile is None):
            raise TypeError("give either `endpoint` or `profile`")
        settings = settings or ClientSettings()
        if endpoint is not None:
            return cls(endpoint, settings)
        assert profile is not None
        return cls(_Late(profile) if callable(profile) else profile, settings)

    async def __aenter__(self) -> Self:
        """Connect. Raises `ConnectionFailedError`, `HandshakeError`, `IncompatibleServerError`,
        `CertificateError` (those of the profile cannot be used)."""
        target = self._target.resolve() if isinstance(self._target, _Late) else self._target
        cluster = ClusterConnections(resolve_address(target), self._settings)
        try:
            await cluster.open()
        except BaseException:
            cluster.close()
            raise
        self._cluster = cluster
        await self._tasks.__aenter__()
        self._following = self._tasks.create_task(cluster.keep_following(), name="controller connection")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for user in list(self._users):
            user.abort()
        if self._following is not None:
            self._following.cancel()
        if self._cluster is not None:
            self._cluster.close()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            # The group wraps the error of the block together with those of tasks; alone it stands for itself.
            if error is not None and len(group.exceptions) == 1 and group.exceptions[0] is error:
                return
            raise

    @property
    def admin(self) -> Admin:
        """The controller's calls."""
        return Admin(self._connections())

    def producer(self, topic: str, settings: ProducerSettings | None = None) -> Producer:
        """A producer for `topic`, to be entered (`async with`) or opened."""
        producer = Producer(self._connections(), self._tasks, topic, settings or ProducerSettings())
        self._users.add(producer)
        return producer

    def consumer(self, config: ConsumerConfig) -> Consumer:
        """A consumer, to be entered (`async with`) or opened."""
        consumer = Consumer(self._connections(), self._tasks, config)
        self._users.add(consumer)
        return consumer

    def health_probe(self) -> "HealthProbe":
        """What tries the cluster by a record to each SPU and back."""
        from fluvio_client.health.probe import HealthProbe

        return HealthProbe(self, self._connections(), lambda: Fluvio(self._target, self._settings))

    def _connections(self) -> ClusterConnections:
        if self._cluster is None:
            raise ClientClosedError("the client is not connected: use `async with`")
        return self._cluster


class _Late:
    """A profile that is resolved when the client is entered."""

    def __init__(self, resolve: Callable[[], ClusterTarget]) -> None:
        self.resolve = resolve
