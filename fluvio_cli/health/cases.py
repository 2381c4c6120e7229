"""A health check as cases of a report: the controller, then each SPU."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fluvio_cli.health.view import HealthView
    from fluvio_cli.reports.judging import Verdict


def note_health(view: "HealthView", verdict: "Verdict") -> None:
    """Note what `view` shows."""
    report = view.report
    controller = f"SC at {view.endpoint}"
    if report is None:
        verdict.add(controller, "; ".join(view.problems))
        return
    verdict.add(controller, seconds=report.sc_ms / 1000)
    told = set()
    for spu in report.spus:
        times = [time for time in (spu.connect_ms, spu.produce_ms, spu.consume_ms) if time is not None]
        verdict.add(f"SPU {spu.id} at {spu.address}", spu.problem, seconds=sum(times) / 1000)
        told.add(spu.problem)
    for problem in view.problems:
        if problem not in told:
            verdict.add("cluster", problem)
    if report.refusal is not None:
        verdict.skip("records", f"the cluster refuses that any are tried: {report.refusal}")
