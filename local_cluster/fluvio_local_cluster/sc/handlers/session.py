"""What the public port keeps per connection and shares among its calls."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fluvio_local_cluster.net.connection import Connection
from fluvio_local_cluster.sc.controller import Controller
from fluvio_local_cluster.sc.model.stores import Cluster, Listener, Store
from fluvio_local_cluster.sc.model.validation import Refusal
from fluvio_protocol.api.admin import Status
from fluvio_protocol.error_code import other
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_local_cluster.sc.spu_sessions import SpuSessions

_DELIVERY_TIMEOUT_S = 1.0  # a client that reads no more must not hold up what others are told


@dataclass(slots=True, eq=False)
class Watches:
    """All watch streams of the public port, so that an answer can wait until they have told the news."""

    listeners: set[Listener[Any]] = field(default_factory=set)
    _waiting: set[asyncio.Event] = field(default_factory=set)

    def progressed(self) -> None:
        """A stream has written something, or has ended."""
        for event in self._waiting:
            event.set()

    async def delivered(self, stores: Iterable[Store[Any]]) -> None:
        """Wait until every stream on these stores has written what they hold now, 1 s at most."""
        targets = {store: store.epoch for store in stores}
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(_DELIVERY_TIMEOUT_S):
                while any(
                    (listener.seen or 0) < targets[listener.store]
                    for listener in self.listeners
                    if listener.store in targets
                ):
                    event.clear()
                    await event.wait()
        except TimeoutError:
            return
        finally:
            self._waiting.discard(event)


@dataclass(slots=True, eq=False)
class Session:
    """One connection of the public port."""

    connection: Connection
    controller: Controller
    watches: Watches
    spus: "SpuSessions"
    topic_wait_s: float
    stream_count: int = 0

    @property
    def cluster(self) -> Cluster:
        """The stores."""
        return self.controller.cluster


def status_of(name: str, error: FluvioError | None = None) -> Status:
    """The answer to a change: ok, what a `Refusal` says, or `Other` with the text of another error."""
    if error is None:
        return Status(name=name)
    if isinstance(error, Refusal):
        return Status(name=error.name, error_code=error.code, error_message=error.message)
    return Status(name=name, error_code=other(str(error)), error_message=str(error))
