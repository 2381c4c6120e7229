"""Keys by a distribution: `zipf:1000`, `uniform:1000`, `round-robin:10`. A key is `key-` and a number."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from random import Random
from typing import NamedTuple

from fluvio_cli.generating.fields import Place, whole

MOST_KEYS = 10_000_000
_EXAMPLES = "expected zipf:1000, zipf:1000:1.2, uniform:1000 or round-robin:10"


class KeySettings(NamedTuple):
    """`exponent` of zipf: the share of the key on place n is 1 / n to this power."""

    kind: str
    keys: int
    exponent: float = 1.0


def parse_keys(text: str) -> KeySettings:
    """For `typer.Option(parser=...)`: raises ValueError with the reason."""
    kind, *numbers = text.split(":")
    if kind not in ("zipf", "uniform", "round-robin") or not 1 <= len(numbers) <= 1 + (kind == "zipf"):
        raise ValueError(_EXAMPLES)
    digits = numbers[0] if numbers[0].isascii() and numbers[0].isdigit() else "0"
    if len(digits) > len(str(MOST_KEYS)) or not 1 <= int(digits) <= MOST_KEYS:
        raise ValueError(f"1 to {MOST_KEYS:,} keys are possible; {_EXAMPLES}")
    exponent = 1.0
    if len(numbers) == 2:
        try:
            exponent = float(numbers[1])
        except ValueError:
            exponent = math.nan
        if not 0 <= exponent <= 10:
            raise ValueError(f"the exponent is 0 to 10; {_EXAMPLES}")
    return KeySettings(kind, int(numbers[0]), exponent)


def key_maker(settings: KeySettings, rng: Random) -> Callable[[Place], bytes]:
    """What gives each record its key."""
    count = settings.keys
    if settings.kind == "round-robin":
        return lambda place: b"key-%d" % (place.number % count)
    if settings.kind == "uniform":
        return lambda place: b"key-%d" % whole(rng, 0, count - 1)
    sums = array("d", accumulate(n**-settings.exponent for n in range(1, count + 1)))
    draw, total, last = rng.random, sums[-1], count - 1
    return lambda place: b"key-%d" % min(bisect_right(sums, draw() * total), last)
