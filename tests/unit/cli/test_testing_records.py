"""How records of a test say what is wrong with them."""

import json

from fluvio_cli.testing.records import Record, Records, differences


def records(*values: str, key: bytes | None = None) -> Records:
    return Records(Record(value.encode(), key, place, 0, 0) for place, value in enumerate(values))


def test_records_equal_values_texts_and_pairs() -> None:
    found = records("a", "b")
    assert found == ["a", b"b"]
    assert found == ("a", "b")
    assert found == [(None, "a"), (None, b"b")]
    assert found != ["a"]
    assert found != [("k", "a"), "b"]
    assert records("a", key=b"k") == [("k", "a")]
    assert found == records("a", "b")
    assert found != "ab"
    assert found != [("a", "b", "c"), "b"]


def test_they_are_a_sequence_with_shortcuts() -> None:
    found = records('{"n": 1}', "two")
    assert found[1:] == ["two"]
    assert found[0].json() == json.loads(found[0].text) == {"n": 1}
    assert found.values == [b'{"n": 1}', b"two"]
    assert found.texts[1] == "two"
    assert repr(found) == """Records(['{"n": 1}', 'two'])"""


def test_differences_name_what_is_missing_and_what_is_too_much() -> None:
    assert differences(records("a", "b", "x", "d"), ["a", "b", "c", "d"]) == [
        "4 records found, 4 wanted",
        "  2 records as wanted",
        "- x  (partition 0, offset 2)",
        "+ c  (wanted as number 3)",
        "  1 record as wanted",
    ]
    assert differences(records("a"), ["a"]) == []


def test_another_order_is_said() -> None:
    assert differences(records("a", "b"), ["b", "a"])[1] == "the same records in another order"


def test_keys_count_when_they_are_named() -> None:
    found = differences(records("a", key=b"k"), [("other", "a")])
    assert found[1:] == ["- [k] a  (partition 0, offset 0)", "+ [other] a  (wanted as number 1)"]


def test_long_and_strange_values_stay_readable() -> None:
    lines = differences(Records([Record(b"\xff\x00" + b"x" * 500, None, 0, 0, 0)]), ["\x1b[2J"])
    assert all(line.isprintable() and len(line) < 200 for line in lines)
    many = differences(records(*map(str, range(1000))), [])
    assert len(many) < 50
    assert many[-1] == "... 961 more lines"
