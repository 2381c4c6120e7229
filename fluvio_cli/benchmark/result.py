"""What came out of a job, as values, as a Markdown table, and as JSON whose fields are stable."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fluvio_cli.benchmark.histogram import Histogram
from fluvio_cli.benchmark.jobs import Job

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99_9": 0.999}


@dataclass(slots=True)
class Sample:
    """One measurement: records and bytes of values that count, the time they took, and latencies."""

    records: int
    size_bytes: int
    seconds: float
    latency: Histogram = field(default_factory=Histogram)

    @property
    def records_per_s(self) -> float:
        """Of records that were acknowledged, or have arrived."""
        return self.records / self.seconds if self.seconds > 0 else 0.0

    @property
    def mb_per_s(self) -> float:
        """10^6 bytes of values a second."""
        return self.size_bytes / 1e6 / self.seconds if self.seconds > 0 else 0.0


@dataclass(slots=True)
class Result:
    """All samples of one job."""

    job: Job
    samples: Sequence[Sample]

    @property
    def records_per_s(self) -> float:
        """The median of the samples."""
        return statistics.median(sample.records_per_s for sample in self.samples)

    @property
    def mb_per_s(self) -> float:
        """The median of the samples."""
        return statistics.median(sample.mb_per_s for sample in self.samples)

    @property
    def latency_ms(self) -> dict[str, float]:
        """Percentiles over the records of all samples, and the longest; empty when none was measured."""
        every = Histogram().merge(sample.latency for sample in self.samples)
        if not every.count:
            return {}
        found = {name: every.percentile(share) / 1000 for name, share in PERCENTILES.items()}
        return {**found, "max": every.most / 1000}

    def view(self) -> dict[str, Any]:
        """The JSON form: docs/benchmark-command.md."""
        return {
            "kind": self.job.kind,
            "settings": self.job.described(),
            "samples": [
                {
                    "records": sample.records,
                    "seconds": round(sample.seconds, 6),
                    "records_per_s": round(sample.records_per_s, 1),
                    "mb_per_s": round(sample.mb_per_s, 3),
                }
                for sample in self.samples
            ],
            "records_per_s": round(self.records_per_s, 1),
            "mb_per_s": round(self.mb_per_s, 3),
            "latency_ms": self.latency_ms,
        }


_HEADERS = ("benchmark", "records", "record size", "records/s", "MB/s", *PERCENTILES, "max")


def markdown(results: Sequence[Result]) -> str:
    """A table with one line for each job; latencies in milliseconds."""
    rows = [tuple(name.replace("p99_9", "p99.9") + (" ms" if name[0] in "pm" else "") for name in _HEADERS)]
    for result in results:
        latency = result.latency_ms
        rows.append(
            (
                _title(result.job),
                f"{result.job.num_records:,}",
                f"{result.job.record_size:,} B",
                f"{result.records_per_s:,.0f}",
                f"{result.mb_per_s:,.1f}",
                *(f"{latency[name]:,.2f}" if latency else "-" for name in (*PERCENTILES, "max")),
            )
        )
    return table(rows)


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Markdown of rows, the first of which is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"


def _title(job: Job) -> str:
    parts = [job.kind, f"batch {job.batch_size:,} B"]
    if job.compression != "none":
        parts.append(job.compression)
    if job.rate is not None:
        parts.append(f"{job.rate:,.0f}/s")
    if job.num_producers > 1:
        parts.append(f"{job.num_producers} producers")
    return ", ".join(parts)
