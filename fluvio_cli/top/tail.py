"""The last records of one partition, as they are followed. Pure: what to fetch next, and what came.

`wanted` names an offset, whoever asks for it gives `take` the batches that came. Of a partition that grows
faster than it can be shown the records between are left out.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from fluvio_cli.output.full_table import MOST_CELL
from fluvio_cli.top.model import shown
from fluvio_client.consumer.positions import PartitionPosition
from fluvio_types.errors import FluvioError

MOST_RECORDS = 100
MOST_BYTES = 8 * 1024 * 1024  # of one answer: a batch that does not fit is left out
_FIRST_BYTES = 256 * 1024
_MOST_TEXT = 4 * (MOST_CELL + 1)  # bytes of UTF-8 that give a cell, and tell whether it was cut


class TailRecord(NamedTuple):
    """One record; both texts are safe to print, `key` is None when it has none."""

    offset: int
    key: str | None
    value: str


class Wanted(NamedTuple):
    """Where to read, and how many bytes at most."""

    offset: int
    max_bytes: int


@dataclass(slots=True)
class Tail:
    """What was read of one partition; `remark` tells what of it cannot be shown."""

    topic: str
    partition: int
    records: deque[TailRecord] = field(default_factory=lambda: deque(maxlen=MOST_RECORDS))
    remark: str = ""
    _position: PartitionPosition | None = None

    def wanted(self, start: int, end: int) -> Wanted | None:
        """What to fetch while the partition holds `start` to `end` - 1; None: everything was read."""
        oldest = max(start, end - MOST_RECORDS)
        position = self._position
        if position is None or position.next_offset > end:  # the topic was made anew
            self.records.clear()
            position = PartitionPosition(self.topic, self.partition, oldest, _FIRST_BYTES)
            self._position = position
        position.next_offset = max(position.next_offset, oldest)
        if position.next_offset == end:
            return None
        return Wanted(position.next_offset, position.max_bytes)

    def take(self, batches: bytes | memoryview, end: int) -> bool:
        """Take in what came for `wanted`; whether it is of use to ask for more at once."""
        position = self._position
        assert position is not None, "`wanted` comes first"
        before = position.next_offset
        try:
            sighted = position.sight(batches)
            if sighted.reopen_max_bytes is not None:
                if position.max_bytes >= MOST_BYTES:
                    return self._leave_out(f"a batch of more than {MOST_BYTES} bytes is not shown", end)
                position.max_bytes = min(sighted.reopen_max_bytes, MOST_BYTES)
                return True
            taken = position.take(sighted)
            for batch in taken.batches:
                for record in batch.records():
                    key = None if record.key is None else _text(record.key)
                    self.records.append(TailRecord(record.offset, key, _text(record.value)))
        except FluvioError as exc:
            return self._leave_out(str(exc), end)
        if taken.damage is not None:
            return self._leave_out(str(taken.damage), end)
        return position.next_offset > before

    def _leave_out(self, reason: str, end: int) -> bool:
        """Go on behind everything that there is now."""
        assert self._position is not None
        self.remark, self._position.next_offset = shown(reason), end
        return False


def _text(data: bytes) -> str:
    return shown(data[:_MOST_TEXT].decode("utf-8", "replace"))
