"""Tables, structured data, and which stream gets what."""

import io
import json
import tomllib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fluvio_cli.output.printer import Printer
from fluvio_cli.output.structured import NoFormError, Tagged, render_json, render_toml, render_yaml
from fluvio_cli.output.table import render_table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_list_table_is_laid_out_as_the_official_one() -> None:
    table = render_table(("NAME", "TYPE"), [("a", "computed"), ("longer", "x")])
    assert table == "  NAME    TYPE     \n  a       computed \n  longer  x        \n"


def test_a_table_can_be_right_aligned_unindented_and_have_longer_rows() -> None:
    table = render_table(
        ("N", "SIZE"), [("a", "1"), ("b", "10", "x")], indent=False, right_aligned=frozenset({1})
    )
    assert table == " N  SIZE    \n a     1    \n b    10  x \n"


def test_wide_characters_take_two_columns() -> None:
    assert render_table(("A",), [("日本",), ("ab",)]) == "  A    \n  日本 \n  ab   \n"


SPEC = {
    "name": "t",
    "replicas": Tagged("computed", {"partitions": 1, "rack": None}),
    "cleanup": None,
    "parts": [{"id": 0, "live": [5001]}, {"id": 1, "live": []}],
    "empty": {},
    "plain": Tagged("assigned", [1, 2]),
    "unit": Tagged("size", 5),
}


def test_yaml_has_tags_nulls_flush_lists_and_an_empty_last_line() -> None:
    assert render_yaml([SPEC]) == (
        "- name: t\n"
        "  replicas: !computed\n"
        "    partitions: 1\n"
        "    rack: null\n"
        "  cleanup: null\n"
        "  parts:\n"
        "  - id: 0\n"
        "    live:\n"
        "    - 5001\n"
        "  - id: 1\n"
        "    live: []\n"
        "  empty: {}\n"
        "  plain: !assigned\n"
        "  - 1\n"
        "  - 2\n"
        "  unit: !size 5\n"
        "\n"
    )


def test_json_is_indented_by_two_and_keeps_letters() -> None:
    assert render_json([{"a": Tagged("x", {"ü": 1})}]) == (
        '[\n  {\n    "a": {\n      "x": {\n        "ü": 1\n      }\n    }\n  }\n]\n'
    )


def test_toml_leaves_nulls_out_and_refuses_lists() -> None:
    text = render_toml({"a": 1, "b": None, "c": {"d": None, "e": [1, 2]}})
    assert text.endswith("\n\n")
    assert tomllib.loads(text) == {"a": 1, "c": {"e": [1, 2]}}
    with pytest.raises(NoFormError):
        render_toml([{"a": 1}])


# What PyYAML (YAML 1.1) and serde (YAML 1.2) read differently is left out: dates, 1_000, 1:30, `=`, `<<`.
texts = st.text("abcxyzäé日 #:-'\"!&*%@{}[],?|>~`\\\n", max_size=8).filter(lambda text: "<<" not in text)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | texts
    | st.sampled_from(["", "yes", "null", "Null", "1", "-1", "1e3", "0x10", "0o7", "2.0", ".5", ".inf", "~"])
    | st.sampled_from(["- a", "a: b", "a #b", "a\n", "a\n\n", " a", "\n", "\ta", "a\n  b", "  a\nb", "\r"])
)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc1: #-", max_size=4), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(documents)
def test_yaml_reads_back_as_the_same_data(data: object) -> None:
    assert yaml.load(render_yaml(data), yaml.SafeLoader) == data


@given(documents)
def test_json_reads_back_as_the_same_data(data: object) -> None:
    assert json.loads(render_json(data)) == data


def test_hints_and_progress_go_to_terminals_only_and_progress_to_ci() -> None:
    def said(stderr: io.StringIO, environment: dict[str, str]) -> str:
        printer = Printer(io.StringIO(), stderr, environment)
        printer.hint("hint")
        printer.progress("progress")
        return stderr.getvalue()

    assert said(io.StringIO(), {}) == ""
    assert said(io.StringIO(), {"CI": "1"}) == "progress\n"
    assert said(Terminal(), {}) == "hint\nprogress\n"


def test_colour_needs_a_terminal_and_no_word_against_it() -> None:
    assert Printer(io.StringIO(), io.StringIO(), {}).styled("x", "green") == "x"
    assert Printer(Terminal(), io.StringIO(), {"NO_COLOR": "1"}).styled("x", "green") == "x"
    assert Printer(Terminal(), io.StringIO(), {}).styled("x", "green") == "\x1b[32mx\x1b[0m"


def test_data_and_messages_go_to_standard_output_notes_to_standard_error() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    printer = Printer(stdout, stderr, {})
    printer.data("data")
    printer.message("message")
    printer.note("note")
    assert (stdout.getvalue(), stderr.getvalue()) == ("datamessage\n", "note\n")
