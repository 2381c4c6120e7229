"""JSON lines: every record comes back byte for byte, and what is no record says where it stands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_cli.transfer.lines import BadLineError, LineReader, LineWriter, highest_in_lines
from fluvio_cli.transfer.pieces import Columns, Piece

NO_TIME = -1
TIMES = st.one_of(st.just(NO_TIME), st.integers(1, 2**45), st.integers(2**50, 2**60))
AWKWARD = (
    b"",
    b'"',
    b"\\",
    b"\n",
    b"caf\xc3\xa9",
    b"\xff\xfe",
    b"null",
    b" 1 ",
    b'{"a":1}',
    b'{"base64":"eA=="}',
)
BYTES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(AWKWARD),
    st.text(max_size=8).map(lambda text: text.encode(errors="replace")),
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ).map(lambda data: json.dumps(data).encode()),
)
RECORDS = st.lists(st.tuples(TIMES, st.none() | BYTES, BYTES), min_size=1, max_size=20)


def piece(records: list[tuple[int, bytes | None, bytes]], partition: int = 0, first: int = 0) -> Piece:
    timestamps, keys, values = (list(column) for column in zip(*records, strict=True))
    return Piece(partition, range(first, first + len(values)), Columns(timestamps, keys, values))


def read(text: bytes) -> list[tuple[int, int, int, bytes | None, bytes]]:
    found = []
    for each in LineReader().pieces(text):
        found += [(each.partition, *row) for row in zip(each.offsets, *each.columns(), strict=True)]
    return found


@given(records=RECORDS)
def test_every_record_comes_back(records: list[tuple[int, bytes | None, bytes]]) -> None:
    text = LineWriter("a-topic").lines(piece(records, 3, 7))
    assert text.count(b"\n") == len(records)
    assert read(text) == [(3, 7 + index, *record) for index, record in enumerate(records)]


@given(records=RECORDS)
def test_lines_that_another_program_wrote_again_mean_the_same(
    records: list[tuple[int, bytes | None, bytes]],
) -> None:
    """Members in another order and with spaces; numbers and objects may look otherwise then."""
    lines = [json.loads(line) for line in LineWriter("t").lines(piece(records)).split(b"\n")[:-1]]
    turned = "".join(json.dumps(dict(reversed(list(line.items())))) + "\n" for line in lines)
    for (_, timestamp, key, value), found in zip(
        [(0, *record) for record in records], read(turned.encode()), strict=True
    ):
        assert found[2:4] == (timestamp, key)
        try:
            was = json.loads(value)
        except ValueError:
            assert found[4] == value
        else:
            assert json.loads(found[4]) == was


def test_a_line_looks_as_that_of_consume() -> None:
    text = LineWriter("orders").lines(piece([(1769846400000, b"k", b'{"a": 1.50}'), (NO_TIME, None, b"x")]))
    assert text.decode().splitlines() == [
        '{"topic":"orders","partition":0,"offset":0,"timestamp":"2026-01-31T08:00:00.000Z","key":"k",'
        '"value":{"a": 1.50}}',
        '{"topic":"orders","partition":0,"offset":1,"timestamp":null,"key":null,"value":"x"}',
    ]


def test_members_may_be_left_out_but_for_the_value() -> None:
    assert read(b'{"value": {"a":  1}}\n\n{"value":"x","extra":[1]}\n') == [
        (0, 0, NO_TIME, None, b'{"a":  1}'),
        (0, 0, NO_TIME, None, b"x"),
    ]


def test_the_topic_is_known_from_lines_of_either_kind() -> None:
    reader = LineReader()
    reader.pieces(b'{"topic":"a","partition":0,"offset":0,"timestamp":null,"key":null,"value":"x"}\n')
    assert reader.topic == "a"
    reader.pieces(b'{"value": 1, "topic": "b"}\n')
    assert reader.topic == "b"


GOOD = b'{"topic":"t","partition":0,"offset":0,"timestamp":null,"key":null,"value":"x"}\n'


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"nonsense", "no JSON object"),
        (b'{"key":"k"}', "no member `value`"),
        (b'{"value":1,"partition":-1}', "`partition` is no number"),
        (b'{"value":1,"offset":"7"}', "`offset` is no number"),
        (b'{"value":1,"timestamp":true}', "`timestamp` is neither"),
        (b'{"value":1,"timestamp":"soon"}', "time cannot be read"),
        (b'{"value":1,"key":7}', "its key is neither"),
        (b'{"value":{"base64":"???"}}', "base64 cannot be read"),
        (GOOD[:-1].replace(b'"x"', b"x"), "no JSON"),
        (GOOD[:-1].replace(b'"x"', b'"\xff"'), "no UTF-8"),
        (GOOD[:-1].replace(b'"x"', b'"\\ud800"'), "half a character"),
        (GOOD[:-1].replace(b'"x"', b""), "no JSON object"),
        (GOOD[:-1].replace(b"null", b'"yesterday"', 1), "time cannot be read"),
        (GOOD[:-1].replace(b'null,"value"', b'7,"value"'), "its key is neither"),
    ],
)
def test_what_is_no_record_is_told_with_its_line(line: bytes, told: str) -> None:
    with pytest.raises(BadLineError, match=told) as caught:
        LineReader().pieces(GOOD + line + b"\n")
    assert caught.value.line == 2


def test_the_highest_partition_is_found_without_reading_values() -> None:
    text = GOOD + GOOD.replace(b'"partition":0', b'"partition":12').replace(b'"x"', b'{"partition":99}')
    assert highest_in_lines(text) == 12
    assert highest_in_lines(text + b'{"value":1,"partition":20}\n') == 20
    assert highest_in_lines(b"") == 0
