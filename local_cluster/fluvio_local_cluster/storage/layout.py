"""Names of directories and files. Source: docs/storage-format.md, "Directory".

`<base>/spu-logs-<spu id>/<topic>-<partition>/` is one replica; `<base>/trash/` holds deleted ones.
"""

from pathlib import Path

LOG_SUFFIX = ".log"
INDEX_SUFFIX = ".index"
HW_FILE = "replication.chk"
META_FILE = "meta.json"
BOOT_FILE = "boot"
CLEAN_FILE = "clean"
DAMAGE_FILE = "damage.json"
PROGRESS_FILE = "progress"
SUSPECT_FILE = "suspect"
TRASH_DIRECTORY = "trash"

_DIGITS = 20


def replica_directory(base: Path, spu_id: int, topic: str, partition: int) -> Path:
    """Where an SPU keeps its replica of a partition."""
    return base / f"spu-logs-{spu_id}" / f"{topic}-{partition}"


def log_name(base_offset: int) -> str:
    """Name of the segment file whose first record has `base_offset`."""
    return f"{base_offset:0{_DIGITS}d}{LOG_SUFFIX}"


def index_name(base_offset: int) -> str:
    """Name of the index that belongs to `log_name(base_offset)`."""
    return f"{base_offset:0{_DIGITS}d}{INDEX_SUFFIX}"


def base_offset_of(name: str, suffix: str) -> int | None:
    """The base offset in a segment's or index's file name, or None when it is another file."""
    digits = name.removesuffix(suffix)
    if digits == name or len(digits) != _DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    return int(digits)


def saved_tail_name(offset: int, timestamp_ms: int) -> str:
    """Name of the file that keeps the torn tail cut off at `offset`."""
    return f"recovered-{offset}-{timestamp_ms}.bad"
