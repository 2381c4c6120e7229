"""Sizes, durations and words as typed and shown."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_cli.values import (
    format_byte_size,
    format_duration_ns,
    i64,
    parse_byte_size,
    parse_delivery,
    parse_duration_ns,
    parse_isolation,
    producer_compression,
    topic_compression,
    u16,
)

S = 10**9


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("2048", 2048),
        ("0", 0),
        ("10Gb", 10_000_000_000),
        ("2 Ki", 2048),
        ("1.5 MiB", 1_572_864),
        ("1k", 1000),
        ("1 KB", 1000),
        ("7b", 7),
        ("1 tib", 2**40),
        ("1P", 10**15),
    ],
)
def test_sizes_are_read(text: str, size_bytes: int) -> None:
    assert parse_byte_size(text) == size_bytes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("xyz", 'couldn\'t parse "xyz" into a ByteSize, cannot parse float from empty string'),
        ("", 'couldn\'t parse "" into a ByteSize, cannot parse float from empty string'),
        ("1.2.3", 'couldn\'t parse "1.2.3" into a ByteSize, invalid float literal'),
        ("1 foo", 'couldn\'t parse "foo" into a known SI unit, couldn\'t parse unit of "foo"'),
        ("99999999999999999999", "too large"),
        ("-1", "cannot parse float from empty string"),
    ],
)
def test_what_is_no_size_is_told_in_the_official_words(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_byte_size(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (86, "86 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (1024, "1.0 KB"),
        (1_000_000, "1000.0 KB"),
        (1_048_576, "1048.6 KB"),
        (5_242_880, "5.2 MB"),
        (10_000_000_000, "10.0 GB"),
    ],
)
def test_sizes_are_shown_as_measured_from_the_official_tool(size_bytes: int, text: str) -> None:
    assert format_byte_size(size_bytes) == text


@pytest.mark.parametrize(
    ("text", "duration_ns"),
    [
        ("1h", 3600 * S),
        ("2d 10s", 172_810 * S),
        ("1h30m", 5400 * S),
        ("7 days", 604_800 * S),
        ("150ms", 150_000_000),
        ("5us", 5000),
        ("9 ns", 9),
        ("1M", 2_630_016 * S),
        ("1m", 60 * S),
        ("1 year", 31_557_600 * S),
        ("0", 0),
        ("2weeks", 1_209_600 * S),
    ],
)
def test_durations_are_read(text: str, duration_ns: int) -> None:
    assert parse_duration_ns(text) == duration_ns


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("abc", "expected number at 0"),
        ("10", "time unit needed, for example 10sec or 10ms"),
        ("1h 7", "time unit needed, for example 7sec or 7ms"),
        ("", "value was empty"),
        ("  ", "value was empty"),
        ("1h x", "expected number at 3"),
        ("1.5h", "invalid character at 1"),
        ("99999999999999999999999y", "number is too large"),
    ],
)
def test_what_is_no_duration_is_told_in_the_official_words(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_duration_ns(text)
    assert str(caught.value) == reason


def test_an_unknown_time_unit_is_named() -> None:
    with pytest.raises(ValueError, match='unknown time unit "fortnight"'):
        parse_duration_ns("1fortnight")


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (604_800 * S, "7days"),
        (86_400 * S, "1day"),
        (120 * S, "2m"),
        (61 * S, "1m 1s"),
        (1500 * 10**6, "1s 500ms"),
        (0, "0s"),
        (31_557_600 * S, "1year"),
    ],
)
def test_durations_are_shown_as_measured(duration_ns: int, text: str) -> None:
    assert format_duration_ns(duration_ns) == text


@given(st.integers(0, 2**62))
def test_a_duration_shown_reads_back_as_the_same(duration_ns: int) -> None:
    assert parse_duration_ns(format_duration_ns(duration_ns)) == duration_ns


@given(st.text(max_size=12))
@pytest.mark.parametrize("parser", [parse_duration_ns, parse_byte_size, u16])
def test_any_text_is_a_value_or_a_value_error(parser: Callable[[str], int], text: str) -> None:
    try:
        assert parser(text) >= 0
    except ValueError:
        pass


@pytest.mark.parametrize("text", ["read_committed", "ReadCommitted", "readCommitted", "readcommitted"])
def test_isolation_has_four_spellings(text: str) -> None:
    assert parse_isolation(text) == "read_committed"


@pytest.mark.parametrize("text", ["at_most_once", "at-most-once", "AtMostOnce", "atMostOnce", "atmostonce"])
def test_delivery_has_five_spellings(text: str) -> None:
    assert parse_delivery(text) == "at_most_once"


def test_unknown_words_list_what_is_supported() -> None:
    with pytest.raises(ValueError) as caught:
        parse_isolation("x")
    assert str(caught.value) == (
        "unrecognized isolation: x. "
        "Supported: read_committed (ReadCommitted), read_uncommitted (ReadUncommitted)"
    )
    with pytest.raises(ValueError) as caught:
        parse_delivery("x")
    assert str(caught.value) == (
        "unrecognized delivery semantic: x. Supported: at_most_once (AtMostOnce), at_least_once (AtLeastOnce)"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("70000", "70000 is not in 0..=65535"),
        ("-1", "-1 is not in 0..=65535"),
        ("abc", "invalid digit found in string"),
        ("", "cannot parse integer from empty string"),
        ("9" * 5000, "is not in 0..=65535"),
    ],
)
def test_integers_out_of_range_are_told(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        u16(text)
    assert reason in str(caught.value)


def test_compressions_ignore_case_and_refuse_others_in_the_official_words() -> None:
    assert topic_compression("LZ4") == "lz4"
    with pytest.raises(ValueError, match=r"^Invalid compression type in topic$"):
        topic_compression("x")
    with pytest.raises(ValueError, match=r"^unknown compression format: any$"):
        producer_compression("any")


def test_offsets_have_64_bits() -> None:
    assert i64("9223372036854775807") == 2**63 - 1
    with pytest.raises(ValueError):
        i64("9223372036854775808")
