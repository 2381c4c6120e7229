"""`fluvio generate`."""

from typing import Annotated, Any

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.effect import Effect


def _rate(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise ValueError("a number of records a second above 0 is expected")
    return found


def _keys(text: str) -> str:
    from fluvio_cli.generating.keys import parse_keys

    parse_keys(text)
    return text


def _moment(text: str) -> Any:
    from fluvio_cli.moments import parse_moment

    return parse_moment(text)


@rules(
    effect=Effect(not_with=("print_",)),
    one_of=(("topic", "print_"),),
    conflicts=(("topic", "print_"), ("partitions", "print_"), ("compression", "print_")),
    requires={"key_separator": ("print_",)},
    panels={
        "What to make": ("schema", "count", "keys", "seed", "start_time", "skip"),
        "Where to": ("rate", "partitions", "compression", "print_", "key_separator"),
    },
    examples=(
        ("A hundred orders a second, until Ctrl-C", "fluvio generate orders --partitions 3 --rate 100"),
        ("Look at what would be made", "fluvio generate --schema clicks --count 5 --print"),
        (
            "The same load each time, with few hot keys",
            "fluvio generate orders --count 10000 --keys zipf:1000 --seed 7 --start-time 2026-01-31",
        ),
        ("By a schema of your own", "fluvio generate orders --schema schema.yaml --count 1000"),
    ),
)
def command(
    ctx: typer.Context,
    topic: Annotated[
        str | None, typer.Argument(metavar="topic", help="Name of the topic to write to")
    ] = None,
    schema: Annotated[
        str,
        typer.Option(
            "--schema", metavar="FILE", help="What records look like: a file, or orders, clicks or sensors"
        ),
    ] = "orders",
    count: Annotated[
        int | None,
        typer.Option(
            "-n", "--count", metavar="integer", parser=values.u64, help="So many records (default: no end)"
        ),
    ] = None,
    keys: Annotated[
        str | None,
        typer.Option(
            "--keys",
            metavar="distribution",
            parser=_keys,
            help="Keys by zipf:N, uniform:N or round-robin:N, not by the schema",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", metavar="integer", parser=values.u64, help="The same seed makes the same records"
        ),
    ] = None,
    start_time: Annotated[
        Any | None,
        typer.Option(
            "--start-time",
            metavar="time",
            parser=_moment,
            help="Time of the first record; others follow at the rate (default: by the clock)",
        ),
    ] = None,
    skip: Annotated[
        int,
        typer.Option(
            "--skip", metavar="integer", parser=values.u64, help="Leave out the first, to go on after them"
        ),
    ] = 0,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", metavar="records/s", parser=_rate, help="Records a second (default: at full speed)"
        ),
    ] = None,
    partitions: Annotated[
        int | None,
        typer.Option(
            "--partitions",
            metavar="integer",
            parser=values.integer(1, 2**31 - 1),
            help="Create the topic with so many partitions if it does not exist",
        ),
    ] = None,
    compression: Annotated[
        str | None,
        typer.Option(
            "--compression",
            metavar="COMPRESSION",
            parser=values.producer_compression,
            help="Compress batches with none, gzip, snappy, lz4 or zstd (default: what the topic demands)",
        ),
    ] = None,
    print_: Annotated[
        bool, typer.Option("--print", help="Print the records to standard output; no cluster is needed")
    ] = False,
    key_separator: Annotated[
        str | None,
        typer.Option(
            "--key-separator", metavar="KEY_SEPARATOR", help="Print each key and this text before its value"
        ),
    ] = None,
) -> None:
    """Write records that look like real ones: for demos, benchmarks and tests.

    Values are JSON objects, made from a schema. The pace is kept over the whole run: what came late is made
    up for.
    """
    import secrets
    import time
    from pathlib import Path
    from random import Random

    from fluvio_cli.generating.keys import parse_keys
    from fluvio_cli.generating.records import Records
    from fluvio_cli.generating.running import GenerateJob, generate, print_records
    from fluvio_cli.generating.schema import read_schema

    def now_ms() -> int:
        return time.time_ns() // 10**6

    cli: CliContext = ctx.obj
    chosen = secrets.randbits(32) if seed is None else seed
    rng = Random(chosen)
    records = Records(
        read_schema(schema, rng, cli.directory or Path()),
        None if keys is None else parse_keys(keys),
        rng,
        rate=rate,
        start_ms=None if start_time is None else start_time.resolve(now_ms()),
        now_ms=now_ms,
    )
    job = GenerateJob(records, chosen, count, rate, skip)
    if print_:
        print_records(cli, job, key_separator)
        return
    from fluvio_cli.streaming.interrupt import run
    from fluvio_client.producer.settings import ProducerSettings
    from fluvio_protocol.compression import codec_named

    assert topic is not None
    codec = None if compression is None else codec_named(compression)
    settings = ProducerSettings(compression=codec)
    run(lambda interrupt: generate(cli, job, topic, settings, partitions, interrupt))
