"""Histograms and families, and the text that is made of them."""

import math
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fluvio_local_cluster.metrics import (
    Histogram,
    MetricsUnavailableError,
    counter,
    gauge,
    histogram,
    load_renderer,
)


def test_a_value_counts_in_its_bucket_and_in_all_larger_ones() -> None:
    figures = Histogram([0.1, 1.0])
    for value in (0.05, 0.1, 0.5, 7.0):
        figures.observe(value)
    reading = figures.read()
    assert reading.cumulative == (2, 3, 4)
    assert (reading.count, math.isclose(reading.total, 7.65)) == (4, True)


def test_bounds_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(ValueError, match="ascend"):
        Histogram([1.0, 0.5])


def test_a_sample_has_a_value_for_each_label() -> None:
    with pytest.raises(ValueError, match="has the labels"):
        gauge("fluvio_x", "x", "topic").add(1)


def test_what_is_written_is_read_back_by_the_parser_of_prometheus() -> None:
    times = Histogram([0.5])
    times.observe(0.25)
    times.observe(2.0)
    text = load_renderer()(
        [
            counter("fluvio_a_total", "How many", "origin").add(3, "client").add(4, 'a "quoted"\nline'),
            gauge("fluvio_b", "How much").add(1.5),
            histogram("fluvio_c_seconds", "How long").add(times.read()),
        ]
    ).decode()
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found == {
        ("fluvio_a_total", "client"): 3.0,
        ("fluvio_a_total", 'a "quoted"\nline'): 4.0,
        ("fluvio_b",): 1.5,
        ("fluvio_c_seconds_bucket", "0.5"): 1.0,
        ("fluvio_c_seconds_bucket", "+Inf"): 2.0,
        ("fluvio_c_seconds_count",): 2.0,
        ("fluvio_c_seconds_sum",): 2.25,
    }


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MetricsUnavailableError, match="needs the package `prometheus-client`") as failed:
        load_renderer()
    assert "pip install 'fluvio-cli[metrics]'" in str(failed.value)
