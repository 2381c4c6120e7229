"""Table formats in files: what the documentation shows is read, and what is wrong is named with its place."""

import re
from pathlib import Path

import pytest

from fluvio_cli.table_format_files import TableFormatFileError, read_table_format_file
from fluvio_protocol.api.table_format import (
    Color,
    DataFormat,
    TableFormatAlignment,
    TableFormatColumnConfig,
    TableFormatSpec,
)

DOCUMENT = Path(__file__).parents[3] / "docs" / "table-formats.md"


def read(tmp_path: Path, text: str) -> TableFormatSpec:
    path = tmp_path / "format.yaml"
    path.write_text(text)
    return read_table_format_file(path)


def test_the_documented_file_is_read_whole(tmp_path: Path) -> None:
    text = re.search(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    assert text is not None
    assert read(tmp_path, text[1]) == TableFormatSpec(
        name="hosts",
        input_format=DataFormat.JSON,
        columns=[
            TableFormatColumnConfig(
                header_label="IP", key_path="ip", primary_key=True, header_text_color=Color.GREEN
            ),
            TableFormatColumnConfig(
                key_path="name", width="20", alignment=TableFormatAlignment.CENTER, display=True
            ),
        ],
        smartmodule="a-name",
    )


def test_only_the_name_is_needed(tmp_path: Path) -> None:
    assert read(tmp_path, "name: t\ncolumns: null\n") == TableFormatSpec(name="t")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file: keys and their values are expected"),
        ("{", "is not YAML"),
        ("columns: []", "missing field `name`"),
        ("name: 3", "name: text is expected, not `3`"),
        ("name: t\ncolumn: []", "unknown key `column`"),
        ("name: t\ninputFormat: json", "inputFormat: unknown variant `json`, expected one of `JSON`"),
        ("name: t\ncolumns: 3", "columns: a list of columns is expected"),
        ("name: t\ncolumns: [a]", "columns[0]: keys and their values are expected"),
        ("name: t\ncolumns: [{keyPath: a}, {}]", "columns[1]: missing field `keyPath`"),
        ("name: t\ncolumns: [{keyPath: a, widht: 3}]", "unknown key `columns[0].widht`"),
        ("name: t\ncolumns: [{keyPath: a, width: 0}]", "columns[0].width: a number of characters"),
        ("name: t\ncolumns: [{keyPath: a, width: wide}]", "columns[0].width: a number of characters"),
        ("name: t\ncolumns: [{keyPath: a, display: 1}]", "columns[0].display: true or false is expected"),
        ("name: t\ncolumns: [{keyPath: a, alignment: UP}]", "columns[0].alignment: unknown variant `UP`"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(TableFormatFileError) as caught:
        read(tmp_path, text)
    assert told in str(caught.value)


def test_a_file_that_is_no_definition_is_not_read_to_its_end(tmp_path: Path) -> None:
    with pytest.raises(TableFormatFileError, match="is larger than"):
        read_table_format_file(Path("/dev/zero"))
    with pytest.raises(FileNotFoundError):
        read_table_format_file(tmp_path / "none")
