"""What of the records to come a topic has already, found out by comparing. Pure but for `look`.

For each partition it is known of how many records that they were stored (`done`), and at which offset of
the topic the next one was to be. What the topic has from there on is a tail: the records to come must begin
with the same ones, which are passed over. If they do not, somebody else has written there, and nothing is
sent.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fluvio_cli.transfer.digest import ContentDigest
from fluvio_cli.transfer.pieces import Piece
from fluvio_cli.transfer.reading import Extent, bounds_of, read_topic
from fluvio_cli.transfer.state import ImportStateError, Progress
from fluvio_cli.transfer.writing import Landing

if TYPE_CHECKING:
    from fluvio_client.client import Fluvio

QUIET_S = 1.0  # without a new record: then a server has stored all that a command had sent which was killed
_PATIENCE_S = 30.0  # that takes no longer: who still writes then is somebody else


@dataclass(slots=True)
class _Tail:
    """Records of the topic that are to be met."""

    count: int
    expected: str
    met: ContentDigest

    @property
    def is_met(self) -> bool:
        """Whether as many came."""
        return self.met.count >= self.count


@dataclass(slots=True)
class StoredAlready:
    """`look` at the topic once, ask `rest_of` for each piece in order, `check` when all have come."""

    topic: str
    began: Mapping[int, Progress]
    with_times: bool  # whether times of records must be the same
    found: dict[int, int] = field(default_factory=dict)  # so many were stored, as far as is known
    _passed: dict[int, int] = field(default_factory=dict)
    _tails: dict[int, _Tail] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.found = {number: each.done for number, each in self.began.items()}

    async def look(self, client: "Fluvio", quiet_s: float, patience_s: float = _PATIENCE_S) -> None:
        """Read the tails. Raises `ImportStateError`, and what reading does.

        A server may still be storing what a command that was killed had sent: it is looked at until nothing
        more came for `quiet_s`, for `patience_s` at most and what reading takes.
        """
        ends: dict[int, int] = {}
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            bounds = await bounds_of(client, self.topic, sorted(self.began))
            now = {number: end for number, (_, end) in bounds.items()}
            if now == ends:
                return
            if ends and asyncio.get_running_loop().time() >= deadline:
                raise ImportStateError(f"somebody else writes to `{self.topic}`: its end does not stay")
            ends = now
            await self._read_tails(client, ends)
            await asyncio.sleep(quiet_s)

    def again(self) -> "StoredAlready":
        """The same, before any piece came."""
        other = StoredAlready(self.topic, self.began, self.with_times)
        for number, tail in self._tails.items():
            met = ContentDigest(with_times=self.with_times)
            other._tails[number] = _Tail(tail.count, tail.expected, met)
        return other

    @property
    def is_met(self) -> bool:
        """Whether all that was found in the topic came, and nothing is to be compared any more."""
        return all(tail.is_met for tail in self._tails.values())

    async def _read_tails(self, client: "Fluvio", ends: Mapping[int, int]) -> None:
        for partition, end in ends.items():
            following = self.began[partition].next_offset
            if end < following:
                raise ImportStateError(
                    f"partition {partition} of `{self.topic}` ends at {end}, and records were stored there "
                    f"up to {following}: it is not the topic that it was"
                )
            if end == following:
                continue
            digest = ContentDigest(with_times=self.with_times)
            extent = Extent((partition,), {partition: following})
            async for piece in read_topic(client, self.topic, extent):
                digest.update(piece.columns())
            met = ContentDigest(with_times=self.with_times)
            self._tails[partition] = _Tail(digest.count, digest.hexdigest(), met)

    def landings(self) -> dict[int, Landing]:
        """Where the next record of each partition will be."""
        return {
            number: Landing(0, each.next_offset + (self._tails[number].count if number in self._tails else 0))
            for number, each in self.began.items()
        }

    def rest_of(self, piece: Piece) -> Piece | None:
        """What of a piece is not stored. Raises `ImportStateError`."""
        partition, began = piece.partition, self.began[piece.partition]
        passed = self._passed.get(partition, 0)
        self._passed[partition] = passed + piece.count
        start = min(max(began.done - passed, 0), piece.count)
        tail = self._tails.get(partition)
        if tail is not None and start < piece.count and not tail.is_met:
            stop = min(start + tail.count - tail.met.count, piece.count)
            tail.met.update(piece.part(start, stop).columns())
            if tail.is_met:
                self._check(partition, tail)
                self.found[partition] = began.done + tail.count
            start = stop
        return piece.part(start, piece.count) if start < piece.count else None

    def check(self) -> None:
        """All have come: every tail must have been met. Raises `ImportStateError`."""
        for partition, tail in self._tails.items():
            self._check(partition, tail)

    def _check(self, partition: int, tail: _Tail) -> None:
        if not tail.is_met or tail.met.hexdigest() != tail.expected:
            first = self.began[partition].next_offset
            raise ImportStateError(
                f"the records of `{self.topic}`-{partition} from offset {first} on are not those that "
                "were to come: somebody else writes there, so nobody can tell what is stored"
            )
