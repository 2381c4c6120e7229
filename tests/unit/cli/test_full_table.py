"""Records as rows of a table: columns, rows that are replaced, bounds, texts that are safe to print."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvio_cli.output.full_table import (
    MOST_CELL,
    MOST_COLUMNS,
    Layout,
    TableRows,
    cell_text,
    harmless,
    layout_of,
    objects_in,
)
from fluvio_cli.output.records import RecordOptions, RecordRenderer
from fluvio_cli.output.table import bordered, fit, text_width
from fluvio_protocol.api.table_format import (
    Color,
    TableFormatAlignment,
    TableFormatColumnConfig,
    TableFormatSpec,
)


def column(path: str, **others: Any) -> TableFormatColumnConfig:
    return TableFormatColumnConfig(key_path=path, **others)


def layout(*columns: TableFormatColumnConfig) -> Layout:
    return layout_of(TableFormatSpec(name="t", columns=list(columns)))


def rows_of(table: TableRows) -> list[tuple[str, ...]]:
    return [tuple(table.cells(key)) for key in table.order()]


def filled(given_layout: Layout | None, *records: Any, **bounds: Any) -> TableRows:
    table = TableRows(given_layout or Layout(), **bounds)
    for record in records:
        table.add(record if isinstance(record, bytes) else json.dumps(record).encode())
    return table


def labels(table: TableRows) -> list[str]:
    return [each.label for each in table.columns]


KEYED = layout(column("id", primary_key=True), column("v"))


def test_without_a_format_every_key_is_a_column_those_of_the_first_record_in_order() -> None:
    table = filled(None, {"b": 2, "a": "x"}, {"a": 1}, {"d": None, "c": [1, {"e": 2.5}]})
    assert labels(table) == ["a", "b", "c", "d"]
    assert rows_of(table) == [("x", "2"), ("1", ""), ("", "", '[1, {"e": 2.5}]', "null")]


def test_columns_have_a_bound_and_what_is_left_out_is_told() -> None:
    many = {f"k{number:03}": number for number in range(MOST_COLUMNS + 1)}
    table = filled(None, many)
    assert len(table.columns) == MOST_COLUMNS == len(rows_of(table)[0])
    assert table.remarks() == [f"only the first {MOST_COLUMNS} columns are shown"]
    stored = filled(layout(*map(column, many)), many)
    assert len(stored.columns) == MOST_COLUMNS
    assert stored.remarks() == table.remarks()


def test_a_format_gives_columns_labels_and_where_text_stands() -> None:
    table = filled(
        layout(
            column("n", header_label="Number", alignment=TableFormatAlignment.RIGHT),
            column("secret", display=False),
            column("w", width="3", header_text_color=Color.GREEN, alignment=TableFormatAlignment.CENTER),
            column("missing"),
        ),
        {"n": 1, "secret": "s", "w": "abcdef", "more": 1},
        {"n": 22, "w": "z"},
    )
    assert "".join(table.as_text()) == (
        "+--------+-----+---------+\n| Number | w   | missing |\n".replace("w  ", " w ")
        + "+========================+\n"
        "|      1 | ab… |         |\n"
        "|     22 |  z  |         |\n"
        "+--------+-----+---------+\n"
    )


def test_a_format_whose_columns_are_none_or_hidden_leaves_the_choice_to_the_records() -> None:
    assert labels(filled(layout_of(TableFormatSpec(name="t")), {"a": 1})) == ["a"]
    hidden = filled(layout(column("a", display=False, primary_key=True)), {"a": 1, "b": 1}, {"a": 1, "b": 2})
    assert (labels(hidden), rows_of(hidden)) == (["a", "b"], [("1", "2")])


@pytest.mark.parametrize("width", ["", "0", "-1", "x", "٣", "99999999999", "1.5", "\x1b[2J"])
def test_a_width_that_is_none_counts_as_not_given(width: str) -> None:
    assert layout(column("a", width=width)).columns[0].width is None


def test_a_width_has_a_bound() -> None:
    assert layout(column("a", width="65535")).columns[0].width == MOST_CELL


def test_a_path_with_dots_leads_down_unless_there_is_a_key_of_that_name() -> None:
    table = filled(
        layout(column("a.b"), column("a.b.c"), column("a.")),
        {"a": {"b": 1}},
        {"a": {"b": {"c": 2}}, "a.b": 3, "a.": 4},
        {"a": [1]},
    )
    assert rows_of(table) == [("1", "", ""), ("3", "2", "4"), ("", "", "")]


def test_a_record_with_known_keys_replaces_its_row_where_it_stands() -> None:
    table = filled(KEYED, {"id": 1, "v": "old"}, {"id": 2, "v": "b"}, {"id": 1, "v": "new"}, {"id": 1})
    assert rows_of(table) == [("1", ""), ("2", "b")]


def test_keys_are_values_of_json_and_without_all_of_them_a_record_is_a_row_of_its_own() -> None:
    table = filled(
        KEYED, {"id": 1}, {"id": "1"}, {"id": None}, {"id": None}, {}, {}, {"id": [1]}, {"id": [1]}
    )
    assert [row[0] for row in rows_of(table)] == ["1", "1", "null", "", "", "[1]"]
    pair = layout(column("a", primary_key=True), column("b.c", primary_key=True))
    table = filled(pair, {"a": 1, "b": {"c": 1}}, {"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 1}}, {"a": 1})
    assert rows_of(table) == [("1", "1"), ("1", "2"), ("1", "")]


def test_long_keys_are_told_apart_by_their_whole_length() -> None:
    long = "k" * 5000
    table = filled(KEYED, {"id": long + "a"}, {"id": long + "b", "v": 1}, {"id": long + "b", "v": 2})
    assert [row[1] for row in rows_of(table)] == ["", "2"]
    assert all(len(str(key)) <= 256 for key in table.order())


def test_the_newest_rows_are_kept_and_a_replaced_row_is_a_new_one() -> None:
    table = filled(KEYED, *({"id": number} for number in (1, 2, 3, 1, 4)), most_rows=3)
    assert [row[0] for row in rows_of(table)] == ["1", "3", "4"]
    assert (table.dropped, table.remarks()) == (1, ["older rows that are no longer shown: 1"])
    plain = filled(None, *({"a": number} for number in range(10)), most_rows=4)
    assert rows_of(plain) == [("6",), ("7",), ("8",), ("9",)]
    assert plain.dropped == 6


def test_rows_have_a_bound_in_characters_whatever_replaces_what() -> None:
    table = filled(KEYED, *({"id": number % 4, "v": "x" * 40} for number in range(20)), most_characters=100)
    assert [row[0] for row in rows_of(table)] == ["2", "3"]
    table = filled(
        KEYED, {"id": 1, "v": "x" * 90}, {"id": 1, "v": "y"}, {"id": 2, "v": "z" * 90}, most_characters=100
    )
    assert (len(table), table.dropped) == (2, 0)


def test_lists_of_objects_are_a_row_each_and_all_else_is_counted() -> None:
    table = filled(
        None, [{"a": 1}, {"a": 2}], [{"a": 3}, 4], [], [1], 5, "x", None, b"not json", b"\xff", b""
    )
    assert rows_of(table) == [("1",), ("2",), ("3",)]
    assert (table.unknown, table.remarks()) == (9, ["records that are no JSON objects: 9"])
    assert filled(None, b"x", tells_unknown=False).remarks() == []


def test_json_that_is_nested_too_deeply_is_no_crash() -> None:
    for depth in (*range(700, 1010), 5000, 100_000):  # at some it can just be read, but not be written
        table = filled(KEYED, b'{"id":%b%b,"v":1}' % (b"[" * depth, b"]" * depth))
        assert len(table) + table.unknown == 1


def test_cleared_rows_are_gone_with_what_was_counted_and_columns_stay() -> None:
    table = filled(None, {"a": "long text"}, b"x", {"a": 1}, most_rows=1)
    table.clear()
    assert (len(table), table.remarks(), labels(table), table.widths) == (0, [], ["a"], [1])
    assert list(table.as_text()) == []
    table.add(b'{"a":1}')
    assert rows_of(table) == [("1",)]


def test_what_commands_a_terminal_is_shown_as_json_does_and_spaces_as_spaces() -> None:
    assert (
        harmless("a\x1b[2J\r\n\t\x7f\x9b\u202e\u200b") == "a\\u001b[2J\\r\\n\\t\\u007f\\u009b\\u202e\\u200b"
    )
    assert harmless("1\u00a0000\u2003x") == "1 000 x"
    assert harmless("zwölf 漢字 e\u0301") == "zwölf 漢字 e\u0301"
    assert cell_text(json.loads('"\\ud800"')) == "\\ud800"
    assert cell_text({"a\x07": "\x1b"}) == '{"a\\u0007": "\\u001b"}'
    cut = harmless("x" * 1000)
    assert (len(cut), cut[-1]) == (MOST_CELL, "…")


texts = st.text(max_size=300) | st.text("ab\x00\x1b\n\u202e\u3000漢\ud800", max_size=30)


@given(texts)
def test_no_text_commands_a_terminal(text: str) -> None:
    assert harmless(text).isprintable()


@given(texts, texts, st.none() | texts)
def test_nothing_of_a_format_or_a_record_does(name: str, value: str, label: str | None) -> None:
    for given_layout in (None, layout(column(name, header_label=label, width=value, primary_key=True))):
        table = filled(given_layout, {name: value, "a": {value: name}})
        for line in table.as_text():
            assert line.endswith(("|\n", "+\n"))
            assert line[:-1].isprintable()


def test_rows_of_one_table_are_equally_wide_whatever_letters_they_have() -> None:
    table = filled(None, {"a": "漢字", "b": 1}, {"a": "e\u0301", "b": "x"}, {"a": "abcdefg"})
    assert {text_width(line.rstrip()) for line in table.as_text()} == {len("+---------+---+")}


def test_text_is_padded_or_cut_to_its_column() -> None:
    assert [fit("ab", 5, side) for side in ("left", "right", "center")] == ["ab   ", "   ab", " ab  "]
    assert [fit("abcdef", width) for width in (6, 3, 1, 0)] == ["abcdef", "ab…", "…", ""]
    assert [fit("漢字漢字", width) for width in (8, 7, 4, 3)] == ["漢字漢字", "漢字漢…", "漢 …", "漢…"]
    assert "".join(bordered(["a"], [[], ["1"]], [1], with_top=False)) == "| a |\n+===+\n|   |\n| 1 |\n+---+\n"


def test_a_record_holds_objects_or_not() -> None:
    assert objects_in(b'{"a":1}') == ([{"a": 1}], True)
    assert objects_in(b'[{"a":1},2]') == ([{"a": 1}], False)
    assert objects_in(b"NaN") == ([], False)


def test_the_table_form_has_the_columns_and_labels_of_a_format() -> None:
    given_layout = layout(column("n.m", header_label="N"), column("t", width="4"))
    renderer = RecordRenderer(RecordOptions(form="table", layout=given_layout))
    shown = renderer.render_values([b'{"n":{"m":1},"t":"a\\u001blong"}', b'{"x":1}', b"[]", b"x"]).decode()
    assert shown == (
        "+---+------+\n| N | t    |\n+==========+\n| 1 | a\\u… |\n+---+------+\n"
        "| N | t    |\n+==========+\n|   |      |\n+---+------+\n"
        "error: Unable to parse json as object map\n"
        "error parsing record as json: expected value at line 1 column 1\n"
    )
