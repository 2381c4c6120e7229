"""The full table as a screen: what is in view, what keys do, how it fits into any terminal."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_cli.output.full_table import Layout, TableRows, layout_of
from fluvio_cli.output.full_table_view import KeyReader, Press, TableView
from fluvio_cli.output.table import text_width
from fluvio_protocol.api.table_format import Color, TableFormatColumnConfig, TableFormatSpec
from tests.support.screens import Screen

AT_COLUMN = re.compile(r"\x1b\[\d+G")


def view_of(*records: Any, layout: Layout | None = None, **options: Any) -> TableView:
    bounds = {"most_rows": options.pop("most_rows")} if "most_rows" in options else {}
    rows = TableRows(layout or Layout(), **bounds)
    for record in records:
        rows.add(record if isinstance(record, bytes) else json.dumps(record).encode())
    return TableView(rows, **{"colours": False, **options})


def body(view: TableView, width: int = 30, height: int = 6) -> list[str]:
    """What the rows in view say."""
    lines = [AT_COLUMN.sub("", line) for line in view.frame(width, height)]
    return [line[1:-1].strip() for line in lines[2:-1] if line[1:-1].strip()]


def numbered(count: int, **options: Any) -> TableView:
    return view_of(*({"n": number} for number in range(count)), **options)


def test_a_frame_is_title_header_rows_and_remarks() -> None:
    view = view_of({"b": 2, "a": "x"}, {"a": 1}, b"not json")
    assert view.frame(60, 6) == [
        "┌('c' to clear table | 'q' or ESC to exit) | Items: 2──────┐",
        "│a  b                                                      │",
        "│x  2                                                      │",
        "│1                                                         │",
        "│                                                          │",
        "└records that are no JSON objects: 1───────────────────────┘",
    ]
    view.remark = "lost the connection"
    assert view.frame(40, 4)[-1] == "└lost the connection | records that ar…\x1b[40G┘"


def test_a_frame_in_plain_letters_and_without_a_keyboard() -> None:
    view = view_of({"a": 1}, has_boxes=False, has_keys=False)
    assert view.frame(20, 4) == [
        "+Items: 1----------+",
        "|a                 |",
        "|1                 |",
        "+------------------+",
    ]


def test_before_the_first_record_there_is_an_empty_table() -> None:
    assert view_of().frame(20, 4)[1:] == ["│" + " " * 18 + "│", "│" + " " * 18 + "│", "└" + "─" * 18 + "┘"]


def test_headers_have_the_colours_of_the_format_or_the_official_ones() -> None:
    columns = [
        TableFormatColumnConfig(key_path="a"),
        TableFormatColumnConfig(
            key_path="b", header_text_color=Color.GREEN, header_bg_color=Color.YELLOW, header_label="B"
        ),
    ]
    layout = layout_of(TableFormatSpec(name="t", columns=columns))
    header = view_of({"a": 1}, layout=layout, colours=True).frame(10, 4)[1]
    assert header == "│\x1b[1;33;44ma  \x1b[0m\x1b[1;32;43mB    \x1b[0m│"
    assert "\x1b" not in view_of({"a": 1}, layout=layout).frame(10, 4)[1]


def test_the_view_follows_the_newest_rows_until_it_is_moved_and_again_at_the_end() -> None:
    view = numbered(10)
    assert body(view) == ["7", "8", "9"]
    view.press(Press.UP)
    assert body(view) == ["6", "7", "8"]
    view.rows.add(b'{"n":10}')
    assert body(view) == ["6", "7", "8"]
    view.press(Press.PAGE_UP)
    assert body(view) == ["4", "5", "6"]
    view.press(Press.FIRST)
    assert body(view) == ["0", "1", "2"]
    view.press(Press.UP)
    assert body(view) == ["0", "1", "2"]
    view.press(Press.PAGE_DOWN)
    assert body(view) == ["2", "3", "4"]
    view.press(Press.LAST)
    view.rows.add(b'{"n":11}')
    assert body(view) == ["9", "10", "11"]
    view.press(Press.UP)
    view.press(Press.DOWN)
    view.rows.add(b'{"n":12}')
    assert body(view) == ["10", "11", "12"]


def test_the_view_stays_at_its_rows_while_older_ones_go_and_then_at_the_oldest() -> None:
    view = numbered(10, most_rows=10)
    assert body(view) == ["7", "8", "9"]
    for _ in range(4):
        view.press(Press.UP)
    for number in (10, 11):
        view.rows.add(b'{"n":%d}' % number)
    assert body(view) == ["3", "4", "5"]
    for number in (12, 13, 14):
        view.rows.add(b'{"n":%d}' % number)
    assert body(view) == ["5", "6", "7"]


def test_cleared_tables_begin_anew() -> None:
    view = numbered(10)
    view.frame(30, 6)
    view.press(Press.FIRST)
    view.remark = "x"
    view.press(Press.CLEAR)
    assert (body(view), view.remark) == ([], "")
    for number in range(5):
        view.rows.add(b'{"n":%d}' % number)
    assert body(view) == ["2", "3", "4"]


def test_columns_that_do_not_fit_are_made_narrower_the_widest_first() -> None:
    view = view_of({"a": "x" * 50, "b": "short", "c": "y" * 40})
    assert body(view, 42) == [f"{'x' * 14}…  short  {'y' * 14}…"]
    assert body(view, 120) == [f"{'x' * 50}  short  {'y' * 40}"]


def test_columns_that_cannot_fit_are_seen_by_moving_and_the_frame_says_so() -> None:
    view = view_of({f"c{number}": f"value {number}.." for number in range(8)})
    assert body(view, 50) == ["value 0..  value 1..  value 2..  value 3.."]
    assert view.frame(50, 6)[-1].startswith("└columns 1 to 4 of 8─")
    view.press(Press.LEFT)
    view.press(Press.RIGHT)
    assert body(view, 40)[0].startswith("value 1..")
    for _ in range(20):
        view.press(Press.RIGHT)
        last = body(view, 40)
    assert last[0].endswith("value 7..")
    view.press(Press.LEFT)
    assert body(view, 40)[0].endswith("value 6..")
    assert body(view, 100)[0].startswith("value 0..")


def test_a_width_of_the_format_is_kept_unless_the_terminal_is_narrower() -> None:
    columns = [
        TableFormatColumnConfig(key_path="a", width="5"),
        TableFormatColumnConfig(key_path="b", width="90"),
    ]
    view = view_of({"a": "x" * 20, "b": "y"}, layout=layout_of(TableFormatSpec(name="t", columns=columns)))
    assert body(view, 200) == ["xxxx…  y"]
    assert body(view, 40) == ["xxxx…"]
    view.press(Press.RIGHT)
    assert body(view, 40) == ["y"]


records = st.lists(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=30), max_size=12), max_size=8
)


@given(records, st.integers(0, 90), st.integers(1, 12), st.lists(st.sampled_from(Press), max_size=5))
def test_frames_fit_into_any_terminal(
    given_records: list[dict[str, Any]], width: int, height: int, presses: list[Press]
) -> None:
    view = view_of(*given_records)
    for press in presses:
        view.press(press)
        lines = view.frame(width, height)
        assert len(lines) == height
        assert all(text_width(AT_COLUMN.sub("", line)) in (0, width) for line in lines)


KEYS: list[tuple[bytes, Press]] = [
    (b"q", Press.LEAVE),
    (b"c", Press.CLEAR),
    (b"\x0c", Press.REDRAW),
    (b"\x1b[A", Press.UP),
    (b"\x1bOB", Press.DOWN),
    (b"\x1b[C", Press.RIGHT),
    (b"\x1b[D", Press.LEFT),
    (b"\x1b[H", Press.FIRST),
    (b"\x1b[4~", Press.LAST),
    (b"\x1b[5~", Press.PAGE_UP),
    (b"\x1b[6~", Press.PAGE_DOWN),
]


@pytest.mark.parametrize(("sent", "press"), KEYS)
def test_keys_are_known_though_they_come_in_pieces(sent: bytes, press: Press) -> None:
    for cut in range(1, len(sent) + 1):
        reader = KeyReader()
        first = reader.feed(b"x" + sent[:cut])
        assert reader.is_waiting is (cut < len(sent))
        assert first + reader.feed(sent[cut:] + b"x") == [press]


def test_keys_that_mean_nothing_do_nothing() -> None:
    reader = KeyReader()
    assert reader.feed(b"\x1b[1;5A\x1b[200~\x1b[<0;1;1M\x1bOP\xc3\xa4 \r\n\x03\x04j") == []
    assert not reader.is_waiting


def test_escape_is_a_key_when_nothing_follows_or_no_sequence_does() -> None:
    reader = KeyReader()
    assert (reader.feed(b"\x1b"), reader.is_waiting, reader.flush()) == ([], True, [Press.LEAVE])
    assert reader.feed(b"\x1bx") == [Press.LEAVE]
    assert (reader.feed(b"\x1b["), reader.flush()) == ([], [])
    assert reader.feed(b"\x1b[\x1b[A") == [Press.UP]


@given(st.binary(max_size=80))
def test_any_bytes_are_read_to_their_end(sent: bytes) -> None:
    reader = KeyReader()
    assert set(reader.feed(sent) + reader.flush()) <= set(Press)
    assert not reader.is_waiting


def test_no_sequence_is_endless() -> None:
    reader = KeyReader()
    for _ in range(100):
        reader.feed(b"\x1b[" + b"1" * 10)
    assert reader.feed(b"1" * 40 + b"q") in ([], [Press.LEAVE])
    assert reader.feed(b"q") == [Press.LEAVE]


def test_frames_are_what_a_terminal_shows() -> None:
    screen = Screen(20, 4)
    view = view_of({"a": "漢"}, colours=True)
    screen.feed("".join(f"\x1b[{number};1H{line}" for number, line in enumerate(view.frame(20, 4), 1)))
    assert [line[-1] for line in screen.text] == ["┐", "│", "│", "┘"]
    assert screen.styles == {"1;33;44", "0"}
