"""Medians, ratios, targets, turns; and the table they are printed in."""

import sys
from pathlib import Path

import pytest

from tests.bench.measuring import BenchError, Row, Samples, at_least, at_most, interleave, process_seconds
from tests.bench.report import table


def test_the_median_and_the_quartiles_leave_outliers_out() -> None:
    samples = Samples([1.0, 2.0, 3.0, 4.0, 1000.0])
    assert samples.median == 3.0
    assert samples.spread == (2.0, 4.0)


def test_few_samples_spread_from_the_least_to_the_greatest() -> None:
    assert Samples([3.0, 1.0, 2.0]).spread == (1.0, 3.0)


@pytest.mark.parametrize(("value", "is_met"), [(79.0, True), (80.0, True), (81.0, False)])
def test_a_time_may_be_a_multiple_of_its_reference(value: float, is_met: bool) -> None:
    row = Row("x", "ms", Samples([value]), Samples([20.0]), "bare", [at_most(4, of_reference=True)])
    assert row.is_met is is_met


@pytest.mark.parametrize(("value", "is_met"), [(24.0, False), (25.0, True)])
def test_a_rate_may_be_a_share_of_its_reference(value: float, is_met: bool) -> None:
    row = Row("x", "MB/s", Samples([value]), Samples([100.0]), "bare", [at_least(0.25, of_reference=True)])
    assert row.is_met is is_met


def test_all_targets_of_a_row_must_be_met() -> None:
    targets = [at_most(2), at_most(80, of_reference=True)]
    assert Row("x", "s", Samples([1.9]), Samples([0.02]), "bare", targets).is_met is False
    assert Row("x", "s", Samples([1.9]), Samples([0.03]), "bare", targets).is_met is True


def test_a_share_of_a_reference_that_is_missing_is_not_met() -> None:
    assert Row("x", "s", Samples([1.0]), targets=[at_most(4, of_reference=True)]).is_met is False


def test_a_row_without_target_neither_passes_nor_fails() -> None:
    assert Row("x", "s", Samples([1.0])).is_met is None


def test_actions_take_turns_and_the_warm_up_does_not_count() -> None:
    calls: list[str] = []

    def action(name: str) -> float:
        calls.append(name)
        return float(len(calls))

    taken = interleave({"a": lambda: action("a"), "b": lambda: action("b")}, 2, warm_up=1)
    assert calls == ["a", "b"] * 3
    assert (taken["a"].values, taken["b"].values) == ([3.0, 5.0], [4.0, 6.0])


def test_the_table_shows_multiples_of_times_and_shares_of_rates_and_what_was_missed() -> None:
    slow = Row("start", "ms", Samples([90.0]), Samples([20.0]), "bare", [at_most(4, of_reference=True)])
    fast = Row(
        "send", "MB/s", Samples([300.0]), Samples([1000.0]), "write", [at_least(0.25, of_reference=True)]
    )
    text = table([slow, fast])
    assert "4.5 x" in text
    assert "<= 4 x" in text
    assert "NO" in text
    assert "30 %" in text
    assert ">= 25 %" in text
    widths = {len(line) for line in text.splitlines()}
    assert len(widths) == 1


def test_a_command_that_fails_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-c", "import sys; sys.exit('no such thing')"]
    with pytest.raises(BenchError, match="no such thing"):
        process_seconds(command, {}, cwd=tmp_path)
