"""How much is measured: everything, or just enough to see that the benchmarks work."""

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Sizes:
    """Defaults are those of the published figures."""

    command_runs: int = 21
    startup_runs: int = 7
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


FULL = Sizes()
QUICK = Sizes(
    command_runs=3,
    startup_runs=1,
    transfer_runs=1,
    transfer_bytes=2_000_000,
    transfer_record_bytes=(1_000,),
    line_runs=1,
    line_count=10_000,
    official_runs=1,
    official_count=600,
    official_singles=20,
)
