"""Our client against one SPU, compared to the same bytes over bare loopback."""

from collections.abc import Callable
from pathlib import Path

from tests.bench.cluster import BenchHome, running_cluster
from tests.bench.helper_process import HelperProcess, module_output
from tests.bench.loopback import receive_seconds, send_seconds
from tests.bench.measuring import Row, Samples, Target, at_least, interleave
from tests.bench.null_server import make_batches
from tests.bench.sizes import Sizes

_SEND, _RECEIVE = "socket + write", "sendfile"
_TASKS = {
    "produce": (_SEND, [at_least(0.25, of_reference=True)]),
    "batches": (_RECEIVE, [at_least(0.5, of_reference=True)]),
    "records": (_RECEIVE, []),
}
_NAMES = {
    "produce": "produce, records of {:,} B",
    "batches": "consume batches, records of {:,} B",
    "records": "consume and decode, records of {:,} B",
}


def transfer_rows(sizes: Sizes) -> list[Row]:
    """Produce, consume as batches, consume as records; each for several record sizes, in MB/s of batches."""
    with running_cluster() as home:
        by_size = [_rows_of(home, sizes, size_bytes) for size_bytes in sizes.transfer_record_bytes]
    return [rows[task] for task in _TASKS for rows in by_size]


def _rows_of(home: BenchHome, sizes: Sizes, size_bytes: int) -> dict[str, Row]:
    count = sizes.transfer_bytes // size_bytes
    batches = make_batches(count, size_bytes)
    file = home.path / "batches"
    file.write_bytes(b"".join(batches))
    total = file.stat().st_size
    with HelperProcess("tests.bench.loopback", str(file)) as loopback:
        sink_port, source_port = map(int, loopback.words)
        runs = _Runs(home, count, size_bytes)
        actions: dict[str, Callable[[], float]] = {
            _SEND: lambda: send_seconds(sink_port, batches),
            "produce": runs.produce,
            _RECEIVE: lambda: receive_seconds(source_port, total),
            "batches": lambda: runs.consume("batches"),
            "records": lambda: runs.consume("records"),
        }
        taken = interleave(actions, sizes.transfer_runs)
        runs.end()
    _remove(file)

    def rates(name: str) -> Samples:
        return Samples([total / seconds / 1e6 for seconds in taken[name].values])

    return {task: _row(task, size_bytes, rates(task), rates(_TASKS[task][0])) for task in _TASKS}


def _row(task: str, size_bytes: int, measured: Samples, reference: Samples) -> Row:
    reference_name, targets = _TASKS[task]
    note = f"{measured.median * 1e6 / size_bytes:,.0f} records/s" if task != "batches" else ""
    chosen: list[Target] = list(targets)
    return Row(_NAMES[task].format(size_bytes), "MB/s", measured, reference, reference_name, chosen, note)


def _remove(file: Path) -> None:
    file.unlink()
    file.with_suffix(".sink").unlink(missing_ok=True)


class _Runs:
    """One topic per produce, read by the consumes that follow, and deleted before the next."""

    def __init__(self, home: BenchHome, count: int, size_bytes: int) -> None:
        self._home, self._count, self._size_bytes = home, count, size_bytes
        self._topic, self._number = "", 0

    def produce(self) -> float:
        """Seconds to produce into a new topic."""
        self.end()
        self._number += 1
        self._topic = self._home.new_topic(f"t{self._size_bytes}-{self._number}")
        return self._run("produce")

    def consume(self, task: str) -> float:
        """Seconds to read what the last `produce` wrote."""
        return self._run(task)

    def end(self) -> None:
        """Delete the last topic."""
        if self._topic:
            self._home.drop_topic(self._topic)
            self._topic = ""

    def _run(self, task: str) -> float:
        sizes = str(self._count), str(self._size_bytes)
        return float(module_output("tests.bench.our_client", task, self._home.endpoint, self._topic, *sizes))
