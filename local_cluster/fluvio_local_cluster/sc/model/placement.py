"""Which SPUs hold which partition: even spreading by counting.

Rules and test vectors are the official controller's: the leader is the online SPU that leads the fewest
partitions, each follower the one that follows the fewest; lowest id on ties. Rows that are complete stay as
they are, so adding partitions moves nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fluvio_types.errors import FluvioError


class InsufficientSpusError(FluvioError):
    """There are not enough SPUs for the replication factor; the text is a topic's `reason`."""


@dataclass(slots=True)
class Load:
    """How many partitions each SPU leads and follows; placing counts on."""

    leaders: dict[int, int] = field(default_factory=dict)
    followers: dict[int, int] = field(default_factory=dict)

    def add(self, replicas: Iterable[int], leader: int | None = None) -> None:
        """Count one partition; the first replica leads unless `leader` says otherwise."""
        row = list(replicas)
        leading = row[0] if leader is None else leader
        for spu in row:
            counts = self.leaders if spu == leading else self.followers
            counts[spu] = counts.get(spu, 0) + 1

    def copy(self) -> "Load":
        """A load that counts by itself."""
        return Load(dict(self.leaders), dict(self.followers))


def place(
    partitions: int,
    replication: int,
    *,
    registered: int,
    online: Iterable[int],
    load: Load,
    placed: Mapping[int, list[int]] | None = None,
) -> dict[int, list[int]]:
    """Rows of SPU ids, the leader first, for partitions 0 to `partitions` - 1.

    `registered` counts all SPUs, `online` are the ids that may be chosen, `placed` the rows there are. New
    rows are counted in `load`. Raises `InsufficientSpusError`, and then `load` is as before.
    """
    candidates = sorted(online)
    if min(registered, len(candidates)) < replication:
        spus = "SPU" if replication == 1 else "SPUs"
        raise InsufficientSpusError(f"needs {replication} {spus}, {len(candidates)} online")
    rows: dict[int, list[int]] = {}
    for partition in range(partitions):
        row = (placed or {}).get(partition, [])
        rows[partition] = list(row) if len(row) == replication else _row(replication, candidates, load)
    return rows


def _row(replication: int, candidates: list[int], load: Load) -> list[int]:
    row = [min(candidates, key=lambda spu: load.leaders.get(spu, 0))]  # the first, so lowest, id on ties
    while len(row) < replication:
        free = [spu for spu in candidates if spu not in row]
        row.append(min(free, key=lambda spu: load.followers.get(spu, 0)))
    load.add(row)
    return row
