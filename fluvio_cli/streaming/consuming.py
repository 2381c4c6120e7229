"""`consume`, running: batches in, and on to what shows them (`displays`).

Whole batches are handed on at once. `--end` narrows the last batch, and `selection` others, so
that what is stored for a consumer is what was printed. Several topics are as many consumers, merged.
Ctrl-C ends in order: offsets are stored, then the command ends well.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fluvio_cli.output.records import RecordOptions
from fluvio_cli.streaming.displays import Display, Lines
from fluvio_cli.streaming.interrupt import Interruptible
from fluvio_cli.streaming.remarks import remarks_on_losses
from fluvio_cli.streaming.selection import Selection
from fluvio_client.consumer.merged import MergedConsumers
from fluvio_client.consumer.offsets import OffsetBase
from fluvio_client.consumer.settings import ConsumerConfig

if TYPE_CHECKING:
    import re

    from fluvio_cli.context import CliContext
    from fluvio_client.client import Fluvio
    from fluvio_client.consumer.consumer import Consumer
    from fluvio_client.consumer.positions import ConsumerRecord, RecordBatch

CLOSED = "Consumer stream has closed"
END_REACHED = "End-offset has been reached; exiting"


@dataclass(slots=True, frozen=True)
class ConsumeJob:
    """What to read, up to where, and how to show it.

    `config` is that of the first topic; more have the same but for their name. `patterns`: read what matches
    them instead.
    """

    config: ConsumerConfig
    options: RecordOptions
    end: int | None = None  # offset of the last record to print
    show_progress: bool = True
    headline: str = ""
    more_topics: tuple[str, ...] = ()
    patterns: "tuple[re.Pattern[str], ...]" = ()
    selection: Selection = field(default_factory=Selection)
    table_format: str | None = None  # name of a stored layout, for the forms that are tables
    ends_in_s: float | None = None  # end then, whether or not records come; None: not for the time


async def consume(cli: "CliContext", job: ConsumeJob, interrupt: Interruptible) -> None:
    """Run the job. Raises what the client raises, and `BrokenPipeError` when nobody reads any more."""
    async with AsyncExitStack() as stack:
        printer = cli.printer
        # Outside of all else, so that what is inside sees errors as they were raised, not as a group.
        group = None
        if printer.stdout_is_terminal:
            group = await stack.enter_async_context(asyncio.TaskGroup())
        with printer.busy("waiting for the cluster"):
            client = await stack.enter_async_context(cli.client())
            display = await _display(cli, job, client)
            consumer = await _open(stack, client, job, display.tell)
        interrupt.listen()
        if printer.stdout_is_terminal:
            printer.note(printer.styled(job.headline, "bold"))
        records_come = _ignore
        if printer.stderr_is_terminal:
            records_come = stack.enter_context(remarks_on_losses(display.tell))
        drawing = None
        if group is not None and display.draws:
            drawing = group.create_task(display.draw(), name="display")
        try:
            with interrupt:
                await _show_in_time(job, consumer, display, records_come)
        finally:
            if drawing is not None:
                drawing.cancel()
            display.close(was_stopped=interrupt.interrupted)
            if job.selection.not_json and printer.stderr_is_terminal:
                printer.note(f"records left out because they are no JSON: {job.selection.not_json}")
    if not job.config.disable_continuous:
        cli.printer.note(CLOSED)


async def _display(cli: "CliContext", job: ConsumeJob, client: "Fluvio") -> Display:
    """Raises `ApiError` for a table format that is not there, whether or not it is used."""
    layout = None
    if job.table_format is not None:
        from fluvio_cli.streaming.table_display import find_layout

        layout = await find_layout(client, job.table_format)
    if job.options.form == "full-table":
        from fluvio_cli.streaming.table_display import FullTable

        return FullTable(cli, layout, suppress_unknown=job.options.suppress_unknown)
    printer = cli.printer
    shows_waiting = job.show_progress and printer.stdout_is_terminal and printer.shows_progress
    return Lines(printer, job.options._replace(layout=layout), shows_waiting=shows_waiting)


def _ignore() -> None:
    pass


async def _open(
    stack: AsyncExitStack, client: "Fluvio", job: ConsumeJob, tell: Callable[[str], None]
) -> "Consumer | MergedConsumers":
    """Open a consumer for each topic, which `stack` closes."""

    def telling(topic: str) -> Callable[[int, int, int], None]:
        def skipped(partition: int, first: int, following: int) -> None:
            gone = f"records {first} to {following - 1} of {topic}-{partition}"
            tell(f"{gone} were removed by retention, going on at {following}")

        return skipped

    topics = [job.config.topic, *job.more_topics]
    if job.patterns:
        from fluvio_cli.streaming.topics import find_topics

        topics = await find_topics(client, job.patterns)
    consumers = []
    for topic in topics:
        config = replace(job.config, topic=topic, on_skipped=telling(topic))
        consumers.append(await stack.enter_async_context(client.consumer(config)))
    job.selection.partitions = sum(len(consumer.positions()) for consumer in consumers)
    if len(consumers) == 1:
        return consumers[0]
    return await stack.enter_async_context(MergedConsumers(consumers))


async def _show_in_time(
    job: ConsumeJob,
    consumer: "Consumer | MergedConsumers",
    display: Display,
    records_come: Callable[[], None],
) -> None:
    """Show records until the end, until `job.ends_in_s` is over, or until a person has enough.

    Those two only cut short what waits.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(job.ends_in_s) as limit:

            def leave() -> None:
                if not limit.expired():
                    limit.reschedule(loop.time())

            display.open(leave)
            await _show_records(job, consumer, display, records_come)
    except TimeoutError:
        if not limit.expired():
            raise


async def _show_records(
    job: ConsumeJob,
    consumer: "Consumer | MergedConsumers",
    display: Display,
    records_come: Callable[[], None],
) -> None:
    start = job.config.start
    is_empty = True
    selects = None if job.selection.is_everything else job.selection
    while (batch := await consumer.next_batch()) is not None:
        is_last = job.end is not None and batch.stop_offset > job.end
        if is_last and job.end is not None:
            batch.stop_offset = max(job.end, batch.first_offset) + 1
        records = None if selects is None else _selected(selects, batch, display)
        is_empty = False
        records_come()
        await display.show(batch, records)
        if is_last:
            display.tell(END_REACHED)
            return
        if selects is not None and selects.is_done:
            return
    if is_empty and start.base is OffsetBase.ABSOLUTE:
        display.hint(f"nothing was read: no partition has reached offset {start.count}")


def _selected(
    selection: Selection, batch: "RecordBatch", display: Display
) -> "Sequence[ConsumerRecord] | None":
    """The records of a batch to show, and narrow it; None: all that it has then."""
    if not display.leaves_out and selection.narrow(batch):
        return None

    def is_shown(record: "ConsumerRecord") -> bool:
        return display.is_shown(record, batch.topic)

    return selection.choose(batch, is_shown if display.leaves_out else None)
