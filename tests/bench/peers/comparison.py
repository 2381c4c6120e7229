"""A row with a column for each engine. Our figure is what the row measures; the limit is its reference."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.bench.measuring import Row, Samples


@dataclass(slots=True, frozen=True)
class Missing:
    """A figure that could not be taken, and why."""

    reason: str


@dataclass(slots=True, frozen=True)
class ProcessorTime:
    """Processor seconds of one run, by both ends: near `wall_s`, an end is what bounds it."""

    client_s: float
    server_s: float
    wall_s: float


@dataclass(slots=True)
class Comparison(Row):
    """Ours beside the peers. `must_beat_peers`: our median must be at least as good as that of each peer."""

    key: str = ""  # for programs: "produce/5000"
    peers: Mapping[str, Samples | Missing] = field(default_factory=dict)
    processor: Mapping[str, ProcessorTime] = field(default_factory=dict)  # by engine, medians
    must_beat_peers: bool = False

    @property
    def is_rate(self) -> bool:
        """Whether more is better."""
        return self.unit.endswith("/s")

    def ratio_to(self, peer: str) -> float | None:
        """Our median over the peer's; None when the peer has none."""
        samples = self.peers.get(peer)
        if not isinstance(samples, Samples) or samples.median == 0:
            return None
        return self.measured.median / samples.median

    def is_as_good_as(self, peer: str) -> bool | None:
        """None when the peer has no figure."""
        ratio = self.ratio_to(peer)
        if ratio is None:
            return None
        return ratio >= 1 if self.is_rate else ratio <= 1

    @property
    def is_met(self) -> bool | None:
        """Whether all targets are reached; a peer that is missing decides nothing."""
        verdicts: list[bool | None] = [target.is_met(self) for target in self.targets]
        if self.must_beat_peers:
            verdicts += [self.is_as_good_as(peer) for peer in self.peers]
        known = [verdict for verdict in verdicts if verdict is not None]
        return all(known) if known else None

    def document(self) -> dict[str, Any]:
        """What `--json` says of it beyond a usual row."""
        return {
            "key": self.key,
            "must_beat_peers": self.must_beat_peers,
            "peers": {name: _peer_document(self, name) for name in self.peers},
            "processor_s": {
                name: {"client": spent.client_s, "server": spent.server_s, "wall": spent.wall_s}
                for name, spent in self.processor.items()
            },
        }


def _peer_document(row: Comparison, name: str) -> dict[str, Any]:
    samples = row.peers[name]
    if isinstance(samples, Missing):
        return {"missing": samples.reason}
    return {
        "median": samples.median,
        "spread": samples.spread,
        "samples": samples.values,
        "ratio": row.ratio_to(name),
    }
