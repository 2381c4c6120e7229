"""From a frame to the handler of its API key, and from the handler's answer to a frame.

A service is a table of routes and what it keeps per connection (a session). Requests of one connection are
handled one after the other, so their answers come in order; a handler that wants to answer later spawns a
task on the connection and returns None.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fluvio_local_cluster.net.connection import Connection, ConnectionClosedError
from fluvio_protocol.api.api_versions import ApiVersionsRequest
from fluvio_protocol.frame import RequestHeader, encode_response, read_request_header
from fluvio_protocol.wire import DecodeError, Reader, decode, request_info

_logger = logging.getLogger(__name__)

_MAX_BURST = 64  # requests handled before other connections get their turn


class Session(Protocol):
    """What a service keeps per connection."""

    connection: Connection


@dataclass(slots=True, frozen=True)
class Route:
    """The type of a request and who handles it.

    `handle(session, header, request)` returns the answer struct, which is sent at the header's version
    under its correlation id, or None when it answers by itself, streams, or the request is one-way.
    """

    request: type
    handle: Callable[[Any, RequestHeader, Any], Awaitable[Any | None]]


class Service(Protocol):
    """What a server serves."""

    @property
    def routes(self) -> Mapping[int, Route]:
        """By API key."""
        ...

    def opened(self, connection: Connection) -> Session:
        """A peer has connected."""
        ...

    async def closed(self, session: Any) -> None:
        """The connection is gone and its tasks have ended."""
        ...


def wire_version(request_type: type, version: int) -> int:
    """The version at which a request is decoded and its answer encoded.

    That of its header, except that a number nobody has defined counts as the nearest one that somebody has
    (the layouts are the same), so that codecs exist for defined versions only.
    """
    return min(max(version, 0), request_info(request_type).max_version)


class BadRequestError(DecodeError):
    """A request that cannot be decoded or has an unknown API key."""


def decode_request(routes: Mapping[int, Route], payload: memoryview) -> tuple[Route, RequestHeader, Any]:
    """Header and body of a request; the header's version is the `wire_version`. Raises `BadRequestError`."""
    reader = Reader(payload)
    try:
        header = read_request_header(reader)
        route = routes.get(header.api_key)
        if route is None:
            raise BadRequestError(f"unknown API key {header.api_key}")
        version = wire_version(route.request, header.api_version)
        if version != header.api_version:
            header = RequestHeader(header.api_key, version, header.correlation_id, header.client_id)
        return route, header, decode(route.request, reader, version)
    except BadRequestError:
        raise
    except DecodeError as exc:
        raise BadRequestError(str(exc)) from exc


async def serve_requests(connection: Connection, routes: Mapping[int, Route], session: Session) -> None:
    """Handle the requests of one connection until its peer closes it or sends something undecodable."""
    burst = 0
    try:
        while True:
            payload = await connection.next_frame()
            route, header, request = decode_request(routes, payload)
            connection.client_id = header.client_id
            if type(request) is ApiVersionsRequest:
                connection.client_version = request.client_version
            answer = await route.handle(session, header, request)
            if answer is not None:
                frame = encode_response(answer, header.api_version, header.correlation_id)
                if connection.has_frame:
                    connection.write_soon(frame)  # answers to pipelined requests leave together
                else:
                    connection.write(frame)
                del frame
                await connection.drain()
            del payload, request, answer  # they may be large, and the next request may never come
            burst += 1
            if burst % _MAX_BURST == 0:
                await asyncio.sleep(0)  # let other connections have their turn
    except BadRequestError as exc:
        _logger.warning("closing a connection peer=%s cause=%s", connection.peer, exc)
        connection.close(str(exc))
    except ConnectionClosedError:
        return
