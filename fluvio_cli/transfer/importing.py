"""`topic import`, running: a file into a topic, or the rest of one after an interruption.

Partitions stay. What is noted meanwhile, and how an import goes on: `state`, and the package's docstring.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import ExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from fluvio_cli.commands.topic.failure import topic_not_found
from fluvio_cli.streaming.interrupt import Interruptible
from fluvio_cli.streaming.lines import Input
from fluvio_cli.transfer.files import DamagedExportError, FileReader, highest_partition
from fluvio_cli.transfer.pieces import Piece
from fluvio_cli.transfer.progress import Tally
from fluvio_cli.transfer.reading import bounds_of, find_topic, wished_partitions
from fluvio_cli.transfer.resuming import QUIET_S, StoredAlready
from fluvio_cli.transfer.settings import spec_of
from fluvio_cli.transfer.state import (
    EVERY_S,
    HEAD_BYTES,
    ImportInterruptedError,
    ImportNote,
    ImportRunningError,
    ImportState,
    ImportStateError,
    NothingToResumeError,
    Progress,
    head_digest,
    note_path,
)
from fluvio_cli.transfer.writing import SETTINGS, Landing, TopicWriter, demanded_codec
from fluvio_protocol.compression import Codec
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_client.client import Fluvio

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


class FileSettingsError(FluvioError):
    """A topic cannot be created by what the file says, or does not say, about it."""


@dataclass(slots=True, frozen=True)
class ImportJob:
    """What to read from where. `file` may be `-`, standard input; `topic` None: what the file names."""

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
    async with opened(cli, job) as source, cli.client() as client:
        topic, codec, partitions = await target_topic(client, job, source)
        run = _Import(cli, job, client, topic, partitions, source)
        with run.held_note():
            await run.prepare()
            async with client.producer(topic, SETTINGS) as producer:
                interrupt.listen()
                return await run.run(TopicWriter(producer, codec, job.keep_time), interrupt)


@asynccontextmanager
async def opened(cli: "CliContext", job: ImportJob) -> "AsyncIterator[Source]":
    """The file, begun. Raises `OSError`, `FluvioError` for a standard input that is closed."""
    if job.file == STANDARD:
        if cli.stdin.closed:
            raise FluvioError("standard input is closed", hint="give a file, or a pipe")
        yield await Source.begin(job.file, cli.stdin.fileno())
        return
    descriptor = os.open(job.file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield await Source.begin(job.file, descriptor)
    finally:
        os.close(descriptor)


class Source:
    """The file, read once from its first byte to its last."""

    def __init__(self, name: str, descriptor: int) -> None:
        self.reader = FileReader("standard input" if name == STANDARD else name)
        self.head = b""
        source = Input(descriptor)
        self._blocks, self.waits = source.blocks(), not source.is_file  # for whoever writes
        self._first: list[Piece] = []
        self._damage: DamagedExportError | None = None
        self._is_over = False

    @classmethod
    async def begin(cls, name: str, descriptor: int) -> Self:
        """Read as far as it takes to know the form, and the name of the topic."""
        self = cls(name, descriptor)
        while not (self._is_over or self._first or self.reader.document is not None):
            block = await anext(self._blocks, b"")
            if len(self.head) < HEAD_BYTES:
                self.head += block[:HEAD_BYTES]
            found = self.reader.feed(block) if block else self.reader.end()
            self._first += self._keep_damage(found)
            self._is_over = not block or self._damage is not None
        return self

    def _keep_damage(self, found: Iterator[Piece]) -> Iterator[Piece]:
        try:
            yield from found
        except DamagedExportError as exc:
            self._damage = exc

    async def pieces(self) -> AsyncGenerator[Piece | None, None]:
        """All records; None where nothing else has come so far, so that what is there should not wait.

        Raises `DamagedExportError` behind those that are good.
        """
        for piece in self._first:
            yield piece
        self._first = []
        if self.waits:
            yield None
        if self._damage is not None:
            raise self._damage
        if self._is_over:
            return
        async for block in self._blocks:
            for piece in self.reader.feed(block):
                yield piece
            if self.waits:
                yield None
        for piece in self.reader.end():
            yield piece


async def target_topic(client: "Fluvio", job: ImportJob, source: Source) -> tuple[str, Codec | None, int]:
    """Name of the topic to import into, the codec that it demands, its partitions; made if `job` says so.

    Raises `NoTopicNamedError`, `TopicNotFoundError`, `MissingPartitionsError`, `FileSettingsError`.
    """
    topic = job.topic or source.reader.topic
    if topic is None:
        raise NoTopicNamedError(job.file)
    found = await find_topic(client, topic)
    document = source.reader.document
    settings: Any = None if document is None else document.get("settings")
    if found is None:
        if not job.create:
            error = topic_not_found(topic)
            error.hint = "`--create` creates it, as the file describes it"
            raise error
        if document is None:
            settings = {"partitions": _partitions_in_lines(job), "replication": 1, "compression": "any"}
        try:
            spec = spec_of(settings)
        except ValueError as exc:
            raise FileSettingsError(f"{job.file} does not describe a topic: {exc}") from exc
        await client.admin.create_topic(topic, spec)
        found = spec, wished_partitions(spec)
    spec, partitions = found
    wanted = settings.get("partitions", 0) if isinstance(settings, dict) else 0
    if wanted > partitions:
        raise MissingPartitionsError(topic, wanted, partitions)
    return topic, demanded_codec(spec), partitions


def check_partition(topic: str, piece: Piece, partitions: int) -> None:
    """Raises `MissingPartitionsError`."""
    if piece.partition >= partitions:
        raise MissingPartitionsError(topic, piece.partition + 1, partitions)


def size_of(file: str) -> int | None:
    """Size in bytes of a file that can be read again; None for standard input and the like."""
    return os.path.getsize(file) if file != STANDARD and os.path.isfile(file) else None


def _partitions_in_lines(job: ImportJob) -> int:
    """How many partitions the records of JSON lines need: the file is read for that."""
    if size_of(job.file) is None:
        raise FileSettingsError(
            f"{job.file} cannot be read twice, and JSON lines do not say how many partitions there are",
            hint="create the topic before: `fluvio topic create NAME -p COUNT`",
        )
    with open(job.file, "rb") as file:
        return highest_partition(iter(lambda: file.read(_READ_BYTES), b"")) + 1


class _Import:
    def __init__(
        self,
        cli: "CliContext",
        job: ImportJob,
        client: "Fluvio",
        topic: str,
        partitions: int,
        source: Source,
    ) -> None:
        self._cli, self._job, self._client = cli, job, client
        self._topic, self._partitions, self._source = topic, partitions, source
        self._note: ImportNote | None = None
        self._state: ImportState | None = None
        self._stored = StoredAlready(topic, {}, job.keep_time)
        self._noted_at = monotonic()
        self._tally = Tally()

    @contextmanager
    def held_note(self) -> Iterator[None]:
        """Keep others from going on with this import. Raises `ImportRunningError`."""
        job = self._job
        if size_of(job.file) is None:
            yield
            return
        note = ImportNote(note_path(job.directory / job.file, self._cli.target().endpoint, self._topic))
        with ExitStack() as stack:
            try:
                if not stack.enter_context(note.held()):
                    raise ImportRunningError(self._source.reader.name, self._topic)
                self._note = note
            except OSError as exc:
                self._cannot_note(exc)
            yield

    def _cannot_note(self, why: OSError) -> None:
        self._note = None
        self._cli.printer.note(f"the import cannot go on if it is interrupted: {why}")

    async def prepare(self) -> None:
        """Find out where to go on, and note where the import begins."""
        job, name, topic = self._job, self._source.reader.name, self._topic
        bounds = await bounds_of(self._client, topic, range(self._partitions))
        ends = {number: end for number, (_, end) in bounds.items()}
        began = {number: Progress(0, end) for number, end in ends.items()}
        size = size_of(job.file)
        if size is None and job.resume:
            raise NothingToResumeError(name, topic, f"{name} cannot be read again")
        known = None
        if size is not None:
            known = self._known_state(ends, size)
            if known is None and job.resume:
                began = {number: Progress(0, start) for number, (start, _) in bounds.items()}
            self._state = known or ImportState(
                self._cli.target().endpoint, topic, size, head_digest(self._source.head), job.keep_time, began
            )
            began |= {
                number: Progress(each.done, each.next_offset)
                for number, each in self._state.partitions.items()
            }
        self._stored = StoredAlready(topic, began, job.keep_time)
        with self._cli.printer.busy(lambda: f"looking at what `{topic}` has"):
            await self._stored.look(self._client, QUIET_S if job.resume else 0.0)
            if job.resume and known is None:
                await self._compare_first()
        self._save()

    async def _compare_first(self) -> None:
        """Without a note nothing is sent before all that the topic has is known to be of the file."""
        job, name, topic = self._job, self._source.reader.name, self._topic
        stored = self._stored.again()
        try:
            async with opened(self._cli, job) as source, aclosing(source.pieces()) as pieces:
                async for piece in pieces:
                    if stored.is_met:
                        break
                    if piece is not None and piece.partition < self._partitions:
                        stored.rest_of(piece)
            stored.check()
        except ImportStateError as exc:
            raise NothingToResumeError(name, topic, str(exc)) from exc

    def _known_state(self, ends: dict[int, int], size: int) -> ImportState | None:
        """What an interrupted import has noted; None: nothing."""
        job, name, topic = self._job, self._source.reader.name, self._topic
        note = self._note
        known = None if note is None else note.load()
        if note is None or known is None:
            return None
        if not job.resume:
            if any(
                each.done or ends.get(number) != each.next_offset for number, each in known.partitions.items()
            ):
                raise ImportInterruptedError(name, topic, note.path)
            return None  # nothing came of it
        if known.head != head_digest(self._source.head[: known.size_bytes]) or known.size_bytes > size:
            raise ImportStateError(f"{name} is not the file whose import was interrupted")
        if known.keep_time != job.keep_time:
            was = "with" if known.keep_time else "without"
            raise ImportStateError(f"the import was begun {was} `--keep-time`: it must go on so")
        return known

    async def run(self, writer: TopicWriter, interrupt: Interruptible) -> Imported:
        """Send, and note what is stored."""
        writer.landed = self._stored.landings()
        writer.on_landed = lambda: self._landed(writer)
        try:
            try:
                with self._cli.printer.busy(self._tally.tell), interrupt:
                    await self._send(writer)
            except (DamagedExportError, MissingPartitionsError, ImportStateError):
                await writer.finish()
                raise
            await writer.finish()
        finally:
            self._take_note(writer)
        if not interrupt.interrupted:
            self._stored.check()
            if self._note is not None:
                self._note.remove()
        return Imported(
            self._topic,
            writer.total,
            sum(self._stored.found.values()),
            sum(each.strays for each in writer.landed.values()),
            writer.landed,
            interrupt.interrupted,
            self._note is not None,
        )

    async def _send(self, writer: TopicWriter) -> None:
        async with aclosing(self._source.pieces()) as pieces:
            async for piece in pieces:
                if piece is None:
                    await writer.flush()
                    continue
                check_partition(self._topic, piece, self._partitions)
                rest = self._stored.rest_of(piece)
                self._tally.add(piece.count)
                if rest is not None:
                    await writer.write(rest)

    def _landed(self, writer: TopicWriter) -> None:
        if monotonic() - self._noted_at >= EVERY_S:
            self._take_note(writer)

    def _take_note(self, writer: TopicWriter) -> None:
        if self._state is None:
            return
        self._noted_at = monotonic()
        stored = self._stored
        for number, landing in writer.landed.items():
            if landing.records or stored.found[number] != stored.began[number].done:
                done = stored.found[number] + landing.records
                self._state.partitions[number] = Progress(done, landing.next_offset)
        self._save()

    def _save(self) -> None:
        if self._note is None or self._state is None:
            return
        try:
            self._note.save(self._state)
        except OSError as exc:
            self._cannot_note(exc)
