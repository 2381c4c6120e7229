"""Values at paths of JSON records, replaced by digests. Pure.

The same value gets the same digest wherever it stands, so records can still be joined and counted by it.
Without a secret whoever guesses a value can check the guess; with one nobody can who does not know it.
"""

import json
import re
from hashlib import blake2b
from typing import Any

from fluvio_cli.output.queries import NOT_JSON, parse_json
from fluvio_cli.transfer.pieces import Columns, Piece
from fluvio_types.errors import FluvioError

PREFIX = "masked-"
_CACHED = 65_536
_MOST_SECRET_BYTES = 64  # what BLAKE2b takes as a key; longer ones are hashed
_STEP = re.compile(
    r'\.?(?:(?P<name>[^\s."\[\]*]+)|(?P<quoted>"(?:[^"\\]|\\.)+")|(?P<star>\*))|\[(?P<index>\d+|\*)\]'
)


class NotMaskableError(FluvioError):
    """A record that was to be masked is no JSON: it is not copied, and neither is what follows."""

    def __init__(self, partition: int, offset: int) -> None:
        super().__init__(
            f"record {offset} of partition {partition} is no JSON, so nothing of it can be masked",
            hint="`--where` chooses the records that are JSON, such as by `--where '@'`",
        )
        self.partition, self.offset = partition, offset


class _Every:
    """All members of an object, all items of an array."""


_EVERY = _Every()
_Path = tuple[str | int | _Every, ...]


def parse_path(text: str) -> _Path:
    """`user.email`, `items[*].card`, `"a.b"[0]`, `tags.*`; a `$.` in front counts for nothing.

    Raises `ValueError`.
    """
    left = text.removeprefix("$")
    steps: list[str | int | _Every] = []
    position = 0
    while position < len(left):
        found = _STEP.match(left, position)
        is_bare = position == 0 and left is text and left[0] != "["  # only there no dot leads
        if found is None or (left[position] in ".[") is is_bare:
            raise ValueError(f"expected a path such as `user.email` or `items[*].card`, not `{text}`")
        position = found.end()
        if (name := found["name"]) is not None:
            steps.append(name)
        elif (quoted := found["quoted"]) is not None:
            steps.append(json.loads(quoted))
        elif found["star"] or found["index"] == "*":
            steps.append(_EVERY)
        else:
            steps.append(int(found["index"]))
    if not steps:
        raise ValueError("the path is empty")
    return tuple(steps)


class Mask:
    """Replaces what is at the paths. What is not there, or null, stays so."""

    def __init__(self, paths: list[_Path], *, keys: bool = False, secret: bytes = b"") -> None:
        """`keys`: the records' keys are replaced too."""
        self._paths, self._keys = paths, keys
        self._secret = secret if len(secret) <= _MOST_SECRET_BYTES else blake2b(secret).digest()
        self._known: dict[str, str] = {}
        self._known_keys: dict[bytes | None, bytes | None] = {None: None}

    def masked(self, piece: Piece) -> Piece:
        """The same records, masked. Raises `NotMaskableError`, `DecodeError`."""
        timestamps, keys, values = piece.columns()
        if self._paths:
            values = [self._value(piece, index, value) for index, value in enumerate(values)]
        if self._keys:
            keys = [self._key(key) for key in keys]
        return Piece(piece.partition, piece.offsets, Columns(timestamps, keys, values))

    def _value(self, piece: Piece, index: int, value: bytes) -> bytes:
        data = parse_json(value)
        if data is NOT_JSON:
            raise NotMaskableError(piece.partition, piece.offsets[index])
        holder = [data]
        changed = False
        for path in self._paths:
            changed |= self._replace(holder, 0, path)
        if not changed:
            return value
        return json.dumps(holder[0], ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )

    def _replace(self, container: Any, place: Any, path: _Path) -> bool:
        """Replace what is at `path` below `container[place]`; whether anything was."""
        data = container[place]
        if not path:
            if data is None:
                return False
            container[place] = self.digest(data)
            return True
        step, rest = path[0], path[1:]
        if isinstance(data, dict):
            names = list(data) if isinstance(step, _Every) else [step] if step in data else []
            return True in [self._replace(data, name, rest) for name in names]
        if isinstance(data, list) and not isinstance(step, str):
            indexes = range(len(data)) if isinstance(step, _Every) else [step] if step < len(data) else []
            return True in [self._replace(data, index, rest) for index in indexes]
        return False

    def digest(self, data: Any) -> str:
        """What stands in place of a JSON value. Equal values have equal digests."""
        text = json.dumps(data, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        found = self._known.get(text)
        if found is None:
            if len(self._known) > _CACHED:
                self._known.clear()
            found = PREFIX + blake2b(text.encode(), digest_size=16, key=self._secret).hexdigest()
            self._known[text] = found
        return found

    def _key(self, key: bytes | None) -> bytes | None:
        known = self._known_keys
        if key in known:
            return known[key]
        assert key is not None
        if len(known) > _CACHED:
            known.clear()
            known[None] = None
        # As a JSON text, so that a key and a member with the same text have the same digest.
        found = known[key] = self.digest(key.decode("utf-8", "surrogateescape")).encode()
        return found
