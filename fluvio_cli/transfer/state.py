"""What an import notes beside its file, so that it can go on where it was stopped. Pure but for
`ImportNote`.

For each partition: how many records of the file are acknowledged, and at which offset of the topic the next
one will be. The note is written before the first record is sent, and at most `EVERY_S` after each
acknowledgement; what was stored after the last note is found between that offset and the topic's end.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from fluvio_types.errors import FluvioError

EVERY_S = 0.5
HEAD_BYTES = 4096  # of the file, by which it is known again


class NothingToResumeError(FluvioError):
    """No import of this file into this topic was interrupted."""

    kind = "not-found"

    def __init__(self, name: str, topic: str) -> None:
        super().__init__(
            f"no interrupted import of {name} into `{topic}` is known",
            hint="without `--resume` the import begins with the file's first record",
        )


class ImportInterruptedError(FluvioError):
    """An import of this file into this topic was interrupted, and neither continued nor given up."""

    def __init__(self, name: str, topic: str, path: Path) -> None:
        super().__init__(f"an import of {name} into `{topic}` was interrupted")
        self.hint = f"`--resume` goes on with it; to begin anew, and store records again, delete {path}"


class ImportStateError(FluvioError):
    """An import cannot go on: the file or the topic is not what it was."""


@dataclass(slots=True)
class Progress:
    """Of one partition."""

    done: int = 0  # records of the file that are acknowledged
    next_offset: int = 0  # of the topic, for the next one


@dataclass(slots=True)
class ImportState:
    """What is noted. `head`: digest of the file's first bytes; times as the import was told to set them."""

    endpoint: str
    topic: str
    size_bytes: int
    head: str
    keep_time: bool
    partitions: dict[int, Progress] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        rows = {str(number): [each.done, each.next_offset] for number, each in self.partitions.items()}
        return {
            "endpoint": self.endpoint,
            "topic": self.topic,
            "size_bytes": self.size_bytes,
            "head": self.head,
            "keep_time": self.keep_time,
            "partitions": rows,
        }


def state_from(document: Any) -> ImportState:
    """The other way. Raises `ImportStateError`."""
    try:
        rows = {
            int(number): Progress(int(row[0]), int(row[1])) for number, row in document["partitions"].items()
        }
        texts = [str(document[name]) for name in ("endpoint", "topic", "head")]
        return ImportState(
            texts[0], texts[1], int(document["size_bytes"]), texts[2], bool(document["keep_time"]), rows
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as exc:
        raise ImportStateError(f"the note of an interrupted import cannot be read: {exc!r}") from exc


def head_digest(data: bytes) -> str:
    """By which a file is known again."""
    return blake2b(data[:HEAD_BYTES], digest_size=8).hexdigest()


def note_path(file: Path, endpoint: str, topic: str) -> Path:
    """Where the note of an import into that topic is."""
    mark = blake2b(f"{endpoint}/{topic}".encode(), digest_size=4).hexdigest()
    return file.with_name(f"{file.name}.import-{mark}")


class ImportNote:
    """The note's file. Each writing replaces it whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> ImportState | None:
        """None when there is none. Raises `ImportStateError`, `OSError`."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return state_from(json.loads(text))
        except ValueError as exc:
            raise ImportStateError(f"{self.path} cannot be read: {exc}") from exc

    def save(self, state: ImportState) -> None:
        """Raises `OSError`."""
        beside = self.path.with_name(f"{self.path.name}.new")
        beside.write_text(json.dumps(state.as_json()))
        os.replace(beside, self.path)

    def remove(self) -> None:
        """The import is done."""
        with suppress(FileNotFoundError):
            self.path.unlink()
