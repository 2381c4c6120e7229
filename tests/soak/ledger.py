"""What became of each record that one producer was given. Pure: others write it and judge by it."""

import pickle
from array import array
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

_NEVER = float("inf")


class Fate(IntEnum):
    """Of one record."""

    UNKNOWN = 0  # given; nobody said what became of it
    ACKNOWLEDGED = 1
    FAILED = 2  # its producer was told that it is not stored, or that nobody knows


def _floats() -> "array[float]":
    return array("d")


def _longs() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class Ledger:
    """One entry for each sequence number, from 0 on. Times: seconds of the monotonic clock."""

    producer: int
    name: str
    topic: str
    given_s: "array[float]" = field(default_factory=_floats)
    settled_s: "array[float]" = field(default_factory=_floats)
    fates: bytearray = field(default_factory=bytearray)
    partitions: "array[int]" = field(default_factory=_longs)
    offsets: "array[int]" = field(default_factory=_longs)
    given_bytes: int = 0  # values only

    def give(self, now_s: float, size_bytes: int) -> int:
        """A record is about to be sent; returns its sequence number."""
        self.given_s.append(now_s)
        self.settled_s.append(_NEVER)
        self.fates.append(Fate.UNKNOWN)
        self.partitions.append(-1)
        self.offsets.append(-1)
        self.given_bytes += size_bytes
        return len(self.fates) - 1

    def acknowledge(self, sequence: int, partition: int, offset: int, now_s: float) -> None:
        """It is stored there."""
        self.fates[sequence] = Fate.ACKNOWLEDGED
        self.partitions[sequence], self.offsets[sequence] = partition, offset
        self.settled_s[sequence] = now_s

    def fail(self, sequence: int, now_s: float) -> None:
        """It may be stored or not."""
        self.fates[sequence] = Fate.FAILED
        self.settled_s[sequence] = now_s

    @property
    def count(self) -> int:
        """Records given."""
        return len(self.fates)

    def save(self, folder: Path) -> None:
        """Write it to `ledger-<producer>`."""
        (folder / f"ledger-{self.producer}").write_bytes(pickle.dumps(self))


def load_ledgers(folder: Path) -> list[Ledger]:
    """Those that were saved there, by producer."""
    found: list[Ledger] = [pickle.loads(path.read_bytes()) for path in folder.glob("ledger-*")]
    return sorted(found, key=lambda ledger: ledger.producer)
