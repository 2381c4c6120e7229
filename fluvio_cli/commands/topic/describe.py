"""`fluvio topic describe`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_client.admin_calls import PartitionObject, TopicObject


@rules(examples=(("Show one topic as YAML", "fluvio topic describe my-topic -O yaml"),))
def command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="name", help="Name of the topic, or a part of it")],
    output: Annotated[
        str,
        typer.Option("-O", "--output", metavar="type", parser=values.output_format, help="Output format"),
    ] = "table",
) -> None:
    """Print detailed information about a topic.

    A name that no topic has shows all topics that contain it. On a terminal the settings and the partitions
    follow; `-O json` has the settings, and `fluvio partition list --topic NAME` the partitions.
    """
    from fluvio_cli.commands.topic.failure import topic_not_found
    from fluvio_cli.output.objects import topic_view
    from fluvio_cli.output.structured import render_structured

    cli: CliContext = ctx.obj
    with cli.connect() as admin:
        topics = sorted(admin.list_topics([name]), key=lambda topic: topic.name)
        topics = [topic for topic in topics if topic.name == name] or topics
        partitions = admin.list_partitions() if output == "table" and cli.printer.stdout_is_terminal else []
    if not topics:
        raise topic_not_found(name)
    if output != "table":
        cli.printer.data(render_structured([topic_view(topic) for topic in topics], output))
        return
    if len(topics) == 1:
        cli.printer.data(_shown(topics[0], partitions))
        return
    cli.printer.message(f"Retrieved {len(topics)} out of {len(topics)} topics")
    for topic in topics:
        cli.printer.data(f"\nTOPIC DETAILS\n-------------\n{_shown(topic, partitions)}")


def _shown(topic: "TopicObject", partitions: "list[PartitionObject]") -> str:
    """One topic; with `partitions` (of any topics) also its settings, and those that are its own."""
    from fluvio_cli.output.table import render_table
    from fluvio_types.names import parse_partition_key

    if not partitions:
        return _details(topic, [])
    own = sorted(
        (
            (parse_partition_key(each.name)[1], each)
            for each in partitions
            if parse_partition_key(each.name)[0] == topic.name
        ),
        key=lambda numbered: numbered[0],
    )
    rows = [_partition_row(index, partition) for index, partition in own]
    table = render_table(("PARTITION", "LEADER", "STATUS", "SIZE", "RECORDS"), rows)
    return f"{_details(topic, _settings(topic))}\n{table}"


def _partition_row(index: int, partition: "PartitionObject") -> tuple[str, ...]:
    from fluvio_cli.commands.partition.list import size_word
    from fluvio_cli.output.objects import camel_case

    status = partition.status
    records = max(status.leader.leo - max(status.base_offset, 0), 0)
    leader, state = str(partition.spec.leader), camel_case(status.resolution)
    return str(index), leader, state, size_word(partition), f"{records:,}"


def _settings(topic: "TopicObject") -> list[str]:
    from fluvio_cli.output.objects import camel_case, retention_word

    storage = topic.spec.storage
    segment, partition = (
        (None, None) if storage is None else (storage.segment_size, storage.max_partition_size)
    )
    return [
        f"Retention Time:{retention_word(topic)}",
        f"Compression:{camel_case(topic.spec.compression_type).lower()}",
        f"Segment Size:{_size_or_default(segment)}",
        f"Max Partition Size:{_size_or_default(partition)}",
    ]


def _size_or_default(size_bytes: int | None) -> str:
    return "default" if size_bytes is None else values.format_byte_size(size_bytes)


def _details(topic: "TopicObject", settings: list[str]) -> str:
    from fluvio_cli.output.objects import topic_status_word, topic_type_word
    from fluvio_cli.values import format_duration_ns
    from fluvio_protocol.api.topic import TopicReplicaParam

    lines = [f"Name:{topic.name}", f"Type:{topic_type_word(topic)}"]
    replicas, deduplication = topic.spec.replicas, topic.spec.deduplication
    if isinstance(replicas, TopicReplicaParam):
        lines += [
            f"Partition Count:{replicas.partitions}",
            f"Replication Factor:{replicas.replication_factor}",
            f"Ignore Rack Assignment:{str(replicas.ignore_rack_assignment).lower()}",
        ]
    if deduplication is not None:
        lines.append(f"Deduplication Filter:{deduplication.filter.transform.uses}")
        lines.append(f"Deduplication Count Bound:{deduplication.bounds.count}")
        age = deduplication.bounds.age
        if age is not None:
            lines.append(f"Deduplication Age Bound:{format_duration_ns(age.seconds * 10**9 + age.nanos)}")
    lines += settings
    lines += [f"Status:{topic_status_word(topic)}", f"Reason:{topic.status.reason}", "-----------------"]
    width = max(map(len, lines))
    return "".join(f"   {line.ljust(width)} \n" for line in lines)
