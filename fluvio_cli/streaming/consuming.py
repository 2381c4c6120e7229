"""`consume`, running: batches in, text out.

Whole batches are rendered and written at once. `--end` narrows the last batch, and `selection` others, so
that what is stored for a consumer is what was printed. Several topics are as many consumers, merged.
Ctrl-C ends in order: offsets are stored, then the command ends well.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fluvio_cli.output.records import RecordOptions, RecordRenderer
from fluvio_cli.streaming.interrupt import Interruptible
from fluvio_cli.streaming.remarks import remarks_on_losses
from fluvio_cli.streaming.selection import Selection
from fluvio_cli.streaming.spinner import Spinner
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
    ends_in_s: float | None = None  # end then, whether or not records come; None: not for the time


async def consume(cli: "CliContext", job: ConsumeJob, interrupt: Interruptible) -> None:
    """Run the job. Raises what the client raises, and `BrokenPipeError` when nobody reads any more."""
    async with AsyncExitStack() as stack:
        printer = cli.printer
        spinner = Spinner(printer.stderr)

        def tell(text: str) -> None:
            spinner.hide()
            printer.note(text)
            printer.stderr.flush()

        with printer.busy("waiting for the cluster"):
            client = await stack.enter_async_context(cli.client())
            consumer = await _open(stack, client, job, tell)
        interrupt.listen()
        if printer.stdout_is_terminal:
            printer.note(printer.styled(job.headline, "bold"))
        records_come = _ignore
        if printer.stderr_is_terminal:
            records_come = stack.enter_context(remarks_on_losses(tell))
        drawing = None
        if job.show_progress and printer.stdout_is_terminal and printer.shows_progress:
            group = await stack.enter_async_context(asyncio.TaskGroup())
            drawing = group.create_task(spinner.run(), name="spinner")
        try:
            with interrupt:
                await _print_in_time(cli, job, consumer, spinner, records_come)
        finally:
            if drawing is not None:
                drawing.cancel()
            spinner.hide()
            if job.selection.not_json and printer.stderr_is_terminal:
                printer.note(f"records left out because they are no JSON: {job.selection.not_json}")
    if not job.config.disable_continuous:
        cli.printer.note(CLOSED)


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


async def _print_in_time(
    cli: "CliContext",
    job: ConsumeJob,
    consumer: "Consumer | MergedConsumers",
    spinner: Spinner,
    records_come: Callable[[], None],
) -> None:
    """Print until the end, or until `job.ends_in_s` is over: only waiting for a batch is cut short then."""
    try:
        async with asyncio.timeout(job.ends_in_s) as limit:
            await _print_records(cli, job, consumer, spinner, records_come)
    except TimeoutError:
        if not limit.expired():
            raise


async def _print_records(
    cli: "CliContext",
    job: ConsumeJob,
    consumer: "Consumer | MergedConsumers",
    spinner: Spinner,
    records_come: Callable[[], None],
) -> None:
    start = job.config.start
    is_empty = True
    renderer = RecordRenderer(job.options)
    selects = None if job.selection.is_everything else job.selection
    out = cli.printer.stdout.buffer
    while (batch := await consumer.next_batch()) is not None:
        is_last = job.end is not None and batch.stop_offset > job.end
        if is_last and job.end is not None:
            batch.stop_offset = max(job.end, batch.first_offset) + 1
        text = _render(renderer, batch) if selects is None else _render_selected(renderer, selects, batch)
        is_empty = False
        records_come()
        spinner.hide()
        out.write(text)
        out.flush()
        if is_last:
            cli.printer.note(END_REACHED)
            return
        if selects is not None and selects.is_done:
            return
    if is_empty and start.base is OffsetBase.ABSOLUTE:
        spinner.hide()
        cli.printer.hint(f"nothing was read: no partition has reached offset {start.count}")


def _render(renderer: RecordRenderer, batch: "RecordBatch") -> bytes:
    if renderer.wants_values_only:
        return renderer.render_values(batch.values())
    return renderer.render(batch.records(), batch.topic)


def _render_selected(renderer: RecordRenderer, selection: Selection, batch: "RecordBatch") -> bytes:
    if not renderer.leaves_out and selection.narrow(batch):
        return _render(renderer, batch)

    def is_shown(record: "ConsumerRecord") -> bool:
        return bool(renderer.render([record], batch.topic))

    records = selection.choose(batch, is_shown if renderer.leaves_out else None)
    if renderer.wants_values_only:
        return renderer.render_values([record.value for record in records])
    return renderer.render(records, batch.topic)
