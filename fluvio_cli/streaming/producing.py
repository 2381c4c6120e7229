"""`produce`, running: lines or a whole input in, records out.

Not interactive: all input is given to the producer as it comes, in bulk, and the end waits until every
record is stored. Interactive: each line is stored before `Ok!` and the next prompt.

Ctrl-C and SIGTERM end the reading; what was read is still sent. A second one gives that up as well. How many
records were stored is told to whoever watches or asks with `--verbose`, and to everybody when it may be
fewer than were read.
"""

import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fluvio_cli.streaming.interrupt import Interruptible
from fluvio_cli.streaming.lines import BLOCK_BYTES, Input
from fluvio_cli.values import format_byte_size
from fluvio_client.errors import RecordTooLargeError
from fluvio_client.producer.settings import Delivery, ProducerSettings
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_client.producer.producer import Producer

PROMPT = "> "
_FRAMING_BYTES = 1024  # more than a request has around one record's key and value
_Pair = tuple[bytes | None, bytes]


class SkippedLinesError(FluvioError):
    """Lines without the key separator were left out; all others are stored."""

    def __init__(self, count: int, separator: str) -> None:
        lines = "1 line" if count == 1 else f"{count} lines"
        were = "was" if count == 1 else "were"
        super().__init__(f"{lines} had no separator '{separator}' and {were} skipped")
        self.count, self.separator = count, separator


class NoRecordError(FluvioError):
    """A line of `--ndjson` is no record."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(
            f"line {number:,} is no record: {reason}",
            hint="the lines before it are stored, those behind are not",
        )
        self.number, self.reason = number, reason


@dataclass(slots=True, frozen=True)
class ProduceJob:
    """What to send, and how."""

    topic: str
    settings: ProducerSettings
    file: str | None = None  # None: standard input
    key: bytes | None = None
    key_separator: str | None = None
    raw: bool = False
    ndjson: bool = False
    verbose: bool = False


async def produce(cli: "CliContext", job: ProduceJob, interrupt: Interruptible) -> None:
    """Run the job. Raises what the client raises, `OSError` for the file, and `KeyboardInterrupt` at the end
    of an interrupted job, when what had been read was stored."""
    if job.file is None and cli.stdin.closed:
        raise FluvioError("standard input is closed", hint="give a file with `--file`, or a pipe")
    descriptor = os.open(job.file, os.O_RDONLY) if job.file is not None else cli.stdin.fileno()
    try:
        source = Input(descriptor)
        tally = _Tally(job, source, interrupt)
        with cli.printer.busy(tally.progress):
            await _run(cli, job, source, tally)
    finally:
        if job.file is not None:
            os.close(descriptor)
    if interrupt.interrupted:
        raise KeyboardInterrupt


async def _run(cli: "CliContext", job: ProduceJob, source: Input, tally: "_Tally") -> None:
    interrupt = tally.interrupt
    try:
        async with cli.client() as client, client.producer(job.topic, job.settings) as producer:
            tally.producer = producer
            interrupt.listen()
            tally.is_typed = job.file is None and cli.stdin.isatty()
            if job.raw:
                await _send_whole(cli, job, source, tally)
            elif tally.is_typed:
                await _Interactive(cli, job, tally).run(source)
            else:
                await _Bulk(cli, job, tally).run(source)
    finally:
        printer = cli.printer
        if tally.producer is not None and (
            interrupt.interrupted or job.verbose or printer.is_verbose or printer.shows_progress
        ):
            printer.note(tally.result())


class _Tally:
    """What was read and what became of it, in words."""

    def __init__(self, job: ProduceJob, source: Input, interrupt: Interruptible) -> None:
        self.interrupt = interrupt
        self.producer: Producer | None = None  # None: not connected yet
        self.read_count = 0  # records that were given to the producer
        self.is_typed = False  # by a person, whose time says nothing
        self._job, self._source, self._begun = job, source, time.monotonic()
        self._done = "sent" if job.settings.delivery is Delivery.AT_MOST_ONCE else "stored"

    @property
    def _stored(self) -> int:
        return 0 if self.producer is None else self.producer.stored_count

    def progress(self) -> str:
        """How far it is, while it goes on."""
        if self.producer is None:
            return "connecting"
        if self.interrupt.interrupted:
            left = _records(self.read_count - self._stored)
            return f"interrupted: waiting until {left} are {self._done}, Ctrl-C again gives them up"
        read, size = self._source.read_bytes, self._source.size_bytes
        text = format_byte_size(read)
        if size is not None:
            share = f" ({min(100 * read // size, 100)} %)" if size else ""
            text += f" of {format_byte_size(max(size, read))}{share}"
        rate = read / max(time.monotonic() - self._begun, 0.001)
        text += f" read, {format_byte_size(int(rate))}/s"
        return text if self._job.raw else f"{text}, {_records(self._stored)} {self._done}"

    def result(self) -> str:
        """What came of it, at the end."""
        stored, read = self._stored, self.read_count
        text = "interrupted: " if self.interrupt.interrupted else ""
        if stored == read:
            text += f"{_records(stored)} {self._done}"
        else:
            text += f"{stored:,} of {_records(read)} {self._done}"
            text += f", the other {read - stored:,} were not acknowledged"
        if not self.interrupt.interrupted:
            text += "" if self.is_typed else f" in {time.monotonic() - self._begun:.1f} s"
        elif self._job.raw and not read:
            text += f"; the input had not ended after {format_byte_size(self._source.read_bytes)}"
        elif self._source.unfinished_bytes:
            size = format_byte_size(self._source.unfinished_bytes)
            text += f"; a last line without its end ({size}) was not sent"
        return text


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


async def _next(blocks: AsyncIterator[list[bytes]], interrupt: Interruptible) -> list[bytes] | None:
    """The next lines; None at the end, or when reading was interrupted."""
    lines = None
    if not interrupt.interrupted:
        with interrupt:
            lines = await anext(blocks, None)
    return lines


async def _send_whole(cli: "CliContext", job: ProduceJob, source: Input, tally: _Tally) -> None:
    whole, interrupt = None, tally.interrupt
    with interrupt:
        if tally.is_typed:
            with cli.printer.still():
                whole = await source.whole()
        else:
            whole = await source.whole()
    if whole is None or tally.producer is None:
        return
    tally.read_count = 1
    await (await tally.producer.send(job.key, whole))
    if tally.is_typed:
        cli.printer.message(cli.printer.styled("Ok!", "green"))


class _Records:
    """Makes records of lines: splits at the key separator, tells what it skips, echoes what it splits."""

    def __init__(self, cli: "CliContext", job: ProduceJob) -> None:
        self.cli, self.job, self.skipped, self._line = cli, job, 0, 0
        self._separator = None if job.key_separator is None else job.key_separator.encode()

    def pair(self, line: bytes) -> _Pair | None:
        """(key, value), or None for a line without separator. Raises `NoRecordError`."""
        self._line += 1
        if self.job.ndjson:
            from fluvio_cli.streaming.ndjson_records import read_record

            try:
                return read_record(line)
            except ValueError as exc:
                raise NoRecordError(self._line, str(exc)) from None
        if self._separator is None:
            return self.job.key, line
        key, found, value = line.partition(self._separator)
        if not found:
            self.skipped += 1
            text = line.decode(errors="replace")
            self.cli.printer.note(
                f"Failed to find separator '{self.job.key_separator}' in record, skipping: '{text}'"
            )
            return None
        if self.job.verbose:
            self.cli.printer.message(f"[{key.decode(errors='replace')}] {value.decode(errors='replace')}")
        return key, value


class _Bulk:
    """Lines of a file or pipe."""

    def __init__(self, cli: "CliContext", job: ProduceJob, tally: _Tally) -> None:
        assert tally.producer is not None
        self.cli, self.job, self.tally, self.producer = cli, job, tally, tally.producer
        self._records = _Records(cli, job)
        # Of lines that may be too large each is given by itself: those before one that is are sent.
        self._most_bytes = job.settings.max_request_bytes - BLOCK_BYTES - _FRAMING_BYTES - len(job.key or b"")

    async def run(self, source: Input) -> None:
        blocks = source.lines()
        while (lines := await _next(blocks, self.tally.interrupt)) is not None:
            if len(lines[0]) > self._most_bytes:  # the others fit into a block together
                await self._send_each(lines)
            elif self.job.key_separator is None and not self.job.ndjson:
                self.tally.read_count += len(lines)
                await self.producer.send_many(lines, key=self.job.key)
            else:
                await self._send_pairs(lines)
        await self.producer.flush()
        if self._records.skipped and self.job.key_separator is not None:
            raise SkippedLinesError(self._records.skipped, self.job.key_separator)

    async def _send_pairs(self, lines: list[bytes]) -> None:
        pairs, problem = [], None
        try:
            for line in lines:
                pair = self._records.pair(line)
                if pair is not None:
                    pairs.append(pair)
        except NoRecordError as exc:
            problem = exc
        self.tally.read_count += len(pairs)
        await self.producer.send_pairs(pairs)
        if problem is not None:
            await self.producer.flush()
            raise problem

    async def _send_each(self, lines: list[bytes]) -> None:
        for line in lines:
            pair = self._records.pair(line)
            if pair is None:
                continue
            try:
                await self.producer.send(*pair)
            except RecordTooLargeError as exc:
                await self.producer.flush()
                exc.hint = (
                    f"it is record {self.tally.read_count + 1:,} of the input; those before it are stored"
                )
                raise
            self.tally.read_count += 1


class _Interactive:
    """Lines that a person types."""

    def __init__(self, cli: "CliContext", job: ProduceJob, tally: _Tally) -> None:
        assert tally.producer is not None
        self.cli, self.tally, self.producer = cli, tally, tally.producer
        self._records = _Records(cli, job)

    async def run(self, source: Input) -> None:
        blocks = source.lines()
        while (lines := await self._ask(blocks)) is not None:
            for number, line in enumerate(lines):
                if number:
                    self._prompt()
                await self._store(line)
                self._ok()
        if self.tally.interrupt.interrupted:
            self.cli.printer.note("")
        else:
            await self.producer.flush()
            self._ok()

    async def _ask(self, blocks: AsyncIterator[list[bytes]]) -> list[bytes] | None:
        with self.cli.printer.still():
            self._prompt()
            return await _next(blocks, self.tally.interrupt)

    async def _store(self, line: bytes) -> None:
        pair = self._records.pair(line)
        if pair is not None:
            delivery = await self.producer.send(*pair)
            self.tally.read_count += 1
            await delivery

    def _prompt(self) -> None:
        self.cli.printer.flush()
        self.cli.printer.stderr.write(PROMPT)
        self.cli.printer.stderr.flush()

    def _ok(self) -> None:
        self.cli.printer.message(self.cli.printer.styled("Ok!", "green"))
        self.cli.printer.flush()
