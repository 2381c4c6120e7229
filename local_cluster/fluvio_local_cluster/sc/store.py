"""The metadata directory: one YAML file an object, never half written, never hidden by a damaged neighbour.

Layout and rules: docs/metadata-format.md. All calls here block and are made by one thread at a time; the
controller runs them in a worker. A write is a temporary sibling, fsync, rename, fsync of the directory:
when `write` returns, every file of it is there for good; when it fails, files that were new are taken back.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from fluvio_local_cluster.sc.model.documents import from_document, to_document
from fluvio_local_cluster.sc.model.objects import AnyObject, Kind
from fluvio_local_cluster.sc.model.tree import DocumentError
from fluvio_local_cluster.sc.yaml_format import parse, render
from fluvio_types.errors import FluvioError

_logger = logging.getLogger(__name__)

SUFFIX = ".yaml"
LOCK_NAME = ".lock"
CLUSTER_ID_NAME = ".cluster-id"
QUARANTINE_NAME = ".quarantine"


_HEALED_SUFFIX = ".healed"  # of a file in quarantine whose object is there again


class MetadataError(FluvioError):
    """The metadata directory cannot be used."""


class MetadataWriteError(MetadataError):
    """Metadata could not be stored; nothing of it counts."""


@dataclass(slots=True, frozen=True)
class FileCalls:
    """The calls that make a write last; tests replace them to fail in between."""

    fsync: Callable[[int], None] = os.fsync
    replace: Callable[[Path, Path], None] = os.replace


@dataclass(slots=True)
class Loaded:
    """What a directory holds: the objects, and which files were set aside and why."""

    objects: list[tuple[Kind, AnyObject]] = field(default_factory=list)
    damaged: list[tuple[Path, str]] = field(default_factory=list)


class MetadataDirectory:
    """An open, locked metadata directory. Close it to let go of the lock."""

    def __init__(self, path: Path, lock: IO[str], calls: FileCalls) -> None:
        self.path = path
        self._lock = lock
        self._calls = calls

    @classmethod
    def open(cls, path: Path, calls: FileCalls | None = None) -> "MetadataDirectory":
        """Make the directory if need be and lock it. Raises `MetadataError`."""
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = (path / LOCK_NAME).open("a+", encoding="ascii")
        except OSError as exc:
            raise MetadataError(f"the metadata directory `{path}` cannot be used: {exc.strerror}") from exc
        try:
            _lock_file(lock)
        except OSError as exc:
            lock.seek(0)
            owner = lock.read(32).strip() or "unknown"
            lock.close()
            raise MetadataError(
                f"the metadata directory `{path}` is in use by another controller (process {owner})",
                hint="stop that one first, or give this one a directory of its own",
            ) from exc
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return cls(path, lock, calls if calls is not None else FileCalls())

    def close(self) -> None:
        """Let go of the lock."""
        self._lock.close()

    # --- reading ------------------------------------------------------------------------------------------

    def load(self) -> Loaded:
        """Read all objects; a file that is not one is moved aside. Raises `MetadataError`."""
        loaded = Loaded()
        for kind, path in _files(self.path):
            if path.name.endswith(".tmp"):
                path.unlink(missing_ok=True)  # of a write that never came to its end
            elif _is_object(path):
                self._load_file(kind, path, loaded)
        return loaded

    def _load_file(self, kind: Kind, path: Path, loaded: Loaded) -> None:
        try:
            loaded.objects.append((kind, _read(kind, path)))
            return
        except DocumentError as exc:
            cause = str(exc)
        aside = self._set_aside(path)
        loaded.damaged.append((aside, cause))
        _logger.error(
            "a metadata file is damaged and was set aside file=%s moved_to=%s cause=%s", path, aside, cause
        )

    def _set_aside(self, path: Path) -> Path:
        quarantine = path.parent / QUARANTINE_NAME
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        try:
            quarantine.mkdir(exist_ok=True)
            target, number = quarantine / f"{path.name}.{stamp}", 1
            while target.exists():
                target, number = quarantine / f"{path.name}.{stamp}-{number}", number + 1
            os.replace(path, target)
        except OSError as exc:
            raise MetadataError(f"the damaged file `{path}` cannot be set aside: {exc.strerror}") from exc
        return target

    def lost(self, is_there: Callable[[Kind, str], bool]) -> dict[tuple[Kind, str], Path]:
        """Topics and partitions in quarantine, of this and earlier loads, that are not there now.

        Files of those that `is_there` are marked as healed, so that an object that is deleted later is not
        taken for a lost one. Raises `MetadataError`.
        """
        found: dict[tuple[Kind, str], Path] = {}
        for kind in (Kind.TOPIC, Kind.PARTITION):
            quarantine = self.path / kind.value / QUARANTINE_NAME
            try:
                for path in sorted(quarantine.iterdir()) if quarantine.is_dir() else []:
                    key, is_one, _ = path.name.rpartition(f"{SUFFIX}.")
                    if not is_one or path.name.endswith(_HEALED_SUFFIX):
                        continue
                    if is_there(kind, key):
                        path.rename(path.with_name(path.name + _HEALED_SUFFIX))
                    else:
                        found[kind, key] = path
            except OSError as exc:
                raise MetadataError(f"`{quarantine}` cannot be used: {exc.strerror}") from exc
        return found

    def cluster_id(self, wanted: str | None = None) -> str:
        """The id of the cluster whose metadata this is; made (or taken from `wanted`) at the first call.

        Raises `MetadataError` when the directory belongs to another cluster than `wanted`.
        """
        path = self.path / CLUSTER_ID_NAME
        try:
            stored = path.read_text("ascii").strip()
        except FileNotFoundError:
            stored = ""
        except (OSError, UnicodeDecodeError) as exc:
            raise MetadataError(f"`{path}` cannot be read: {exc}") from exc
        if not stored:
            stored = wanted or _new_uuid()
            try:
                self._write_new(path, f"{stored}\n".encode("ascii"))
                self._calls.replace(_temporary(path), path)
                self._sync_directory(self.path)
            except (OSError, UnicodeEncodeError) as exc:
                raise MetadataError(f"`{path}` cannot be written: {exc}") from exc
        if wanted is not None and wanted != stored:
            raise MetadataError(f"`{self.path}` belongs to the cluster {stored}, not to {wanted}")
        return stored

    # --- writing ------------------------------------------------------------------------------------------

    def write(self, objects: Sequence[tuple[Kind, AnyObject, int]]) -> None:
        """Store objects, each as the revision given, kind by kind in the order of first mention.

        Raises `MetadataWriteError`; of an object that was there before, the old or the new file remains.
        """
        made: list[Path] = []
        try:
            for kind in dict.fromkeys(kind for kind, _, _ in objects):
                directory = self.path / kind.value
                if not directory.is_dir():
                    directory.mkdir()
                    self._sync_directory(self.path)
                paths = []
                for other_kind, stored, revision in objects:
                    if other_kind is kind:
                        path = directory / f"{stored.key}{SUFFIX}"
                        self._write_new(path, render(to_document(kind, stored, revision)))
                        paths.append(path)
                for path in paths:
                    if not path.exists():
                        made.append(path)
                    self._calls.replace(_temporary(path), path)
                self._sync_directory(directory)
        except OSError as exc:
            for path in made:
                with contextlib.suppress(OSError):
                    path.unlink()
            raise MetadataWriteError(f"storing metadata failed: {exc.strerror or exc}") from exc

    def remove(self, keys: Sequence[tuple[Kind, str]]) -> None:
        """Delete for good, kind by kind in the order of first mention. Raises `MetadataWriteError`."""
        try:
            for kind in dict.fromkeys(kind for kind, _ in keys):
                directory = self.path / kind.value
                for other_kind, key in keys:
                    if other_kind is kind:
                        (directory / f"{key}{SUFFIX}").unlink(missing_ok=True)
                if directory.is_dir():
                    self._sync_directory(directory)
        except OSError as exc:
            raise MetadataWriteError(f"deleting metadata failed: {exc.strerror or exc}") from exc

    def _write_new(self, path: Path, text: bytes) -> None:
        descriptor = os.open(_temporary(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            rest = memoryview(text)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            self._calls.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _sync_directory(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            self._calls.fsync(descriptor)
        finally:
            os.close(descriptor)


def damaged_files(path: Path) -> list[tuple[Path, str]]:
    """Files of a metadata directory that are no objects, and why; nothing is changed. Raises `MetadataError`.

    A controller may be at work there: it replaces files whole.
    """
    found: list[tuple[Path, str]] = []
    for kind, file in _files(path):
        if _is_object(file):
            try:
                _read(kind, file)
            except DocumentError as exc:
                if file.exists():
                    found.append((file, str(exc)))
    return found


def _files(path: Path) -> Iterator[tuple[Kind, Path]]:
    for kind in Kind:
        directory = path / kind.value
        try:
            names = sorted(entry.name for entry in os.scandir(directory) if entry.is_file())
        except FileNotFoundError:
            continue
        except OSError as exc:
            raise MetadataError(f"`{directory}` cannot be read: {exc.strerror}") from exc
        for name in names:
            yield kind, directory / name


def _is_object(path: Path) -> bool:
    return path.suffix == SUFFIX and not path.name.startswith(".")


def _read(kind: Kind, path: Path) -> AnyObject:
    """Raises `DocumentError`, also when the file cannot be read."""
    try:
        return from_document(kind, path.stem, parse(path.read_bytes()))
    except OSError as exc:
        raise DocumentError(exc.strerror or str(exc)) from exc
    except FluvioError as exc:
        raise DocumentError(str(exc)) from exc


def _new_uuid() -> str:
    import uuid  # 5 ms, needed once in the life of a directory

    return str(uuid.uuid4())


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _lock_file(file: IO[str]) -> None:
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
