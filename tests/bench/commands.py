"""Commands against the bare interpreter, and a whole start-up: from nothing to the first stored record."""

from collections.abc import Callable, Mapping

from tests.bench.cluster import BenchHome, running_cluster
from tests.bench.measuring import Row, Samples, at_most, interleave
from tests.bench.sizes import Sizes
from tests.support.throwaway_home import FREE_PORTS

BARE = "bare python"


def command_rows(sizes: Sizes) -> list[Row]:
    """Short commands, in turn with the interpreter alone."""
    with running_cluster() as home:
        home.new_topic("bench")
        actions: Mapping[str, Callable[[], float]] = {
            BARE: home.bare_python_seconds,
            "version": lambda: home.seconds("--version"),
            "prompt": lambda: home.seconds("profile", "prompt", "--shell", "bash"),
            "help": lambda: home.seconds("--help"),
            "profile": lambda: home.seconds("profile"),
            "topic list": lambda: home.seconds("topic", "list"),
            "produce": lambda: home.seconds("produce", "bench", stdin=b"x\n"),
        }
        taken = interleave(actions, sizes.command_runs, warm_up=2)
    bare = _ms(taken[BARE])
    limits = {"version": 4, "prompt": 4, "help": 8, "profile": 8, "topic list": 12, "produce": 14}
    names = {
        "version": "`fluvio --version`",
        "prompt": "`fluvio profile prompt`",
        "help": "`fluvio --help`",
        "profile": "`fluvio profile`",
        "topic list": "`fluvio topic list`",
        "produce": "one record piped to `fluvio produce`",
    }
    return [
        Row(names[key], "ms", _ms(taken[key]), bare, BARE, [at_most(limit, of_reference=True)])
        for key, limit in limits.items()
    ]


def _ms(samples: Samples) -> Samples:
    return Samples([1000 * value for value in samples.values])


def startup_rows(sizes: Sizes) -> list[Row]:
    """Three processes: `cluster start`, `topic create`, `produce` of one record; and the cluster's memory.

    Each run begins with an empty home, and ends with the deletion of its cluster, which does not count.
    Memory is read twice: when `cluster start` has ended, and when the record is stored.
    """
    idle, used = Samples(), Samples()

    def from_nothing() -> float:
        with BenchHome() as home:
            seconds = home.seconds("cluster", "start", "--local", *FREE_PORTS)
            idle.values.append(home.memory_mb())
            seconds += home.seconds("topic", "create", "first")
            seconds += home.seconds("produce", "first", stdin=b"hello\n")
            used.values.append(home.memory_mb())
        return seconds

    with BenchHome() as spare:
        actions = {"all": from_nothing, BARE: spare.bare_python_seconds}
        taken = interleave(actions, sizes.startup_runs)
    targets = [at_most(2), at_most(80, of_reference=True)]
    name = "`cluster start`, `topic create`, first `produce`"
    memory = [at_most(70)]
    return [
        Row(name, "s", taken["all"], taken[BARE], BARE, targets),
        Row("memory: SC + 1 SPU after `cluster start`", "MB", idle, targets=memory, note=_MEMORY_NOTE),
        Row("memory: the same after the first record", "MB", used, targets=memory),
    ]


_MEMORY_NOTE = "resident memory (RSS) of all processes of the cluster added up; pages they share count twice"
