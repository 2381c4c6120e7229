"""How the outcome of a health check is shown. `-O json`: docs/cli-json-output.md, "cluster health"."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fluvio_client.health.report import HealthReport, SpuHealth

_HEADERS = ("SERVER", "ADDRESS", "STATE", "ANSWER", "PRODUCE", "CONSUME", "ERROR")
_NOTHING = "-"


@dataclass(slots=True, frozen=True)
class HealthView:
    """A report with the target that was asked; without a report the cluster could not be reached."""

    profile: str | None
    endpoint: str
    report: "HealthReport | None"
    problems: list[str]

    def render(self, form: str) -> str:
        """The text to print: `table`, `json` or `yaml`."""
        if form != "table":
            from fluvio_cli.output.structured import render_structured

            return render_structured(self.document(), form)
        return "" if self.report is None else self._table(self.report)

    def document(self) -> dict[str, Any]:
        """The view as plain data."""
        report = self.report
        return {
            "profile": self.profile,
            "endpoint": self.endpoint,
            "healthy": report is not None and report.is_healthy,
            "reachable": report is not None,
            "platformVersion": None if report is None else report.platform_version,
            "tried": None if report is None else _tried(report),
            "refusal": None if report is None else report.refusal,
            "scMs": None if report is None else report.sc_ms,
            "spus": [] if report is None else [_spu_document(spu) for spu in report.spus],
            "problems": self.problems,
        }

    def _table(self, report: "HealthReport") -> str:
        from fluvio_cli.output.table import render_table

        sc = ("SC", self.endpoint, "online", _time(report.sc_ms), _NOTHING, _NOTHING, _NOTHING)
        text = render_table(_HEADERS, [sc, *(_spu_row(spu) for spu in report.spus)])
        if report.refusal is not None:
            text += (
                f"no record was tried, SPUs were only connected to: the cluster refuses ({report.refusal})\n"
            )
        if report.is_healthy:
            text += "cluster is healthy\n"
        return text


def _tried(report: "HealthReport") -> str:
    """How deep the check went: `records`, or only `metadata`."""
    return "metadata" if report.refusal is not None or report.error is not None else "records"


def _spu_document(spu: "SpuHealth") -> dict[str, Any]:
    return {
        "id": spu.id,
        "name": spu.name,
        "address": spu.address,
        "online": spu.is_online,
        "connectMs": spu.connect_ms,
        "produceMs": spu.produce_ms,
        "consumeMs": spu.consume_ms,
        "error": spu.error,
    }


def _spu_row(spu: "SpuHealth") -> tuple[str, ...]:
    return (
        f"SPU {spu.id}",
        spu.address,
        "online" if spu.is_online else "offline",
        _time(spu.connect_ms),
        _time(spu.produce_ms),
        _time(spu.consume_ms),
        spu.error or _NOTHING,
    )


def _time(time_ms: float | None) -> str:
    return _NOTHING if time_ms is None else f"{time_ms:.1f} ms"
