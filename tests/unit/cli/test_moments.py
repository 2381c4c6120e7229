"""What `--since` and `--until` take for a time."""

import pytest

from fluvio_cli.moments import Moment, parse_moment

NOON = 1_769_860_800_000  # 2026-01-31T12:00:00Z


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31t12:00:00z", NOON),
        ("2026-01-31 12:00", NOON),
        ("2026-01-31T13:30:00.250+01:30", NOON + 250),
        ("2026-01-31", NOON - 12 * 3_600_000),
        ("1769860800", NOON),
        ("1769860800123", NOON + 123),
        ("0", 0),
    ],
)
def test_times_dates_and_numbers_are_points_in_time(text: str, at_ms: int) -> None:
    assert parse_moment(text) == Moment(at_ms=at_ms)
    assert parse_moment(text).resolve(5) == at_ms


@pytest.mark.parametrize(("text", "ago_ms"), [("10m", 600_000), ("1h30m", 5_400_000), ("250ms", 250)])
def test_durations_count_back_from_now(text: str, ago_ms: int) -> None:
    assert parse_moment(text) == Moment(ago_ms=ago_ms)
    assert parse_moment(text).resolve(NOON) == NOON - ago_ms


def test_a_duration_does_not_reach_behind_1970() -> None:
    assert parse_moment("100years").resolve(NOON) == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("yesterday", "expected number at 0; expected a duration such as 10m"),
        ("", "value was empty"),
        ("-5m", "expected number at 0"),
        ("2026-13-01", "month must be in 1..12"),
        ("2026-01-31T25:00Z", "hour must be in 0..23"),
        ("1969-12-31", "before 1970"),
        ("9" * 20, "after the year 9999"),
        ("9" * 60, "after the year 9999"),
        ("5 parsecs", "unknown time unit"),
    ],
)
def test_what_is_no_time_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_moment(text)
