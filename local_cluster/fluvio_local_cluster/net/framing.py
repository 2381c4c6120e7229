"""Cutting what a socket delivers into frames, with at most one copy of each byte.

Layout: docs/protocol.md, "Frame and headers". No socket is touched: the transport asks `buffer` where to
receive, then tells `received` how much came. Small frames are received many at a time into a scratch
buffer that all connections share (a receive and what follows it never interleave); the rest of a large
one is received right into the frame's own memory, which grows as bytes really arrive: a length prefix
alone costs its sender nothing and us neither.
"""

from fluvio_protocol.frame import LENGTH, FrameTooLargeError

_DIRECT_BYTES = 128 * 1024  # from so many missing bytes on, receive into the frame itself
_STEP_BYTES = 1024 * 1024  # a frame's memory grows by so much: what a begun one takes is what has come
_ZEROS = memoryview(bytes(_STEP_BYTES))
_WHOLE_BYTES = 1280 * 1024  # up to here all memory is taken at once: requests of a MiB of batches are usual

_FOREIGN = {  # what the first four bytes are when a peer speaks something else
    **dict.fromkeys((b"GET ", b"POST", b"HEAD", b"PUT ", b"OPTI", b"DELE", b"CONN", b"PRI "), "HTTP"),
    b"SSH-": "SSH",
}


def foreign_protocol(first_bytes: bytes) -> str | None:
    """The protocol that a peer seems to speak instead of Fluvio's, or None."""
    if first_bytes[:2] == b"\x16\x03":
        return "TLS"
    return _FOREIGN.get(first_bytes[:4])


class FrameAssembler:
    """Collects the frames of one connection. Each payload is a writable view of memory of its own."""

    __slots__ = ("_filled", "_frame", "_is_direct", "_max_bytes", "_prefix", "_scratch", "_size")

    def __init__(self, max_bytes: int, scratch: bytearray) -> None:
        self._max_bytes = max_bytes
        self._scratch = memoryview(scratch)
        self._prefix = b""  # up to 3 bytes of a length
        self._frame: bytearray | None = None  # an unfinished payload
        self._filled = 0
        self._size = 0
        self._is_direct = False

    @property
    def is_mid_frame(self) -> bool:
        """Whether a frame was begun and is not complete."""
        return self._frame is not None or bool(self._prefix)

    @property
    def held_bytes(self) -> int:
        """Memory that an unfinished frame has taken."""
        return 0 if self._frame is None else len(self._frame)

    def buffer(self) -> memoryview:
        """Where the next bytes are to be received. Let go of it before the next call."""
        missing = self._size - self._filled
        if self._frame is None or missing < _DIRECT_BYTES:
            self._is_direct = False
            return self._scratch
        self._is_direct = True
        if self._filled == len(self._frame):
            self._reserve(self._filled + 1)
        return memoryview(self._frame)[self._filled :]

    def received(self, count: int) -> list[memoryview]:
        """The payloads that the `count` bytes just received complete. Raises `FrameTooLargeError`.

        After the error the assembler must not be used any more: the stream is lost.
        """
        if self._is_direct:
            self._filled += count
            return self._finished()
        view = self._scratch[:count]
        if self._frame is not None:
            taken = min(self._size - self._filled, count)
            stop = self._filled + taken
            if stop > len(self._frame):
                self._reserve(stop)
            self._frame[self._filled : stop] = view[:taken]
            self._filled = stop
            payloads = self._finished()
            return payloads + self._cut(view, taken) if taken < count else payloads
        if self._prefix:
            joined = self._prefix + bytes(view)
            self._prefix = b""
            return self._cut(memoryview(joined), 0)
        return self._cut(view, 0)

    def _finished(self) -> list[memoryview]:
        frame = self._frame
        if frame is None or self._filled < self._size:
            return []
        self._frame = None
        self._filled = self._size = 0
        return [memoryview(frame)]

    def _cut(self, view: memoryview, position: int) -> list[memoryview]:
        payloads: list[memoryview] = []
        end = len(view)
        while end - position >= LENGTH.size:
            size: int = LENGTH.unpack_from(view, position)[0]
            if not 0 < size <= self._max_bytes:
                protocol = foreign_protocol(bytes(view[position : position + 4]))
                said = f"the peer speaks {protocol}" if protocol else f"a frame of {size} bytes is announced"
                raise FrameTooLargeError(f"{said}, frames have 1 to {self._max_bytes} bytes")
            start = position + LENGTH.size
            position = start + size
            if position > end:
                self._size = size
                self._filled = end - start
                self._frame = bytearray(view[start:end])
                return payloads
            payloads.append(memoryview(bytearray(view[start:position])))
        self._prefix = bytes(view[position:end])
        return payloads

    def _reserve(self, least: int) -> None:
        frame = self._frame
        assert frame is not None
        if self._size > _WHOLE_BYTES:
            more = max(least - len(frame), min(_STEP_BYTES, self._size - len(frame)))
            frame += _ZEROS[:more]  # memory of this size is moved by the system, not copied
            return
        larger = bytearray(self._size)
        larger[: self._filled] = memoryview(frame)[: self._filled]
        self._frame = larger
