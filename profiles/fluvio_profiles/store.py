"""Reads the profile file, and changes it without ever losing or tearing it.

A change holds a lock file beside the profile file from reading to writing, writes a temporary sibling,
syncs it, and moves it over the old file. Two programs at once wait for each other; a crash leaves the
old file or the new one. A symbolic link stays one: its target is replaced. Official clients rewrite
the file without the lock, so only our own programs are kept apart.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from fluvio_profiles.errors import (
    ConfigBrokenError,
    ConfigChangedError,
    ConfigMissingError,
    ConfigWriteError,
)
from fluvio_profiles.model import Config, DocumentError, Tls, from_document, to_document

PROFILE_PATH_VARIABLE = "FLV_PROFILE_PATH"


class Update(NamedTuple):
    """The file as it now is, and whether this update created it."""

    config: Config
    created: bool


def profile_path(environment: Mapping[str, str], home: Path, explicit: Path | None = None) -> Path:
    """The profile file: `explicit`, else what `FLV_PROFILE_PATH` names, else `~/.fluvio/config`."""
    if explicit is not None:
        return explicit
    named = environment.get(PROFILE_PATH_VARIABLE)
    return Path(named) if named else home / ".fluvio" / "config"


def load_config(path: Path) -> Config:
    """Read the profile file; raises `ConfigMissingError` or `ConfigBrokenError`."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise ConfigMissingError(path) from None
    except OSError as exc:
        raise ConfigBrokenError(path, exc.strerror or str(exc)) from exc
    return parse_config(content, path)


def parse_config(content: bytes, path: Path) -> Config:
    """Parse the bytes of a profile file; `path` is for messages. Raises `ConfigBrokenError`."""
    import tomllib

    try:
        return from_document(tomllib.loads(content.decode()))
    except UnicodeDecodeError as exc:
        before = content[: exc.start]
        line, column = before.count(b"\n") + 1, exc.start - before.rfind(b"\n")
        raise ConfigBrokenError(path, "not UTF-8", line, column) from exc
    except tomllib.TOMLDecodeError as exc:
        reason, position = _split_position(str(exc), content.decode())
        raise ConfigBrokenError(path, reason, *position) from exc
    except DocumentError as exc:
        raise ConfigBrokenError(path, str(exc)) from exc


def render_config(config: Config) -> str:
    """The TOML text of a profile file."""
    import tomli_w

    return tomli_w.dumps(to_document(config))


def update_config(path: Path, mutate: Callable[[Config], None], *, create: bool = False) -> Update:
    """Read, change and replace the profile file as one step; concurrent updates wait for each other.

    `mutate` changes the `Config` in place; when it raises, nothing is written. Without a file,
    `create` starts from an empty one (its directory gets mode 0700), else `ConfigMissingError` is
    raised. A file that does not parse raises `ConfigBrokenError` and is left alone; a failed write
    raises `ConfigWriteError` and leaves the old file. The new file has mode 0600.
    """
    real = Path(os.path.realpath(path))
    if not create and not real.is_file():
        raise ConfigMissingError(path)
    try:
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(real.with_name(real.name + ".lock")):
            created = create and not real.exists()
            config = Config() if created else load_config(path)
            mutate(config)
            _replace(real, render_config(config).encode())
    except OSError as exc:
        raise ConfigWriteError(path, exc.strerror or str(exc)) from exc
    return Update(config, created)


def replace_config(path: Path, before: bytes | None, content: bytes) -> None:
    """Put `content`, byte for byte, in the place of `before` (None: there was no file).

    Raises `ConfigBrokenError` when `content` is no profile file, `ConfigChangedError` when the file is no
    longer `before`, `ConfigWriteError`; the file is as it was then.
    """
    parse_config(content, path)
    real = Path(os.path.realpath(path))
    try:
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(real.with_name(real.name + ".lock")):
            if (real.read_bytes() if real.exists() else None) != before:
                raise ConfigChangedError(path)
            _replace(real, content)
    except OSError as exc:
        raise ConfigWriteError(path, exc.strerror or str(exc)) from exc


def set_local_profile(
    path: Path, name: str, endpoint: str, installation: str = "local", *, tls: Tls | None = None
) -> None:
    """Write and select profile `name` for a cluster of this machine; raises as `update_config` does."""

    def change(config: Config) -> None:
        config.add_and_select(name, endpoint, installation)
        if tls is not None:
            config.clusters[name].tls = tls

    update_config(path, change, create=True)


def _split_position(message: str, text: str) -> tuple[str, tuple[int, int]]:
    """Take `(at line 1, column 5)` off a tomllib message; at the end of the text it names no numbers."""
    reason, _, place = message.rpartition(" (at ")
    words = place.rstrip(")").replace(",", "").split()
    if len(words) == 4 and words[1].isdigit() and words[3].isdigit():
        return reason, (int(words[1]), int(words[3]))
    lines = text.split("\n")
    return reason or message, (len(lines), len(lines[-1]) + 1)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`; it is held for the length of one rewrite, so no deadline."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step and make it last."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.chmod(temporary, 0o600)  # a file left by a killed process may have another mode
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    finally:
        if sys.platform != "win32":
            directory = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
