"""What servers print: one file per server, appended to, rotated when a server is started."""

import os
from pathlib import Path

ROTATE_BYTES = 20 * 1024 * 1024
KEPT_FILES = 5  # the current one included
TAIL_LINES = 20
_TAIL_BYTES = 16 * 1024


def open_output(path: Path) -> int:
    """Return a descriptor to append to, after moving a file of 20 MiB or more aside (`.1` is the newest)."""
    try:
        if path.stat().st_size >= ROTATE_BYTES:
            _rotate(path)
    except FileNotFoundError:
        pass
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _rotate(path: Path) -> None:
    for number in range(KEPT_FILES - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        newer = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        if newer.exists():
            os.replace(newer, older)


def output_files(path: Path) -> list[Path]:
    """The file of a server and those that were moved aside, whether they are there or not."""
    return [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, KEPT_FILES))]


def tail(path: Path, start: int) -> list[str]:
    """The last 20 lines printed since the file was `start` bytes long; empty when it cannot be read."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(start, size - _TAIL_BYTES))
            text = file.read(_TAIL_BYTES).decode(errors="replace")
    except OSError:
        return []
    return text.splitlines()[-TAIL_LINES:]
