"""`fluvio produce --file` and `fluvio consume -B -d` of a file of lines, compared to reading it in Python."""

import random
import time
from pathlib import Path

from tests.bench.cluster import BenchHome, running_cluster
from tests.bench.measuring import BenchError, Row, Samples, at_least, interleave
from tests.bench.sizes import Sizes

_READ = "read in Python"
_SEED = 20_240_229  # the same words in every run
_WORD_LETTERS = 7


def write_lines(path: Path, count: int, line_bytes: int) -> None:
    """Write `count` lines of words, `line_bytes` each with the newline."""
    choose = random.Random(_SEED)
    words = ["".join(choose.choices("abcdefghijklmnopqrstuvwxyz", k=_WORD_LETTERS)) for _ in range(5_000)]
    with path.open("w", encoding="ascii") as file:
        for number in range(count):
            text = f"{number} " + " ".join(choose.choices(words, k=line_bytes // _WORD_LETTERS))
            file.write(text[: line_bytes - 1] + "\n")


def read_seconds(path: Path, count: int) -> float:
    """How long Python takes to read the file line by line."""
    begin = time.perf_counter()
    with path.open("rb") as file:
        seen = sum(1 for _ in file)
    seconds = time.perf_counter() - begin
    if seen != count:
        raise BenchError(f"{seen} lines of {count} are in the file")
    return seconds


def line_rows(sizes: Sizes) -> list[Row]:
    """Both commands, from the start of the process to its end; what comes back is compared to the file."""
    with running_cluster() as home:
        source, output = home.path / "lines.txt", home.path / "received.txt"
        write_lines(source, sizes.line_count, sizes.line_bytes)
        runs = _Runs(home, source, output)
        actions = {
            _READ: lambda: read_seconds(source, sizes.line_count),
            "produce": runs.produce,
            "consume": runs.consume,
        }
        taken = interleave(actions, sizes.line_runs)

    def rates(name: str) -> Samples:
        return Samples([sizes.line_count / seconds for seconds in taken[name].values])

    what = f"{sizes.line_count:,} lines of {sizes.line_bytes} B"
    note = "the whole process, its start and the connecting included; both ends share the machine's cores"
    return [
        Row(
            f"`produce --file`, {what}",
            "lines/s",
            rates("produce"),
            rates(_READ),
            _READ,
            [at_least(300_000)],
            note,
        ),
        Row(
            f"`consume -B -d`, {what}", "lines/s", rates("consume"), rates(_READ), _READ, [at_least(300_000)]
        ),
    ]


class _Runs:
    """A topic per produce, which the consume that follows reads and deletes."""

    def __init__(self, home: BenchHome, source: Path, output: Path) -> None:
        self._home, self._source, self._output = home, source, output
        self._number = 0

    @property
    def _topic(self) -> str:
        return f"lines-{self._number}"

    def produce(self) -> float:
        self._number += 1
        self._home.new_topic(self._topic)
        return self._home.seconds("produce", self._topic, "--file", str(self._source))

    def consume(self) -> float:
        seconds = self._home.seconds("consume", self._topic, "-B", "-d", stdout=self._output)
        self._home.drop_topic(self._topic)
        if self._output.read_bytes() != self._source.read_bytes():
            raise BenchError("what was consumed is not what was produced")
        return seconds
