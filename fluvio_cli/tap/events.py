"""What a tap tells, in order. Times: nanoseconds since 1970, by a clock that never goes back."""

from typing import Any, Literal, NamedTuple

from fluvio_cli.tap.catalogue import Api

Direction = Literal["request", "answer"]  # from the client, from the server


class Opened(NamedTuple):
    """A client has connected; `server` is a name (`SC`, `SPU 5001`), `address` where that is."""

    at_ns: int
    connection: int
    side: str
    server: str
    client: str
    address: str


class Closed(NamedTuple):
    """A connection is over."""

    at_ns: int
    connection: int
    reason: str


class Listening(NamedTuple):
    """Clients find `server` here now."""

    at_ns: int
    server: str
    listener: str
    address: str


class Frame(NamedTuple):
    """Bytes that went by: a frame without its length, a part of one, or (`loose`) what is no frame."""

    at_ns: int
    connection: int
    direction: Direction
    payload: bytes
    size: int  # of the whole frame; 0: loose
    part: int | None = None
    reason: str = ""  # why it is a part, or loose
    remark: str = ""  # what is odd about how it was passed on
    is_rewritten: bool = False  # it left with other addresses than it has here

    @property
    def is_loose(self) -> bool:
        """Whether it is no frame."""
        return not self.size


class Lost(NamedTuple):
    """So many events are missing here: whoever takes them was too slow."""

    events: int
    size_bytes: int


class Seen(NamedTuple):
    """A frame and what its conversation knows of it: enough to decode and to show it without the others."""

    frame: Frame
    server: str
    name: str  # of the API; `unknown` where none is declared
    api: Api | None = None
    key: int | None = None
    version: int | None = None
    correlation_id: int | None = None
    client_id: str | None = None  # requests only
    object_type: str = ""  # label of a controller's objects
    body_at: int = 0  # where the body begins in the payload
    latency_us: int | None = None  # from the request's end to the (first) answer
    push: int | None = None  # which answer of a stream this is, from 1
    reason: str = ""  # why it cannot be decoded
    remark: str = ""  # what is odd about it, though it can


Event = Opened | Closed | Listening | Lost | Frame
Shown = Opened | Closed | Listening | Lost | Seen


def cost_of(event: Any) -> int:
    """Bytes of memory that an event takes while it waits, about."""
    frame = event.frame if isinstance(event, Seen) else event
    return 500 + (len(frame.payload) if isinstance(frame, Frame) else 0)
