"""Several clusters at once, and copies of a large one: `cluster start --name`, `fork`, `snapshot`."""

import itertools
import subprocess
import time

from tests.bench.cluster import BenchHome
from tests.bench.measuring import BenchError, Row, at_most, interleave
from tests.bench.sizes import Sizes

_RECORD_BYTES = 1_000
_PIECE_RECORDS = 20_000  # produced at a time
_WAIT_S = 120.0


def cluster_rows(sizes: Sizes) -> list[Row]:
    """Starts of named clusters at the same moment, each against one alone; then forks and snapshots."""
    with BenchHome() as home:
        names = [f"c{number}" for number in range(sizes.named_clusters)]
        actions = {
            "many": lambda: _started_at_once(home, names),
            "one": lambda: _started_at_once(home, names[:1]),
        }
        taken = interleave(actions, sizes.cluster_runs)
    return [
        Row(
            f"{len(names)} clusters with names, started at once",
            "s",
            taken["many"],
            taken["one"],
            "one alone",
            [at_most(8)],
        ),
        *_copy_rows(sizes),
    ]


def _started_at_once(home: BenchHome, names: list[str]) -> float:
    """How long it takes until all are up; they are deleted again, which does not count."""
    begin = time.perf_counter()
    starts = [
        subprocess.Popen(
            home.command("cluster", "start", "--name", name),
            env=home.environment,
            cwd=home.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name in names
    ]
    codes = [start.wait(_WAIT_S) for start in starts]
    seconds = time.perf_counter() - begin
    for name, exit_code in zip(names, codes, strict=True):
        if exit_code == 0:
            home.fluvio("cluster", "delete", "--force", "--name", name)
    if any(codes):
        raise BenchError(f"{sum(map(bool, codes))} of {len(names)} clusters did not start")
    return seconds


def _copy_rows(sizes: Sizes) -> list[Row]:
    with BenchHome() as home:
        home.fluvio("cluster", "start", "--name", "large")
        home.new_topic("t")
        piece = (b"x" * (_RECORD_BYTES - 1) + b"\n") * _PIECE_RECORDS
        for _ in range(-(-sizes.copied_bytes // len(piece))):
            home.fluvio("produce", "t", stdin=piece)
        numbers = itertools.count()

        def fork() -> float:
            name = f"fork{next(numbers)}"
            seconds = home.seconds("cluster", "fork", "large", name)
            home.fluvio("cluster", "delete", "--force", "--name", name)
            return seconds

        actions = {
            "fork": fork,
            "snapshot": lambda: home.seconds("cluster", "snapshot", f"s{next(numbers)}", "--name", "large"),
        }
        taken = interleave(actions, sizes.cluster_runs)
        home.fluvio("cluster", "delete", "--force", "--name", "large")
    size = f"{sizes.copied_bytes / 1e9:g} GB in one partition"
    return [
        Row(f"`cluster fork` of a running cluster, {size}", "s", taken["fork"], targets=[at_most(1)]),
        Row(f"`cluster snapshot` of the same, {size}", "s", taken["snapshot"], targets=[at_most(1)]),
    ]
