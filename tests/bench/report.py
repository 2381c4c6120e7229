"""The table, the machine's facts, and both as JSON."""

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from tests.bench.measuring import Bound, Row, Target
from tests.bench.peers.comparison import Comparison

_FACTS_OF = ("fluvio-cli", "fluvio", "crc32c", "cramjam", "typer", "nats-py", "confluent-kafka")


@dataclass(slots=True, frozen=True)
class Machine:
    """Where and with what a run was made. `load` is the average of the last minute before it."""

    system: str
    processor: str
    cores: int
    memory_mb: int
    python: str
    packages: dict[str, str]
    load: float


def machine() -> Machine:
    """The facts of this machine and environment."""
    import psutil

    packages = {}
    for name in _FACTS_OF:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_mb=psutil.virtual_memory().total // 1_000_000,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages=packages,
        load=os.getloadavg()[0],
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def figure(value: float, unit: str) -> str:
    """A value as it stands in the table."""
    if unit == "ms":
        return f"{value:.2f}" if value < 10 else f"{value:.1f}"
    if unit == "s":
        return f"{value:.2f}"
    return f"{value:,.0f}"


def ratio_text(ratio: float | None, unit: str) -> str:
    """A ratio as it stands in the table: of times as a multiple, of rates as a share."""
    if ratio is None:
        return "-"
    return f"{100 * ratio:.0f} %" if unit.endswith("/s") else f"{ratio:.1f} x"


def target_text(target: Target, unit: str) -> str:
    """A target as it stands in the table."""
    if target.of_reference:
        return f"{target.bound.value} {ratio_text(target.limit, unit).replace('.0 x', ' x')}"
    if unit == "s":
        return f"{target.bound.value} {target.limit:g} s"
    if unit == "ms":
        return f"{target.bound.value} {target.limit:g} ms"
    name = "" if target.bound is Bound.AT_MOST and target.limit == 0 else f" {unit}"
    return f"{target.bound.value} {target.limit:,.0f}{name}"


def _cells(row: Row) -> list[str]:
    low, high = row.measured.spread
    reference = "-" if row.reference is None else figure(row.reference.median, row.unit)
    met = {True: "yes", False: "NO", None: ""}[row.is_met]
    return [
        row.name,
        row.unit,
        figure(row.measured.median, row.unit),
        f"{figure(low, row.unit)} to {figure(high, row.unit)}",
        reference + (f" ({row.reference_name})" if row.reference_name else ""),
        ratio_text(row.ratio, row.unit),
        ", ".join(target_text(target, row.unit) for target in row.targets),
        met,
    ]


_HEADINGS = ["what", "unit", "median", "quartiles", "reference", "ratio", "target", "met"]


def table(rows: Sequence[Row]) -> str:
    """The rows as a table in Markdown that is also readable as it is; notes below it."""
    texts = markdown([_HEADINGS, *(_cells(row) for row in rows)])
    notes = [f"- {row.name}: {row.note}" for row in rows if row.note]
    return "\n".join([texts, *([""] if notes else []), *notes])


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown whose columns line up; the first line has the headings."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)


def facts(where: Machine) -> str:
    """The machine in a few lines."""
    packages = ", ".join(f"{name} {version}" for name, version in where.packages.items())
    return (
        f"{where.cores} cores of {where.processor}, {where.memory_mb:,} MB, {where.system}\n"
        f"{where.python} ({sys.executable}); {packages}\n"
        f"load average before the run: {where.load:.2f}"
    )


def document(rows: Sequence[Row], where: Machine) -> dict[str, object]:
    """Everything, for `--json`."""
    return {
        "machine": asdict(where),
        "rows": [
            {
                "name": row.name,
                "unit": row.unit,
                "median": row.measured.median,
                "spread": row.measured.spread,
                "samples": row.measured.values,
                "reference_name": row.reference_name,
                "reference_median": row.reference.median if row.reference else None,
                "reference_samples": row.reference.values if row.reference else None,
                "ratio": row.ratio,
                "targets": [target_text(target, row.unit) for target in row.targets],
                "met": row.is_met,
                "note": row.note,
                **(row.document() if isinstance(row, Comparison) else {}),
            }
            for row in rows
        ],
    }
