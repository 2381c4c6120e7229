"""`fluvio cluster list`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import places
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_local_cluster.lifecycle.overview import ClusterSummary

_HEADERS = ("NAME", "STATE", "ADDRESS", "SPUS", "SIZE", "VERSION", "PROFILES", "DATA")
_NOTHING = "-"


@rules(
    examples=(
        ("List the clusters that were started on this machine", "fluvio cluster list"),
        (
            "Stop all of those that run",
            "fluvio cluster list -O json | jq -r '.[] | select(.state != \"stopped\") | .dataDir' "
            "| xargs -I{} fluvio cluster shutdown --data-dir {}",
        ),
    )
)
def command(
    ctx: typer.Context,
    output: Annotated[
        str,
        typer.Option("-O", "--output", metavar="type", parser=values.output_format, help="Output format"),
    ] = "table",
) -> None:
    """List the clusters that this user has on this machine.

    Running or not, with a name or without; `local` is the one that was started with neither `--name` nor
    `--data-dir`. Only files and processes are looked at.
    """
    from fluvio_local_cluster.lifecycle.overview import summaries
    from fluvio_local_cluster.lifecycle.profile_entries import load_or_none

    cli: CliContext = ctx.obj
    found = summaries(places(cli), load_or_none(places(cli)))
    if output != "table":
        from fluvio_cli.output.structured import render_structured

        cli.printer.data(render_structured([_document(each) for each in found], output))
        return
    if not found:
        cli.printer.message("No clusters found")
        return
    from fluvio_cli.output.table import render_table

    cli.printer.data(render_table(_HEADERS, [_row(each) for each in found]))


def _document(each: "ClusterSummary") -> dict[str, Any]:
    """What `-O json` shows (docs/named-clusters.md)."""
    return {
        "name": each.name,
        "state": each.state,
        "endpoint": each.endpoint,
        "clusterId": each.cluster_id,
        "spus": None if each.spus is None else {"running": each.spus_running, "total": each.spus},
        "sizeBytes": each.size_bytes,
        "platformVersion": each.platform_version,
        "createdAt": each.created_at,
        "profiles": list(each.profiles),
        "dataDir": str(each.data_dir),
    }


def _row(each: "ClusterSummary") -> tuple[str, ...]:
    return (
        each.name or _NOTHING,
        each.state,
        each.endpoint or _NOTHING,
        _NOTHING if each.spus is None else f"{each.spus_running}/{each.spus}",
        values.format_byte_size(each.size_bytes),
        each.platform_version or _NOTHING,
        ", ".join(each.profiles) or _NOTHING,
        str(each.data_dir),
    )
