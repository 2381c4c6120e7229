"""The connections that everything of one client shares: one to the controller, one per SPU.

A lost connection to the controller is made again in the background, with growing pauses; meanwhile lookups
use what was known last. Connections to SPUs are made when they are first needed, and again when lost.
"""

import asyncio
import logging
from typing import Any

from fluvio_client import admin_calls
from fluvio_client.backoff import Backoff
from fluvio_client.connection import Connection
from fluvio_client.errors import ClientClosedError, ConnectionLostError
from fluvio_client.metadata import Leader, Metadata, MetadataStore
from fluvio_client.settings import ClientSettings
from fluvio_client.target import Address
from fluvio_types.errors import FluvioError

log = logging.getLogger(__name__)


class ClusterConnections:
    """Shared by admin, producers and consumers of one `Fluvio`. `open` first, `close` last."""

    def __init__(self, address: Address, settings: ClientSettings) -> None:
        self.address, self.settings = address, settings
        store = MetadataStore(use_local_address=address.use_spu_local_address)
        self.metadata = Metadata(store, timeout_s=settings.metadata_timeout_s)
        self.metadata.exists = self._topic_exists
        self._controller: Connection | None = None
        self._controller_lock = asyncio.Lock()
        self._spus: dict[int, Connection] = {}
        self._spu_locks: dict[int, asyncio.Lock] = {}
        self._is_closed = False

    async def open(self) -> None:
        """Connect to the controller and open the watches. Raises what `Connection.open` raises."""
        await self.controller()

    async def controller(self) -> Connection:
        """The connection to the controller, made again if it was lost. Raises like `Connection.open`."""
        async with self._controller_lock:
            if self._is_closed:
                raise ClientClosedError("the client is closed")
            if self._controller is None or self._controller.is_lost:
                self._controller = await Connection.open(
                    self.address.endpoint,
                    is_controller=True,
                    security=self.address.security,
                    client_id=self.settings.client_id,
                    timeout_s=self.settings.socket_timeout_s,
                )
                self.metadata.follow(self._controller)
            return self._controller

    async def keep_following(self) -> None:
        """Make the connection to the controller again whenever it is lost; runs until cancelled."""
        backoff = Backoff(first_s=0.1, factor=2.0, most_s=10.0)
        while True:
            try:
                connection = await self.controller()
                backoff.reset()
                reason = await connection.wait_lost()
            except FluvioError as exc:
                reason = exc
            log.info("controller connection lost reason=%s", reason)
            await asyncio.sleep(backoff.next_s())

    async def _topic_exists(self, name: str) -> bool:
        connection = await self.controller()
        call = admin_calls.list_topics([name])
        version = connection.version_of(call.envelope)
        topics = call.finish(await connection.call(call.request(version)), version)
        return any(topic.name == name for topic in topics)

    async def spu(self, leader: Leader) -> Connection:
        """The shared connection to an SPU. Raises like `Connection.open`; calls at once share one attempt."""
        lock = self._spu_locks.setdefault(leader.spu_id, asyncio.Lock())
        async with lock:
            found = self.open_spu(leader)
            if found is not None:
                return found
            old = self._spus.get(leader.spu_id)
            if old is not None:
                old.close()
            connection = await self.connect_spu(leader)
            self._spus[leader.spu_id] = connection
            return connection

    def open_spu(self, leader: Leader) -> Connection | None:
        """The shared connection to an SPU, if it is there."""
        found = self._spus.get(leader.spu_id)
        if found is None or found.is_lost or found.endpoint != leader.endpoint:
            return None
        return found

    async def connect_spu(self, leader: Leader) -> Connection:
        """A connection to an SPU for the caller alone, who closes it."""
        if self._is_closed:
            raise ClientClosedError("the client is closed")
        return await Connection.open(
            leader.endpoint,
            is_controller=False,
            security=self.address.security,
            client_id=self.settings.client_id,
            timeout_s=self.settings.socket_timeout_s,
        )

    def drop_spu(self, connection: Connection) -> None:
        """Give up a shared connection that does not answer; the next `spu` call makes another.

        What else is under way on it fails as if the server had closed it, so that it is sent again.
        """
        connection.give_up(ConnectionLostError(str(connection.endpoint), "a request was not answered"))

    def close(self) -> None:
        """Close every connection at once; everything under way on them fails."""
        self._is_closed = True
        everything: list[Any] = [self._controller, *self._spus.values()]
        for connection in everything:
            if connection is not None:
                connection.close()
