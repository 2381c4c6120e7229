"""What the SPU keeps per client connection: its streams."""

import asyncio
from dataclasses import dataclass, field

from fluvio_local_cluster.net import Connection
from fluvio_local_cluster.spu.replica.assignment import Key
from fluvio_local_cluster.spu.replica.stream import StreamFlow

MAX_STREAMS = 4096  # clients cannot end a stream but by closing, so each one counts until then


@dataclass(slots=True)
class Stream:
    """One stream of one connection."""

    stream_id: int
    key: Key
    flow: StreamFlow
    consumer_id: str | None
    incarnation: str | None = None  # of the topic, when the stream began
    wake: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class ClientSession:
    """`streams` by the ids that clients use as session ids; ids count from 1."""

    connection: Connection
    streams: dict[int, Stream] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # of the one stream that has a slice
    last_stream_id: int = 0
    unsynced_produces: int = 0  # requests that wait for the disk, beside those that came after them

    def next_stream_id(self) -> int:
        """A new id."""
        self.last_stream_id += 1
        return self.last_stream_id
