"""The stored offsets that a command on one consumer means."""

from typing import TYPE_CHECKING

from fluvio_cli.failures import UnknownNameError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_protocol.api.consumer_offsets import ConsumerOffset


def found_entries(
    cli: "CliContext", consumer: str, topic: str | None, partition: int | None
) -> "list[ConsumerOffset]":
    """What the cluster keeps for the consumer, by topic and partition; `UnknownNameError` if nothing."""
    with cli.consumer_offsets() as stored:
        entries = stored.find(consumer_id=consumer, topic=topic, partition=partition)
    if not entries:
        place = "" if topic is None else f" of topic `{topic}`"
        place = place if partition is None else f" of {topic}-{partition}"
        raise UnknownNameError(
            f"no offset is kept for consumer `{consumer}`{place}",
            hint="`fluvio consumer list` shows the consumers there are",
        )
    return entries
