"""`produce`, running: lines or a whole input in, records out.

Not interactive: all input is given to the producer as it comes, in bulk, and the end waits until every
record is stored. Interactive: each line is stored before `Ok!` and the next prompt. Ctrl-C stops reading;
what was read is still sent.
"""

import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fluvio_cli.streaming.interrupt import Interruptible
from fluvio_cli.streaming.lines import read_all, read_lines
from fluvio_client.producer.settings import ProducerSettings
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_client.producer.producer import Producer

PROMPT = "> "
_PROGRESS_S = 0.5


class SkippedLinesError(FluvioError):
    """Lines without the key separator were left out."""

    def __init__(self, count: int, separator: str) -> None:
        lines = "1 line" if count == 1 else f"{count} lines"
        super().__init__(f"{lines} had no separator '{separator}' and were skipped")


@dataclass(slots=True, frozen=True)
class ProduceJob:
    """What to send, and how."""

    topic: str
    settings: ProducerSettings
    file: str | None = None  # None: standard input
    key: bytes | None = None
    key_separator: str | None = None
    raw: bool = False
    verbose: bool = False


async def produce(cli: "CliContext", job: ProduceJob, interrupt: Interruptible) -> None:
    """Run the job. Raises what the client raises, `OSError` for the file, and `KeyboardInterrupt` at the end
    of an interrupted job, when what had been read was stored."""
    if job.file is None and cli.stdin.closed:
        raise FluvioError("standard input is closed", hint="give a file with `--file`, or a pipe")
    descriptor = os.open(job.file, os.O_RDONLY) if job.file is not None else cli.stdin.fileno()
    try:
        async with cli.client() as client, client.producer(job.topic, job.settings) as producer:
            interrupt.listen()
            if job.raw:
                await _produce_whole(cli, job, producer, descriptor, interrupt)
            elif job.file is None and cli.stdin.isatty():
                await _Interactive(cli, job, producer).run(descriptor, interrupt)
            else:
                await _Bulk(cli, job, producer).run(descriptor, interrupt)
    finally:
        if job.file is not None:
            os.close(descriptor)
    if interrupt.interrupted:
        raise KeyboardInterrupt


async def _produce_whole(
    cli: "CliContext", job: ProduceJob, producer: "Producer", descriptor: int, interrupt: Interruptible
) -> None:
    with interrupt:
        whole = await read_all(descriptor)
        await (await producer.send(job.key, whole))
        if job.file is None and cli.stdin.isatty():
            cli.printer.message(cli.printer.styled("Ok!", "green"))


class _Keyed:
    """Splits lines at the key separator, tells what it skips, echoes what it splits."""

    def __init__(self, cli: "CliContext", job: ProduceJob, separator: str) -> None:
        self.cli, self.job, self.separator, self.skipped = cli, job, separator, 0
        self._bytes = separator.encode()

    def pair(self, line: bytes) -> tuple[bytes, bytes] | None:
        """(key, value), or None for a line without separator."""
        key, found, value = line.partition(self._bytes)
        if not found:
            self.skipped += 1
            text = line.decode(errors="replace")
            self.cli.printer.note(
                f"Failed to find separator '{self.separator}' in record, skipping: '{text}'"
            )
            return None
        if self.job.verbose:
            self.cli.printer.message(f"[{key.decode(errors='replace')}] {value.decode(errors='replace')}")
        return key, value


class _Bulk:
    """Lines of a file or pipe."""

    def __init__(self, cli: "CliContext", job: ProduceJob, producer: "Producer") -> None:
        self.cli, self.job, self.producer = cli, job, producer
        self.count = 0
        self._shown_at = time.monotonic()
        self._is_shown = False

    async def run(self, descriptor: int, interrupt: Interruptible) -> None:
        separator = self.job.key_separator
        keyed = None if separator is None else _Keyed(self.cli, self.job, separator)
        with interrupt:
            await self._send(read_lines(descriptor), keyed)
        await self.producer.flush()
        self._erase_progress()
        if interrupt.interrupted:
            self.cli.printer.progress(f"interrupted: {self.count} records were sent")
        if keyed is not None and keyed.skipped:
            self.cli.printer.hint(str(SkippedLinesError(keyed.skipped, keyed.separator)))

    async def _send(self, blocks: AsyncIterator[list[bytes]], keyed: _Keyed | None) -> None:
        async for lines in blocks:
            if keyed is None:
                self.count += await self.producer.send_many(lines, key=self.job.key)
            else:
                pairs = [pair for line in lines if (pair := keyed.pair(line)) is not None]
                self.count += await self.producer.send_pairs(pairs)
            self._show_progress()

    def _show_progress(self) -> None:
        printer, now = self.cli.printer, time.monotonic()
        if self.job.file is not None and printer.shows_progress and now - self._shown_at >= _PROGRESS_S:
            self._shown_at, self._is_shown = now, True
            printer.stderr.write(f"\r{self.count:,} records")
            printer.stderr.flush()

    def _erase_progress(self) -> None:
        if self._is_shown:
            self.cli.printer.stderr.write("\r\x1b[2K")


class _Interactive:
    """Lines that a person types."""

    def __init__(self, cli: "CliContext", job: ProduceJob, producer: "Producer") -> None:
        self.cli, self.job, self.producer = cli, job, producer

    async def run(self, descriptor: int, interrupt: Interruptible) -> None:
        separator = self.job.key_separator
        keyed = None if separator is None else _Keyed(self.cli, self.job, separator)
        with interrupt:
            self._prompt()
            async for lines in read_lines(descriptor):
                for line in lines:
                    await self._store(line, keyed)
                    self._ok()
                    self._prompt()
            await self.producer.flush()
            self._ok()
        if interrupt.interrupted:
            self.cli.printer.note("")

    async def _store(self, line: bytes, keyed: _Keyed | None) -> None:
        if keyed is None:
            await (await self.producer.send(self.job.key, line))
        else:
            pair = keyed.pair(line)
            if pair is not None:
                await (await self.producer.send(*pair))

    def _prompt(self) -> None:
        self.cli.printer.flush()
        self.cli.printer.stderr.write(PROMPT)
        self.cli.printer.stderr.flush()

    def _ok(self) -> None:
        self.cli.printer.message(self.cli.printer.styled("Ok!", "green"))
        self.cli.printer.flush()
