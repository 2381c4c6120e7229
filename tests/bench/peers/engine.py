"""What an engine is to the benchmark: a server that it starts, and a client that does one task at a time."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import crc32c
import psutil

WARM_UP_TICKS = 500  # of a paced run: sent and received, but not counted
TICKS_PER_SECOND = 1_000
_POOL_BYTES = 1_048_576
_SEED = 20_240_229  # the same values in every process, so that their checksum is known to all


class UnavailableError(Exception):
    """An engine cannot be had on this machine; the text says why, in few words: it stands in the table."""


@dataclass(slots=True, frozen=True)
class Job:
    """One task of a client: the same numbers for every engine."""

    endpoint: str  # host:port of the server
    topic: str
    count: int = 0  # records
    size_bytes: int = 1_000  # of each value; there are no keys
    batch_bytes: int = 1_000_000  # of a batch, where the engine has batches
    in_flight_bytes: int = 8_388_608  # given to the client and not acknowledged yet, at most
    decode: bool = True  # consuming: make every record; else whole batches, where the engine has them
    acknowledged: bool = False  # one by one: wait for each acknowledgement before the next record


@dataclass(slots=True, frozen=True)
class Outcome:
    """What a task took."""

    seconds: float
    processor_s: float  # of the client's process, all of its threads
    count: int  # records
    checksum: int | None = None  # of the values that came; None where none was looked at


class Server(Protocol):
    """A server on this machine, with its data in a temporary directory. Used from one thread."""

    name: str  # as it stands in the table
    most_records: int  # of one transfer; a rate does not depend on it, but a slow engine's time does

    def prepare(self) -> str:
        """Get all that `start` needs, and return what it is, with versions. Raises `UnavailableError`."""

    def start(self) -> None:
        """Return when it serves, with no data. Raises `UnavailableError` when it does not come up."""

    def stop(self) -> None:
        """End it and delete its data; nothing happens when it does not run."""

    @property
    def endpoint(self) -> str:
        """Where it serves clients."""

    def processes(self) -> list[psutil.Process]:
        """All processes it consists of."""

    def data_files(self) -> list[Path]:
        """The files that hold records."""


class Client(Protocol):
    """The engine's Python client. Tasks raise what the client raises: the process ends then.

    Connecting, and making the values, do not count.
    """

    def create(self, job: Job) -> None:
        """Make a topic of one partition (JetStream: a stream), kept in files."""

    def drop(self, job: Job) -> None:
        """Delete it with its data."""

    def produce(self, job: Job) -> Outcome:
        """Send `values(count, size_bytes)` by the fastest way the client has, until all are acknowledged."""

    def consume(self, job: Job) -> Outcome:
        """Read `count` records from the first on, from opening the consumer to the last record."""

    def send_singly(self, job: Job) -> Outcome:
        """The same values in a loop of single sends, as `acknowledged` says, until all are acknowledged."""

    def send_paced(self, job: Job) -> None:
        """Send a record at each tick of `Pacer`, at once; each value begins with its tick's stamp."""

    def receive_paced(self, job: Job, ready: Callable[[], None]) -> list[int]:
        """Receive one record, call `ready`, then `count` more: nanoseconds from their ticks to here."""


@lru_cache(maxsize=1)
def values(count: int, size_bytes: int) -> list[bytes]:
    """Different values, cut from 1 MiB of random bytes; the same in every process."""
    pool = random.Random(_SEED).randbytes(_POOL_BYTES + size_bytes)
    return [pool[start : start + size_bytes] for start in (i * 101 % _POOL_BYTES for i in range(count))]


def checksum(parts: Sequence[bytes], so_far: int = 0) -> int:
    """CRC-32C over all of them in order, as if they were one."""
    for part in parts:
        so_far = crc32c.crc32c(part, so_far)
    return so_far


def stamped_value(stamp_ns: int, size_bytes: int) -> bytes:
    """A value that begins with the stamp of its tick."""
    return stamp_ns.to_bytes(8, "big") + bytes(size_bytes - 8)


def stamp_of(value: bytes) -> int:
    """The stamp with which a value begins."""
    return int.from_bytes(value[:8], "big")


def percentile(samples: Sequence[float], percent: float) -> float:
    """The least sample that at least `percent` of all do not exceed (nearest rank)."""
    if not samples:
        raise ValueError("no samples")
    ranked = sorted(samples)
    return ranked[max(1, math.ceil(len(ranked) * percent / 100)) - 1]
