"""The official Python client against our cluster, compared to a server that does nothing."""

import importlib.util
import json
import statistics
from collections.abc import Callable
from typing import Any

from tests.bench.cluster import BenchHome, running_cluster
from tests.bench.helper_process import HelperProcess, module_output
from tests.bench.measuring import Bound, Row, Samples, Target, at_least, at_most, interleave
from tests.bench.null_server import TOPIC
from tests.bench.sizes import Sizes

_NULL = "null server"


def official_rows(sizes: Sizes) -> list[Row]:
    """Produce, consume and single records; none where the official client is not installed."""
    if importlib.util.find_spec("fluvio") is None:
        return []
    ours: list[dict[str, Any]] = []
    null: list[dict[str, Any]] = []
    arguments = str(sizes.official_count), str(sizes.official_bytes)
    with running_cluster() as home, HelperProcess("tests.bench.null_server", *arguments) as server:
        actions = {
            _NULL: _collect(null, lambda: _run(server.words[0], TOPIC, sizes)),
            "cluster": _collect(ours, lambda: _run_in_new_topic(home, sizes)),
        }
        interleave(actions, sizes.official_runs)
    return _rows(ours[1:], null[1:], sizes)  # the first round is the warm-up


def _collect(into: list[dict[str, Any]], run: Callable[[], dict[str, Any]]) -> Callable[[], float]:
    def action() -> float:
        into.append(run())
        return 0.0

    return action


def _run(endpoint: str, topic: str, sizes: Sizes) -> dict[str, Any]:
    numbers = map(str, (sizes.official_count, sizes.official_bytes, sizes.official_singles))
    result: dict[str, Any] = json.loads(
        module_output("tests.bench.official_client", endpoint, topic, *numbers)
    )
    return result


def _run_in_new_topic(home: BenchHome, sizes: Sizes) -> dict[str, Any]:
    topic = home.new_topic("official")
    result = _run(home.endpoint, topic, sizes)
    home.drop_topic(topic)
    return result


def _rows(ours: list[dict[str, Any]], null: list[dict[str, Any]], sizes: Sizes) -> list[Row]:
    count, size_bytes = sizes.official_count, sizes.official_bytes
    what = f"{count:,} records of {size_bytes:,} B"

    def rates(results: list[dict[str, Any]], key: str) -> Samples:
        return Samples([count / result[key] for result in results])

    def singles(results: list[dict[str, Any]]) -> Samples:
        return Samples([1000 * statistics.median(result["single_s"]) for result in results])

    missing = Samples([float(result["missing"]) for result in ours])
    return [
        Row(
            f"official client: produce, {what}",
            "records/s",
            rates(ours, "produce_s"),
            rates(null, "produce_s"),
            _NULL,
            [at_least(12_000)],
        ),
        Row(
            "official client: the same, as a share of what the client can do",
            "records/s",
            rates(ours, "produce_s"),
            rates(null, "produce_s"),
            _NULL,
            [at_least(0.9, of_reference=True)],
        ),
        Row(
            f"official client: consume, {what}",
            "records/s",
            rates(ours, "consume_s"),
            rates(null, "consume_s"),
            _NULL,
            [at_least(60_000)],
        ),
        Row(
            "official client: one acknowledged record, p50",
            "ms",
            singles(ours),
            singles(null),
            _NULL,
            [at_most(0.5)],
        ),
        Row(
            "official client: records missing",
            "records",
            missing,
            targets=[Target(Bound.AT_MOST, 0, of_reference=False)],
            note="the worst run counts: " + f"{max(missing.values):.0f}",
        ),
    ]
