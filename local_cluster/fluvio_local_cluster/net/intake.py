"""What the connections of one server hold together of what their peers send, and whose turn it is to read.

Above the limit connections stop reading. If all that is held were beginnings of requests, nothing could be
processed and nothing given back: so one connection at a time, the one that has waited longest, reads its
request to the end all the same. What is held never exceeds the limit by more than that request and one
receive call of each connection.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

SCRATCH_BYTES = 256 * 1024  # one receive call takes at most this much


class Taker(Protocol):
    """A connection, as the intake sees it."""

    @property
    def has_only_begun(self) -> bool:
        """Whether all it holds is the beginning of a request: nobody but its peer can go on with it."""

    @property
    def peer(self) -> str:
        """Who sends."""

    @property
    def waiting_requests(self) -> int:
        """Whole requests that are not processed yet."""

    @property
    def unprocessed_bytes(self) -> int:
        """Bytes of them."""

    def resume_reading(self) -> None:
        """There is room, or it is this one's turn."""


@dataclass(slots=True, eq=False)
class Intake:
    """Bytes received and not yet processed, of whole requests and of begun ones. For one thread."""

    limit_bytes: int
    scratch: bytearray = field(default_factory=lambda: bytearray(SCRATCH_BYTES))
    on_full: Callable[[], None] | None = None  # called whenever somebody begins to wait
    on_busy: Callable[[Taker], None] | None = None  # one waits until some of what it sent is processed
    total_bytes: int = 0
    favoured: Taker | None = None  # reads on above the limit until its request has been processed
    waiting: dict[Taker, None] = field(default_factory=dict)  # in the order in which they came

    @property
    def is_full(self) -> bool:
        """Whether connections should stop reading."""
        return self.total_bytes > self.limit_bytes

    def wait(self, taker: Taker) -> None:
        """`taker` has stopped reading: it is resumed when there is room, or when it is its turn."""
        self.waiting[taker] = None
        if self.on_full is not None:
            self.on_full()
        self._favour()

    def give_back(self, taker: Taker, size_bytes: int) -> None:
        """Bytes of `taker` were processed: when there is room again, those that wait read on."""
        self.total_bytes -= size_bytes
        if self.favoured is taker:
            self.favoured = None
        if not self.waiting:
            return
        if self.is_full:
            self._favour()
            return
        woken, self.waiting = self.waiting, {}
        for waiting in woken:
            waiting.resume_reading()

    def leave(self, taker: Taker, size_bytes: int) -> None:
        """`taker` is closed; `size_bytes` is what it held."""
        self.waiting.pop(taker, None)
        self.give_back(taker, size_bytes)

    def _favour(self) -> None:
        if self.favoured is not None:
            return
        for taker in self.waiting:
            if taker.has_only_begun:
                del self.waiting[taker]
                self.favoured = taker
                taker.resume_reading()
                return
