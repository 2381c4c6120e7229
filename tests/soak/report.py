"""What a soak says: a few lines each minute, a table and JSON at the end; and whether it was good."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tests.bench.report import markdown
from tests.soak.figures import Latencies
from tests.soak.run import Soak

JUDGED_S = 240.0  # a slope over less than this is printed, not judged


def minute_text(soak: Soak) -> str:
    """How it stands."""
    progress, servers = soak.progress, soak.servers
    run_s = time.monotonic() - soak.begin_s
    given = progress.total("given")
    outside, inside = progress.latencies.split(soak.windows)
    lines = [
        f"{run_s / 60:5.1f} min: {given:,} records ({given / run_s:,.0f}/s, "
        f"{progress.total('given_bytes') / run_s / 1e6:.1f} MB/s), "
        f"{progress.total('acknowledged'):,} acknowledged, "
        f"{progress.total('failed'):,} failed, {progress.consumers.get('consumed', 0):,} consumed; "
        f"{len(servers.windows)} restarts; {len(progress.errors()) + len(soak.errors)} errors",
        f"           latency: {_latency_text(outside)}; around restarts {_latency_text(inside)}",
    ]
    for server in servers.by_label.values():
        told = server.document(soak.warm_up_s)
        lines.append(
            f"           {server.label}: {told['rss_mb']:.1f} MB (most {told['rss_most_mb']:.1f}, "
            f"{told['rss_slope_mb_per_hour']:+.1f} MB/h over {told['slope_measured_s']:.0f} s), "
            f"{told['descriptors']} descriptors (most {told['descriptors_most']})"
        )
    return "\n".join(lines)


def _latency_text(latencies: Latencies) -> str:
    if not latencies.count:
        return "none"
    p50, p99 = latencies.percentile_ms(50), latencies.percentile_ms(99)
    return f"p50 {p50:.1f}, p99 {p99:.1f}, max {latencies.most_us / 1000:.0f} ms"


def problems(soak: Soak, slope_limit: float) -> list[str]:
    """Why the run is not good; empty when it is."""
    found = list(soak.errors)
    if soak.verdict is None:
        return [*found, "the logs were not read: nothing is known of lost records"]
    found += soak.verdict.problems()
    if not soak.verdict.counts.acknowledged:
        found.append("no record was acknowledged")
    for server in soak.servers.by_label.values():
        slope = server.slope(soak.warm_up_s)
        if slope.measured_s >= JUDGED_S and slope.mb_per_hour > slope_limit:
            found.append(f"{server.label} grows by {slope.mb_per_hour:.1f} MB/h, more than {slope_limit:g}")
    return found


def document(soak: Soak, slope_limit: float) -> dict[str, Any]:
    """Everything, for JSON."""
    outside, inside = soak.progress.latencies.split(soak.windows)
    begin_s = soak.begin_s
    return {
        "seed": soak.plan.seed,
        "planned_s": soak.plan.duration_s,
        "load_s": soak.load_s,
        "restarts": [
            {"at_s": restart.at_s, "how": restart.how.value, "spu": restart.spu, "pause_s": restart.pause_s}
            for restart in soak.plan.restarts
        ],
        "windows_s": [[begin - begin_s, end - begin_s] for begin, end in soak.servers.windows],
        "resume_s": soak.servers.resume_s,
        "records_per_s": soak.progress.total("given") / soak.load_s if soak.load_s else 0.0,
        "value_mb_per_s": soak.progress.total("given_bytes") / soak.load_s / 1e6 if soak.load_s else 0.0,
        "latency": {"outside restarts": outside.document(), "around restarts": inside.document()},
        "servers": [server.document(soak.warm_up_s) for server in soak.servers.by_label.values()],
        "memory": {
            server.label: [[[at - begin_s, mb] for at, mb in life.memory] for life in server.lives]
            for server in soak.servers.by_label.values()
        },
        "counts": asdict(soak.verdict.counts) if soak.verdict else None,
        "faults": soak.verdict.faults if soak.verdict else [],
        "producers": soak.progress.producers,
        "consumers": soak.progress.consumers.get("consumers", {}),
        "official_client": soak.has_official,
        "rss_slope_limit_mb_per_hour": slope_limit,
        "problems": problems(soak, slope_limit),
    }


def tables(result: dict[str, Any]) -> str:
    """The document as tables."""
    parts = [markdown([["what", "figure"], *_figures(result)]), markdown(_server_lines(result["servers"]))]
    parts.append(
        markdown(
            [
                ["latency", "records", "p50 ms", "p99 ms", "max ms"],
                *([name, f"{found['count']:,}", *_ms(found)] for name, found in result["latency"].items()),
            ]
        )
    )
    return "\n\n".join(parts)


def _figures(result: dict[str, Any]) -> list[list[str]]:
    counts = result["counts"] or {}
    lines = [
        ["records given per second", f"{result['records_per_s']:,.0f}"],
        ["MB/s of values", f"{result['value_mb_per_s']:.1f}"],
        ["restarts", str(len(result["resume_s"]))],
        ["`cluster resume`, longest", f"{max(result['resume_s'], default=0.0):.2f} s"],
    ]
    names = {
        "acknowledged": "acknowledged",
        "records": "read back at the end",
        "value_bytes": "bytes of values read back and checked",
        "removed": "acknowledged, and removed by retention since",
        "lost": "acknowledged and lost",
        "misplaced": "acknowledged at another offset than where it is",
        "out_of_order": "out of order",
        "doubled_explained": "doubled, around a restart",
        "doubled_unexplained": "doubled without a reason",
        "strangers": "records that nobody gave",
        "failed": "failed (the official client's, which gives up)",
        "unacknowledged_stored": "failed, but stored",
    }
    return lines + [[text, f"{counts[name]:,}"] for name, text in names.items() if name in counts]


def _server_lines(servers: Sequence[dict[str, Any]]) -> list[list[str]]:
    heading = ["server", "processes", "RSS MB", "most", "MB/hour", "over s", "descriptors", "most"]
    return [
        heading,
        *(
            [
                each["server"],
                str(each["processes"]),
                f"{each['rss_mb']:.1f}",
                f"{each['rss_most_mb']:.1f}",
                f"{each['rss_slope_mb_per_hour']:+.1f}",
                f"{each['slope_measured_s']:.0f}",
                str(each["descriptors"]),
                str(each["descriptors_most"]),
            ]
            for each in servers
        ),
    ]


def _ms(found: dict[str, float | None]) -> list[str]:
    return ["-" if found[name] is None else f"{found[name]:.1f}" for name in ("p50_ms", "p99_ms", "max_ms")]
