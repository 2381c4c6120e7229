"""`replication.chk`: the high watermark as it was a moment ago. Format: docs/storage-format.md, "Checkpoint".

It is a hint. It may be older than the truth, and whoever reads it keeps it within the log's bounds.
"""

import struct
from pathlib import Path

from fluvio_local_cluster.storage import layout
from fluvio_local_cluster.storage.files import Files

_HW = struct.Struct(">q")


def read_hw(directory: Path, files: Files) -> int | None:
    """The checkpointed HW; 0 for an empty file (the official engine begins so), None for no or a bad one."""
    data = files.read(directory / layout.HW_FILE)
    if data == b"":
        return 0
    if data is None or len(data) != _HW.size:
        return None
    hw: int = _HW.unpack(data)[0]
    return hw if hw >= 0 else None


def write_hw(directory: Path, hw: int, files: Files, *, durable: bool) -> None:
    """Replace the checkpoint atomically; `durable` waits for the disk."""
    files.write_atomically(directory / layout.HW_FILE, _HW.pack(hw), durable=durable)
