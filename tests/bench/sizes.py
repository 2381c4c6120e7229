"""How much is measured: everything, or just enough to see that the benchmarks work."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True, frozen=True)
class Sizes:
    """Defaults are those of the published figures."""

    command_runs: int = 21
    startup_runs: int = 7
    cluster_runs: int = 5
    named_clusters: int = 10
    session_tests: int = 50
    copied_bytes: int = 1_000_000_000  # of a cluster that is forked
    transfer_runs: int = 5
    transfer_bytes: int = 100_000_000  # of each produce and consume
    transfer_record_bytes: tuple[int, ...] = (5_000, 1_000, 100)
    line_runs: int = 5
    line_count: int = 1_000_000
    line_bytes: int = 100  # with its newline
    official_runs: int = 5
    official_count: int = 20_000
    official_bytes: int = 5_000
    official_singles: int = 500
    scaling_runs: int = 5
    scaling_s: float = 2.0  # of each run
    with_peers: bool = True  # start NATS JetStream and Kafka as well
    peer_runs: int = 5
    peer_warm_ups: int = 4  # rounds before the first that counts: a JVM compiles what it runs often
    peer_startups: int = 3
    peer_bytes: Mapping[int, int] = field(  # size of a record: of all in each produce and consume
        default_factory=lambda: {5_000: 100_000_000, 1_000: 100_000_000, 100: 50_000_000}
    )
    peer_ticks: int = 3_000  # of each paced run, at 1,000 a second
    peer_acknowledged: int = 1_500  # one by one, each acknowledged before the next
    peer_singles: int = 30_000  # one by one, flushed at the end


FULL = Sizes()
QUICK = Sizes(
    command_runs=3,
    startup_runs=1,
    cluster_runs=1,
    named_clusters=2,
    session_tests=3,
    copied_bytes=20_000_000,
    transfer_runs=1,
    transfer_bytes=2_000_000,
    transfer_record_bytes=(1_000,),
    line_runs=1,
    line_count=10_000,
    official_runs=1,
    official_count=600,
    official_singles=20,
    scaling_runs=1,
    scaling_s=0.2,
    with_peers=False,
    peer_runs=1,
    peer_warm_ups=1,
    peer_startups=1,
    peer_bytes={1_000: 2_000_000},
    peer_ticks=300,
    peer_acknowledged=50,
    peer_singles=1_000,
)
