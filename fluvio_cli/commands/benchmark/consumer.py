"""`fluvio benchmark consumer`."""

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.benchmark import options
from fluvio_cli.commands.benchmark.options import RANDOM_TOPIC
from fluvio_cli.context import CliContext
from fluvio_cli.effect import WRITES


@rules(
    effect=WRITES,
    panels={
        options.WORK: ("num_records", "record_size", "warm_up", "num_samples"),
        options.TOPIC: options.TOPIC_OPTIONS,
        options.OUTCOME: options.OUTCOME_OPTIONS,
    },
    examples=(
        ("Read 100,000 records of 1 KiB from a new topic", "fluvio benchmark consumer --num-records 100000"),
        ("Read what a topic has", "fluvio benchmark consumer --topic-name my-topic --num-records 5000"),
    ),
)
def command(
    ctx: typer.Context,
    num_records: options.NumRecords = 100_000,
    record_size: options.RecordSize = "1kib",
    num_samples: options.NumSamples = 3,
    partitions: options.Partitions = 1,
    topic_name: options.TopicName = RANDOM_TOPIC,
    keep_topic: options.KeepTopic = False,
    warm_up: options.WarmUp = 0,
    output: options.Output = "table",
    compare: options.Compare = None,
    fail_above: options.FailAbove = None,
) -> None:
    """Measure how fast records are read, from the oldest one on.

    A new topic is filled first, which does not count. Of a topic that is there already no more records are
    read than it has.
    """
    from fluvio_cli.benchmark.jobs import Job
    from fluvio_cli.benchmark.session import Wishes, run_jobs
    from fluvio_cli.values import parse_byte_size

    cli: CliContext = ctx.obj
    job = Job(
        kind="consumer",
        num_records=num_records,
        record_size=parse_byte_size(record_size),
        num_samples=num_samples,
        partitions=partitions,
        warm_up=warm_up,
    )
    run_jobs(cli, [job], Wishes(output, options.named(topic_name), keep_topic, compare, fail_above))
