"""`topic import`, running: a file into a topic, or the rest of one after an interruption.

Partitions stay. What is noted meanwhile, and how an import goes on: `state`, and the package's docstring.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from fluvio_cli.commands.topic.failure import topic_not_found
from fluvio_cli.streaming.interrupt import Interruptible
from fluvio_cli.streaming.lines import read_blocks
from fluvio_cli.transfer.digest import ContentDigest
from fluvio_cli.transfer.files import DamagedExportError, FileReader
from fluvio_cli.transfer.pieces import Piece
from fluvio_cli.transfer.progress import ProgressLine
from fluvio_cli.transfer.reading import Extent, bounds_of, find_topic, read_topic, wished_partitions
from fluvio_cli.transfer.settings import settings_of, spec_of
from fluvio_cli.transfer.state import (
    EVERY_S,
    HEAD_BYTES,
    ImportInterruptedError,
    ImportNote,
    ImportState,
    ImportStateError,
    NothingToResumeError,
    Progress,
    head_digest,
    note_path,
)
from fluvio_cli.transfer.writing import SETTINGS, Landing, TopicWriter, demanded_codec
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_client.client import Fluvio
    from fluvio_protocol.api.topic import TopicSpec

_READ_BYTES = 1024 * 1024
STANDARD = "-"


class NoTopicNamedError(FluvioError):
    """The file does not say which topic its records are of."""

    kind = "usage"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} does not say which topic it is of", hint="`fluvio topic import FILE TOPIC` names one"
        )


class MissingPartitionsError(FluvioError):
    """The topic has fewer partitions than the records need."""

    kind = "not-found"

    def __init__(self, topic: str, wanted: int, there: int) -> None:
        super().__init__(f"the records need {wanted} partitions, topic `{topic}` has {there}")
        self.hint = f"`fluvio topic add-partition {topic} --count {wanted - there}` adds what is missing"
        self.topic, self.wanted, self.there = topic, wanted, there


@dataclass(slots=True, frozen=True)
class ImportJob:
    """What to read from where. `file` may be `-`, standard input; `topic` None: the one that the file names."""

    file: str
    topic: str | None = None
    create: bool = False
    keep_time: bool = False
    resume: bool = False
    directory: Path = field(default_factory=Path)


@dataclass(slots=True)
class Imported:
    """What came of it. `records`: of this run; `found`: that an earlier run had stored."""

    topic: str = ""
    records: int = 0
    found: int = 0
    strays: int = 0
    landed: dict[int, Landing] = field(default_factory=dict)
    interrupted: bool = False
    resumable: bool = False


async def import_file(cli: "CliContext", job: ImportJob, interrupt: Interruptible) -> Imported:
    """Run the job. Raises what the client raises, `OSError`, `DamagedExportError` (all before it is stored
    then), `ImportStateError` and the other errors of `state` and of this module."""
    async with _opened(cli, job) as descriptor, cli.client() as client:
        source = _Source(job.file, descriptor)
        await source.begin()
        topic = job.topic or source.reader.topic
        if topic is None:
            raise NoTopicNamedError(job.file)
        spec, partitions = await _target(client, job, topic, source)
        wanted = _wanted_partitions(source.reader)
        if wanted > partitions:
            raise MissingPartitionsError(topic, wanted, partitions)
        run = _Import(cli, job, client, topic, partitions, source)
        codec = demanded_codec(settings_of(spec, partitions)["compression"])
        await run.prepare()
        async with client.producer(topic, SETTINGS) as producer:
            interrupt.listen()
            return await run.run(TopicWriter(producer, codec, job.keep_time), interrupt)


@asynccontextmanager
async def _opened(cli: "CliContext", job: ImportJob) -> AsyncIterator[int]:
    if job.file == STANDARD:
        if cli.stdin.closed:
            raise FluvioError("standard input is closed", hint="give a file, or a pipe")
        yield cli.stdin.fileno()
        return
    descriptor = os.open(job.file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class _Source:
    """The file, read once from its first byte to its last."""

    def __init__(self, name: str, descriptor: int) -> None:
        self.reader = FileReader("standard input" if name == STANDARD else name)
        self.head = b""
        self._descriptor = descriptor
        self._blocks = read_blocks(descriptor)
        self._first: list[Piece] = []
        self._damage: DamagedExportError | None = None
        self._is_over = False

    async def begin(self) -> None:
        """Read as far as it takes to know the form, and the name of the topic."""
        while not (self._is_over or self._first or self.reader.document is not None):
            block = await anext(self._blocks, b"")
            if len(self.head) < HEAD_BYTES:
                self.head += block[:HEAD_BYTES]
            self._is_over = not block
            self._first += self._keep_damage(self.reader.feed(block) if block else self.reader.end())
            if self._damage is not None:
                self._is_over = True

    def _keep_damage(self, found: Iterator[Piece]) -> Iterator[Piece]:
        try:
            yield from found
        except DamagedExportError as exc:
            self._damage = exc

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """All records. Raises `DamagedExportError` behind those that are good."""
        for piece in self._first:
            yield piece
        self._first = []
        if self._damage is not None:
            raise self._damage
        if self._is_over:
            return
        async for block in self._blocks:
            for piece in self.reader.feed(block):
                yield piece
        for piece in self.reader.end():
            yield piece


async def _target(client: "Fluvio", job: ImportJob, topic: str, source: _Source) -> "tuple[TopicSpec, int]":
    """The topic to import into; made if that was asked for."""
    found = await find_topic(client, topic)
    if found is not None:
        return found
    if not job.create:
        error = topic_not_found(topic)
        error.hint = "`--create` creates it, as the file describes it"
        raise error
    document = source.reader.document
    settings: Any
    if document is None:
        settings = {"partitions": _partitions_in_lines(job), "replication": 1, "compression": "any"}
    else:
        settings = document.get("settings")
    try:
        spec = spec_of(settings)
    except ValueError as exc:
        raise ImportStateError(f"{job.file} does not describe a topic: {exc}") from exc
    await client.admin.create_topic(topic, spec)
    return spec, wished_partitions(spec)


def _partitions_in_lines(job: ImportJob) -> int:
    """How many partitions the records of JSON lines need: the file is read for that."""
    if job.file == STANDARD or not os.path.isfile(job.file):
        raise FluvioError(
            f"{job.file} cannot be read twice, and JSON lines do not say how many partitions there are",
            hint="create the topic before: `fluvio topic create NAME -p COUNT`",
        )
    reader = FileReader(job.file)
    with open(job.file, "rb") as file:
        try:
            while data := file.read(_READ_BYTES):
                for _ in reader.feed(data):
                    pass
            for _ in reader.end():
                pass
        except DamagedExportError:
            pass  # the import says it, once it comes there
    return max(reader.counts.records, default=0) + 1


def _wanted_partitions(reader: FileReader) -> int:
    """How many partitions the header says that there were; 0 without a header."""
    settings: Any = (reader.document or {}).get("settings")
    return int(settings["partitions"]) if isinstance(settings, dict) and "partitions" in settings else 0


class _Import:
    def __init__(
        self,
        cli: "CliContext",
        job: ImportJob,
        client: "Fluvio",
        topic: str,
        partitions: int,
        source: _Source,
    ) -> None:
        self._cli, self._job, self._client = cli, job, client
        self._topic, self._partitions, self._source = topic, partitions, source
        self._note: ImportNote | None = None
        self._state: ImportState | None = None
        self._began: dict[int, Progress] = {}  # as the note said at the start
        self._passed: dict[int, int] = {}  # records of the file that were met, by partition
        self._tails: dict[int, _Tail] = {}
        self._noted_at = monotonic()
        self._line = ProgressLine(cli.printer)

    async def prepare(self) -> None:
        """Find out where to go on, and note where the import begins."""
        job, name = self._job, self._source.reader.name
        if not (job.file != STANDARD and os.path.isfile(job.file)):
            if job.resume:
                raise NothingToResumeError(name, self._topic)
            ends = await bounds_of(self._client, self._topic, range(self._partitions))
            self._began = {number: Progress(0, end) for number, (_, end) in ends.items()}
            return
        path = job.directory / job.file
        endpoint = self._cli.target().endpoint
        self._note = ImportNote(note_path(path, endpoint, self._topic))
        known = self._note.load()
        if known is not None and not job.resume:
            raise ImportInterruptedError(name, self._topic, self._note.path)
        if known is None and job.resume:
            raise NothingToResumeError(name, self._topic)
        ends = await bounds_of(self._client, self._topic, range(self._partitions))
        size = os.path.getsize(path)
        if known is None:
            fresh = {number: Progress(0, end) for number, (_, end) in ends.items()}
            head = head_digest(self._source.head)
            known = ImportState(endpoint, self._topic, size, head, job.keep_time, fresh)
        elif known.head != head_digest(self._source.head[: known.size_bytes]) or known.size_bytes > size:
            raise ImportStateError(f"{name} is not the file whose import was interrupted")
        elif known.keep_time != job.keep_time:
            was = "with" if known.keep_time else "without"
            raise ImportStateError(f"the import was begun {was} `--keep-time`: it must go on so")
        self._state = known
        self._began = {
            number: Progress(each.done, each.next_offset) for number, each in known.partitions.items()
        }
        for number, (_, end) in ends.items():
            await self._find_tail(number, end)
        self._save()

    async def _find_tail(self, partition: int, end: int) -> None:
        """What was stored behind the last note: to be met in the file before anything is sent."""
        noted = self._began.setdefault(partition, Progress(0, end))
        if end < noted.next_offset:
            raise ImportStateError(
                f"partition {partition} of `{self._topic}` ends at {end}, and the import had stored records "
                f"up to {noted.next_offset}: it is not the topic that was imported into"
            )
        if end > noted.next_offset:
            digest = ContentDigest(with_times=self._job.keep_time)
            extent = Extent((partition,), {partition: noted.next_offset})
            async for piece in read_topic(self._client, self._topic, extent):
                digest.update(piece.columns())
            self._tails[partition] = _Tail(digest.count, digest.hexdigest(), self._job.keep_time)

    async def run(self, writer: TopicWriter, interrupt: Interruptible) -> Imported:
        result = Imported(self._topic, landed=writer.landed, resumable=self._note is not None)
        for number, progress in self._began.items():
            tail = self._tails.get(number)
            writer.landed[number] = Landing(0, progress.next_offset + (tail.count if tail is not None else 0))
        self._found = {number: each.done for number, each in self._began.items()}
        writer.on_landed = lambda: self._landed(writer)
        try:
            with interrupt:
                await self._send(writer)
        except DamagedExportError:
            await writer.finish()
            raise
        finally:
            self._line.erase()
            self._take_note(writer)
        await writer.finish()
        self._take_note(writer)
        result.records, result.interrupted = writer.total, interrupt.interrupted
        result.found = sum(self._found.values())
        result.strays = sum(each.strays for each in writer.landed.values())
        if not interrupt.interrupted:
            self._check_tails()
            if self._note is not None:
                self._note.remove()
        return result

    async def _send(self, writer: TopicWriter) -> None:
        async with aclosing(self._source.pieces()) as pieces:
            async for piece in pieces:
                if piece.partition >= self._partitions:
                    raise MissingPartitionsError(self._topic, piece.partition + 1, self._partitions)
                rest = self._not_stored(piece)
                self._line.add(piece.count)
                if rest is not None:
                    await writer.write(rest)

    def _not_stored(self, piece: Piece) -> Piece | None:
        """What of a piece an earlier run has not stored. Raises `ImportStateError`."""
        partition, began = piece.partition, self._began[piece.partition]
        met = self._passed.get(partition, 0)
        self._passed[partition] = met + piece.count
        start = min(max(began.done - met, 0), piece.count)
        tail = self._tails.get(partition)
        if tail is not None and start < piece.count:
            stop = min(start + tail.count - tail.digest.count, piece.count)
            if stop > start:
                tail.digest.update(piece.part(start, stop).columns())
                if tail.is_met:
                    self._check_tail(partition, tail)
                    self._found[partition] = began.done + tail.count
                start = stop
        return piece.part(start, piece.count) if start < piece.count else None

    def _check_tails(self) -> None:
        for partition, tail in self._tails.items():
            self._check_tail(partition, tail)

    def _check_tail(self, partition: int, tail: "_Tail") -> None:
        if not tail.is_met or tail.digest.hexdigest() != tail.expected:
            first = self._began[partition].next_offset
            raise ImportStateError(
                f"the records from offset {first} on of `{self._topic}`-{partition} are not those of the file: "
                "somebody else writes to the topic, so nobody can tell which of the file are in it"
            )

    def _landed(self, writer: TopicWriter) -> None:
        if monotonic() - self._noted_at >= EVERY_S:
            self._take_note(writer)

    def _take_note(self, writer: TopicWriter) -> None:
        if self._state is None:
            return
        self._noted_at = monotonic()
        for number, landing in writer.landed.items():
            if landing.records or self._found[number] != self._began[number].done:
                done = self._found[number] + landing.records
                self._state.partitions[number] = Progress(done, landing.next_offset)
        self._save()

    def _save(self) -> None:
        if self._note is None or self._state is None:
            return
        try:
            self._note.save(self._state)
        except OSError as exc:
            self._note = None
            self._cli.printer.note(f"the import cannot go on if it is interrupted: {exc}")


@dataclass(slots=True)
class _Tail:
    """Records of the topic behind the last note."""

    count: int
    expected: str
    with_times: bool
    digest: ContentDigest = field(init=False)

    def __post_init__(self) -> None:
        self.digest = ContentDigest(with_times=self.with_times)

    @property
    def is_met(self) -> bool:
        """Whether the file had as many records."""
        return self.digest.count >= self.count
