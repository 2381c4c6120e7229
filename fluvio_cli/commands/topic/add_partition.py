"""`fluvio topic add-partition`."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.effect import WRITES

if TYPE_CHECKING:
    from fluvio_client.blocking import BlockingAdmin

_WAIT_S = 10.0


@rules(
    effect=WRITES,
    examples=(("Give a topic two partitions more", "fluvio topic add-partition my-topic -c 2"),),
)
def command(
    ctx: typer.Context,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="Name of the topic")],
    count: Annotated[
        int, typer.Option("-c", "--count", metavar="COUNT", parser=values.i32, help="Partitions to add")
    ] = 1,
) -> None:
    """Add partitions to a topic.

    Records that are there stay where they are; keys may go to other partitions from now on.
    """
    from fluvio_cli.commands.topic.failure import reworded, topic_not_found
    from fluvio_cli.output.table import render_table
    from fluvio_protocol.error_code import ApiError
    from fluvio_types.errors import FluvioError

    cli: CliContext = ctx.obj
    if count < 0:
        raise FluvioError(f"cannot add {count} partitions", hint="`--count` takes 1 or more")
    with cli.connect() as admin:
        found = [item for item in admin.list_topics([topic]) if item.name == topic]
        if not found:
            raise topic_not_found(topic)
        before = set(found[0].status.replica_map)
        if count:
            try:
                admin.add_partitions(topic, count)
            except ApiError as exc:
                raise reworded(exc, topic) from exc
        added = _await_leaders(admin, topic, before, count)
    cli.printer.message(f'added new partitions to topic: "{topic}"')
    cli.printer.data(render_table(("PARTITION", "SPU"), added, indent=False))


def _await_leaders(admin: "BlockingAdmin", topic: str, before: set[int], count: int) -> list[tuple[str, str]]:
    """(partition, leader) of each new partition, once the cluster has placed them all."""
    from fluvio_cli.failures import NotInTimeError

    rows: dict[int, int] = {}
    if count == 0:
        return []
    for update in admin.watch("Topic", timeout_s=_WAIT_S):
        for item in (*update.all, *(message.content for message in update.changes)):
            if item.name == topic:
                rows = {
                    index: replicas[0]
                    for index, replicas in item.status.replica_map.items()
                    if index not in before
                }
        if len(rows) >= count:
            return [(str(index), str(leader)) for index, leader in sorted(rows.items())]
    raise NotInTimeError(
        f"the new partitions of `{topic}` are not placed yet",
        hint=f"they will be when SPUs are there; `fluvio topic describe {topic}` tells",
    )
