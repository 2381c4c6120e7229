"""A run beside an earlier one: what became slower, and whether by more than is allowed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fluvio_cli.benchmark.jobs import BenchmarkSettingsError
from fluvio_cli.benchmark.result import Result, table
from fluvio_types.errors import FluvioError

_COMPARED = ("p50", "p99")  # of latencies; the longest of a run is chance


class BenchmarkWorseError(FluvioError):
    """A figure is worse than the earlier one by more than `--fail-above`."""

    kind = "drift"


class Change(NamedTuple):
    """One figure of one job; `worse` is the share by which it is worse (negative: better)."""

    job: str
    figure: str
    before: float
    now: float
    worse: float


def read_earlier(path: Path) -> list[Mapping[str, Any]]:
    """What `-O json` of an earlier run printed. Raises `BenchmarkSettingsError`, `OSError`."""
    import json

    try:
        content = json.loads(path.read_bytes())
        found = content["benchmarks"]
        if not all("settings" in each and "records_per_s" in each for each in found):
            raise KeyError("settings")
    except (ValueError, KeyError, TypeError) as exc:
        raise BenchmarkSettingsError(
            f"{path} is not what `fluvio benchmark ... -O json` prints", hint=f"the reason: {exc!r}"
        ) from exc
    return list(found)


def changes(results: Sequence[Result], earlier: Sequence[Mapping[str, Any]]) -> list[Change]:
    """All figures that both have. Raises `BenchmarkSettingsError` when other things were measured."""
    if len(results) != len(earlier):
        raise BenchmarkSettingsError(f"{len(earlier)} benchmarks were run earlier, and {len(results)} now")
    found = []
    for number, (result, before) in enumerate(zip(results, earlier, strict=True), 1):
        settings, now = before["settings"], result.view()
        differing = sorted(
            name for name in {*settings, *now["settings"]} if settings.get(name) != now["settings"].get(name)
        )
        if differing:
            raise BenchmarkSettingsError(
                f"benchmark {number} had other settings earlier: {', '.join(differing)}",
                hint="only the same thing can be compared",
            )
        name = f"{number} {result.job.kind}"
        if result.job.rate is None:  # else the rate is given, and not found out
            found.append(
                _change(name, "records/s", before["records_per_s"], now["records_per_s"], more_is_better=True)
            )
        found += [
            _change(name, f"{figure} ms", before["latency_ms"][figure], now["latency_ms"][figure])
            for figure in _COMPARED
            if figure in before.get("latency_ms", {}) and figure in now["latency_ms"]
        ]
    return found


def _change(job: str, figure: str, before: float, now: float, *, more_is_better: bool = False) -> Change:
    share = (now - before) / before if before else 0.0
    return Change(job, figure, before, now, -share if more_is_better else share)


def as_markdown(found: Sequence[Change]) -> str:
    """A table of the changes."""
    rows = [("benchmark", "figure", "before", "now", "change")]
    for change in found:
        word = "worse" if change.worse > 0 else "better"
        rows.append(
            (
                change.job,
                change.figure,
                f"{change.before:,.2f}",
                f"{change.now:,.2f}",
                f"{abs(change.worse):.1%} {word}" if change.worse else "same",
            )
        )
    return table(rows)


def check(found: Sequence[Change], limit: float | None) -> None:
    """Raise `BenchmarkWorseError` for figures that are worse by more than `limit` (a share; None: never)."""
    if limit is None:
        return
    worse = [change for change in found if change.worse > limit]
    if worse:
        told = ", ".join(f"{change.figure} of {change.job} by {change.worse:.1%}" for change in worse)
        raise BenchmarkWorseError(f"worse than before by more than {limit:.0%}: {told}")
