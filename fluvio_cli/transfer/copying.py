"""`topic copy`, running: records of one topic into another, of the same cluster or another."""

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fluvio_cli.commands.topic.failure import topic_not_found
from fluvio_cli.streaming.interrupt import Interruptible
from fluvio_cli.streaming.selection import Selection
from fluvio_cli.transfer.importing import MissingPartitionsError
from fluvio_cli.transfer.masking import Mask
from fluvio_cli.transfer.places import Place
from fluvio_cli.transfer.progress import Tally
from fluvio_cli.transfer.reading import Extent, bounds_of, find_topic, read_topic
from fluvio_cli.transfer.resuming import QUIET_S, StoredAlready
from fluvio_cli.transfer.settings import settings_of, spec_of
from fluvio_cli.transfer.state import ImportStateError, Progress
from fluvio_cli.transfer.writing import SETTINGS, Landing, TopicWriter, demanded_codec
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_client.client import Fluvio
    from fluvio_protocol.compression import Codec


class SamePlaceError(FluvioError):
    """A topic was to be copied to itself."""

    kind = "usage"

    def __init__(self, place: Place) -> None:
        super().__init__(f"`{place}` is the topic that is read: it cannot be copied to itself")


@dataclass(slots=True, frozen=True)
class CopyJob:
    """What to copy, and where to; the topics have names."""

    source: Place
    destination: Place
    partitions: tuple[int, ...] = ()
    selection: Selection = field(default_factory=Selection)
    mask: Mask | None = None
    create: bool = False
    resume: bool = False


@dataclass(slots=True)
class Copied:
    """What came of it. `found`: records that the target had already."""

    records: int
    found: int
    strays: int
    landed: dict[int, Landing]
    interrupted: bool


async def copy(cli: "CliContext", job: CopyJob, interrupt: Interruptible) -> Copied:
    """Run the job. Raises what the clients raise, `SamePlaceError`, `MissingPartitionsError`,
    `NotMaskableError`, `ImportStateError`, `DecodeError`."""
    here, there = job.source.context(cli), job.destination.context(cli)
    topic = job.destination.topic
    if here.target().endpoint == there.target().endpoint and job.source.topic == topic:
        raise SamePlaceError(job.destination)
    tally = Tally()
    with cli.printer.busy(tally.tell):
        return await _copy(here, there, job, interrupt, tally)


async def _copy(
    here: "CliContext", there: "CliContext", job: CopyJob, interrupt: Interruptible, tally: Tally
) -> Copied:
    topic = job.destination.topic
    async with here.client() as reader, there.client() as writing:
        codec, partitions = await _target(reader, writing, job)
        bounds = await bounds_of(writing, topic, range(partitions))
        stored = await _stored(writing, job, bounds)
        async with writing.producer(topic, SETTINGS) as producer:
            writer = TopicWriter(producer, codec, keep_time=True, landed=stored.landings())
            interrupt.listen()
            extent = Extent(job.partitions, {}, job.selection)
            try:
                with interrupt:
                    async with aclosing(read_topic(reader, job.source.topic, extent)) as pieces:
                        async for piece in pieces:
                            masked = piece if job.mask is None else job.mask.masked(piece)
                            rest = stored.rest_of(masked)
                            tally.add(piece.count)
                            if rest is not None:
                                await writer.write(rest)
            except FluvioError:
                await writer.finish()
                raise
            await writer.finish()
        if not interrupt.interrupted:
            stored.check()
    strays = sum(each.strays for each in writer.landed.values())
    return Copied(writer.total, sum(stored.found.values()), strays, writer.landed, interrupt.interrupted)


async def _target(reader: "Fluvio", writing: "Fluvio", job: CopyJob) -> "tuple[Codec | None, int]":
    """The codec that the target demands, and its partitions; it is made if `job` says so."""
    source, topic = await find_topic(reader, job.source.topic), job.destination.topic
    if source is None:
        raise topic_not_found(job.source.topic)
    target = await find_topic(writing, topic)
    if target is None:
        if not job.create:
            error = topic_not_found(topic)
            error.hint = f"`--create` creates it, with the settings of `{job.source}`"
            raise error
        spec = spec_of(settings_of(*source))
        await writing.admin.create_topic(topic, spec)
        target = spec, source[1]
    wanted = max(job.partitions, default=source[1] - 1) + 1
    if wanted > target[1]:
        raise MissingPartitionsError(topic, wanted, target[1])
    return demanded_codec(target[0]), target[1]


async def _stored(client: "Fluvio", job: CopyJob, bounds: dict[int, tuple[int, int]]) -> StoredAlready:
    """What the target has already: with `resume` all that is in it must be what is to be copied."""
    began = {number: Progress(0, 0 if job.resume else end) for number, (_, end) in bounds.items()}
    for number, (first, _) in bounds.items():
        if job.resume and first:
            raise ImportStateError(
                f"the first {first} records of `{job.destination}`-{number} are gone: nobody can tell "
                "whether they were copies"
            )
    stored = StoredAlready(job.destination.topic, began, with_times=True)
    await stored.look(client, QUIET_S if job.resume else 0.0)
    return stored
