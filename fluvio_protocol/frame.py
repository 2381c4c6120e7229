"""Frames: i32 length, then a request (header and body) or an answer (correlation id and body).

Layout: docs/protocol.md, "Frame and headers". Nothing is sent or received here: `FrameSplitter` is fed
with what arrived, the `encode_*` functions return what is to be sent.
"""

import struct
from collections.abc import Iterator
from typing import Any

from fluvio_protocol.wire import (
    MAX_STRING_BYTES,
    DecodeError,
    EncodeError,
    Reader,
    encode_into,
    request_info,
)
from fluvio_types.defaults import MAX_FRAME_BYTES

LENGTH = struct.Struct(">i")
CORRELATION = struct.Struct(">i")
_REQUEST_FIXED = struct.Struct(">HhiH")  # api_key, api_version, correlation_id, length of client_id
MIN_REQUEST_BYTES = _REQUEST_FIXED.size


class FrameTooLargeError(DecodeError):
    """A frame announces a length that is negative or above the limit."""


class RequestHeader:
    """What stands in front of every request."""

    # Written out, not a dataclass: `dataclasses` and what it imports cost a short-lived command 5 ms.
    __slots__ = ("api_key", "api_version", "client_id", "correlation_id")

    def __init__(self, api_key: int, api_version: int, correlation_id: int, client_id: str) -> None:
        self.api_key = api_key
        self.api_version = api_version
        self.correlation_id = correlation_id
        self.client_id = client_id


class FrameSplitter:
    """Cuts a byte stream into frames.

    `feed` yields each complete payload as a view of the bytes that were fed, or of a buffer that the view
    then owns: it stays valid as long as the caller leaves what it fed alone. Bytes of an unfinished frame
    wait inside; a length above `max_bytes` is refused as soon as it is read. Feeding a frame in many pieces
    costs one copy of it.
    """

    __slots__ = ("_buffer", "max_bytes")

    def __init__(self, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self._buffer = bytearray()
        self.max_bytes = max_bytes

    @property
    def pending_bytes(self) -> int:
        """Bytes of a frame that is not complete yet."""
        return len(self._buffer)

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[memoryview]:
        """Payloads completed by `data`, in order; iterate to the end, or the rest of `data` is lost.

        Raises `FrameTooLargeError` after the frames in front of the bad length; the stream is lost then.
        """
        if self._buffer:
            self._buffer += data
            if not self._is_complete():
                return
            view = memoryview(self._buffer)
            self._buffer = bytearray()  # the old one belongs to the views from now on
        else:
            view = memoryview(data)
        position, end = 0, len(view)
        while end - position >= LENGTH.size:
            size = self._checked_length(view, position)
            stop = position + LENGTH.size + size
            if stop > end:
                break
            yield view[position + LENGTH.size : stop]
            position = stop
        if position < end:
            self._buffer += view[position:]
            if end - position >= LENGTH.size:
                self._checked_length(self._buffer, 0)

    def _is_complete(self) -> bool:
        if len(self._buffer) < LENGTH.size:
            return False
        return len(self._buffer) >= LENGTH.size + self._checked_length(self._buffer, 0)

    def _checked_length(self, data: bytearray | memoryview, position: int) -> int:
        size: int = LENGTH.unpack_from(data, position)[0]
        if not 0 < size <= self.max_bytes:
            raise FrameTooLargeError(f"a frame of {size} bytes is announced, the limit is {self.max_bytes}")
        return size


def read_request_header(reader: Reader) -> RequestHeader:
    """The header at the reader's place; the body follows. Raises `DecodeError`."""
    key, version, correlation_id, length = _REQUEST_FIXED.unpack(reader.take(MIN_REQUEST_BYTES))
    if length > MAX_STRING_BYTES:  # negative as i16: official readers take it for an empty string
        length = 0
    try:
        client_id = str(reader.take(length), "utf-8")
    except UnicodeDecodeError as exc:
        raise DecodeError("the client id is not UTF-8") from exc
    return RequestHeader(key, version, correlation_id, client_id)


def encode_request(body: Any, version: int, correlation_id: int, client_id: str = "fluvio") -> bytearray:
    """A whole frame of the request `body` (a struct declared with `@request`). Raises `EncodeError`."""
    name = client_id.encode()
    if len(name) > MAX_STRING_BYTES:
        raise EncodeError(f"a client id of {len(name)} bytes is longer than {MAX_STRING_BYTES}")
    out = bytearray(LENGTH.size)
    out += _REQUEST_FIXED.pack(request_info(type(body)).key, version, correlation_id, len(name))
    out += name
    encode_into(out, body, version)
    LENGTH.pack_into(out, 0, len(out) - LENGTH.size)
    return out


def encode_response(body: Any, version: int, correlation_id: int, wire_type: Any = None) -> bytearray:
    """A whole frame of an answer. Raises `EncodeError`."""
    out = bytearray(LENGTH.size)
    out += CORRELATION.pack(correlation_id)
    encode_into(out, body, version, wire_type)
    LENGTH.pack_into(out, 0, len(out) - LENGTH.size)
    return out


def read_correlation_id(reader: Reader) -> int:
    """The correlation id in front of an answer's body."""
    number: int = CORRELATION.unpack(reader.take(CORRELATION.size))[0]
    return number
