"""Samples, their spread, and taking them in turn. Times in seconds, by `perf_counter`."""

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

COMMAND_TIMEOUT_S = 300.0


class BenchError(Exception):
    """A measurement could not be taken, or what was measured did not do its work."""


@dataclass(slots=True)
class Samples:
    """Values of one quantity, in the order they were taken."""

    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """First and third quartile; of less than four values the least and the greatest."""
        if len(self.values) < 4:
            return min(self.values), max(self.values)
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return low, high


class Bound(Enum):
    """On which side of its limit a figure must be."""

    AT_MOST = "<="
    AT_LEAST = ">="


@dataclass(slots=True, frozen=True)
class Target:
    """What a row must reach. `of_reference`: the limit is a multiple of the reference, else a value."""

    bound: Bound
    limit: float
    of_reference: bool

    def is_met(self, row: "Row") -> bool:
        """Whether the row reaches it."""
        figure = row.ratio if self.of_reference else row.measured.median
        if figure is None:
            return False
        return figure <= self.limit if self.bound is Bound.AT_MOST else figure >= self.limit


def at_most(limit: float, *, of_reference: bool = False) -> Target:
    """A limit from above."""
    return Target(Bound.AT_MOST, limit, of_reference)


def at_least(limit: float, *, of_reference: bool = False) -> Target:
    """A limit from below."""
    return Target(Bound.AT_LEAST, limit, of_reference)


@dataclass(slots=True)
class Row:
    """One line of the table. All samples of a row have its `unit`, those of the reference too."""

    name: str
    unit: str  # "ms", "s", "MB", "MB/s", "lines/s", "records/s", "records"
    measured: Samples
    reference: Samples | None = None
    reference_name: str = ""
    targets: Sequence[Target] = ()
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Median over the reference's median; None without a reference."""
        if self.reference is None or self.reference.median == 0:
            return None
        return self.measured.median / self.reference.median

    @property
    def is_met(self) -> bool | None:
        """Whether all targets are reached; None when there are none."""
        return all(target.is_met(self) for target in self.targets) if self.targets else None


def interleave(
    actions: Mapping[str, Callable[[], float]], runs: int, *, warm_up: int = 1
) -> dict[str, Samples]:
    """Call the actions in turn, `runs` times each, after `warm_up` rounds that do not count.

    An action returns its sample: what it measures is its own affair, so that preparing does not count.
    """
    for _ in range(warm_up):
        for action in actions.values():
            action()
    samples = {name: Samples() for name in actions}
    for _ in range(runs):
        for name, action in actions.items():
            samples[name].values.append(action())
    return samples


def process_seconds(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    cwd: Path,
    stdin: bytes | None = None,
    stdout: Path | None = None,
) -> float:
    """How long a process takes from its start to its end; its output goes to `stdout`, or nowhere.

    Raises `BenchError` when it does not end with 0, with what it said.
    """
    target = stdout or Path("/dev/null")
    with target.open("wb") as output:
        start = time.perf_counter()
        done = subprocess.run(
            command,
            env=environment,
            cwd=cwd,
            input=stdin if stdin is not None else b"",
            stdout=output,
            stderr=subprocess.PIPE,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        seconds = time.perf_counter() - start
    if done.returncode != 0:
        text = done.stderr.decode(errors="replace").strip()
        raise BenchError(f"`{' '.join(command)}` ended with {done.returncode}: {text[-2000:]}")
    return seconds
