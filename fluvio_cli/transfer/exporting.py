"""`topic export`, running: a topic into a file, or more of it into a file that was begun.

The file is appended to by whole units. Packing and writing one happens in a thread while the next is made.
"""

import asyncio
import os
import stat
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fluvio_cli.commands.topic.failure import topic_not_found
from fluvio_cli.streaming.interrupt import Interruptible
from fluvio_cli.streaming.selection import Selection
from fluvio_cli.transfer.blocks import Counts
from fluvio_cli.transfer.containers import Container, pack
from fluvio_cli.transfer.files import FileMaker, FileReader, Form
from fluvio_cli.transfer.progress import Tally
from fluvio_cli.transfer.reading import Extent, bounds_of, find_topic, read_topic
from fluvio_cli.transfer.settings import settings_of, topic_document
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_client.client import Fluvio

_READ_BYTES = 1024 * 1024
STANDARD = "-"


class FileExistsAlreadyError(FluvioError):
    """The file to export to is there."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} exists and was left as it is",
            hint="`--resume` goes on with what is in it, `--force` replaces it",
        )


class OtherTopicError(FluvioError):
    """A file holds other records than those that were to follow."""


@dataclass(slots=True, frozen=True)
class ExportJob:
    """What to write where. `file` may be `-`, standard output."""

    topic: str
    file: str
    form: Form
    container: Container
    partitions: tuple[int, ...] = ()
    selection: Selection = field(default_factory=Selection)
    resume: bool = False
    force: bool = False


@dataclass(slots=True)
class Exported:
    """What came of it. `added`: records of this run; `counts`: those of the whole file."""

    added: int
    counts: Counts
    skipped: int = 0  # removed by retention before they could be read
    interrupted: bool = False


async def export(cli: "CliContext", job: ExportJob, interrupt: Interruptible) -> Exported:
    """Run the job. Raises what the client raises, `OSError`, `FileExistsAlreadyError`, `OtherTopicError`,
    `DamagedExportError` (nothing can be added to the file), and `DecodeError`."""
    async with cli.client() as client:
        found = await find_topic(client, job.topic)
        if found is None:
            raise topic_not_found(job.topic)
        document = topic_document(job.topic, settings_of(*found))
        begun = survey(job) if job.resume else None
        if begun is not None:
            await _check_topic(client, job, begun, found[1])
        async with _opened(job, begun) as descriptor:
            interrupt.listen()
            return await _Export(cli, job, client, document, begun).run(descriptor, interrupt)


def survey(job: ExportJob) -> FileReader | None:
    """What is in the file, which is left as it is; None: nothing yet.

    A last unit that is not whole is no matter: it is cut off. Raises `OtherTopicError`, and
    `DamagedExportError` where something else is wrong.
    """
    reader, size = FileReader(job.file), 0
    try:
        with open(job.file, "rb") as file:
            while data := file.read(_READ_BYTES):
                size += len(data)
                for _ in reader.feed(data):
                    pass
    except FileNotFoundError:
        return None
    if not size:
        return None
    if not reader.good_bytes:
        raise OtherTopicError(
            f"there is no whole record in {job.file}: nothing can be added to it",
            hint="`--force` replaces it",
        )
    if reader.form is not job.form or reader.container is not job.container:
        raise OtherTopicError(
            f"{job.file} has the form {reader.form}, {reader.container}, not {job.form}, {job.container}"
        )
    if reader.topic not in (None, job.topic):
        raise OtherTopicError(f"{job.file} holds records of topic `{reader.topic}`, not of `{job.topic}`")
    return reader


async def _check_topic(client: "Fluvio", job: ExportJob, begun: FileReader, partitions: int) -> None:
    """The topic must have been where the file ends: else it is another one of the same name."""
    known = begun.counts.next_offsets
    bounds = await bounds_of(client, job.topic, [number for number in known if number < partitions])
    for number, following in known.items():
        end = bounds[number][1] if number in bounds else 0
        if end < following:
            raise OtherTopicError(
                f"{job.file} holds records of partition {number} up to offset {following - 1}, "
                f"the topic's end is {end}: it is not the topic that was exported",
                hint="export to another file",
            )


@asynccontextmanager
async def _opened(job: ExportJob, begun: FileReader | None) -> AsyncIterator[int]:
    if job.file == STANDARD:
        sys.stdout.flush()
        yield sys.stdout.fileno()
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
    if begun is None:
        flags |= os.O_TRUNC if job.force or job.resume else os.O_EXCL  # to resume it is empty, or not there
    try:
        descriptor = os.open(job.file, flags, 0o666)
    except FileExistsError:
        raise FileExistsAlreadyError(job.file) from None
    try:
        if begun is not None:
            os.ftruncate(descriptor, begun.good_bytes)
            os.lseek(descriptor, 0, os.SEEK_END)
        yield descriptor
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            await asyncio.to_thread(os.fsync, descriptor)
    finally:
        os.close(descriptor)


class _Export:
    def __init__(
        self,
        cli: "CliContext",
        job: ExportJob,
        client: "Fluvio",
        document: dict[str, Any],
        begun: FileReader | None,
    ) -> None:
        self._cli, self._job, self._client = cli, job, client
        counts = None if begun is None else begun.counts
        self._maker = FileMaker(job.form, job.topic, document, counts)
        self._before = 0 if counts is None else counts.total
        self._starts = {} if counts is None else dict(counts.next_offsets)
        self._result = Exported(0, self._maker.counts)
        self._tally = Tally()

    async def run(self, descriptor: int, interrupt: Interruptible) -> Exported:
        result, maker, selection = self._result, self._maker, self._job.selection
        if selection.count is not None:
            selection = replace(selection, count=selection.count - self._before)
        extent = Extent(self._job.partitions, self._starts, selection)
        pieces = read_topic(self._client, self._job.topic, extent, self._skipped)
        output = _Output(descriptor, self._job.container)
        async with aclosing(output), aclosing(pieces):
            with self._busy(), interrupt:
                if selection.count is None or selection.count > 0:
                    async for piece in pieces:
                        unit = maker.add(piece)
                        self._tally.add(piece.count)
                        if unit is not None:
                            await output.write(unit)
            await output.write(maker.rest())
            if not interrupt.interrupted:
                await output.write(maker.end())
            await output.written()
        result.added = maker.counts.total - self._before
        result.interrupted = interrupt.interrupted
        if selection.not_json:
            self._cli.printer.hint(f"records left out because they are no JSON: {selection.not_json}")
        return result

    def _busy(self) -> AbstractContextManager[None]:
        """Records that a terminal shows need no line that counts them."""
        if self._job.file == STANDARD and self._cli.printer.stdout_is_terminal:
            return nullcontext()
        return self._cli.printer.busy(self._tally.tell)

    def _skipped(self, partition: int, first: int, following: int) -> None:
        self._result.skipped += following - first
        gone = f"records {first} to {following - 1} of {self._job.topic}-{partition}"
        self._cli.printer.note(f"{gone} were removed by retention, going on at {following}")


class _Output:
    """Units on their way into the file, in order. Being cancelled leaves none of them out."""

    def __init__(self, descriptor: int, container: Container) -> None:
        self._descriptor, self._container = descriptor, container
        self._waiting: deque[bytes] = deque()
        self._writing: asyncio.Future[None] | None = None

    async def write(self, unit: bytes) -> None:
        """Take a unit; returns when it is being written, all before it are. Raises `OSError`."""
        if unit:
            self._waiting.append(unit)
        while self._waiting:
            await self._settle()
            loop = asyncio.get_running_loop()
            self._writing = loop.run_in_executor(
                None, _write_all, self._descriptor, self._container, self._waiting.popleft()
            )

    async def written(self) -> None:
        """Wait for the last one. Raises `OSError`."""
        await self.write(b"")
        await self._settle()

    async def _settle(self) -> None:
        if self._writing is not None:
            await asyncio.shield(self._writing)
            self._writing = None

    async def aclose(self) -> None:
        """Nothing is being written any more, whatever has happened."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
            self._writing.exception()  # of a writing that nobody waited for: another error has come out


def _write_all(descriptor: int, container: Container, unit: bytes) -> None:
    left = memoryview(pack(container, unit))
    while left:
        left = left[os.write(descriptor, left) :]
