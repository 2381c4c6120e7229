"""`topic replay`, running: the records of a file into a topic, at the pace of their times."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fluvio_cli.streaming.interrupt import Interruptible
from fluvio_cli.transfer.files import DamagedExportError
from fluvio_cli.transfer.importing import (
    Imported,
    ImportJob,
    MissingPartitionsError,
    check_partition,
    opened,
    target_topic,
)
from fluvio_cli.transfer.pace import TICK_S, Pace
from fluvio_cli.transfer.pieces import Piece
from fluvio_cli.transfer.progress import Tally
from fluvio_cli.transfer.writing import SETTINGS, TopicWriter

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext


@dataclass(slots=True, frozen=True)
class ReplayJob:
    """`source` as for an import; `count`: end after so many records."""

    source: ImportJob
    speed: float  # infinity: as fast as it goes
    count: int | None = None


async def replay(cli: "CliContext", job: ReplayJob, interrupt: Interruptible) -> Imported:
    """Run the job. Raises as `import_file` does."""
    tally = Tally()
    async with opened(cli, job.source) as source, cli.client() as client:
        topic, codec, partitions = await target_topic(client, job.source, source)
        async with client.producer(topic, SETTINGS) as producer:
            writer = TopicWriter(producer, codec, job.source.keep_time)
            pace = Pace(job.speed)
            interrupt.listen()
            try:
                with cli.printer.busy(tally.tell), interrupt:
                    async with aclosing(source.pieces()) as pieces:
                        left = job.count
                        async for piece in pieces:
                            if piece is None:
                                await writer.flush()
                                continue
                            check_partition(topic, piece, partitions)
                            wanted = piece if left is None else piece.part(0, left)
                            await _send(writer, pace, wanted, tally)
                            if left is not None:
                                left -= wanted.count
                                if left <= 0:
                                    break
            except (DamagedExportError, MissingPartitionsError):
                await writer.finish()
                raise
            await writer.finish()
    strays = sum(each.strays for each in writer.landed.values())
    return Imported(topic, writer.total, 0, strays, writer.landed, interrupt.interrupted)


async def _send(writer: TopicWriter, pace: Pace, piece: Piece, tally: Tally) -> None:
    loop = asyncio.get_running_loop()
    timestamps = piece.columns().timestamps
    start = 0
    while start < piece.count:
        now = loop.time()
        due = pace.due_s(timestamps[start], now)
        if due > now:
            await writer.flush()  # what is due is not to wait for what comes later
            await asyncio.sleep(due - now)
        stop = pace.together(timestamps, start, max(due, now) + TICK_S)
        await writer.write(piece.part(start, stop))
        tally.add(stop - start)
        start = stop
