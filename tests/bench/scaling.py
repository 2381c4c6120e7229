"""What more producers and more SPUs bring: group commit with `--fsync`, partitions over two SPUs."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench.cluster import BenchHome
from tests.bench.helper_process import module_output
from tests.bench.measuring import Row, Samples, at_least, interleave
from tests.bench.report import machine
from tests.bench.sizes import Sizes
from tests.support.leftovers import processes_at_home

_MANY = 32  # concurrent producers
_SMALL_BYTES = 1_000
_BATCH_RECORDS, _RECORD_BYTES, _BATCHES = 3, 5_000, 64  # 16 KiB batches, 1 MB a request, as clients send


def fsync_rows(sizes: Sizes) -> list[Row]:
    """One producer that waits for each answer, and 32 of them, for each policy."""
    always = _fsync_samples("always", sizes)
    interval = _fsync_samples("interval:100", sizes)
    never = _fsync_samples("never", sizes)
    one = "1 producer"
    return [
        Row(
            f"`--fsync always`: {_MANY} producers, requests of one record of 1 KB",
            "records/s",
            always["many"],
            always["one"],
            one,
            [at_least(10, of_reference=True)],
            "acknowledged when it is on the disk; group commit",
        ),
        Row(
            f"`--fsync interval:100`: {_MANY} producers",
            "records/s",
            interval["many"],
            never["many"],
            "never",
        ),
        Row(f"`--fsync never`: {_MANY} producers", "records/s", never["many"], never["one"], one),
    ]


def spu_rows(sizes: Sizes) -> list[Row]:
    """A topic of two partitions, both on one SPU and one on each."""
    with _cluster("--spu", "2") as home:
        topics = {"one": {"0": [5001], "1": [5001]}, "two": {"0": [5001], "1": [5002]}}
        for name, rows in topics.items():
            file = home.path / f"{name}.json"
            file.write_text(json.dumps([{"id": int(k), "replicas": v} for k, v in rows.items()]))
            home.fluvio("topic", "create", name, "--replica-assignment", str(file))
        spent: dict[str, list[float]] = {name: [] for name in topics}

        def rate(name: str) -> float:
            before = _spu_seconds(home)
            run = _produce(home, name, sizes, 1, _RECORD_BYTES, _BATCH_RECORDS, _BATCHES)
            spent[name].append((_spu_seconds(home) - before) / run["seconds"])
            return float(run["acknowledged"] * run["request_bytes"] / run["seconds"] / 1e6)

        taken = interleave({name: _bound(rate, name) for name in topics}, sizes.scaling_runs)
    busy = {name: Samples(values[1:]).median for name, values in spent.items()}
    return [
        Row(
            "produce to 2 partitions, one on each of 2 SPUs",
            "MB/s",
            taken["two"],
            taken["one"],
            "both on 1 SPU",
            [at_least(1.6, of_reference=True)],
            f"processor time of the SPUs: {busy['two']:.2f} cores, on one {busy['one']:.2f}; the machine has "
            f"{machine().cores} cores in all, shared with the producers",
        )
    ]


def _bound(work: Callable[[str], float], name: str) -> Callable[[], float]:
    return lambda: work(name)


def _fsync_samples(policy: str, sizes: Sizes) -> dict[str, Samples]:
    with _cluster("--fsync", policy) as home:
        home.new_topic("t")

        def rate(connections: int) -> Callable[[], float]:
            def measure() -> float:
                run = _produce(home, "t", sizes, connections, _SMALL_BYTES, 1, 1)
                return float(run["acknowledged"] / run["seconds"])

            return measure

        return interleave({"one": rate(1), "many": rate(_MANY)}, sizes.scaling_runs)


def _produce(
    home: BenchHome, topic: str, sizes: Sizes, connections: int, record_bytes: int, records: int, batches: int
) -> dict[str, Any]:
    numbers = map(str, (sizes.scaling_s, connections, record_bytes, records, batches))
    result: dict[str, Any] = json.loads(
        module_output("tests.bench.raw_producers", home.endpoint, topic, *numbers)
    )
    return result


def _spu_seconds(home: BenchHome) -> float:
    """Processor time of all SPUs so far."""
    servers = processes_at_home(home.path, grace_s=0)
    times = [process.cpu_times() for process, command in servers if "fluvio_local_cluster.spu" in command]
    return float(sum(spent.user + spent.system for spent in times))


@contextmanager
def _cluster(*options: str) -> Iterator[BenchHome]:
    with BenchHome() as home:
        home.start_cluster(*options)
        yield home
