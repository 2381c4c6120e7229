"""`fluvio partition list`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_client.admin_calls import PartitionObject

_HEADERS = (
    "TOPIC",
    "PARTITION",
    "LEADER",
    "MIRROR",
    "REPLICAS",
    "RESOLUTION",
    "SIZE",
    "BASE",
    "HW",
    "LEO",
    "LRS",
    "FOLLOWER OFFSETS",
)


@rules(
    examples=(
        ("Sizes and offsets of all partitions", "fluvio partition list"),
        ("Of one topic", "fluvio partition list --topic my-topic"),
    )
)
def command(
    ctx: typer.Context,
    output: Annotated[
        str,
        typer.Option("-O", "--output", metavar="type", parser=values.output_format, help="Output format"),
    ] = "table",
    system: Annotated[
        bool, typer.Option("-s", "--system", help="Partitions of internal topics only")
    ] = False,
    topic: Annotated[
        str | None, typer.Option("-t", "--topic", metavar="TOPIC", help="Partitions of this topic only")
    ] = None,
) -> None:
    """List all partitions of the cluster.

    As in the official tool a row has one cell more than the header: under `LRS` stands the LEO once
    more, and the number of live replicas is under `FOLLOWER OFFSETS`. `-O json` names every value.
    """
    from fluvio_cli.output.objects import partition_view
    from fluvio_cli.output.structured import render_structured
    from fluvio_cli.output.table import render_table
    from fluvio_types.names import parse_partition_key

    cli: CliContext = ctx.obj
    with cli.connect() as admin:
        partitions = sorted(
            (
                partition
                for partition in admin.list_partitions(system=system)
                if topic in (None, parse_partition_key(partition.name)[0])
            ),
            key=lambda partition: parse_partition_key(partition.name),
        )
    if output != "table":
        cli.printer.data(render_structured([partition_view(item) for item in partitions], output))
    elif not partitions:
        cli.printer.message("No partitions found")
    else:
        cli.printer.data(render_table(_HEADERS, [_row(item) for item in partitions]))


def _row(partition: "PartitionObject") -> tuple[str, ...]:
    from fluvio_cli.output.objects import camel_case
    from fluvio_types.names import parse_partition_key

    topic, index = parse_partition_key(partition.name)
    spec, status = partition.spec, partition.status
    followers = ", ".join(
        f"ReplicaStatus {{ spu: {entry.spu}, hw: {entry.hw}, leo: {entry.leo} }}" for entry in status.replicas
    )
    return (
        topic,
        str(index),
        str(spec.leader),
        _mirror_word(partition),
        str([spu for spu in spec.replicas if spu != spec.leader]),
        camel_case(status.resolution),
        size_word(partition),
        str(status.base_offset),
        str(status.leader.hw),
        str(status.leader.leo),
        str(status.leader.leo),
        str(status.lsr),
        f"[{followers}]",
    )


def size_word(partition: "PartitionObject") -> str:
    """What a partition takes on disk; `NA` when it was not measured yet, `ERROR` when that failed."""
    from fluvio_protocol.api.partition import SIZE_ERROR, SIZE_UNKNOWN

    size = partition.status.size
    return {SIZE_ERROR: "ERROR", SIZE_UNKNOWN: "NA"}.get(size) or values.format_byte_size(size)


def _mirror_word(partition: "PartitionObject") -> str:
    from fluvio_protocol.api.mirror import HomePartitionConfig

    mirror = partition.spec.mirror
    if mirror is None:
        return ""
    if isinstance(mirror, HomePartitionConfig):
        return f"{mirror.remote_cluster}({'to-remote' if mirror.source else 'from-remote'})"
    direction = "from-home" if mirror.target else "to-home"
    return f"{mirror.home_cluster}:{mirror.home_spu_id}:{mirror.home_spu_endpoint}({direction})"
