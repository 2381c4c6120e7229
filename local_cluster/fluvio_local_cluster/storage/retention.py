"""Which segments have lived long enough. Decides only: sizes and times are handed in, no file is touched.

Rules: docs/storage-format.md, "Retention". Only a prefix of a log is ever removed, and never its active
segment. Wall-clock times are milliseconds since 1970; ages are judged by the wall clock, so `ClockWatch`
tells whether that can be believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MINIMUM_ROLL_AGE_MS = 10_000
_JUMP_S = 3600.0  # the wall clock may drift so far from the monotonic one between two looks
_STABLE_S = 3600.0  # after a jump, a clock that went on evenly for so long is believed again


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """What a topic wants. None: no limit of that kind."""

    retention_s: float | None = None
    max_bytes: int | None = None

    @property
    def roll_age_ms(self) -> float | None:
        """An active segment whose first append is older is closed, so that it can be removed in its time."""
        return None if self.retention_s is None else max(self.retention_s * 100, MINIMUM_ROLL_AGE_MS)


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """A segment as retention sees it."""

    base_offset: int
    next_offset: int
    size_bytes: int
    newest_ms: int  # `newest_record_ms`
    first_append_ms: int = 0  # wanted of the active segment only


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """How many of the oldest segments go, for which reason, and whether the active one shall be closed."""

    expired: int = 0  # all of their records are too old
    surplus: int = 0  # more, because the log is too large
    roll: bool = False

    @property
    def count(self) -> int:
        """Segments to remove, from the oldest on."""
        return self.expired + self.surplus


def newest_record_ms(max_timestamp_ms: int, last_append_ms: int) -> int:
    """Where a segment's age begins: the time of its newest record, but not later than the last append.

    Producers set timestamps as they like. None at all (0 or less), or one from the future, would make records
    live for ever or not at all: then the time of the append counts.
    """
    return min(max_timestamp_ms, last_append_ms) if max_timestamp_ms > 0 else last_append_ms


def plan_retention(
    segments: Sequence[SegmentFacts],
    rules: RetentionRules,
    *,
    now_ms: int,
    keep_from: int,
    is_clock_trusted: bool = True,
) -> RetentionPlan:
    """What to remove of `segments` (all of a log's, ascending; the last is the active one).

    Nothing is removed that has an offset of `keep_from` or later: the high watermark, or what a follower
    still reads. Without a trusted clock nothing goes, and nothing is closed, because of its age.
    """
    *closed, active = segments
    removable = 0
    while removable < len(closed) and closed[removable].next_offset <= keep_from:
        removable += 1
    expired = surplus = 0
    roll = False
    if rules.retention_s is not None and is_clock_trusted:
        oldest_ms = now_ms - rules.retention_s * 1000
        while expired < removable and closed[expired].newest_ms < oldest_ms:
            expired += 1
        roll_age_ms = rules.roll_age_ms
        assert roll_age_ms is not None
        roll = active.size_bytes > 0 and now_ms - active.first_append_ms > roll_age_ms
    if rules.max_bytes is not None:
        size_bytes = sum(segment.size_bytes for segment in segments[expired:])
        while expired + surplus < removable and size_bytes > rules.max_bytes:
            size_bytes -= closed[expired + surplus].size_bytes
            surplus += 1
    return RetentionPlan(expired, surplus, roll)


class ClockWatch:
    """Whether the wall clock can be believed when it says that records are old.

    It cannot when it jumped against the monotonic clock since the last look, until it has gone on evenly for
    an hour; nor, after a start, while it is earlier than the newest append on the disk.
    """

    __slots__ = ("_accepted_s", "_earliest_s", "_other_s", "_since_s")

    def __init__(self, newest_append_ms: int = 0) -> None:
        """`newest_append_ms`: the latest time of an append that the disk tells of; 0 when there is none."""
        self._earliest_s: float | None = newest_append_ms / 1000
        self._accepted_s: float | None = None  # wall minus monotonic clock, as it is believed
        self._other_s = 0.0  # the same after a jump
        self._since_s: float | None = None  # monotonic time of that jump

    def distrust(self, wall_s: float, mono_s: float, told: str | None = None) -> str | None:
        """Why the wall clock cannot be believed now; None when it can. Seconds, each clock's own.

        `told` is why somebody who has watched it for longer does not believe it: then the first look is none,
        lest the clock is taken for right as it is, and for wrong when it is put right.
        """
        if told is not None and self._accepted_s is None:
            return told
        apart_s = wall_s - mono_s
        reason = None
        if self._accepted_s is None or abs(apart_s - self._accepted_s) <= _JUMP_S:
            self._accepted_s, self._since_s = apart_s, None
        else:
            if self._since_s is None or abs(apart_s - self._other_s) > _JUMP_S:
                self._since_s = mono_s
            self._other_s = apart_s
            if mono_s - self._since_s >= _STABLE_S:
                self._accepted_s, self._since_s = apart_s, None
                self._earliest_s = None
            else:
                reason = f"the clock jumped by {apart_s - self._accepted_s:.0f} s"
        if self._earliest_s is not None:
            if wall_s >= self._earliest_s:
                self._earliest_s = None
            elif reason is None:
                reason = (
                    f"the clock is {self._earliest_s - wall_s:.0f} s before the newest append on the disk"
                )
        return reason or told
