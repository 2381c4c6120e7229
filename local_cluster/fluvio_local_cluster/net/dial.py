"""The dialling end of a connection: for an SPU towards the SC and towards other SPUs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, TypeVar

from fluvio_local_cluster.net.connection import Connection
from fluvio_local_cluster.net.intake import Intake
from fluvio_local_cluster.net.limits import NetLimits
from fluvio_protocol.frame import encode_request, read_correlation_id
from fluvio_protocol.wire import DecodeError, Reader, decode, request_info

R = TypeVar("R")


@contextlib.asynccontextmanager
async def dial(
    host: str, port: int, *, timeout_s: float = 5.0, limits: NetLimits | None = None
) -> AsyncIterator[Connection]:
    """An open connection, closed at the end of the block. Raises `OSError`, `TimeoutError`.

    Nobody reads its frames but the caller (`next_frame`, or `dispatch.serve_requests` inside
    `Connection.run`); tasks can be spawned only while `run` runs.
    """
    limits = limits if limits is not None else NetLimits()
    intake = Intake(limits.max_unprocessed_total_bytes, bytearray(64 * 1024))
    async with asyncio.timeout(timeout_s):
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(0, limits, intake), host, port
        )
    try:
        yield connection
    finally:
        connection.close("done")


async def ask(
    connection: Connection,
    request: Any,
    version: int,
    *,
    client_id: str,
    correlation_id: int = 1,
    timeout_s: float = 10.0,
) -> Any:
    """Send one request and wait for its answer, the next frame. Not while somebody else reads frames.

    Raises `ConnectionClosedError`, `DecodeError`, `TimeoutError`.
    """
    response_type = request_info(type(request)).response
    async with asyncio.timeout(timeout_s):
        await connection.send(encode_request(request, version, correlation_id, client_id))
        reader = Reader(await connection.next_frame())
    answered = read_correlation_id(reader)
    if answered != correlation_id:
        raise DecodeError(f"an answer to request {answered} came, {correlation_id} was sent")
    return decode(response_type, reader, version)
