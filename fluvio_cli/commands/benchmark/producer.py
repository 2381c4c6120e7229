"""`fluvio benchmark producer`."""

from typing import Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.commands.benchmark import options
from fluvio_cli.commands.benchmark.options import RANDOM_TOPIC
from fluvio_cli.context import CliContext
from fluvio_cli.effect import WRITES
from fluvio_cli.values import Choice

_STRATEGIES = ("no-key", "all-share-same-key", "producer-worker-unique-key", "random-key")


@rules(
    effect=WRITES,
    panels={
        options.WORK: (
            *("num_records", "record_size", "rate", "warm_up", "num_producers", "num_samples"),
            *("time_between_samples", "record_key_allocation_strategy", "worker_timeout"),
        ),
        "How records are sent": (
            *("batch_size", "queue_size", "max_request_size", "linger", "server_timeout", "compression"),
        ),
        options.TOPIC: options.TOPIC_OPTIONS,
        options.OUTCOME: options.OUTCOME_OPTIONS,
    },
    examples=(
        ("As fast as it goes", "fluvio benchmark producer --num-records 100000 --record-size 1kib"),
        ("Latency at 1,000 records a second", "fluvio benchmark producer --rate 1000 --record-size 1kib"),
        ("Keep the figures", "fluvio benchmark producer -O json > before.json"),
        (
            "Fail when it became slower",
            "fluvio benchmark producer --compare before.json --fail-above 10%",
        ),
    ),
)
def command(
    ctx: typer.Context,
    batch_size: options.BatchSize = "16kib",
    queue_size: Annotated[
        int,
        typer.Option(
            "-q", "--queue-size", metavar="QUEUE_SIZE", parser=values.u64, help="Batches that may wait"
        ),
    ] = 100,
    max_request_size: Annotated[
        str,
        typer.Option(
            "--max-request-size",
            metavar="bytes",
            parser=options.size,
            help="Bytes of a request, at most",
        ),
    ] = "32mib",
    linger: options.Linger = "0ms",
    server_timeout: Annotated[
        str,
        typer.Option(
            "--server-timeout",
            metavar="SERVER_TIMEOUT",
            parser=options.duration,
            help="Time-out on the server",
        ),
    ] = "5000ms",
    compression: options.Compression = "none",
    num_samples: options.NumSamples = 3,
    time_between_samples: Annotated[
        str,
        typer.Option(
            "--time-between-samples",
            metavar="TIME_BETWEEN_SAMPLES",
            parser=options.duration,
            help="Pause between samples",
        ),
    ] = "250ms",
    worker_timeout: Annotated[
        str,
        typer.Option(
            "--worker-timeout",
            metavar="WORKER_TIMEOUT",
            parser=options.duration,
            help="Limit of the time of a worker",
        ),
    ] = "3000s",
    record_key_allocation_strategy: Annotated[
        str,
        typer.Option(
            "--record-key-allocation-strategy",
            metavar="RECORD_KEY_ALLOCATION_STRATEGY",
            parser=Choice(*_STRATEGIES),
            help="How keys are chosen",
        ),
    ] = "no-key",
    num_producers: Annotated[
        int,
        typer.Option(
            "--num-producers", metavar="NUM_PRODUCERS", parser=values.u64, help="Producers side by side"
        ),
    ] = 1,
    num_records: options.NumRecords = 10_000,
    record_size: options.RecordSize = "5kib",
    partitions: options.Partitions = 1,
    replicas: Annotated[
        int,
        typer.Option(
            "-r", "--replicas", metavar="REPLICAS", parser=values.u32, help="Replicas of a new topic"
        ),
    ] = 1,
    topic_name: options.TopicName = RANDOM_TOPIC,
    keep_topic: options.KeepTopic = False,
    ignore_rack: Annotated[
        bool, typer.Option("--ignore-rack", help="Ignore racks when placing replicas")
    ] = False,
    rate: options.Rate = None,
    warm_up: options.WarmUp = 0,
    output: options.Output = "table",
    compare: options.Compare = None,
    fail_above: options.FailAbove = None,
) -> None:
    """Measure how fast records are stored.

    Only acknowledged records count. All producers share this process.
    """
    from fluvio_cli.benchmark.jobs import Job
    from fluvio_cli.benchmark.session import Wishes, run_jobs
    from fluvio_cli.values import parse_byte_size

    cli: CliContext = ctx.obj
    job = Job(
        batch_size=parse_byte_size(batch_size),
        queue_size=queue_size,
        max_request_size=parse_byte_size(max_request_size),
        linger=options.seconds(linger),
        server_timeout=options.seconds(server_timeout),
        compression=compression,
        num_samples=num_samples,
        time_between_samples=options.seconds(time_between_samples),
        worker_timeout=options.seconds(worker_timeout),
        record_key_allocation_strategy=record_key_allocation_strategy,
        num_producers=num_producers,
        num_records=num_records,
        record_size=parse_byte_size(record_size),
        partitions=partitions,
        replicas=replicas,
        rate=rate,
        warm_up=warm_up,
        ignore_rack=ignore_rack,
    )
    run_jobs(cli, [job], Wishes(output, options.named(topic_name), keep_topic, compare, fail_above))
