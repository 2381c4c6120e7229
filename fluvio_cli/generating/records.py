"""The records of a run: (key, value) pairs in a fixed order, and the time of each."""

import json
from collections.abc import Callable
from random import Random

from fluvio_cli.generating.fields import Place
from fluvio_cli.generating.keys import KeySettings, key_maker
from fluvio_cli.generating.schema import Schema

Pair = tuple[bytes | None, bytes]
UNPACED_RATE = 1000.0  # records a second in the times of a run with a start time and without a rate

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class Records:
    """Makes them, as many at a time as are wanted.

    `start_ms`: the time of record 0, from which the schedule goes on; None: the clock tells each time.
    """

    def __init__(
        self,
        schema: Schema,
        keys: KeySettings | None,
        rng: Random,
        *,
        rate: float | None,
        start_ms: int | None,
        now_ms: Callable[[], int],
    ) -> None:
        self._schema, self._now_ms, self._start_ms = schema, now_ms, start_ms
        self._key = None if keys is None else key_maker(keys, rng)
        self._step_ms = 1000 / (rate or UNPACED_RATE)
        self.made = 0

    def take(self, count: int) -> list[Pair]:
        """The next `count`."""
        now_ms = self._now_ms() if self._start_ms is None else 0
        return [self._next(now_ms) for _ in range(count)]

    def skip(self, count: int) -> None:
        """Make `count` and forget them: what follows is what would have followed."""
        for _ in range(count):
            self._next(0)

    def _next(self, now_ms: int) -> Pair:
        number = self.made
        at_ms = now_ms if self._start_ms is None else self._start_ms + int(number * self._step_ms)
        place = Place(number, at_ms)
        key = None if self._key is None else self._key(place)
        value = self._schema.make(place)
        self.made = number + 1
        if key is None and self._schema.key is not None:
            key = _key_of(value[self._schema.key])
        return key, _encode(value).encode()


def _key_of(value: object) -> bytes | None:
    """A text as it is, null as no key, everything else as its JSON."""
    if value is None:
        return None
    return (value if isinstance(value, str) else _encode(value)).encode()
