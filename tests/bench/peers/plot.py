"""The rows against peers as a picture: `python -m tests.bench.peers.plot RESULTS.json PICTURE.png`."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.measuring import BenchError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"ours": "#1f6fb2", "NATS JetStream": "#3fa66a", "Apache Kafka": "#d98a2b"}
_LIMIT_COLOUR = "#444444"
_DPI = 130


def draw(document: Mapping[str, Any], picture: Path) -> None:
    """Draw what `--json` holds into a PNG: medians, whiskers from quartile to quartile.

    Raises `BenchError` when there is nothing to draw, or nothing to draw it with.
    """
    rows = {row["key"]: row for row in document["rows"] if "key" in row}
    if not rows:
        raise BenchError("no row against peers was measured: nothing to draw")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as exc:
        raise BenchError("`matplotlib` is not installed: pip install 'fluvio-cli[bench]'") from exc
    figure = Figure(figsize=(14, 4.8), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    produce, consume, latency = figure.subplots(1, 3, width_ratios=(3, 3, 2.4))
    _rates(produce, "Produce, 1 MB batches", rows, "produce", "socket + write")
    _rates(consume, "Consume, warm cache (ours: batches)", rows, "consume", "sendfile")
    _latency(latency, rows)
    handles, labels = produce.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=_DPI)


def _sizes(rows: Mapping[str, Any], kind: str) -> list[int]:
    return sorted(int(key.partition("/")[2]) for key in rows if key.startswith(f"{kind}/"))


def _figures(row: Mapping[str, Any], engine: str) -> tuple[float, tuple[float, float]] | None:
    """Median, and how far the quartiles are from it; None when the engine was not measured."""
    source = row if engine == "ours" else row["peers"].get(engine, {"missing": ""})
    if "missing" in source:
        return None
    middle, (low, high) = source["median"], source["spread"]
    return middle, (middle - low, high - middle)


def _bars(axes: "Axes", groups: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> None:
    """A group of bars per row, in it a bar per engine, with its figure on top."""
    width = 0.8 / len(_COLOURS)
    for index, (engine, colour) in enumerate(_COLOURS.items()):
        for place, row in enumerate(groups):
            found = _figures(row, engine)
            at = place + (index - (len(_COLOURS) - 1) / 2) * width
            if found is None:
                axes.annotate("n/a", (at, 0), xycoords=("data", "axes fraction"), ha="center", va="bottom")
                continue
            middle, (below, above) = found
            name = engine if place == 0 else None
            axes.bar(at, middle, width * 0.92, color=colour, label=name)
            axes.errorbar(at, middle, yerr=[[below], [above]], color="#222222", lw=1, capsize=2)
            text = f"{middle:#.2g}" if middle < 10 else f"{middle:,.0f}"
            axes.annotate(
                text,
                (at, middle + above),
                (0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                bbox={"facecolor": "white", "linewidth": 0, "pad": 0.8},  # readable across the limit
            )
    axes.set_xticks(range(len(groups)), labels)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_formatter("")
    axes.margins(y=0.12)


def _rates(axes: "Axes", title: str, rows: Mapping[str, Any], kind: str, limit: str) -> None:
    sizes = _sizes(rows, kind)
    groups = [rows[f"{kind}/{size}"] for size in sizes]
    _bars(axes, groups, [f"{size:,} B" for size in sizes])
    for place, row in enumerate(groups):
        if row["reference_median"] is not None:
            name = "bare loopback limit" if place == 0 else None
            ends = [place - 0.42, place + 0.42]
            axes.plot(ends, [row["reference_median"]] * 2, color=_LIMIT_COLOUR, ls="--", lw=1.4, label=name)
    axes.set_title(f"{title}\n(dashed: {limit})", fontsize=10)
    axes.set_xlabel("record size")
    axes.set_ylabel("MB/s of values, logarithmic: more is better")


def _latency(axes: "Axes", rows: Mapping[str, Any]) -> None:
    _bars(axes, [rows["latency/p50"], rows["latency/p99"]], ["p50", "p99"])
    axes.set_title("End-to-end latency\n(1,000 records/s of 1,000 B)", fontsize=10)
    axes.set_ylabel("ms, logarithmic: less is better")


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
