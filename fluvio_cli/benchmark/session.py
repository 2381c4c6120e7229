"""One `fluvio benchmark` command: topics made and deleted, samples in turn, progress, and what is printed."""

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fluvio_cli.benchmark import compare
from fluvio_cli.benchmark.jobs import BenchmarkSettingsError, Job, random_topic
from fluvio_cli.benchmark.result import Result, Sample, markdown
from fluvio_cli.benchmark.running import fill, run_sample
from fluvio_cli.streaming.interrupt import run_cancelled_by_signals

if TYPE_CHECKING:
    from fluvio_cli.context import CliContext


@dataclass(slots=True, frozen=True)
class Wishes:
    """What a command wants besides its jobs."""

    output: str = "table"
    topic: str | None = None
    keep_topic: bool = False
    compare: Path | None = None
    fail_above: float | None = None  # a share


def run_jobs(cli: "CliContext", jobs: Sequence[Job], wishes: Wishes) -> None:
    """Run and print. Raises what the client raises, `BenchmarkSettingsError`, `BenchmarkWorseError`."""
    if wishes.fail_above is not None and wishes.compare is None:
        raise BenchmarkSettingsError("`--fail-above` needs `--compare FILE`: worse than what?")
    earlier = None if wishes.compare is None else compare.read_earlier(wishes.compare)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the topic is deleted then, too
    results = [_run(cli, job, wishes, f"{number}/{len(jobs)}") for number, job in enumerate(jobs, 1)]
    found = None if earlier is None else compare.changes(results, earlier)
    if wishes.output == "table":
        cli.printer.data(markdown(results))
        if found is not None:
            cli.printer.data("\n" + compare.as_markdown(found))
    else:
        from fluvio_cli.output.structured import render_structured

        view: dict[str, object] = {"benchmarks": [result.view() for result in results]}
        if found is not None:
            view["comparison"] = [change._asdict() for change in found]
        cli.printer.data(render_structured(view, wishes.output))
    if found is not None:
        compare.check(found, wishes.fail_above)


def _run(cli: "CliContext", job: Job, wishes: Wishes, place: str) -> Result:
    samples = []
    progress = _Progress(job, place)
    with cli.printer.busy(progress.tell), _topic(cli, job, wishes) as (topic, is_new):
        for number in range(job.num_samples):
            if number:
                time.sleep(job.time_between_samples)
            sample = _sample(cli, job, topic, progress, is_first=is_new and not number)
            samples.append(run_cancelled_by_signals(sample))
            progress.sample_done(samples[-1])
    return Result(job, samples)


async def _sample(
    cli: "CliContext", job: Job, topic: str, progress: "_Progress", *, is_first: bool
) -> Sample:
    if job.kind == "consumer" and is_first:
        await fill(job, cli.client, topic)
    return await run_sample(job, cli.client, topic, progress.add)


@contextmanager
def _topic(cli: "CliContext", job: Job, wishes: Wishes) -> Iterator[tuple[str, bool]]:
    """The topic to use and whether it was made for this run: such a one is deleted in every end."""
    from fluvio_protocol.api.topic import TopicReplicaParam, TopicSpec

    name = wishes.topic or random_topic()
    with cli.connect() as admin:
        exists = wishes.topic is not None and any(topic.name == name for topic in admin.list_topics([name]))
        if not exists:
            replicas = TopicReplicaParam(
                partitions=job.partitions,
                replication_factor=job.replicas,
                ignore_rack_assignment=job.ignore_rack,
            )
            admin.create_topic(name, TopicSpec(replicas=replicas))
    try:
        yield name, not exists
    finally:
        if not exists and not wishes.keep_topic:
            with cli.connect() as admin:
                admin.delete_topic(name)
        elif exists:
            cli.printer.hint(f"topic `{name}` was there before and stays")


class _Progress:
    """How far a job is, for who watches."""

    def __init__(self, job: Job, place: str) -> None:
        self._job, self._place = job, place
        self._count, self._sample = 0, 1

    def add(self, count: int) -> None:
        """So many records more."""
        self._count += count

    def sample_done(self, sample: Sample) -> None:
        """Another one begins."""
        self._count, self._sample = 0, self._sample + 1

    def tell(self) -> str:
        """The line to show."""
        told = f"{self._place} {self._job.kind}: sample {self._sample} of {self._job.num_samples}"
        return f"{told}, {self._count:,} of {self._job.num_records:,} records"
