"""`consume`, running: batches in, text out.

Whole batches are rendered and written at once. `--end` narrows the last batch, so that what is stored for
a consumer is what was printed. Ctrl-C ends in order: offsets are stored, then the command ends well.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fluvio_cli.output.records import RecordOptions, RecordRenderer
from fluvio_cli.streaming.interrupt import Interruptible
from fluvio_cli.streaming.remarks import remarks_on_losses
from fluvio_cli.streaming.spinner import Spinner
from fluvio_client.consumer.offsets import OffsetBase
from fluvio_client.consumer.settings import ConsumerConfig

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_client.consumer.consumer import Consumer
    from fluvio_client.consumer.positions import RecordBatch

CLOSED = "Consumer stream has closed"
END_REACHED = "End-offset has been reached; exiting"


@dataclass(slots=True, frozen=True)
class ConsumeJob:
    """What to read, up to where, and how to show it."""

    config: ConsumerConfig
    options: RecordOptions
    end: int | None = None  # offset of the last record to print
    show_progress: bool = True
    headline: str = ""


async def consume(cli: "CliContext", job: ConsumeJob, interrupt: Interruptible) -> None:
    """Run the job. Raises what the client raises, and `BrokenPipeError` when nobody reads any more."""
    async with AsyncExitStack() as stack:
        printer = cli.printer
        spinner = Spinner(printer.stderr)

        def tell(text: str) -> None:
            spinner.hide()
            printer.note(text)
            printer.stderr.flush()

        def skipped(partition: int, first: int, following: int) -> None:
            name = f"{job.config.topic}-{partition}"
            gone = f"records {first} to {following - 1} of {name}"
            tell(f"{gone} were removed by retention, going on at {following}")

        client = await stack.enter_async_context(cli.client())
        consumer = await stack.enter_async_context(client.consumer(replace(job.config, on_skipped=skipped)))
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
                await _print_records(cli, job, consumer, spinner, records_come)
        finally:
            if drawing is not None:
                drawing.cancel()
            spinner.hide()
    if not job.config.disable_continuous:
        cli.printer.note(CLOSED)


def _ignore() -> None:
    pass


async def _print_records(
    cli: "CliContext",
    job: ConsumeJob,
    consumer: "Consumer",
    spinner: Spinner,
    records_come: Callable[[], None],
) -> None:
    start = job.config.start
    is_empty = True
    renderer = RecordRenderer(job.options)
    out = cli.printer.stdout.buffer
    while (batch := await consumer.next_batch()) is not None:
        is_last = job.end is not None and batch.stop_offset > job.end
        if is_last and job.end is not None:
            batch.stop_offset = max(job.end, batch.first_offset) + 1
        text = _render(renderer, batch)
        is_empty = False
        records_come()
        spinner.hide()
        out.write(text)
        out.flush()
        if is_last:
            cli.printer.note(END_REACHED)
            return
    if is_empty and start.base is OffsetBase.ABSOLUTE:
        spinner.hide()
        cli.printer.hint(f"nothing was read: no partition has reached offset {start.count}")


def _render(renderer: RecordRenderer, batch: "RecordBatch") -> bytes:
    if renderer.wants_values_only:
        return renderer.render_values(batch.values())
    return renderer.render(batch.records())
