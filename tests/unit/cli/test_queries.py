"""`--where` and `{{json}}`: what is true, and what is refused before any record."""

import pytest

from fluvio_cli.output.queries import NOT_JSON, Query, QueryError, parse_json

ORDER = {"total": 150, "tags": ["new", "eu"], "user": {"name": "Ada"}, "note": "", "zero": 0}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("total > `100`", True),
        ("total > `200`", False),
        ("user.name == 'Ada'", True),
        ("contains(tags, 'eu')", True),
        ("tags[?@ == 'us']", False),
        ("missing", False),
        ("note", False),
        ("zero", True),
        ("!missing", True),
        ("contains(total, 'x')", False),
        ("starts_with(user.name, 'A') && total", True),
    ],
)
def test_an_expression_holds_as_jmespath_has_it(expression: str, holds: bool) -> None:
    assert Query(expression).holds(ORDER) is holds


@pytest.mark.parametrize(
    ("expression", "position", "reason"),
    [
        ("", None, "empty"),
        ("total >", 7, "ends too early"),
        ("total > 100", 8, "`100` is not expected"),
        ("a # b", 2, "cannot be read"),
        ("a == b c", 7, "`c` is not expected"),
        ("a && nope(b)", 5, "there is no function `nope`"),
        ("contains(a)", 0, "takes 2 arguments, not 1"),
        ("tags[?length(@, @) > `1`]", 6, "takes 1 arguments, not 2"),
    ],
)
def test_a_bad_expression_is_refused_with_its_place(
    expression: str, position: int | None, reason: str
) -> None:
    with pytest.raises(QueryError, match=reason) as caught:
        Query(expression)
    assert caught.value.position == position
    assert position is None or f"at column {position + 1}" in str(caught.value)


def test_only_json_in_utf_8_is_json() -> None:
    assert parse_json(b' {"a": [1, null]} ') == {"a": [1, None]}
    for value in (b"", b"text", b"NaN", b"\xff", '{"a":1}'.encode("utf-16"), b"[" * 100_000, b"{} {}"):
        assert parse_json(value) is NOT_JSON
