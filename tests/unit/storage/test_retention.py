"""What retention decides, rule by rule, and whether the clock may be believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_local_cluster.storage.retention import (
    ClockWatch,
    RetentionPlan,
    RetentionRules,
    SegmentFacts,
    newest_record_ms,
    plan_retention,
)

NOW_S = 1_800_000_000
NOW_MS = NOW_S * 1000
DAY_S = 86_400
HOUR_S = 3600


def log_of(*ages_s: float, size: int = 100, active: int = 100, active_age_s: float = 0) -> list[SegmentFacts]:
    """Closed segments of ten records each whose newest is so old, then an active one."""
    closed = [
        SegmentFacts(10 * i, 10 * i + 10, size, NOW_MS - int(age_s * 1000)) for i, age_s in enumerate(ages_s)
    ]
    base = 10 * len(closed)
    first_ms = NOW_MS - int(active_age_s * 1000)
    return [*closed, SegmentFacts(base, base + 10, active, NOW_MS, first_ms)]


def plan(
    segments: list[SegmentFacts], keep_from: int = 10**9, trusted: bool = True, **rules
) -> RetentionPlan:
    return plan_retention(
        segments, RetentionRules(**rules), now_ms=NOW_MS, keep_from=keep_from, is_clock_trusted=trusted
    )


# --- by time ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ages_s", "retention_s", "expired"),
    [
        ((10.1, 9, 8), 10, 1),  # seconds
        ((30, 20, 11), 10, 3),
        ((10, 10, 10), 10, 0),  # not earlier than the retention
        ((400 * DAY_S, 300 * DAY_S), 365 * DAY_S, 1),  # years
        ((9, 20, 20), 10, 0),  # only a prefix: an older one behind a younger one stays
        ((20, 9, 20), 10, 1),
        ((-HOUR_S, 20), 10, 0),  # a record from the future
        ((), 10, 0),
    ],
)
def test_closed_segments_go_when_their_newest_record_is_older_than_the_retention(
    ages_s: tuple[float, ...], retention_s: float, expired: int
) -> None:
    assert plan(log_of(*ages_s), retention_s=retention_s).expired == expired


def test_without_rules_nothing_goes() -> None:
    assert plan(log_of(1000 * DAY_S, active_age_s=1000 * DAY_S)) == RetentionPlan()


def test_the_active_segment_is_never_removed() -> None:
    assert plan(log_of(active_age_s=1e9, active=10**12), retention_s=1, max_bytes=1).count == 0


@pytest.mark.parametrize(
    ("retention_s", "age_s", "rolls"),
    [
        (7 * DAY_S, 0.7 * DAY_S, False),
        (7 * DAY_S, 0.7 * DAY_S + 1, True),
        (10, 10, False),  # never more often than each 10 s
        (10, 10.1, True),
        (1, 5, False),
        (101, 10.05, False),
        (101, 10.2, True),
    ],
)
def test_an_active_segment_is_closed_once_its_first_append_is_a_tenth_of_the_retention_old(
    retention_s: float, age_s: float, rolls: bool
) -> None:
    assert plan(log_of(active_age_s=age_s), retention_s=retention_s).roll == rolls


def test_an_empty_active_segment_is_not_closed() -> None:
    assert not plan(log_of(active_age_s=1e6, active=0), retention_s=10).roll


@pytest.mark.parametrize(
    ("max_timestamp_ms", "last_append_ms", "newest_ms"),
    [
        (NOW_MS - 5, NOW_MS, NOW_MS - 5),  # what the producer says
        (-1, NOW_MS, NOW_MS),  # it says nothing
        (0, NOW_MS, NOW_MS),
        (NOW_MS + 30 * 60_000, NOW_MS, NOW_MS),  # its clock is a little fast
        (NOW_MS + 2 * HOUR_S * 1000, NOW_MS, NOW_MS),  # it makes no sense
        (2**62, NOW_MS, NOW_MS),
    ],
)
def test_the_age_counts_from_the_newest_record_but_not_from_later_than_the_append(
    max_timestamp_ms: int, last_append_ms: int, newest_ms: int
) -> None:
    assert newest_record_ms(max_timestamp_ms, last_append_ms) == newest_ms


# --- by size ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("segments", "max_bytes", "surplus"),
    [
        (5, 600, 0),  # as much as is allowed
        (5, 599, 1),
        (5, 500, 1),
        (5, 499, 2),
        (5, 1, 5),  # the active one stays
    ],
)
def test_the_oldest_go_until_the_log_is_small_enough(segments: int, max_bytes: int, surplus: int) -> None:
    assert plan(log_of(*[1.0] * segments), max_bytes=max_bytes) == RetentionPlan(surplus=surplus)


def test_what_goes_because_of_its_age_counts_for_the_size_as_well() -> None:
    assert plan(log_of(20, 20, 5, 5), retention_s=10, max_bytes=250) == RetentionPlan(expired=2, surplus=1)


# --- bounds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keep_from", "count"), [(0, 0), (9, 0), (10, 1), (19, 1), (25, 2), (30, 3), (10**9, 3)]
)
def test_nothing_goes_that_has_an_offset_to_be_kept(keep_from: int, count: int) -> None:
    segments = log_of(20, 20, 20)
    assert plan(segments, keep_from, retention_s=10).count == count
    assert plan(segments, keep_from, max_bytes=1).count == count


def test_without_a_trusted_clock_size_alone_counts() -> None:
    segments = log_of(20, 20, 20, active_age_s=1000)
    assert plan(segments, trusted=False, retention_s=10) == RetentionPlan()
    assert plan(segments, trusted=False, retention_s=10, max_bytes=300) == RetentionPlan(surplus=1)


@given(
    ages_s=st.lists(st.floats(-100, 100), max_size=8),
    size=st.integers(1, 1000),
    retention_s=st.none() | st.integers(1, 100),
    max_bytes=st.none() | st.integers(0, 9000),
    keep_from=st.integers(0, 100),
)
def test_what_is_left_is_as_promised(
    ages_s: list[float], size: int, retention_s: int | None, max_bytes: int | None, keep_from: int
) -> None:
    segments = log_of(*ages_s, size=size)
    decided = plan(segments, keep_from, retention_s=retention_s, max_bytes=max_bytes)
    gone, left = segments[: decided.count], segments[decided.count :]
    assert left
    assert all(segment.next_offset <= keep_from for segment in gone)
    if retention_s is not None:
        limit_ms = NOW_MS - retention_s * 1000
        assert all(segment.newest_ms < limit_ms for segment in gone[: decided.expired])
    if max_bytes is not None:
        is_small = sum(segment.size_bytes for segment in left) <= max_bytes
        assert is_small or len(left) == 1 or left[0].next_offset > keep_from
        if decided.surplus:  # and no more than needed
            assert sum(segment.size_bytes for segment in [gone[-1], *left]) > max_bytes
    else:
        assert decided.surplus == 0


# --- the clock -------------------------------------------------------------------------------------------


def watch(*looks: tuple[float, float], newest_append_ms: int = 0) -> list[bool]:
    """Whether each look (wall seconds after NOW_S, monotonic seconds) found a clock to believe."""
    clock = ClockWatch(newest_append_ms)
    return [clock.distrust(NOW_S + wall, mono) is None for wall, mono in looks]


@pytest.mark.parametrize(
    ("looks", "trusted"),
    [
        ([(0, 5), (10, 15), (20, 25)], [True, True, True]),
        ([(0, 0), (3600, 10)], [True, True]),  # an hour less ten seconds: within what is allowed
        ([(0, 0), (3700, 10)], [True, False]),
        ([(0, 0), (-3700, 10)], [True, False]),  # also backwards
        ([(0, 0), (3000, 10), (6000, 20)], [True, True, True]),  # each look is compared with the one before
        # an hour of a clock that goes on evenly, then it is believed
        ([(0, 0), (1e7, 10), (1e7 + 3590, 3600), (1e7 + 3600, 3610), (1e7 + 3700, 3710)], [1, 0, 0, 1, 1]),
        # a second jump begins the hour anew
        ([(0, 0), (1e7, 10), (2e7, 3000), (2e7 + 1000, 4000), (2e7 + 3600, 6600)], [1, 0, 0, 0, 1]),
        # back to the old time: believed at once
        ([(0, 0), (1e7, 10), (20, 20)], [1, 0, 1]),
        # a year forwards and back, then forwards again
        ([(0, 0), (3e7, 10), (20, 20), (3e7 + 20, 30)], [1, 0, 1, 0]),
    ],
)
def test_a_clock_that_jumped_is_not_believed_for_an_hour(
    looks: list[tuple[float, float]], trusted: list[bool]
) -> None:
    assert watch(*looks) == [bool(value) for value in trusted]


def test_at_a_start_before_the_newest_append_age_does_not_count_until_the_clock_passes_it() -> None:
    assert watch((0, 0), (99, 99), (100, 100), (101, 101), newest_append_ms=NOW_MS + 100_000) == [
        False,
        False,
        True,
        True,
    ]


def test_a_watch_that_begins_while_the_clock_is_wrong_believes_it_once_it_is_right() -> None:
    clock, year_s = ClockWatch(int((NOW_S + 100) * 1000)), 365 * 86_400.0
    assert clock.distrust(NOW_S + year_s, 0, "told") == "told"
    assert "newest append" in (clock.distrust(NOW_S + 10, 10) or ""), "what the wrong clock has passed"
    assert clock.distrust(NOW_S + 200, 200) is None
    assert "jumped" in (clock.distrust(NOW_S + year_s, 210, "told") or "")
    assert clock.distrust(NOW_S + 220, 220, "told") == "told"
    assert clock.distrust(NOW_S + 230, 230) is None


def test_the_reason_says_by_how_much() -> None:
    clock = ClockWatch(NOW_MS + 5_000)
    assert clock.distrust(NOW_S, 0) == "the clock is 5 s before the newest append on the disk"
    assert clock.distrust(NOW_S + 10, 10) is None
    assert clock.distrust(NOW_S + 7220, 20) == "the clock jumped by 7200 s"
