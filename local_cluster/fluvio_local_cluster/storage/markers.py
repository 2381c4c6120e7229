"""The small files beside the segments: whose replica this is, and in which state it was left.

Formats: docs/storage-format.md, "Markers". A marker that cannot be read counts as absent: the `clean`
marker only saves work. The one exception is a `meta.json` of a later format, which is refused.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fluvio_local_cluster.storage import layout
from fluvio_local_cluster.storage.errors import ReplicaMismatchError, UnsupportedFormatError
from fluvio_local_cluster.storage.files import Files
from fluvio_protocol.api.sc_spu import ADOPTED
from fluvio_protocol.checksum import crc32c

FORMAT = 1
_LINUX_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class ReplicaIdentity:
    """Whose data a directory holds: so that a deleted and re-created topic never shows old records."""

    cluster: str  # id of the cluster
    incarnation: str  # of the topic; another one each time the name is used again
    replica: str  # `<topic>-<partition>`

    def admits(self, found: "ReplicaIdentity") -> bool:
        """Whether a directory with the identity `found` holds this replica."""
        return found == self or (
            self.incarnation == ADOPTED and (found.cluster, found.replica) == (self.cluster, self.replica)
        )

    def __str__(self) -> str:
        return f"replica `{self.replica}` of cluster `{self.cluster}`, incarnation `{self.incarnation}`"


@dataclass(frozen=True, slots=True)
class CleanMarker:
    """What an orderly shutdown left: every segment with its size (bytes), and LEO and HW."""

    leo: int
    hw: int
    segments: tuple[tuple[int, int], ...]  # (base offset, size in bytes), ascending
    first_append_ms: int | None = None  # of the active segment; None: a marker of an earlier version
    max_timestamp_ms: int | None = None
    index_crc: int | None = None  # CRC-32C of the active segment's index file


@dataclass(frozen=True, slots=True, order=True)
class Hole:
    """Offsets `start` up to, not including, `stop` are damaged on disk and cannot be read."""

    start: int
    stop: int


def read_boot_id() -> str:
    """An id that changes with every start of the machine."""
    try:
        return _LINUX_BOOT_ID.read_text().strip()
    except OSError:
        import psutil

        return f"booted-{int(psutil.boot_time())}"


def check_identity(directory: Path, expected: ReplicaIdentity, files: Files) -> bool:
    """Whether `meta.json` is there. Raises `ReplicaMismatchError`, `UnsupportedFormatError`."""
    data = _read_json(directory / layout.META_FILE, files)
    if data is None:
        return False
    if not isinstance(data.get("format"), int) or data["format"] > FORMAT:
        raise UnsupportedFormatError(
            f"{directory} has format {data.get('format')}, this version knows {FORMAT}"
        )
    found = ReplicaIdentity(*(str(data.get(key)) for key in ("cluster", "incarnation", "replica")))
    if not expected.admits(found):
        raise ReplicaMismatchError(directory, str(found), str(expected))
    return True


def read_identity(directory: Path, files: Files) -> ReplicaIdentity | None:
    """Whose data a directory says it holds; None when it says nothing."""
    data = _read_json(directory / layout.META_FILE, files)
    if data is None:
        return None
    return ReplicaIdentity(*(str(data.get(key)) for key in ("cluster", "incarnation", "replica")))


def write_identity(directory: Path, identity: ReplicaIdentity, files: Files, *, durable: bool = True) -> None:
    """Write `meta.json`; `durable` waits until it is on the disk, its name included."""
    _write_json(directory / layout.META_FILE, {**asdict(identity), "format": FORMAT}, files, durable=durable)
    if durable:
        files.sync_directory(directory)


def read_boot(directory: Path, files: Files) -> str | None:
    """The machine's boot id when the replica was opened last."""
    data = files.read(directory / layout.BOOT_FILE)
    return data.decode("utf-8", "replace").strip() if data else None


def write_boot(directory: Path, boot_id: str, files: Files) -> None:
    """Remember the boot id."""
    files.write_atomically(directory / layout.BOOT_FILE, f"{boot_id}\n".encode(), durable=False)


def take_clean(directory: Path, files: Files) -> CleanMarker | None:
    """Read the `clean` marker and remove it: from here on the replica is in use."""
    marker = read_clean(directory, files)
    files.remove_if_there(directory / layout.CLEAN_FILE)
    return marker


def read_clean(directory: Path, files: Files) -> CleanMarker | None:
    """What the `clean` marker says; None when there is none that can be believed."""
    data = _read_json(directory / layout.CLEAN_FILE, files)
    if data is None or data.get("format") != FORMAT:
        return None
    checksum = data.pop("crc", None)
    if checksum is not None and checksum != _checksum(data):
        return None
    try:
        segments = tuple((int(base), int(size)) for base, size in data["segments"])
        times = (
            None if data.get(name) is None else int(data[name])
            for name in ("first_append_ms", "max_timestamp_ms", "index_crc")
        )
        return CleanMarker(int(data["leo"]), int(data["hw"]), segments, *times)
    except (KeyError, TypeError, ValueError):
        return None


def write_clean(directory: Path, marker: CleanMarker, files: Files) -> None:
    """Write the `clean` marker durably; everything it speaks of must be on the disk already."""
    fields = {**asdict(marker), "format": FORMAT}
    fields["crc"] = _checksum(fields)
    _write_json(directory / layout.CLEAN_FILE, fields, files, durable=True)
    files.sync_directory(directory)


def write_suspect(directory: Path, base_offset: int, files: Files) -> None:
    """Note that an fsync of the segment failed: what can be read of it may be in the page cache only.

    Not synced itself: a power loss, which the note would not survive, takes that cache with it.
    """
    _write_json(
        directory / layout.SUSPECT_FILE, {"segment": base_offset, "format": FORMAT}, files, durable=False
    )


def read_suspect(directory: Path, files: Files) -> int | None:
    """Base offset of the segment that `write_suspect` noted; None when none was."""
    data = _read_json(directory / layout.SUSPECT_FILE, files)
    base_offset = None if data is None else data.get("segment")
    return base_offset if isinstance(base_offset, int) else None


def forget_suspect(directory: Path, files: Files) -> None:
    """The segment that was noted is on the disk now."""
    files.remove_if_there(directory / layout.SUSPECT_FILE)


def read_holes(directory: Path, files: Files) -> list[Hole]:
    """Damaged ranges found earlier, ascending."""
    data = _read_json(directory / layout.DAMAGE_FILE, files)
    try:
        return sorted(Hole(int(start), int(stop)) for start, stop in (data or {}).get("ranges", ()))
    except (TypeError, ValueError):
        return []


def write_holes(directory: Path, holes: list[Hole], files: Files) -> None:
    """Remember damaged ranges durably; no file when there are none."""
    path = directory / layout.DAMAGE_FILE
    if holes:
        ranges = [[hole.start, hole.stop] for hole in holes]
        _write_json(path, {"ranges": ranges, "format": FORMAT}, files, durable=True)
    elif not files.remove_if_there(path):
        return
    files.sync_directory(directory)


def _checksum(fields: dict[str, Any]) -> int:
    return crc32c(json.dumps(fields).encode())


def _read_json(path: Path, files: Files) -> dict[str, Any] | None:
    raw = files.read(path)
    if raw is None:
        return None
    try:
        data = json.loads(raw)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _write_json(path: Path, data: dict[str, Any], files: Files, *, durable: bool) -> None:
    files.write_atomically(path, json.dumps(data).encode() + b"\n", durable=durable)
