"""`fluvio topic describe`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext

if TYPE_CHECKING:
    from fluvio_client.admin_calls import TopicObject


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

    A part of a name shows every topic that contains it, as the cluster's own filter does.
    """
    from fluvio_cli.commands.topic.failure import topic_not_found
    from fluvio_cli.output.objects import topic_view
    from fluvio_cli.output.structured import render_structured

    cli: CliContext = ctx.obj
    with cli.connect() as admin:
        topics = sorted(admin.list_topics([name]), key=lambda topic: topic.name)
    if not topics:
        raise topic_not_found(name)
    if output != "table":
        cli.printer.data(render_structured([topic_view(topic) for topic in topics], output))
        return
    if len(topics) == 1:
        cli.printer.data(_details(topics[0]))
        return
    cli.printer.message(f"Retrieved {len(topics)} out of {len(topics)} topics")
    for topic in topics:
        cli.printer.data(f"\nTOPIC DETAILS\n-------------\n{_details(topic)}")


def _details(topic: "TopicObject") -> str:
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
    lines += [f"Status:{topic_status_word(topic)}", f"Reason:{topic.status.reason}", "-----------------"]
    width = max(map(len, lines))
    return "".join(f"   {line.ljust(width)} \n" for line in lines)
