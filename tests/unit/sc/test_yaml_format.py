"""YAML as the official controller writes and reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_local_cluster.sc.model.tree import Tagged
from fluvio_local_cluster.sc.yaml_format import YamlError, parse, render


@pytest.mark.parametrize(
    "text", ["on", "off", "yes", "no", "y", "2024-01-01", "12:30:45", "1_000", "0b1", "=", "<<"]
)
def test_plain_texts_of_yaml_1_2_stay_texts(text: str) -> None:
    assert parse(f"key: {text}\n") == {"key": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("0x10", 16),
        ("0o10", 8),
        ("true", True),
        ("null", None),
        ("~", None),
        ("1e3", 1000.0),
    ],
)
def test_numbers_booleans_and_null_are_read(text: str, value: object) -> None:
    assert parse(f"key: {text}\n") == {"key": value}


@pytest.mark.parametrize(
    "text", ["on", "true", "5", "0x10", "1e3", "", "null", "~", " a", "a: b", "- a", "é", "a\nb", "#"]
)
def test_every_text_is_quoted_as_need_be(text: str) -> None:
    assert parse(render({"key": text, "tagged": Tagged("t", text)})) == {
        "key": text,
        "tagged": Tagged("t", text),
    }


TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8", exclude_categories=["C"])),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text("abcXYZ-", min_size=1), inner)
        | st.builds(
            Tagged, st.sampled_from(["computed", "1.0.0"]), st.dictionaries(st.text("ab", min_size=1), inner)
        )
    ),
    max_leaves=8,
)


@given(TREES)
def test_what_is_written_is_read_back(tree: object) -> None:
    assert parse(render({"tree": tree})) == {"tree": tree}


@pytest.mark.parametrize(
    "text", ["a\tb", "\x85", "\u2028", "\U0001f600", "\x07", "\ufeff", 'quote"\\\n', "it's", "\x00"]
)
def test_texts_beyond_the_printable_come_back(text: str) -> None:
    assert parse(render({"key": text, text: [text]})) == {"key": text, text: [text]}


def test_a_repeated_value_is_written_out_each_time() -> None:
    shared = [5001]
    assert render({"a": shared, "b": shared}) == b"a:\n- 5001\nb:\n- 5001\n"


def test_a_long_text_stays_on_one_line() -> None:
    assert render({"payload": "A" * 10_000}).count(b"\n") == 1


@pytest.mark.parametrize(
    "text", [b"a: [", b"\xff\xfe\x00", b"a: b: c", b"--- 1\n--- 2\n", b"!!python/object:os.system x", b"\x00"]
)
def test_what_is_no_yaml_is_an_error(text: bytes) -> None:
    with pytest.raises(YamlError):
        parse(text)


def test_an_empty_text_is_nothing() -> None:
    assert parse(b"") is None
