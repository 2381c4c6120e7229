"""`fluvio consume`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.effect import Effect

if TYPE_CHECKING:
    from fluvio_cli.moments import Moment
    from fluvio_cli.output.queries import Query
    from fluvio_cli.streaming.selection import Selection
    from fluvio_client.consumer.offsets import Offset

_UNKNOWN_WIDTH = 65_535
_OUT_OF_REACH_S = 60.0  # how long `-d` waits for a partition's leader; without `-d` it waits for ever
_offset = values.integer(0, 2**63 - 1)
_FORMS = ("dynamic", "text", "binary", "json", "raw", "table", "full-table", "ndjson")


@rules(
    effect=Effect(only_with=("consumer",)),
    conflicts=(
        ("beginning", "head"),
        ("beginning", "start"),
        ("beginning", "tail"),
        ("head", "start"),
        ("head", "tail"),
        ("start", "tail"),
        ("beginning", "since"),
        ("head", "since"),
        ("since", "start"),
        ("since", "tail"),
        ("all_partitions", "partition"),
        ("format", "output"),
        ("format", "truncate"),
        ("output", "truncate"),
    ),
    panels={
        "Which records": (
            *("partition", "all_partitions", "regex", "count", "where", "suppress_unknown", "isolation"),
        ),
        "Where to start and to end": (
            *(
                "beginning",
                "head",
                "tail",
                "start",
                "since",
                "end",
                "until",
                "disable_continuous",
                "consumer",
            ),
            "on_evicted",
        ),
        "How to print them": (
            *("output", "format", "table_format", "key_value", "truncate", "disable_progressbar"),
        ),
    },
    examples=(
        ("Print what comes from now on", "fluvio consume my-topic"),
        ("Print everything that is there, then end", "fluvio consume my-topic -B -d"),
        (
            "Print the last ten records of each partition with their keys",
            "fluvio consume my-topic -T 10 -d -k",
        ),
        ("Go on where this consumer stopped", "fluvio consume my-topic --consumer audit"),
        ("Print what came in the last ten minutes", "fluvio consume my-topic --since 10m -d"),
        ("Print the first five orders above 100", "fluvio consume my-topic -B -n 5 --where 'total > `100`'"),
        ("Read several topics, a JSON object a line", "fluvio consume --regex 'orders-.*' -B -d -O ndjson"),
        ("Watch the newest record of each key", "fluvio consume hosts -B -O full-table --table-format hosts"),
        ("Choose the form", "fluvio consume my-topic -B -F '{{partition}}:{{offset}} {{key}}={{value}}'"),
    ),
)
def command(
    ctx: typer.Context,
    topic: Annotated[
        list[str], typer.Argument(metavar="topic", help="Name of the topic to read, or several")
    ],
    partition: Annotated[
        list[int] | None,
        typer.Option(
            "-p",
            "--partition",
            metavar="integer",
            parser=values.u32,
            help="Read this partition only (repeatable)",
        ),
    ] = None,
    all_partitions: Annotated[
        bool, typer.Option("-A", "--all-partitions", help="Read every partition, which is the default")
    ] = False,
    disable_continuous: Annotated[
        bool, typer.Option("-d", "--disable-continuous", help="End when what is there now has been read")
    ] = False,
    disable_progressbar: Annotated[
        bool, typer.Option("--disable-progressbar", help="Show no spinner while waiting")
    ] = False,
    key_value: Annotated[
        bool, typer.Option("-k", "--key-value", help="Print `[key] value`, with [null] for a missing key")
    ] = False,
    format: Annotated[
        str | None,
        typer.Option(
            "-F", "--format", metavar="FORMAT", help="Template of each record, such as '{{key}}={{value}}'"
        ),
    ] = None,
    table_format: Annotated[
        str | None,
        typer.Option(
            "--table-format",
            metavar="TABLE_FORMAT",
            help="Name of a stored table format, which gives `-O full-table` its columns, labels and primary "
            "keys, and `-O table` its columns and labels",
        ),
    ] = None,
    beginning: Annotated[
        bool, typer.Option("-B", "--beginning", help="Start at the oldest record that is kept")
    ] = False,
    head: Annotated[
        int | None,
        typer.Option(
            "-H", "--head", metavar="integer", parser=_offset, help="Start so many records after the oldest"
        ),
    ] = None,
    tail: Annotated[
        int | None,
        typer.Option(
            "-T", "--tail", metavar="integer", parser=_offset, help="Start so many records before the end"
        ),
    ] = None,
    start: Annotated[
        int | None,
        typer.Option("--start", metavar="integer", parser=_offset, help="Start at this offset"),
    ] = None,
    end: Annotated[
        int | None,
        typer.Option(
            "--end", metavar="integer", parser=_offset, help="Stop after the record with this offset"
        ),
    ] = None,
    maxbytes: Annotated[
        int | None,
        typer.Option(
            "-b", "--maxbytes", metavar="integer", parser=values.i32, help="Bytes of one fetch, at most"
        ),
    ] = None,
    isolation: Annotated[
        str | None,
        typer.Option(
            "--isolation",
            metavar="ISOLATION",
            parser=values.parse_isolation,
            help="Read everything that leaders have (read_uncommitted, the default) "
            "or what is committed (read_committed)",
        ),
    ] = None,
    regex: Annotated[
        bool,
        typer.Option(
            "--regex",
            help="Take the names for regular expressions of whole topic names; topics that are created "
            "later are not followed",
        ),
    ] = False,
    count: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--count",
            metavar="integer",
            parser=values.integer(1, 2**63 - 1),
            help="End after so many printed records",
        ),
    ] = None,
    since: Annotated[
        Any,
        typer.Option(
            "--since",
            metavar="TIME",
            parser=values.moment,
            help="Start at this time: 10m (ago), RFC 3339 or a date (UTC), seconds or ms since 1970",
        ),
    ] = None,
    until: Annotated[
        Any,
        typer.Option(
            "--until",
            metavar="TIME",
            parser=values.moment,
            help="Print what is before this time, then end; without a start flag a time that has passed "
            "starts at the beginning",
        ),
    ] = None,
    where: Annotated[
        Any,
        typer.Option(
            "--where",
            metavar="EXPR",
            parser=values.query,
            help="Print the records whose JSON value this JMESPath expression is true for",
        ),
    ] = None,
    suppress_unknown: Annotated[
        bool,
        typer.Option("--suppress-unknown", help="Leave out what is no JSON; print binary values as text"),
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-O",
            "--output",
            metavar="type",
            parser=values.Choice(*_FORMS, ignore_case=True),
            help="How to print values",
        ),
    ] = None,
    truncate: Annotated[
        bool, typer.Option("--truncate", help="Cut each record to the width of the terminal")
    ] = False,
    consumer: Annotated[
        str | None,
        typer.Option(
            "-c",
            "--consumer",
            metavar="CONSUMER",
            help="Id of the consumer whose offset is kept in the cluster",
        ),
    ] = None,
    on_evicted: Annotated[
        str,
        typer.Option(
            "--on-evicted",
            metavar="type",
            parser=values.Choice("earliest", "fail"),
            help="When retention has removed the next record: say so and go on at the oldest one there is, "
            "or fail",
        ),
    ] = "earliest",
) -> None:
    """Read messages from a topic/partition.

    Without a start flag only records that come from now on are printed. Ctrl-C ends. Several topics are read
    at once, each in its order.
    """
    from fluvio_cli.output.records import RecordOptions, format_timestamp
    from fluvio_cli.output.template import Template
    from fluvio_cli.streaming.consuming import ConsumeJob, consume
    from fluvio_cli.streaming.interrupt import run
    from fluvio_cli.streaming.topics import compile_patterns
    from fluvio_client.consumer.offsets import Offset
    from fluvio_client.consumer.settings import ConsumerConfig, Evicted, OffsetStrategy
    from fluvio_protocol.api.fetch import Isolation

    cli: CliContext = ctx.obj
    if start is not None and end is not None and end < start:
        _refuse_end(cli, start, end)
    options = RecordOptions(
        form=output or "dynamic",
        with_key=key_value,
        template=Template(format) if format is not None else None,
        truncate_to=_terminal_width(cli) if truncate and not key_value else None,
        suppress_unknown=suppress_unknown,
    )
    selection, ends_in_s = _selection(since, until, where, count)
    has_passed = ends_in_s is not None and ends_in_s <= 0
    if has_passed and all(given is None for given in (since, head, tail, start)):
        beginning = True
    disable_continuous = disable_continuous or has_passed
    offset, words = _start(beginning, head, tail, start)
    if selection.since_ms is not None:
        offset, words = Offset.since(selection.since_ms), f" since {format_timestamp(selection.since_ms)}"
    topics = tuple(dict.fromkeys(topic))
    config = ConsumerConfig(
        topics[0],
        partitions=tuple(partition or ()),
        start=offset,
        isolation=Isolation.READ_COMMITTED if isolation == "read_committed" else Isolation.READ_UNCOMMITTED,
        max_bytes=max(maxbytes, 1) if maxbytes is not None else _fetch_bytes(cli),
        disable_continuous=disable_continuous,
        consumer_id=consumer or None,
        offset_strategy=OffsetStrategy.AUTO if consumer else OffsetStrategy.NONE,
        evicted=Evicted.FAIL if on_evicted == "fail" else Evicted.CONTINUE,
        reconnect_timeout_s=_OUT_OF_REACH_S if disable_continuous else None,
    )
    to_end = f" until offset {end} (inclusive)" if end is not None else ""
    named = ", ".join(f"'{name}'" for name in topics)
    job = ConsumeJob(
        config,
        options,
        end,
        show_progress=not disable_progressbar,
        headline=f"Consuming records from {named}{words}{to_end}",
        more_topics=topics[1:],
        patterns=tuple(compile_patterns(topics)) if regex else (),
        selection=selection,
        table_format=table_format,
        ends_in_s=ends_in_s if not has_passed else None,
    )
    run(lambda interrupt: consume(cli, job, interrupt))


def _selection(
    since: "Moment | None", until: "Moment | None", where: "Query | None", count: int | None
) -> "tuple[Selection, float | None]":
    """What to print, and in how many seconds that ends; 0 or less: `until` has passed, None: no such end."""
    import time

    from fluvio_cli.failures import UsageError
    from fluvio_cli.streaming.selection import GRACE_S, Selection

    now_ms = int(time.time() * 1000)
    since_ms = since.resolve(now_ms) if since is not None else None
    until_ms = until.resolve(now_ms) if until is not None else None
    if since_ms is not None and until_ms is not None and until_ms < since_ms:
        raise UsageError("`--until` is before `--since`")
    ends_in_s = None if until_ms is None else (until_ms - now_ms) / 1000
    if ends_in_s is not None and ends_in_s > 0:
        ends_in_s += GRACE_S
    return Selection(since_ms, until_ms, where, count), ends_in_s


def _start(beginning: bool, head: int | None, tail: int | None, start: int | None) -> "tuple[Offset, str]":
    """Where to start, and how the headline says it."""
    from fluvio_client.consumer.offsets import Offset

    if beginning:
        return Offset.beginning(), " starting from the beginning of log"
    if head is not None:
        return Offset.beginning(head), f" starting {head} from the beginning of log"
    if start is not None:
        return Offset.absolute(start), f" starting at offset {start}"
    if tail is not None:
        return Offset.end(tail), f" starting {tail} from the end of log"
    return Offset.end(), ""


def _refuse_end(cli: CliContext, start: int, end: int) -> None:
    from fluvio_types.errors import FluvioError

    cli.printer.note("Argument end-offset must be greater than or equal to specified start offset")
    raise FluvioError(f"End offset: {end} cannot be less than starting offset: {start}")


def _fetch_bytes(cli: CliContext) -> int:
    from fluvio_types.defaults import SLICE_MAX_BYTES

    named = cli.environment.get("FLV_CLIENT_MAX_FETCH_BYTES", "")
    return int(named) if named.isascii() and named.isdigit() and 0 < int(named) < 2**31 else SLICE_MAX_BYTES


def _terminal_width(cli: CliContext) -> int:
    import os

    if not cli.printer.stdout_is_terminal:
        return _UNKNOWN_WIDTH
    try:
        return os.get_terminal_size(cli.printer.stdout.fileno()).columns or _UNKNOWN_WIDTH
    except OSError:
        return _UNKNOWN_WIDTH
