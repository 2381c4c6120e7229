"""What an import notes beside its file, so that it can go on where it was stopped. Pure but for
`ImportNote`.

For each partition: how many records of the file are acknowledged, and at which offset of the topic the next
one will be. The note is written before the first record is sent, and at most `EVERY_S` after each
acknowledgement; what was stored after the last note is found between that offset and the topic's end.

Whoever imports holds a lock on the note, so that nobody goes on with an import that is running. The system
lets go of it when the command ends, however it ends.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from fluvio_local_cluster.lifecycle.lock import is_still_at, try_lock
from fluvio_types.errors import FluvioError

EVERY_S = 0.5
HEAD_BYTES = 4096  # of the file, by which it is known again


class NothingToResumeError(FluvioError):
    """No interrupted import of this file into this topic is known, and the topic does not show one either."""

    kind = "not-found"

    def __init__(self, name: str, topic: str, why: str) -> None:
        super().__init__(
            f"no interrupted import of {name} into `{topic}` is known, and {why}",
            hint="without `--resume` all records of the file are stored, behind what is in the topic",
        )


class ImportRunningError(FluvioError):
    """Another process imports this file into this topic now."""

    def __init__(self, name: str, topic: str) -> None:
        super().__init__(
            f"another process is importing {name} into `{topic}`",
            hint="wait until it has ended; if it does not, end it and use `--resume`",
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
    """The note's file, while it is `held`. Each writing replaces it whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the lock; False when another process does. A note that nothing was written into goes again.

        Raises `OSError`: none can be written there.
        """
        descriptor = self._lock()
        if descriptor is None:
            yield False
            return
        self._descriptor = descriptor
        try:
            yield True
        finally:
            if os.fstat(self._descriptor).st_size == 0:
                self.remove()
            os.close(self._descriptor)
            self._descriptor = -1

    def _lock(self) -> int | None:
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            if not try_lock(descriptor):
                os.close(descriptor)
                return None
            if is_still_at(descriptor, self.path):
                return descriptor
            os.close(descriptor)  # whoever held it has replaced or removed it meanwhile

    def load(self) -> ImportState | None:
        """None when there is none. Raises `ImportStateError`, `OSError`."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        if not text:
            return None
        try:
            return state_from(json.loads(text))
        except ValueError as exc:
            raise ImportStateError(f"{self.path} cannot be read: {exc}") from exc

    def save(self, state: ImportState) -> None:
        """Replace it. Raises `OSError`."""
        beside = self.path.with_name(f"{self.path.name}.new")
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            try_lock(descriptor)  # before it is the note; nobody else writes there
            with open(descriptor, "wb", closefd=False) as file:
                file.write(json.dumps(state.as_json()).encode())  # all of it, or an error
            os.replace(beside, self.path)
        except OSError:
            os.close(descriptor)
            beside.unlink(missing_ok=True)
            raise
        os.close(self._descriptor)
        self._descriptor = descriptor

    def remove(self) -> None:
        """The import is done."""
        with suppress(FileNotFoundError):
            self.path.unlink()
