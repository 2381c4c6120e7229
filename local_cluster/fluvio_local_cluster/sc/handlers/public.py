"""The public port's table of calls."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fluvio_local_cluster.net.connection import Connection
from fluvio_local_cluster.net.dispatch import Route
from fluvio_local_cluster.sc.controller import Controller
from fluvio_local_cluster.sc.handlers.api_versions import handle_api_versions
from fluvio_local_cluster.sc.handlers.create import handle_create
from fluvio_local_cluster.sc.handlers.delete import handle_delete
from fluvio_local_cluster.sc.handlers.listing import handle_list
from fluvio_local_cluster.sc.handlers.session import Session, Watches
from fluvio_local_cluster.sc.handlers.update import handle_update
from fluvio_local_cluster.sc.handlers.watch import handle_watch
from fluvio_protocol.api.admin import (
    CREATE_KEY,
    DELETE_KEY,
    LIST_KEY,
    UPDATE_KEY,
    WATCH_KEY,
    CreateEnvelope,
    DeleteEnvelope,
    ListEnvelope,
    UpdateEnvelope,
    WatchEnvelope,
)
from fluvio_protocol.api.api_versions import API_VERSIONS_KEY, ApiVersionsRequest

if TYPE_CHECKING:
    from fluvio_local_cluster.sc.spu_sessions import SpuSessions


class PublicService:
    """What clients talk to. Mirroring (1005) is advertised upstream but not served here: it closes."""

    def __init__(self, controller: Controller, spus: "SpuSessions", *, topic_wait_s: float) -> None:
        self._controller = controller
        self._spus = spus
        self._topic_wait_s = topic_wait_s
        self._watches = Watches()
        self.routes: Mapping[int, Route] = {
            API_VERSIONS_KEY: Route(ApiVersionsRequest, handle_api_versions),
            CREATE_KEY: Route(CreateEnvelope, handle_create),
            DELETE_KEY: Route(DeleteEnvelope, handle_delete),
            LIST_KEY: Route(ListEnvelope, handle_list),
            WATCH_KEY: Route(WatchEnvelope, handle_watch),
            UPDATE_KEY: Route(UpdateEnvelope, handle_update),
        }

    def opened(self, connection: Connection) -> Session:
        """A client has connected."""
        return Session(connection, self._controller, self._watches, self._spus, self._topic_wait_s)

    async def closed(self, session: Session) -> None:
        """Its tasks have ended and closed their listeners."""
