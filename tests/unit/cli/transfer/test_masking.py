"""Masks: what is at a path is gone, what is not stays, and equal values stay equal."""

import json
from typing import Any

import pytest

from fluvio_cli.transfer.masking import PREFIX, Mask, NotMaskableError, parse_path
from fluvio_cli.transfer.pieces import Columns, Piece


def masked(mask: Mask, *values: bytes, keys: list[bytes | None] | None = None) -> Columns:
    columns = Columns([1] * len(values), keys or [None] * len(values), list(values))
    return mask.masked(Piece(0, range(7, 7 + len(values)), columns)).columns()


def one(path: str, data: Any) -> Any:
    return json.loads(masked(Mask([parse_path(path)]), json.dumps(data).encode()).values[0])


@pytest.mark.parametrize(
    ("path", "data", "place"),
    [
        ("a", {"a": 1, "b": 2}, ["a"]),
        ("$.a.b", {"a": {"b": "x", "c": 1}}, ["a", "b"]),
        ('"a.b"', {"a.b": 1, "a": {"b": 2}}, ["a.b"]),
        ("a[1]", {"a": [1, 2, 3]}, ["a", 1]),
        ("[0].a", [{"a": 1}, {"a": 2}], [0, "a"]),
        ("a", {"a": {"deep": [1, 2]}}, ["a"]),
    ],
)
def test_what_is_at_the_path_is_replaced_and_nothing_else(path: str, data: Any, place: list[Any]) -> None:
    expected = json.loads(json.dumps(data))
    found = one(path, data)
    inner = expected
    for step in place[:-1]:
        inner = inner[step]
    at = found
    for step in place[:-1]:
        at = at[step]
    assert at[place[-1]].startswith(PREFIX)
    inner[place[-1]] = at[place[-1]]
    assert found == expected


def test_every_item_and_every_member() -> None:
    found = one("a[*].n", {"a": [{"n": "x"}, {"n": "y"}, {"n": "x"}, {"m": 1}]})
    first, second, third, rest = found["a"]
    assert first == third != second
    assert rest == {"m": 1}
    assert all(value.startswith(PREFIX) for value in one("*", {"a": 1, "b": 2}).values())


def test_what_is_not_there_or_null_leaves_the_bytes_as_they_are() -> None:
    value = b'{ "a": null, "n": 1.50 }'
    assert masked(Mask([parse_path("a"), parse_path("b.c"), parse_path("n[0]")]), value).values == [value]


def test_equal_values_have_equal_digests_wherever_they_are_and_others_have_not() -> None:
    mask = Mask([parse_path("a"), parse_path("b.c")])
    values = masked(
        mask,
        b'{"a":"x"}',
        b'{"b":{"c":"x"}}',
        b'{"a":1}',
        b'{"a":"1"}',
        b'{"a":{"y":1,"z":2}}',
        b'{"a":{"z":2,"y":1}}',
    ).values
    data = [json.loads(value) for value in values]
    assert data[0]["a"] == data[1]["b"]["c"]
    assert data[2]["a"] != data[3]["a"]
    assert data[4] == data[5]


def test_a_secret_changes_every_digest() -> None:
    path = [parse_path("a")]
    found = {masked(Mask(path, secret=secret), b'{"a":1}').values[0] for secret in (b"", b"s", b"t" * 100)}
    assert len(found) == 3


def test_keys_are_masked_as_the_texts_that_they_are() -> None:
    mask = Mask([parse_path("user")], keys=True)
    found = masked(mask, b'{"user":"ada"}', b"{}", b"{}", keys=[b"ada", None, b"\xff"])
    assert found.keys[0] == json.loads(found.values[0])["user"].encode()
    assert found.keys[1] is None
    assert found.keys[2] not in (found.keys[0], b"\xff")


def test_a_record_that_is_no_json_is_not_let_through() -> None:
    with pytest.raises(NotMaskableError) as caught:
        masked(Mask([parse_path("a")]), b"{}", b"ada@example.com")
    assert (caught.value.partition, caught.value.offset) == (0, 8)


@pytest.mark.parametrize("text", ["", "$", "a..b", ".a", "a[", "a[x]", "a b", "$a", "a]"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="path"):
        parse_path(text)
