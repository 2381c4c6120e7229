"""One connection's conversation, without the connection.

Source: docs/protocol.md, "Correlation and multiplexing" and "ApiVersions". `Session` turns requests into
frames and frames into answers: the handshake, the version of each request, correlation ids and which
answer belongs to which request. Both shells use it: `blocking` over a socket, `connection` in asyncio.

    frame = session.handshake()           # send it, then give the first frame that comes back to
    session.handshake_done(payload)       # ... and from now on
    sent = session.request(body)          # send sent.frame; an answer with sent.correlation_id will come
    answer = session.receive(payload)     # None: an answer nobody waits for any more
"""

import os
import sys
from dataclasses import dataclass
from typing import Any

from fluvio_protocol.api.api_versions import (
    API_VERSIONS_VERSION,
    ApiVersionsRequest,
    ApiVersionsResponse,
)
from fluvio_protocol.error_code import exception_for
from fluvio_protocol.frame import encode_request, read_correlation_id
from fluvio_protocol.negotiation import ServerVersions, check_platform
from fluvio_protocol.wire import DecodeError, Reader, decode, request_info

DEFAULT_CLIENT_ID = "fluvio"
# The generation of the protocol library whose requests these are; controllers parse it as a semantic version.
CLIENT_VERSION = "0.50.2"
_HANDSHAKE_ID = 1
_MAX_ID = 0x7FFF_FFFF


@dataclass(slots=True)
class SentRequest:
    """A request that is ready to be sent, and what its answer will look like."""

    correlation_id: int
    frame: bytearray  # whole, length included
    api_key: int
    version: int
    response_type: Any
    is_stream: bool  # any number of answers, until the connection ends


@dataclass(slots=True)
class Answer:
    """One decoded answer. Byte fields of `body` are views of the frame it came in."""

    request: SentRequest
    body: Any


class Session:
    """State of one conversation. Not safe for use by two threads at a time."""

    __slots__ = ("_next_id", "_pending", "_versions", "client_id", "is_controller", "platform_version")

    def __init__(self, *, client_id: str = DEFAULT_CLIENT_ID, is_controller: bool) -> None:
        """`is_controller`: the peer is an SC, whose platform version is checked (SPUs report 0.0.0)."""
        self.client_id = client_id
        self.is_controller = is_controller
        self.platform_version = ""
        self._versions: ServerVersions | None = None
        self._pending: dict[int, SentRequest] = {}
        self._next_id = _HANDSHAKE_ID

    def handshake(self) -> bytearray:
        """The first frame of the connection."""
        machine = os.uname().machine if hasattr(os, "uname") else "unknown"
        body = ApiVersionsRequest(client_version=CLIENT_VERSION, client_os=sys.platform, client_arch=machine)
        return encode_request(body, API_VERSIONS_VERSION, _HANDSHAKE_ID, self.client_id)

    def handshake_done(self, payload: bytes | bytearray | memoryview) -> None:
        """Take the answer to the handshake.

        Raises `DecodeError` (not a Fluvio server), `IncompatibleServerError` (controller too old), or the
        `ApiError` that the server answered.
        """
        reader = Reader(payload)
        if read_correlation_id(reader) != _HANDSHAKE_ID:
            raise DecodeError("the first answer does not belong to the first request")
        answer = decode(ApiVersionsResponse, reader, API_VERSIONS_VERSION)
        if not answer.error_code.is_ok:
            raise exception_for(answer.error_code)
        if self.is_controller:
            check_platform(answer.platform_version)
        self.platform_version = answer.platform_version
        self._versions = ServerVersions(answer.api_keys)

    def version_of(self, request_type: type) -> int:
        """The version at which `request_type` is sent here. Raises `IncompatibleServerError`."""
        if self._versions is None:
            raise RuntimeError("the handshake is not done")
        return self._versions.version_of(request_type)

    def request(self, body: Any, *, is_stream: bool = False) -> SentRequest:
        """Encode a request and remember it. Raises `IncompatibleServerError`, `EncodeError`."""
        info = request_info(type(body))
        version = self.version_of(type(body))
        number = self._next_id
        while number in self._pending:  # only after the counter has gone round
            number = number % _MAX_ID + 1
        frame = encode_request(body, version, number, self.client_id)
        sent = SentRequest(number, frame, info.key, version, info.response, is_stream)
        self._next_id = number % _MAX_ID + 1
        self._pending[number] = sent
        return sent

    def forget(self, correlation_id: int) -> None:
        """Stop waiting: answers with this id are dropped from now on."""
        self._pending.pop(correlation_id, None)

    def receive(self, payload: bytes | bytearray | memoryview) -> Answer | None:
        """Decode one frame; None when nobody waits for it. Raises `DecodeError`: the connection is lost."""
        reader = Reader(payload)
        number = read_correlation_id(reader)
        sent = self._pending.get(number)
        if sent is None:
            return None
        if not sent.is_stream:
            del self._pending[number]
        return Answer(sent, decode(sent.response_type, reader, sent.version))

    @property
    def pending_count(self) -> int:
        """Requests and streams whose answers are still awaited."""
        return len(self._pending)
