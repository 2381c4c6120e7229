"""`topic diff`, running: two topics, compared by settings, offsets and the records of each partition."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fluvio_cli.transfer.digest import ContentDigest
from fluvio_cli.transfer.places import Place
from fluvio_cli.transfer.progress import Tally
from fluvio_cli.transfer.reading import Extent, bounds_of, find_topic, read_topic
from fluvio_cli.transfer.settings import settings_of
from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext
    from fluvio_client.client import Fluvio

SETTINGS, OFFSETS, CONTENT = "settings", "offsets", "content"
ASPECTS = (SETTINGS, OFFSETS, CONTENT)


class TopicsDifferError(FluvioError):
    """Two topics are not the same."""

    kind = "drift"

    def __init__(self, left: Place, right: Place, aspects: list[str]) -> None:
        super().__init__(f"`{left}` and `{right}` differ: {', '.join(aspects)}")
        self.aspects = aspects


@dataclass(slots=True, frozen=True)
class DiffJob:
    """What to compare; the topics have names."""

    left: Place
    right: Place
    with_times: bool = False
    ignored: tuple[str, ...] = ()


@dataclass(slots=True)
class Half:
    """One partition of one topic."""

    start: int
    end: int
    digest: str | None = None  # of its records; None: not looked at

    @property
    def records(self) -> int:
        """How many there are."""
        return self.end - self.start


@dataclass(slots=True)
class Side:
    """One topic; `settings` None: it is not there."""

    place: Place
    settings: dict[str, Any] | None = None
    halves: dict[int, Half] = field(default_factory=dict)


@dataclass(slots=True)
class Comparison:
    """Both, and in what they differ."""

    left: Side
    right: Side
    ignored: tuple[str, ...]

    def settings(self) -> list[tuple[str, Any, Any]]:
        """Names of settings that differ, with both values."""
        left, right = self.left.settings, self.right.settings
        if left is None or right is None or SETTINGS in self.ignored:
            return []
        return [(name, left[name], right[name]) for name in left if left[name] != right[name]]

    def differs_in(self, partition: int) -> list[str]:
        """The aspects in which one partition differs; `existence` when one topic has none of this number."""
        left, right = self.left.halves.get(partition), self.right.halves.get(partition)
        if left is None or right is None:
            return ["existence"]
        found = []
        if OFFSETS not in self.ignored and (left.start, left.end) != (right.start, right.end):
            found.append(OFFSETS)
        if CONTENT not in self.ignored and left.digest != right.digest:
            found.append(CONTENT)
        return found

    def partitions(self) -> list[int]:
        """All numbers that either has."""
        return sorted({*self.left.halves, *self.right.halves})

    def aspects(self) -> list[str]:
        """In what they differ, for people; empty: in nothing."""
        missing = [side.place for side in (self.left, self.right) if side.settings is None]
        if missing:
            return [f"there is no `{place}`" for place in missing] if len(missing) == 1 else []
        found = [f"setting {name}" for name, _, _ in self.settings()]
        for partition in self.partitions():
            found += [f"{aspect} of partition {partition}" for aspect in self.differs_in(partition)]
        return found


async def compare(cli: "CliContext", job: DiffJob) -> Comparison:
    """Look at both, up to where they end now. Raises what the clients raise, and `TopicNotFoundError` when
    neither is there."""
    from fluvio_cli.commands.topic.failure import topic_not_found

    tally = Tally()
    with cli.printer.busy(tally.tell):
        async with (
            job.left.context(cli).client() as one,
            job.right.context(cli).client() as other,
            asyncio.TaskGroup() as tasks,
        ):
            found = [
                tasks.create_task(_look(client, place, job, tally), name=f"read {place}")
                for client, place in ((one, job.left), (other, job.right))
            ]
    left, right = (task.result() for task in found)
    if left.settings is None and right.settings is None:
        raise topic_not_found(job.left.topic)
    return Comparison(left, right, job.ignored)


async def _look(client: "Fluvio", place: Place, job: DiffJob, tally: Tally) -> Side:
    side = Side(place)
    found = await find_topic(client, place.topic)
    if found is None:
        return side
    side.settings = settings_of(*found)
    numbers = range(found[1])
    bounds = await bounds_of(client, place.topic, numbers)
    side.halves = {number: Half(*bounds[number]) for number in numbers}
    if CONTENT in job.ignored:
        return side
    digests = {number: ContentDigest(with_times=job.with_times) for number in numbers}
    async with aclosing(read_topic(client, place.topic, Extent())) as pieces:
        async for piece in pieces:
            digests[piece.partition].update(piece.columns())
            side.halves[piece.partition].end = piece.offsets[-1] + 1
            tally.add(piece.count)
            await asyncio.sleep(0)  # the other side has its turn
    for number, digest in digests.items():
        side.halves[number].digest = digest.hexdigest()
    return side
