"""What happens in a soak: topics, producers, consumers, restarts. From a seed; pure."""

import random
from dataclasses import dataclass, field
from enum import Enum

SPU_COUNT = 2
KIB, MIB = 1024, 1024 * 1024


@dataclass(slots=True, frozen=True)
class Topic:
    """`options` are those of `fluvio topic create`."""

    name: str
    partitions: int
    options: tuple[str, ...] = ()


SHORT_LIVED = "short"  # the topic with a retention
TOPICS = (
    Topic("orders", 4),
    Topic("events", 2),
    # Cleaned all the time: by age in a slow moment, by size in a busy one.
    Topic(
        SHORT_LIVED,
        2,
        ("--retention-time", "20s", "--segment-size", str(MIB), "--max-partition-size", str(8 * MIB)),
    ),
)


@dataclass(slots=True, frozen=True)
class Load:
    """A producer and its settings; `codec` and `is_committed` by the names of our client's settings."""

    producer: int
    name: str
    topic: str
    rate: float  # records a second
    sizes: tuple[int, int]  # of values, bytes: from, to
    batch_bytes: int = 16 * KIB
    linger_ms: int = 0
    codec: str = "NONE"
    keys: int = 0  # how many different ones; 0: records without key
    is_committed: bool = False
    tick_s: float = 0.02  # records come in bunches, one each tick
    awaits_each: bool = False


LOADS = (
    Load(1, "small batches", "orders", 600, (50, 150)),
    Load(2, "lz4, keys", "orders", 300, (500, 1500), 64 * KIB, 20, "LZ4", keys=100),
    Load(3, "committed", "orders", 100, (100, 100), is_committed=True),
    Load(4, "zstd, bursts", "events", 300, (1000, 5000), MIB, codec="ZSTD", tick_s=1.0),
    Load(5, "one by one", "events", 50, (200, 200), codec="GZIP", awaits_each=True),
    Load(6, "snappy, linger", "events", 100, (100, 1000), 16 * KIB, 100, "SNAPPY", keys=10),
    Load(7, "short-lived", SHORT_LIVED, 150, (3000, 7000), 64 * KIB),
)
OFFICIAL = Load(100, "official client", "orders", 100, (500, 500), keys=50, tick_s=0.5)


def kept_bytes(duration_s: float, factor: float) -> float:
    """About how much a run leaves on the disk before it is judged, topics with a retention left out."""
    kept = [load for load in (*LOADS, OFFICIAL) if load.topic != SHORT_LIVED]
    return sum(load.rate * sum(load.sizes) / 2 for load in kept) * factor * duration_s


class Habit(Enum):
    """How a consumer reads."""

    FAST = "fast"  # all the time; its latencies are the ones that count
    SLOW = "slow"  # pauses now and then, and catches up
    MANAGED = "managed"  # the cluster keeps its place; it is closed and opened now and then


@dataclass(slots=True, frozen=True)
class Reader:
    """A consumer of all partitions of a topic. Times in seconds, of which one is drawn between the two."""

    name: str
    topic: str
    habit: Habit
    works_s: tuple[float, float] = (0.0, 0.0)
    pauses_s: tuple[float, float] = (0.0, 0.0)


READERS = (
    Reader("fast orders", "orders", Habit.FAST),
    Reader("fast events", "events", Habit.FAST),
    Reader("fast short", SHORT_LIVED, Habit.FAST),
    Reader("slow orders", "orders", Habit.SLOW, (1, 5), (5, 30)),
    Reader("evicted", SHORT_LIVED, Habit.SLOW, (1, 5), (20, 60)),
    Reader("managed events", "events", Habit.MANAGED, (3, 15)),
)


class How(Enum):
    """Of a restart."""

    ORDERLY = "shutdown and resume"
    KILL = "kill -9 of an SPU, and resume"


@dataclass(slots=True, frozen=True)
class Restart:
    """`at_s` counts from the beginning of the load; `pause_s` lies between the end and `resume`."""

    at_s: float
    how: How
    spu: int  # number of the SPU that is killed
    pause_s: float


@dataclass(slots=True)
class Plan:
    """Of one run."""

    seed: int
    duration_s: float
    restarts: list[Restart] = field(default_factory=list)


_MEAN_GAP_S = 75.0
_RESTLESS = 0.6  # the part of the time in which there are restarts: memory is judged in the rest


def make_plan(seed: int, duration_s: float) -> Plan:
    """Restarts at random times in the first 60 % of the run, at least one."""
    choose = random.Random(seed)
    mean_s = min(_MEAN_GAP_S, duration_s * 0.5)
    plan = Plan(seed, duration_s)
    at_s = mean_s * choose.uniform(0.4, 1.0)
    while at_s < duration_s * _RESTLESS:
        how = choose.choice(list(How))
        longest_s = min(3.0, duration_s / 20)
        restart = Restart(at_s, how, choose.randrange(SPU_COUNT), choose.uniform(0.0, longest_s))
        plan.restarts.append(restart)
        at_s += mean_s * choose.uniform(0.5, 1.5)
    return plan
