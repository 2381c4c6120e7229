"""Settings of a consumer, checked once."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fluvio_client.consumer.offsets import Offset
from fluvio_client.errors import ConsumerError
from fluvio_protocol.api.fetch import Isolation
from fluvio_types.defaults import SLICE_MAX_BYTES


class OffsetStrategy(enum.Enum):
    """Who keeps the consumer's place in the cluster; needs a `consumer_id`."""

    NONE = "none"
    MANUAL = "manual"  # `commit` and `flush`
    AUTO = "auto"  # what was consumed is stored every `flush_interval_s`, and when the consumer is closed


class Evicted(enum.Enum):
    """What to do when retention has removed the record that comes next."""

    FAIL = "fail"  # raise `OffsetEvictedError`
    CONTINUE = "continue"  # go on with the oldest record that is there


OnSkipped = Callable[[int, int, int], None]  # partition, offset of the first record left out, next offset


@dataclass(slots=True, frozen=True)
class ConsumerConfig:
    """What to read, and how."""

    topic: str
    partitions: tuple[int, ...] = ()  # none: all that the topic has when the consumer opens
    start: Offset = field(default_factory=Offset.end)
    starts: Mapping[int, Offset] = field(default_factory=dict)  # partitions that start elsewhere
    isolation: Isolation = Isolation.READ_UNCOMMITTED
    max_bytes: int = SLICE_MAX_BYTES  # of one slice; a batch that is larger is read all the same
    disable_continuous: bool = False  # end when what was there at the start has been read
    consumer_id: str | None = None
    offset_strategy: OffsetStrategy = OffsetStrategy.NONE
    flush_interval_s: float = 2.0
    evicted: Evicted = Evicted.FAIL
    on_skipped: OnSkipped | None = None  # told when `CONTINUE` leaves records out; None: it is logged
    reconnect_timeout_s: float | None = 60.0  # how long a partition may be out of reach; None: for ever
    first_pause_s: float = 0.1  # between attempts; doubles
    most_pause_s: float = 10.0

    def __post_init__(self) -> None:
        if self.max_bytes < 1:
            raise ConsumerError("`max_bytes` must be at least 1")
        if self.offset_strategy is not OffsetStrategy.NONE and not self.consumer_id:
            raise ConsumerError("keeping offsets needs a `consumer_id`")
        if len(set(self.partitions)) != len(self.partitions):
            raise ConsumerError("a partition is given twice")
