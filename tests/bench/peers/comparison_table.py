"""The table of comparisons: a column for each engine, and our ratio to each."""

from collections.abc import Sequence

from tests.bench import report
from tests.bench.measuring import Samples
from tests.bench.peers.comparison import Comparison, Missing, ProcessorTime


def table(rows: Sequence[Comparison]) -> str:
    """The rows as a table in Markdown; below it why figures are missing, notes, processor time."""
    peers = list(dict.fromkeys(peer for row in rows for peer in row.peers))
    headings = [
        "what",
        "unit",
        "ours",
        *peers,
        "limit",
        "ours / limit",
        *(f"ours / {peer}" for peer in peers),
        "target",
        "met",
    ]
    texts = report.markdown([headings, *(_cells(row, peers) for row in rows)])
    notes = [*_missing(rows), *_notes(rows)]
    return "\n".join([texts, *([""] if notes else []), *notes, *_processor(rows)])


def _cells(row: Comparison, peers: Sequence[str]) -> list[str]:
    limit = "-" if row.reference is None else f"{_spread(row.reference, row.unit)} ({row.reference_name})"
    return [
        row.name,
        row.unit,
        _spread(row.measured, row.unit),
        *(_peer_cell(row, peer) for peer in peers),
        limit,
        report.ratio_text(row.ratio, row.unit),
        *(_ratio_cell(row, peer) for peer in peers),
        _target(row),
        {True: "yes", False: "NO", None: ""}[row.is_met],
    ]


def _figure(value: float, unit: str) -> str:
    if unit.endswith("/s") and value < 10:
        return f"{value:.1f}"
    return report.figure(value, unit)


def _spread(samples: Samples, unit: str) -> str:
    low, high = samples.spread
    return f"{_figure(samples.median, unit)} ({_figure(low, unit)} to {_figure(high, unit)})"


def _peer_cell(row: Comparison, peer: str) -> str:
    samples = row.peers.get(peer)
    if samples is None:
        return "-"
    return samples.reason if isinstance(samples, Missing) else _spread(samples, row.unit)


def _ratio_cell(row: Comparison, peer: str) -> str:
    ratio = row.ratio_to(peer)
    if ratio is None:
        return "-"
    return f"{ratio:.2f} x" if ratio < 10 else f"{ratio:,.0f} x"


def _target(row: Comparison) -> str:
    texts = [report.target_text(target, row.unit) for target in row.targets]
    if row.must_beat_peers:
        texts.append("as fast as each peer" if row.is_rate else "at most each peer's")
    return ", ".join(texts)


def _missing(rows: Sequence[Comparison]) -> list[str]:
    reasons = {
        (peer, samples.reason)
        for row in rows
        for peer, samples in row.peers.items()
        if isinstance(samples, Missing)
    }
    return [f"- {peer} was not measured: {reason}" for peer, reason in sorted(reasons)]


def _notes(rows: Sequence[Comparison]) -> list[str]:
    return [f"- {row.name}: {row.note}" for row in rows if row.note]


def _processor(rows: Sequence[Comparison]) -> list[str]:
    """A table of its own: which end bounds a row."""
    timed = [row for row in rows if row.processor]
    if not timed:
        return []
    engines = list(dict.fromkeys(engine for row in timed for engine in row.processor))
    headings = ["processor time of a run: client + server, of wall time", *engines]
    lines = [[row.name, *(_spent(row.processor.get(engine)) for engine in engines)] for row in timed]
    return ["", report.markdown([headings, *lines])]


def _spent(times: ProcessorTime | None) -> str:
    if times is None:
        return "-"
    return f"{times.client_s:.2f} + {times.server_s:.2f} of {times.wall_s:.2f} s"
