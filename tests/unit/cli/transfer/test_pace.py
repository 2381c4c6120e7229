"""When records are due."""

import pytest

from fluvio_cli.transfer.pace import Pace, parse_speed


def test_distances_shrink_by_the_speed() -> None:
    pace = Pace(10.0)
    assert pace.due_s(50_000, 100.0) == 100.0
    assert pace.due_s(60_000, 100.2) == 101.0
    assert pace.due_s(55_000, 103.0) == 100.5  # late: at once
    assert pace.due_s(-1, 103.0) == 103.0  # no time: at once


def test_records_that_are_due_soon_go_together() -> None:
    pace = Pace(1.0)
    pace.due_s(1000, 5.0)
    times = [1000, 1005, 1500, 1200]
    assert pace.together(times, 0, 5.01) == 2
    assert pace.together(times, 2, 5.0) == 3
    assert pace.together(times, 2, 6.0) == 4


def test_as_fast_as_it_goes() -> None:
    pace = Pace(parse_speed("max"))
    assert pace.due_s(1000, 5.0) == pace.due_s(10**12, 5.0) == 5.0


@pytest.mark.parametrize(("text", "speed"), [("10x", 10.0), ("0.5X", 0.5), ("2", 2.0), ("MAX", float("inf"))])
def test_speeds_are_read(text: str, speed: float) -> None:
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["", "x", "0x", "-1x", "inf", "nan", "fast"])
def test_what_is_no_speed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="factor"):
        parse_speed(text)
