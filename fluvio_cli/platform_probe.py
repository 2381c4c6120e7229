"""Asks a cluster for its version over one short blocking connection: no event loop for one question."""

import socket
import time
from typing import TYPE_CHECKING

from fluvio_protocol.api.api_versions import (
    API_VERSIONS_VERSION,
    ApiVersionsRequest,
    ApiVersionsResponse,
)
from fluvio_protocol.frame import FrameSplitter, encode_request, read_correlation_id
from fluvio_protocol.wire import Reader, decode
from fluvio_types.errors import FluvioError, NotSupportedYetError
from fluvio_types.version import __version__

if TYPE_CHECKING:
    from fluvio_profiles.resolve import Target

_CORRELATION_ID = 1
_MAX_ANSWER_BYTES = 64 * 1024


class ProbeError(FluvioError):
    """The cluster gave no version in time."""

    kind = "cannot-connect"


def ask_platform_version(target: "Target", client_id: str, timeout_s: float) -> str:
    """The cluster's version; raises `FluvioError` when it cannot be had within `timeout_s` in all."""
    from fluvio_profiles.model import TlsPolicy

    if target.tls.policy is not TlsPolicy.DISABLED:
        raise NotSupportedYetError("TLS connections")
    host, colon, port = target.endpoint.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()):
        raise ProbeError(f"Socket io invalid socket address, can't connect to {target.endpoint}")
    question = encode_request(
        ApiVersionsRequest(client_version=__version__), API_VERSIONS_VERSION, _CORRELATION_ID, client_id
    )
    deadline = time.monotonic() + timeout_s
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s) as connection:
            connection.sendall(question)
            return _read_answer(connection, deadline).platform_version
    except (OSError, OverflowError) as exc:
        raise ProbeError(f"Socket io {exc}, can't connect to {target.endpoint}") from exc


def _read_answer(connection: socket.socket, deadline: float) -> ApiVersionsResponse:
    splitter = FrameSplitter(_MAX_ANSWER_BYTES)
    while True:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise ProbeError("the cluster did not answer in time")
        connection.settimeout(left_s)
        chunk = connection.recv(_MAX_ANSWER_BYTES)
        if not chunk:
            raise ProbeError("the cluster closed the connection")
        for frame in splitter.feed(chunk):
            reader = Reader(frame)
            if read_correlation_id(reader) != _CORRELATION_ID:
                raise ProbeError("the cluster answered another request")
            return decode(ApiVersionsResponse, reader, API_VERSIONS_VERSION)
