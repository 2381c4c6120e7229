"""`fluvio cluster snapshot`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.cluster.local import (
    ONE_CLUSTER,
    DataDir,
    Name,
    ProgressLines,
    absolute,
    announce_channel,
    meant_cluster,
    parse_name,
    places,
)
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from pathlib import Path

    from fluvio_local_cluster.lifecycle.snapshots import Manifest

_HEADERS = ("NAME", "CLUSTER", "CREATED", "TOPICS", "SIZE", "VERSION")


def snapshot_directory(cli: CliContext, named: str | None) -> "Path":
    """Where snapshots are: the directory named, else that of this user."""
    from fluvio_local_cluster.lifecycle.snapshots import default_directory

    return absolute(named) if named is not None else default_directory(places(cli))


@rules(
    conflicts=ONE_CLUSTER,
    stands_alone={"show_list": ("snapshot_name", "name", "data_dir")},
    requires={"output": ("show_list",)},
    examples=(
        ("Keep the data of the current profile's cluster as they are now", "fluvio cluster snapshot before"),
        (
            "Those of another cluster, and somewhere else",
            "fluvio cluster snapshot monday --name trial --to ./kept",
        ),
        ("See which snapshots there are", "fluvio cluster snapshot --list"),
    ),
)
def command(
    ctx: typer.Context,
    snapshot_name: Annotated[
        str, typer.Argument(metavar="SNAPSHOT", parser=parse_name, help="Name of the snapshot")
    ],
    name: Name = None,
    data_dir: DataDir = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="DIR", help="Directory that the snapshot is put in (~/.fluvio/snapshots)"
        ),
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the snapshots that are there")] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-O", "--output", metavar="type", parser=values.output_format, help="Output format of `--list`"
        ),
    ] = None,
) -> None:
    """Keep a cluster's data as they are now.

    The cluster may be running. Topics, records and consumers' offsets go into the snapshot; files that do not
    change any more are shared by hard links where the file system has them. `cluster restore` goes back to
    it, `cluster fork --snapshot` starts a new cluster with it. Removing its directory removes it.
    """
    from fluvio_local_cluster.lifecycle.snapshots import list_snapshots, snapshot

    cli: CliContext = ctx.obj
    directory = snapshot_directory(cli, to)
    if show_list:
        _show(cli, list_snapshots(directory), output or "table")
        return
    announce_channel(cli)
    state = meant_cluster(cli, data_dir, "Snapshot", name)
    with cli.printer.busy("copying the data of the cluster"):
        manifest = snapshot(state, directory, snapshot_name, ProgressLines(cli.printer))
    cli.printer.message(
        f'snapshot "{manifest.name}" made: {len(manifest.topics)} topics, '
        f"{values.format_byte_size(manifest.size_bytes)}"
    )


def _show(cli: CliContext, found: "list[Manifest]", output: str) -> None:
    if output != "table":
        from fluvio_cli.output.structured import render_structured

        cli.printer.data(render_structured([_document(each) for each in found], output))
        return
    if not found:
        cli.printer.message("No snapshots found")
        return
    from fluvio_cli.output.table import render_table

    rows = [
        (
            each.name,
            each.cluster_name or "-",
            each.created_at,
            str(len(each.topics)),
            values.format_byte_size(each.size_bytes),
            each.platform_version,
        )
        for each in found
    ]
    cli.printer.data(render_table(_HEADERS, rows))


def _document(each: "Manifest") -> dict[str, Any]:
    """What `-O json` shows (docs/named-clusters.md)."""
    return {
        "name": each.name,
        "cluster": each.cluster_name,
        "clusterId": each.cluster_id,
        "createdAt": each.created_at,
        "topics": [{"name": name, "partitions": count} for name, count in each.topics.items()],
        "sizeBytes": each.size_bytes,
        "platformVersion": each.platform_version,
    }
