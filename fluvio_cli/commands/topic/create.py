"""`fluvio topic create`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluvio_cli import values
from fluvio_cli.command import rules
from fluvio_cli.context import CliContext
from fluvio_cli.effect import Effect

if TYPE_CHECKING:
    from fluvio_protocol.api.topic import TopicSpec

_PATIENCE_S = 3.0  # then the command looks whether waiting makes sense


@rules(
    effect=Effect(not_with=("dry_run",)),
    conflicts=(
        ("replica_assignment", "partitions"),
        ("replica_assignment", "replication"),
        ("replica_assignment", "ignore_rack_assignment"),
    ),
    stands_alone={
        "config": (
            *("retention_time", "segment_size", "compression_type", "max_partition_size", "system", "name"),
            *("partitions", "replication", "ignore_rack_assignment", "replica_assignment"),
        )
    },
    panels={
        "Partitions": ("partitions", "replication", "ignore_rack_assignment", "replica_assignment"),
        "Records": ("retention_time", "segment_size", "max_partition_size", "compression_type"),
    },
    examples=(
        ("Create a topic with four partitions", "fluvio topic create my-topic -p 4"),
        (
            "Keep records for two days, at most 10 GB a partition",
            "fluvio topic create logs --retention-time 2d --max-partition-size 10gb",
        ),
        ("Create what a file defines (docs/topic-config.md)", "fluvio topic create --config topic.yaml"),
        ("Check the settings and create nothing", "fluvio topic create my-topic -p 4 --dry-run"),
    ),
)
def command(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="name", help="Name of the topic")] = None,
    partitions: Annotated[
        int,
        typer.Option(
            "-p", "--partitions", metavar="partitions", parser=values.u32, help="Number of partitions"
        ),
    ] = 1,
    replication: Annotated[
        int,
        typer.Option(
            "-r",
            "--replication",
            metavar="integer",
            parser=values.integer(-(2**15), 2**15 - 1),
            help="Number of copies of each partition",
        ),
    ] = 1,
    ignore_rack_assignment: Annotated[
        bool, typer.Option("-i", "--ignore-rack-assignment", help="Do not spread copies over racks")
    ] = False,
    replica_assignment: Annotated[
        str | None,
        typer.Option(
            "-f",
            "--replica-assignment",
            metavar="file.json",
            help="File that says which SPUs hold each partition, the leader first",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("-d", "--dry-run", help="Only check the settings, create nothing")
    ] = False,
    retention_time: Annotated[
        int | None,
        typer.Option(
            "--retention-time",
            metavar="time",
            parser=values.parse_duration_ns,
            help="How long records stay, such as `1h` or `2d 10s` (server's default: 7 days)",
        ),
    ] = None,
    segment_size: Annotated[
        int | None,
        typer.Option(
            "--segment-size",
            metavar="bytes",
            parser=values.parse_byte_size,
            help="Size at which a log segment is closed, such as `2Ki` or `10Gb`",
        ),
    ] = None,
    compression_type: Annotated[
        str | None,
        typer.Option(
            "--compression-type",
            metavar="compression",
            parser=values.topic_compression,
            help="Compression that producers must use: none, gzip, snappy, lz4, zstd or any (default)",
        ),
    ] = None,
    max_partition_size: Annotated[
        int | None,
        typer.Option(
            "--max-partition-size",
            metavar="bytes",
            parser=values.parse_byte_size,
            help="Size above which a partition's oldest segments are deleted",
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option("-c", "--config", metavar="PATH", help="YAML file that holds the whole definition"),
    ] = None,
    system: Annotated[
        bool, typer.Option("-s", "--system", help="Mark it as an internal topic", hidden=True)
    ] = False,
) -> None:
    """Create a topic with the given name.

    The command ends when every partition can be used.
    """
    from fluvio_protocol.api.topic import (
        CompressionAlgorithm,
        SegmentBasedPolicy,
        TopicReplicaParam,
        TopicSpec,
        TopicStorageConfig,
    )

    cli: CliContext = ctx.obj
    if config is not None:
        from pathlib import Path

        from fluvio_cli.topic_files import read_topic_file

        name, spec = read_topic_file(Path(config))
        _create_and_tell(cli, _checked_name(name), spec, dry_run=dry_run)
        return
    checked_name = _checked_name(name)
    spec = TopicSpec(
        replicas=TopicReplicaParam(
            partitions=partitions,
            replication_factor=_replication_on_wire(replication),
            ignore_rack_assignment=ignore_rack_assignment,
        )
        if replica_assignment is None
        else _read_assignment(replica_assignment),
        compression_type=CompressionAlgorithm[(compression_type or "any").upper()],
        system=system,
    )
    if retention_time is not None:
        spec.cleanup_policy = SegmentBasedPolicy(time_in_seconds=min(retention_time // 10**9, 2**32 - 1))
    if segment_size is not None or max_partition_size is not None:
        spec.storage = TopicStorageConfig(segment_size=segment_size, max_partition_size=max_partition_size)
    _create_and_tell(cli, checked_name, spec, dry_run=dry_run)


def _create_and_tell(cli: CliContext, name: str, spec: "TopicSpec", *, dry_run: bool) -> None:
    from fluvio_cli.commands.topic.failure import reworded
    from fluvio_protocol.error_code import ApiError

    try:
        _create(cli, name, spec, dry_run=dry_run)
    except ApiError as exc:
        raise reworded(exc, name) from exc
    cli.printer.message(f'topic "{name}" created')


def _checked_name(name: str | None) -> str:
    from fluvio_types.errors import InvalidNameError
    from fluvio_types.names import name_problem

    if not name:
        raise InvalidNameError(
            "Invalid argument: Topic name is required", hint="`fluvio topic create my-topic`"
        )
    problem = name_problem(name)
    if problem is not None:
        raise InvalidNameError(f"Invalid argument: Invalid Topic name {name}. {problem}")
    return name


def _replication_on_wire(replication: int) -> int:
    """The wire has an unsigned number here; 0 is refused by the cluster, and so is what is below it."""
    return max(replication, 0)


def _read_assignment(path: str) -> Any:
    import json

    from fluvio_protocol.api.topic import AssignedReplicas, PartitionMap
    from fluvio_types.errors import FluvioError

    with open(path, "rb") as file:
        text = file.read()
    try:
        rows = json.loads(text)
        maps = [
            PartitionMap(id=int(row["id"]), replicas=[int(spu) for spu in row["replicas"]]) for row in rows
        ]
    except (ValueError, KeyError, TypeError) as exc:
        reason = f"missing field {exc}" if isinstance(exc, KeyError) else str(exc)
        raise FluvioError(
            f"error reading replica assignment: {reason}",
            hint='the file holds a list such as [{"id": 0, "replicas": [5001, 5002]}]',
        ) from exc
    for position, row in enumerate(maps):
        if row.id != position:
            start = "start with id 0" if position == 0 else "be in sequence and without gaps"
            subject = "assigned partitions" if position == 0 else "assigned partition ids"
            raise FluvioError(f"{subject} must {start}")
    return AssignedReplicas(maps=maps)


def _create(cli: CliContext, name: str, spec: "TopicSpec", *, dry_run: bool) -> None:
    """Create, and after a moment's silence find out what the cluster is waiting for."""
    from fluvio_client.errors import ResponseTimeoutError

    with cli.connect() as admin:
        patience_s = min(_PATIENCE_S, cli.socket_wait_s)
        try:
            admin.create_topic(name, spec, dry_run=dry_run, timeout_s=patience_s)
            return
        except ResponseTimeoutError:
            if dry_run or patience_s >= cli.socket_wait_s:
                raise
    cli.printer.progress(f"waiting for the partitions of `{name}`")
    _await_provisioned(cli, name, cli.socket_wait_s - patience_s)


def _await_provisioned(cli: CliContext, name: str, timeout_s: float) -> None:
    import time

    from fluvio_cli.failures import NotInTimeError
    from fluvio_protocol.api.partition import PartitionResolution
    from fluvio_protocol.api.topic import TopicResolution
    from fluvio_types.errors import FluvioError

    deadline = time.monotonic() + timeout_s
    hint = f"it is provisioned by itself when that is possible; `fluvio topic describe {name}` shows it"
    with cli.connect() as admin:
        rows: set[int] = set()
        for update in admin.watch("Topic", timeout_s=timeout_s):
            found = [
                topic for topic in (*update.all, *(m.content for m in update.changes)) if topic.name == name
            ]
            if not found:
                continue
            status = found[-1].status
            if status.resolution in (TopicResolution.INSUFFICIENT_RESOURCES, TopicResolution.INVALID_CONFIG):
                word = status.resolution.name.lower().replace("_", "-")
                reason = f": {status.reason}" if status.reason else ""
                admin.delete_topic(name)  # who is told no does not expect to find it later
                raise FluvioError(
                    f"topic `{name}` cannot be provisioned and was not kept: {word}{reason}",
                    hint="`fluvio cluster spu list` shows the SPUs: ask for fewer copies, or add some",
                )
            if status.resolution == TopicResolution.PROVISIONED:
                rows = set(status.replica_map)
                break
        online: set[str] = set()
        for update in admin.watch("Partition", timeout_s=max(deadline - time.monotonic(), 0)):
            for partition in (*update.all, *(message.content for message in update.changes)):
                if partition.status.resolution == PartitionResolution.ONLINE:
                    online.add(partition.name)
            if rows and all(f"{name}-{row}" in online for row in rows):
                return
    raise NotInTimeError(
        f"the partitions of topic `{name}` did not come online in time",
        hint=f"{hint}, `fluvio partition list` its partitions; the output of an SPU says why it does not "
        "serve one, such as a limit (`--max-partitions`)",
    )
