"""Where the records of a time begin in a partition: by bisection over batch headers. Pure.

Servers have no look-up by time. So the batch that holds an offset in the middle is asked for, with room for
little more than its header, and its times say in which half to go on: O(log n) requests for n records.

What is promised: every batch before the offset found was older at the time of some probe, as long as times do
not go back from batch to batch. They may, since producers write them by clocks of their own: then records
near the border can lie before the offset that is found, as many as the clocks differ. A batch without a time
counts as young enough, so that nothing is skipped for its sake. Records from the offset found on may be older
than asked for; whoever reads leaves them out by their own times.

A server may cut its answer anywhere behind the header, or send the whole batch: only the header is read.
"""

from dataclasses import dataclass

from fluvio_protocol.batch import HEADER_BYTES, BatchHeader, read_header

PROBE_BYTES = HEADER_BYTES  # the least that shows a batch's times and where it ends


@dataclass(slots=True)
class TimeSearch:
    """The search for the first batch with a record at `since_ms` (since 1970) or later.

    While `probe` is not None: fetch the batch that holds that offset, and call `take` with what came, or
    `evicted`. Then `low` is the offset to start at.
    """

    since_ms: int
    low: int  # everything before it is older
    high: int  # the batch that begins here is young enough, or it is the end

    @property
    def probe(self) -> int | None:
        """The offset of which the batch is to be fetched; None: `low` is the answer."""
        return (self.low + self.high) // 2 if self.low < self.high else None

    def take(self, records: bytes | memoryview) -> None:
        """What was fetched at `probe`. Raises `BatchError` for bytes that are no batch."""
        probe = self.probe
        assert probe is not None
        if len(records) < HEADER_BYTES:  # nothing can be told about it: do not skip it
            self.high = probe
            return
        header = read_header(records)
        if is_older(header, self.since_ms):
            self.low = max(header.next_offset, probe + 1)
        else:
            self.high = max(min(header.base_offset, probe), self.low)

    def evicted(self, next_available: int) -> None:
        """Retention has removed the probed record meanwhile; `next_available`: the oldest that is left."""
        probe = self.probe
        assert probe is not None
        self.low = max(next_available, probe + 1)


def is_older(header: BatchHeader, since_ms: int) -> bool:
    """Whether all records of a batch are certainly older; one without a time is not."""
    return header.first_timestamp > 0 and max(header.first_timestamp, header.max_timestamp) < since_ms
