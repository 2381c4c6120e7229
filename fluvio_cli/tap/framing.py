"""Follows one direction of a connection: what to pass on, and which frames went by.

Layout: docs/protocol.md, "Frame and headers". `feed` is given what arrived, and every byte of it comes out
again in a `Pass`, a `Loose` or (in a frame that its receiver shall see changed) a held `Whole`, in order. A
frame is looked at whole when it is small enough and there is room; else it goes by in parts, of which the
first is enough to tell what it is. Where a length makes no sense the bytes are no frames: the rest of the
direction is loose.
"""

import enum
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

WHOLE_BYTES = 8 * 1024 * 1024  # above it a frame is not decoded; usual clients stay below
HELD_BYTES = 16 * 1024 * 1024  # of one answer that is to be changed
PART_BYTES = 256 * 1024
SANE_BYTES = 256 * 1024 * 1024  # a longer "frame" is another protocol: TLS and HTTP begin with larger numbers
_LENGTH = struct.Struct(">i")
_ENDED = "the connection ended within it"
_BEGIN_BYTES = 4  # of a payload, that decide about the frame: an answer's correlation id


class Fate(enum.Enum):
    """What becomes of a frame."""

    PASS = "pass"
    HOLD = "hold"


class Room:
    """So many bytes may be kept in memory, by all who share it."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes, self.used_bytes = limit_bytes, 0

    def take(self, size: int) -> bool:
        """Whether there was room for `size` bytes; they are counted then until `give` is called."""
        if self.used_bytes + size > self.limit_bytes:
            return False
        self.used_bytes += size
        return True

    def give(self, size: int) -> None:
        """They are let go."""
        self.used_bytes -= size


class Pass(NamedTuple):
    """Bytes to be passed on now."""

    data: memoryview


class Whole(NamedTuple):
    """A complete frame, without its length. A held one was not passed on: that is for who gets this."""

    payload: bytes
    is_held: bool


class Part(NamedTuple):
    """A piece of a frame that is not kept, after it was passed on; `reason` says why it is not."""

    payload: bytes
    size: int  # of the whole frame, without its length
    number: int  # from 0
    reason: str


class Loose(NamedTuple):
    """Bytes to be passed on that belong to no frame."""

    data: bytes
    reason: str


class FrameFollower:
    """One direction. `fate_of` is asked with the first four bytes of each payload (fewer if it is
    shorter)."""

    def __init__(self, room: Room, held_room: Room, fate_of: Callable[[bytes], Fate]) -> None:
        self._room, self._held_room, self._fate_of = room, held_room, fate_of
        self._taken: tuple[Room, int] | None = None
        self._head = bytearray()
        self._body = bytearray()
        self._size = self._left = 0  # of the frame that is under way
        self._number = 0  # of its next part
        self._is_held = False
        self._split_for = ""  # why it goes by in parts
        self._lost = ""  # why there are no frames any more

    def feed(self, data: bytes | memoryview) -> Iterator[Pass | Whole | Part | Loose]:
        """What follows from `data`; iterate to the end."""
        view = memoryview(data)
        while view:
            if self._lost:
                yield Loose(bytes(view), self._lost)
                return
            if not self._left:
                view = self._take_head(view)
                if self._lost:
                    yield Loose(bytes(self._head), self._lost)
                elif len(self._head) >= _LENGTH.size and len(self._head) == self._wanted_head():
                    yield from self._begin()
                continue
            taken, view = view[: self._left], view[self._left :]
            self._left -= len(taken)
            yield from self._go_on(taken)

    def end(self) -> Part | Loose | None:
        """The direction has ended: what there is of a frame that is not complete, if there is one."""
        self._release()
        if self._lost or not (self._left or self._head):
            return None
        if self._left and not self._is_held:
            return Part(bytes(self._body), self._size, self._number, _ENDED)
        return Loose(_LENGTH.pack(self._size) + self._body if self._left else bytes(self._head), _ENDED)

    def _wanted_head(self) -> int:
        if len(self._head) < _LENGTH.size:
            return _LENGTH.size
        size: int = _LENGTH.unpack_from(self._head)[0]
        return _LENGTH.size + min(_BEGIN_BYTES, size)

    def _take_head(self, view: memoryview) -> memoryview:
        missing = self._wanted_head() - len(self._head)
        self._head += view[:missing]
        if len(self._head) == _LENGTH.size:
            size: int = _LENGTH.unpack_from(self._head)[0]
            if not 0 < size <= SANE_BYTES:
                self._lost = f"no frame: its length would be {size}"
        return view[missing:]

    def _begin(self) -> Iterator[Pass | Whole | Part]:
        head, self._head = self._head, bytearray()
        begin = bytes(head[_LENGTH.size :])
        self._size = _LENGTH.unpack_from(head)[0]
        self._left = self._size - len(begin)
        self._number, self._is_held, self._split_for = 0, False, ""
        if self._fate_of(begin) is Fate.HOLD and self._size <= HELD_BYTES:
            self._is_held = self._reserve(self._held_room)
        if not self._is_held:
            yield Pass(memoryview(head))
            if self._size > WHOLE_BYTES:
                self._split_for = f"more than {WHOLE_BYTES} bytes"
            elif not self._reserve(self._room):
                self._split_for = f"{self._room.used_bytes} bytes of other frames are being looked at"
        self._body = bytearray(begin)
        if not self._left:
            yield self._completed()

    def _reserve(self, room: Room) -> bool:
        if not room.take(self._size):
            return False
        self._taken = room, self._size
        return True

    def _go_on(self, taken: memoryview) -> Iterator[Pass | Whole | Part]:
        if not self._is_held:
            yield Pass(taken)
        if not self._split_for:
            self._body += taken
            if not self._left:
                yield self._completed()
            return
        while taken:
            missing = PART_BYTES - len(self._body)
            self._body += taken[:missing]
            taken = taken[missing:]
            if len(self._body) == PART_BYTES or not (taken or self._left):
                yield self._completed()

    def _completed(self) -> Whole | Part:
        body, self._body = bytes(self._body), bytearray()
        if self._split_for:
            self._number += 1
            return Part(body, self._size, self._number - 1, self._split_for)
        self._release()
        return Whole(body, self._is_held)

    def _release(self) -> None:
        if self._taken is not None:
            room, size = self._taken
            room.give(size)
            self._taken = None
