"""`python -m tests.bench`: measure, print the table; exit code 1 when a target is missed or a run fails."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.bench import commands, lines, official, report, transfers
from tests.bench.measuring import Row
from tests.bench.sizes import FULL, QUICK, Sizes

EXPERIMENTS: Mapping[str, Callable[[Sizes], list[Row]]] = {
    "commands": commands.command_rows,
    "startup": commands.startup_rows,
    "transfers": transfers.transfer_rows,
    "lines": lines.line_rows,
    "official": official.official_rows,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen experiments."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(EXPERIMENTS), help="repeat for several")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: do they work? no figures to quote")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write samples and machine facts there")
    options = parser.parse_args(arguments)
    where, rows = report.machine(), list[Row]()
    print(report.facts(where), end="\n\n", flush=True)
    begin = time.perf_counter()
    for name in options.only or EXPERIMENTS:
        print(f"measuring: {name} ...", file=sys.stderr, flush=True)
        rows += EXPERIMENTS[name](QUICK if options.quick else FULL)
    print(report.table(rows))
    missed = [row.name for row in rows if row.is_met is False]
    print(f"\n{time.perf_counter() - begin:.0f} s; targets missed: {', '.join(missed) or 'none'}")
    if options.json:
        options.json.write_text(json.dumps(report.document(rows, where), indent=1) + "\n")
    return 1 if missed and not options.quick else 0


if __name__ == "__main__":
    sys.exit(main())
