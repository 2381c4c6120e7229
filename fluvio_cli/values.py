"""Values as they are typed and shown: numbers, sizes, durations, words. Texts are the official tool's.

Each parser takes the text and raises ValueError with the reason, which the grammar puts behind
`invalid value 'x' for '--option <type>': `. Use them as `typer.Option(parser=...)`.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from fluvio_cli.grammar import InvalidChoiceError

if TYPE_CHECKING:
    from fluvio_cli.moments import Moment
    from fluvio_cli.output.queries import Query


class Choice:
    """A parser for one of several words; `ignore_case` returns the word as listed.

    Help and usage errors list the words; with `problem` neither does, and the error is `problem` with the
    text given in place of `{text}`.
    """

    def __init__(self, *choices: str, ignore_case: bool = False, problem: str | None = None) -> None:
        self.choices = choices
        self.listed = choices if problem is None else ()
        self._problem = problem
        self.__name__ = "choice"  # Typer asks a parser for its name
        self._ignore_case = ignore_case

    def __call__(self, text: str) -> str:
        for choice in self.choices:
            if text == choice or (self._ignore_case and text.lower() == choice):
                return choice
        if self._problem is not None:
            raise ValueError(self._problem.format(text=text))
        raise InvalidChoiceError(self.choices)


output_format = Choice("table", "yaml", "json", "toml", ignore_case=True)
topic_compression = Choice(
    *("none", "gzip", "snappy", "lz4", "any", "zstd"),
    ignore_case=True,
    problem="Invalid compression type in topic",
)
producer_compression = Choice(
    *("none", "gzip", "snappy", "zstd", "lz4"),
    ignore_case=True,
    problem="unknown compression format: {text}",
)


def integer(minimum: int, maximum: int) -> Callable[[str], int]:
    """A parser for a decimal integer in `minimum..=maximum`."""

    def parse_integer(text: str) -> int:
        digits = text[1:] if text[:1] in ("+", "-") else text
        if not text:
            raise ValueError("cannot parse integer from empty string")
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError("invalid digit found in string")
        value = int(text) if len(digits) < 40 else None
        if value is None or not minimum <= value <= maximum:
            raise ValueError(f"{text} is not in {minimum}..={maximum}")
        return value

    return parse_integer


u16 = integer(0, 2**16 - 1)
u32 = integer(0, 2**32 - 1)
i32 = integer(-(2**31), 2**31 - 1)
u64 = integer(0, 2**64 - 1)
i64 = integer(-(2**63), 2**63 - 1)

_SIZE_PREFIXES = "kmgtp"
_LN_UNIT = 6.931471806  # of the library: slightly above ln 1024, so 1,048,576 shows as 1048.6 KB


def parse_byte_size(text: str) -> int:
    """Bytes of `2048`, `10Gb` (10^10), `2 Ki` (2048), `1.5 MiB`."""
    if text.isascii() and text.isdigit():
        return _in_u64(int(text), text)
    number = text[: _count_leading(text, "0123456789.")]
    try:
        amount = float(number)
    except ValueError:
        reason = "cannot parse float from empty string" if not number else "invalid float literal"
        raise ValueError(f'couldn\'t parse "{text}" into a ByteSize, {reason}') from None
    unit = text[len(number) :].lstrip()
    factor = _size_factor(unit.lower())
    if factor is None:
        raise ValueError(f'couldn\'t parse "{unit}" into a known SI unit, couldn\'t parse unit of "{unit}"')
    return _in_u64(int(amount * factor), text)


def _in_u64(value: int, text: str) -> int:
    if value >= 2**64:
        raise ValueError(f'couldn\'t parse "{text}" into a ByteSize, it is too large')
    return value


def _size_factor(unit: str) -> int | None:
    if unit in ("", "b"):
        return 1
    power = _SIZE_PREFIXES.find(unit[0]) + 1
    if not power:
        return None
    return {"": 1000**power, "b": 1000**power, "i": 1024**power, "ib": 1024**power}.get(unit[1:])


def format_byte_size(size_bytes: int) -> str:
    """`86 B`, `1.0 KB`, `10.0 GB`: decimal units that step up at powers of 1024."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    power = int(math.log(size_bytes) / _LN_UNIT) or 1
    return f"{size_bytes / 1000**power:.1f} {'KMGTPE'[power - 1]}B"


_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DAY = 86_400 * 10**9
_DURATION_UNITS = {
    **dict.fromkeys(("nanos", "nsec", "ns"), 1),
    **dict.fromkeys(("usec", "us"), _NS["us"]),
    **dict.fromkeys(("millis", "msec", "ms"), _NS["ms"]),
    **dict.fromkeys(("seconds", "second", "secs", "sec", "s"), _NS["s"]),
    **dict.fromkeys(("minutes", "minute", "mins", "min", "m"), _NS["m"]),
    **dict.fromkeys(("hours", "hour", "hrs", "hr", "h"), _NS["h"]),
    **dict.fromkeys(("days", "day", "d"), _DAY),
    **dict.fromkeys(("weeks", "week", "wks", "wk", "w"), 7 * _DAY),
    **dict.fromkeys(("months", "month", "M"), 2_630_016 * 10**9),
    **dict.fromkeys(("years", "year", "yrs", "yr", "y"), 31_557_600 * 10**9),
}
_MAX_DURATION_NS = (2**64 - 1) * 10**9 + 999_999_999


def parse_duration_ns(text: str) -> int:
    """Nanoseconds of `1h`, `2d 10s`, `1h30m`, `150ms` or `0`."""
    if text.strip() == "0":
        return 0
    position, total, terms = 0, 0, 0
    while True:
        position += _count_leading(text[position:], " \t\n\r")
        if position == len(text):
            break
        digits = _count_leading(text[position:], "0123456789")
        if not digits:
            raise ValueError(f"expected number at {position}")
        number = int(text[position : position + digits])
        position += digits
        position += _count_leading(text[position:], " \t\n\r")
        letters = 0
        for character in text[position:]:
            if not (character.isascii() and character.isalpha()):
                break
            letters += 1
        unit = text[position : position + letters]
        position += letters
        if not unit:
            if position < len(text) and not text[position].isdigit():
                raise ValueError(f"invalid character at {position}")
            raise ValueError(f"time unit needed, for example {number}sec or {number}ms")
        if unit not in _DURATION_UNITS:
            raise ValueError(
                f'unknown time unit "{unit}", supported units: ns, us, ms, sec, min, hours, days, weeks, '
                "months, years (and few variations)"
            )
        total += number * _DURATION_UNITS[unit]
        terms += 1
    if not terms:
        raise ValueError("value was empty")
    if total > _MAX_DURATION_NS:
        raise ValueError("number is too large")
    return total


def format_duration_ns(duration_ns: int) -> str:
    """`7days`, `1m 1s`, `1s 500ms`, `0s`."""
    seconds, nanoseconds = divmod(duration_ns, 10**9)
    parts = []
    for length, word in ((31_557_600, "year"), (2_630_016, "month"), (86_400, "day")):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{word}{'s' if count > 1 else ''}")
    for length, unit in ((3600, "h"), (60, "m"), (1, "s")):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{unit}")
    for length, unit in ((10**6, "ms"), (10**3, "us"), (1, "ns")):
        count, nanoseconds = divmod(nanoseconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def _count_leading(text: str, characters: str) -> int:
    return len(text) - len(text.lstrip(characters))


def _spellings(*words: tuple[str, str]) -> dict[str, str]:
    """All spellings of each (snake_case, CamelCase) pair, to its snake_case form."""
    spelled = {}
    for snake, camel in words:
        for spelling in (snake, camel, camel[0].lower() + camel[1:], camel.lower()):
            spelled[spelling] = snake
    return spelled


_ISOLATION_WORDS = (("read_committed", "ReadCommitted"), ("read_uncommitted", "ReadUncommitted"))
_DELIVERY_WORDS = (("at_most_once", "AtMostOnce"), ("at_least_once", "AtLeastOnce"))
_ISOLATIONS = _spellings(*_ISOLATION_WORDS)
_DELIVERIES = _spellings(*_DELIVERY_WORDS)
_DELIVERIES.update({"at-most-once": "at_most_once", "at-least-once": "at_least_once"})


def _supported(words: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{snake} ({camel})" for snake, camel in words)


def parse_isolation(text: str) -> Literal["read_committed", "read_uncommitted"]:
    """One of the spellings of the two isolation levels."""
    word = _ISOLATIONS.get(text)
    if word is None:
        raise ValueError(f"unrecognized isolation: {text}. Supported: {_supported(_ISOLATION_WORDS)}")
    return "read_committed" if word == "read_committed" else "read_uncommitted"


def parse_delivery(text: str) -> Literal["at_most_once", "at_least_once"]:
    """One of the spellings of the two delivery guarantees."""
    word = _DELIVERIES.get(text)
    if word is None:
        raise ValueError(f"unrecognized delivery semantic: {text}. Supported: {_supported(_DELIVERY_WORDS)}")
    return "at_most_once" if word == "at_most_once" else "at_least_once"


def moment(text: str) -> "Moment":
    """A point in time, or a time ago."""
    from fluvio_cli.moments import parse_moment

    return parse_moment(text)


def query(text: str) -> "Query":
    """A JMESPath expression."""
    from fluvio_cli.output.queries import parse_query

    return parse_query(text)
