"""Which of the records that come `consume` prints: `--since`, `--until`, `--where`, `--count`. Pure.

A batch from which something is not to be printed is narrowed (`stop_offset`), because that is what the
consumer counts as consumed: with `--count` up to the last printed record, with `--until` up to the last one
before that time. What `--since` and `--where` leave out in between counts as consumed.

Times are the producers', whose clocks differ and who send late: a partition counts as read up to `until` when
a batch *begins* `TOLERANCE_MS` after it. Records without a time are left out by `since` and `until`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fluvio_client.consumer.time_search import is_older

if TYPE_CHECKING:
    from fluvio_cli.output.queries import Query
    from fluvio_client.consumer.positions import ConsumerRecord, RecordBatch

TOLERANCE_MS = 60_000
GRACE_S = 2.0  # how long after an `until` in the future records are still awaited


@dataclass(slots=True)
class Selection:
    """What to print, and how far that is. Times in ms since 1970, of records `since_ms <= t < until_ms`."""

    since_ms: int | None = None
    until_ms: int | None = None
    where: "Query | None" = None
    count: int | None = None  # print so many at most
    partitions: int = 0  # how many are read; when `until_ms` has passed in all of them, that is the end
    not_json: int = 0  # records that `where` left out because they are no JSON
    _printed: int = 0
    _ended: set[tuple[str, int]] = field(default_factory=set)

    @property
    def is_everything(self) -> bool:
        """Whether every record is printed."""
        return not self._looks_at_records and self.count is None

    @property
    def is_done(self) -> bool:
        """Whether nothing more will be printed."""
        if self.count is not None and self._printed >= self.count:
            return True
        return bool(self._ended) and len(self._ended) >= self.partitions

    @property
    def _looks_at_records(self) -> bool:
        return self.since_ms is not None or self.until_ms is not None or self.where is not None

    def narrow(self, batch: "RecordBatch") -> bool:
        """Narrow a batch of which no record needs to be looked at; whether that was enough.

        If not, nothing was done: use `choose`.
        """
        if self._looks_at_records:
            return False
        if self.count is not None:
            batch.stop_offset = min(batch.stop_offset, batch.first_offset + self.count - self._printed)
            self._printed += batch.count
        return True

    def choose(
        self, batch: "RecordBatch", is_shown: "Callable[[ConsumerRecord], bool] | None" = None
    ) -> "list[ConsumerRecord]":
        """The records of a batch to print, and narrow it. Raises `DecodeError` for damaged data.

        `is_shown`: whether anything of a record will be seen; None: always. Others do not count.
        """
        since, until, where = self.since_ms, self.until_ms, self.where
        header = batch.header
        if until is not None and self._is_behind(batch, header.first_timestamp, until):
            batch.stop_offset = batch.first_offset
            return []
        if since is not None and is_older(header, since):
            return []
        records = batch.records()
        if until is not None:
            records = [record for record in records if record.timestamp < until]
            batch.stop_offset = records[-1].offset + 1 if records else batch.first_offset
            records = [record for record in records if record.timestamp >= 0]
        if since is not None:
            records = [record for record in records if record.timestamp >= since]
        if where is not None:
            records = [record for record in records if self._matches(where, record.value)]
        if is_shown is not None:
            records = [record for record in records if is_shown(record)]
        if self.count is not None:
            left = self.count - self._printed
            if len(records) >= left:
                records = records[:left]
                batch.stop_offset = records[-1].offset + 1
            self._printed += len(records)
        return records

    def _is_behind(self, batch: "RecordBatch", first_timestamp: int, until_ms: int) -> bool:
        place = batch.topic, batch.partition
        if place not in self._ended and first_timestamp >= until_ms + TOLERANCE_MS:
            self._ended.add(place)
        return place in self._ended

    def _matches(self, where: "Query", value: bytes) -> bool:
        from fluvio_cli.output.queries import NOT_JSON, parse_json

        data = parse_json(value)
        if data is NOT_JSON:
            self.not_json += 1
            return False
        return where.holds(data)
