"""Latencies in buckets: percentiles beside those of the whole list."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_cli.benchmark.histogram import Histogram

VALUES = st.lists(st.integers(0, 2**40) | st.integers(0, 1000), min_size=1, max_size=300)


def true_percentile(values: list[int], share: float) -> int:
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


@given(VALUES, st.floats(0, 1))
def test_a_percentile_is_the_true_one_or_above_it_by_less_than_a_hundredth(
    values: list[int], share: float
) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    wanted = true_percentile(values, share)
    assert wanted <= histogram.percentile(share) <= wanted + wanted / 128
    assert (histogram.count, histogram.most, histogram.total) == (len(values), max(values), sum(values))


@given(VALUES, VALUES)
def test_merging_counts_what_both_have(left: list[int], right: list[int]) -> None:
    parts, whole = [Histogram(), Histogram()], Histogram()
    for part, values in zip(parts, (left, right), strict=True):
        for value in values:
            part.add(value)
            whole.add(value)
    merged = Histogram().merge(parts)
    assert [merged.percentile(share) for share in (0.5, 0.99, 1)] == [
        whole.percentile(share) for share in (0.5, 0.99, 1)
    ]


def test_memory_does_not_grow_with_the_number_of_values() -> None:
    histogram = Histogram()
    for value in range(0, 10_000_000, 97):
        histogram.add(value)
    assert len(histogram._counts) < 2500
    histogram.add(5, times=10**9)
    assert histogram.percentile(0.5) == 5


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_nothing_has_no_latency(share: float) -> None:
    assert Histogram().percentile(share) == 0
    histogram = Histogram()
    histogram.add(-5)  # a clock may not go back, and if it does nothing breaks
    assert histogram.percentile(share) == 0
