"""What to measure: the settings of one run, with the official names and defaults."""

import random
import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fluvio_types.errors import FluvioError

KEY_STRATEGIES = ("no-key", "all-share-same-key", "producer-worker-unique-key", "random-key")
KINDS = ("producer", "consumer", "end-to-end")


class BenchmarkSettingsError(FluvioError):
    """Settings of a benchmark that make no sense, or a file of them that cannot be read."""


@dataclass(slots=True, frozen=True)
class Job:
    """One run: `num_samples` measurements of the same thing. Sizes in bytes, times in seconds."""

    kind: str = "producer"
    batch_size: int = 16 * 1024
    queue_size: int = 100  # batches that may wait
    max_request_size: int = 32 * 1024 * 1024
    linger: float = 0.0
    server_timeout: float = 5.0
    compression: str = "none"
    num_samples: int = 3
    time_between_samples: float = 0.25
    worker_timeout: float = 3000.0
    record_key_allocation_strategy: str = "no-key"
    num_producers: int = 1
    num_records: int = 10_000
    record_size: int = 5 * 1024
    partitions: int = 1
    replicas: int = 1
    rate: float | None = None  # records a second, of all producers together; None: as fast as they go
    warm_up: int = 0  # records of each sample that do not count
    ignore_rack: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_size", "queue_size", "num_samples", "num_producers", "num_records", "partitions"):
            if getattr(self, name) < 1:
                raise BenchmarkSettingsError(f"`{name.replace('_', '-')}` must be at least 1")
        if self.kind not in KINDS:
            raise BenchmarkSettingsError(f"a benchmark is one of {', '.join(KINDS)}, not `{self.kind}`")
        if self.record_key_allocation_strategy not in KEY_STRATEGIES:
            raise BenchmarkSettingsError(f"keys are allocated by one of {', '.join(KEY_STRATEGIES)}")
        if self.rate is not None and not self.rate > 0:
            raise BenchmarkSettingsError("`rate` must be more than 0")
        if self.num_records < self.num_producers:
            raise BenchmarkSettingsError("`num-records` must be at least `num-producers`: each sends some")

    def described(self) -> dict[str, Any]:
        """The settings that two runs must share to be compared."""
        return asdict(self)


def random_topic() -> str:
    """`benchmark-` and ten letters or digits."""
    return "benchmark-" + "".join(random.choices(string.ascii_lowercase + string.digits, k=10))


def key_of(job: Job, producer: int, number: int) -> bytes | None:
    """The key of a record, as the strategy says."""
    match job.record_key_allocation_strategy:
        case "all-share-same-key":
            return b"shared-key"
        case "producer-worker-unique-key":
            return b"producer-%d" % producer
        case "random-key":
            return random.randbytes(8).hex().encode()
    return None


BUILT_IN_MATRIX: tuple[Mapping[str, Any], ...] = (
    {"record_size": 512, "batch_size": 16 * 1024},
    {"record_size": 512, "batch_size": 1024 * 1024},
    {"record_size": 5 * 1024, "batch_size": 16 * 1024},
    {"record_size": 5 * 1024, "batch_size": 1024 * 1024},
    {"record_size": 5 * 1024, "batch_size": 16 * 1024, "compression": "lz4"},
    {"kind": "end-to-end", "record_size": 1024, "rate": 1000.0, "num_records": 3000, "num_samples": 1},
)
