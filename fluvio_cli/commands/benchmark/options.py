"""Options that the benchmarks share, and values as they are typed."""

from pathlib import Path
from typing import Annotated

import typer

from fluvio_cli import values
from fluvio_cli.values import Choice

_SIZE_METAVAR = "bytes"
output = Choice("table", "yaml", "json", ignore_case=True)
codec = Choice("none", "gzip", "snappy", "zstd", "lz4", ignore_case=True)


RANDOM_TOPIC = "benchmark-<10 random lowercase alphanumerics>"


def named(topic: str) -> str | None:
    """The topic that was asked for; None: a new one with a random name."""
    return None if topic == RANDOM_TOPIC else topic


def seconds(text: str) -> float:
    """A duration such as `250ms`, in seconds."""
    return values.parse_duration_ns(text) / 1e9


def size(text: str) -> str:
    """A size such as `5kib`, checked and as it was typed, so that defaults are shown as officially."""
    values.parse_byte_size(text)
    return text


def duration(text: str) -> str:
    """A duration such as `250ms`, checked and as it was typed."""
    seconds(text)
    return text


def percentage(text: str) -> float:
    """`10%` or `10`, as a share."""
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        raise ValueError("a percentage is expected, such as 10%") from None
    if not 0 <= share < float("inf"):
        raise ValueError("a percentage of 0 or more is expected")
    return share


def rate(text: str) -> float:
    """Records a second."""
    try:
        found = float(text)
    except ValueError:
        raise ValueError("a number of records a second is expected") from None
    if not 0 < found < float("inf"):
        raise ValueError("a rate above 0 is expected")
    return found


Output = Annotated[str, typer.Option("-O", "--output", metavar="type", parser=output, help="Output format")]
Compare = Annotated[
    Path | None,
    typer.Option(
        "--compare", metavar="FILE", parser=Path, help="Compare with what `-O json` printed earlier"
    ),
]
FailAbove = Annotated[
    float | None,
    typer.Option(
        "--fail-above",
        metavar="percent",
        parser=percentage,
        help="With --compare: end with exit code 8 when a figure is worse by more",
    ),
]
NumSamples = Annotated[
    int, typer.Option("--num-samples", metavar="NUM_SAMPLES", parser=values.u64, help="Number of samples")
]
WORK = "What is measured"
TOPIC = "The topic"
TOPIC_OPTIONS = ("partitions", "replicas", "topic_name", "keep_topic", "ignore_rack")
OUTCOME = "What is made of the figures"
OUTCOME_OPTIONS = ("output", "compare", "fail_above")
NumRecords = Annotated[
    int,
    typer.Option(
        "--num-records", metavar="NUM_RECORDS", parser=values.u64, help="Records per run, that is per sample"
    ),
]
RecordSize = Annotated[
    str,
    typer.Option(
        "--record-size",
        metavar=_SIZE_METAVAR,
        parser=size,
        help="Bytes of each record's value",
    ),
]
WarmUp = Annotated[
    int,
    typer.Option(
        "--warm-up", metavar="records", parser=values.u64, help="Records before each sample that do not count"
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        metavar="records/s",
        parser=rate,
        help="Records a second in all, latency counting from when one was due; at full speed when absent",
    ),
]
TopicName = Annotated[
    str,
    typer.Option(
        "-t",
        "--topic-name",
        metavar="TOPIC_NAME",
        help="Topic to use; one that is there already is never deleted",
    ),
]
KeepTopic = Annotated[bool, typer.Option("-k", "--keep-topic", help="Do not delete the topic afterwards")]
Partitions = Annotated[
    int,
    typer.Option(
        "-p", "--partitions", metavar="PARTITIONS", parser=values.u32, help="Partitions of a new topic"
    ),
]
BatchSize = Annotated[
    str,
    typer.Option("-b", "--batch-size", metavar=_SIZE_METAVAR, parser=size, help="Bytes of a batch"),
]
Linger = Annotated[
    str,
    typer.Option(
        "-l",
        "--linger",
        metavar="LINGER",
        parser=duration,
        help="Delay of a batch that waits for more records",
    ),
]
Compression = Annotated[
    str,
    typer.Option("-c", "--compression", metavar="COMPRESSION", parser=codec, help="Compression of batches"),
]
