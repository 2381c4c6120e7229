"""Names of topics, consumers and SPUs of each cluster, as commands have seen them last.

One small file per cluster, named after its address, replaced in one step; whoever reads it gets an old or a
new one, and a broken one counts as absent. Names only: no records, no certificates. A completion never waits
for a cluster: when the file is older than `STALE_S` it starts `fluvio __refresh` in the background, at most
once in that time, and answers from what is there.
"""

import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

STALE_S = 10.0
MOST = 5_000  # names of a kind; more are no help at a prompt
_MOST_BYTES = 1 << 20
KINDS = ("topic", "consumer", "spu")


class NameCache:
    """The names known of the cluster at `endpoint` (host:port), in `directory`."""

    def __init__(self, directory: Path, endpoint: str) -> None:
        from urllib.parse import quote

        self.path = directory / f"{quote(endpoint, safe='')[:200]}.json"
        self._turn = self.path.with_suffix(".turn")  # when somebody began to renew it

    def read(self, kind: str) -> list[str]:
        """Names of one kind, in order; none when nothing is known."""
        return self._load().get(kind, [])

    def remember(self, kind: str, names: Iterable[str]) -> None:
        """These are all names of one kind. A disk that is full or may not be written changes nothing."""
        self._store({**self._load(), kind: sorted(set(names))[:MOST]})

    def add(self, kind: str, name: str) -> None:
        """There is one more."""
        self.remember(kind, [*self.read(kind), name])

    def remove(self, kind: str, name: str) -> None:
        """There is one less."""
        self.remember(kind, [each for each in self.read(kind) if each != name])

    def take_turn(self) -> bool:
        """Whether the names are old and nobody began to renew them lately; then it is the caller's turn."""
        now = time.time()
        if any(0 <= now - _changed(path) < STALE_S for path in (self.path, self._turn)):
            return False
        try:
            self._turn.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._turn.touch(mode=0o600)
        except OSError:
            return False
        return True

    def _load(self) -> dict[str, list[str]]:
        try:
            if self.path.stat().st_size > _MOST_BYTES:
                return {}
            content = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return {}
        if not isinstance(content, dict):
            return {}
        return {
            kind: [name for name in content[kind] if isinstance(name, str)]
            for kind in KINDS
            if isinstance(content.get(kind), list)
        }

    def _store(self, content: Mapping[str, list[str]]) -> None:
        temporary = self.path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(content, file)
            os.replace(temporary, self.path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def cache_directory(environment: Mapping[str, str], home: Path) -> Path:
    """Where caches of this user are: below `XDG_CACHE_HOME`, or as the system has it."""
    named = environment.get("XDG_CACHE_HOME")
    if named:
        return Path(named) / "fluvio-cli" / "names"
    from platformdirs import user_cache_path

    if home == Path.home():
        return user_cache_path("fluvio-cli", appauthor=False) / "names"
    return home / ".cache" / "fluvio-cli" / "names"
