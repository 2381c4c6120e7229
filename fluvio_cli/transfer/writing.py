"""Pieces into a topic, and what became of them: how many records of each partition are acknowledged, and
where."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import time
from typing import TYPE_CHECKING

from fluvio_cli.transfer.pieces import Packer, Piece
from fluvio_client.producer.settings import ProducerSettings
from fluvio_protocol.compression import Codec
from fluvio_types.defaults import MAX_REQUEST_BYTES

if TYPE_CHECKING:
    from fluvio_client.producer.producer import Producer, RecordDelivery
    from fluvio_protocol.api.topic import TopicSpec

SETTINGS = ProducerSettings(max_request_bytes=MAX_REQUEST_BYTES)


def demanded_codec(spec: "TopicSpec") -> Codec | None:
    """The codec that a topic demands of batches; None: any will do."""
    from fluvio_client.producer.settings import choose_codec
    from fluvio_protocol.api.topic import CompressionAlgorithm

    return (
        None
        if spec.compression_type is CompressionAlgorithm.ANY
        else choose_codec(None, spec.compression_type)
    )


@dataclass(slots=True)
class Landing:
    """Records of a partition that are stored."""

    records: int = 0
    next_offset: int = 0  # of the topic, after the last one
    strays: int = 0  # records between them that are not of this writer, or stored twice by a repeated attempt


@dataclass(slots=True)
class TopicWriter:
    """`write` pieces in order, `finish` in the end; `landed` says what is acknowledged."""

    producer: "Producer"
    codec: Codec | None  # what the topic demands
    keep_time: bool
    landed: dict[int, Landing] = field(default_factory=dict)
    on_landed: Callable[[], None] = lambda: None
    _under_way: "dict[int, deque[tuple[RecordDelivery, int]]]" = field(default_factory=dict)
    _waiting: deque[Piece] = field(default_factory=deque)
    _packer: Packer = field(init=False)

    def __post_init__(self) -> None:
        self._packer = Packer(codec=self.codec)

    @property
    def total(self) -> int:
        """Records that are stored."""
        return sum(each.records for each in self.landed.values())

    async def write(self, piece: Piece) -> None:
        """Give the records of a piece. Waits while too many are not acknowledged.

        Raises `PartitionNotFoundError`, `ProducerError`, and `DecodeError` for a batch damaged inside.
        """
        await self._send(self._packer.add(piece, None if self.keep_time else int(time() * 1000)))

    async def flush(self) -> None:
        """Give what was held back to make batches larger."""
        await self._send(self._packer.flush())

    async def finish(self) -> None:
        """Give the rest, and wait until all is stored. Raises like `write`."""
        await self.flush()
        for partition in list(self._under_way):
            queue = self._under_way[partition]
            while queue:
                await self._land(partition, *queue[0])
                queue.popleft()
        self.on_landed()

    async def _send(self, pieces: list[Piece]) -> None:
        self._waiting += pieces
        while self._waiting:  # a piece stays there until it was taken, so that none is left out by a cancel
            piece = self._waiting[0]
            assert piece.batch is not None
            delivery = await self.producer.send_batch(piece.partition, bytearray(piece.batch))
            self._waiting.popleft()
            queue = self._under_way.setdefault(piece.partition, deque())
            queue.append((delivery, piece.count))
            while queue and queue[0][0].is_settled:
                await self._land(piece.partition, *queue[0])
                queue.popleft()
            self.on_landed()

    async def _land(self, partition: int, delivery: "RecordDelivery", count: int) -> None:
        stored = await delivery
        landing = self.landed.get(partition)
        if landing is None:
            landing = self.landed[partition] = Landing(next_offset=stored.offset)
        landing.strays += stored.offset - landing.next_offset
        landing.records += count
        landing.next_offset = stored.offset + count
