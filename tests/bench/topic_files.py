"""`fluvio topic export` and `import` of records of 100 B, compared to reading the file in Python."""

from tests.bench.cluster import BenchHome, running_cluster
from tests.bench.lines import read_seconds, write_lines
from tests.bench.measuring import BenchError, Row, Samples, at_least, interleave
from tests.bench.sizes import Sizes

_READ = "read in Python"
_LEAST = 200_000  # records a second
_FORMS = {"jsonl": "JSON lines", "flt": "compact form"}


def topic_file_rows(sizes: Sizes) -> list[Row]:
    """Both commands with both forms, from the start of the process to its end; topics are compared after."""
    with running_cluster() as home:
        source = home.path / "lines.txt"
        write_lines(source, sizes.line_count, sizes.line_bytes)
        home.new_topic("source")
        home.fluvio("produce", "source", "--file", str(source))
        runs = {suffix: _Runs(home, suffix) for suffix in _FORMS}
        actions = {_READ: lambda: read_seconds(source, sizes.line_count)}
        for suffix, each in runs.items():
            actions[f"export {suffix}"] = each.export
            actions[f"import {suffix}"] = each.import_
        taken = interleave(actions, sizes.line_runs)
        for each in runs.values():
            each.end()

    def rates(name: str) -> Samples:
        return Samples([sizes.line_count / seconds for seconds in taken[name].values])

    what = f"{sizes.line_count:,} records of {sizes.line_bytes} B"
    return [
        Row(
            f"`topic {verb}`, {form}, {what}",
            "records/s",
            rates(f"{verb} {suffix}"),
            rates(_READ),
            _READ,
            [at_least(_LEAST)],
            "the whole process, its start and the connecting included",
        )
        for suffix, form in _FORMS.items()
        for verb in ("export", "import")
    ]


class _Runs:
    """A file per export, which the import that follows reads into a topic of its own."""

    def __init__(self, home: BenchHome, suffix: str) -> None:
        self._home, self._suffix = home, suffix
        self._file = home.path / f"records.{suffix}"
        self._number = 0

    @property
    def _topic(self) -> str:
        return f"{self._suffix}-{self._number}"

    def export(self) -> float:
        return self._home.seconds("topic", "export", "source", str(self._file), "--force")

    def import_(self) -> float:
        self.end()
        self._number += 1
        self._home.new_topic(self._topic)
        seconds = self._home.seconds("topic", "import", str(self._file), self._topic)
        same = self._home.fluvio("topic", "diff", "source", self._topic, expect=None)
        if same.returncode:
            raise BenchError(f"what was imported is not what was exported: {same.stderr.decode()}")
        return seconds

    def end(self) -> None:
        """Delete the topic of the last import."""
        if self._number:
            self._home.drop_topic(self._topic)
