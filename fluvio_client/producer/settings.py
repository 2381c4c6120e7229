"""Settings of a producer, checked once. Source: docs/protocol.md, "Produce", table of settings."""

import enum
from dataclasses import dataclass, field

from fluvio_client.errors import ProducerConfigError
from fluvio_client.producer.partitioner import DefaultPartitioner, Partitioner
from fluvio_protocol.api.fetch import Isolation
from fluvio_protocol.api.topic import CompressionAlgorithm
from fluvio_protocol.compression import Codec
from fluvio_types.defaults import BATCH_BYTES, PRODUCE_REQUEST_BYTES, PRODUCE_TIMEOUT_MS


class Delivery(enum.Enum):
    """Whether answers are waited for and failed attempts repeated."""

    AT_LEAST_ONCE = "at-least-once"  # repeats may store a record twice
    AT_MOST_ONCE = "at-most-once"  # no waiting, no repeating; refusals go unnoticed


@dataclass(slots=True, frozen=True)
class ProducerSettings:
    """Defaults are the official client's, where it has the setting."""

    batch_bytes: int = BATCH_BYTES  # before compression; a larger record gets a batch of its own
    max_request_bytes: int = PRODUCE_REQUEST_BYTES  # limit of a batch with one record, before compression
    linger_ms: int = 0  # how long a batch that is not full waits for more records
    compression: Codec | None = None  # None: the topic's, or none
    isolation: Isolation = Isolation.READ_UNCOMMITTED  # READ_COMMITTED: answers come after replication
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    timeout_ms: int = PRODUCE_TIMEOUT_MS  # how long the SPU waits for replication, READ_COMMITTED only
    delivery_timeout_s: float = 60.0  # a record that is not stored so long after it was given has failed
    first_pause_s: float = 0.02  # after a failed attempt; doubles
    most_pause_s: float = 2.0
    max_pending_bytes: int = 8 * 1024 * 1024  # records given and not stored yet; above it sending waits
    max_in_flight: int = 5  # requests per SPU
    partitioner: Partitioner = field(default_factory=DefaultPartitioner)

    def __post_init__(self) -> None:
        for name in ("batch_bytes", "max_request_bytes", "max_pending_bytes", "max_in_flight"):
            if getattr(self, name) < 1:
                raise ProducerConfigError(f"`{name}` must be at least 1")
        if self.linger_ms < 0 or self.timeout_ms < 0:
            raise ProducerConfigError("`linger_ms` and `timeout_ms` must not be negative")

    def pause_s(self, attempts: int) -> float:
        """The pause after so many failed attempts in a row (1 or more)."""
        return min(self.first_pause_s * 2.0 ** min(attempts - 1, 32), self.most_pause_s)


_TOPIC_CODECS = {
    CompressionAlgorithm.NONE: Codec.NONE,
    CompressionAlgorithm.GZIP: Codec.GZIP,
    CompressionAlgorithm.SNAPPY: Codec.SNAPPY,
    CompressionAlgorithm.LZ4: Codec.LZ4,
    CompressionAlgorithm.ZSTD: Codec.ZSTD,
}


def choose_codec(wished: Codec | None, topic: CompressionAlgorithm) -> Codec:
    """The codec of a producer's batches. Raises `ProducerConfigError` when the topic demands another."""
    demanded = _TOPIC_CODECS.get(topic)  # None: the topic takes any
    if demanded is None:
        return Codec.NONE if wished is None else wished
    if wished is None or wished is demanded:
        return demanded
    raise ProducerConfigError(
        "Producer error: Invalid configuration in producer: Compression in the producer "
        f"({wished.name.lower()}) does not match with topic level compression ({demanded.name.lower()})",
        hint=f"leave out the compression, or use {demanded.name.lower()}",
    )
