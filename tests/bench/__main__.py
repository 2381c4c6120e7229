"""`python -m tests.bench`: measure, print the table; exit code 1 when a target is missed or a run fails."""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench import (
    clusters,
    commands,
    lines,
    official,
    report,
    scaling,
    throwaway,
    topic_files,
    transfers,
)
from tests.bench.measuring import BenchError, Row
from tests.bench.peers import comparison_table, experiment, plot
from tests.bench.peers.comparison import Comparison
from tests.bench.sizes import FULL, QUICK, Sizes
from tests.support.throwaway_home import CommandError

EXPERIMENTS: Mapping[str, Callable[[Sizes], list[Row]]] = {
    "commands": commands.command_rows,
    "startup": commands.startup_rows,
    "clusters": clusters.cluster_rows,
    "throwaway": throwaway.throwaway_rows,
    "transfers": transfers.transfer_rows,
    "lines": lines.line_rows,
    "topic-files": topic_files.topic_file_rows,
    "official": official.official_rows,
    "fsync": scaling.fsync_rows,
    "spus": scaling.spu_rows,
    "peers": experiment.peer_rows,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen experiments."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(EXPERIMENTS), help="repeat for several")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: do they work? no figures to quote")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write samples and machine facts there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the rows against peers into a PNG")
    parser.add_argument(
        "--peers",
        action=argparse.BooleanOptionalAction,
        help="start NATS JetStream and Apache Kafka too; the default, except with --quick",
    )
    options = parser.parse_args(arguments)
    sizes = QUICK if options.quick else FULL
    if options.peers is not None:
        sizes = replace(sizes, with_peers=options.peers)
    where, rows = report.machine(), list[Row]()
    print(report.facts(where), end="\n\n", flush=True)
    begin = time.perf_counter()
    failed: list[str] = []
    for name in options.only or EXPERIMENTS:
        print(f"measuring: {name} ...", file=sys.stderr, flush=True)
        try:
            rows += EXPERIMENTS[name](sizes)
        except (BenchError, CommandError) as exc:  # the other rows were worth the wait
            failed.append(name)
            print(f"{name} could not be measured: {exc}", file=sys.stderr, flush=True)
    print("\n\n".join(_tables(rows)))
    missed = [row.name for row in rows if row.is_met is False]
    print(f"\n{time.perf_counter() - begin:.0f} s; load average at the end: {os.getloadavg()[0]:.2f}")
    print(f"targets missed: {', '.join(missed) or 'none'}")
    document = report.document(rows, where)
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    if options.plot:
        try:
            plot.draw(document, options.plot)
        except BenchError as exc:
            failed.append("plot")
            print(f"no picture: {exc}", file=sys.stderr, flush=True)
    return 1 if failed or (missed and not options.quick) else 0


def _tables(rows: Sequence[Row]) -> list[str]:
    comparisons = [row for row in rows if isinstance(row, Comparison)]
    others = [row for row in rows if not isinstance(row, Comparison)]
    tables = [report.table(others)] if others else []
    return [*tables, comparison_table.table(comparisons)] if comparisons else tables


def _end(number: int, frame: object) -> None:
    raise SystemExit(128 + number)  # leaves every `with` block: the servers go as on Ctrl-C


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main())
