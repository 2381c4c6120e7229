"""Where a consumer starts. Source: docs/protocol.md, "Consume from one partition". Pure."""

import enum
from dataclasses import dataclass
from typing import Self

from fluvio_client.errors import ConsumerError


class OffsetBase(enum.Enum):
    """What an offset counts from."""

    ABSOLUTE = "absolute"
    BEGINNING = "beginning"
    END = "end"
    TIME = "time"


@dataclass(slots=True, frozen=True)
class Offset:
    """A place in a partition; made by `absolute`, `beginning`, `end`, `since`. `count` is not negative."""

    base: OffsetBase
    count: int = 0  # records; for `TIME` ms since 1970

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ConsumerError(f"an offset cannot be negative: {self.count}")

    @classmethod
    def absolute(cls, offset: int) -> Self:
        """That very record; a stored consumer offset does not matter."""
        return cls(OffsetBase.ABSOLUTE, offset)

    @classmethod
    def beginning(cls, count: int = 0) -> Self:
        """`count` records after the oldest one, or after the last one that the consumer stored."""
        return cls(OffsetBase.BEGINNING, count)

    @classmethod
    def end(cls, count: int = 0) -> Self:
        """`count` records before the next one to come, or before the place that the consumer stored."""
        return cls(OffsetBase.END, count)

    @classmethod
    def since(cls, timestamp_ms: int) -> Self:
        """The first batch with a record at that time or later (see `time_search`); older records may follow.

        A stored consumer offset does not matter.
        """
        return cls(OffsetBase.TIME, timestamp_ms)

    @property
    def ignores_stored(self) -> bool:
        """Whether what a consumer stored does not matter."""
        return self.base in (OffsetBase.ABSOLUTE, OffsetBase.TIME)

    def resolve(self, start: int, last: int, stored: int | None = None) -> int:
        """The absolute offset of the first record wanted.

        `start`: oldest record kept; `last`: the next one to come; `stored`: last record that this consumer
        has consumed, None without one. Results of relative offsets lie within `start..last`.
        Raises `ConsumerError` for a time: that is searched for.
        """
        if self.base is OffsetBase.TIME:
            raise ConsumerError("a time is no offset before it was searched for")
        if self.base is OffsetBase.ABSOLUTE:
            return self.count
        resume = None if stored is None else stored + 1
        if self.base is OffsetBase.BEGINNING:
            wanted = (start if resume is None else resume) + self.count
        else:
            wanted = (last if resume is None else resume) - self.count
        return max(start, min(wanted, last))
