"""`fluvio topic list`."""

from typing import Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext

_HEADERS = (
    "NAME",
    "TYPE",
    "PARTITIONS",
    "REPLICAS",
    "RETENTION TIME",
    "COMPRESSION",
    "DEDUPLICATION",
    "STATUS",
    "REASON",
)


@rules(
    examples=(
        ("List the topics of the current profile's cluster", "fluvio topic list"),
        ("Names only, for a script", "fluvio topic list -O json | jq -r '.[].name'"),
    )
)
def command(
    ctx: typer.Context,
    output: Annotated[
        str,
        typer.Option("-O", "--output", metavar="type", parser=values.output_format, help="Output format"),
    ] = "table",
    system: Annotated[bool, typer.Option("-s", "--system", help="List internal topics only")] = False,
) -> None:
    """List all topics of the cluster.

    Internal topics, such as the one that keeps consumer offsets, are shown with `--system` only.
    """
    from fluvio_cli.output.objects import (
        camel_case,
        retention_word,
        topic_status_word,
        topic_type_word,
        topic_view,
    )
    from fluvio_cli.output.structured import render_structured
    from fluvio_cli.output.table import render_table
    from fluvio_protocol.api.topic import TopicReplicaParam

    cli: CliContext = ctx.obj
    with cli.connect() as admin:
        topics = sorted(admin.list_topics(system=system), key=lambda topic: topic.name)
    if not system:
        cli.name_cache().remember("topic", (topic.name for topic in topics))
    if output != "table":
        cli.printer.data(render_structured([topic_view(topic) for topic in topics], output))
        return
    if not topics:
        cli.printer.message("No topics found")
        return
    rows = []
    for topic in topics:
        replicas, deduplication = topic.spec.replicas, topic.spec.deduplication
        counts = ("", "")
        if isinstance(replicas, TopicReplicaParam):
            counts = (str(replicas.partitions), str(replicas.replication_factor))
        rows.append(
            (
                topic.name,
                topic_type_word(topic),
                *counts,
                retention_word(topic),
                camel_case(topic.spec.compression_type).lower(),
                "none" if deduplication is None else deduplication.filter.transform.uses,
                f"resolution::{topic_status_word(topic)}",
                topic.status.reason,
            )
        )
    cli.printer.data(render_table(_HEADERS, rows))
