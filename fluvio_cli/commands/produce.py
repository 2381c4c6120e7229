"""`fluvio produce`."""

from typing import Annotated

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.effect import WRITES


def _separator(text: str) -> str:
    if not text:
        raise ValueError("must be non-empty. If using '=', type it as '--key-separator \"=\"'")
    return text


@rules(
    effect=WRITES,
    conflicts=(
        ("key", "key_separator"),
        ("raw", "key_separator"),
        ("ndjson", "key"),
        ("ndjson", "key_separator"),
        ("ndjson", "raw"),
    ),
    panels={
        "What to send": ("file", "raw", "ndjson", "key", "key_separator", "partition"),
        "How to send it": (
            *("compression", "linger", "batch_size", "max_request_size", "isolation", "delivery_semantic"),
        ),
    },
    examples=(
        ("Type records, one a line; Ctrl-D ends", "fluvio produce my-topic"),
        ("Send what another program prints", "tail -f app.log | fluvio produce my-topic"),
        (
            "Send a file of `key:value` lines, compressed",
            "fluvio produce my-topic -f data.txt --key-separator : --compression zstd",
        ),
        (
            "Copy records with their keys, byte for byte",
            "fluvio consume my-topic -B -d -O ndjson | fluvio produce my-copy --ndjson",
        ),
        ("Send a whole file as one record", "fluvio produce my-topic --raw -f picture.png"),
    ),
)
def command(
    ctx: typer.Context,
    topic: Annotated[str, typer.Argument(metavar="topic", help="Name of the topic to write to")],
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Echo each key and value that was split")
    ] = False,
    key: Annotated[
        str | None, typer.Option("--key", metavar="KEY", help="Key of every record of this call")
    ] = None,
    key_separator: Annotated[
        str | None,
        typer.Option(
            "--key-separator",
            metavar="KEY_SEPARATOR",
            parser=_separator,
            help="Split each line into key and value, where this text stands first",
        ),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Send the whole input as one record")] = False,
    ndjson: Annotated[
        bool,
        typer.Option(
            "--ndjson",
            help="Each line is a JSON object with `value`, maybe `key`, as `consume -O ndjson` prints it",
        ),
    ] = False,
    compression: Annotated[
        str | None,
        typer.Option(
            "--compression",
            metavar="COMPRESSION",
            parser=values.producer_compression,
            help="Compress batches with none, gzip, snappy, lz4 or zstd (default: what the topic demands)",
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "-f", "--file", metavar="FILE", help="Read records from this file, not from standard input"
        ),
    ] = None,
    linger: Annotated[
        int | None,
        typer.Option(
            "--linger",
            metavar="LINGER",
            parser=values.parse_duration_ns,
            help="How long a batch that is not full waits for more records, such as `100ms` (default: 0)",
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            metavar="BATCH_SIZE",
            parser=values.u64,
            help="Bytes at which a batch is sent (default: 16384)",
        ),
    ] = None,
    max_request_size: Annotated[
        int | None,
        typer.Option(
            "--max-request-size",
            metavar="MAX_REQUEST_SIZE",
            parser=values.u64,
            help="Largest request in bytes (default: 1048576)",
        ),
    ] = None,
    isolation: Annotated[
        str | None,
        typer.Option(
            "--isolation",
            metavar="ISOLATION",
            parser=values.parse_isolation,
            help="Wait until the leader has stored a record (read_uncommitted, the default) "
            "or it is committed (read_committed)",
        ),
    ] = None,
    delivery_semantic: Annotated[
        str,
        typer.Option(
            "--delivery-semantic",
            metavar="DELIVERY_SEMANTIC",
            parser=values.parse_delivery,
            help="Send and forget (at_most_once), or wait and repeat what failed (at_least_once)",
        ),
    ] = "at-least-once",
    partition: Annotated[
        int | None,
        typer.Option(
            "-p",
            "--partition",
            metavar="integer",
            parser=values.u32,
            help="Send everything to this partition",
        ),
    ] = None,
) -> None:
    """Write messages to a topic/partition.

    Each line of standard input or of a file is a record. The command ends when the cluster has stored
    them all.
    """
    from fluvio_cli.streaming.interrupt import run
    from fluvio_cli.streaming.producing import ProduceJob, produce
    from fluvio_client.producer.partitioner import DefaultPartitioner, FixedPartitioner
    from fluvio_client.producer.settings import Delivery, ProducerSettings
    from fluvio_protocol.api.fetch import Isolation
    from fluvio_protocol.compression import codec_named

    cli: CliContext = ctx.obj
    defaults = ProducerSettings()
    at_most_once = delivery_semantic == "at_most_once"
    if at_most_once and isolation is not None:
        cli.printer.note("Isolation is ignored for at-most-once delivery")
    settings = ProducerSettings(
        batch_bytes=max(batch_size, 1) if batch_size is not None else defaults.batch_bytes,
        max_request_bytes=max(max_request_size, 1)
        if max_request_size is not None
        else defaults.max_request_bytes,
        linger_ms=linger // 10**6 if linger is not None else defaults.linger_ms,
        compression=codec_named(compression) if compression is not None else None,
        isolation=Isolation.READ_COMMITTED if isolation == "read_committed" else Isolation.READ_UNCOMMITTED,
        delivery=Delivery.AT_MOST_ONCE if at_most_once else Delivery.AT_LEAST_ONCE,
        partitioner=FixedPartitioner(partition) if partition is not None else DefaultPartitioner(),
    )
    job = ProduceJob(
        topic,
        settings,
        file=file,
        key=key.encode() if key is not None else None,
        key_separator=key_separator,
        raw=raw,
        ndjson=ndjson,
        verbose=verbose,
    )
    run(lambda interrupt: produce(cli, job, interrupt))
