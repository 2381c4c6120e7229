"""Where arriving bytes go: cuts a stream into frames without copying the large ones.

Layout: docs/protocol.md, "Frame and headers". The transport is told where to put the next bytes
(`buffer`) and says how many came (`received`). Small frames are cut from one buffer that is used again; a
frame that will not fit gets a buffer of its own, and its bytes are received right into it. Such buffers are
used again as soon as nobody views them any more: fresh memory costs more than receiving into it. No I/O here.
"""

from fluvio_protocol.frame import LENGTH, FrameTooLargeError
from fluvio_types.defaults import MAX_FRAME_BYTES, SLICE_MAX_BYTES

_SCRATCH_BYTES = 64 * 1024
_KEPT_BUFFERS = 3  # one that is filled, one whose batches are used, one that waits between them
_KEPT_BYTES = SLICE_MAX_BYTES + 256 * 1024  # a slice with its head; larger buffers are not kept
_STEP_BYTES = 256 * 1024  # kept buffers are a multiple, so that one fits frames of about the same size


class FrameReceiver:
    """Frames of one connection.

    A payload that was returned does not change as long as the caller has it, or any view of it.
    """

    __slots__ = ("_filled", "_kept", "_large", "_large_filled", "_scratch", "_view", "max_bytes")

    def __init__(self, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self.max_bytes = max_bytes
        self._scratch = bytearray(_SCRATCH_BYTES)
        self._view = memoryview(self._scratch)
        self._filled = 0  # bytes in the scratch buffer
        self._large: memoryview | None = None  # payload of a frame that gets a buffer of its own
        self._large_filled = 0
        self._kept: list[bytearray] = []  # those buffers, in use or not

    def buffer(self) -> memoryview:
        """Where the next bytes go; never empty. Valid until `received` is called."""
        if self._large is not None:
            return self._large[self._large_filled :]
        return self._view[self._filled :]

    @property
    def missing(self) -> int:
        """Bytes that still belong to the large frame under way; 0: none is."""
        return 0 if self._large is None else len(self._large) - self._large_filled

    def received(self, count: int) -> list[bytes | memoryview]:
        """`count` bytes were put into `buffer()`: the payloads that this completes, in order.

        Raises `FrameTooLargeError` for a length that is not positive or above the limit: the stream is lost.
        """
        if self._large is not None:
            self._large_filled += count
            if self._large_filled < len(self._large):
                return []
            done, self._large = self._large, None
            return [done]
        self._filled += count
        payloads: list[bytes | memoryview] = []
        position = 0
        while self._filled - position >= LENGTH.size:
            size: int = LENGTH.unpack_from(self._scratch, position)[0]
            if not 0 < size <= self.max_bytes:
                raise FrameTooLargeError(
                    f"a frame of {size} bytes is announced, the limit is {self.max_bytes}"
                )
            start = position + LENGTH.size
            stop = start + size
            if stop > self._filled:
                if LENGTH.size + size > _SCRATCH_BYTES:
                    self._large = self._room(size)
                    self._large_filled = self._filled - start
                    self._large[: self._large_filled] = self._view[start : self._filled]
                    self._filled = 0
                    return payloads
                break
            payloads.append(bytes(self._view[start:stop]))
            position = stop
        rest = self._filled - position
        if position and rest:
            self._scratch[:rest] = self._scratch[position : self._filled]
        self._filled = rest
        return payloads

    def _room(self, size: int) -> memoryview:
        """Memory for `size` bytes that nobody else views."""
        if size > _KEPT_BYTES:
            return memoryview(bytearray(size))
        for number, kept in enumerate(self._kept):
            if _is_viewed(kept):
                continue
            if len(kept) >= size:
                return memoryview(kept)[:size]
            del self._kept[number]
            break
        fresh = bytearray(-(-size // _STEP_BYTES) * _STEP_BYTES)
        if len(self._kept) < _KEPT_BUFFERS:
            self._kept.append(fresh)
        return memoryview(fresh)[:size]


def _is_viewed(buffer: bytearray) -> bool:
    """Whether there is a view of it: Python does not let viewed memory change its size."""
    try:
        buffer.append(0)
    except BufferError:
        return True
    buffer.pop()
    return False
