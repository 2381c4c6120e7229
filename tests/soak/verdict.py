"""What the logs say at the end, compared to what producers were told. Pure.

Every record of every partition goes through `Verdict.take`, in the order of the log. A record is *lost*
when it was acknowledged, retention has not removed it, and it is not there; *misplaced* when the
acknowledged offset has another record; *out of order* when a partition has it behind a later one of its
producer, for the first time. It is *doubled* when it is there again; that is explained when its producer
was still waiting for the answer while a server was being restarted, and a fault otherwise.

Order is judged among acknowledged records: of others their producer said that it does not know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.soak.ledger import Fate, Ledger
from tests.soak.values import Stamp

_SHOWN = 20
_MOST = 255  # copies that are counted
Window = tuple[float, float]  # begin and end, seconds of the monotonic clock


@dataclass(slots=True)
class Counts:
    """All over all partitions."""

    records: int = 0
    value_bytes: int = 0
    acknowledged: int = 0
    failed: int = 0
    unknown: int = 0
    removed: int = 0  # by retention, of the acknowledged
    lost: int = 0
    misplaced: int = 0
    out_of_order: int = 0
    doubled_explained: int = 0
    doubled_unexplained: int = 0
    strangers: int = 0  # records that nobody gave
    unacknowledged_stored: int = 0


@dataclass(slots=True)
class _Seen:
    copies: bytearray
    is_in_place: bytearray
    last: dict[int, int] = field(default_factory=dict)  # partition -> greatest acknowledged sequence so far


@dataclass(slots=True)
class Verdict:
    """`take` every record of a topic's partitions, then `close_topic`."""

    ledgers: Mapping[int, Ledger]
    restarts: Sequence[Window]
    counts: Counts = field(default_factory=Counts)
    faults: list[str] = field(default_factory=list)  # the first ones, for people
    _seen: dict[int, _Seen] = field(default_factory=dict)

    def take(self, topic: str, partition: int, offset: int, stamp: Stamp, size_bytes: int) -> None:
        """The next record of a partition."""
        self.counts.records += 1
        self.counts.value_bytes += size_bytes
        ledger = self.ledgers.get(stamp.producer)
        sequence = stamp.sequence
        if ledger is None or ledger.topic != topic or sequence >= ledger.count:
            self.counts.strangers += 1
            self._note(f"{topic}-{partition} offset {offset}: nobody gave {stamp}")
            return
        seen = self._seen_of(ledger)
        is_acknowledged = ledger.fates[sequence] == Fate.ACKNOWLEDGED
        if (
            is_acknowledged
            and ledger.partitions[sequence] == partition
            and ledger.offsets[sequence] == offset
        ):
            seen.is_in_place[sequence] = 1
        copies = seen.copies[sequence]
        seen.copies[sequence] = min(copies + 1, _MOST)
        if copies:
            self._doubled(ledger, sequence, partition, offset)
        elif is_acknowledged:
            if sequence < seen.last.get(partition, -1):
                self.counts.out_of_order += 1
                behind = f"{ledger.name} {sequence} behind {seen.last[partition]}"
                self._note(f"{topic}-{partition} offset {offset}: {behind}")
            else:
                seen.last[partition] = sequence
        else:
            self.counts.unacknowledged_stored += 1

    def _doubled(self, ledger: Ledger, sequence: int, partition: int, offset: int) -> None:
        given, settled = ledger.given_s[sequence], ledger.settled_s[sequence]
        if any(given <= end and begin <= settled for begin, end in self.restarts):
            self.counts.doubled_explained += 1
            return
        self.counts.doubled_unexplained += 1
        self._note(
            f"{ledger.topic}-{partition} offset {offset}: {ledger.name} {sequence} again, without a restart"
        )

    def close_topic(self, topic: str, log_starts: Mapping[int, int]) -> None:
        """All partitions of `topic` were taken; they began at these offsets."""
        for ledger in self.ledgers.values():
            if ledger.topic == topic:
                self._close(ledger, log_starts)

    def _close(self, ledger: Ledger, log_starts: Mapping[int, int]) -> None:
        seen, counts = self._seen_of(ledger), self.counts
        for sequence, fate in enumerate(ledger.fates):
            if fate != Fate.ACKNOWLEDGED:
                counts.failed += fate == Fate.FAILED
                counts.unknown += fate == Fate.UNKNOWN
                continue
            counts.acknowledged += 1
            if seen.is_in_place[sequence]:
                continue
            partition, offset = ledger.partitions[sequence], ledger.offsets[sequence]
            if offset < log_starts.get(partition, 0):
                counts.removed += 1
                continue
            what = "misplaced" if seen.copies[sequence] else "lost"
            setattr(counts, what, getattr(counts, what) + 1)
            self._note(f"{ledger.topic}-{partition} offset {offset}: {ledger.name} {sequence} is {what}")

    def problems(self) -> list[str]:
        """What must not be, in words; empty when all is well."""
        named = {
            "acknowledged records lost": self.counts.lost,
            "acknowledged records at another offset": self.counts.misplaced,
            "records out of order": self.counts.out_of_order,
            "records doubled without a reason": self.counts.doubled_unexplained,
            "records that nobody gave": self.counts.strangers,
        }
        return [f"{count} {what}" for what, count in named.items() if count]

    def _seen_of(self, ledger: Ledger) -> _Seen:
        found = self._seen.get(ledger.producer)
        if found is None:
            found = _Seen(bytearray(ledger.count), bytearray(ledger.count))
            self._seen[ledger.producer] = found
        return found

    def _note(self, text: str) -> None:
        if len(self.faults) < _SHOWN:
            self.faults.append(text)
