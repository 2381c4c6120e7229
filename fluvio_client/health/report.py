"""What a health check found, and what the topics it makes are called. Pure.

A check makes a topic with one partition on each online SPU and removes it in the end. The name tells when it
was made, since the cluster does not: what a killed check has left is removed by a later one. Two checks at
once leave each other's topics alone, unless the clocks of their machines differ by more than a minute.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

TOPIC_PREFIX = "fluvio-health-"
LEFTOVER_AGE_S = 60  # a check that still runs is younger


def topic_name(now_s: float, random: bytes) -> str:
    """The topic of a check that begins at `now_s` (seconds since 1970)."""
    return f"{TOPIC_PREFIX}{int(now_s):08x}-{random.hex()}"


def leftovers(names: Iterable[str], now_s: float) -> list[str]:
    """Those of `names` that belong to a check which must have ended by now; others' topics never do."""
    return [
        name for name in names if (made := _made_at_s(name)) is not None and now_s - made > LEFTOVER_AGE_S
    ]


def _made_at_s(name: str) -> int | None:
    if not name.startswith(TOPIC_PREFIX):
        return None
    stamp, dash, random = name.removeprefix(TOPIC_PREFIX).partition("-")
    if len(stamp) != 8 or not dash or not random:
        return None
    try:
        bytes.fromhex(random)
        return int(stamp, 16)
    except ValueError:
        return None


@dataclass(slots=True)
class SpuHealth:
    """One SPU. Times in milliseconds, None for what was not done or failed; `error` says which and why."""

    id: int
    name: str
    address: str  # host:port, where clients find it
    is_online: bool  # as the controller says
    connect_ms: float | None = None
    produce_ms: float | None = None  # from opening a producer to the answer
    consume_ms: float | None = None  # from opening a consumer to the record
    error: str | None = None

    @property
    def problem(self) -> str | None:
        """What is wrong with it, or None."""
        if self.error is not None:
            return f"SPU {self.id}: {self.error}"
        return None if self.is_online else f"SPU {self.id} is offline"


@dataclass(slots=True)
class HealthReport:
    """A whole check; `refusal` is the cluster's reason where it let no record be tried."""

    platform_version: str
    sc_ms: float  # from a question to the controller's answer
    spus: list[SpuHealth] = field(default_factory=list)
    refusal: str | None = None
    error: str | None = None  # of the check as a whole
    left_topic: str | None = None  # could not be removed

    @property
    def problems(self) -> list[str]:
        """What is wrong; empty when the cluster is healthy."""
        found = [] if self.error is None else [self.error]
        if not self.spus:
            found.append("no SPU is registered")
        return found + [problem for spu in self.spus if (problem := spu.problem) is not None]

    @property
    def is_healthy(self) -> bool:
        """Whether everything that was tried went well."""
        return not self.problems
