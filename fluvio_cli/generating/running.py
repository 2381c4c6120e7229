"""One run of `fluvio generate`: records to a topic at their pace, or to standard output.

Ctrl-C stops making records; what was made is still stored. A run with a seed can be gone on with by `--skip`.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fluvio_cli.generating.pacing import Schedule
from fluvio_cli.generating.records import Records
from fluvio_cli.streaming.interrupt import Interruptible

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_client.producer.producer import Producer
    from fluvio_client.producer.settings import ProducerSettings


@dataclass(slots=True, frozen=True)
class GenerateJob:
    """What to make: `count` records (None: until Ctrl-C), `rate` a second (None: as fast as it goes)."""

    records: Records
    seed: int
    count: int | None = None
    rate: float | None = None
    skip: int = 0


async def generate(
    cli: "CliContext",
    job: GenerateJob,
    topic: str,
    settings: "ProducerSettings",
    partitions: int | None,
    interrupt: Interruptible,
) -> None:
    """Produce. With `partitions` a topic that does not exist is created. Raises what the client raises, and
    `KeyboardInterrupt` when Ctrl-C came before `count` records were made."""
    progress = _Progress(job, interrupt)
    with cli.printer.busy(progress.tell):
        try:
            async with cli.client() as client:
                if partitions is not None:
                    from fluvio_cli.generating.topics import ensure_topic

                    await ensure_topic(client, topic, partitions)
                async with client.producer(topic, settings) as producer:
                    progress.begin(producer)
                    interrupt.listen()
                    await _produce(job, producer, interrupt)
                    await producer.flush()
        finally:
            if progress.producer is not None:
                cli.printer.progress(progress.result())
    if interrupt.interrupted and job.count is not None:
        raise KeyboardInterrupt


async def _produce(job: GenerateJob, producer: "Producer", interrupt: Interruptible) -> None:
    schedule = Schedule(job.count, job.rate)
    job.records.skip(job.skip)
    begin = time.monotonic()
    while not schedule.is_over and not interrupt.interrupted:
        # Outside of the block below: records that were made are given, whole chunks of them.
        await producer.send_pairs(job.records.take(schedule.due(time.monotonic() - begin)))
        pause_s = schedule.pause_s(time.monotonic() - begin)
        with interrupt:
            await asyncio.sleep(pause_s)


class _Progress:
    """How far a run is, in words."""

    def __init__(self, job: GenerateJob, interrupt: Interruptible) -> None:
        self.producer: Producer | None = None  # None: not connected yet
        self._job, self._interrupt, self._begun = job, interrupt, time.monotonic()

    def begin(self, producer: "Producer") -> None:
        """Records begin to be made."""
        self.producer, self._begun = producer, time.monotonic()

    @property
    def _stored(self) -> int:
        return 0 if self.producer is None else self.producer.stored_count

    def tell(self) -> str:
        """While it goes on."""
        if self.producer is None:
            return "connecting"
        stored = self._stored
        of = "" if self._job.count is None else f" of {self._job.count:,}"
        rate = stored / max(time.monotonic() - self._begun, 0.001)
        what = "interrupted: waiting until all are stored, " if self._interrupt.interrupted else ""
        return f"{what}{stored:,}{of} records stored, {rate:,.0f}/s"

    def result(self) -> str:
        """At the end."""
        elapsed_s = time.monotonic() - self._begun
        text = f"{self._stored:,} records stored in {elapsed_s:.1f} s, seed {self._job.seed}"
        made = self._job.records.made
        if not self._interrupt.interrupted or self._job.count is None:
            return text
        left = self._job.count - (made - self._job.skip)
        return f"interrupted: {text}; go on with `--seed {self._job.seed} --skip {made} --count {left}`"


def print_records(cli: "CliContext", job: GenerateJob, key_separator: str | None) -> None:
    """Print values, one a line, behind key and separator where there is one. Raises `BrokenPipeError`."""
    schedule = Schedule(job.count, job.rate)
    job.records.skip(job.skip)
    begin = time.monotonic()
    separator = None if key_separator is None else key_separator.encode()
    try:
        while not schedule.is_over:
            lines = []
            for key, value in job.records.take(schedule.due(time.monotonic() - begin)):
                lines.append(value if separator is None else (key or b"") + separator + value)
            cli.printer.data("".join(f"{line.decode()}\n" for line in lines))
            pause_s = schedule.pause_s(time.monotonic() - begin)
            if pause_s:
                cli.printer.flush()
                time.sleep(pause_s)
    except KeyboardInterrupt:
        if job.count is not None:
            raise
    cli.printer.flush()
