"""Moments as they are typed for `--since` and `--until`.

10m, 1h30m            so long before now
2026-01-31T08:00:00Z  RFC 3339; seconds, fraction and zone may be left out, without a zone it is UTC
2026-01-31            a date: its midnight in UTC
1769846400            seconds since 1970; from 100,000,000,000 on milliseconds
"""

import re
from typing import NamedTuple

from fluvio_cli.values import parse_duration_ns

_LEAST_MS = 10**11  # as seconds the year 5138, as milliseconds March 1973
_MOST_MS = 253_402_300_799_999  # the end of the year 9999
_DATED = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?\s?([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII)


class Moment(NamedTuple):
    """`at_ms` since 1970, or so many ms `ago_ms`; the other is None."""

    at_ms: int | None = None
    ago_ms: int | None = None

    def resolve(self, now_ms: int) -> int:
        """Milliseconds since 1970, not negative."""
        if self.at_ms is not None:
            return self.at_ms
        assert self.ago_ms is not None
        return max(now_ms - self.ago_ms, 0)


def parse_moment(text: str) -> Moment:
    """For `typer.Option(parser=...)`: raises ValueError with the reason."""
    stripped = text.strip()
    if _DATED.fullmatch(stripped):
        return Moment(at_ms=_parse_dated(stripped))
    if stripped.isascii() and stripped.isdigit():
        number = int(stripped) if len(stripped) < 40 else _MOST_MS + 1
        at_ms = number if number >= _LEAST_MS else number * 1000
        if at_ms > _MOST_MS:
            raise ValueError("that is after the year 9999")
        return Moment(at_ms=at_ms)
    try:
        return Moment(ago_ms=parse_duration_ns(stripped) // 10**6)
    except ValueError as exc:
        raise ValueError(
            f"{exc}; expected a duration such as 10m, a time such as 2026-01-31T08:00:00Z, a date, "
            "or seconds or milliseconds since 1970"
        ) from None


def _parse_dated(text: str) -> int:
    from datetime import UTC, datetime

    moment = datetime.fromisoformat(text.upper().replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since_1970 = moment - datetime(1970, 1, 1, tzinfo=UTC)
    at_ms = (since_1970.days * 86_400 + since_1970.seconds) * 1000 + since_1970.microseconds // 1000
    if at_ms < 0:
        raise ValueError("that is before 1970")
    return at_ms
