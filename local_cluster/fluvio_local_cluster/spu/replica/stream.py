"""Flow control of one stream: what to do next, as a table of states. Rules: docs/protocol.md, "StreamFetch".

One push is outstanding at a time: after it nothing is sent until the consumer acknowledges an offset, and
reading goes on from there, wherever that is: lower than what was sent is a seek back.
"""

import enum
from dataclasses import dataclass

from fluvio_protocol.api.fetch import Isolation


class StreamState(enum.Enum):
    """`READING`: may push; `SENT`: waits for an acknowledgement; `ENDED`: pushes nothing any more."""

    READING = "reading"
    SENT = "sent"
    ENDED = "ended"


@dataclass(slots=True, frozen=True)
class Read:
    """Read whole batches from the one with `start`, below `upper`, at most `max_bytes` or one batch."""

    start: int
    upper: int
    max_bytes: int


@dataclass(slots=True)
class StreamFlow:
    """State of one stream. `max_bytes` is the consumer's wish for each push."""

    next_offset: int
    max_bytes: int
    isolation: Isolation
    state: StreamState = StreamState.READING
    has_started: bool = False  # something was sent or acknowledged

    def next_read(self, leo: int, hw: int) -> Read | None:
        """What to read now, or None when there is nothing to do until an offset moves or one is acknowledged.

        A first offset above the LEO is read too, so that the log can refuse it; an acknowledged one waits.
        """
        if self.state is not StreamState.READING:
            return None
        upper = hw if self.isolation is Isolation.READ_COMMITTED else leo
        if self.next_offset >= upper and (self.has_started or self.next_offset <= leo):
            return None
        return Read(self.next_offset, upper, self.max_bytes)

    def sent(self, next_offset: int) -> None:
        """A push that ends before `next_offset` is on its way."""
        if self.state is StreamState.READING:
            self.state = StreamState.SENT
            self.next_offset = next_offset
            self.has_started = True

    def acknowledge(self, offset: int) -> None:
        """The consumer wants to go on at `offset`."""
        if self.state is not StreamState.ENDED:
            self.state = StreamState.READING
            self.next_offset = offset
            self.has_started = True

    def end(self) -> None:
        """Nothing more is pushed."""
        self.state = StreamState.ENDED
