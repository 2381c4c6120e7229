"""`fluvio benchmark end-to-end`."""

import typer

from fluvio_cli.command import rules
from fluvio_cli.commands.benchmark import options
from fluvio_cli.commands.benchmark.options import RANDOM_TOPIC
from fluvio_cli.context import CliContext
from fluvio_cli.effect import WRITES


@rules(
    effect=WRITES,
    panels={
        options.WORK: ("rate", "num_records", "record_size", "warm_up", "num_samples"),
        "How records are sent": ("batch_size", "linger", "compression"),
        options.TOPIC: options.TOPIC_OPTIONS,
        options.OUTCOME: options.OUTCOME_OPTIONS,
    },
    examples=(
        ("1,000 records a second for ten seconds", "fluvio benchmark end-to-end --num-records 10000"),
        ("A faster pace, with a warm-up", "fluvio benchmark end-to-end --rate 5000 --warm-up 2000"),
    ),
)
def command(
    ctx: typer.Context,
    rate: options.Rate = 1000.0,
    num_records: options.NumRecords = 5000,
    record_size: options.RecordSize = "1kib",
    warm_up: options.WarmUp = 500,
    num_samples: options.NumSamples = 1,
    batch_size: options.BatchSize = "16kib",
    linger: options.Linger = "0ms",
    compression: options.Compression = "none",
    partitions: options.Partitions = 1,
    topic_name: options.TopicName = RANDOM_TOPIC,
    keep_topic: options.KeepTopic = False,
    output: options.Output = "table",
    compare: options.Compare = None,
    fail_above: options.FailAbove = None,
) -> None:
    """Measure how long records take from a producer to a consumer.

    Latency runs from the time at which a record was due to the moment at which the consumer has it. Producer
    and consumer share this process.
    """
    from fluvio_cli.benchmark.jobs import Job
    from fluvio_cli.benchmark.pacing import STAMP_BYTES
    from fluvio_cli.benchmark.session import Wishes, run_jobs
    from fluvio_cli.values import parse_byte_size

    cli: CliContext = ctx.obj
    job = Job(
        kind="end-to-end",
        rate=rate,
        num_records=num_records,
        record_size=max(parse_byte_size(record_size), STAMP_BYTES),
        warm_up=warm_up,
        num_samples=num_samples,
        batch_size=parse_byte_size(batch_size),
        linger=options.seconds(linger),
        compression=compression,
        partitions=partitions,
    )
    run_jobs(cli, [job], Wishes(output, options.named(topic_name), keep_topic, compare, fail_above))
