"""`consume --regex`: patterns of whole topic names."""

import pytest

from fluvio_cli.streaming.topics import (
    BadPatternError,
    NoTopicMatchesError,
    compile_patterns,
    matching,
)

NAMES, INTERNAL = ["orders-us", "orders-eu", "old-orders", "x"], ["consumer-offset"]


def found(*patterns: str) -> list[str]:
    return matching(compile_patterns(patterns), NAMES, INTERNAL)


def test_a_pattern_is_that_of_the_whole_name() -> None:
    assert found("orders-.*") == ["orders-eu", "orders-us"]
    assert found("x", "orders-(eu|ap)", ".*-eu") == ["orders-eu", "x"]


def test_internal_topics_match_their_very_name_only() -> None:
    assert found(".*") == sorted(NAMES)
    assert found("consumer-offset") == ["consumer-offset"]


def test_no_match_says_which_topics_there_are() -> None:
    with pytest.raises(
        NoTopicMatchesError, match=r"no topic matches `orders`, `y`; .*old-orders, orders-eu"
    ) as caught:
        found("orders", "y")
    assert caught.value.kind == "not-found"
    with pytest.raises(NoTopicMatchesError, match="5 more"):
        matching(compile_patterns(["z"]), [f"t{n:02}" for n in range(25)], [])
    with pytest.raises(NoTopicMatchesError, match="there are no topics"):
        matching(compile_patterns(["z"]), [], INTERNAL)


def test_a_bad_pattern_is_a_usage_error_with_its_place() -> None:
    with pytest.raises(BadPatternError, match=r"`a\(b` is no regular expression: .* at column 2") as caught:
        compile_patterns(["a", "a(b"])
    assert caught.value.kind == "usage"
