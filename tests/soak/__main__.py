"""`python -m tests.soak`: exit code 1 on a lost record, a wrong order, an error, or growing memory."""

import argparse
import asyncio
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.bench.report import facts, machine
from tests.soak import report
from tests.soak.plan import kept_bytes, make_plan
from tests.soak.run import Soak

_RESERVE_BYTES = 2e9


def main(arguments: Sequence[str] | None = None) -> int:
    """One soak."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="of load (default: 20)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="default: another one")
    parser.add_argument("--rate", type=float, default=1.0, metavar="FACTOR", help="multiplied with all rates")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    parser.add_argument(
        "--rss-slope", type=float, default=30.0, metavar="MB", help="how much a server may grow in an hour"
    )
    options = parser.parse_args(arguments)
    plan = make_plan(options.seed, options.minutes * 60)
    needed = 1.5 * kept_bytes(plan.duration_s, options.rate) + _RESERVE_BYTES
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < needed:
        print(f"{needed / 1e9:.0f} GB are needed, {free / 1e9:.0f} GB are free", file=sys.stderr)
        return 1
    where = machine()
    print(facts(where))
    print(f"seed {plan.seed}; {options.minutes:g} minutes; {len(plan.restarts)} restarts", flush=True)
    soak = Soak(plan, options.rate, lambda each: print(report.minute_text(each), flush=True))
    if not soak.has_official:
        print("the official client is not installed: without it", flush=True)
    asyncio.run(soak.run())
    result = report.document(soak, options.rss_slope)
    print(f"\n{report.tables(result)}\n")
    for fault in result["faults"]:
        print(f"fault: {fault}")
    print(f"load average at the end: {os.getloadavg()[0]:.2f}; seed {plan.seed}")
    print("problems: " + ("; ".join(result["problems"]) or "none"))
    if options.json:
        options.json.write_text(json.dumps({"machine": asdict(where), **result}, indent=1) + "\n")
    return 1 if result["problems"] else 0


def _end(number: int, frame: object) -> None:
    raise SystemExit(128 + number)  # leaves every `with` block: servers and processes go as on Ctrl-C


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main())
