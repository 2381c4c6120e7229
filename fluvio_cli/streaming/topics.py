"""Which topics `consume` reads: those named, or with `--regex` those whose whole name matches a pattern.

Internal topics match only a pattern that is their name. The topics are those of the start: ones that are
created later are not followed.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fluvio_types.errors import FluvioError

if TYPE_CHECKING:
    from fluvio_client.client import Fluvio

_MOST_NAMED = 20  # topics in the message


class BadPatternError(FluvioError):
    """A pattern that is no regular expression."""

    kind = "usage"


class NoTopicMatchesError(FluvioError):
    """No topic of the cluster matches."""

    kind = "not-found"

    def __init__(self, patterns: Sequence[str], there: Sequence[str]) -> None:
        shown = ", ".join(f"`{pattern}`" for pattern in patterns)
        names = ", ".join(there[:_MOST_NAMED])
        more = f" and {len(there) - _MOST_NAMED} more" if len(there) > _MOST_NAMED else ""
        topics = f"the topics are: {names}{more}" if there else "there are no topics"
        super().__init__(f"no topic matches {shown}; {topics}")
        self.patterns, self.there = tuple(patterns), tuple(there)


def compile_patterns(patterns: Iterable[str]) -> list[re.Pattern[str]]:
    """The patterns, read. Raises `BadPatternError` with the place of the fault."""
    compiled = []
    for pattern in patterns:
        try:
            compiled.append(re.compile(pattern))
        except (re.error, RecursionError, OverflowError) as exc:
            position = getattr(exc, "pos", None)
            place = "" if position is None else f" at column {position + 1}"
            reason = exc.msg if isinstance(exc, re.error) else "too large"
            raise BadPatternError(f"`{pattern}` is no regular expression: {reason}{place}") from None
    return compiled


def matching(patterns: Sequence[re.Pattern[str]], names: Iterable[str], internal: Iterable[str]) -> list[str]:
    """The names that match, in order. Raises `NoTopicMatchesError`."""
    there = sorted(names)
    found = [name for name in there if any(pattern.fullmatch(name) for pattern in patterns)]
    literal = {pattern.pattern for pattern in patterns}
    found += [name for name in sorted(internal) if name in literal]
    if not found:
        raise NoTopicMatchesError([pattern.pattern for pattern in patterns], there)
    return found


async def find_topics(client: "Fluvio", patterns: Sequence[re.Pattern[str]]) -> list[str]:
    """The cluster's topics that match. Raises `NoTopicMatchesError` and what asking the controller raises."""
    names = [topic.name for topic in await client.admin.list_topics()]
    internal = [topic.name for topic in await client.admin.list_topics(system=True)]
    return matching(patterns, names, internal)
