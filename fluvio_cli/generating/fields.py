"""What the types of fields make. A maker takes the record's place in the run and returns a JSON value.

Of `random.Random` only `random` is used: what its other methods make of it may change between releases of
Python, and the same seed is to make the same bytes.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Which record is made: its number from 0, and its time in ms since 1970."""

    number: int
    at_ms: int


Make = Callable[[Place], Any]

_CONSONANTS, _VOWELS, _ENDS = "bdfgklmnprstvz", "aeiou", ("", "n", "r", "s", "l")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST_SHARE = 2.0**-53  # stands for the 0 of which there is no logarithm


def whole(rng: Random, least: int, most: int) -> int:
    """A whole number from `least` to `most`, both included."""
    span = most - least + 1
    return least + (int(rng.random() * span) if span <= 1 << 32 else _bits(rng, 96) % span)


def _bits(rng: Random, count: int) -> int:
    """So many random bits, a multiple of 32."""
    found = 0
    for _ in range(count // 32):
        found = found << 32 | int(rng.random() * (1 << 32))
    return found


def uniform(rng: Random, least: float, most: float) -> Callable[[], float]:
    """All alike."""
    draw, span = rng.random, most - least
    return lambda: least + draw() * span


def normal(rng: Random, mean: float, deviation: float) -> Callable[[], float]:
    """Around `mean`, by the transformation of Box and Muller."""
    draw = rng.random

    def make() -> float:
        radius = math.sqrt(-2.0 * math.log(draw() or _LEAST_SHARE))
        return mean + deviation * radius * math.cos(2.0 * math.pi * draw())

    return make


def exponential(rng: Random, mean: float) -> Callable[[], float]:
    """Many small ones, few large: times between events."""
    draw = rng.random
    return lambda: -mean * math.log(draw() or _LEAST_SHARE)


def number(draw: Callable[[], float], digits: int | None, least: float | None, most: float | None) -> Make:
    """What `draw` gives, kept within bounds, with so many digits behind the point; None: a whole number."""

    def make(place: Place) -> float | int:
        found = draw()
        if least is not None and found < least:
            found = least
        if most is not None and found > most:
            found = most
        return round(found) if digits is None else round(found, digits)

    return make


def integer(rng: Random, least: int, most: int) -> Make:
    """Whole numbers, all alike."""
    return lambda place: whole(rng, least, most)


def choice(rng: Random, values: Sequence[Any], weights: Sequence[float] | None) -> Make:
    """One of the values, as often as its weight says."""
    draw, count = rng.random, len(values)
    if weights is None:
        return lambda place: values[int(draw() * count)]
    sums = list(accumulate(weights))
    total, last = sums[-1], count - 1
    return lambda place: values[min(bisect_right(sums, draw() * total), last)]


def flag(rng: Random, probability: float) -> Make:
    """True so often."""
    draw = rng.random
    return lambda place: draw() < probability


def constant(value: Any) -> Make:
    """Always the same."""
    return lambda place: value


def sequence(start: int, step: int) -> Make:
    """Counts the records."""
    return lambda place: start + place.number * step


def uuid(rng: Random) -> Make:
    """A random UUID, version 4."""

    def make(place: Place) -> str:
        bits = _bits(rng, 128)
        bits = bits & ~(0xF << 76) | 4 << 76
        bits = bits & ~(0x3 << 62) | 2 << 62
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    return make


def timestamp(rng: Random, form: str, jitter_ms: int) -> Make:
    """The record's time, or up to `jitter_ms` before it; `form`: `iso`, `ms` or `s`."""

    def make(place: Place) -> str | int:
        at_ms = place.at_ms - (whole(rng, 0, jitter_ms) if jitter_ms else 0)
        if form == "ms":
            return at_ms
        if form == "s":
            return at_ms // 1000
        return (_EPOCH + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03}Z"

    return make


def _word(rng: Random) -> str:
    syllables = 1 + whole(rng, 1, 2)
    parts = [_pick(rng, _CONSONANTS) + _pick(rng, _VOWELS) for _ in range(syllables)]
    return "".join(parts) + _pick(rng, _ENDS)


def _pick(rng: Random, among: Sequence[str]) -> str:
    return among[int(rng.random() * len(among))]


def word(rng: Random) -> Make:
    """Something that looks like a word."""
    return lambda place: _word(rng)


def name(rng: Random) -> Make:
    """Something that looks like the name of a person."""
    return lambda place: f"{_word(rng).capitalize()} {_word(rng).capitalize()}"


def text(rng: Random, least: int, most: int) -> Make:
    """Words, so many characters together."""

    def make(place: Place) -> str:
        size = whole(rng, least, most)
        words, length = [], -1
        while length < size:
            words.append(_word(rng))
            length += 1 + len(words[-1])
        cut = " ".join(words)[:size]
        return f"{cut[:-1]}a" if cut.endswith(" ") else cut

    return make


def mapping(members: Mapping[str, Make]) -> Make:
    """An object with these members."""
    made = tuple(members.items())
    return lambda place: {key: make(place) for key, make in made}


def several(rng: Random, of: Make, least: int, most: int) -> Make:
    """A list of so many."""
    return lambda place: [of(place) for _ in range(whole(rng, least, most))]


def sometimes_null(rng: Random, make: Make, probability: float) -> Make:
    """Null so often, else what `make` makes."""
    draw = rng.random
    return lambda place: None if draw() < probability else make(place)
