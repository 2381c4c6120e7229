"""How far partitions reach: by what the controller was told last, and by the files of a local cluster.

The files tell it also when nobody answers; of a log in use they may be a moment older than its server.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from fluvio_client.admin_calls import PartitionObject
    from fluvio_local_cluster.lifecycle.state import ClusterState


class Told(NamedTuple):
    """What the controller says of a partition's leader. Offsets; -1: it was not told yet."""

    partition: str
    spu: int
    start: int
    hw: int
    leo: int


def told_by(partitions: "Iterable[PartitionObject]") -> list[Told]:
    """What the status of `partitions` says."""
    return [
        Told(
            each.name,
            each.status.leader.spu,
            each.status.base_offset,
            each.status.leader.hw,
            each.status.leader.leo,
        )
        for each in partitions
    ]


def document(told: Iterable[Told], state: "ClusterState | None") -> str:
    """YAML: `controller` and `files` (null without any), each a list of partitions with their offsets."""
    from fluvio_cli.output.structured import render_structured

    files = None if state is None else in_files(state.settings.data_dir)
    return render_structured({"controller": [each._asdict() for each in told], "files": files}, "yaml")


def in_files(data_dir: Path) -> list[dict[str, Any]]:
    """One entry for each replica below `data_dir`; one that cannot be read has an `error`."""
    from fluvio_local_cluster.storage.bounds import read_bounds
    from fluvio_local_cluster.storage.files import Files
    from fluvio_types.errors import FluvioError

    found: list[dict[str, Any]] = []
    for directory in sorted(data_dir.glob("spu-logs-*/*-*")):
        spu = directory.parent.name.removeprefix("spu-logs-")
        entry: dict[str, Any] = {"partition": directory.name, "spu": int(spu) if spu.isdigit() else spu}
        try:
            bounds = read_bounds(directory, Files())
        except (OSError, FluvioError) as exc:
            found.append({**entry, "error": str(exc)})
            continue
        if bounds is None:
            continue  # no log: some other directory, or one that is being made
        entry |= {"start": bounds.start, "hw": bounds.hw, "leo": bounds.leo, "closed": bounds.was_closed}
        found.append(entry if bounds.problem is None else {**entry, "behind_leo": bounds.problem})
    return found
