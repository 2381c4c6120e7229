"""`python -m tests.bench.large [--gigabytes N] [--json FILE]`: the life of a topic too large for memory.

Produced, read, stopped and started in order, killed and started, and cut down by retention; the memory of the
SPU is sampled all the time. Exit code 1 when a target is missed, a record is missing or the disk has no room.
"""

import argparse
import json
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psutil

from tests.bench import report
from tests.bench.cluster import BenchHome
from tests.bench.helper_process import module_output
from tests.bench.measuring import BenchError, Row, Samples, at_most
from tests.support.leftovers import processes_at_home
from tests.support.throwaway_home import CommandError

_RECORD_BYTES, _BATCH_BYTES = 5_000, 1_000_000
_MEMORY_MB = 120
_SAMPLE_S = 0.05
_MORE = 0.25  # of the topic is produced again for retention to make room
_RETAINED_S = 60.0  # cleaning happens every 10 s
_TASK_S = 1_800.0


class SpuMemory:
    """Samples the resident memory of the SPU's process, whichever it is at the time, in MB (10^6 bytes).

    What `sendfile` sends is in the page cache and not in the process; what the process maps or holds is.
    """

    def __init__(self, home: BenchHome) -> None:
        self._home = home
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._process: psutil.Process | None = None
        self.most_mb = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(_SAMPLE_S):
            try:
                if self._process is None:
                    self._process = spu_process(self._home)
                self.most_mb = max(self.most_mb, self._process.memory_info().rss / 1e6)
            except (psutil.NoSuchProcess, BenchError):
                self._process = None  # between two lives


def spu_process(home: BenchHome) -> psutil.Process:
    """The only SPU. Raises `BenchError` while there is none."""
    for process, command in processes_at_home(home.path, grace_s=0):
        if "fluvio_local_cluster.spu" in command:
            return process
    raise BenchError("the SPU does not run")


def large_rows(total_bytes: int) -> list[Row]:
    """The whole life of one topic. Needs about 1.4 times `total_bytes` of disk. Raises `BenchError`."""
    count = total_bytes // _RECORD_BYTES
    more = int(count * _MORE)
    with BenchHome() as home:
        free = shutil.disk_usage(home.path).free
        needed = int(total_bytes * (1 + _MORE) * 1.1) + 1_000_000_000
        if free < needed:
            raise BenchError(f"{needed / 1e9:.1f} GB of free disk are needed, {free / 1e9:.1f} GB are there")
        home.start_cluster()
        limit = int(count * (_RECORD_BYTES + 20))
        home.fluvio("topic", "create", "large", "--max-partition-size", f"{limit} B")
        with SpuMemory(home) as memory:
            produced_s = _client(home, "produce", count)
            consumed_s = _client(home, "batches", count)
            home.fluvio("cluster", "shutdown")
            stopped_s = _serving_again(home, count)
            spu_process(home).send_signal(signal.SIGKILL)
            killed_s = _serving_again(home, count)
            again_s = _client(home, "batches", count)
            _client(home, "produce", more)
            first, size_bytes = _retained(home, limit)
            left = count + more - first
        rate = count * _RECORD_BYTES / 1e6
        return [
            _row("produced", "MB/s", rate / produced_s),
            _row("consumed as batches, every record there", "MB/s", rate / consumed_s),
            _row("after an orderly stop: `cluster resume`, then the last record read", "s", stopped_s, 1.0),
            _row("after kill -9: the same", "s", killed_s, 2.0),
            _row("consumed again", "MB/s", rate / again_s),
            _row(
                f"retained: size above the limit of {limit / 1e9:.1f} GB",
                "MB",
                max(size_bytes - limit, 0) / 1e6,
                1_074.0,
                f"{first:,} of {count + more:,} records were removed, {left:,} are left",
            ),
            _row("memory of the SPU, the most of all", "MB", memory.most_mb, _MEMORY_MB),
        ]


def _row(name: str, unit: str, value: float, most: float | None = None, note: str = "") -> Row:
    return Row(name, unit, Samples([value]), targets=[] if most is None else [at_most(most)], note=note)


def _client(home: BenchHome, task: str, count: int) -> float:
    numbers = str(count), str(_RECORD_BYTES), str(_BATCH_BYTES)
    return float(
        module_output("tests.bench.our_client", task, home.endpoint, "large", *numbers, timeout_s=_TASK_S)
    )


def _serving_again(home: BenchHome, count: int) -> float:
    """Seconds from `cluster resume` until the last record was read."""
    begin = time.perf_counter()
    home.fluvio("cluster", "resume")
    read = home.fluvio("consume", "large", "--start", str(count - 1), "-d", "-F", "{{offset}}")
    seconds = time.perf_counter() - begin
    if read.stdout.split() != [str(count - 1).encode()]:
        raise BenchError(f"record {count - 1} was not read after the start: {read.stdout[:200]!r}")
    return seconds


def _retained(home: BenchHome, limit: int) -> tuple[int, int]:
    """First offset and size once retention has made room. Raises `BenchError` when it does not."""
    deadline = time.monotonic() + _RETAINED_S
    pause = threading.Event()
    while time.monotonic() < deadline:
        [partition] = json.loads(home.fluvio("partition", "list", "-O", "json").stdout)
        first, size_bytes = partition["status"]["baseOffset"], partition["status"]["size"]
        if first > 0 and size_bytes <= limit + (1 << 30):
            return int(first), int(size_bytes)
        pause.wait(0.5)  # nothing tells that a cleaning is over
    raise BenchError(f"retention has not made room within {_RETAINED_S:g} s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.large", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=10.0, metavar="N", help="at least 2")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write figures and machine facts there")
    options = parser.parse_args(arguments)
    where = report.machine()
    print(report.facts(where), end="\n\n", flush=True)
    begin = time.perf_counter()
    try:
        rows = large_rows(int(options.gigabytes * 1e9))
    except (BenchError, CommandError) as exc:
        print(f"could not be measured: {exc}", file=sys.stderr)
        return 1
    print(f"a topic of {options.gigabytes:g} GB in records of {_RECORD_BYTES:,} B\n")
    print(report.table(rows))
    print(f"\n{time.perf_counter() - begin:.0f} s")
    if options.json:
        options.json.write_text(json.dumps(report.document(rows, where), indent=1) + "\n")
    return int(any(row.is_met is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
