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


@dataclass(slots=True, frozen=True)
class Offset:
    """A place in a partition; make one with `absolute`, `beginning` or `end`. `count` is not negative."""

    base: OffsetBase
    count: int = 0  # records

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

    def resolve(self, start: int, last: int, stored: int | None = None) -> int:
        """The absolute offset of the first record wanted.

        `start`: oldest record kept; `last`: the next one to come; `stored`: last record that this consumer
        has consumed, None without one. Results of relative offsets lie within `start..last`.
        """
        if self.base is OffsetBase.ABSOLUTE:
            return self.count
        resume = None if stored is None else stored + 1
        if self.base is OffsetBase.BEGINNING:
            wanted = (start if resume is None else resume) + self.count
        else:
            wanted = (last if resume is None else resume) - self.count
        return max(start, min(wanted, last))
